"""The case page of a proven person: how far, whose turn, until when, what was said, and what can be done."""

from collections.abc import Callable, Mapping
from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext_lazy as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from dsar.enums import DecisionKind, State
from dsar.intake import beside
from dsar.law import countries
from dsar.models import REQUESTER, Case, PrivacyRequest
from dsar.models.request_conditions import fee_is_open
from dsar.notifications import fee_letter
from dsar.portal import correction_forms, present, session
from dsar.review import laws
from dsar.verification import asking, papers, representation
from dsar.workflow import Conflict, Invalid, move


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
    wants_paper = {one.pk for one in papers.waiting(held)[:1]} if papers.asked(held) else set()
    views = []
    for one in held.requests.order_by("pk"):
        one.case = held
        view = present.request_view(one)
        if one.state == State.CLARIFYING:
            view["form"] = AnswerForm(prefix=f"r{one.pk}")
            view["question"] = _question(one)
            view["fee"] = _fee(one)
        view |= correction_forms.forms_of(one)
        if one.pk in wants_paper:
            view["paper_form"] = correction_forms.IdentityPaperForm(prefix=f"p{one.pk}")
            view["papers"] = papers.held(held).count()
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
            "missing": asking.missing(held),
            "lives": _lives(held, views),
        },
        status=422 if failed else 200,
    )  # fmt: skip


def _fee(one: PrivacyRequest) -> dict[str, Any] | None:
    """What the person is asked to pay, where that is what was asked."""
    fee = one.fees.open().first() if fee_is_open(one) else None
    return fee_letter.view(fee, one) if fee else None


def _lives(held: Case, views: list[dict[str, Any]]) -> dict[str, Any] | None:
    """Where we think that the person lives, while a correction of it would still change something."""
    if not any(not view["request"].is_ended and not view["request"].is_bound for view in views):
        return None
    said = laws.asked(held)
    return {
        "place": countries.described(held.country, held.region),
        "asked": countries.described(said.country, said.region) if said else "",
    }


def _question(one: PrivacyRequest) -> str:
    kind = DecisionKind.FEE_ASKED if fee_is_open(one) else DecisionKind.ASK
    decision = one.decisions.filter(kind=kind).order_by("-pk").first()
    return one.case.unseal(decision.text_sealed, "decision") if decision else ""


def press(
    request: HttpRequest,
    work: Callable[[], object],
    *,
    closed: Any,
    done: Any = "",
    to: str = "case",
    instead: str = "",
) -> HttpResponse:
    """A button without a form: POST does the work and says what came of it (`done`, or `closed` where it is not to be had
    any more); anything else leads back to `to`. `instead`: where to go on after a refusal, if not there."""
    if request.method == "POST":
        try:
            work()
        except Conflict:
            messages.warning(request, closed)
            return redirect(instead or to)
        if done:
            messages.success(request, done)
    return redirect(to)


def send(
    request: HttpRequest,
    held: PrivacyRequest,
    name: str,
    form: forms.Form,
    work: Callable[[dict[str, Any]], object],
    *,
    closed: Any,
    done: Any,
) -> HttpResponse:
    """The same for a form of the page: what could not be accepted is shown again with what was typed (422), as `name` of
    its request."""
    if request.method != "POST":
        return redirect("case")
    if form.is_valid():
        try:
            return press(request, lambda: work(form.cleaned_data), closed=closed, done=done)
        except Invalid as error:
            form.add_error(None, str(error))
    return page(request, held.case, {(held.pk, name): form})


@session.needs_request
def withdraw(request: HttpRequest, held: PrivacyRequest) -> HttpResponse:
    """Take a request back; not after a deletion was confirmed (law 3)."""
    return press(
        request, lambda: move(held.pk, "withdraw", actor=REQUESTER),
        closed=_("This request cannot be withdrawn any more."), done=_("Your request is withdrawn."),
    )  # fmt: skip


@session.needs_request
def answer(request: HttpRequest, held: PrivacyRequest) -> HttpResponse:
    """Answer the question that is open; what was typed stays on the page until it is accepted."""
    return send(
        request, held, "form", AnswerForm(request.POST, prefix=f"r{held.pk}"),
        lambda data: beside.answer(held.pk, data["text"]),
        closed=_("This question is closed. To tell us more, please answer our last e-mail."),
        done=_("Thank you. We have your answer and go on from here."),
    )  # fmt: skip


@session.needs_request
def paper(request: HttpRequest, held: PrivacyRequest) -> HttpResponse:
    """Send a covered copy of an identity paper, where a colleague has asked for one."""
    return send(
        request, held, "paper_form",
        correction_forms.IdentityPaperForm(request.POST, request.FILES, prefix=f"p{held.pk}"),
        lambda data: papers.keep(held.case, data["file"].name, data["file"].read(), actor=REQUESTER),
        closed=_("Nothing waits for a paper any more."),
        done=_("Thank you. It is encrypted, and destroyed as soon as we have decided."),
    )  # fmt: skip


@session.needs_request
def copy(request: HttpRequest, held: PrivacyRequest) -> HttpResponse:
    """Ask for a copy before deleting: a request beside this one, filed once."""
    return press(
        request, lambda: beside.copy_first(held.pk), to="confirm", instead="case",
        closed=_("This deletion is decided already, so there is nothing left to copy first."),
        done=_("We have noted that you want a copy. Nothing is deleted until you confirm."),
    )  # fmt: skip


@session.needs_request
def do_not_wait(request: HttpRequest, held: PrivacyRequest) -> HttpResponse:
    """Go on to the confirmation without waiting for the copy."""
    return press(
        request, lambda: beside.do_not_wait(held.pk), to="confirm", closed=_("Nothing waits for a copy here.")
    )  # fmt: skip


@session.needs_request
def restrict(request: HttpRequest, held: PrivacyRequest) -> HttpResponse:
    """Ask that the data are kept and not used while a correction is looked at."""
    return press(
        request, lambda: beside.restrict_meanwhile(held.pk), closed=_("This cannot be asked for (any more)."),
        done=_("We have noted that you want your data kept and not used meanwhile."),
    )  # fmt: skip
