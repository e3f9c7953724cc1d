"""What a deletion leaves: noted at its end, source by source, so that it goes when its reason does (law 6).

Beside each source with something left stands a LATER step (later.py): it looks when a date comes, when a hold is
lifted, when a restore brought data back, and every KEPT_LOOK_DAYS, as rows of one category end on days of their own.
"""

from collections.abc import Iterable
from datetime import date, datetime, time, timedelta
from typing import Any

from django.conf import settings
from django.db.models import F
from django.utils import timezone

from dsar import keys
from dsar.datamap.orders import as_date
from dsar.enums import DecisionKind, Outcome, State, StepKind, StepReason, StepStatus
from dsar.fulfilment import lookout
from dsar.fulfilment import plan as plans
from dsar.models import House, Kept, LegalHold, PrivacyRequest, Step

LATER_POSITION = 60
# A refund that is due keeps its reference and amount; past the day it is due, a person follows it up.
FOLLOWED_UP = frozenset({"REFUND_DUE"})
# Where neither law nor map names a date, somebody looks soon.
SOON = timedelta(days=30)

Found = dict[tuple[str, str], tuple[date | None, date | None]]


def seal(request: PrivacyRequest, text: str, place: str) -> bytes | None:
    """Encrypt under a key of the house: what is kept outlives the key of its case. None for an empty value."""
    return keys.seal(keys.derived("kept"), text, f"{request.uid}:{place}") if text else None


def unseal(request: PrivacyRequest, sealed: bytes | memoryview | None, place: str) -> str:
    """Decrypt what seal() made; empty for None."""
    return keys.unseal(keys.derived("kept"), bytes(sealed), f"{request.uid}:{place}").decode() if sealed else ""


def found_in(tallies: Iterable[dict[str, Any]]) -> Found:
    """What tallies say is kept: (category, code) to its last day and its day of review; the latest of each."""
    found: Found = {}
    for tally in tallies:
        if tally.get("kept"):
            place = (tally["category"], tally.get("code", ""))
            until, review_on = found.get(place, (None, None))
            found[place] = _latest(until, tally.get("until")), _latest(review_on, tally.get("review_on"))
    return found


def _latest(one: date | None, other: date | str | None) -> date | None:
    return max(filter(None, (one, as_date(other) if other else None)), default=None)


def holds_on(request: PrivacyRequest, source: str, indexes: set[str]) -> list[LegalHold]:
    """The holds in force on this person in one source, after the purge of the case too."""
    kept = Kept.objects.filter(request=request).values_list("email_index", flat=True)
    known = {request.case.email_index, *kept, *indexes}
    return [hold for index in sorted(known) for hold in plans.active_holds(index) if hold.covers(source)]


def look(pk: int, source: str) -> PrivacyRequest:
    """The fresh look at what a deletion left in one source, holds apart (law 5); returns the request as it is now. Raises
    lookout.Stop."""
    if House.objects.filter(kill_switch=True).exists():
        raise lookout.Stop(StepReason.KILL_SWITCH)
    lookout.switched_on(source)
    request = PrivacyRequest.objects.select_related("case").get(pk=pk)
    founded = request.decisions.filter(kind=DecisionKind.DISPUTE_FOUNDED).exists()
    if (
        request.state != State.COMPLETED
        or request.confirmed_at is None
        or (founded and request.outcome == Outcome.DENIED)
    ):
        # It never was this person's wish.
        raise lookout.Stop(StepReason.PLAN_CHANGED, block=True)
    return request


def refs_of(request: PrivacyRequest, body: plans.Body) -> dict[str, str]:
    """The person's key per source: from the plan, or from a step that found it later."""
    refs = {key: str(found["ref"]) for key, found in body["sources"].items() if found["ref"]}
    for step in request.steps.all():
        if step.ref_sealed and step.kind != StepKind.LATER:
            refs.setdefault(step.source, request.case.unseal(step.ref_sealed, "ref"))
    return refs


