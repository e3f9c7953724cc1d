"""Runs steps: claim, then per chunk T1 (intent, desk), T2 (company), T3 (record, desk). See DESIGN section 6.

There is no transaction across two databases. Killed before T2 commits: nothing happened, the intent is redone.
Killed between T2 and T3: the intent is redone, and what is absent counts as removed. A worker that wakes after its
lease is fenced out by the token.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from typing import Any

import structlog
from django.conf import settings
from django.db import connection, transaction
from django.db.models import Exists, F, Q
from django.utils import timezone
from django.utils.module_loading import import_string

from dsar import audit, bell, keys
from dsar.connectors.base import (
    Connector,
    Identity,
    Intent,
    NotSupported,
    Outcome,
    SourceBroken,
    SourceUnavailable,
)  # fmt: skip
from dsar.connectors.registry import connector
from dsar.datamap.orders import TableOrder
from dsar.enums import BOUND_STATES, WORK_KINDS, State, StepKind, StepReason, StepStatus
from dsar.fulfilment import begin, finish, lookout, owners
from dsar.fulfilment.tallies import counts, merged
from dsar.models import SYSTEM, Plan, PrivacyRequest, Step, Subject
from dsar.notifications import outbox
from dsar.workflow import Inside, lock

log = structlog.get_logger(__name__)

ROUNDS = 3
# The lease on the person is renewed once less than this share of it is left, so that a chunk has most of it before it.
LEASE_KEPT = 0.8
# Work that belongs to no one state: a flag while an objection is weighed, a copy put together again while it is looked
# through, a recipient who is told after the letter, what was kept. The handler looks whether it is still wanted.
AT_ANY_TIME = (StepKind.RESTRICT, StepKind.LIFT, StepKind.PACK, StepKind.NOTIFY, StepKind.LATER)
ANY_STATE = ", ".join(f"'{kind}'" for kind in AT_ANY_TIME)
# What each kind of step does: a function that takes the claimed step and ends it with record().
HANDLERS: dict[str, str] = {
    StepKind.CLOSE: "dsar.fulfilment.runner._close",
    StepKind.SETTLE: "dsar.fulfilment.runner._settle",
    StepKind.ERASE: "dsar.fulfilment.runner._erase",
    StepKind.EXPORT: "dsar.fulfilment.access.export",
    StepKind.PACK: "dsar.fulfilment.access.pack",
    StepKind.RECTIFY: "dsar.fulfilment.correction.rectify",
    StepKind.RESTRICT: "dsar.fulfilment.restriction.restrict",
    StepKind.LIFT: "dsar.fulfilment.restriction.lift",
    StepKind.APPLY: "dsar.fulfilment.choices.apply",
    StepKind.NOTIFY: "dsar.fulfilment.recipients.tell",
    StepKind.LATER: "dsar.fulfilment.later.erase",
    StepKind.LOOK: "dsar.fulfilment.knowing.look",
}
# A copy and an erasure of one person never overlap: each takes the person's lease as this.
LEASED_AS = {StepKind.SETTLE: "erase", StepKind.ERASE: "erase", StepKind.LATER: "erase", StepKind.EXPORT: "export"}

# In SQL, as it is asked for every step of every person. Ordered by due date, which follows the release: the indexes of
# the lanes hold this order, so that a claim costs the same however long the queue is.
CLAIM = f"""
    UPDATE dsar_step SET token = token + 1, lease_until = %s, status = '{StepStatus.LEASED}',
           claims = claims + CASE WHEN status = '{StepStatus.LEASED}' THEN 1 ELSE 0 END
    WHERE id = (
        SELECT step.id FROM dsar_step step JOIN dsar_privacyrequest request ON request.id = step.request_id
        WHERE ((step.status = '{StepStatus.QUEUED}' AND step.due_at <= %s)
               OR (step.status = '{StepStatus.LEASED}' AND step.lease_until < %s AND step.claims + 1 < %s))
          AND step.kind IN ({{kinds}}) AND (request.state IN ({{states}}) OR step.kind IN ({ANY_STATE})) {{only}}
          AND NOT EXISTS (
              SELECT 1 FROM dsar_step earlier
              WHERE earlier.request_id = step.request_id AND earlier.source = step.source
                AND earlier.position < step.position AND earlier.status <> '{StepStatus.DONE}')
        ORDER BY step.due_at, step.request_id, step.position, step.id LIMIT 1 {{lock}})
    RETURNING *
