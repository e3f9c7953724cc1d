"""Coming back to a case by link and code, which works although the account is gone; and "this was not me"."""

from django import forms
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from dsar.enums import COPY_RIGHTS, UNVERIFIED_RIGHTS, CheckKind, CheckStatus, PackageStatus, StepReason
from dsar.models import Case, IdentityCheck, Package
from dsar.models.privacy_request import NOT_ME
from dsar.portal import session
from dsar.portal.proof import next_place
from dsar.verification import confirmation, links

PROBLEMS = {
    "wrong": _("This code is not the one that we sent. Please check it."),
    "unknown": _("This code is not valid. Please ask for a new one."),
    "spent": _("This code was used already. Please ask for a new one."),
    "expired": _("This code is too old. Please ask for a new one."),
    "exhausted": _("There were too many wrong attempts, so this code has ended. Please ask for a new one."),
}


class CodeForm(forms.Form):
    """The one-time code of a mail. Blanks and hyphens do not matter."""

    code = forms.CharField(
        label=_("Code from our e-mail"),
        max_length=40,
        error_messages={"required": _("Please enter the code.")},
        widget=forms.TextInput(attrs={"class": "code", "autocomplete": "one-time-code", "inputmode": "numeric"}),
    )

    def clean_code(self) -> str:
        """The code without what people put between the digits."""
        value: str = self.cleaned_data["code"]
        return "".join(value.replace("-", "").split())


def _usable(request: HttpRequest, kind: CheckKind) -> IdentityCheck | None:
    look = session.link_in_hand(request)
    if look is None or look.check is None or look.problem or look.check.kind != kind:
        return None
    return look.check


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def follow(request: HttpRequest) -> HttpResponse:
    """Offer to send a code to the address of the case. Beyond the daily limit the screen is the same."""
    check = _usable(request, CheckKind.FOLLOW)
    if check is None:
        return session.not_yours(request)
    if session.is_proven(request, check.case):
        session.choose(request, check.case)
        return redirect(next_place(check.case))
    if request.method == "POST":
        links.send_code(check.case)
        return redirect("follow_code")
    return render(request, "portal/follow.html", {"case": check.case})


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def follow_code(request: HttpRequest) -> HttpResponse:
    """Enter the code. Five wrong ones end it; a new one is a button away."""
    check = _usable(request, CheckKind.FOLLOW)
    if check is None:
        return session.not_yours(request)
    form = CodeForm(request.POST if request.method == "POST" else None)
    if form.is_bound and form.is_valid():
        try:
            links.open_with_code(check.case, form.cleaned_data["code"])
        except links.Refused as refused:
            form.add_error("code", PROBLEMS[refused.problem])
        else:
            session.prove(request, check.case)
            return redirect(session.way_on(request, next_place(check.case)))
    minutes = int(settings.CODE_LIFETIME.total_seconds() // 60)
    return render(request, "portal/follow_code.html", {"form": form, "case": check.case, "minutes": minutes})


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def not_me(request: HttpRequest) -> HttpResponse:
    """ "This was not me": no code is needed, because it only ever stops things. Says truthfully what happens."""
    check = _usable(request, CheckKind.NOT_ME) or session.pressed(request, CheckKind.NOT_ME)
    case = check.case if check else session.current_case(request)
    if case is None:
        return session.not_yours(request)
    spent = check is not None and check.status == CheckStatus.PASSED
    failed = False
    if request.method == "POST":
        try:
            if not spent:
                confirmation.not_me(case, link=check)
            return redirect(f"{reverse('not_me')}?noted=1")
        except confirmation.NotStopped:
            failed = True
    noted = not failed and ("noted" in request.GET or spent)
    facts = {"case": case, "noted": noted, "failed": failed, **_what_stands(case)}
    return render(request, "portal/not_me.html", facts, status=503 if failed else 200)


def _what_stands(case: Case) -> dict[str, bool]:
    requests = list(case.requests.all())
    copies = Package.objects.filter(request__case=case)
    unbound = [one for one in requests if not one.is_bound and one.right not in UNVERIFIED_RIGHTS]
    carried_out = [one for one in requests if one.outcome in confirmation.CARRIED_OUT]
    return {
        "copy": copies.filter(status=PackageStatus.OFFERED).exists(),
        "fetched": copies.filter(downloads__gt=0).exists(),
        "disputed": any(one.disputed_at and not one.is_ended for one in requests),
        "bound": any(one.is_bound and not one.is_ended for one in requests),
        "erased": any(one.is_bound for one in carried_out),
        "open": any(not one.is_ended for one in unbound),
        "doubted": any(NOT_ME in one.judgement and not one.is_ended for one in requests),
        "partly": any(one.attention == StepReason.DISPUTED and not one.is_ended for one in unbound),
        "done": any(one in unbound and one.right not in COPY_RIGHTS for one in carried_out),
        "choices": any(one.right in UNVERIFIED_RIGHTS for one in requests),
        "seen": any(one.attention == StepReason.DISPUTED for one in requests),
    }
