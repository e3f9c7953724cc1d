"""Data points: the person states two or three things that the company holds about them, and a worker compares them with the
company's own systems (11 CCR 7060-7062; GDPR Art 12(6)).

No look-up happens while the person waits for an answer, and nothing that they ever see says which point did not fit: a
stranger cannot find out by trying who is known here, or what is known of them (law 10).
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final

from django.conf import settings
from django.db import transaction
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from dsar import audit, bell, proposals
from dsar.connectors.base import Identity, NotSupported, SourceError, SourceUnavailable
from dsar.connectors.registry import connector
from dsar.datamap import loader
from dsar.enums import CheckKind, CheckStatus, Lane, Right
from dsar.law import declarations, tiers
from dsar.models import REQUESTER, SYSTEM, Case, Correction, IdentityCheck, Source
from dsar.notices import Notice
from dsar.notifications import outbox
from dsar.verification import asking, points, proving
from dsar.workflow import Conflict, Invalid, each

BATCH: Final = 50
TRIES: Final = (CheckKind.DATA_POINTS, CheckKind.QUIZ)
LONGEST: Final = 200
# What a person states is compared with so many values of a column at most: invoices are many.
MOST_VALUES: Final = 500
ADDRESS_PERIOD: Final = timedelta(days=30)
# A source that does not answer is asked again for so long; then the attempt does not count.
COMPARE_FOR: Final = timedelta(hours=24)


@dataclass(frozen=True)
class Offer:
    """What a person may state: so many of these fields of the data map, `declared` with a signed declaration."""

    method: str
    number: int
    fields: tuple[str, ...]
    declared: bool


@dataclass(frozen=True)
class Signature:
    """The name under a declaration, and the day beside it, as somebody typed them."""

    name: str
    on: date


def offer(case: Case, asked: asking.Asked) -> Offer | None:
    """What the person of a case may state to reach what is asked, and no more than that takes; the same whether or not we
    know them. None where the law or the data map leaves no such way."""
    method = tiers.stated(case.law, asked.tier)
    fields = usable(case, loader.current().identifying)
    if method is None or len(fields) < tiers.POINTS[method]:
        return None
    return Offer(method, tiers.POINTS[method], fields, method in tiers.DECLARED)


def usable(case: Case, keys: Sequence[str]) -> tuple[str, ...]:
    """Those of these fields by which this case may be proven: never one that it wants corrected (11 CCR 7060(h)), and none
    while a correction has not said yet which field it is about."""
    open_ones = {one.pk for one in case.requests.all() if one.right == Right.CORRECTION and not one.is_ended}
    if not open_ones:
        return tuple(keys)
    named = list(Correction.objects.filter(request__in=open_ones).values_list("request_id", "field"))
    if open_ones - {request for request, _field in named}:
        return ()
    wrong = {field for _request, field in named}
    return tuple(key for key in keys if key not in wrong)


def attempts_left(case: Case, now: datetime | None = None) -> int:
    """How often this person may still try, by stating or by answering: in the case, and with this address in 30 days,
    whichever is less (law 7: counted in the database)."""
    mine = [one for one in case.checks.all() if one.kind in TRIES and one.status != CheckStatus.SUPERSEDED]
    left = settings.PROOF_ATTEMPTS - len(mine)
    if case.email_index:
        since = (now or timezone.now()) - ADDRESS_PERIOD
        tried = IdentityCheck.objects.filter(kind__in=TRIES).exclude(status=CheckStatus.SUPERSEDED)
        lately = tried.filter(case__email_index=case.email_index, created_at__gt=since).count()
        left = min(left, settings.PROOF_ATTEMPTS_PER_ADDRESS - lately)
    return max(0, left)


def pending(case: Case) -> IdentityCheck | None:
    """The try that is not decided yet."""
    return case.checks.filter(kind__in=TRIES, status=CheckStatus.PENDING).order_by("-pk").first()


def last(case: Case) -> IdentityCheck | None:
    """The newest try, however it ended."""
    return case.checks.filter(kind__in=TRIES).order_by("-pk").first()


def state(case: Case, stated: Mapping[str, str], signature: Signature | None = None) -> IdentityCheck:
    """Keep what the person states, sealed, for a worker to compare. Reads nothing of the company's.

    Raises Conflict (nothing is asked, one is being compared, no attempt is left), Invalid (what to change, in words).
    """
    now = timezone.now()
    with transaction.atomic():
        held, _subject = proving.hold(case)
        asked = asking.missing(held)
        wanted = offer(held, asked) if asked else None
        if wanted is None or pending(held) or not attempts_left(held, now):
            raise Conflict("data_points")
        said = {key: " ".join(value.split())[:LONGEST] for key, value in stated.items() if key in wanted.fields}
        if len(said) != wanted.number or not all(said.values()):
            raise Invalid(_("Please state %(number)s different things.") % {"number": wanted.number})
        described = loader.current().fields
        for key, value in said.items():
            if points.problem(described[key], value):
                said_so = _("“%(what)s” does not look right. Please check it.") % {"what": _(described[key].label)}
                raise Invalid(f"{said_so} {points.HINTS.get(described[key].kind, '')}".strip())
        check = IdentityCheck(
            case=held, kind=CheckKind.DATA_POINTS, method=wanted.method, created_at=now, expires_at=now + COMPARE_FOR,
            tier=tiers.reached(held.law, wanted.method), asked=list(said),
            stated_sealed=held.seal(json.dumps(said), "stated"),
        )  # fmt: skip
        if wanted.declared:
            check.declaration_sealed = held.seal(_signed(held, signature, now), "declaration")
        check.save(force_insert=True)
        proposals.heard(held, audit.Entry("data_points_stated", REQUESTER, details=_details(check)))
        bell.ring(Lane.PROVE)
    return check


def _signed(case: Case, signature: Signature | None, now: datetime) -> str:
    if signature is None or not signature.name.strip():
        raise Invalid(_("Please sign the declaration with your full name."))
    if abs((signature.on - timezone.localdate(now)).days) > 1:
        raise Invalid(_("Please date the declaration with the day of today."))
    return declared(case, signature)


def declared(case: Case, signature: Signature) -> str:
    """The declaration as it is kept: the words of the law, the name under them and the day."""
    words = declarations.text(case.law)
    return f"{words}\n\n{' '.join(signature.name.split())[:LONGEST]}, {date_format(signature.on)} ({case.reference})"


def _details(check: IdentityCheck) -> dict[str, object]:
    return {"method": check.method, "tier": check.tier}


def drain(turn: bell.Turn | None = None) -> int:
    """Compare what was stated; returns how many were decided. What a source cannot answer now is tried again."""
    waiting = IdentityCheck.objects.filter(kind=CheckKind.DATA_POINTS, status=CheckStatus.PENDING).order_by("pk")
    found = list(waiting.values_list("pk", flat=True)[:BATCH])
    done = each(found, compare, "what was stated could not be compared")
    if turn and done >= BATCH:
        turn.call_others()
    return done


def compare(pk: int) -> bool:
    """Compare one statement with the company's systems and destroy it. False where a source does not answer yet."""
    check = IdentityCheck.objects.select_related("case").get(pk=pk)
    case = check.case
    if check.status != CheckStatus.PENDING:
        return False
    fits: bool | None = None
    if timezone.now() < check.expires_at and asking.missing(case):
        try:
            fits = _fits(case.email, json.loads(case.unseal(check.stated_sealed, "stated")))
        except SourceError:
            return False
    _decide(pk, case, fits)
    return True


