"""The confirmation page: what will happen, in full, and two buttons of equal weight."""

from typing import Any

from allauth.account.authentication import get_authentication_records
from allauth.mfa.models import Authenticator
from django import forms
from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from accounts.models import User
from dsar import clock_events
from dsar.enums import State
from dsar.fulfilment import locating, progress
from dsar.fulfilment import plan as plans
from dsar.intake import beside
from dsar.models import REQUESTER, Case, Plan, PrivacyRequest
from dsar.models.request_conditions import no_copy_awaited
from dsar.notifications import letters, undisclosed
from dsar.portal import present, session
from dsar.portal.proof import next_place
from dsar.verification import asking, confirmation, second_factor
from dsar.verification.links import Refused
from dsar.workflow import Conflict, move

LOOK_AGAIN_SECONDS = 60


def _unconfirmed(case: Case) -> PrivacyRequest | None:
    """The deletion that waits for its confirmation; where there are several, one after the other."""
    held = case.requests.filter(state=State.CONFIRMING).order_by("pk").first()
    if held:
        held.case = case
    return held


def _plan(held: PrivacyRequest) -> Plan:
    plan = confirmation.current_plan(held)
    if plan is None:
        raise Conflict("no plan")
    return plan


def _is_old(plan: Plan) -> bool:
    return (timezone.now() - plan.made_at).total_seconds() > LOOK_AGAIN_SECONDS


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
@session.needs_case
def confirm(request: HttpRequest, case: Case) -> HttpResponse:
    """Show the plan; POST binds the request to what was shown, or keeps the data."""
    held = _unconfirmed(case)
    if held is None:
        return redirect(next_place(case))
    if not held.is_proven_enough and asking.missing(case):
        return redirect("case_prove")
    if request.method != "POST":
        return _page(request, held)
    if request.POST.get("request") != str(held.pk):
        return redirect(next_place(case))
    if request.POST.get("answer") == "keep":
        return _keep(request, held)
    if request.POST.get("answer") == "delete":
        return _delete(request, held, request.POST.get("plan", ""))
    return _page(request, held, status=400)


def _keep(request: HttpRequest, held: PrivacyRequest) -> HttpResponse:
    try:
        move(held.pk, "withdraw", actor=REQUESTER)
    except Conflict:
        return redirect("case")
    messages.success(request, _("We keep your data and your account. Your request for deletion is withdrawn."))
    return redirect(next_place(held.case))


def _delete(request: HttpRequest, held: PrivacyRequest, digest: str) -> HttpResponse:
    if _is_old(_plan(held)):
        locating.refresh(held.pk)
    try:
        confirmation.confirm(held.pk, digest)
    except confirmation.PlanChanged:
        seen = next((plan for plan in held.plans.order_by("-version") if plan.digest == digest), None)
        return _page(
            request, held, status=409, changed=present.changes(_body(held, seen), _as_seen(held, _plan(held).body()))
        )
    except confirmation.SecondFactorNeeded:
        return redirect("second_factor")
    except Conflict:
        return redirect(next_place(held.case))
    except OSError:
        # The journal could not be written, so nothing was bound: better said than promised.
        return _page(request, held, status=503, failed=True)
    messages.success(request, _("Your deletion is confirmed. Your account is closed."))
    return redirect(next_place(held.case))


def _body(held: PrivacyRequest, plan: Plan | None) -> plans.Body | None:
    if plan is None:
        return None
    plan.request = held
    return _as_seen(held, plan.body())


def _as_seen(held: PrivacyRequest, body: plans.Body) -> plans.Body:
    """A plan as its person may see it."""
    return undisclosed.visible(held, body)


def _page(
    request: HttpRequest,
    held: PrivacyRequest,
    *,
    status: int = 200,
    changed: list[str] | None = None,
    failed: bool = False,
) -> HttpResponse:
    plan = _plan(held)
    body = (locating.look_again(held) if _is_old(plan) else None) or plan.body()
    accounts = confirmation.accounts_of(held.case, body)
    copy = held.after or beside.copy_of(held)
    facts: dict[str, Any] = {
        "held": held,
        "case": held.case,
        "steps": progress.steps(held),
        "plan": plans.summary(_as_seen(held, body)),
        "digest": plans.digest(body),
        "money": letters.money_view(body["money"]),
        "organisations": body["organisations"],
        "copy": copy,
        "copy_told_on": (clock_events.told_on(copy) or copy.due_on) if copy else None,
        "waits": not no_copy_awaited(held),
        "needs_factor": second_factor.needed(accounts) and not second_factor.passed(held.case),
        "quiet_hours": int(settings.QUIET_PERIOD.total_seconds() // 3600),
        "deadline": present.deadline(held),
        "changed": changed,
        "failed": failed,
        "unclear": status == 400,
    }
    return render(request, "portal/confirm.html", facts, status=status)


class FactorForm(forms.Form):
    """A code of the authenticator app, or a recovery code."""

    code = forms.CharField(
        label=_("Code"),
        help_text=_("From your authenticator app, or one of your recovery codes."),
        max_length=40,
        error_messages={"required": _("Please enter the code.")},
        widget=forms.TextInput(attrs={"class": "code", "autocomplete": "one-time-code"}),
    )


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
@session.needs_case
def second_factor_page(request: HttpRequest, case: Case) -> HttpResponse:
    """An account with a second factor is asked for it before its deletion: by code, or by a sign-in with a passkey."""
    held = _unconfirmed(case)
    if held is None:
        return redirect(next_place(case))
    accounts = confirmation.accounts_of(case, _plan(held).body())
    if not second_factor.needed(accounts) or second_factor.passed(case):
        return redirect("confirm")
    shown_by = _showed_factor(request, accounts)
    posted = request.method == "POST"
    if posted and "signed_in" in request.POST and shown_by:
        second_factor.accept(case, shown_by)
        return _shown(request)
    form = FactorForm(request.POST if posted and "code" in request.POST else None)
    closed = second_factor.is_closed(case)
    exhausted = False
    if form.is_bound and form.is_valid():
        try:
            second_factor.check_code(case, accounts, form.cleaned_data["code"])
        except Refused as refused:
            exhausted, closed = refused.problem == "exhausted", refused.problem == "closed"
            if not exhausted and not closed:
                form.add_error("code", _("This code is not valid (any more). Please enter a new one."))
        else:
            return _shown(request)
    kinds = set(second_factor.factors_of(accounts).values_list("type", flat=True))
    facts = {
        "form": form, "exhausted": exhausted, "closed": closed, "signed_in": shown_by is not None, "case": case,
        "by_code": bool(kinds - {Authenticator.Type.WEBAUTHN}), "by_passkey": Authenticator.Type.WEBAUTHN in kinds,
    }  # fmt: skip
    return render(request, "portal/second_factor.html", facts, status=429 if exhausted or closed else 200)


def _shown(request: HttpRequest) -> HttpResponse:
    messages.success(request, _("Thank you. You can confirm now."))
    return redirect("confirm")


def _showed_factor(request: HttpRequest, accounts: list[User]) -> User | None:
    """The person who is signed in, where they are one of these accounts and showed a second factor while signing in."""
    user = request.user
    if not isinstance(user, User) or user.pk not in {account.pk for account in accounts}:
        return None
    since = timezone.now().timestamp() - settings.PROOF_LIFETIME.total_seconds()
    records = get_authentication_records(request, user)
    fresh = any(record.get("method") == "mfa" and record.get("at", 0) >= since for record in records)
    return user if fresh else None
