"""Settings > Security of a person who is signed in: facts, the second factor, and deleting the account."""

from contextlib import suppress

from allauth.account.internal.flows.reauthentication import did_recently_reauthenticate, get_reauthentication_flows
from allauth.mfa.utils import is_mfa_enabled
from django import forms
from django.conf import settings
from django.contrib import messages
from django.contrib.auth import logout
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_safe

from accounts.models import User
from dsar.enums import Channel, CheckKind, Right
from dsar.intake import web
from dsar.models import Case, Intake
from dsar.portal import prove, session
from dsar.verification import sign_in
from dsar.workflow import Conflict

WRONG = "wrong_passwords"


class DeleteForm(web.SentOnce):
    """The current password, once more; without it for an account that has none and signed in afresh another way."""

    password = forms.CharField(
        label=_("Your current password"),
        max_length=512,
        strip=False,
        error_messages={"required": _("Please enter your password.")},
        widget=forms.PasswordInput(attrs={"autocomplete": "current-password"}),
    )

    def __init__(self, data: object, user: User) -> None:
        super().__init__(data)
        self.user = user
        self.wrong = False
        if not user.has_usable_password():
            del self.fields["password"]

    def clean_password(self) -> str:
        """The password of this account and no other."""
        password: str = self.cleaned_data["password"]
        if not self.user.check_password(password):
            self.wrong = True
            raise forms.ValidationError(_("This is not your current password."))
        return password


@never_cache
@require_safe
def security(request: HttpRequest) -> HttpResponse:
    """The account as we know it, and what can be done with it."""
    return render(request, "portal/settings.html", {"account": request.user, "has_mfa": is_mfa_enabled(request.user)})


def _count_sign_in(request: HttpRequest, intake: Intake, *, typed: bool) -> None:
    """What was asked for here was asked for by the holder of the account: `typed` says that the password was right."""
    case = Case.objects.filter(intakes=intake).first()
    if case is None or case.checks.filter(kind=CheckKind.SIGN_IN).exists():
        # Opened later by the sweep, or sent twice.
        return
    methods = prove.methods_shown(request, case)
    # Without anything fresh the mailbox alone shows who asks.
    with suppress(Conflict):
        sign_in.accept(case, [*methods, "sign_in_fresh"] if typed else methods)


@sensitive_post_parameters("password")
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def delete(request: HttpRequest) -> HttpResponse:
    """Ask for the deletion of this account, with a fresh password. Five wrong ones end the session: sign in again."""
    user = request.user
    assert isinstance(user, User)
    if not user.has_usable_password():
        # No way to sign in afresh, no way to ask from here: the form without an account is open to everybody.
        if not get_reauthentication_flows(user):
            return redirect("ask", right=Right.DELETION.value)
        if not did_recently_reauthenticate(request):
            return redirect(f"{reverse('account_reauthenticate')}?next={reverse('settings_delete')}")
    form = DeleteForm(request.POST if request.method == "POST" else None, user)
    if form.is_bound:
        if form.is_valid():
            # The same door as for everybody, and the same mail to the address on the account.
            number = form.cleaned_data["number"]
            intake = web.take_in(Channel.SETTINGS, f"settings:{number}", email=user.email, rights=(Right.DELETION,))
            _count_sign_in(request, intake, typed="password" in form.cleaned_data)
            request.session.pop(WRONG, None)
            response = redirect("received")
            session.note_sent(response, Right.DELETION.value, "", "self", user.email)
            return response
        if form.wrong:
            wrong = request.session[WRONG] = request.session.get(WRONG, 0) + 1
            if wrong >= settings.WRONG_ATTEMPTS:
                logout(request)
                messages.warning(request, _("There were too many wrong passwords. Please sign in again."))
                return redirect(f"{reverse('account_login')}?next={reverse('settings_delete')}")
        if "number" in form.errors:
            data = request.POST.copy()
            data["number"] = web.new_number()
            form.data = data
    return render(request, "portal/settings_delete.html", {"form": form, "account": user})
