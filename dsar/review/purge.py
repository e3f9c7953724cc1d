"""We keep our own house (law 13): a case whose period is over loses its key, and with it everything personal.

What stays are the record of each request for the period of its law (dsar/records.py, 11 CCR 7101), numbers, codes and
dates, and the audit chain, which still verifies.
"""

from datetime import date, datetime, timedelta
from functools import partial

from django.conf import settings
from django.db import transaction
from django.db.models import Exists, OuterRef, Q, QuerySet
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
# A signed declaration, and an authority that was seen: they stay as long as the log (11 CCR 7062(c), 7063, 7101).
SHOWN = Q(checks__declaration_sealed__isnull=False) | Q(representation__first_seen_at__isnull=False)


def period() -> timedelta:
    """How long a case stays after its last request has ended: what can still be looked at again is not destroyed."""
    return max(settings.RECORD_PERIOD, settings.APPEAL_WITHIN)


def kept_until(case: Case) -> date | None:
    """The day from which a case, and what is sealed with it, may be destroyed, as things stand; None while any of its requests
    is open."""
    ends = [one.ended_at for one in case.requests.all()]
    if not ends or None in ends:
        return None
    until = timezone.localdate(max(filter(None, ends)) + period())
    logged = once(case, "logged", lambda: _logged_until(case))
    return max(until, logged + timedelta(days=1)) if logged else until


def _logged_until(case: Case) -> date | None:
    return records.last_day(case) if Case.objects.filter(SHOWN, pk=case.pk).exists() else None


def over(now: datetime) -> QuerySet[Case]:
    """Cases that have ended, all of them and whatever looked at them again longer ago than RECORD_PERIOD."""
    limit = now - period()
    alive = PrivacyRequest.objects.open().values("case_id")
    # What the person wrote is not destroyed before somebody has read it (law 1).
    recent = PrivacyRequest.objects.filter(Q(ended_at__gt=limit) | Q(unread_at__isnull=False)).values("case_id")
    # What is still restricted must be known for as long as it is.
    restricted = Restriction.objects.in_force().values("request__case_id")
    looked_at = Appeal.objects.keeping(limit).values("request__case_id")
    logged = Case.objects.filter(SHOWN, requests__in=records.kept_on(now.date())).values("pk")
    found = Case.objects.filter(purged_at__isnull=True, received_at__lte=limit)
    return (
        found.exclude(pk__in=alive)
        .exclude(pk__in=recent)
        .exclude(pk__in=restricted)
        .exclude(pk__in=looked_at)
        .exclude(pk__in=logged)
    )


def due(now: datetime) -> list[int]:
    """The first BATCH of them."""
    return list(over(now).order_by("pk").values_list("pk", flat=True)[:BATCH])


def purge(pk: int, now: datetime | None = None) -> bool:
    """Destroy a case's keys and every index token that leads to it. Cannot be undone; repeatable. False where it was done
    before."""
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
        # A keyed hash of the address is an index too: it goes with the last case that leads to it, proven or not.
        named = Case.objects.filter(email_index=OuterRef("index"))
        Subject.objects.filter(~Exists(named), index=index, cases__isnull=True).delete()
    return True


def sweep(now: datetime | None = None) -> int:
    """Purge what is due, cases and loose items; returns how many."""
    return sweep_cases(now) + sweep_incoming(now)


def sweep_cases(now: datetime | None = None) -> int:
    """Purge the cases that are due; returns how many."""
    moment = now or timezone.now()
    return each(due(moment), partial(purge, now=moment), "a case could not be purged", failed=_in_trouble)


def _in_trouble(case_pk: int) -> None:
    PrivacyRequest.objects.filter(case_id=case_pk).update(attention=StepReason.ERROR)


def loose(now: datetime) -> QuerySet[Intake]:
    """Items that never became a case and are due: what was put aside or needed no answer ASIDE_PERIOD after it came, what
    could not be read after RECORD_PERIOD. Not what nobody has looked at yet (law 1)."""
    aside = Q(status__in=[IntakeStatus.DISMISSED, IntakeStatus.NOTED], received_at__lte=now - settings.ASIDE_PERIOD)
    unread = ~Q(status=IntakeStatus.STORED) & Q(received_at__lte=now - settings.RECORD_PERIOD)
    return Intake.objects.filter(aside | unread, case__isnull=True, raw_sealed__isnull=False)


def sweep_incoming(now: datetime | None = None) -> int:
    """Destroy the bytes and the key of items that are due; returns how many."""
    uids = list(loose(now or timezone.now()).order_by("pk").values_list("uid", flat=True)[:BATCH])
    if uids:
        with transaction.atomic():
            CaseKey.objects.filter(pk__in=uids).delete()
            Intake.objects.filter(uid__in=uids).update(raw_sealed=None)
    return len(uids)
