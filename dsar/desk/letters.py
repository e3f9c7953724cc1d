"""The letters of a request, as the person reads them: for everybody who reads the desk."""

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import translation
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from dsar.desk import frame
from dsar.models import Message
from dsar.notifications import paper


def _find(pk: int) -> Message:
    held = Message.objects.select_related("case").filter(pk=pk, case__purged_at__isnull=True).first()
    found = paper.find(held.case, pk) if held else None
    if found is None:
        raise Http404
    return found


@never_cache
@require_safe
def letter(request: HttpRequest, pk: int) -> HttpResponse:
    """One letter as a page, in the language in which it was sent; 404 for what is none, or was purged."""
    found = _find(pk)
    back = reverse("desk_request", args=[found.request_id]) if found.request_id else reverse("desk_queue")
    urls = {"pdf_url": reverse("desk_letter_pdf", args=[pk]), "text_url": reverse("desk_letter_text", args=[pk])}
    with translation.override(paper.language_of(found.case)):
        label = _("Back to the request") if found.request_id else _("Back to the queue")
        context = {**paper.context(found), **urls, "back": back, "back_label": label}
        return frame.page(request, "desk/letter.html", "queue", context)


@never_cache
@require_safe
def text(request: HttpRequest, pk: int) -> HttpResponse:
    """One letter as a text file."""
    found = _find(pk)
    return paper.download(found, "txt", paper.text(found).encode())


@never_cache
@require_POST
def pdf(request: HttpRequest, pk: int) -> HttpResponse:
    """One letter as PDF: the same file that the person gets."""
    found = _find(pk)
    if found.by_post and not frame.actor_of(request).is_handler:
        # It has the postal address in its window.
        raise PermissionDenied
    try:
        return paper.download(found, "pdf", paper.pdf(found))
    except paper.TooMuch as error:
        messages.warning(request, str(error))
        return redirect("desk_letter", pk)
