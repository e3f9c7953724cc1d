"""We keep our own house (law 13): a case whose period is over loses its key, and with it everything personal.

A case file stays as long as the log of its requests at least (dsar/records.py, 11 CCR 7101), and RECORD_PERIOD where that is
longer. What the purge leaves is named in models/keeping.py, with its reason; the audit chain still verifies. The reference,
by which somebody who holds a letter could still find what is left, goes once no record of the case is kept any more.
"""

from collections.abc import Callable, Sequence
from datetime import date, datetime, timedelta
from functools import partial
from typing import Final

from django.conf import settings
from django.db import transaction
from django.db.models import CharField, Exists, OuterRef, Q, QuerySet, Value
from django.db.models.functions import Cast, Concat
from django.utils import timezone

from dsar import audit, records
from dsar.enums import CheckKind, CheckStatus, IntakeStatus, StepReason
from dsar.models import (
    SYSTEM,
    Appeal,
    AuthorityPaper,
    Case,
    CaseKey,
    Choice,
    IdentityCheck,
    IdentityPaper,
    Intake,
    LawChange,
    Letter,
    LostMailbox,
    Message,
    OwnerTask,
    PrivacyRequest,
    Representation,
    Restriction,
    Subject,
)  # fmt: skip
from dsar.models.once import once
from dsar.notices import MessageStatus
from dsar.workflow import each, lock_case

BATCH = 200
# In place of the reference of a purged case whose last record has gone (the guard of the database knows it too).
GONE: Final = "GONE-"


def period() -> timedelta:
    """How long a case stays at least after its last request has ended: what can still be looked at again is not destroyed."""
    return max(settings.RECORD_PERIOD, settings.APPEAL_WITHIN)


def kept_until(case: Case) -> date | None:
    """The day from which a case, and what is sealed with it, may be destroyed, as things stand; None while any of its requests
    is open."""
    ends = [one.ended_at for one in case.requests.all()]
    if not ends or None in ends:
        return None
    until = timezone.localdate(max(filter(None, ends)) + period())
    logged = once(case, "logged", lambda: records.last_day(case))
    return max(until, logged + timedelta(days=1)) if logged else until


def over(now: datetime) -> QuerySet[Case]:
    """Cases that have ended, all of them and whatever looked at them again longer ago than RECORD_PERIOD, and of whose
    requests none stands in the log any more: as long as it does, there is something behind it that bears it out."""
    limit = now - period()
    alive = PrivacyRequest.objects.open().values("case_id")
    # What the person wrote is not destroyed before somebody has read it (law 1).
    recent = PrivacyRequest.objects.filter(Q(ended_at__gt=limit) | Q(unread_at__isnull=False)).values("case_id")
    # What is still restricted must be known for as long as it is.
    restricted = Restriction.objects.in_force().values("request__case_id")
    looked_at = Appeal.objects.keeping(limit).values("request__case_id")
    logged = PrivacyRequest.objects.filter(pk__in=records.kept_on(now.date())).values("case_id")
    found = Case.objects.filter(purged_at__isnull=True, received_at__lte=limit)
    return (
        found.exclude(pk__in=alive)
        .exclude(pk__in=recent)
        .exclude(pk__in=restricted)
        .exclude(pk__in=looked_at)
        .exclude(pk__in=logged)
    )


def due(now: datetime) -> list[int]:
    """Their keys, in order; behind them a BATCH of those that stand in the queue by name since they could not go, now these
    and now those, so that none waits for another."""
    keys = over(now).values_list("pk", flat=True)
    stuck = Exists(PrivacyRequest.objects.filter(case=OuterRef("pk"), attention=StepReason.ERROR))
    return [*keys.exclude(stuck).order_by("pk"), *keys.filter(stuck).order_by("?")[:BATCH]]


