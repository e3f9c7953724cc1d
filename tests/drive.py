"""Drives requests to where a test wants them, by the real doors: intake, links, locating, confirmation, verbs."""

import json
import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import datetime, timedelta
from decimal import Decimal
from threading import Barrier
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.conf import settings
from django.db import connection, transaction
from django.utils import timezone

from accounts.models import Role, User
from dsar import deadlines, keys, proposals
from dsar.enums import BOUND_STATES, Channel, CheckKind, DecisionKind, Right, State
from dsar.fulfilment import control, locating, narrowing, runner
from dsar.intake import beside, submit, web
from dsar.law import tiers
from dsar.models import (
    REQUESTER,
    SYSTEM,
    Actor,
    Case,
    CaseKey,
    IdentityCheck,
    Intake,
    Plan,
    PrivacyRequest,
    Recusal,
    staff,
)
from dsar.review import appeals, fees, refusals
from dsar.verification import by_hand, confirmation, data_points, links
from dsar.workflow import Because, lock, move
from tests.house import CAST

PLAN_BODY: dict[str, Any] = {
    "regime": "eu_gdpr", "made_on": "2026-01-01", "items": [], "money": None, "flags": [], "organisations": [],
    "candidates": [], "sources": {},
}  # fmt: skip


def days_ago(days: int) -> datetime:
    """This hour of the law's day, so many days ago. Not 24 hours for each: the clocks may have changed meanwhile."""
    return timezone.localtime(timezone.now(), ZoneInfo(settings.TIME_ZONE_OF_REGIME)) - timedelta(days=days)


def person_of_the_desk(role: Role, name: str = "") -> Actor:
    """Somebody who works here, as an actor."""
    return staff(User.objects.create_user(f"{name or role}-{uuid.uuid4().hex[:8]}@desk.example.com", role=role))


COMPARED = ("name", "phone", "other:payment")


def compared(pk: int, method: str, seen: str, *, actor: Actor) -> IdentityCheck:
    """A colleague notes what was compared by hand, each thing by its name, with what the person has signed."""
    fields = COMPARED[: tiers.POINTS.get(method, 0)]
    signature = data_points.Signature("Ann Example", timezone.localdate())
    return by_hand.record(pk, method, seen, actor=actor, fields=fields, signature=signature)


def shown_by_hand(pk: int, method: str, seen: str, *, actor: Actor) -> IdentityCheck:
    """The same, and another colleague has looked too."""
    compared(pk, method, seen, actor=actor)
    return by_hand.judge(pk, True, actor=person_of_the_desk(Role.HANDLER, "second"))


def wrote(request: PrivacyRequest, text: str = "Here is what you asked for.") -> PrivacyRequest:
    """The person writes to us on their page, and somebody has read it."""
    appeals.take(request.pk, text)
    PrivacyRequest.objects.filter(case=request.case).update(unread_at=None)
    return fresh(request.pk)


def kept_apart(case: Case) -> Actor:
    """An approver who is named as close to the person of a case."""
    actor = person_of_the_desk(Role.APPROVER, "close")
    Recusal.objects.create(case=case, user_id=actor.user_id, named_by_id=actor.user_id)
    return actor


def proposed(
    request: PrivacyRequest,
    kind: DecisionKind = DecisionKind.REFUSE,
    by: Actor | None = None,
    code: str = "MANIFESTLY_UNFOUNDED",
) -> PrivacyRequest:
    """Somebody (else) proposes to refuse it, or to keep more: the first of two people."""
    somebody = by or person_of_the_desk(Role.APPROVER, "first")
    with transaction.atomic():
        proposals.make(lock(request.pk), kind, code, "GDPR Art 12(5)(b)", "Because of this.", actor=somebody)
    return fresh(request.pk)


def confirmed_by(pk: int, approver: Actor, verb: str, **given: Any) -> PrivacyRequest:
    """What was proposed is carried out by the bare door: `verb` is refuse or narrow."""
    held = fresh(pk)
    found = proposals.standing(held)
    assert found is not None
    because = Because(DecisionKind(found.kind), found.code, found.citation, found.text, proposal=found)
    return move(pk, verb, actor=approver, because=because, **given)