"""


class Fenced(Exception):
    """Somebody else holds the step by now; nothing of ours is recorded."""


@dataclass
class Held:
    """A claimed step with what its work needs. `token` is the fence."""

    step: Step
    token: int
    request: PrivacyRequest
    plan: Plan
    body: dict[str, Any]
    letters: list[outbox.Claimed] = field(default_factory=list)
    over: bool = False
    occupied_until: datetime | None = None

    @property
    def step_key(self) -> bytes:
        """Masks derive from this: the same for every try of one person's step."""
        return keys.mac("mask", str(self.request.uid), self.step.source)

    @cached_property
    def orders(self) -> tuple[TableOrder, ...]:
        """What the frozen plan tells this source to do."""
        return tuple(TableOrder.from_json(order) for order in self.body["sources"][self.step.source]["orders"])

    def look(self) -> None:
        """The fresh look before each chunk. Raises lookout.Stop."""
        lookout.look(self.request, self.plan, self.body, self.step.source)

    def seal(self, text: str) -> bytes | None:
        """Encrypt an intent."""
        return self.request.case.seal(text, "intent")

    def unseal(self, sealed: bytes | memoryview | None) -> str:
        """Decrypt an intent."""
        return self.request.case.unseal(sealed, "intent")


def drain_closing(turn: bell.Turn | None = None) -> int:
    """Shut accounts in the company's systems: urgent, tried at once after a confirmation, and for as long as it takes,
    however the request has ended meanwhile (law 3)."""
    return _drain([StepKind.CLOSE], list(BOUND_STATES), turn)


def drain_fulfilling(turn: bell.Turn | None = None) -> int:
    """Settle, erase, copy, correct and so on, one person carried through before the next. Returns how many steps were
    worked on.

    Until nothing is due, or until the turn is over.
    """
    begin.drain()
    done = _drain(list(WORK_KINDS), [State.FULFILLING], turn)
    owners.drain()
    return done


def _drain(kinds: list[StepKind], states: list[State], turn: bell.Turn | None) -> int:
    done = 0
    give_up_lost(kinds)
    with outbox.Line() as line:
        step = claim(kinds, states)
        while step:
            done += 1
            request_id = step.request_id
            letters, over = work(step)
            outbox.deliver(letters, line)
            step = None if over else claim(kinds, states, request_id)
            if step is None:
                if turn and turn.is_over():
                    break
                step = claim(kinds, states)
                if step and turn:
                    turn.call_others()
    return done


def claim(kinds: list[StepKind], states: list[State], request_id: int | None = None) -> Step | None:
    """Take the next step under a lease (T1 begins here), in one statement: the fence is raised, a lost lease is counted.

    A step waits for the earlier steps of its own source alone: a failing source stops nobody else.
    """
    now = timezone.now()
    query = CLAIM.format(
        kinds=", ".join(["%s"] * len(kinds)),
        states=", ".join(["%s"] * len(states)),
        only="" if request_id is None else "AND step.request_id = %s",
        lock="FOR UPDATE OF step SKIP LOCKED" if connection.features.has_select_for_update_skip_locked else "",
    )
    only = [] if request_id is None else [request_id]
    values = [now + settings.LEASE, now, now, settings.MAX_CLAIMS, *kinds, *states, *only]
    # All of it is read: on SQLite the statement, and with it what it wrote, ends with its last row.
    return next(iter(list(Step.objects.raw(query, values))), None)


