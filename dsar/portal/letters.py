"""The letters of a case, read again by the person they went to: as a page, as text, as PDF."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import translation
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from dsar.models import Case
from dsar.notifications import paper
from dsar.portal import session


@never_cache
@require_safe
@session.needs_case
def letter(request: HttpRequest, held: Case, pk: int) -> HttpResponse:
    """One letter as a page, in the language in which it was sent."""
    found = paper.find(held, pk)
    if found is None:
        return session.not_yours(request)
    with translation.override(paper.language_of(held)):
        urls = {"pdf_url": reverse("case_letter_pdf", args=[pk]), "text_url": reverse("case_letter_text", args=[pk])}
        back = {"back": reverse("case"), "back_label": _("Back to my request")}
        return render(request, "portal/letter.html", {**paper.context(found), **urls, **back})


@never_cache
@require_safe
@session.needs_case
def text(request: HttpRequest, held: Case, pk: int) -> HttpResponse:
    """One letter as a text file."""
    found = paper.find(held, pk)
    if found is None:
        return session.not_yours(request)
    return paper.download(found, "txt", paper.text(found).encode())


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
@session.needs_case
def pdf(request: HttpRequest, held: Case, pk: int) -> HttpResponse:
    """One letter as PDF; it is made at the first download, so it takes a POST."""
    found = paper.find(held, pk)
    if found is None:
        return session.not_yours(request)
    if request.method == "POST":
        try:
            return paper.download(found, "pdf", paper.pdf(found))
        except paper.TooMuch as error:
            messages.warning(request, str(error))
    return redirect("case_letter", pk)
