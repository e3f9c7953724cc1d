"""Letters that were sent, to be read again: as a page, as text, and on paper (PDF).

What a letter says is sealed as it is sent (see Letter), without the links, which carry tokens; here it gets its frame. A
PDF is made once of it: nothing outside is ever fetched for it.
"""

from threading import BoundedSemaphore
from typing import Any, Final

from django.conf import settings
from django.http import HttpResponse
from django.template.loader import render_to_string
from django.utils import timezone, translation
from django.utils.safestring import mark_safe
from django.utils.translation import gettext as _

from dsar.models import Case, Letter, Message
from dsar.notices import NO_LETTERS, MessageStatus
from dsar.notifications import compose

PAPER: Final = "letters/paper.html"
# Bounds of what one web request may cost: about thirty pages, one letter at a time per process, and so long in line.
MAX_HTML: Final = 100_000
IN_LINE: Final = 10.0
_press = BoundedSemaphore(1)


class TooMuch(Exception):
    """No paper now: too long a letter, too many at once, or nothing to press them with. Says so in words for whoever asked;
    page and text are there all the same."""


def is_letter(message: Message) -> bool:
    """Whether a message is a letter that was sent to the person, or waits to be printed for them."""
    if message.by_post:
        # On paper it is a letter from the moment it waits to be printed.
        return message.status in (MessageStatus.TO_POST, MessageStatus.SENT)
    return message.status == MessageStatus.SENT and bool(message.notice) and message.notice not in NO_LETTERS


def find(case: Case, pk: int) -> Message | None:
    """A letter of a case by its number."""
    rows = Message.objects.select_related("request", "check_ref", "decision")
    message = rows.filter(pk=pk, case=case).first()
    if message is None or not is_letter(message):
        return None
    message.case = case
    if message.request:
        message.request.case = case
    return message


def language_of(case: Case) -> str:
    """The language in which a case is written to."""
    return case.language or settings.LANGUAGE_CODE


def said(message: Message) -> dict[str, str]:
    """What the letter says: `subject`, `text`, `page`. As it was sent; what waits to be printed, as it is now."""
    kept = Letter.objects.filter(message=message, said_sealed__isnull=False).first()
    if kept is None:
        return compose.letter(message)
    kept.message = message
    return kept.said()


def keep(message: Message) -> Letter:
    """Note what a letter says, from now on for everybody, where that was not done as it was sent."""
    kept, _made = Letter.objects.get_or_create(
        message=message, defaults={"said_sealed": Letter.of(message, compose.letter(message)).said_sealed}
    )
    kept.message = message
    return kept


def context(message: Message) -> dict[str, Any]:
    """What the frames of a letter use: pages and paper. The caller has switched to the case's language."""
    letter = said(message)
    return {
        "letter": {**letter, "page": mark_safe(letter["page"])},  # noqa: S308 (our own template made and sealed it)
        "company": settings.COMPANY_NAME,
        "reference": message.case.reference,
        "sent_on": message.sent_at or message.created_at,
    }


def text(message: Message) -> str:
    """The letter as plain text."""
    return said(message)["text"]


def html(message: Message) -> str:
    """The letter as one page that stands for itself; this is what becomes a PDF."""
    with translation.override(language_of(message.case)):
        framed = context(message)
        if message.by_post:
            framed |= {"postal": message.case.postal.splitlines(), "own_address": compose.own_address()}
        return render_to_string(PAPER, framed)


def file_name(message: Message, kind: str) -> str:
    """A name that says which case, and nothing about anybody."""
    return f"{message.case.reference}-{message.pk}.{kind}"


def pdf(message: Message) -> bytes:
    """The letter as a tagged PDF (PDF/UA-1): made when it is first asked for, sealed, and the same from then on.

    Raises TooMuch.
    """
    kept = keep(message)
    place = f"letter:{message.pk}"
    if kept.pdf_sealed is None:
        made = press(html(message))
        # Two may ask at once: the first one's is everybody's.
        Letter.objects.filter(pk=kept.pk, pdf_sealed__isnull=True).update(
            pdf_sealed=message.case.seal(made, place), size=len(made), made_at=timezone.now()
        )
        kept.refresh_from_db(fields=["pdf_sealed"])
    return message.case.unseal_bytes(kept.pdf_sealed, place)


def pressed(message: Message) -> bytes:
    """The PDF of a letter where one was made; empty where nobody has asked for it yet."""
    kept = Letter.objects.filter(message=message).first()
    return message.case.unseal_bytes(kept.pdf_sealed, f"letter:{message.pk}") if kept else b""


def press(source: str) -> bytes:
    """HTML to PDF. Fetches nothing, whatever the HTML names. Raises TooMuch."""
    if len(source) > MAX_HTML:
        raise TooMuch(_("This letter is too long for a PDF. Please take the text."))
    if not _press.acquire(timeout=IN_LINE):
        raise TooMuch(_("The PDF cannot be made now. Please try again in a minute, or take the text."))
    try:
        # Here and not above: the library takes half a second to load, and few processes ever need it.
        try:
            from weasyprint import HTML
            from weasyprint.urls import URLFetcher
        except OSError:
            # Pango is no Python package: it comes from the machine (dsar/checks.py names it).
            raise TooMuch(_("This server cannot make PDFs. Please take the text, and tell the privacy team.")) from None

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