def write(request: PrivacyRequest, body: plans.Body) -> None:
    """Note what the end of a deletion leaves. In the transaction that ends it."""
    left = {key: found for key in body["sources"] if (found := _left(request, body, key))}
    if not left:
        return
    refs = refs_of(request, body)
    narrowed = set(request.decisions.filter(kind=DecisionKind.NARROW).values_list("code", flat=True))
    holds = plans.active_holds(request.case.email_index)
    rows, steps = [], []
    for key, found in left.items():
        held = {hold.code for hold in holds if hold.covers(key)}
        lines = [
            line(request, key, category, code, until, review_on, chosen=code in narrowed - held)
            for (category, code), (until, review_on) in found.items()
        ]
        rows += lines
        steps.append(_step(request, key, refs.get(key, ""), next_look(lines)))
    Kept.objects.bulk_create(rows)
    Step.objects.bulk_create(steps)


def _step(request: PrivacyRequest, source: str, ref: str, due_at: datetime) -> Step:
    return Step(
        request=request, source=source, kind=StepKind.LATER, position=LATER_POSITION, due_at=due_at,
        ref_sealed=seal(request, ref, f"{source}:ref"),
    )  # fmt: skip


def _left(request: PrivacyRequest, body: plans.Body, source: str) -> Found:
    found: Found = {}
    for item in body["items"]:
        if (item["source"], item["action"]) == (source, "keep"):
            until, review_on = item["until"], item["review_on"]
            found[item["category"], item["code"]] = _latest(None, until), _latest(None, review_on)
    for step in request.steps.all():
        if (step.source, step.kind) == (source, StepKind.ERASE):
            # The last look of the worker is newer than the plan.
            found |= found_in(step.tallies)
    return found


def line(
    request: PrivacyRequest,
    source: str,
    category: str,
    code: str,
    until: date | None,
    review_on: date | None,
    *,
    chosen: bool = False,
) -> Kept:
    """A row, not saved: it ends on `until`, and only where that is not known it is looked at again on `review_on`."""
    today = timezone.localdate()
    if code in FOLLOWED_UP or (until is None and review_on is None):
        until, review_on = None, until or today + SOON
    return Kept(
        request=request, source=source, category=category, code=code, until=until, chosen=chosen,
        review_on=None if until else review_on, email_index=request.case.email_index,
    )  # fmt: skip


def look_now(request: PrivacyRequest, source: str, ref: str) -> bool:
    """Have the LATER step of one source done at once; one that has ended begins anew. False where a person or a worker
    has it in hand. The caller holds the request."""
    step = request.steps.filter(kind=StepKind.LATER, source=source).first()
    if step is None:
        _step(request, source, ref, timezone.now()).save(force_insert=True)
        return True
    again = Step.objects.filter(pk=step.pk, status__in=[StepStatus.DONE, StepStatus.QUEUED])
    return again.update(
        status=StepStatus.QUEUED, due_at=timezone.now(), reason="", token=F("token") + 1, cursor="", retries=0, claims=0,
        finished_at=None, ref_sealed=step.ref_sealed or seal(request, ref, f"{source}:ref"),
    ) > 0  # fmt: skip


def next_look(lines: Iterable[Kept]) -> datetime:
    """When to look next: the day after the first last day, the first day of review, or KEPT_LOOK_DAYS from now."""
    today = timezone.localdate()
    days = [today + settings.KEPT_LOOK]
    for one in lines:
        if one.until and one.until >= today:
            days.append(one.until + timedelta(days=1))
        if one.review_on and one.review_on > today:
            days.append(one.review_on)
    return timezone.make_aware(datetime.combine(min(days), time.min))


def forget(request: PrivacyRequest, source: str) -> None:
    """A person did by hand what was left to do in one source: nothing is kept there any more."""
    Kept.objects.filter(request=request, source=source).delete()
    Step.objects.filter(request=request, source=source, kind=StepKind.LATER).update(ref_sealed=None)


def is_due(one: Kept) -> bool:
    """Whether somebody has to look at it now and nobody has decided yet."""
    return not one.lapses and one.review_on is not None and one.review_on <= timezone.localdate()
