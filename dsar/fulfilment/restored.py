"""What a restore of a source brought back is found by its tombstone and erased again; the reborn are left alone (law 16).

Every account of every source is compared with the marks of what was erased, once a day and by `manage.py replay_journal`.
A company numbers a person who comes back anew; where it does not, the day on which the account was made tells the two
apart, and where the data map does not name that day, a person does.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog
from django.conf import settings
from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from dsar import audit, bell, journal, keys
from dsar.connectors.base import Account, Connector, NotSupported, SourceError
from dsar.connectors.registry import connector, source_keys, source_map
from dsar.enums import Lane, StepKind
from dsar.fulfilment import remains
from dsar.models import SYSTEM, House, Kept, PrivacyRequest, Source, Tombstone
from dsar.workflow import lock

log = structlog.get_logger(__name__)

PAGE = 1000


@dataclass
class Report:
    """How many accounts came back and are erased again; `failed`: sources that could not be asked, with the reason."""

    found: int
    failed: dict[str, str]


def expired() -> QuerySet[Tombstone]:
    """The tombstones whose period is over (UTC days, as the guard counts them)."""
    return Tombstone.objects.filter(expires_on__lt=timezone.now().date())


def forget_expired() -> int:
    """Delete the tombstones whose period is over; returns how many."""
    return expired().delete()[0]


def in_journal() -> int:
    """How many lines of the journal still hold keyed hashes of people whose period is over."""
    return journal.marked(_journal_limit())


def forget_in_journal() -> int:
    """Take them out; returns out of how many lines."""
    return journal.forget(_journal_limit())


def _journal_limit() -> datetime:
    return timezone.now() - settings.TOMBSTONE_PERIOD - timedelta(days=1)


def daily() -> int:
    """Once a day: forget marks whose period is over, here and in the journal, and compare. Returns how many came back.
    Asked every hour, noted when it is done: a day on which nobody was up at one hour is not lost."""
    today = timezone.localdate()
    if House.objects.filter(compared_on=today).exists():
        return 0
    forget_expired()
    forget_in_journal()
    found = check().found
    House.objects.filter(pk=1).update(compared_on=today)
    return found


def check() -> Report:
    """Compare what the sources hold with what was erased. A source that does not answer is named, and stops no other."""
    report = Report(0, {})
    for key in source_keys():
        if not Tombstone.objects.filter(source=key).exists():
            continue
        if Source.objects.filter(key=key, enabled=False).exists():
            report.failed[key] = "source_off"
            continue
        try:
            report.found += _source(key, connector(key))
        except NotSupported:
            continue
        except SourceError as error:
            report.failed[key] = error.code
            Source.objects.filter(key=key).update(last_error=error.code, last_error_at=timezone.now())
            log.warning("a source could not be compared with the tombstones", source=key, error=error.code)
    if report.found:
        bell.ring(Lane.FULFIL)
    return report


def _source(key: str, source: Connector) -> int:
    found, after = 0, ""
    while accounts := source.accounts(after, PAGE):
        after = accounts[-1].ref
        by_mark = {keys.tombstone_index(key, account.ref): account for account in accounts}
        stones = Tombstone.objects.filter(source=key, index__in=by_mark).order_by("covers_until", "pk")
        # The newest covers most.
        for stone in {stone.index: stone for stone in stones}.values():
            found += _again(stone, by_mark[stone.index])
    return found


def _again(stone: Tombstone, account: Account) -> bool:
    """Have an account that is there again erased; True where that was set off."""
    if account.created_at is not None and account.created_at > stone.covers_until:
        return False
    with transaction.atomic():
        if not PrivacyRequest.objects.filter(pk=stone.request_id).exists():
            # A confirmation that our own database has forgotten: `replay_journal` names it, a person deals with it.
            log.error(
                "an erased account is there again, and its request is not", source=stone.source, tombstone=stone.pk
            )
            return False
        request = lock(stone.request_id)
        identity = source_map(stone.source).identity
        category = source_map(stone.source).tables[identity.table].category if identity else ""
        kept = Kept.objects.filter(request=request, source=stone.source, category=category).exists()
        asked = account.created_at is None and request.steps.filter(kind=StepKind.LATER, source=stone.source).exists()
        if not request.is_ended or kept or asked:
            # It never went, it is still at work, or a person has been asked already.
            return False
        if not remains.look_now(request, stone.source, account.ref):
            return False
        audit.record(request.case, audit.Entry("came_back", SYSTEM, request.pk, details={"source": stone.source}))
    return True
