"""The page on which a proven person shows more surely who they are, where the law asks for more than the mailbox.

Nothing on it depends on whether we know them (law 10): what is asked follows from the law and the data map alone.
"""

from allauth.account.authentication import get_authentication_records
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from accounts.models import User
from dsar.law import regimes
from dsar.models import Case
from dsar.portal import session
from dsar.portal.proof import next_place
from dsar.verification import asking, sign_in
from dsar.workflow import Conflict


@never_cache
@require_safe
@session.needs_case
def prove(request: HttpRequest, case: Case) -> HttpResponse:
    """Why more is asked for, and every way there is to show it."""
    asked = asking.missing(case)
    if asked is None:
        return redirect(next_place(case))
    return page(request, case, asked)


def page(request: HttpRequest, case: Case, asked: asking.Asked) -> HttpResponse:
    """The page itself."""
    regime = regimes.load(case.regime)
    facts = {
        "case": case, "asked": asked, "why": regime.text("identity"), "citation": regime.verification_citation,
        "signed_in": methods_shown(request, case), "holder": _holder(request, case),
    }  # fmt: skip
    return render(request, "portal/prove.html", facts)


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
