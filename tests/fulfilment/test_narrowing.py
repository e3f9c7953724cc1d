"""Narrowing: what is erased only shrinks, for a lawful reason that is new, and the person is told (laws 3, 6)."""

import pytest

from accounts.models import User
from dsar.enums import Outcome, State
from dsar.fulfilment import control
from dsar.models import Actor, Message, Plan, PrivacyRequest
from dsar.notices import Notice
from dsar.review import holds
from dsar.workflow import Conflict, Forbidden
from tests import drive, house
from tests.drive import CAST
from tests.fulfilment.released import CLAIMS, body_of, erasing, left_of, soon

pytestmark = pytest.mark.usefixtures("own_journal", "as_shipped")


def test_law_03_narrowing_only_shrinks_and_the_person_is_told(request_: PrivacyRequest, approver: Actor) -> None:
    before, all_erasing = left_of(), erasing(body_of(request_))
    narrowed = drive.narrow(
        request_.pk, {("platform", "prompts")}, CLAIMS, "A court asked for them.", actor=approver, weighed="So."
    )
    assert narrowed.state == State.FULFILLING
    assert erasing(body_of(narrowed)) == all_erasing - {("platform", "prompts")}
    assert Plan.objects.filter(request=request_, frozen_at__isnull=False).count() == 2
    assert Message.objects.filter(request=request_, notice=Notice.NARROWED).count() == 1
    drive.carry_out()
    done = drive.fresh(request_.pk)
    assert (done.state, done.outcome) == (State.COMPLETED, Outcome.GRANTED_IN_PART)
    # What is kept stays row by row; the person behind it is a shell.
    assert len(house.rows("prompts", user_id=done_user(before))) == before["prompts"]
    assert house.rows("searches", user_id=done_user(before)) == []


def done_user(_before: dict[str, int]) -> int:
    """The company's number of the ordinary person, from a demo that is always made alike."""
    prompts = {row["user_id"] for row in house.rows("prompts")}
    counted = [number for number in prompts if len(house.rows("prompts", user_id=number)) == _before["prompts"]]
    return int(str(counted[0]))


def test_law_03_narrowing_again_never_widens(request_: PrivacyRequest, approver: Actor) -> None:
    drive.narrow(request_.pk, {("platform", "prompts")}, CLAIMS, "A reason.", actor=approver, weighed="So.")
    second = drive.narrow(request_.pk, {("platform", "searches")}, CLAIMS, "Another.", actor=approver, weighed="So.")
    assert not erasing(body_of(second)) & {("platform", "prompts"), ("platform", "searches")}
    with pytest.raises(control.Invalid):
        drive.narrow(request_.pk, {("platform", "prompts")}, CLAIMS, "Once more.", actor=approver, weighed="So.")


@pytest.mark.parametrize(
    ("keep", "code", "text"),
    [
        (set(), CLAIMS, "A reason."),
        ({("platform", "no-such-category")}, CLAIMS, "A reason."),
        ({("nowhere", "prompts")}, CLAIMS, "A reason."),
        ({("platform", "prompts")}, "LEGAL_HOLD", "A reason."),
        ({("platform", "prompts")}, "BUSINESS_NECESSITY", "A reason."),
        ({("platform", "prompts")}, "CA_SECURITY", "A reason of another law."),
        ({("platform", "prompts")}, "", "A reason."),
        ({("platform", "prompts")}, CLAIMS, "   "),
    ],
)
def test_law_06_narrowing_needs_something_to_keep_a_valid_reason_and_words(
    request_: PrivacyRequest, approver: Actor, keep: set[tuple[str, str]], code: str, text: str
) -> None:
    with pytest.raises(control.Invalid):
        drive.narrow(request_.pk, keep, code, text, actor=approver, weighed="So.")
    assert Plan.objects.filter(request=request_, frozen_at__isnull=False).count() == 1


def test_a_handler_does_not_narrow_and_nobody_narrows_before_the_confirmation(
    company: None, handler: Actor, approver: Actor
) -> None:
    request = drive.confirming()
    with pytest.raises(Conflict):
        drive.narrow(request.pk, {("platform", "prompts")}, CLAIMS, "A reason.", actor=approver, weighed="So.")
    bound = drive.confirmed(CAST.neighbour)
    with pytest.raises(Forbidden):
        drive.narrow(bound.pk, {("platform", "prompts")}, CLAIMS, "A reason.", actor=handler, weighed="So.")


def test_law_03_narrowed_to_nothing_is_a_denial_with_its_letter_and_the_account_stays_shut(
    company: None, approver: Actor
) -> None:
    user = User.objects.create_user(CAST.plain)
    request = drive.confirmed()
    before = left_of()
    ended = drive.narrow(
        request.pk, erasing(body_of(request)), CLAIMS, "All of it is evidence.", actor=approver, weighed="So."
    )
    assert (ended.state, ended.outcome) == (State.COMPLETED, Outcome.DENIED)
    assert Message.objects.filter(request=request, notice=Notice.REFUSED).count() == 1
    drive.carry_out()
    assert left_of() == before
    assert not User.objects.get(pk=user.pk).is_active


def test_a_category_narrowed_out_under_a_hold_lets_the_rest_go_on(request_: PrivacyRequest, approver: Actor) -> None:
    """The hold blocks the source; keeping everything of it by the hold's own basis is what unblocks it."""
    holds.place(CAST.plain, CLAIMS, soon(), actor=approver, weighed="So.", sources=("platform",))
    drive.carry_out()
    before = left_of()
    platform = {pair for pair in erasing(body_of(request_)) if pair[0] == "platform"}
    drive.narrow(request_.pk, platform, CLAIMS, "A court asked for it.", actor=approver, weighed="So.")
    drive.carry_out()
    assert left_of() == before
