"""The bundle for an authority: everything that proves that one request was handled rightly, as a zip with an index.

Written file by file in one order; the same request gives the same files, the index apart, which says when it was made.
"""

import hashlib
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime
from typing import IO, Any
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

from django.conf import settings
from django.core.serializers.json import DjangoJSONEncoder
from django.db import connection, transaction
from django.template.loader import render_to_string
from django.utils import timezone
from django.utils.translation import gettext as _

from dsar.desk import bundle_facts as facts
from dsar.desk import bundle_proof as proof
from dsar.desk import bundle_records as records
from dsar.desk.bundle_reader import Mask, Reader, leave_out
from dsar.enums import BundleReason
from dsar.models import Message, PrivacyRequest
from dsar.notifications import paper

# A zip wants a time for each file; one that is always the same keeps bundles comparable.
LONG_AGO = (1980, 1, 1, 0, 0, 0)


@dataclass(frozen=True)
class Made:
    """What was written: how many files, and the SHA-256 of the whole zip."""

    files: int
    digest: str


def write(sink: IO[bytes], pk: int, why: BundleReason, by: str, *, masked: bool = False) -> Made:
    """Write the bundle of a request to a file that can seek. `why` it leaves the house and who asked (`by`) stand in its
    index, and say what is in it: what a law forbids to tell goes to an authority alone. `masked`: without names and
    addresses of the person.

    Reads only, and everything as it stood at one moment. The caller notes it in the audit trail before anybody gets the
    file. Raises PrivacyRequest.DoesNotExist."""
    listed: list[dict[str, Any]] = []
    with _one_moment(), ZipFile(sink, "w", ZIP_DEFLATED) as archive:
        found = PrivacyRequest.objects.select_related("case").get(pk=pk)
        page: dict[str, Any] = {}
        for name, what, content in _files(found, page, Reader.of(why, masked=masked)):
            _add(archive, name, content)
            listed.append(
                {"file": name, "what": what, "size": len(content), "sha256": hashlib.sha256(content).hexdigest()}
            )
        made_at = timezone.now()
        index = {
            "format": 2, "company": settings.COMPANY_NAME, "contact": settings.PRIVACY_EMAIL,
            "reference": found.case.reference, "made_at": made_at, "made_by": by, "why": str(why.label), "masked": masked,
            "files": listed,
        }  # fmt: skip
        _add(archive, "index.json", _json(index))
        silent = any(one["ended_at"] is None for one in page.get("silences", []))
        context = {**page, **index, "purged": found.case.purged_at is not None, "silent": silent}
        _add(archive, "index.html", render_to_string("desk/bundle/index.html", context).encode())
    sink.seek(0)
    return Made(len(listed) + 2, hashlib.file_digest(sink, "sha256").hexdigest())  # type: ignore[arg-type]


@contextmanager
def _one_moment() -> Iterator[None]:
    """Read everything as it stands now, whatever is decided while the file is written. Inside a transaction of the caller's
    it is that one that says what is seen."""
    if connection.in_atomic_block:
        yield
        return
    with transaction.atomic():
        if connection.vendor == "postgresql":
            with connection.cursor() as cursor:
                cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        yield


def _add(archive: ZipFile, name: str, content: bytes) -> None:
    entry = ZipInfo(name, LONG_AGO)
    entry.compress_type = ZIP_DEFLATED
    entry.external_attr = 0o600 << 16
    archive.writestr(entry, content)


