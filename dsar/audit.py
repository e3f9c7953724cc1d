"""The audit trail: record, verify, sign checkpoints. A hash chain per case, one for the house.

Every field enters the hash, the time too; the hash is keyed (HMAC), so that whoever can write to the database
cannot forge a chain. The chain's owner (case or house row) carries length and head: a cut-off end shows.
"""

import hashlib
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from typing import Any
from uuid import UUID

from django.db import connection
from django.utils import timezone

from dsar import journal, keys
from dsar.models import Actor, AuditEvent, Case, Checkpoint, House
from dsar.models.apart import keep_apart

# What is received is received, whoever wrote it down (law 1).
RECEIPTS = frozenset({"filed"})
SLOWEST_TRANSACTION = timedelta(hours=1)


@dataclass(frozen=True)
class Entry:
    """One event to be written. `details` holds codes, counts and ids of our own; never anything personal."""

    what: str
    actor: Actor
    request_id: int | None = None
    from_state: str = ""
    to_state: str = ""
    details: dict[str, Any] | None = None
    at: datetime | None = None


@dataclass(frozen=True)
class Fault:
    """What verification found: which chain, at which number, what is wrong."""

    chain: str
    number: int
    problem: str


def fingerprint(event: AuditEvent) -> str:
    """HMAC over every field of the event and the hash of the one before it."""
    return keys.mac("audit", canonical(event)).hex()


def canonical(event: AuditEvent) -> str:
    """What the hash of an event covers, as one line of JSON in plain ASCII."""
    fields = [
        event.chain, event.number, event.at.astimezone(UTC).isoformat(timespec="microseconds"), event.actor_kind, event.actor_id,
        event.what, event.request_id, event.from_state, event.to_state, event.details, event.previous,
    ]  # fmt: skip
    return json.dumps(fields, sort_keys=True, separators=(",", ":"))


def record(owner: Case | House, *entries: Entry) -> None:
    """Append to the owner's chain. The caller holds the owner's row lock inside a transaction.

    Every deed of the desk on a case comes by here, so this is where a colleague is kept apart from their own request and
    from those of people whom they are close to (models/apart.py): the deed is undone with its transaction.

    Raises RuntimeError outside a transaction: an event that can be lost is worth nothing. Raises Forbidden.
    """
    if not connection.in_atomic_block:
        raise RuntimeError("audit.record() needs the transaction of what it records")
    if isinstance(owner, Case):
        for actor in {entry.actor for entry in entries if entry.what not in RECEIPTS}:
            keep_apart(owner.pk, actor)
    now = timezone.now()
    number, head = owner.audit_length, owner.audit_head
    events = []
    for entry in entries:
        number += 1
        event = AuditEvent(
            chain=owner.chain, number=number, at=entry.at or now, actor_kind=entry.actor.kind, actor_id=entry.actor.user_id,
            what=entry.what, request_id=entry.request_id, from_state=entry.from_state, to_state=entry.to_state,
            details=entry.details or {}, previous=head,
        )  # fmt: skip
        head = event.hash = fingerprint(event)
        events.append(event)
    AuditEvent.objects.bulk_create(events)
    type(owner)._default_manager.filter(pk=owner.pk).update(audit_length=number, audit_head=head)
    owner.audit_length, owner.audit_head = number, head


def note_opening(case: Case, what: str, actor: Actor, request_id: int | None, file: int) -> None:
    """Note that a colleague opens a file with something personal in it: once a day, person and file (law 10). The caller
    holds the case's lock. Raises Forbidden."""
    keep_apart(case.pk, actor)
    midnight = timezone.make_aware(datetime.combine(timezone.localdate(), time.min))
    known = AuditEvent.objects.filter(
        chain=case.chain, what=what, actor_id=actor.user_id, details__file=file, at__gte=midnight
    )
    if not known.exists():
        record(case, Entry(what, actor, request_id, details={"file": file}))


def record_house(*entries: Entry) -> None:
    """Append to the chain of the house (switches, holds, sign-ins): what belongs to no case."""
    house, _ = House.objects.select_for_update().get_or_create(pk=1)
    record(house, *entries)


def owners() -> Iterator[tuple[str, int, str]]:
    """Every chain that should exist, with its length and head."""
    house = House.objects.filter(pk=1).first()
    if house:
        yield house.chain, house.audit_length, house.audit_head
    for uid, length, head in Case.objects.order_by("pk").values_list("uid", "audit_length", "audit_head").iterator():
        yield str(uid), length, head


