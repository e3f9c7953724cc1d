"""The proof that a bundle carries: the case's audit chain event by event, whether it holds, the checkpoint that signed it, and
how anybody can check that without this program."""

import json
from typing import Any

from dsar import audit, journal
from dsar.desk.bundle_reader import is_plain
from dsar.models import AuditEvent, Case, Checkpoint

HOW = """\
How to check the history of this case without our program
==========================================================

audit/chain.jsonl has one event a line, in order. Each line has:
  canonical  the event as one line of JSON: chain, number, time (UTC), kind of actor, number of the actor, what, number of
             the request, state before, state after, details, hash of the event before
  hash       HMAC-SHA-256 of it, in hexadecimal

A line without "canonical" stands for an event that is told to an authority alone: its number and its hash are there, so that it
cannot be another one later.

Without any key
  1. The numbers run from 1 without a gap.
  2. The last value of each "canonical" that is there is the "hash" of the line before (empty in the first one).
  3. audit/result.json says how many events the chain has and the hash of the last one ("length", "head"). They are those
     of the last line.
  4. "checkpoint" there says length and head as they were signed and written to a file outside the database at that time.
     The line with that number has that hash.
  So nothing was taken out of the middle or from the end, and nothing was put in between.

With the audit key (it stays with the company, since whoever has it could forge a history; ask for it, or watch)
  5. The message is four bytes with the length of "canonical" (big-endian) and then "canonical" itself (plain ASCII).
     HMAC-SHA-256 with the 32 bytes of the key gives "hash". With the text in a file called canonical, of 300 bytes:
         (printf '\\000\\000\\001\\054'; cat canonical) | openssl dgst -sha256 -mac HMAC -macopt hexkey:KEY
     The key is derived from the company's root key by HKDF (RFC 5869, expand step alone, SHA-256, 32 bytes, info
     "rightsdesk:audit").
  So no event was changed, not even its time.

The files of this bundle
  index.json names each with its SHA-256: sha256sum FILE.
  plan.json: the SHA-256 of each "material" (UTF-8, as it stands between the quotation marks, unescaped) is its "digest",
  the hash of what the person confirmed or what was approved.
"""


def events(case: Case) -> list[AuditEvent]:
    """The chain as long as its case says that it is now; what is added meanwhile belongs to the next bundle."""
    return list(AuditEvent.objects.filter(chain=case.chain, number__lte=case.audit_length).order_by("number"))


def lines(found: list[AuditEvent], *, told: bool) -> str:
    """The chain, an event a line; where not everything is `told`, the hash alone stands for what is not."""
    said = (
        {"canonical": audit.canonical(one), "hash": one.hash}
        if told or is_plain(one)
        else {"number": one.number, "hash": one.hash}
        for one in found
    )
    return "".join(json.dumps(one) + "\n" for one in said)


def result(case: Case) -> dict[str, Any]:
    """Whether the chain verifies, up to which event, and the last checkpoint that names it."""
    faults = audit.verify_chain(case.chain, case.audit_length, case.audit_head, upto=case.audit_length)
    return {
        "chain": case.chain, "length": case.audit_length, "head": case.audit_head,
        "faults": [{"number": one.number, "problem": one.problem} for one in faults],
        "checkpoint": _checkpoint(case.chain),
    }  # fmt: skip


def _checkpoint(chain: str) -> dict[str, Any] | None:
    """The newest line of the journal that signed this chain, and whether the database has that checkpoint unchanged."""
    newest = None
    for line in journal.lines("checkpoint"):
        if chain in line["heads"]:
            newest = line
    if newest is None:
        return None
    length, head = newest["heads"][chain]
    held = Checkpoint.objects.filter(signature=newest["signature"]).first()
    return {
        "at": newest["at"], "root": newest["root"], "signature": newest["signature"], "length": length, "head": head,
        "signature_holds": held is not None and audit.is_signed(held),
    }  # fmt: skip
