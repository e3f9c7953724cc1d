""" "This was not me": it stops the steps and not the clock, and two people decide (law 4)."""

import pytest

from accounts.models import User
from dsar.enums import Outcome, State
from dsar.models import Actor, Message, PrivacyRequest
from dsar.notices import Notice
from dsar.review import decide
from dsar.verification import confirmation
from dsar.workflow import Conflict, Forbidden
from tests import drive
from tests.drive import CAST
from tests.fulfilment.released import left_of

pytestmark = pytest.mark.usefixtures("own_journal", "as_shipped")


def test_law_04_this_was_not_me_stops_the_steps_and_not_the_clock(request_: PrivacyRequest) -> None:
    before, due = left_of(), request_.due_on
    (disputed,) = confirmation.not_me(request_.case)
    assert (disputed.state, disputed.due_on, disputed.attention) == (State.FULFILLING, due, "disputed")
    drive.carry_out()
    assert left_of() == before
    assert Message.objects.filter(request=request_, notice=Notice.DISPUTE_NOTED).count() == 1
    # Saying it twice changes nothing, and what is not confirmed yet is withdrawn.
    assert confirmation.not_me(request_.case) == []


def test_law_04_two_people_find_a_dispute_unfounded_and_the_work_goes_on(
    request_: PrivacyRequest, approver: Actor, second_approver: Actor
) -> None:
    confirmation.not_me(request_.case)
    drive.carry_out()
    first = decide.judge_dispute(request_.pk, False, "The link was used from the same device.", actor=approver)
    assert first.disputed_at is not None
    with pytest.raises(decide.Invalid):
        decide.judge_dispute(request_.pk, False, "I say it again.", actor=approver)
    drive.carry_out()
    assert drive.fresh(request_.pk).state == State.FULFILLING
    second = decide.judge_dispute(request_.pk, False, "I agree.", actor=second_approver)
    assert second.disputed_at is None
    drive.carry_out()
    assert drive.fresh(request_.pk).state == State.COMPLETED


def test_law_04_two_people_find_a_dispute_founded_and_nothing_more_is_erased(
    company: None, approver: Actor, second_approver: Actor
) -> None:
    user = User.objects.create_user(CAST.plain)
    request = drive.released(approver)
    before = left_of()
    confirmation.not_me(request.case)
    decide.judge_dispute(request.pk, True, "It was somebody else.", actor=approver)
    assert drive.fresh(request.pk).state == State.FULFILLING
    ended = decide.judge_dispute(request.pk, True, "I agree.", actor=second_approver)
    assert (ended.state, ended.outcome) == (State.COMPLETED, Outcome.DENIED)
    drive.carry_out()
    assert left_of() == before
    # The account never reopens, not even for the victim of an impostor.
    assert not User.objects.get(pk=user.pk).is_active


def test_law_04_two_people_who_disagree_decide_nothing(
    request_: PrivacyRequest, approver: Actor, second_approver: Actor
) -> None:
    confirmation.not_me(request_.case)
    decide.judge_dispute(request_.pk, True, "Founded.", actor=approver)
    undecided = decide.judge_dispute(request_.pk, False, "Unfounded.", actor=second_approver)
    assert (undecided.state, undecided.disputed_at is None) == (State.FULFILLING, False)


def test_law_04_findings_of_an_earlier_dispute_do_not_count_for_the_next(
    request_: PrivacyRequest, approver: Actor, second_approver: Actor
) -> None:
    confirmation.not_me(request_.case)
    for one in (approver, second_approver):
        decide.judge_dispute(request_.pk, False, "Unfounded.", actor=one)
    confirmation.not_me(request_.case)
    again = decide.judge_dispute(request_.pk, False, "Unfounded.", actor=approver)
    assert again.disputed_at is not None


def test_a_dispute_is_judged_by_approvers_with_words_and_only_where_there_is_one(
    request_: PrivacyRequest, handler: Actor, approver: Actor
) -> None:
    with pytest.raises(Conflict):
        decide.judge_dispute(request_.pk, True, "There is none.", actor=approver)
    confirmation.not_me(request_.case)
    with pytest.raises(Forbidden):
        decide.judge_dispute(request_.pk, True, "Not mine to say.", actor=handler)
    with pytest.raises(decide.Invalid):
        decide.judge_dispute(request_.pk, True, "  ", actor=approver)


def test_two_parallel_findings_of_one_person_are_one(
    request_: PrivacyRequest, approver: Actor, second_approver: Actor
) -> None:
    confirmation.not_me(request_.case)
    results = drive.at_once(10, lambda _: decide.judge_dispute(request_.pk, True, "Founded.", actor=approver))
    assert sum(isinstance(one, PrivacyRequest) for one in results) == 1
    assert drive.fresh(request_.pk).state == State.FULFILLING