def purge(pk: int, now: datetime | None = None, *, look_again: bool = False) -> bool:
    """Destroy a case's keys and every index token that leads to it. Cannot be undone; repeatable. False where it was done
    before, and where `look_again` finds, now that the case is locked, that its time is not over: somebody came back to it,
    or a request that nobody noted as it ended has only now been noted."""
    moment = now or timezone.now()
    with transaction.atomic():
        intakes = Intake.objects.filter(case_id=pk)
        # What came in is locked before its case, as by whoever reads it.
        list(intakes.select_for_update().order_by("pk").values_list("pk", flat=True))
        index = Case.objects.values_list("email_index", flat=True).get(pk=pk)
        # The person's own row is locked first, as everywhere; of who never proved themselves no case names it.
        list(Subject.objects.filter(index=index).select_for_update())
        case = lock_case(pk)
        if case.purged_at:
            return False
        records.write_missing(case)
        if look_again and not over(moment).filter(pk=pk).exists():
            return False
        CaseKey.objects.filter(pk__in=[case.uid, *intakes.values_list("uid", flat=True)]).delete()
        intakes.update(raw_sealed=None)
        IdentityCheck.objects.filter(case=case).update(
            token_hash=None, seen_sealed=None, stated_sealed=None, declaration_sealed=None
        )
        PrivacyRequest.objects.filter(case=case).update(undelivered_at=None, attention="", raised="")
        Restriction.objects.filter(request__case=case).update(email_index="")
        # What nobody posted in all that time cannot be printed any more.
        Message.objects.filter(case=case, status=MessageStatus.TO_POST).update(
            status=MessageStatus.FAILED, reason="purged"
        )
        LawChange.objects.filter(case=case).update(country="", region="")
        LostMailbox.objects.filter(case=case).update(address_index="", address_sealed=None)
        Representation.objects.filter(case=case).update(email_index="", name_sealed=None, email_sealed=None)
        IdentityCheck.objects.filter(case=case, kind=CheckKind.PAPER, status=CheckStatus.PENDING).update(
            status=CheckStatus.SUPERSEDED, decided_at=moment
        )
        IdentityPaper.objects.filter(check_ref__case=case, destroyed_at__isnull=True).update(
            name_sealed=None, body_sealed=None, destroyed_at=moment
        )
        AuthorityPaper.objects.filter(representation__case=case, destroyed_at__isnull=True).update(
            name_sealed=None, body_sealed=None, destroyed_at=moment
        )
        Message.objects.filter(case=case).update(text_sealed=None, to_sealed=None, to_index="", dedupe=None)
        Letter.objects.filter(message__case=case).update(said_sealed=None, pdf_sealed=None)
        # The list outlives the case: a choice that stands is honoured, by its hash and nothing else.
        Choice.objects.filter(case=case, taken_back_at__isnull=False).delete()
        Choice.objects.filter(case=case).update(case=None, request=None)
        OwnerTask.objects.filter(step__request__case=case).update(
            owner="", owner_index="", note_sealed=None, file_sealed=None, file_name_sealed=None
        )
        audit.record(case, audit.Entry("purged", SYSTEM))
        Case.objects.filter(pk=pk).update(
            purged_at=moment, email_sealed=None, email_index="", contact_sealed=None, contact_by="", postal_sealed=None,
            name_sealed=None, reply_index="", subject=None, country="", region="", language=settings.LANGUAGE_CODE,
        )  # fmt: skip
        _take_references(findable().filter(pk=pk))
        # A keyed hash of the address is an index too: it goes with the last case that leads to it, proven or not.
        named = Case.objects.filter(email_index=OuterRef("index"))
        Subject.objects.filter(~Exists(named), index=index, cases__isnull=True).delete()
    return True


def sweep(now: datetime | None = None) -> int:
    """Purge what is due, cases and loose items; returns how many."""
    return sweep_cases(now) + sweep_incoming(now)


def sweep_cases(now: datetime | None = None) -> int:
    """Purge a BATCH of the cases that are due; returns how many. One that cannot go is passed by and stands in the queue by
    name."""
    moment = now or timezone.now()
    work = partial(purge, now=moment, look_again=True)
    return _through(due(moment), work, "a case could not be purged", failed=_in_trouble)


def _through(
    keys: Sequence[int], work: Callable[[int], object], what: str, failed: Callable[[int], object] | None = None
) -> int:
    """Do one piece of work after another until a BATCH was done: what fails takes nobody's place."""
    done = 0
    for first in range(0, len(keys), BATCH):
        done += each(keys[first : first + BATCH], work, what, failed=failed)
        if done >= BATCH:
            break
    return done


def _in_trouble(case_pk: int) -> None:
    PrivacyRequest.objects.filter(case_id=case_pk).update(attention=StepReason.ERROR)


def loose(now: datetime) -> QuerySet[Intake]:
    """Items that never became a case and are due: what was put aside or needed no answer ASIDE_PERIOD after it came, what
    could not be read after RECORD_PERIOD. Not what nobody has looked at yet (law 1)."""
    aside = Q(status__in=[IntakeStatus.DISMISSED, IntakeStatus.NOTED], received_at__lte=now - settings.ASIDE_PERIOD)
    unread = ~Q(status=IntakeStatus.STORED) & Q(received_at__lte=now - settings.RECORD_PERIOD)
    return Intake.objects.filter(aside | unread, case__isnull=True, raw_sealed__isnull=False)


def sweep_incoming(now: datetime | None = None) -> int:
    """Destroy the bytes and the key of a BATCH of the items that are due; returns how many."""
    moment = now or timezone.now()
    found = loose(moment).order_by("pk").values_list("pk", flat=True)
    return _through(list(found), partial(_destroy, now=moment), "what came in could not be destroyed")


def _destroy(pk: int, now: datetime) -> bool:
    with transaction.atomic():
        item = Intake.objects.select_for_update().get(pk=pk)
        if not loose(now).filter(pk=pk).exists():
            return False  # it was taken up meanwhile
        CaseKey.objects.filter(pk=item.uid).delete()
        return bool(Intake.objects.filter(pk=pk).update(raw_sealed=None))


def findable() -> QuerySet[Case]:
    """Purged cases that still bear their reference though no record of theirs is kept any more."""
    noted = records.of_requests(PrivacyRequest.objects.filter(case=OuterRef(OuterRef("pk"))))
    return Case.objects.filter(~Exists(noted), purged_at__isnull=False).exclude(reference__startswith=GONE)


def forget_references() -> int:
    """Take the reference from a BATCH of those cases: nobody who holds a letter finds them by it any more. Returns how many."""
    return _take_references(findable())


def _take_references(found: QuerySet[Case]) -> int:
    keys = list(found.order_by("pk").values_list("pk", flat=True)[:BATCH])
    return Case.objects.filter(pk__in=keys).update(reference=Concat(Value(GONE), Cast("pk", CharField())))
