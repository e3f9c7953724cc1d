"""A raw mail in, a `ParsedMail` or a `Quarantined` out. Never an exception, whatever the bytes are.

The reading happens in a child process with limits of its own (`child`), started by `subprocess`, since a
Celery prefork worker may not start multiprocessing children.
"""

import json
import subprocess
import sys
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any, Final, Self

from dsar.intake.mail import limits
from dsar.intake.mail.kinds import KINDS, Kind
from dsar.intake.mail.reading import Refused, preflight

_CHILD: Final = Path(__file__).with_name("child.py")

REASONS: Final = frozenset(
    {
        "empty",
        "mail_too_large",
        "headers_too_large",
        "header_too_large",
        "no_headers",
        "parser_failed",
        "too_many_parts",
        "too_deep",
        "too_many_addresses",
        "too_much_memory",
        "too_slow",
        "unreadable",
    }
)


@dataclass(frozen=True, slots=True)
class Attachment:
    """What is known about one attached file. Its bytes stay in the stored mail; nothing is unpacked or run.

    `index` is its place among all parts, outermost first. `name` is for display only. `sha256` is empty for
    an
    attached mail, which has no bytes of its own.
    """

    index: int
    name: str
    declared_type: str
    sniffed_type: str
    size: int
    sha256: str


@dataclass(frozen=True, slots=True)
class ParsedMail:
    """One mail as plain values, clean of control characters, safe to store and to show as text.

    `from_address` is empty unless there is exactly one From with one address; a flag then says why. It is a
    claim,
    never an identity. `date` is ISO 8601 in UTC as the sender set it; no period runs from it. `text` is
    everything,
    `new_text` the writer's own words, at most 16 KB. `kind` is `own_loop` where the mail bears our loop
    field: its
    value is `loop_token`, to be verified; where that fails, `kind_otherwise` holds. `authenticity` is
    evidence from
    our own mail server only. `report` holds `action`, `status` and `original_message_id` of a delivery
    report.
    """

    from_address: str
    from_name: str
    subject: str
    message_id: str
    in_reply_to: str
    references: tuple[str, ...]
    date: str
    to: tuple[str, ...]
    text: str
    new_text: str
    language: str
    kind: Kind
    kind_otherwise: Kind
    loop_token: str
    attachments: tuple[Attachment, ...]
    authenticity: dict[str, str]
    report: dict[str, str]
    flags: tuple[str, ...]

    def as_json(self) -> dict[str, Any]:
        """Plain values for a JSON field."""
        return asdict(self)

    @classmethod
    def from_json(cls, value: dict[str, Any]) -> Self:
        """The mail that `as_json` described. Raises KeyError, TypeError or ValueError for anything else."""
        given = {field.name: value[field.name] for field in fields(cls)}
        if given["kind"] not in KINDS or given["kind_otherwise"] not in KINDS:
            raise ValueError("unknown kind of mail")
        for name in ("references", "to", "flags"):
            given[name] = tuple(given[name])
        given["attachments"] = tuple(Attachment(**item) for item in given["attachments"])
        return cls(**given)

    @property
    def sender_unclear(self) -> bool:
        """Whether nobody can be answered without a person looking first."""
        return not self.from_address


@dataclass(frozen=True, slots=True)
class Quarantined:
    """A mail that cannot be read within the limits; `reason` is one of `REASONS`. The raw bytes are kept."""

    reason: str


def parse(raw: bytes, *, own_authserv_id: str = "", own_addresses: tuple[str, ...] = ()) -> ParsedMail | Quarantined:
    """Reads one mail within 30 s, 512 MB and 20 s of processor time.

    `own_authserv_id`: the name our mail server signs Authentication-Results with (RFC 8601); without it
    there is
    no evidence. `own_addresses`: addresses we send from. Raises nothing that depends on the mail.
    """
    try:
        preflight(raw)
    except Refused as refused:
        return Quarantined(refused.reason)
    options = json.dumps({"own_authserv_id": own_authserv_id, "own_addresses": list(own_addresses)})
    try:
        done = subprocess.run(  # noqa: S603 - this interpreter and our own file
            [sys.executable, "-I", str(_CHILD), options],
            input=raw,
            capture_output=True,
            check=False,
            timeout=limits.WALL_SECONDS,
            env={"LC_ALL": "C.UTF-8", "PYTHONDONTWRITEBYTECODE": "1"},
        )
    except subprocess.TimeoutExpired:
        return Quarantined("too_slow")
    return _answer(done.returncode, done.stdout)


def _answer(code: int, output: bytes) -> ParsedMail | Quarantined:
    if code < 0:
        # The kernel ends a process beyond its processor time with SIGXCPU or SIGKILL.
        return Quarantined("too_slow")
    if code > 0 or len(output) > limits.OUTPUT_BYTES:
        return Quarantined("parser_failed")
    try:
        value = json.loads(output)
        if "mail" in value:
            return ParsedMail.from_json(value["mail"])
        reason = value["quarantined"]
    except (ValueError, KeyError, TypeError):
        return Quarantined("parser_failed")
    return Quarantined(reason if reason in REASONS else "parser_failed")
