"""My choices: what a person has stopped, since when, and a button to take it back; Global Privacy Control."""

from dataclasses import dataclass
from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext_lazy as _
from django.views.decorators.cache import cache_control, never_cache
from django.views.decorators.http import require_http_methods, require_safe

from accounts.models import User
from dsar import keys
from dsar.enums import UNVERIFIED_RIGHTS
from dsar.intake import choices as intake
from dsar.intake import web
from dsar.models import Case
from dsar.notifications.choices import WORDS
from dsar.portal import session

GPC_SINCE = "2026-11-22"
MAKE, TAKE_BACK, GPC = "make", "take_back", "gpc"


class ChoiceForm(web.SentOnce):
    """One button of the page: which choice, and made or taken back. For Global Privacy Control no choice is named."""

    act = forms.ChoiceField(choices=[(MAKE, MAKE), (TAKE_BACK, TAKE_BACK), (GPC, GPC)])
    kind = forms.ChoiceField(choices=[(kind.value, kind.value) for kind in UNVERIFIED_RIGHTS], required=False)

    def clean(self) -> dict[str, Any]:
        """A button of a choice names it."""
        data: dict[str, Any] = super().clean() or {}
        if data.get("act") in (MAKE, TAKE_BACK) and not data.get("kind"):
            raise forms.ValidationError(_("Please press one of the buttons."))
        return data


@dataclass(frozen=True)
class Whose:
    """The person in front of this browser: by a proven case of theirs, or signed in."""

    email_index: str
    shown: str
    case: Case | None = None
    user: User | None = None

    def file(self, kinds: tuple[str, ...], number: str, *, take_back: bool = False) -> None:
        """Through the door that fits."""
        if self.case:
            intake.in_case(self.case, kinds, take_back=take_back)
        elif self.user:
            intake.from_account(self.user.email, kinds, number, take_back=take_back)


def whose(request: HttpRequest) -> Whose | None:
    """Who this browser has shown to be; None for a stranger."""
    case = session.current_case(request)
    if case and case.email_index:
        return Whose(case.email_index, case.email_masked, case=case)
    user = request.user
    index = keys.email_index(user.email) if isinstance(user, User) else ""
    return Whose(index, user.email, user=user) if isinstance(user, User) and index else None


def gpc(request: HttpRequest) -> dict[str, Any] | None:
    """What the pages say where the browser sends `Sec-GPC: 1` (11 CCR 7025); None where it does not."""
    if request.headers.get("Sec-GPC") != "1":
        return None
    who = whose(request)
    open_ = intake.wanted(who.email_index, intake.GPC_RIGHTS, take_back=False) if who else ()
    return {"known": who is not None, "applied": who is not None and not open_, "number": web.new_number()}


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def choices(request: HttpRequest) -> HttpResponse:
    """Every choice with its state and a button; POST makes one, or takes it back. A stranger is shown the way."""
    who = whose(request)
    if request.method == "POST":
        return _choose(request, who)
    return _page(request, who)


def _choose(request: HttpRequest, who: Whose | None) -> HttpResponse:
    if who is None:
        return session.not_yours(request)
    form = ChoiceForm(request.POST)
    if not form.is_valid():
        if "number" in form.errors:
            messages.warning(request, _("This page was open for too long. Nothing is lost: please press again."))
            return redirect("choices")
        return _page(request, who, form=form)
    act, number = form.cleaned_data["act"], form.cleaned_data["number"]
    if act == GPC:
        who.file(intake.GPC_RIGHTS, number)
        messages.success(request, _("Done: the signal of your browser now counts for your account too."))
    elif act == MAKE:
        who.file((form.cleaned_data["kind"],), number)
        messages.success(request, _("Done: your choice holds. We write to you as soon as every system knows it."))
    else:
        who.file((form.cleaned_data["kind"],), number, take_back=True)
        messages.success(request, _("Your choice is being taken back. We write to you as soon as every system knows."))
    return redirect("choices")


def _page(request: HttpRequest, who: Whose | None, form: ChoiceForm | None = None) -> HttpResponse:
    there = intake.standing(who.email_index) if who else {}
    coming = intake.under_way(who.email_index) if who else {}
    lines = [
        {
            "kind": kind, "words": WORDS[kind], "since": there[kind].since if kind in there else None,
            "coming": kind in coming, "leaving": coming.get(kind, False), "number": web.new_number(),
        }
        for kind in WORDS
    ]  # fmt: skip
    facts = {"who": who, "lines": lines, "gpc": gpc(request), "form": form}
    return render(request, "portal/choices.html", facts, status=422 if form else 200)


@cache_control(public=True, max_age=86400)
@require_safe
def gpc_support(_request: HttpRequest) -> HttpResponse:
    """/.well-known/gpc.json: this site honours Global Privacy Control (GPC specification, section 4)."""
    return JsonResponse({"gpc": True, "lastUpdate": GPC_SINCE})