def give_up_lost(kinds: list[StepKind]) -> int:
    """Block, by name, steps whose last allowed lease was lost too: something in them kills workers (law 8)."""
    lost = Q(status=StepStatus.LEASED, lease_until__lt=timezone.now(), claims__gte=settings.MAX_CLAIMS - 1)
    done = 0
    for step in list(Step.objects.filter(lost, kind__in=kinds).order_by("pk")):
        with transaction.atomic():
            # Only what is still as it was read: whoever claimed it anew meanwhile has raised the fence.
            blocked = Step.objects.filter(pk=step.pk, token=step.token, status=StepStatus.LEASED).update(
                status=StepStatus.BLOCKED, reason=StepReason.LOST_CLAIMS, claims=F("claims") + 1, token=F("token") + 1
            )
            if blocked:
                PrivacyRequest.objects.filter(pk=step.request_id).update(attention=StepReason.LOST_CLAIMS)
                done += 1
    return done


def work(step: Step) -> tuple[list[outbox.Claimed], bool]:
    """Carry one claimed step as far as it goes; every way to fail has a named reason that a person sees.

    Returns the letters to be sent now, and whether it was the last step, with which its request moved on.
    """
    try:
        held = hold(step)
        occupy(held)
        import_string(HANDLERS[step.kind])(held)
        return held.letters, held.over
    except Fenced:
        log.info("a step was taken over", step=step.pk)
    except lookout.Stop as stop:
        pause(step, stop.reason, block=stop.block)
    except SourceUnavailable as error:
        reason = StepReason.TIMEOUT if error.code == "timeout" else StepReason.UNREACHABLE
        # Shutting the account, or telling of a choice, is tried for as long as it takes: the person was told that it is
        # so.
        given_up = step.kind not in (StepKind.CLOSE, StepKind.APPLY) and step.retries + 1 >= settings.MAX_RETRIES
        pause(step, reason, block=given_up, failed=True)
    except SourceBroken as error:
        log.warning("a source refused", step=step.pk, code=error.code)
        known = error.code if error.code in StepReason.values else StepReason.ERROR
        pause(step, StepReason(known), block=True, failed=True)
    except NotSupported:
        pause(step, StepReason.NOT_SUPPORTED, block=True)
    except Exception as error:
        # An error nobody foresaw must stop this step, by name, and no other.
        log.exception("a step failed", step=step.pk, error=type(error).__name__)
        pause(step, StepReason.ERROR, block=step.retries + 1 >= settings.MAX_RETRIES, failed=True)
    return [], False


def occupy(held: Held) -> None:
    """Take, or keep, the lease on the person that keeps a copy and an erasure apart. Raises lookout.Stop(BUSY)."""
    mine, subject = LEASED_AS.get(StepKind(held.step.kind)), held.request.case.subject_id
    now = timezone.now()
    if (
        mine is None
        or subject is None
        or (held.occupied_until and now < held.occupied_until - LEASE_KEPT * settings.LEASE)
    ):
        return
    until = now + settings.LEASE
    free = Q(busy_with__in=["", mine]) | Q(busy_until__lt=now)
    if not Subject.objects.filter(free, pk=subject).update(busy_with=mine, busy_until=until):
        raise lookout.Stop(StepReason.BUSY)
    held.occupied_until = until


def vacate(held: Held) -> None:
    """Let others have the person, where nobody else works on them in the same way. In the transaction that ends a step."""
    mine, subject = LEASED_AS.get(StepKind(held.step.kind)), held.request.case.subject_id
    if mine is None or subject is None:
        return
    alike = [kind for kind, name in LEASED_AS.items() if name == mine]
    others = Step.objects.filter(request__case__subject_id=subject, status=StepStatus.LEASED, kind__in=alike)
    alone = ~Exists(others.exclude(pk=held.step.pk))
    Subject.objects.filter(alone, pk=subject, busy_with=mine).update(busy_with="", busy_until=None)


