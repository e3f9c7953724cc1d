"""Correcting the law of a case: by a colleague, or because the person says where they live.

Dates, tier and plan of every open request are worked out anew, from the same receipt and in the version of the law that
was in force then. What was promised stays our own target. In doubt the more protective law: where what the person says
would give them less, later, or on a weaker proof, a colleague looks first. A confirmed deletion is not disturbed: it is
carried out by the plan that was confirmed.
"""

from dataclasses import dataclass
from datetime import date
from functools import partial

from django.db import transaction
from django.db.models import prefetch_related_objects
from django.utils import timezone
from django.utils.translation import gettext as _

from dsar import audit, bell, clock_events, deadlines, proposals
from dsar.enums import UNVERIFIED_RIGHTS, DecisionKind, Lane, LawChangeStatus, Raised, State
from dsar.law import regimes, tiers
from dsar.law.errors import LawError
from dsar.law.regimes import Regime
from dsar.models import REQUESTER, SYSTEM, Actor, Case, LawChange, PrivacyRequest
from dsar.models.privacy_request import TIER, UNPAID
from dsar.models.request_queues import LEAVABLE_STATES
from dsar.notices import Notice
from dsar.notifications import outbox, undelivered
from dsar.workflow import Because, Conflict, Forbidden, Inside, Invalid, decide, lock_case, move

# What is approved goes on by what it was approved under; its dates alone follow the law.


@dataclass(frozen=True)
class Effect:
    """What another law would do to one open request."""

    request: PrivacyRequest
    due_on: date
    later: bool
    fewer: bool
    weaker: bool

    @property
    def is_worse(self) -> bool:
        """Whether the person would have less by it: later, without the right, or on a weaker proof of who asks."""
        return self.later or self.fewer or self.weaker


def in_version(regime_id: str, case: Case) -> Regime:
    """A law in the version that was in force when the case came. Raises LawError."""
    return regimes.load(regime_id, on=deadlines.received_on(regimes.load(regime_id), case.received_at))


def affected(case: Case) -> list[PrivacyRequest]:
    """The open requests that another law concerns: not a confirmed deletion."""
    found = [one for one in case.requests.all() if not one.is_ended and not one.is_bound]
    for one in found:
        one.case = case
    return sorted(found, key=lambda one: one.pk)


def effects(case: Case, law: Regime) -> list[Effect]:
    """What a law would do to each request that it concerns."""
    now, found = case.law, affected(case)
    prefetch_related_objects(found, "clock_events")
    return [
        Effect(
            one,
            due_on := _dates(one, law).due_on,
            later=one.due_on is not None and due_on > one.due_on,
            fewer=now.grants(one.right) and not law.grants(one.right),
            weaker=bool(one.right) and tiers.needed(law, one.right) < tiers.needed(now, one.right),
        )
        for one in found
    ]


def asked(case: Case) -> LawChange | None:
    """What the person said about where they live and a colleague has still to look at."""
    return next((one for one in case.law_changes.all() if one.status == LawChangeStatus.ASKED), None)


def may_change(request: PrivacyRequest) -> bool:
    """Whether a correction would still change anything about this case."""
    if request.case.purged_at:
        return False
    return (not request.is_ended and not request.is_bound) or bool(affected(request.case))


def change(pk: int, regime_id: str, text: str, *, actor: Actor) -> Case:
    """Put a case under another law; `pk` is one request of it, `text` the reason, which the person reads.

    Raises Invalid, Conflict, Forbidden.
    """
    if not actor.is_handler:
        raise Forbidden("law")
    reason = _reason(text)
    with transaction.atomic():
        case = _held(pk)
        law = _law(regime_id, case)
        if law.id == case.regime:
            raise Invalid(_("This law applies already. Please choose another one."))
        said = asked(case)
        _close(case, LawChangeStatus.APPLIED if said and said.after == law.id else LawChangeStatus.REFUSED, actor)
        _note(case, law, LawChangeStatus.APPLIED, actor)
        _told(_apply(case, law, actor), Notice.LAW_CHANGED, DecisionKind.LAW, law.id, reason, actor)
    return case


