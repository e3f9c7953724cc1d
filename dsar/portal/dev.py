"""Development only: the mails that were sent, as pages."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path
from typing import Any, cast

from csp.decorators import csp_update
from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

NAME = re.compile(r"[0-9]{10,25}-[0-9a-f]{8}")
NEWEST = 100
# A mail brings its own style; nothing else is let through.
_show_a_mail = cast(Callable[[Any], Any], csp_update({"style-src": ["'unsafe-inline'"], "frame-src": ["'self'"]}))


@dataclass(frozen=True)
class Mail:
    """One outgoing mail as it stands in the folder."""

    name: str
    at: datetime
    to: str
    subject: str
    text: str
    html: str


def _read(path: Path) -> Mail:
    message = message_from_bytes(path.read_bytes(), policy=policy.default)
    assert isinstance(message, EmailMessage)
    text, html = message.get_body(("plain",)), message.get_body(("html",))
    return Mail(
        path.stem, datetime.fromtimestamp(int(path.stem.partition("-")[0]) / 1e9, UTC), str(message["To"]),
        str(message["Subject"]), str(text.get_content()) if text else "", str(html.get_content()) if html else "",
    )  # fmt: skip


def with_links(text: str) -> SafeString:
    """Plain text, escaped, in which addresses of this house can be clicked."""
    parts = re.split(r"(https?://[^\s<>\"']+)", text)
    made = [
        format_html('<a href="{}">{}</a>', part.removeprefix(settings.BASE_URL), part)
        if number % 2 and part.startswith(f"{settings.BASE_URL}/")
        else format_html("{}", part)
        for number, part in enumerate(parts)
    ]
    return mark_safe("".join(made))  # noqa: S308  every part was escaped by format_html


@never_cache
@require_safe
def mails(request: HttpRequest) -> HttpResponse:
    """Outgoing mails, the newest first."""
    folder = settings.EMAIL_FOLDER
    paths = sorted(folder.glob("*.eml"), reverse=True) if folder.exists() else []
    found = [_read(path) for path in paths[:NEWEST] if NAME.fullmatch(path.stem)]
    return render(request, "portal/dev_mails.html", {"mails": found, "more": len(paths) > NEWEST})


@_show_a_mail
@never_cache
@require_safe
def mail(request: HttpRequest, name: str) -> HttpResponse:
    """One mail: text, and the HTML body in a frame that may do nothing."""
    path = settings.EMAIL_FOLDER / f"{name}.eml"
    if not NAME.fullmatch(name) or not path.is_file():
        raise Http404
    found = _read(path)
    return render(request, "portal/dev_mail.html", {"mail": found, "text": with_links(found.text)})