def refuse(pk: int, code: str, text: str, *, actor: Actor, facts: str = "") -> PrivacyRequest:
    """Refused as the desk does: somebody proposes it, `actor` confirms it."""
    first = refusals.propose(pk, code, text, actor=person_of_the_desk(Role.APPROVER, "first"), facts=facts)
    return refusals.confirm(pk, actor=actor, seen=first.pk)


def narrow(
    pk: int, keep: set[tuple[str, str]], code: str, text: str, *, actor: Actor, weighed: str = "", **given: Any
) -> PrivacyRequest:
    """Narrowed as the desk does: another approver proposes it, `actor` confirms it."""
    first = person_of_the_desk(Role.APPROVER, "first")
    made = narrowing.propose(pk, keep, code, text, actor=first, weighed=weighed, **given)
    return narrowing.confirm(pk, actor=actor, seen=made.pk)


def not_done(pk: int, step_pk: int, text: str, *, actor: Actor, code: str = "SYSTEM_CANNOT") -> PrivacyRequest:
    """Left undone in one source as the desk does: a handler proposes it, `actor` confirms it."""
    first = person_of_the_desk(Role.HANDLER, "first-hand")
    made = control.propose_not_done(pk, step_pk, code, text, actor=first)
    return control.confirm_not_done(pk, actor=actor, seen=made.pk)


def arrived(channel: Channel = Channel.WEB) -> Intake:
    """An incoming item, as `submit.receive` stores it, inside whatever transaction the test runs in."""
    intake = Intake(channel=channel, dedupe=f"test:{uuid.uuid4().hex}", size=2)
    key_id, wrapped, plain = keys.new_case_key()
    intake.raw_sealed = keys.seal(plain, b"{}", f"{intake.uid}:raw")
    CaseKey.objects.create(case_uid=intake.uid, key_id=key_id, wrapped=wrapped)
    intake.save(force_insert=True)
    return intake


def a_case(address: str = "", right: str = Right.DELETION, **contact: Any) -> Case:
    """A case with one routed request, through `open_case`; of somebody new where no address is given."""
    address = address or f"person-{uuid.uuid4().hex[:8]}@example.com"
    rights = (right,) if right else ()
    given = {"country": "DE", "clear": bool(right), "statement": "Please do it.", **contact}
    return submit.open_case(arrived(), submit.Contact(email=address, rights=rights, **given))


def a_request(address: str = "", right: str = Right.DELETION, **contact: Any) -> PrivacyRequest:
    """The one request of a new case."""
    return fresh(a_case(address, right, **contact).requests.get().pk)


def fresh(pk: int) -> PrivacyRequest:
    """The request as the database has it now."""
    return PrivacyRequest.objects.select_related("case").get(pk=pk)


def unrouted(right: str = Right.DELETION, *, proven: bool = False, country: str = "DE") -> PrivacyRequest:
    """A request in RECEIVED, in the case of another one: a state that lasts no longer than its transaction."""
    case = a_case(country=country)
    if proven:
        proven_by_link(case)
        case = Case.objects.get(pk=case.pk)
    tier = deadlines.dates(case.regime, right, timezone.now()).tier
    request = PrivacyRequest(
        case=case, right=right, received_at=timezone.now(), due_on=timezone.localdate(), tier_needed=tier
    )
    request.save(force_insert=True)
    return request


def form_bytes(address: str, right: str = Right.DELETION, **given: str) -> bytes:
    """What the web form stores."""
    data = {
        "rights": [right] if right else [], "email": address, "country": "DE", "acts_as": "self", "statement": "",
        "own_name": "", "own_email": "", "language": "en-gb", "take_back": False, **given,
    }  # fmt: skip
    return json.dumps(data).encode()


def by_web(address: str = CAST.plain, right: str = Right.DELETION, **given: str) -> PrivacyRequest:
    """A request by web form, with its real commits (not inside a transaction)."""
    raw = form_bytes(address, right, **given)
    intake, _ = submit.receive(Channel.WEB, raw, f"web:{uuid.uuid4().hex}")
    return fresh(web.process(intake, raw).requests.get().pk)


def token_of(case: Case) -> str:
    """The secret of the newest mailbox link, as the mail carries it."""
    return case.checks.filter(kind=CheckKind.MAILBOX).order_by("-pk")[0].token


def proven_by_link(case: Case) -> Case:
    """The mailbox link is used."""
    return links.prove_mailbox(token_of(case))