def say(case_pk: int, country: str, region: str) -> str:
    """The person says where they live (codes of law/countries.py). Returns what came of it: "same" (the same law), "done",
    or "asked": a colleague looks first. Raises Conflict where nothing is open."""
    with transaction.atomic():
        case = lock_case(case_pk)
        if case.purged_at or not affected(case):
            raise Conflict("law")
        law = deadlines.law_for(country, region, case.received_at)
        where = {"country": country[:2], "region": region[:8]}
        if law.id == case.regime:
            Case.objects.filter(pk=case.pk).update(**where)
            _close(case, LawChangeStatus.REFUSED, REQUESTER)
            proposals.heard(case, audit.Entry("place_noted", REQUESTER))
            return "same"
        worse = any(one.is_worse for one in effects(case, law)) or regimes.protection(law) < regimes.protection(
            case.law
        )
        LawChange.objects.filter(case=case, status=LawChangeStatus.ASKED).delete()
        if not worse:
            _note(case, law, LawChangeStatus.APPLIED, REQUESTER, **where)
            _apply(case, law, REQUESTER, **where)
            return "done"
        _note(case, law, LawChangeStatus.ASKED, REQUESTER, **where)
        proposals.heard(case, audit.Entry("law_said", REQUESTER, details={"law": law.id}))
        for one in affected(case):
            PrivacyRequest.objects.filter(pk=one.pk, raised="").update(raised=Raised.LAW_ASKED)
        return "asked"


def judge(pk: int, agrees: bool, text: str, *, actor: Actor) -> Case:
    """Decide on what the person said about where they live; `text` is read by them. Raises Invalid, Conflict, Forbidden."""
    if not actor.is_handler:
        raise Forbidden("law")
    reason = _reason(text)
    with transaction.atomic():
        case = _held(pk)
        said = asked(case)
        if said is None:
            raise Conflict("law")
        _close(case, LawChangeStatus.APPLIED if agrees else LawChangeStatus.REFUSED, actor)
        if agrees:
            law = _law(said.after, case)
            found = _apply(case, law, actor, country=said.country, region=said.region)
            _told(found, Notice.LAW_CHANGED, DecisionKind.LAW, law.id, reason, actor)
        else:
            audit.record(case, audit.Entry("law_stays", actor, pk, details={"law": case.regime}))
            _told(affected(case), Notice.LAW_STAYS, DecisionKind.LAW_STAYS, case.regime, reason, actor)
        PrivacyRequest.objects.filter(case=case, raised=Raised.LAW_ASKED).update(raised="")
    return case


def _held(pk: int) -> Case:
    case = lock_case(PrivacyRequest.objects.values_list("case_id", flat=True).get(pk=pk))
    if case.purged_at or not affected(case):
        raise Conflict("law")
    return case


def _law(regime_id: str, case: Case) -> Regime:
    try:
        return in_version(regime_id, case)
    except LawError:
        raise Invalid(_("Please choose a law from the list.")) from None


def _reason(text: str) -> str:
    cleaned = text.strip()[:8000]
    if not cleaned:
        raise Invalid(_("Please write the reason: the requester reads it."))
    return cleaned


def _note(case: Case, law: Regime, status: LawChangeStatus, actor: Actor, country: str = "", region: str = "") -> None:
    done = status != LawChangeStatus.ASKED
    LawChange.objects.create(
        case=case, country=country, region=region, before=case.regime, after=law.id, status=status,
        said_by_id=actor.user_id, decided_by_id=actor.user_id if done else None,
        decided_at=timezone.now() if done else None,
    )  # fmt: skip


def _close(case: Case, status: LawChangeStatus, actor: Actor) -> None:
    open_one = LawChange.objects.filter(case=case, status=LawChangeStatus.ASKED)
    open_one.update(status=status, decided_by_id=actor.user_id, decided_at=timezone.now())


