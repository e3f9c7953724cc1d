"""Shuts the account, settles its money, erases: per chunk T1 (intent, desk), T2 (company), T3 (record, desk).

See DESIGN section 6. There is no transaction across two databases. Killed before T2 commits: nothing happened, the intent
is redone. Killed between T2 and T3: the intent is redone, and what is absent counts as removed. A worker that wakes after
its lease is fenced out by the token.
"""

import json

from django.conf import settings
from django.db import transaction
from django.db.models import F
from django.utils import timezone

from dsar import audit
from dsar.connectors.base import Connector, Intent, Outcome
from dsar.enums import StepReason, StepStatus
from dsar.fulfilment import held_step, lookout
from dsar.fulfilment.tallies import merged
from dsar.models import Step
from dsar.workflow import lock

ROUNDS = 3


def _close(held: held_step.Held) -> None:
    source, ref = held_step.reach_one(held, judge=False)
    outcome = source.close(ref) if ref else Outcome()
    held_step.record(held, outcome)


def _settle(held: held_step.Held) -> None:
    held.look()
    source, ref = held_step.reach_one(held)
    outcome = source.settle(ref, str(held.request.uid), timezone.localdate()) if ref else Outcome()
    held_step.record(held, outcome)


def _erase(held: held_step.Held) -> None:
    found = held.body["sources"][held.step.source]
    if found.get("untouched"):
        held_step.record(held, Outcome())
        return
    if found.get("rotation_days"):
        # Backups: nothing to run. What they hold goes when they are overwritten (11 CCR 7022(d); Art 17 in practice).
        held_step.record(held, Outcome())
        return
    source, ref = held_step.reach_one(held)
    if not ref:
        held_step.record(held, Outcome())
        return
    intent, outcome = erase_all(held, source, ref)
    held_step.record(held, outcome, intent)


def erase_all(held: held_step.Held, source: Connector, ref: str) -> tuple[Intent, Outcome]:
    """Erase in chunks until the source says that nothing is left which should be gone. The T3 of the last chunk is the
    caller's: it ends the step. Raises lookout.Stop."""
    for _round in range(ROUNDS):
        intent, outcome = _chunk(held, source, ref)
        while not intent.last:
            t3_record(held, intent, outcome)
            intent, outcome = _chunk(held, source, ref)
        residual = source.verify(ref, held.orders, held.step_key)
        if not residual.left:
            return intent, outcome
        t3_record(held, intent, outcome)
        held.step.cursor = ""
    raise lookout.Stop(StepReason.RESIDUAL, block=True)


def _chunk(held: held_step.Held, source: Connector, ref: str) -> tuple[Intent, Outcome]:
    """T1 and T2 of one chunk; T3 is the caller's: the last one ends the step."""
    intent, redo = t1_intent(held, source, ref)
    return intent, t2_company(held, source, ref, intent, redo=redo)


def t1_intent(held: held_step.Held, source: Connector, ref: str) -> tuple[Intent, bool]:
    """Desk: look at kill switch, holds, retention and plan; write down what is about to be erased; renew the lease.

    An intent that is already there comes from an interrupted try and is redone as it stands.
    """
    step = held.step
    redo = step.intent_sealed is not None
    if redo:
        intent = Intent.from_json(json.loads(held.unseal(step.intent_sealed)))
    else:
        intent = source.next_chunk(ref, held.orders, step.cursor, settings.CHUNK_ROWS)
    with transaction.atomic():
        # The lease before the look: a hold that this look does not see finds the row locked or the lease renewed, and
        # is not in force before this chunk has ended (review/holds.py).
        sealed = step.intent_sealed if redo else held.seal(json.dumps(intent.as_json()))
        held_step.occupy(held)
        until = timezone.now() + settings.LEASE
        renewed = Step.objects.filter(pk=step.pk, token=held.token, status=StepStatus.LEASED).update(
            intent_sealed=sealed, lease_until=until
        )
        if not renewed:
            raise held_step.Fenced
        held.look()
    step.intent_sealed, step.lease_until = sealed, until
    return intent, redo


def t2_company(held: held_step.Held, source: Connector, ref: str, intent: Intent, *, redo: bool) -> Outcome:
    """Company: one transaction, the retention condition in the WHERE of the delete itself. Not begun, and not
    committed, after the lease: a worker that slept harms nothing."""
    held_step.still_ours(held)
    return source.erase(ref, held.orders, intent, held.step_key, redo, before_commit=lambda: held_step.still_ours(held))


def t3_record(held: held_step.Held, intent: Intent, outcome: Outcome) -> None:
    """Desk: only where the fence still fits, add the counts, move the cursor, clear the intent, audit."""
    with transaction.atomic():
        request = lock(held.request.pk)
        tallies = merged(held.step.tallies, outcome)
        recorded = Step.objects.filter(pk=held.step.pk, token=held.token, status=StepStatus.LEASED).update(
            cursor=intent.cursor, tallies=tallies, intent_sealed=None, chunks=F("chunks") + 1, claims=0,
            lease_until=timezone.now() + settings.LEASE,
        )  # fmt: skip
        if not recorded:
            raise held_step.Fenced
        audit.record(request.case, held_step.entry(held, "chunk_erased", outcome))
    held.step.cursor, held.step.tallies, held.step.intent_sealed = intent.cursor, tallies, None
    held.step.lease_until = timezone.now() + settings.LEASE
