"""Mail that did not become a case by itself: what could not be read, and what seemed to need no answer."""

from typing import Any

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.core.validators import validate_email
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST

from dsar import keys
from dsar.desk import frame, paging, story, words
from dsar.enums import IntakeStatus
from dsar.intake import email, shelf
from dsar.models import Intake
from dsar.workflow import Conflict, Forbidden

VIEWS = {
    "unread": (gettext_lazy("Could not be read"), IntakeStatus.QUARANTINED),
    "noted": (gettext_lazy("Needs no answer"), IntakeStatus.NOTED),
    "aside": (gettext_lazy("Put aside"), IntakeStatus.DISMISSED),
}


class AdoptForm(forms.Form):
    """The address that a person read in the item."""

    email = forms.CharField(
        label=gettext_lazy("The sender's address, as you read it"),
        help_text=gettext_lazy("It is proven like any other: the link goes there."),
        max_length=254,
        widget=forms.EmailInput(attrs={"autocomplete": "off"}),
    )

    def clean_email(self) -> str:
        """A usable address."""
        value: str = self.cleaned_data["email"].strip()
        validate_email(value)
        if not keys.normalise_email(value):
            raise forms.ValidationError(_("This address reaches nobody."))
        return value


def listing(request: HttpRequest) -> HttpResponse:
    """The items of one kind, newest first."""
    chosen = request.GET.get("view", "unread")
    key = chosen if chosen in VIEWS else "unread"
    found = Intake.objects.filter(status=VIEWS[key][1])
    page = paging.page(found, request.GET, "received_at", descending=True)
    views = [
        {"url": f"?view={name}", "label": label, "current": name == key} for name, (label, _status) in VIEWS.items()
    ]
    lines = [
        {
            "url": reverse("desk_incoming_item", args=[row.pk]),
            "number": row.pk,
            "at": row.received_at,
            "size": row.size,
            "channel": row.get_channel_display(),
            "reason": words.INTAKE_REASONS.get(row.reason, row.reason),
        }
        for row in page.rows
    ]
    return frame.page(request, "desk/incoming.html", "incoming", {"views": views, "lines": lines, "page": page})


def item(request: HttpRequest, pk: int) -> HttpResponse:
    """One item: its beginning as plain text that cannot run, and what can be done with it."""
    return _show(request, _fetch(pk), AdoptForm())


@require_POST
def act(request: HttpRequest, pk: int) -> HttpResponse:
    """`do`: adopt (with an address), dismiss or again. 409 where somebody was faster."""
    held = _fetch(pk)
    actor = frame.actor_of(request)
    wanted = request.POST.get("do", "")
    back = reverse("desk_incoming_item", args=[pk])
    try:
        if wanted == "adopt":
            form = AdoptForm(request.POST)
            if not form.is_valid():
                return _show(request, held, form, 422)
            case = shelf.adopt(pk, form.cleaned_data["email"], actor=actor)
            messages.success(request, _("It is a case now. Please sort it."))
            return redirect("desk_request", pk=case.requests.order_by("pk")[0].pk)
        if wanted == "dismiss":
            shelf.dismiss(pk, actor=actor)
            messages.success(request, _("Put aside."))
        elif wanted == "again":
            shelf.read_again(pk, actor=actor)
            messages.success(request, _("The workers read it once more."))
        else:
            raise Http404
    except Conflict:
        return frame.moved_on(request, back, "incoming")
    except Forbidden:
        raise PermissionDenied from None
    return redirect("desk_incoming")


def _fetch(pk: int) -> Intake:
    found: Intake = get_object_or_404(Intake.objects.select_related("case", "handled_by"), pk=pk)
    return found


def _show(request: HttpRequest, held: Intake, form: AdoptForm, status: int = 200) -> HttpResponse:
    case_request = held.case.requests.order_by("pk").first() if held.case else None
    handles = frame.may(request, "desk_incoming_act")
    # Raw text names people: it is shown to those who decide on it, as long as it is nobody's case. What became a case
    # is read there, where an auditor sees a masked address.
    shown = handles and held.case_id is None and held.status in {kind for _label, kind in VIEWS.values()}
    context: dict[str, Any] = {
        "item": held,
        "beginning": email.summary(held)["beginning"] if shown else "",
        "shown": shown,
        "form": form,
        "reason": words.INTAKE_REASONS.get(held.reason, held.reason),
        "handled_by": story.name_of(held.handled_by),
        "can_act": handles and held.status in shelf.OPEN and held.case_id is None,
        "case_url": reverse("desk_request", args=[case_request.pk]) if case_request else "",
        "act_url": reverse("desk_incoming_act", args=[held.pk]),
    }
    return frame.page(request, "desk/incoming_item.html", "incoming", context, status)
