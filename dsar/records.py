"""The log of requests (11 CCR 7101): written as a request ends, kept for the period of its law, then turned into counts.

It holds what the law asks for and nothing more, and outlives the case: the purge takes nothing from it.
"""

from collections import Counter
from collections.abc import Iterator
from datetime import date, datetime
from typing import Any, Final

from django.db import transaction
from django.db.models import QuerySet, Value
from django.db.models.functions import Greatest
from django.utils import timezone

from dsar import deadlines
from dsar.enums import DecisionKind, Outcome, Raised, Right
from dsar.law import codes
from dsar.law.regimes import Regime
from dsar.models import Appeal, Case, PastMeasure, PrivacyRequest, RequestRecord
from dsar.models.request_record import Counted

BATCH: Final = 1000
# Ends whose reason the law wants written down (11 CCR 7101(a): "the basis for the denial ... in whole or in part").
WITH_BASIS: Final = (Outcome.DENIED, Outcome.GRANTED_IN_PART, Outcome.NOT_PROVEN, Outcome.REFERRED)
GROUNDS: Final = (
    DecisionKind.REFUSE, DecisionKind.LAPSE, DecisionKind.REFER, DecisionKind.NARROW, DecisionKind.DISPUTE_FOUNDED,
    DecisionKind.FALL_BACK, DecisionKind.GO_ON_WITHOUT, DecisionKind.NOT_DONE,
)  # fmt: skip
# What of a past record tells one count from another.
COUNTED: Final = tuple(field.name for field in Counted._meta.fields)
UNPROVEN, NOT_OURS = "IDENTITY_NOT_PROVEN", "NOT_OUR_CONTROLLER"


def write(request: PrivacyRequest) -> None:
    """Note a request that ends now, in the transaction that ends it. One that is noted already stays as it was noted."""
    RequestRecord.objects.bulk_create([record_of(request)], ignore_conflicts=True)


def write_missing(case: Case) -> None:
    """Note the ended requests of a case that nobody noted as they ended, from what is known of them. Not those whose
    period is over: their record has gone its way. The caller's transaction."""
    ended = case.requests.filter(ended_at__isnull=False)
    noted = RequestRecord.objects.filter(request_id__in=ended.values("pk")).values("request_id")
    for request in ended.exclude(pk__in=noted).order_by("pk"):
        request.case = case
        found = record_of(request)
        if found.keep_until >= today():
            RequestRecord.objects.bulk_create([found], ignore_conflicts=True)


def record_of(request: PrivacyRequest) -> RequestRecord:
    """What is to be kept of an ended request; not saved. Raises ValueError for one that is open."""
    case, ended_at = request.case, request.ended_at
    if ended_at is None:
        raise ValueError("only what has ended has a record")
    received_on = deadlines.received_on(case.law, request.received_at)
    return RequestRecord(
        request_id=request.pk, regime=case.regime, regime_version=case.regime_version, right=asked_right(request),
        take_back=request.take_back, begun_anew=Appeal.objects.filter(opened=request).exists(), channel=case.channel,
        received_on=received_on, outcome=request.outcome, basis="\n".join(basis_of(request)),
        extended=request.extended_at is not None, **_of_the_answer(request, received_on),
        keep_until=deadlines.record_until(case.law, request.right, ended_at),
    )  # fmt: skip


def _of_the_answer(request: PrivacyRequest, received_on: date) -> dict[str, Any]:
    """What is known once the answer has left: the day, how long it took, and whether that was too long."""
    day = request.answered_on
    if day is None:
        return {}
    late = request.legal_date is not None and day > request.legal_date
    return {"answered_on": day, "days": max(0, (day - received_on).days), "late": late}


def answer_left(request: PrivacyRequest, left: datetime | date) -> bool:
    """Note when the letter that answers an ended request left, once: what is open or was answered before stays as it is.
    `left`: the moment, or a day in the zone of the law; never before the end. The caller holds the request. Returns whether
    it was noted."""
    if request.ended_at is None or request.answered_on is not None:
        return False
    regime = request.case.law
    ended_on = deadlines.received_on(regime, request.ended_at)
    day = max(ended_on, deadlines.received_on(regime, left) if isinstance(left, datetime) else left)
    request.answered_on = day
    if request.raised == Raised.ANSWER_HERE:
        request.raised = Raised.NONE
    PrivacyRequest.objects.filter(pk=request.pk).update(answered_on=day, raised=request.raised)
    received_on = deadlines.received_on(regime, request.received_at)
    keep_until = deadlines.record_until(regime, request.right, request.ended_at + (day - ended_on))
    RequestRecord.objects.filter(request_id=request.pk, answered_on__isnull=True).update(
        keep_until=Greatest("keep_until", Value(keep_until)), **_of_the_answer(request, received_on)
    )
    return True