def verify_chain(chain: str, length: int, head: str, *, upto: int | None = None) -> Iterator[Fault]:
    """Recompute one chain and compare it with the length and head that its owner carries. `upto`: look at the events up to
    this number alone, as when the chain goes on while it is looked at."""
    previous, number = "", 0
    rows = AuditEvent.objects.filter(chain=chain, **({} if upto is None else {"number__lte": upto}))
    for event in rows.order_by("number").iterator():
        number += 1
        if event.number != number:
            yield Fault(chain, number, "an event is missing")
            return
        if event.previous != previous or event.hash != fingerprint(event):
            yield Fault(chain, number, "an event was changed")
            return
        previous = event.hash
    if number != length or previous != head:
        yield Fault(chain, number, "the end was cut off")


def verify() -> list[Fault]:
    """Check every chain, every checkpoint's signature, and the chains against the journal outside the database."""
    faults: list[Fault] = []
    known: set[str] = set()
    for chain, length, head in owners():
        known.add(chain)
        faults.extend(_settled(chain, length, head))
    for chain in AuditEvent.objects.values_list("chain", flat=True).distinct():
        if chain not in known and _head_of(chain) is None:
            faults.append(Fault(chain, 0, "a chain without its owner"))
    faults.extend(_verify_checkpoints())
    return faults


def _head_of(chain: str) -> tuple[int, str] | None:
    """Length and head as the owner of a chain carries them now; None where it has none."""
    if chain == House(pk=1).chain:
        return House.objects.filter(pk=1).values_list("audit_length", "audit_head").first()
    try:
        return Case.objects.filter(uid=UUID(chain)).values_list("audit_length", "audit_head").first()
    except ValueError:
        return None


def _settled(chain: str, length: int, head: str) -> list[Fault]:
    """The faults of a chain. The house goes on working while it is looked at: where the head has moved since it was
    read, the chain is read once more; a fault under a head that stands is one."""
    faults = list(verify_chain(chain, length, head))
    while faults and (now := _head_of(chain)) not in (None, (length, head)):
        length, head = now
        faults = list(verify_chain(chain, length, head))
    return faults


def _verify_checkpoints() -> Iterator[Fault]:
    previous = ""
    for checkpoint in Checkpoint.objects.order_by("pk"):
        if checkpoint.signature != _signature(checkpoint) or checkpoint.previous != previous:
            yield Fault("checkpoint", checkpoint.pk, "a checkpoint was changed")
        previous = checkpoint.signature
    for line in journal.lines("checkpoint"):
        for chain, (length, head) in line["heads"].items():
            if length and not AuditEvent.objects.filter(chain=chain, number=length, hash=head).exists():
                yield Fault(chain, length, "differs from the journal outside the database")


def is_signed(checkpoint: Checkpoint) -> bool:
    """Whether a checkpoint carries our signature and follows the one before it."""
    earlier = Checkpoint.objects.filter(pk__lt=checkpoint.pk).order_by("-pk").first()
    return checkpoint.signature == _signature(checkpoint) and checkpoint.previous == (
        earlier.signature if earlier else ""
    )


def _signature(checkpoint: Checkpoint) -> str:
    return keys.mac(
        "checkpoint", checkpoint.at.astimezone(UTC).isoformat(timespec="microseconds"), str(checkpoint.chains),
        str(checkpoint.events), checkpoint.root, checkpoint.previous,
    ).hex()  # fmt: skip


def root_of(heads: Iterable[tuple[str, int, str]]) -> str:
    """SHA-256 over all chains, sorted by name."""
    digest = hashlib.sha256()
    for chain, length, head in sorted(heads):
        digest.update(f"{chain}:{length}:{head}\n".encode())
    return digest.hexdigest()


def checkpoint(now: datetime | None = None) -> Checkpoint:
    """Sign the heads of all chains and write those that moved since the last checkpoint to the journal file."""
    heads = list(owners())
    last = Checkpoint.objects.order_by("-pk").first()
    made = Checkpoint(
        at=now or timezone.now(), chains=len(heads), events=sum(length for _, length, _ in heads), root=root_of(heads),
        previous=last.signature if last else "",
    )  # fmt: skip
    made.signature = _signature(made)
    made.save()
    moved = {chain: (length, head) for chain, length, head in heads}
    if last:
        # An event's time is when its transaction began: one that committed after the last look may be older than it.
        since = last.at - SLOWEST_TRANSACTION
        recent = set(AuditEvent.objects.filter(at__gte=since).values_list("chain", flat=True).distinct())
        moved = {chain: value for chain, value in moved.items() if chain in recent}
    journal.write("checkpoint", at=made.at.isoformat(), root=made.root, signature=made.signature, heads=moved)
    return made
