"""The page on which a proven person shows more surely who they are, where the law asks for more than the mailbox.

Nothing on it depends on whether we know them (law 10): what is asked follows from the law and the data map alone.
"""

from allauth.account.authentication import get_authentication_records
from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_safe
from django_fsm import can_proceed

from accounts.models import User
from dsar.enums import CheckKind, CheckStatus, Right
from dsar.law import declarations
from dsar.models import REQUESTER, Case, IdentityCheck, PrivacyRequest
from dsar.models.request_conditions import lesser_right
from dsar.portal import session
from dsar.portal.case import press
from dsar.portal.proof import LONG_SECONDS, REFRESH_SECONDS, next_place
from dsar.portal.prove_forms import PointsForm, QuizForm
from dsar.review import decide
from dsar.verification import asking, data_points, quiz, sign_in
from dsar.workflow import Conflict, Invalid


@never_cache
@require_safe
@session.needs_case
def prove(request: HttpRequest, case: Case) -> HttpResponse:
    """Why more is asked for, and every way there is to show it; while something is compared, that it is."""
    asked = asking.missing(case)
    if asked is None:
        return redirect(next_place(case))
    return _page(request, case, asked)


def _page(request: HttpRequest, case: Case, asked: asking.Asked, failed: forms.Form | None = None) -> HttpResponse:
    regime = case.law
    offer = data_points.offer(case, asked)
    before = data_points.last(case)
    pending = before if before and before.status == CheckStatus.PENDING else None
    left = data_points.attempts_left(case)
    put = _questions(pending)
    may_try = left and not pending
    facts = {
        "case": case, "asked": asked, "why": regime.text("identity"), "citation": regime.verification_citation,
        "signed_in": methods_shown(request, case), "holder": _holder(request, case),
        "offer": offer, "left": left, "before": before, "pending": None if put else pending, "put": put,
        "form": failed or (QuizForm(None, put) if put else PointsForm(None, offer) if offer and may_try else None),
        "quiz": bool(may_try and quiz.helps(case, asked) and quiz.fields(case)),
        "declaration": declarations.text(regime),
        "lesser": [(one, Right(lesser_right(one)).label) for one in asked.requests if can_proceed(one.fall_back)],
    }  # fmt: skip
    answer = render(request, "portal/prove.html", facts, status=422 if failed else 200)
    if pending and not put:
        waited = (timezone.now() - pending.created_at).total_seconds()
        answer["Refresh"] = str(REFRESH_SECONDS if waited <= LONG_SECONDS else 15)
    return answer


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
@session.needs_case
def by_sign_in(request: HttpRequest, case: Case) -> HttpResponse:
    """Let the sign-in of this browser count for the case, where it is the account's own and fresh."""
    if request.method == "POST":
        try:
            sign_in.accept(case, methods_shown(request, case))
        except Conflict:
            messages.warning(request, _("This sign-in is too old by now. Please sign in once more."))
        else:
            messages.success(request, _("Thank you. We go on with your request."))
            return redirect(next_place(case))
    return redirect("case_prove")


@sensitive_post_parameters()
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
@session.needs_case
def by_points(request: HttpRequest, case: Case) -> HttpResponse:
    """Take what the person states, to be compared by a worker. Nothing is looked up here."""
    asked = asking.missing(case)
    offer = data_points.offer(case, asked) if asked else None
    if request.method != "POST" or asked is None or offer is None:
        return redirect("case_prove")
    form = PointsForm(request.POST, offer)
    if form.is_valid():
        try:
            data_points.state(case, form.stated, form.signature)
        except Invalid as error:
            form.add_error(None, str(error))
        except Conflict:
            messages.warning(request, _("This cannot be tried (again) here. Please see below what you can do."))
            return redirect("case_prove")
        else:
            return redirect("case_prove")
    return _page(request, case, asked, form)


def _questions(pending: IdentityCheck | None) -> list[quiz.Question]:
    return quiz.questions(pending) if pending and pending.kind == CheckKind.QUIZ else []


@sensitive_post_parameters()
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
@session.needs_case
def by_quiz(request: HttpRequest, case: Case) -> HttpResponse:
    """Ask for questions from our records, or answer those that a worker has made. Nothing is looked up here."""
    asked = asking.missing(case)
    if request.method != "POST" or asked is None:
        return redirect("case_prove")
    put = _questions(data_points.pending(case))
    form = QuizForm(request.POST, put) if put else None
    if form and not form.is_valid():
        return _page(request, case, asked, form)
    try:
        if form is None:
            quiz.begin(case)
        elif quiz.answer(case, form.chosen):
            messages.success(request, _("Thank you. We go on with your request."))
            return redirect(next_place(case))
    except (Conflict, Invalid):
        messages.warning(request, _("This cannot be tried (again) here. Please see below what you can do."))
    return redirect("case_prove")


@session.needs_request
def fall_back(request: HttpRequest, held: PrivacyRequest) -> HttpResponse:
    """Have which data we hold, and why, instead of a copy that takes more proof (11 CCR 7024(a))."""
    return press(
        request, lambda: decide.fall_back(held.pk, actor=REQUESTER),
        closed=_("This is not to be had here any more."),
        done=_("Thank you. You get the list of what we hold about you, and why; a person looks at it first."),
    )  # fmt: skip


def methods_shown(request: HttpRequest, case: Case) -> list[str]:
    """How the holder of this case's account has signed in in this browser, as far as that is fresh."""
    user = request.user
    if not isinstance(user, User) or _holder(request, case) != "own":
        return []
    return sign_in.methods_of(get_authentication_records(request, user), timezone.now())


def _holder(request: HttpRequest, case: Case) -> str:
    """Whose account is signed in here: "own", "other", or nobody's."""
    if not isinstance(request.user, User):
        return ""
    return "own" if sign_in.is_account_of(case, request.user) else "other"