def freeze(request: PrivacyRequest, body: dict[str, Any] | None = None) -> Plan:
    """A frozen plan for a request that no source was asked about."""
    with transaction.atomic():
        return locating.store(request, body or PLAN_BODY, frozen_at=timezone.now())


def confirming(address: str = CAST.plain) -> PrivacyRequest:
    """A deletion that waits for its confirmation, located in the demo company."""
    request = by_web(address)
    locating.drain()
    proven_by_link(request.case)
    locating.drain()
    found = fresh(request.pk)
    assert found.state == State.CONFIRMING, (found.state, found.judgement)
    return found


def confirmed(address: str = CAST.plain) -> PrivacyRequest:
    """A deletion that was confirmed, its account closed in the company's systems too."""
    request = confirming(address)
    plan = confirmation.current_plan(request)
    assert plan is not None
    confirmation.confirm(request.pk, plan.digest)
    runner.drain_closing()
    return fresh(request.pk)


def released(approver: Actor, address: str = CAST.plain) -> PrivacyRequest:
    """A deletion that the workers may carry out."""
    request = confirmed(address)
    control.release(request.pk, actor=approver)
    return fresh(request.pk)


def carry_out() -> None:
    """Workers look once at every step that is due."""
    runner.drain_closing()
    runner.drain_fulfilling()


def is_where_it_may_be(request: PrivacyRequest) -> bool:
    """Law 3 and section 5: a deletion with a confirmation is bound, one without is neither released nor carried out."""
    if request.confirmed_at is not None:
        return request.right == Right.DELETION and request.state in BOUND_STATES
    return request.state != State.RELEASING and not (
        request.right == Right.DELETION and request.state == State.FULFILLING
    )


# --- every state, through its verbs (no source is asked) -------------------------------------------------------------


def _move(request: PrivacyRequest, verb: str, actor: Actor, **given: Any) -> PrivacyRequest:
    return move(request.pk, verb, actor=actor, **given)


