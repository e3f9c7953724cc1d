"""Copy first, then erase: who asked for a copy confirms when it is ready; nothing is erased before it was in hand."""

from datetime import timedelta

import pytest
from django.conf import settings
from django.utils import timezone
from django.utils.formats import date_format

from dsar.enums import Outcome, PackageStatus, Right, State
from dsar.intake import beside, submit
from dsar.models import REQUESTER, SYSTEM, Case, Message, Package, PrivacyRequest
from dsar.notices import Notice
from dsar.notifications import compose
from dsar.review import clock
from dsar.workflow import Conflict, move
from tests import drive
from tests.drive import Route

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("own_journal")]


@pytest.fixture
def pair(route: Route) -> tuple[PrivacyRequest, PrivacyRequest]:
    """A deletion that waits for its confirmation, and the copy that was asked for first."""
    deletion = route.confirming()
    copy = beside.copy_first(deletion.pk)
    return drive.fresh(deletion.pk), copy


def offered(copy: PrivacyRequest, route: Route, *, days_ago: int = 0) -> Package:
    """The copy was made, looked through and handed over."""
    move(copy.pk, "located", actor=SYSTEM, nothing_held=False, judgement=[])
    move(copy.pk, "approve", actor=route.approver)
    move(copy.pk, "packed", actor=SYSTEM)
    move(copy.pk, "hand_over", actor=route.approver, outcome=Outcome.GRANTED)
    at = timezone.now() - timedelta(days=days_ago)
    return Package.objects.create(
        request=copy,
        status=PackageStatus.OFFERED,
        offered_at=at,
        expires_at=at + timedelta(days=30),
        name="1",
        digest="1",
    )


def confirm(deletion: PrivacyRequest) -> PrivacyRequest:
    return move(deletion.pk, "confirm", actor=REQUESTER, quiet=timedelta(0))


def due_in(deletion: PrivacyRequest, days: int) -> None:
    PrivacyRequest.objects.filter(pk=deletion.pk).update(due_on=timezone.localdate() + timedelta(days=days))


def test_law_15_whoever_is_proven_is_not_told_to_prove_themselves_again(
    pair: tuple[PrivacyRequest, PrivacyRequest],
) -> None:
    deletion, copy = pair
    (message,) = Message.objects.filter(request=copy, to_sealed=None)
    assert message.notice == Notice.RECEIVED
    text = str(compose.mail(message).body)
    assert "need not prove anything" in text
    assert f"Our answer comes by {date_format(copy.due_on)}" in text
    assert not Message.objects.filter(request=deletion, notice=Notice.RECEIVED_TRIAGE).exists()


def test_it_cannot_be_confirmed_before_the_copy_is_ready(
    pair: tuple[PrivacyRequest, PrivacyRequest], route: Route
) -> None:
    deletion, copy = pair
    assert deletion.after_id == copy.pk
    with pytest.raises(Conflict):
        confirm(deletion)
    offered(copy, route)
    assert confirm(deletion).state == State.RELEASING


def test_whoever_waited_is_told_and_has_the_whole_time_to_confirm(
    pair: tuple[PrivacyRequest, PrivacyRequest], route: Route
) -> None:
    deletion, copy = pair
    long_ago = timezone.now() - settings.CONFIRM_WITHIN - timedelta(days=1)
    PrivacyRequest.objects.filter(pk=deletion.pk).update(entered_at=long_ago, reminders=2)
    clock.sweep()
    assert drive.fresh(deletion.pk).state == State.CONFIRMING, "nothing is raised while the person waits for us"
    offered(copy, route)
    assert Message.objects.filter(request=deletion, notice=Notice.CONFIRM_READY).count() == 1
    again = drive.fresh(deletion.pk)
    assert again.reminders == 0
    assert again.entered_at > timezone.now() - timedelta(minutes=1)


def test_a_copy_that_ends_without_one_no_longer_holds_the_deletion_up(
    pair: tuple[PrivacyRequest, PrivacyRequest], route: Route
) -> None:
    deletion, copy = pair
    move(copy.pk, "withdraw", actor=REQUESTER)
    confirm(deletion)
    assert move(deletion.pk, "release", actor=route.approver).state == State.FULFILLING