def _files(found: PrivacyRequest, page: dict[str, Any], reader: Reader) -> Iterator[tuple[str, str, bytes]]:
    """Each file: its name, what it is, its bytes. What the page shows too is left in `page`."""
    chain = proof.events(found.case)
    mask = Mask(found) if reader.masked else None
    written = []
    for number, one in enumerate(facts.messages(found), 1):
        one.case = found.case
        name = f"letters/{number:03d}-{one.notice or 'message'}" if facts.is_letter(one) else ""
        written.append((one, f"{name}.txt" if name else ""))
        if name:
            yield from _letter(one, name, mask)
    what, said = _said(found)
    said |= {"timeline": facts.timeline(chain, told=reader.told), "conversation": facts.conversation(found, written)}
    if not reader.told:
        said = leave_out(found, said)
    if mask:
        said = mask.data(said) | {"request": mask.request(said["request"])}
    for name, content in said.items():
        page[name] = content
        yield f"{name}.json", what[name], _json(content)
    page["proof"] = proof.result(found.case)
    yield (
        "audit/chain.jsonl",
        _("The audit trail of the case, event by event"),
        proof.lines(chain, told=reader.told).encode(),
    )
    yield "audit/result.json", _("Whether the trail holds, and the checkpoint that signed it"), _json(page["proof"])
    yield "audit/how-to-check.txt", _("How to check it without our program"), proof.HOW.encode()


def _said(found: PrivacyRequest) -> tuple[dict[str, str], dict[str, Any]]:
    """By the name of its file what each is, and what it says; timeline and conversation are filled in by the caller."""
    listed: list[tuple[str, str, Any]] = [
        ("request", _("What was asked, in the person's words, and how it ended"), facts.request(found)),
        ("dates", _("The dates of the law with their arithmetic"), facts.dates(found)),
        ("timeline", _("What happened, when, and who did it"), None),
        ("conversation", _("Every message, with the letter that it is"), None),
        ("identity", _("How we made sure who asks"), facts.identity(found)),
        ("decisions", _("Decisions: code, article, words, who and when"), facts.decisions(found)),
        ("proposals", _("Refusals that were proposed, also those that were sent back"), records.proposals(found)),
        ("corrections", _("A correction field by field: what was decided, why, by whom"), records.corrections(found)),
        ("weighings", _("Exceptions that were weighed, and what for"), records.weighings(found)),
        ("redactions", _("What was left out of a copy, why, by whom"), records.redactions(found)),
        ("outcomes", _("The outcome per category, what is kept, who was told"), facts.outcomes(found)),
        ("plan", _("The plan as it was frozen, with its hash"), facts.plan(found)),
        ("work", _("What was carried out, with itemised counts"), facts.work(found)),
        ("copy", _("The manifest of what was handed over; never the data"), facts.copies(found)),
        ("restriction", _("Since when and until when the data were not used"), records.restriction(found)),
        ("choices", _("Opt-outs and objections that stand because of it"), records.choices(found)),
        ("fees", _("Fees: what was asked for, by which article, what became of it"), records.fees(found)),
        ("law", _("Why this law, and who said so"), records.law(found)),
        (
            "on_paper",
            _("What came in, and a signed confirmation: when, who filed it, who agreed"),
            records.on_paper(found),
        ),
        ("kept_apart", _("Colleagues who handle nothing of this person"), records.kept_apart(found)),
        ("appeals", _("Appeals, complaints and grievances"), facts.appeals(found)),
        ("record", _("The entry of the log of requests (11 CCR 7101)"), facts.record(found)),
        (
            "silences",
            _("What a law forbids to tell the person: which law, who found so, until when"),
            records.silences(found),
        ),
    ]
    return {name: what for name, what, _content in listed}, {name: content for name, _what, content in listed}


def _letter(one: Message, name: str, mask: Mask | None) -> Iterator[tuple[str, str, bytes]]:
    what = _("Letter: %(what)s") % {"what": one.get_notice_display() if one.notice else _("Message")}
    text, page = paper.text(one), paper.html(one)
    yield f"{name}.txt", what, (mask.text(text) if mask else text).encode()
    yield f"{name}.html", what, (mask.text(page) if mask else page).encode()
    # On paper the address stands in its window.
    if not mask and (pressed := paper.pressed(one)):
        yield f"{name}.pdf", what, pressed


def _json(content: Any) -> bytes:
    return json.dumps(content, indent=1, ensure_ascii=False, cls=_Encoder).encode("utf-8", "replace") + b"\n"


class _Encoder(DjangoJSONEncoder):
    """Dates as days, moments to the second, whatever Django translates as text."""

    def default(self, o: Any) -> Any:
        if isinstance(o, datetime):
            return o.isoformat(timespec="seconds")
        return o.isoformat() if isinstance(o, date) else super().default(o)
