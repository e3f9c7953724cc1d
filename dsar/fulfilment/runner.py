"""Runs steps: claim the next that is due, do what its kind asks for, and give every way to fail a name (DESIGN section 6).

A step is claimed under a lease. A worker that wakes after its lease is fenced out by the token (held_step.py).
"""

import structlog
from django.conf import settings
from django.db import connection, transaction
from django.db.models import F, Q
from django.utils import timezone
from django.utils.module_loading import import_string

from dsar import bell
from dsar.connectors.base import NotSupported, SourceBroken, SourceUnavailable
from dsar.enums import BOUND_STATES, WORK_KINDS, State, StepKind, StepReason, StepStatus
from dsar.fulfilment import begin, finish, held_step, lookout, owners
from dsar.models import PrivacyRequest, Step
from dsar.notifications import outbox

log = structlog.get_logger(__name__)

# Work that belongs to no one state: a flag while an objection is weighed, a copy put together again while it is looked
# through, a recipient who is told after the letter, what was kept. The handler looks whether it is still wanted.
AT_ANY_TIME = (StepKind.RESTRICT, StepKind.LIFT, StepKind.PACK, StepKind.NOTIFY, StepKind.LATER)
ANY_STATE = ", ".join(f"'{kind}'" for kind in AT_ANY_TIME)
# What each kind of step does: a function that takes the claimed step and ends it with held_step.record().
HANDLERS: dict[str, str] = {
    StepKind.CLOSE: "dsar.fulfilment.erasure._close",
    StepKind.SETTLE: "dsar.fulfilment.erasure._settle",
    StepKind.ERASE: "dsar.fulfilment.erasure._erase",
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
        held = held_step.hold(step)
        held_step.occupy(held)
        import_string(HANDLERS[step.kind])(held)
        return held.letters, held.over
    except held_step.Fenced:
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
            stuck = PrivacyRequest.objects.filter(pk=step.request_id)
            stuck.exclude(finish.DOUBTED_TOO_LATE).update(attention=reason)
