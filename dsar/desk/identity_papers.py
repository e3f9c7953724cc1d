"""Identity papers at the desk: what is there, opening one with a reason, adding one that came on another way."""

from typing import Any

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST

from dsar.desk import frame
from dsar.models import Actor, IdentityPaper, PrivacyRequest
from dsar.verification import papers
from dsar.workflow import Conflict, Forbidden, Invalid


class OpenForm(forms.Form):
    """Why a paper is opened."""

    reason = forms.ChoiceField(
        label=_("Why do you open it?"), choices=[("", _("Please choose")), *papers.REASONS.items()]
    )


class AddForm(forms.Form):
    """A paper that reached the desk on another way."""

    file = forms.FileField(
        label=_("An identity paper that came by letter or mail"),
        help_text=_(
            "Cover what the check does not need before you scan it, and destroy or give back the paper itself. What you add"
            " here goes with the check; the mail in which it came stays until the case is purged."
        ),
        error_messages={"required": _("Please choose a file."), "empty": _("This file is empty.")},
    )


def panel(request: PrivacyRequest, actor: Actor) -> dict[str, Any]:
    """What was asked for and what came, for whoever decides it; empty for others, and where nothing waits."""
    case = request.case
    if not actor.is_handler or not papers.waits(case):
        return {}
    asked = papers.asked(case)
    if asked is not None:
        asked.case = case
    found = list(papers.held(case)) if asked else []
    for one in found:
        one.check_ref.case = case
    return {"paper_asked": asked, "identity_papers": [(one, OpenForm(auto_id=f"paper{one.pk}_%s")) for one in found],
            "identity_paper_form": AddForm(auto_id="identity_paper_%s")}  # fmt: skip


@never_cache
@require_POST
def open_one(request: HttpRequest, pk: int) -> HttpResponse:
    """A paper as a download, never shown by the browser. Who opens it, and why, stands in the history every time."""
    paper = get_object_or_404(IdentityPaper.objects.select_related("check_ref"), pk=pk)
    try:
        found = papers.open_one(pk, request.POST.get("reason", ""), actor=frame.actor_of(request))
    except Conflict:
        raise Http404 from None
    except Forbidden:
        raise PermissionDenied from None
    except Invalid as error:
        messages.error(request, str(error))
        first = PrivacyRequest.objects.filter(case_id=paper.check_ref.case_id).order_by("pk").first()
        return redirect("desk_request", pk=first.pk) if first else redirect("desk_queue")
    return frame.attachment(found.body, f"{found.of_case.reference}-{pk}.bin")


@require_POST
def add(request: HttpRequest, pk: int) -> HttpResponse:
    """Keep one that came by letter, by mail or at the counter."""
    found = get_object_or_404(PrivacyRequest.objects.select_related("case"), pk=pk)
    back = reverse("desk_request", args=[pk])
    form = AddForm(request.POST, request.FILES)
    if not form.is_valid():
        messages.error(request, _("Please choose a file."))
        return redirect(back)
    file = form.cleaned_data["file"]
    try:
        papers.keep(found.case, file.name, file.read(), actor=frame.actor_of(request))
    except Invalid as error:
        messages.error(request, str(error))
    except Conflict:
        return frame.moved_on(request, back)
    else:
        messages.success(request, _("Kept, sealed. It is destroyed once the check is decided."))
    return redirect(back)
