"""A lost mailbox: shown at tier 3 or to two, every known address told, days waited, one word stops it."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import DatabaseError, IntegrityError, transaction
from django.utils import timezone

from accounts.models import Role
from dsar import audit
from dsar.connectors import addresses
from dsar.connectors.base import SourceError
from dsar.enums import CheckStatus, ContactBy, Right, State, StepReason
from dsar.fulfilment import locating, package, runner
from dsar.models import Actor, Case, LostMailbox, Message, PrivacyRequest
from dsar.models.request_conditions import copy_needs_second_person
from dsar.notices import Notice
from dsar.portal import present
from dsar.review import decide
from dsar.verification import by_hand, confirmation, links, lost_mailbox, sign_in
from dsar.workflow import Conflict, Forbidden, Invalid
from tests import drive
from tests.fulfilment import copies
from tests.house import CAST

pytestmark = pytest.mark.usefixtures("own_journal")

NEW, OTHER = "new-mailbox@example.net", "work@example.org"
SURE, JUDGED, SEEN = "data_points_3_declared", "staff_judgement", "What was compared, in words."


def case_of(request: PrivacyRequest) -> Case:
    """As the database has it now."""
    return Case.objects.get(pk=request.case_id)


@pytest.fixture
def lost(company: None, handler: Actor) -> PrivacyRequest:
    """A copy that was asked for from a mailbox which nobody can read any more."""
    request = drive.by_web(CAST.plain, Right.ACCESS)
    locating.drain()
    lost_mailbox.start(request.case, NEW, actor=handler)
    return drive.fresh(request.pk)


def at_once(settings: Any) -> None:
    """No days between the notice and the new address."""
    settings.LOST_MAILBOX = timedelta(0)


def opened(request: PrivacyRequest, settings: Any, person: Actor) -> PrivacyRequest:
    """Shown, announced, waited for."""
    at_once(settings)
    drive.shown_by_hand(request.pk, SURE, SEEN, actor=person)
    lost_mailbox.sweep()
    by_hand.sweep()
    return drive.fresh(request.pk)


def told(notice: Notice = Notice.LOST_MOVING) -> set[str]:
    """Whom a notice goes to."""
    return {one.to for one in Message.objects.filter(notice=notice).select_related("case")}


def test_who_has_to_look(lost: PrivacyRequest, handler: Actor, approver: Actor, second_approver: Actor) -> None:
    with pytest.raises(Invalid, match="Two approvers"):
        by_hand.record(lost.pk, JUDGED, SEEN, actor=handler)
    by_hand.record(lost.pk, JUDGED, SEEN, actor=approver)
    assert lost_mailbox.sweep() == 0
    with pytest.raises(Invalid):
        by_hand.judge(lost.pk, True, actor=approver)
    with pytest.raises(Invalid):
        by_hand.judge(lost.pk, True, actor=handler)
    assert told() == set()
    by_hand.judge(lost.pk, True, actor=second_approver)
    assert lost_mailbox.sweep() == 1
    assert told() == {CAST.plain}


def test_it_waits_its_days_and_then_goes_on_as_after_a_proof(
    lost: PrivacyRequest, settings: Any, handler: Actor
) -> None:
    old = drive.token_of(lost.case)
    drive.shown_by_hand(lost.pk, SURE, SEEN, actor=handler)
    assert lost_mailbox.sweep() == 1
    assert lost_mailbox.sweep() == 0, "told once"
    row = LostMailbox.objects.get()
    assert row.noticed_at is not None
    assert row.opens_at == row.noticed_at + timedelta(days=7)
    assert by_hand.sweep() == 0
    assert case_of(lost).contact == CAST.plain
    assert drive.fresh(lost.pk).state == State.VERIFYING
    lost_mailbox.start(lost.case, NEW, actor=handler)
    now = opened(lost, settings, handler)
    assert (now.case.contact, now.case.contact_by, now.case.proven_tier) == (NEW, ContactBy.LOST_MAILBOX, 3)
    assert now.case.email == CAST.plain, "the identity under which the data are found"
    assert now.state in (State.LOCATING, State.REVIEW)
    assert Message.objects.get(notice=Notice.ADDRESS_CHANGED).to == NEW
    with pytest.raises(links.Refused):
        links.prove_mailbox(old)
    assert audit.verify() == []


def test_the_database_opens_nothing_before_its_day_nor_after_an_objection(lost: PrivacyRequest, handler: Actor) -> None:
    row = LostMailbox.objects.filter(case=lost.case)
    now = timezone.now()
    for early in ({"opened_at": now}, {"noticed_at": now, "opens_at": now}):
        with pytest.raises(IntegrityError), transaction.atomic():
            row.update(**early)
    drive.shown_by_hand(lost.pk, SURE, SEEN, actor=handler)
    lost_mailbox.sweep()
    for forged in (
        {"opened_at": now + timedelta(days=6)}, {"opens_at": now}, {"opens_at": None, "noticed_at": None},
        {"opened_at": now + timedelta(days=8), "dropped_at": now},
    ):  # fmt: skip
        with pytest.raises(DatabaseError), transaction.atomic():
            row.update(**forged)
    lost_mailbox.object_to(lost.case)
    for forged in ({"objected_at": None}, {"opened_at": now + timedelta(days=8)}):
        with pytest.raises(DatabaseError), transaction.atomic():
            row.update(**forged)
    with pytest.raises(IntegrityError), transaction.atomic():
        LostMailbox.named(lost.case, NEW).save()
        LostMailbox.named(lost.case, OTHER).save()


def test_one_word_stops_it_and_then_it_takes_two_approvers(
    lost: PrivacyRequest, settings: Any, handler: Actor, approver: Actor, second_approver: Actor
) -> None:
    drive.shown_by_hand(lost.pk, SURE, SEEN, actor=handler)
    lost_mailbox.sweep()
    assert lost_mailbox.object_to(lost.case)
    assert not lost_mailbox.object_to(lost.case), "repeatable"
    at_once(settings)
    assert (lost_mailbox.sweep(), by_hand.sweep()) == (0, 0)
    now = drive.fresh(lost.pk)
    assert (now.attention, now.case.contact) == (StepReason.LOST_MAILBOX, CAST.plain)
    assert not by_hand.may_record(now), "nothing is left to show"
    lost_mailbox.start(lost.case, NEW, actor=handler)
    with pytest.raises(Invalid, match="Two approvers"):
        drive.compared(lost.pk, SURE, SEEN, actor=handler)
    check = drive.compared(lost.pk, SURE, SEEN, actor=approver)
    assert check.needs_second
    by_hand.judge(lost.pk, True, actor=second_approver)
    lost_mailbox.sweep()
    by_hand.sweep()
    assert case_of(lost).contact == NEW


def test_an_objection_after_the_days_takes_the_case_back(
    lost: PrivacyRequest, settings: Any, handler: Actor, approver: Actor
) -> None:
    opened(lost, settings, handler)
    locating.drain()
    decide.approve(lost.pk, actor=approver)
    runner.drain_fulfilling()
    copies.hand_over(drive.fresh(lost.pk), approver)
    held = present.offered(drive.fresh(lost.pk))
    assert held is not None
    package.note_download(held)
    assert told(Notice.DOWNLOAD_TOLD) == {CAST.plain}
    assert {one.to for one in Message.objects.filter(notice=Notice.COPY_DOWNLOADED)} == {NEW}
    LostMailbox.objects.filter(case=lost.case).update(objected_at=timezone.now())
    assert present.offered(drive.fresh(lost.pk)) is None, "the rule that opened the address holds no more"
    Case.objects.filter(pk=lost.case_id).update(contact_by=ContactBy.LOST_MAILBOX)
    assert lost_mailbox.object_to(lost.case)
    assert case_of(lost).contact == CAST.plain
    assert not case_of(lost).is_proven


def test_who_reads_the_address_that_judgement_opened_shows_nothing_more(
    lost: PrivacyRequest, settings: Any, approver: Actor, second_approver: Actor
) -> None:
    at_once(settings)
    by_hand.record(lost.pk, JUDGED, SEEN, actor=approver)
    by_hand.judge(lost.pk, True, actor=second_approver)
    lost_mailbox.sweep()
    by_hand.sweep()
    code = links.send_code(case_of(lost))
    assert code is not None
    links.open_with_code(case_of(lost), code.code)
    locating.drain()
    decide.approve(lost.pk, actor=approver)
    runner.drain_fulfilling()
    held = drive.fresh(lost.pk)
    assert (held.case.contact, held.state) == (NEW, State.CHECKING)
    assert copy_needs_second_person(held), "a click of whoever was let in is no surer proof"
    for judged in (approver, second_approver):
        with pytest.raises(Invalid, match="Another approver"):
            copies.hand_over(held, judged)
    # What shows the account itself does.
    sign_in.accept(held.case, ["sign_in_fresh"])
    assert not copy_needs_second_person(drive.fresh(lost.pk))


def test_a_copy_is_not_handed_over_to_an_address_of_no_rule(
    lost: PrivacyRequest, settings: Any, handler: Actor, approver: Actor
) -> None:
    now = opened(lost, settings, handler)
    locating.drain()
    decide.approve(lost.pk, actor=approver)
    runner.drain_fulfilling()
    Case.objects.filter(pk=lost.case_id).update(contact_sealed=now.case.seal(OTHER, "contact"))
    with pytest.raises(Conflict):
        copies.hand_over(drive.fresh(lost.pk), approver)


def test_who_reads_the_mailbox_after_all_ends_it(lost: PrivacyRequest, handler: Actor, settings: Any) -> None:
    drive.shown_by_hand(lost.pk, SURE, SEEN, actor=handler)
    lost_mailbox.sweep()
    drive.proven_by_link(lost.case)
    at_once(settings)
    by_hand.sweep()
    assert case_of(lost).contact == CAST.plain
    assert not case_of(lost).mailbox_lost
    assert by_hand.pending(case_of(lost)) is None


def test_this_was_not_me_of_any_mail_stops_it_too(lost: PrivacyRequest, handler: Actor, settings: Any) -> None:
    check = drive.shown_by_hand(lost.pk, SURE, SEEN, actor=handler)
    lost_mailbox.sweep()
    confirmation.not_me(lost.case)
    check.refresh_from_db()
    assert check.status == CheckStatus.FAILED
    at_once(settings)
    by_hand.sweep()
    assert case_of(lost).contact == CAST.plain


def test_earlier_addresses_and_those_of_the_sources_are_told(
    lost: PrivacyRequest, handler: Actor, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened(lost, settings, handler)
    again = drive.by_web(CAST.plain, Right.KNOW)
    drive.proven_by_link(again.case)
    locating.drain()
    lost_mailbox.start(again.case, "third@example.net", actor=handler)
    drive.shown_by_hand(again.pk, SURE, SEEN, actor=handler)

    class Known:
        """A source that knows another address."""

        def current(self, _ref: str, fields: tuple[str, ...]) -> dict[str, tuple[str, ...]]:
            return {fields[0]: (CAST.plain, OTHER.upper())}

    class Silent:
        """A source that does not answer."""

        def current(self, _ref: str, _fields: tuple[str, ...]) -> dict[str, tuple[str, ...]]:
            raise SourceError("unreachable")

    Message.objects.filter(notice=Notice.LOST_MOVING).update(notice=Notice.REPLY)
    monkeypatch.setattr(addresses, "connector", lambda _key: Silent())
    assert lost_mailbox.sweep() == 0, "asked again before anybody is told"
    monkeypatch.setattr(addresses, "connector", lambda _key: Known())
    assert lost_mailbox.sweep() == 1
    assert told() == {CAST.plain, NEW, OTHER}


def test_what_cannot_be_started(company: None, handler: Actor) -> None:
    request = drive.by_web(CAST.plain, Right.ACCESS)
    for address in ("", "nobody", CAST.plain.upper()):
        with pytest.raises(Invalid):
            lost_mailbox.start(request.case, address, actor=handler)
    with pytest.raises(Forbidden):
        lost_mailbox.start(request.case, NEW, actor=drive.person_of_the_desk(Role.AUDITOR))
    assert told(Notice.LOST_ASKED) == set()