def asked_right(request: PrivacyRequest) -> str:
    """The right that was asked for, also where a lesser one was answered (11 CCR 7024(a))."""
    if request.right != Right.KNOW:
        return request.right
    fell = request.decisions.filter(kind=DecisionKind.FALL_BACK).order_by("pk").values_list("code", flat=True).first()
    return fell if fell in Right.values else request.right


def basis_of(request: PrivacyRequest) -> list[str]:
    """The grounds of a denial in whole or in part, sorted: code, a space, citation. Empty for every other end."""
    if request.outcome not in WITH_BASIS:
        return []
    found: dict[str, str] = {}
    for code, citation in _grounds(request):
        found[code] = found.get(code) or citation
    if request.outcome == Outcome.NOT_PROVEN and not found:
        found = dict([_cited(UNPROVEN, request.case.law)])
    return sorted(f"{code} {citation}".strip() for code, citation in found.items())


def _grounds(request: PrivacyRequest) -> Iterator[tuple[str, str]]:
    regime = request.case.law
    for decision in request.decisions.filter(kind__in=GROUNDS).order_by("pk"):
        known = codes.named(decision.code, regime)
        if known is not None:
            yield decision.code, decision.citation or known.citation
        elif decision.kind != DecisionKind.LAPSE:
            # The ground is what was done: a source left out, a lesser right. What it names is not for a log.
            yield decision.kind.upper(), decision.citation
    # Written just before, as the same end is noted category by category (dsar/outcomes.py).
    for code, outcome in request.category_outcomes.values_list("code", "outcome").order_by("code").distinct():
        if code:
            yield _cited(code, regime)
        elif outcome == Outcome.REFERRED:
            yield _cited(NOT_OURS, regime)


def _cited(code: str, regime: Regime) -> tuple[str, str]:
    known = codes.named(code, regime)
    return code, known.citation if known else ""


# --- the end of a record ----------------------------------------------------------------------------------------------


def today() -> date:
    """The day by which records end: UTC, as the guard of the database counts it."""
    return timezone.now().date()


def kept_on(day: date) -> QuerySet[RequestRecord, int]:
    """The numbers of the requests whose record is still kept on a day."""
    return RequestRecord.objects.filter(keep_until__gte=day).values_list("request_id", flat=True)


def of_requests(requests: QuerySet[PrivacyRequest]) -> QuerySet[RequestRecord]:
    """The records of these requests that are there."""
    return RequestRecord.objects.filter(request_id__in=requests.values("pk"))


def last_day(case: Case) -> date | None:
    """The last day on which any record of a case is kept; None where it has none."""
    return of_requests(case.requests.all()).order_by("-keep_until").values_list("keep_until", flat=True).first()


def expired() -> int:
    """How many records have seen their last day."""
    return RequestRecord.objects.filter(keep_until__lt=today()).count()


def forget_expired() -> int:
    """Turn records whose period is over into counts for the yearly measures, and delete them; returns how many."""
    with transaction.atomic():
        over = RequestRecord.objects.filter(keep_until__lt=today()).order_by("keep_until", "pk")
        gone = list(over.select_for_update(skip_locked=True)[:BATCH])
        for one in gone:
            # What never left was not in time.
            one.late = one.late or one.answered_on is None
        counts = Counter((one.received_on.replace(day=1), *(getattr(one, name) for name in COUNTED)) for one in gone)
        PastMeasure.objects.bulk_create(
            PastMeasure(month=month, number=number, **dict(zip(COUNTED, alike, strict=True)))
            for (month, *alike), number in sorted(counts.items(), key=str)
        )
        RequestRecord.objects.filter(pk__in=[one.pk for one in gone]).delete()
    return len(gone)
