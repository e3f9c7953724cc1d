"""The bundle for an authority: everything that proves that one request was handled rightly, as a zip with an index.

Written file by file in one order; the same request gives the same files, the index apart, which says when it was made.
"""

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime
from typing import IO, Any
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

from django.conf import settings
from django.core.serializers.json import DjangoJSONEncoder
from django.template.loader import render_to_string
from django.utils import timezone
from django.utils.translation import gettext as _

from dsar.desk import bundle_facts as facts
from dsar.desk import bundle_proof as proof
from dsar.models import Message, PrivacyRequest
from dsar.notifications import paper

# A zip wants a time for each file; one that is always the same keeps bundles comparable.
LONG_AGO = (1980, 1, 1, 0, 0, 0)


@dataclass(frozen=True)
class Made:
    """What was written: how many files, and the SHA-256 of the whole zip."""

    files: int
    digest: str


def write(sink: IO[bytes], found: PrivacyRequest, why: str, by: str) -> Made:
    """Write the bundle of a request to a file that can seek. `why` and `by` stand in its index: the reason, and who asked.

    Reads only. The caller notes it in the audit trail before anybody gets the file."""
    listed: list[dict[str, Any]] = []
    with ZipFile(sink, "w", ZIP_DEFLATED) as archive:
        page: dict[str, Any] = {}
        for name, what, content in _files(found, page):
            _add(archive, name, content)
            listed.append(
                {"file": name, "what": what, "size": len(content), "sha256": hashlib.sha256(content).hexdigest()}
            )
        made_at = timezone.now()
        index = {
            "format": 1, "company": settings.COMPANY_NAME, "contact": settings.PRIVACY_EMAIL,
            "reference": found.case.reference, "made_at": made_at, "made_by": by, "why": why, "files": listed,
        }  # fmt: skip
        _add(archive, "index.json", _json(index))
        context = {**page, **index, "purged": found.case.purged_at is not None}
        _add(archive, "index.html", render_to_string("desk/bundle/index.html", context).encode())
    sink.seek(0)
    return Made(len(listed) + 2, hashlib.file_digest(sink, "sha256").hexdigest())  # type: ignore[arg-type]


def _add(archive: ZipFile, name: str, content: bytes) -> None:
    entry = ZipInfo(name, LONG_AGO)
    entry.compress_type = ZIP_DEFLATED
    entry.external_attr = 0o600 << 16
    archive.writestr(entry, content)


def _files(found: PrivacyRequest, page: dict[str, Any]) -> Iterator[tuple[str, str, bytes]]:
    """Each file: its name, what it is, its bytes. What the page shows too is left in `page`."""
    chain = proof.events(found.case)
    written = []
    for number, one in enumerate(facts.messages(found), 1):
        one.case = found.case
        name = f"letters/{number:03d}-{one.notice or 'message'}" if facts.is_letter(one) else ""
        written.append((one, f"{name}.txt" if name else ""))
        if name:
            yield from _letter(one, name)
    said: list[tuple[str, str, Any]] = [
        ("request", _("What was asked, in the person's words, and how it ended"), facts.request(found)),
        ("dates", _("The dates of the law with their arithmetic"), facts.dates(found)),
        ("timeline", _("What happened, when, and who did it"), facts.timeline(chain)),
        ("conversation", _("Every message, with the letter that it is"), facts.conversation(found, written)),
        ("identity", _("How we made sure who asks"), facts.identity(found)),
        ("decisions", _("Decisions: code, article, words, who and when"), facts.decisions(found)),
        ("outcomes", _("The outcome per category, what is kept, who was told"), facts.outcomes(found)),
        ("plan", _("The plan as it was frozen, with its hash"), facts.plan(found)),
        ("work", _("What was carried out, with itemised counts"), facts.work(found)),
        ("copy", _("The manifest of what was handed over; never the data"), facts.copies(found)),
        ("appeals", _("Appeals, complaints and grievances"), facts.appeals(found)),
        ("record", _("The entry of the log of requests (11 CCR 7101)"), facts.record(found)),
    ]
    for name, what, content in said:
        page[name] = content
        yield f"{name}.json", what, _json(content)
    page["proof"] = proof.result(found.case)
    yield "audit/chain.jsonl", _("The audit trail of the case, event by event"), proof.lines(chain).encode()
    yield "audit/result.json", _("Whether the trail holds, and the checkpoint that signed it"), _json(page["proof"])
    yield "audit/how-to-check.txt", _("How to check it without our program"), proof.HOW.encode()


def _letter(one: Message, name: str) -> Iterator[tuple[str, str, bytes]]:
    what = _("Letter: %(what)s") % {"what": one.get_notice_display() if one.notice else _("Message")}
    yield f"{name}.txt", what, paper.text(one).encode()
    yield f"{name}.html", what, paper.html(one).encode()
    if pressed := paper.pressed(one):
        yield f"{name}.pdf", what, pressed


def _json(content: Any) -> bytes:
    return json.dumps(content, indent=1, ensure_ascii=False, cls=_Encoder).encode("utf-8", "replace") + b"\n"


class _Encoder(DjangoJSONEncoder):
    """Dates as days, moments to the second, whatever Django translates as text."""

    def default(self, o: Any) -> Any:
        if isinstance(o, datetime):
            return o.isoformat(timespec="seconds")
        return o.isoformat() if isinstance(o, date) else super().default(o)
