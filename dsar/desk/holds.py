"""Legal holds: which stand, on which ground, until which review; placed and lifted by approvers."""

from collections import defaultdict
from collections.abc import Collection
from typing import Any

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST

from dsar.datamap import loader
from dsar.desk import frame, story
from dsar.enums import HoldStatus
from dsar.law import codes, regimes
from dsar.models import LegalHold, PrivacyRequest
from dsar.models.apart import apart_from
from dsar.review import holds as verbs
from dsar.workflow import Forbidden, Invalid

SHOWN = 200


def bases() -> list[tuple[str, Any]]:
    """Grounds for keeping that at least one law here knows, each with its article."""
    found: dict[str, list[str]] = defaultdict(list)
    labels: dict[str, Any] = {}
    for regime in regimes.all_ids():
        for code in codes.grounds(regime):
            labels[code.code] = code.label
            found[code.code].append(code.citation)
    return [
        ("", _("Please choose")),
        *((code, f"{labels[code]} ({'; '.join(cited)})") for code, cited in found.items()),
    ]


class HoldForm(forms.Form):
    """Whose data, on which ground, until when it is looked at again."""

    email = forms.CharField(
        label=gettext_lazy("The person's e-mail address"),
        help_text=gettext_lazy("Only its keyed hash is kept."),
        max_length=254,
        widget=forms.EmailInput(attrs={"autocomplete": "off"}),
    )
    code = forms.ChoiceField(label=gettext_lazy("Ground in law"), choices=bases)
    review_on = forms.DateField(
        label=gettext_lazy("Look at it again on"), widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")
    )
    weighed = forms.CharField(
        label=gettext_lazy("What was weighed against what?"),
        help_text=gettext_lazy("Only for a ground that must be weighed. It stays here, sealed."),
        max_length=8000,
        required=False,
        widget=forms.Textarea(attrs={"rows": 3}),
    )
    sources = forms.MultipleChoiceField(
        label=gettext_lazy("Only in these sources"),
        help_text=gettext_lazy("None chosen: in all of them."),
        required=False,
        widget=forms.CheckboxSelectMultiple,
        choices=lambda: [(k, s.label) for k, s in loader.current().sources.items()],
    )


class SureForm(forms.Form):
    """A tick before a switch."""

    sure = forms.BooleanField(label=gettext_lazy("I mean it"))


def listing(request: HttpRequest) -> HttpResponse:
    """The holds that stand, and those lifted lately."""
    return _show(request, HoldForm(auto_id="hold_%s"))


@require_POST
def place(request: HttpRequest) -> HttpResponse:
    """Place a hold."""
    form = HoldForm(request.POST, auto_id="hold_%s")
    if form.is_valid():
        data = form.cleaned_data
        try:
            hold = verbs.place(
                data["email"],
                data["code"],
                data["review_on"],
                actor=frame.actor_of(request),
                sources=tuple(data["sources"]),
                weighed=data["weighed"],
            )
        except Invalid as error:
            form.add_error(None, str(error))
        except Forbidden:
            raise PermissionDenied from None
        else:
            active = hold.status == HoldStatus.ACTIVE
            messages.success(
                request,
                _("The hold is active.")
                if active
                else _("The hold is being placed: it becomes active once no worker touches the data any more."),
            )
            return redirect("desk_holds")
    return _show(request, form, 422)


@require_POST
def lift(request: HttpRequest, pk: int) -> HttpResponse:
    """Lift a hold, ticked."""
    get_object_or_404(LegalHold, pk=pk)
    if not SureForm(request.POST).is_valid():
        messages.error(request, _("Please tick “I mean it” to lift a hold."))
        return redirect("desk_holds")
    try:
        verbs.lift(pk, actor=frame.actor_of(request))
    except Forbidden:
        raise PermissionDenied from None
    messages.success(request, _("The hold is lifted. What waited for it goes on."))
    return redirect("desk_holds")


def _show(request: HttpRequest, form: HoldForm, status: int = 200) -> HttpResponse:
    rows = list(LegalHold.objects.select_related("placed_by", "lifted_by").order_by("-placed_at", "-pk")[:SHOWN])
    touched = _requests(
        {row.email_index for row in rows if row.status != HoldStatus.LIFTED}, apart_from(frame.signed_in(request).pk)
    )
    labels = {key: source.label for key, source in loader.current().sources.items()}
    today = timezone.localdate()
    lines: list[dict[str, Any]] = [
        {
            "hold": row,
            "basis": _basis(row.code),
            "weighed": verbs.weighing_of(row),
            "scope": ", ".join(labels.get(key, key) for key in row.sources),
            "requests": touched.get(row.email_index, []),
            "placed_by": story.name_of(row.placed_by),
            "lifted_by": story.name_of(row.lifted_by),
            "due": row.status != HoldStatus.LIFTED and row.review_on <= today,
            "lift": SureForm(auto_id=f"lift_{row.pk}_%s"),
            "lift_url": reverse("desk_hold_lift", args=[row.pk]),
        }
        for row in rows
    ]
    context = {
        "standing": [line for line in lines if line["hold"].status != HoldStatus.LIFTED],
        "lifted": [line for line in lines if line["hold"].status == HoldStatus.LIFTED],
        "form": form,
        "can_change": frame.may(request, "desk_hold_place"),
    }
    return frame.page(request, "desk/holds.html", "holds", context, status)


def _basis(code: str) -> dict[str, Any]:
    found = [found for regime in regimes.all_ids() if (found := codes.valid(code, regime))]
    return {"label": found[0].label if found else code, "citations": "; ".join(one.citation for one in found)}


def _requests(indexes: set[str], apart: Collection[int]) -> dict[str, list[dict[str, str]]]:
    """Open requests by the hash of their address, in one query."""
    touched: dict[str, list[dict[str, str]]] = defaultdict(list)
    open_ones = PrivacyRequest.objects.filter(ended_at__isnull=True, case__email_index__in=indexes - {""})
    for row in open_ones.without(apart).select_related("case").order_by("due_on", "pk")[:SHOWN]:
        touched[row.case.email_index].append(
            {"url": reverse("desk_request", args=[row.pk]), "reference": row.case.reference}
        )
    return touched