class Route:
    """Leads a request to a state by verbs alone. `handler` and `approver` are people of the desk."""

    def __init__(self, handler: Actor, approver: Actor) -> None:
        self.handler, self.approver = handler, approver

    def triage(self, *, proven: bool = False) -> PrivacyRequest:
        """Nobody has said which right it is."""
        if not proven:
            return a_request(right="")
        case = a_case()
        proven_by_link(case)
        return submit.add_request(Case.objects.get(pk=case.pk), "", "And something else.", clear=False)

    def verifying(self) -> PrivacyRequest:
        """The link is on its way."""
        return a_request()

    def locating(self, right: str = Right.DELETION) -> PrivacyRequest:
        """Proven, nobody has looked yet."""
        request = a_request(right=right)
        if request.state == State.VERIFYING:
            proven_by_link(request.case)
        return fresh(request.pk)

    def review(self, right: str = Right.DELETION, *, judgement: str = "staff") -> PrivacyRequest:
        """Proven, and something to weigh."""
        return _move(self.locating(right), "located", SYSTEM, nothing_held=False, judgement=[judgement])

    def review_unproven(self) -> PrivacyRequest:
        """Not proven by the target date."""
        return _move(self.verifying(), "not_proven", SYSTEM)

    def review_below_its_tier(self) -> PrivacyRequest:
        """A copy under a law that wants more than a mailbox for it."""
        request = a_request(right=Right.ACCESS, country="US-CA")
        proven_by_link(request.case)
        return fresh(request.pk)

    def review_unsorted(self) -> PrivacyRequest:
        """Asked in triage, never answered."""
        return _move(self.clarifying(self.triage()), "no_answer", SYSTEM)

    def review_without_an_answer(self, right: str = Right.DELETION) -> PrivacyRequest:
        """Proven, asked in review, never answered."""
        return _move(self.clarifying(self.review(right)), "no_answer", SYSTEM)

    def review_unpaid(self) -> PrivacyRequest:
        """Asked for a fee, which did not come."""
        request = self.fee_asked()
        past = timezone.now() - timedelta(minutes=1)
        request.fees.update(answer_by=past)
        PrivacyRequest.objects.filter(pk=request.pk).update(answer_by=past)
        fees.sweep(timezone.now())
        return fresh(request.pk)

    def review_unanswered(self) -> PrivacyRequest:
        """Nobody confirmed."""
        return _move(self.confirming(), "unanswered", SYSTEM)

    def extended(self) -> PrivacyRequest:
        """In review, with more time."""
        later = timezone.localdate() + timedelta(days=90)
        return _move(self.review(), "extend", self.handler, due_on=later, target_on=later - timedelta(days=3))

    def clarifying(self, request: PrivacyRequest) -> PrivacyRequest:
        """A question is open."""
        return _move(request, "ask", self.handler, answer_by=timezone.now() + timedelta(days=14))

    def fee_asked(self) -> PrivacyRequest:
        """The person has been asked for a fee."""
        said = ("It is the tenth this month.", "By transfer.")
        return fees.charge(
            self.review(Right.ACCESS).pk,
            "FEE_EXCESSIVE",
            Decimal("12.50"),
            "EUR",
            *said,
            facts="Ten.",
            actor=self.approver,
        )

    def confirming(self) -> PrivacyRequest:
        """A plain deletion with a plan."""
        request = _move(self.locating(), "located", SYSTEM, nothing_held=False, judgement=[])
        freeze(request)
        return fresh(request.pk)

    def releasing(self, quiet: timedelta = timedelta(0)) -> PrivacyRequest:
        """Confirmed."""
        return _move(self.confirming(), "confirm", REQUESTER, quiet=quiet)

    def fulfilling(self) -> PrivacyRequest:
        """Released."""
        return _move(self.releasing(), "release", self.approver)

    def confirming_after_a_copy(self) -> PrivacyRequest:
        """A plain deletion whose person asked for a copy first."""
        request = self.confirming()
        beside.copy_first(request.pk)
        return fresh(request.pk)

    def releasing_after_a_copy(self) -> PrivacyRequest:
        """Confirmed without waiting for the copy, which is still being made."""
        request = self.confirming_after_a_copy()
        beside.do_not_wait(request.pk)
        return _move(request, "confirm", REQUESTER, quiet=timedelta(0))

    def disputed(self, request: PrivacyRequest) -> PrivacyRequest:
        """Somebody says: this was not me."""
        return _move(request, "dispute", REQUESTER)

    def completed(self) -> PrivacyRequest:
        """Carried out."""
        return _move(self.fulfilling(), "settle", SYSTEM, outcome="granted")

    def lapsed(self) -> PrivacyRequest:
        """Ended unproven."""
        return _move(self.review_unproven(), "lapse", self.approver, outcome="not_proven")

    def checking(self) -> PrivacyRequest:
        """A copy that is put together, and looked through by a person."""
        return _move(self.carrying_out(Right.ACCESS), "packed", SYSTEM)

    def carrying_out(self, right: str) -> PrivacyRequest:
        """Approved: the workers are at it."""
        return _move(self.review(right), "approve", self.approver)


# --- many at once ----------------------------------------------------------------------------------------------------


def at_once(number: int, work: Callable[[int], Any], *, threads: int = 10) -> list[Any]:
    """Run `work` that often, from threads with connections of their own that begin together; errors are results."""
    gate = Barrier(threads)

    def one_thread(first: int) -> list[Any]:
        gate.wait()
        found: list[Any] = []
        try:
            for number_of_one in range(first, number, threads):
                try:
                    found.append(work(number_of_one))
                except Exception as error:
                    found.append(error)
        finally:
            connection.close()
        return found

    with ThreadPoolExecutor(threads) as pool:
        return [one for many in pool.map(one_thread, range(threads)) for one in many]


# Longer than any law wants a record of a request: nothing of what ended before that is in the log.
BEYOND_THE_LOG = timedelta(days=3 * 366)


@contextmanager
def long_ago(ago: timedelta = BEYOND_THE_LOG) -> Iterator[None]:
    """What is done inside was done then, by the clock of Django."""
    then = timezone.now() - ago
    with pytest.MonkeyPatch.context() as clock:
        clock.setattr(timezone, "now", lambda: then)
        yield


def ended_long_ago(route: Route) -> PrivacyRequest:
    """A request that came and was withdrawn before anything that is still in the log."""
    with long_ago():
        request = route.review(Right.ACCESS)
        Case.objects.filter(pk=request.case_id).update(received_at=timezone.now())
        PrivacyRequest.objects.filter(pk=request.pk).update(received_at=timezone.now())
        return move(request.pk, "withdraw", actor=REQUESTER)


def later(days: float = 0, **parts: float) -> datetime:
    """A moment from now."""
    return timezone.now() + timedelta(days=days, **parts)