def hold(step: Step) -> Held:
    """Load what the step needs and check that the plan is the frozen one (law 5)."""
    frozen = Plan.objects.filter(request_id=step.request_id, frozen_at__isnull=False)
    plan = frozen.select_related("request__case").order_by("-version").first()
    if plan is None:
        raise lookout.Stop(StepReason.PLAN_CHANGED, block=True)
    return Held(step, step.token, plan.request, plan, plan.body())


def pause(step: Step, reason: StepReason, *, block: bool, failed: bool = False) -> None:
    """Put a step back with its reason, later each time, or hand it to a person. The intent stays: it is redone."""
    now = timezone.now()
    delay = settings.RETRY_AFTER * 2 ** min(step.retries, 6) if failed else settings.RETRY_AFTER
    with transaction.atomic():
        changed = Step.objects.filter(pk=step.pk, token=step.token, status=StepStatus.LEASED).update(
            status=StepStatus.BLOCKED if block else StepStatus.QUEUED, reason=reason, lease_until=None,
            retries=F("retries") + int(failed), claims=0, due_at=now + delay,
        )  # fmt: skip
        if changed:
            PrivacyRequest.objects.filter(pk=step.request_id).update(attention=reason)


# --- the three kinds of step --------------------------------------------------------------------------------------


def _close(held: Held) -> None:
    source, ref = reach_one(held, judge=False)
    outcome = source.close(ref) if ref else Outcome()
    record(held, outcome)


def _settle(held: Held) -> None:
    held.look()
    source, ref = reach_one(held)
    outcome = source.settle(ref, str(held.request.uid), timezone.localdate()) if ref else Outcome()
    record(held, outcome)


def _erase(held: Held) -> None:
    found = held.body["sources"][held.step.source]
    if found.get("untouched"):
        record(held, Outcome())
        return
    if found.get("rotation_days"):
        # Backups: nothing to run. What they hold goes when they are overwritten (11 CCR 7022(d); Art 17 in practice).
        record(held, Outcome())
        return
    source, ref = reach_one(held)
    if not ref:
        record(held, Outcome())
        return
    intent, outcome = erase_all(held, source, ref)
    record(held, outcome, intent)


def erase_all(held: Held, source: Connector, ref: str) -> tuple[Intent, Outcome]:
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


def _chunk(held: Held, source: Connector, ref: str) -> tuple[Intent, Outcome]:
    """T1 and T2 of one chunk; T3 is the caller's: the last one ends the step."""
    intent, redo = t1_intent(held, source, ref)
    return intent, t2_company(held, source, ref, intent, redo=redo)


def t1_intent(held: Held, source: Connector, ref: str) -> tuple[Intent, bool]:
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
        occupy(held)
        until = timezone.now() + settings.LEASE
        renewed = Step.objects.filter(pk=step.pk, token=held.token, status=StepStatus.LEASED).update(
            intent_sealed=sealed, lease_until=until
        )
        if not renewed:
            raise Fenced
        held.look()
    step.intent_sealed, step.lease_until = sealed, until
    return intent, redo


def t2_company(held: Held, source: Connector, ref: str, intent: Intent, *, redo: bool) -> Outcome:
    """Company: one transaction, the retention condition in the WHERE of the delete itself. Not begun, and not
    committed, after the lease: a worker that slept harms nothing."""
    still_ours(held)
    return source.erase(ref, held.orders, intent, held.step_key, redo, before_commit=lambda: still_ours(held))


def still_ours(held: Held) -> None:
    """A sixth of the lease must be left: for that long the source waits for a worker that sleeps before its commit. Of
    the lease on the person too, where this work takes one: past it a copy may meet an erasure."""
    until = held.step.lease_until
    if until is not None and held.occupied_until is not None:
        until = min(until, held.occupied_until)
    if until is None or timezone.now() >= until - settings.LEASE / 6:
        raise Fenced


