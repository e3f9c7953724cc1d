"""Letters that were sent, to be read again: as a page, as text, and on paper (PDF).

The bodies are those of the mails (templates/email/), in another frame and without the links, which carry tokens. A PDF
is made once, from what stands in our own templates: nothing outside is ever fetched for it.
"""

from contextlib import suppress
from threading import BoundedSemaphore
from typing import Any, Final

from django.conf import settings
from django.db import IntegrityError, transaction
from django.http import HttpResponse
from django.template.loader import render_to_string
from django.utils import timezone, translation

from dsar.enums import LINK_NOTICES, TO_OTHERS, MessageStatus, Notice
from dsar.models import Case, Letter, Message
from dsar.notifications import compose

# Mails that are nothing without their link.
WAYS_IN: Final = frozenset({*LINK_NOTICES, Notice.CONFIRM_READY, Notice.CONFIRM_REMINDER})
PAPER: Final = "letters/paper.html"
# Bounds of what one web request may cost: about thirty pages, one letter at a time per process, and so long in line.
MAX_HTML: Final = 100_000
IN_LINE: Final = 10.0
_press = BoundedSemaphore(1)


class TooMuch(Exception):
    """This letter is too long for paper, or too many are being made: page and text are there all the same."""


def is_letter(message: Message) -> bool:
    """Whether a message is a letter that was sent to the person, or waits to be printed for them."""
    if message.by_post:
        # On paper it is a letter from the moment it waits to be printed.
        return message.status in (MessageStatus.TO_POST, MessageStatus.SENT)
    # What goes to others is no letter of the person's, before and after the purge.
    no_letter = message.notice in WAYS_IN or message.notice in TO_OTHERS
    return message.status == MessageStatus.SENT and bool(message.notice) and not no_letter


def find(case: Case, pk: int) -> Message | None:
    """A letter of a case by its number."""
    rows = Message.objects.select_related("request", "check_ref", "decision")
    message = rows.filter(pk=pk, case=case).first() if pk < 2**63 else None
    if message is None or not is_letter(message):
        return None
    message.case = case
    if message.request:
        message.request.case = case
    return message


def language_of(case: Case) -> str:
    """The language in which a case is written to."""
    return case.language or settings.LANGUAGE_CODE


def context(message: Message, layout: str) -> dict[str, Any]:
    """What the letter's templates use, in the frame `layout`. The caller has switched to the case's language."""
    context = compose.context_for(message, layout=layout)
    return {**context, "subject": compose.subject(message, context)}


def body(message: Message) -> str:
    """The template of the letter."""
    return f"email/{message.notice}/body.html"


def text(message: Message) -> str:
    """The letter as plain text."""
    with translation.override(language_of(message.case)):
        return compose.as_text(message, context(message, PAPER))


def html(message: Message) -> str:
    """The letter as one page that stands for itself; this is what becomes a PDF."""
    with translation.override(language_of(message.case)):
        return render_to_string(body(message), context(message, PAPER))


def file_name(message: Message, kind: str) -> str:
    """A name that says which case, and nothing about anybody."""
    return f"{message.case.reference}-{message.pk}.{kind}"


def pdf(message: Message) -> bytes:
    """The letter as a tagged PDF (PDF/UA-1): made when it is first asked for, sealed, and the same from then on.

    Raises TooMuch.
    """
    case = message.case
    kept = Letter.objects.filter(message=message, pdf_sealed__isnull=False).first()
    if kept is None:
        made = press(html(message))
        place = f"letter:{message.pk}"
        with suppress(IntegrityError), transaction.atomic():
            Letter.objects.create(
                message=message, pdf_sealed=case.seal(made, place), size=len(made), made_at=timezone.now()
            )
        kept = Letter.objects.get(message=message)
    return case.unseal_bytes(kept.pdf_sealed, f"letter:{message.pk}")


def press(source: str) -> bytes:
    """HTML to PDF. Fetches nothing, whatever the HTML names. Raises TooMuch."""
    if len(source) > MAX_HTML:
        raise TooMuch("too long")
    if not _press.acquire(timeout=IN_LINE):
        raise TooMuch("busy")
    try:
        # Here and not above: the library takes half a second to load, and few processes ever need it.
        from weasyprint import HTML
        from weasyprint.urls import URLFetcher

        class Nothing(URLFetcher):
            """Refuses every address."""

            def fetch(self, url: str, headers: object = None) -> Any:
                raise ValueError("letters fetch nothing")

        made: bytes = HTML(string=source, url_fetcher=Nothing()).write_pdf(pdf_variant="pdf/ua-1")
        return made
    finally:
        _press.release()


def download(message: Message, kind: str, content: bytes) -> HttpResponse:
    """The answer that hands a letter over as a file: `kind` is txt or pdf."""
    types = {"txt": "text/plain; charset=utf-8", "pdf": "application/pdf"}
    named = f'attachment; filename="{file_name(message, kind)}"'
    return HttpResponse(content, content_type=types[kind], headers={"Content-Disposition": named})
