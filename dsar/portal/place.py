"""Where the person lives: which law applies depends on it, and they can put it right."""

from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from dsar.law import countries
from dsar.models import Case
from dsar.portal import session
from dsar.review import laws
from dsar.workflow import Conflict


class PlaceForm(forms.Form):
    """A country, or a state of one."""

    place = forms.ChoiceField(
        label=gettext_lazy("Where do you live?"),
        help_text=gettext_lazy("Which rights you have, and by when we must answer, depends on it."),
        choices=lambda: [("", _("Please choose")), *countries.choices()],
        error_messages={"required": gettext_lazy("Please choose where you live.")},
    )


@session.needs_case
def place(request: HttpRequest, held: Case) -> HttpResponse:
    """Say where one lives. What gives the person as much and as early counts at once; else a person here looks first."""
    form = PlaceForm(request.POST if request.method == "POST" else None)
    if form.is_bound and form.is_valid():
        try:
            came = laws.say(held.pk, *countries.split(form.cleaned_data["place"]))
        except Conflict:
            messages.warning(request, _("Nothing is open here any more, so this changes nothing."))
        else:
            messages.success(request, said(came))
        return redirect("case")
    context = {"case": held, "form": form, "known": countries.described(held.country, held.region)}
    return render(request, "portal/place.html", context, status=422 if form.errors else 200)


def said(came: str) -> str:
    """What came of it, in plain words."""
    told: dict[str, Any] = {
        "same": _("Thank you, we have noted it. It changes nothing about your rights or our dates."),
        "done": _(
            "Thank you. We go on under the law of the place where you live. The dates on this page are the new ones."
        ),
        "asked": _(
            "Thank you. A person here looks at it, because some of your dates or rights would change, and writes to you."
        ),
    }
    return str(told[came])