def t3_record(held: Held, intent: Intent, outcome: Outcome) -> None:
    """Desk: only where the fence still fits, add the counts, move the cursor, clear the intent, audit."""
    with transaction.atomic():
        request = lock(held.request.pk)
        tallies = merged(held.step.tallies, outcome)
        recorded = Step.objects.filter(pk=held.step.pk, token=held.token, status=StepStatus.LEASED).update(
            cursor=intent.cursor, tallies=tallies, intent_sealed=None, chunks=F("chunks") + 1, claims=0,
            lease_until=timezone.now() + settings.LEASE,
        )  # fmt: skip
        if not recorded:
            raise Fenced
        audit.record(request.case, _entry(held, "chunk_erased", outcome))
    held.step.cursor, held.step.tallies, held.step.intent_sealed = intent.cursor, tallies, None
    held.step.lease_until = timezone.now() + settings.LEASE


def record(
    held: Held, outcome: Outcome, intent: Intent | None = None, *, also: Callable[[], None] | None = None
) -> None:
    """Desk: end a step where the fence still fits; the last one settles its request in the same transaction.

    With `intent`, this is the T3 of the step's last chunk too. `also` is what else is written where the fence fits. The
    letters go to `held`, to be sent after the commit.
    """
    now = timezone.now()
    letters: list[outbox.Claimed] = []
    with transaction.atomic():
        request = lock(held.request.pk)
        request.case.share_key(held.request.case)
        tallies = merged(held.step.tallies, outcome)
        ended = Step.objects.filter(pk=held.step.pk, token=held.token, status=StepStatus.LEASED).update(
            status=StepStatus.DONE, tallies=tallies, reason="", lease_until=None, claims=0, finished_at=now,
            intent_sealed=None, **({"cursor": intent.cursor, "chunks": F("chunks") + 1} if intent else {}),
        )  # fmt: skip
        if not ended:
            raise Fenced
        if also:
            also()
        noted = [_entry(held, "chunk_erased", outcome)] if intent else []
        noted.append(_entry(held, f"{held.step.kind}_done", Outcome() if intent else outcome))
        vacate(held)
        finish.clear_attention(request)
        over = finish.settle_if_done(Inside(request, noted, letters), held.body)
    held.letters, held.over = letters, over


def _entry(held: Held, what: str, outcome: Outcome) -> audit.Entry:
    details = {"source": held.step.source, **counts(outcome)}
    return audit.Entry(what, SYSTEM, held.request.pk, details=details)


def reach(held: Held, *, judge: bool = True, flags: bool = True) -> tuple[Connector, str]:
    """The connector and the person's key in the source. A source that could not be asked when the plan was made is
    asked now; what it says that needs judgement stops the erasing, not the closing, and by `flags` not a choice."""
    step, found = held.step, held.body["sources"][held.step.source]
    source = connector(step.source)
    if found["status"] != "unknown":
        return source, found["ref"]
    sibling = Step.objects.filter(request=held.request, source=step.source, ref_sealed__isnull=False).first()
    if sibling:
        return source, held.request.case.unseal(sibling.ref_sealed, "ref")
    located = source.locate(Identity(held.request.case.email), held.orders)
    if judge and located.status == "unknown":
        # Only a person can look here (a source without a machine interface): it becomes their task.
        raise lookout.Stop(StepReason.NOT_SUPPORTED, block=True)
    if located.status == "several":
        raise lookout.Stop(StepReason.SEVERAL_MATCHES, block=True)
    if judge and flags and set(located.flags) - set(held.body["flags"]):
        raise lookout.Stop(StepReason.NEEDS_JUDGEMENT, block=True)
    if located.ref:
        Step.objects.filter(pk=step.pk).update(ref_sealed=held.request.case.seal(located.ref, "ref"))
    return source, located.ref


def reach_one(held: Held, *, judge: bool = True) -> tuple[Connector, str]:
    """Like reach(), for work that changes exactly one person's rows: two people under one address stop it."""
    if held.body["sources"][held.step.source]["status"] == "several":
        raise lookout.Stop(StepReason.SEVERAL_MATCHES, block=True)
    return reach(held, judge=judge)
