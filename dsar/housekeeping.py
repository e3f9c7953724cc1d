"""What is due to go goes: one part for each kind of record that ends by itself, counted and carried out by the same code
for the sweep of every few seconds, the look of every day, and `manage.py purge`.

The rules, with setting and reason, stand in models/keeping.py.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from django.conf import settings
from django.contrib.admin.models import LogEntry
from django.contrib.sessions.models import Session
from django.db.models import Q, QuerySet
from django.utils import timezone

from dsar import records
from dsar.fulfilment import package, restored
from dsar.models import LegalHold
from dsar.review import purge
from dsar.verification import papers, representation
from dsar.workflow import each

FAILED: Final = "a part of the housekeeping failed"


@dataclass(frozen=True)
class Part:
    """One kind: how many are `due` now, and how to `run` what is (a batch; returns how many went). `here`: the sweep calls
    it from here; the others are called by the clock (review/clock.py) and by the daily look (fulfilment/restored.py)."""

    due: Callable[[], int]
    run: Callable[[], int]
    here: bool = True


def _sessions() -> QuerySet[Session]:
    return Session.objects.filter(expire_date__lt=timezone.now())


def _account_log() -> QuerySet[LogEntry]:
    return LogEntry.objects.filter(action_time__lt=timezone.now() - settings.RECORD_PERIOD)


def _lifted_holds() -> QuerySet[LegalHold]:
    lifted = LegalHold.objects.filter(lifted_at__lt=timezone.now() - settings.RECORD_PERIOD)
    return lifted.filter(~Q(email_index="") | Q(note_sealed__isnull=False))


PARTS: Final[Mapping[str, Part]] = {
    "copies": Part(package.due, package.expire),
    "papers": Part(lambda: representation.left_over().count(), representation.sweep),
    "identity_papers": Part(lambda: len(papers.left_over()), papers.sweep),
    "records": Part(records.expired, records.forget_expired),
    "references": Part(lambda: purge.findable().count(), purge.forget_references),
    "tombstones": Part(lambda: restored.expired().count(), restored.forget_expired, here=False),
    "journal": Part(restored.in_journal, restored.forget_in_journal, here=False),
    "holds": Part(lambda: _lifted_holds().count(), lambda: _lifted_holds().update(email_index="", note_sealed=None)),
    "sessions": Part(lambda: _sessions().count(), lambda: _sessions().delete()[0]),
    "account_log": Part(lambda: _account_log().count(), lambda: _account_log().delete()[0]),
    # Last: a case takes much of the rest with it.
    "cases": Part(lambda: purge.over(timezone.now()).count(), purge.sweep_cases, here=False),
    "incoming": Part(lambda: purge.loose(timezone.now()).count(), purge.sweep_incoming, here=False),
}


def sweep() -> int:
    """Carry out what is due, a batch of each kind; returns of how many kinds something went."""
    here = [key for key, part in PARTS.items() if part.here]
    return each(here, lambda key: PARTS[key].run(), FAILED)


def run_all(key: str) -> int:
    """Carry out what is due of one kind, batch after batch until nothing goes any more; returns how many went. What raises
    is logged and ends this kind alone."""
    gone: list[int] = []

    def run(part: str) -> int:
        gone.append(PARTS[part].run())
        return gone[-1]

    while each([key], run, FAILED):
        pass
    return sum(gone)
