"""The case page of a proven person: how far, whose turn, until when, what was said, and what can be done."""

from collections.abc import Mapping

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext_lazy as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from dsar.enums import State
from dsar.intake import beside
from dsar.models import REQUESTER, Case, PrivacyRequest
from dsar.portal import correction_forms, present, session
from dsar.verification import representation
from dsar.workflow import Conflict, move


class AnswerForm(forms.Form):
    """An answer to a question of the desk."""

    text = forms.CharField(
        label=_("Your answer"),
        max_length=8000,
        error_messages={"required": _("Please write your answer.")},
        widget=forms.Textarea(attrs={"rows": 6}),
    )


@never_cache
@require_safe
@session.needs_case
def case(request: HttpRequest, held: Case) -> HttpResponse:
    """Everything that a person may know about their case. Every request of it, the open ones first."""
    return page(request, held)


def page(request: HttpRequest, held: Case, failed: Mapping[tuple[int, str], forms.Form] | None = None) -> HttpResponse:
    """The page; `failed` holds forms that could not be accepted, by request and name, with what was typed."""
    failed = failed or {}
    views = []
    for one in held.requests.order_by("pk"):
        one.case = held
        view = present.request_view(one)
        if one.state == State.CLARIFYING:
            view["form"] = AnswerForm(prefix=f"r{one.pk}")
            view["question"] = _question(one)
        view |= correction_forms.forms_of(one)
        view |= {name: form for (pk, name), form in failed.items() if pk == one.pk}
        views.append(view)
    standing = representation.of(held)
    views.sort(key=lambda view: view["request"].is_ended)
    return render(
        request, "portal/case.html",
        {
            "case": held, "views": views, "conversation": present.conversation(held),
            "disputable": any(view["request"].is_bound and not view["request"].is_ended for view in views),
            "form": next(iter(failed.values()), None),
            "standing": None if standing is None or standing.stands else standing,
        },
    )  # fmt: skip


def _question(one: PrivacyRequest) -> str:
    decision = one.decisions.filter(kind="ask").order_by("-pk").first()
    return one.case.unseal(decision.text_sealed, "decision") if decision else ""


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
@session.needs_request
def withdraw(request: HttpRequest, held: PrivacyRequest) -> HttpResponse:
    """Take a request back; not after a deletion was confirmed (law 3)."""
    session.choose(request, held.case)
    if request.method == "POST":
        try:
            move(held.pk, "withdraw", actor=REQUESTER)
        except Conflict:
            messages.warning(request, _("This request cannot be withdrawn any more."))
        else:
            messages.success(request, _("Your request is withdrawn."))
    return redirect("case")


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
@session.needs_request
def answer(request: HttpRequest, held: PrivacyRequest) -> HttpResponse:
    """Answer the question that is open; what was typed stays on the page until it is accepted."""
    session.choose(request, held.case)
    if request.method != "POST":
        return redirect("case")
    form = AnswerForm(request.POST, prefix=f"r{held.pk}")
    if not form.is_valid():
        return page(request, held.case, {(held.pk, "form"): form})
    try:
        beside.answer(held.pk, form.cleaned_data["text"])
    except Conflict:
        messages.warning(request, _("This question is closed. To tell us more, please answer our last e-mail."))
    else:
        messages.success(request, _("Thank you. We have your answer and go on from here."))
    return redirect("case")


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
@session.needs_request
def copy(request: HttpRequest, held: PrivacyRequest) -> HttpResponse:
    """Ask for a copy before deleting: a request beside this one, filed once."""
    session.choose(request, held.case)
    if request.method == "POST":
        try:
            beside.copy_first(held.pk)
        except Conflict:
            messages.warning(request, _("This deletion is decided already, so there is nothing left to copy first."))
            return redirect("case")
        messages.success(request, _("We have noted that you want a copy. Nothing is deleted until you confirm."))
    return redirect("confirm")


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
@session.needs_request
def do_not_wait(request: HttpRequest, held: PrivacyRequest) -> HttpResponse:
    """Go on to the confirmation without waiting for the copy."""
    session.choose(request, held.case)
    if request.method == "POST":
        try:
            beside.do_not_wait(held.pk)
        except Conflict:
            messages.info(request, _("Nothing waits for a copy here."))
    return redirect("confirm")