def _fits(email: str, stated: Mapping[str, str]) -> bool:
    """Whether every point is what some source says of the one account with this proven address."""
    described, known = loader.current(), known_of(email, list(stated))
    # Every point is compared, whichever fits.
    results = [points.same(described.fields[key].kind, value, known[key]) for key, value in stated.items()]
    return bool(results) and all(results)


def known_of(email: str, fields: Sequence[str]) -> dict[str, list[str]]:
    """What the sources say in these fields of the one account with this proven address; nothing where there is none, or
    several. For workers alone. Raises SourceError where one cannot be asked now."""
    known: dict[str, list[str]] = {key: [] for key in fields}
    off = set(Source.objects.filter(enabled=False).values_list("key", flat=True))
    for name, source in loader.current().sources.items():
        here = tuple(key for key in fields if key in source.comparable)
        if not here:
            continue
        if name in off:
            raise SourceUnavailable("source_off")
        located = connector(name).locate(Identity(email), ())
        try:
            said = connector(name).current(located.ref, here, MOST_VALUES) if located.status == "one" else {}
        except NotSupported:
            continue
        for key, values in said.items():
            known[key] += values
    return known


def _decide(pk: int, known: Case, fits: bool | None) -> None:
    """Note what came of it. None: it could not be compared, or nothing is asked any more, and the attempt is not counted."""
    now = timezone.now()
    with transaction.atomic():
        case, subject = proving.hold(known)
        check = IdentityCheck.objects.select_for_update(of=("self",)).get(pk=pk)
        if check.status != CheckStatus.PENDING:
            return
        check.status = {True: CheckStatus.PASSED, False: CheckStatus.FAILED, None: CheckStatus.SUPERSEDED}[fits]
        check.stated_sealed, check.decided_at = None, now
        check.valid_until = now + settings.PROOF_LIFETIME if fits else None
        check.save(update_fields=["status", "stated_sealed", "decided_at", "valid_until"])
        what = {True: "data_points_matched", False: "data_points_not_matched", None: "data_points_not_compared"}[fits]
        audit.record(case, audit.Entry(what, SYSTEM, details=_details(check)))
        if fits:
            proving.count_as_proven(case, subject, check.tier, now)
        elif waiting := asking.missing(case):
            outbox.queue_for_case(case, Notice.NOT_MATCHED, request=waiting.first)
