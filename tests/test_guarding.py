"""What stands between a request and harm done in somebody's name: a closer look where something speaks for one, and a
second person for a copy where the identity rests on judgement."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from django.db import transaction
from django.utils import timezone
from django_fsm import can_proceed

from dsar import audit
from dsar.connectors import addresses
from dsar.connectors.base import SourceError
from dsar.desk import words
from dsar.enums import CheckKind, CheckStatus, DecisionKind, Outcome, Right, Risk, State
from dsar.fulfilment import control, locating, risk, runner
from dsar.law import tiers
from dsar.models import REQUESTER, SYSTEM, Actor, AuditEvent, Case, IdentityCheck, Message, PrivacyRequest, Source
from dsar.models.request_conditions import copy_needs_second_person, look_at_copy
from dsar.notices import MessageStatus, Notice
from dsar.notifications import compose, known
from dsar.review import decide, step_up
from dsar.verification import asking, confirmation
from dsar.workflow import Because, Conflict, Forbidden, Invalid, lock, move
from dsar.workflow import decide as written
from tests import drive, house
from tests.drive import Route
from tests.fulfilment import copies
from tests.house import CAST

pytestmark = pytest.mark.usefixtures("own_journal")


def contact_changed_now() -> None:
    """The company notes a new address of the account."""
    with house.company_engine().begin() as company:
        users = sa.Table("users", sa.MetaData(), autoload_with=company)
        company.execute(
            sa.update(users).where(users.c.email == CAST.plain).values(contact_changed_at=datetime.now(UTC))
        )


# --- a closer look ----------------------------------------------------------------------------------------------------


SIGNS: dict[str, dict[str, Any]] = {
    Risk.MANY_REQUESTS: {"RISK_REQUESTS": 1}, Risk.WAVE: {"RISK_HOUSE_REQUESTS": 1},
    Risk.DISPOSABLE: {"DISPOSABLE_DOMAINS": frozenset({CAST.plain.rpartition("@")[2]})},
}  # fmt: skip


@pytest.mark.parametrize("sign", list(SIGNS))
def test_each_sign_brings_a_deletion_and_a_copy_to_a_person_by_name_and_no_choice(
    company: None, settings: Any, sign: str
) -> None:
    for name, value in SIGNS[sign].items():
        setattr(settings, name, value)
    drive.by_web(CAST.plain, Right.KNOW)
    found = {right: drive.by_web(CAST.plain, right) for right in (Right.DELETION, Right.ACCESS, Right.OPT_OUT_SALE)}
    for request in (found[Right.DELETION], found[Right.ACCESS]):
        drive.proven_by_link(request.case)
    locating.drain()
    for right in (Right.DELETION, Right.ACCESS):
        held = drive.fresh(found[right].pk)
        assert (held.state, held.judgement) == (State.REVIEW, [sign])
    choice = drive.fresh(found[Right.OPT_OUT_SALE].pk)
    assert (choice.state in (State.FULFILLING, State.COMPLETED), choice.judgement) == (True, []), "law 12"
    said = Message.objects.filter(case__in=[request.case for request in found.values()])
    assert not [one for one in said if one.text not in ("", "proven")], "nobody reads a word about it"


def test_signs_are_numbers_of_ours_and_stop_where_they_should(db: None, settings: Any) -> None:
    settings.RISK_REQUESTS, settings.RISK_HOUSE_REQUESTS = 2, 0
    now = timezone.now()
    settings.DISPOSABLE_DOMAINS = frozenset({"minutes.example"})
    for address, given in {
        "a@minutes.example": True, "a@sub.minutes.example": True, "a@MINUTES.example": True,
        "a@not-minutes.example": False, "a@minutes.example.org": False, "minutes.example@example.com": False, "": False,
    }.items():  # fmt: skip
        assert risk.is_disposable(address) is given, address
    ordinary = [drive.a_case(CAST.plain) for _ in range(2)]
    drive.a_case(CAST.plain, Right.MARKETING_OPT_OUT)
    drive.a_case(CAST.neighbour)
    assert risk.of(ordinary[0], now) == set(), "choices and other people do not count"
    assert risk.of(ordinary[0], now + timedelta(days=1)) == set()
    third = drive.a_case(CAST.plain)
    assert risk.of(third, now) == {Risk.MANY_REQUESTS}
    Case.objects.filter(pk=ordinary[0].pk).update(received_at=now - settings.RISK_PERIOD)
    assert risk.of(third, now) == set()


@pytest.mark.parametrize("found", [Risk.CONTACT_CHANGED, Risk.CONTACT_UNKNOWN])
def test_contact_details_are_looked_at_again_when_the_copy_is_released(
    company: None, approver: Actor, found: str
) -> None:
    request = copies.checking(approver)
    assert request.judgement == []
    copies.access.open_to(request.pk, actor=approver)
    if found == Risk.CONTACT_CHANGED:
        contact_changed_now()
    else:
        Source.objects.update_or_create(key="platform", defaults={"enabled": False})
    with pytest.raises(Invalid, match=str(Risk(found).label)):
        control.hand_over(request.pk, actor=approver)
    held = drive.fresh(request.pk)
    assert (held.state, held.judgement) == (State.CHECKING, [found])
    assert AuditEvent.objects.get(what="risk_found").details == {"flags": [found]}
    assert control.hand_over(request.pk, actor=approver).state == State.COMPLETED, "whoever presses again has seen it"
    assert audit.verify() == []


def test_a_person_may_ask_for_a_surer_proof_and_nothing_goes_on_without_it(route: Route) -> None:
    plain = route.review(Right.ACCESS)
    with pytest.raises(Conflict):
        step_up.ask(plain.pk, "Please sign in.", actor=route.handler)
    request = route.review(Right.ACCESS, judgement=Risk.MANY_REQUESTS)
    with pytest.raises(Invalid):
        step_up.ask(request.pk, " ", actor=route.handler)
    step_up.ask(request.pk, "Please sign in to your account.", actor=route.handler)
    held = drive.fresh(request.pk)
    assert (held.state, held.tier_needed, held.judgement) == (State.REVIEW, 3, [Risk.MANY_REQUESTS, "tier"])
    PrivacyRequest.objects.filter(pk=held.pk).update(located_at=timezone.now())
    with pytest.raises(Conflict):
        decide.approve(held.pk, actor=route.approver)
    told = Message.objects.get(request=held, notice=Notice.PROOF_ASKED, status=MessageStatus.QUEUED)
    assert told.text == "Please sign in to your account."
    assert move(held.pk, "verify", actor=REQUESTER, tier=tiers.REASONABLY_HIGH).state == State.LOCATING
    # One that is looked through already is not handed over below it either.
    late = route.checking()
    PrivacyRequest.objects.filter(pk=late.pk).update(judgement=[Risk.WAVE])
    step_up.ask(late.pk, "Please sign in to your account.", actor=route.handler)
    with pytest.raises(Conflict):
        move(late.pk, "hand_over", actor=route.approver, outcome=Outcome.GRANTED)


@pytest.mark.parametrize("right", [Right.DELETION, Right.CORRECTION, Right.KNOW, Right.OBJECTION])
def test_a_flag_leads_to_a_surer_proof_of_whatever_is_verified(route: Route, right: Right) -> None:
    request = route.review(right, judgement=Risk.CONTACT_CHANGED)
    PrivacyRequest.objects.filter(pk=request.pk).update(located_at=timezone.now())
    assert can_proceed(drive.fresh(request.pk).approve)
    step_up.ask(request.pk, "Please sign in to your account.", actor=route.handler)
    assert not can_proceed(drive.fresh(request.pk).approve)
    assert asking.missing(drive.fresh(request.pk).case)
    message = Message.objects.get(notice=Notice.PROOF_ASKED)
    letter = " ".join(str(compose.mail(message).body).split())
    assert "You do not need to do anything" not in letter
    told = message.case.checks.get(kind=CheckKind.NOT_ME, created_at=message.created_at)
    assert f"/l/{told.token}/" in letter, "whoever it was not can say so"
    confirmation.not_me(request.case, link=told)
    assert "not_me" in drive.fresh(request.pk).judgement


def test_law_12_no_flag_asks_for_a_proof_over_a_choice(route: Route) -> None:
    request = route.review(Right.KNOW, judgement=Risk.CONTACT_CHANGED)
    PrivacyRequest.objects.filter(pk=request.pk).update(right=Right.OPT_OUT_SALE)
    assert not step_up.may_ask(drive.fresh(request.pk))


# --- "this was not me" ------------------------------------------------------------------------------------------------


class Known:
    """A system of the company that holds a second address for the account."""

    def current(self, _ref: str, fields: tuple[str, ...]) -> dict[str, tuple[str, ...]]:
        return {fields[0]: (CAST.plain, OTHER.upper())}


class Silent:
    """A system that finds the account and cannot say which addresses it holds for it."""

    def current(self, _ref: str, _fields: tuple[str, ...]) -> dict[str, tuple[str, ...]]:
        raise SourceError("unreachable")


OTHER = "second.address@example.net"
OWN_LETTERS = {Notice.CONFIRMED, Notice.DONE_COPY}


def heard(request: PrivacyRequest, since: int) -> dict[str, list[Message]]:
    """Who was sent a mail with a link by which it stops, since a message."""
    found: dict[str, list[Message]] = {}
    for one in Message.objects.filter(case=request.case, pk__gt=since).order_by("pk"):
        text = str(compose.mail(one).body)
        assert CAST.plain not in compose.mail(one).subject
        if "This was not me:" in text:
            assert one.notice in OWN_LETTERS or one.to, one.notice
            found.setdefault(one.to or request.case.contact, []).append(one)
    return found


@pytest.mark.parametrize("right", [Right.DELETION, Right.ACCESS])
def test_every_known_address_hears_of_each_step_once_and_can_stop_it_and_no_stranger_does(
    company: None, approver: Actor, monkeypatch: pytest.MonkeyPatch, right: str
) -> None:
    real = addresses.connector
    monkeypatch.setattr(addresses, "connector", lambda key: Known() if key == "platform" else real(key))
    drive.by_web(OTHER, Right.ACCESS)
    request = drive.by_web(CAST.plain, right)
    seen = 0
    locating.drain()

    def told() -> None:
        nonlocal seen
        locating.drain()
        mails = heard(drive.fresh(request.pk), seen)
        assert {address: len(found) for address, found in mails.items()} == {CAST.plain: 1, OTHER: 1}
        links_ = [one.check_ref_id for found in mails.values() for one in found]
        assert len(set(links_)) == 2, "each has a link of its own"
        seen = Message.objects.latest("pk").pk

    assert not heard(request, seen), "nobody hears of what nobody has proven"
    drive.proven_by_link(request.case)
    told()
    if right == Right.DELETION:
        confirmation.confirm(request.pk, drive.fresh(request.pk).plans.newest().digest)
        told()
        control.release(request.pk, actor=approver)
    else:
        decide.approve(request.pk, actor=approver)
        told()
        runner.drain_fulfilling()
        copies.hand_over(drive.fresh(request.pk), approver)
    told()
    others = Message.objects.filter(notice=Notice.KNOWN_TOLD).exclude(case=request.case)
    assert not others.exists()
    assert OTHER not in str(list(AuditEvent.objects.values_list("details", flat=True)))


def test_who_was_told_once_is_told_on_when_the_plan_is_made_anew(
    company: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = addresses.connector
    answers: list[Any] = [Known()]
    monkeypatch.setattr(addresses, "connector", lambda key: answers[-1] if key == "platform" else real(key))
    request = drive.confirming()
    for now in (Silent(), Known()):
        answers.append(now)
        body = locating.asked_anew(request, {})
        with transaction.atomic():
            locating.store(lock(request.pk), body)
    since = Message.objects.latest("pk").pk
    newest = drive.fresh(request.pk).plans.newest()
    assert newest is not None
    confirmation.confirm(request.pk, newest.digest)
    assert set(heard(drive.fresh(request.pk), since)) == {CAST.plain, OTHER}


def test_a_source_that_cannot_say_its_addresses_is_asked_again_and_then_shown_to_a_person(
    company: None, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = addresses.connector
    monkeypatch.setattr(addresses, "connector", lambda key: Silent() if key == "platform" else real(key))
    settings.LOCATE_FOR = timedelta(minutes=1)
    request = drive.by_web()
    drive.proven_by_link(request.case)
    locating.drain()
    assert drive.fresh(request.pk).located_at is None, "asked again"
    settings.LOCATE_FOR = timedelta(0)
    locating.drain()
    held = drive.fresh(request.pk)
    assert (held.state, held.judgement) == (State.REVIEW, [known.UNKNOWN])
    assert known.UNKNOWN in words.FLAGS, "in words"
    assert not step_up.may_ask(held), "what a system of ours cannot say is no reason to ask the person for more"


def test_a_choice_is_not_stopped_by_anybodys_word_and_a_flag_outlives_a_new_search(route: Route) -> None:
    choice = route.locating(Right.OPT_OUT_SALE)
    confirmation.not_me(choice.case)
    assert drive.fresh(choice.pk).state == State.LOCATING
    request = route.locating(Right.DELETION)
    assert [one.pk for one in confirmation.not_me(request.case)] == [request.pk]
    assert confirmation.not_me(request.case) == [], "repeatable"
    PrivacyRequest.objects.filter(pk=request.pk).update(tier_needed=3)
    move(request.pk, "verify", actor=REQUESTER, tier=3)
    held = move(request.pk, "located", actor=SYSTEM, nothing_held=False, judgement=[])
    assert (held.state, held.judgement) == (State.REVIEW, ["not_me"])


# --- a second person for a copy ---------------------------------------------------------------------------------------


def shown(case: Case, method: str, tier: int, recorded: Actor | None = None, confirmed: Actor | None = None) -> None:
    """A check that has passed, as by_hand or a machine writes it."""
    now = timezone.now()
    IdentityCheck.objects.create(
        case=case, kind=CheckKind.BY_HAND if recorded else CheckKind.MAILBOX, method=method, tier=tier,
        status=CheckStatus.PASSED, decided_at=now, expires_at=now, counts_from=now,
        recorded_by_id=recorded.user_id if recorded else None, confirmed_by_id=confirmed.user_id if confirmed else None,
    )  # fmt: skip


@pytest.mark.parametrize("method", ["data_points_2", "data_points_3_declared", *sorted(tiers.SECOND_PERSON)])
@pytest.mark.parametrize("surer", [False, True])
def test_a_copy_that_rests_on_judgement_is_released_by_somebody_who_had_no_part_in_it(
    route: Route, method: str, surer: bool
) -> None:
    one, other, third = (drive.person_of_the_desk("approver", name) for name in ("one", "other", "third"))
    request = route.checking()
    IdentityCheck.objects.filter(case=request.case).update(tier=0)
    shown(request.case, method, 2, one, other)
    if surer:
        shown(request.case, "mfa", 3)
    decided = Because(DecisionKind.APPROVE)
    written(request, route.approver, decided)
    needed = method in tiers.SECOND_PERSON and not surer
    held = drive.fresh(request.pk)
    assert copy_needs_second_person(held) is needed
    for actor in (one, other, route.approver):
        assert look_at_copy(held, actor).counts is not needed
        if needed:
            with pytest.raises(Forbidden):
                move(request.pk, "hand_over", actor=actor, outcome=Outcome.GRANTED)
    assert look_at_copy(held, third).counts
    free = third if needed else one
    assert move(request.pk, "hand_over", actor=free, outcome=Outcome.GRANTED).state == State.COMPLETED


def test_the_desk_says_why_the_same_person_cannot_hand_it_over(
    company: None, approver: Actor, second_approver: Actor, handler: Actor
) -> None:
    request = copies.checking(approver)
    IdentityCheck.objects.filter(case=request.case).update(method="staff_judgement")
    copies.access.open_to(request.pk, actor=approver)
    with pytest.raises(Invalid, match="Another approver"):
        control.hand_over(request.pk, actor=approver)
    assert drive.fresh(request.pk).state == State.CHECKING
    assert control.hand_over(request.pk, actor=second_approver).outcome == Outcome.GRANTED