def test_who_does_not_wait_confirms_at_once_and_the_copy_is_still_made_first(
    pair: tuple[PrivacyRequest, PrivacyRequest], route: Route
) -> None:
    deletion, copy = pair
    beside.do_not_wait(deletion.pk)
    with pytest.raises(Conflict):
        beside.do_not_wait(deletion.pk)
    confirm(deletion)
    with pytest.raises(Conflict):
        move(deletion.pk, "release", actor=route.approver)
    package = offered(copy, route)
    with pytest.raises(Conflict):
        move(deletion.pk, "release", actor=route.approver)
    Package.objects.filter(pk=package.pk).update(downloaded_at=timezone.now())
    assert move(deletion.pk, "release", actor=route.approver).state == State.FULFILLING


@pytest.mark.parametrize(("days", "released"), [(0, False), (6, False), (7, True)])
def test_a_copy_that_nobody_fetches_waits_seven_days(
    pair: tuple[PrivacyRequest, PrivacyRequest], route: Route, days: int, released: bool
) -> None:
    deletion, copy = pair
    due_in(deletion, 25)
    offered(copy, route, days_ago=days)
    confirm(deletion)
    if released:
        assert move(deletion.pk, "release", actor=route.approver).state == State.FULFILLING
    else:
        with pytest.raises(Conflict):
            move(deletion.pk, "release", actor=route.approver)


@pytest.mark.parametrize(("days", "waits"), [(11, True), (10, False), (0, False)])
def test_ten_days_before_the_legal_date_nothing_waits_any_more(
    pair: tuple[PrivacyRequest, PrivacyRequest], route: Route, days: int, waits: bool
) -> None:
    deletion, _copy = pair
    due_in(deletion, days)
    if waits:
        with pytest.raises(Conflict):
            confirm(deletion)
        return
    confirm(deletion)
    assert move(deletion.pk, "release", actor=route.approver).state == State.FULFILLING


def test_law_04_the_quiet_period_is_never_cut_short_by_a_download(
    pair: tuple[PrivacyRequest, PrivacyRequest], route: Route
) -> None:
    deletion, copy = pair
    package = offered(copy, route)
    Package.objects.filter(pk=package.pk).update(downloaded_at=timezone.now())
    move(deletion.pk, "confirm", actor=REQUESTER, quiet=timedelta(hours=72))
    with pytest.raises(Conflict):
        move(deletion.pk, "release", actor=route.approver)


def test_the_shipped_periods_are_those_of_the_promise() -> None:
    assert (timedelta(days=7), timedelta(days=10)) == (settings.COPY_WAITS, settings.ERASE_BEFORE_DUE)


def test_asked_for_together_the_copy_comes_first() -> None:
    contact = submit.Contact(email="two@example.com", rights=(Right.DELETION, Right.ACCESS), country="DE")
    case = submit.open_case(drive.arrived(), contact)
    assert case.requests.get(right=Right.DELETION).after == case.requests.get(right=Right.ACCESS)


@pytest.mark.parametrize("right", [Right.CORRECTION, Right.OBJECTION, Right.RESTRICTION])
@pytest.mark.parametrize("same_case", [True, False])
def test_a_confirmed_deletion_answers_what_it_makes_void(route: Route, right: Right, same_case: bool) -> None:
    from dsar.verification import confirmation

    deletion = route.confirming()
    case = deletion.case
    if not same_case:
        case = drive.proven_by_link(drive.a_case(case.email, Right.ACCESS))
    other = submit.add_request(Case.objects.get(pk=case.pk), right, "Because.")
    copy = submit.add_request(Case.objects.get(pk=case.pk), Right.ACCESS, "")
    plan = confirmation.current_plan(deletion)
    assert plan is not None
    confirmation.confirm(deletion.pk, plan.digest)
    ended = drive.fresh(other.pk)
    assert (ended.state, ended.outcome) == (State.COMPLETED, Outcome.OVERTAKEN)
    assert Message.objects.filter(request=other, notice=Notice.OVERTAKEN).count() == 1
    assert not drive.fresh(copy.pk).is_ended


def test_a_stranger_s_deletion_answers_nothing_of_others(route: Route) -> None:
    from dsar.verification import confirmation

    deletion = route.confirming()
    other = submit.add_request(Case.objects.get(pk=route.review().case_id), Right.OBJECTION, "Because.")
    plan = confirmation.current_plan(deletion)
    assert plan is not None
    confirmation.confirm(deletion.pk, plan.digest)
    assert not drive.fresh(other.pk).is_ended
