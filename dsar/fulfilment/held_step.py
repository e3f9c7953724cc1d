"""A claimed step in a worker's hand: what its work needs, the lease on its person, the fence, and how it is ended.

Every kind of step uses it: load it with hold(), work while still_ours(), end it with record().
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from typing import Any

from django.conf import settings
from django.db import connection, transaction
from django.db.models import F, Q
from django.utils import timezone

from dsar import audit, keys
from dsar.connectors.base import Connector, Identity, Intent, Outcome
from dsar.connectors.registry import connector
from dsar.datamap.orders import TableOrder
from dsar.enums import StepKind, StepReason, StepStatus
from dsar.fulfilment import finish, lookout
from dsar.fulfilment.tallies import counts, merged
from dsar.models import SYSTEM, Plan, PrivacyRequest, Step, Subject
from dsar.notifications import outbox
from dsar.workflow import Inside, lock

# The lease on the person is renewed once less than this share of it is left, so that a chunk has most of it before it.
LEASE_KEPT = 0.8
# A copy and an erasure of one person never overlap: each takes the person's lease as this.
LEASED_AS = {StepKind.SETTLE: "erase", StepKind.ERASE: "erase", StepKind.LATER: "erase", StepKind.EXPORT: "export"}

# In SQL, as it is said for every step of every person.
VACATE = f"""
    UPDATE dsar_subject SET busy_with = '', busy_until = NULL WHERE id = %s AND busy_with = %s AND NOT EXISTS (
        SELECT 1 FROM dsar_step step JOIN dsar_privacyrequest request ON request.id = step.request_id
                                     JOIN dsar_case related ON related.id = request.case_id
        WHERE related.subject_id = %s AND step.status = '{StepStatus.LEASED}' AND step.id <> %s
          AND step.kind IN ({{kinds}}))
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
    alike = [kind.value for kind, name in LEASED_AS.items() if name == mine]
    with connection.cursor() as cursor:
        cursor.execute(
            VACATE.format(kinds=", ".join(["%s"] * len(alike))), [subject, mine, subject, held.step.pk, *alike]
        )


def hold(step: Step) -> Held:
    """Load what the step needs and check that the plan is the frozen one (law 5)."""
    frozen = Plan.objects.filter(request_id=step.request_id, frozen_at__isnull=False)
    plan = frozen.select_related("request__case").order_by("-version").first()
    if plan is None:
        raise lookout.Stop(StepReason.PLAN_CHANGED, block=True)
    return Held(step, step.token, plan.request, plan, plan.body())


def still_ours(held: Held) -> None:
    """A sixth of the lease must be left: for that long the source waits for a worker that sleeps before its commit. Of
    the lease on the person too, where this work takes one: past it a copy may meet an erasure."""
    until = held.step.lease_until
    if until is not None and held.occupied_until is not None:
        until = min(until, held.occupied_until)
    if until is None or timezone.now() >= until - settings.LEASE / 6:
        raise Fenced


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
        noted = [entry(held, "chunk_erased", outcome)] if intent else []
        noted.append(entry(held, f"{held.step.kind}_done", Outcome() if intent else outcome))
        vacate(held)
        finish.clear_attention(request)
        over = finish.settle_if_done(Inside(request, noted, letters), held.body)
    held.letters, held.over = letters, over


def entry(held: Held, what: str, outcome: Outcome) -> audit.Entry:
    """What the audit trail says of this step: the source and the counts of an outcome."""
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