def _dates(request: PrivacyRequest, law: Regime) -> deadlines.Dates:
    """The dates of a request under another law: an extension is kept where that law knows one, and where its notice left
    within the first period of that law, or still can (GDPR Art 12(3); Cal. Civ. Code 1798.130(a)(2))."""
    count = partial(
        deadlines.dates, law, request.right, request.received_at,
        pauses=clock_events.pauses(sorted(request.clock_events.all(), key=lambda one: (one.on, one.pk))),
    )  # fmt: skip
    first = count()
    if request.extended_at is None:
        return first
    try:
        longer = count(extended=True, until=request.extended_until or request.due_on)
    except LawError:
        return first
    notice_on = clock_events.announced_on(request) or deadlines.received_on(law, timezone.now())
    return longer if longer.paused or notice_on <= first.due_on else first


def _apply(case: Case, law: Regime, actor: Actor, **where: str) -> list[PrivacyRequest]:
    """Put the case under the law and work every open request out anew; the caller holds the case. Returns them."""
    before = case.regime
    told = {one.pk: clock_events.told_on(one) for one in affected(case)}
    # What is proposed argues by the law as it was.
    proposals.facts_changed(case)
    case.regime, case.regime_version = law.id, law.version
    for name, value in where.items():
        setattr(case, name, value)
    case.save(update_fields=["regime", "regime_version", *where])
    found = affected(case)
    for one in found:
        _work_out_anew(PrivacyRequest.objects.select_for_update().get(pk=one.pk), case, before, told[one.pk], actor)
    bell.ring(Lane.LOCATE)
    return affected(case)


def _work_out_anew(request: PrivacyRequest, case: Case, before: str, told_on: date | None, actor: Actor) -> None:
    request.case = case
    told = [day for day in (request.promised_on, told_on) if day is not None]
    changed: dict[str, object] = {"promised_on": min(told, default=None), "raised": ""}
    was_extended = request.extended_at is not None
    if was_extended:
        known = case.law.extension(case.law.governing(request.right).kind, request.right)
        if known is None:
            changed |= {"extended_at": None, "extended_until": None, "original_due_on": None}
        elif known.kind == "open" and request.extended_until is None:
            changed |= {"extended_until": request.due_on}
    if request.state in LEAVABLE_STATES and request.right:
        changed |= _proof_and_plan(request, tiers.needed(case.law, request.right))
    PrivacyRequest.objects.filter(pk=request.pk).update(**changed)
    for name, value in changed.items():
        setattr(request, name, value)
    clock_events.recount(request)
    if clock_events.is_void(request, clock_events.announced_on(request) or clock_events.today(request)):
        clock_events.void(request, actor=actor)
    if was_extended and request.extended_at is None:
        # What it says is not true any more.
        undelivered.call_off(request, Notice.EXTENDED)
    details = {"law": case.regime, "before": before, "due_on": request.due_on.isoformat() if request.due_on else ""}
    audit.record(case, audit.Entry("law_changed", actor, request.pk, details=details))
    if request.state == State.CONFIRMING:
        move(request.pk, "start_over", actor=SYSTEM, inside=Inside(request))


def _proof_and_plan(request: PrivacyRequest, tier: int) -> dict[str, object]:
    """The tier that the law wants, and the search begun anew: other grounds for keeping are valid there."""
    changed: dict[str, object] = {"tier_needed": tier}
    request.tier_needed = tier
    plan = request.plans.newest()
    flags = set(request.judgement)
    if plan is not None:
        plan.request = request
        flags -= set(plan.body()["flags"])
    flags -= {TIER, UNPAID}
    if request.state == State.REVIEW and request.case.is_proven and not request.is_proven_enough:
        flags.add(TIER)
    changed["judgement"] = sorted(flags)
    if request.state != State.CONFIRMING and request.right not in UNVERIFIED_RIGHTS:
        changed["located_at"] = None
    return changed


def _told(
    found: list[PrivacyRequest], notice: Notice, kind: DecisionKind, code: str, reason: str, actor: Actor
) -> None:
    """One letter for the case, about all of its open requests; it hangs on the first."""
    decision = decide(found[0], actor, Because(kind, code=code, text=reason))
    outbox.queue(found[0], notice, decision=decision)
