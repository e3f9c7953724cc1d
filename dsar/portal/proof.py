"""From the link in a mail to a proven session. Opening a link changes nothing; a button does."""

from django import forms
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from dsar.enums import CheckKind, Right, State
from dsar.fulfilment import locating
from dsar.models import Case, Representation
from dsar.notifications import letters
from dsar.portal import session
from dsar.verification import asking, links, representation

LEADS_TO = {
    CheckKind.MAILBOX: "proof", CheckKind.FOLLOW: "follow", CheckKind.NOT_ME: "not_me", CheckKind.REP_LINK: "represent",
    CheckKind.OBJECTION: "objection",
}  # fmt: skip
# Links that are not the person's way to their own case, whatever this browser has proven.
NO_WAY_ON = (CheckKind.NOT_ME, CheckKind.REP_LINK, CheckKind.OBJECTION)
REFRESH_SECONDS = 2
LONG_SECONDS = 60


def next_place(case: Case) -> str:
    """The page on which a proven person goes on: what waits for them comes first."""
    states = set(case.requests.filter(right=Right.DELETION).values_list("state", flat=True))
    if State.CONFIRMING in states:
        return "confirm"
    return "waiting" if State.LOCATING in states else "case"


@never_cache
@require_safe
def link(request: HttpRequest, token: str) -> HttpResponse:
    """Swap a link for a session and go on at an address without the token. Never spends it (law 10)."""
    look = links.look(token)
    if request.method == "HEAD":
        return HttpResponse()
    check = look.check
    if check and not check.case.purged_at and check.kind not in NO_WAY_ON and session.is_proven(request, check.case):
        # The same browser has proven this case: a link that it used already leads it on.
        session.choose(request, check.case)
        return redirect(next_place(check.case))
    session.take_link(request, check)
    if check is not None and look.problem == "spent" and check.kind in (CheckKind.NOT_ME, CheckKind.OBJECTION):
        # It has done what it was for: its page says what came of it.
        return redirect(LEADS_TO[CheckKind(check.kind)])
    if check is None or look.problem:
        return redirect("new_link")
    return redirect(LEADS_TO.get(CheckKind(check.kind), "new_link"))


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def proof(request: HttpRequest) -> HttpResponse:
    """One button: this is my mailbox. It spends the link and opens the case for this browser."""
    look = session.link_in_hand(request)
    if look is None:
        return session.not_yours(request)
    if look.check is None or look.problem or look.check.kind != CheckKind.MAILBOX:
        return redirect("new_link")
    if request.method != "POST":
        rights = look.check.case.requests.order_by("pk").values_list("right", flat=True)
        facts = {"case": look.check.case, "understood": [letters.understood(Right(right)) for right in rights]}
        return render(request, "portal/proof.html", {**facts, "standing": _asks_for_them(look.check.case)})
    try:
        case = links.prove_mailbox(look.check.token)
    except links.Refused:
        return redirect("new_link")
    session.prove(request, case)
    located = case.requests.filter(state=State.LOCATING, located_at__isnull=False)
    for pk in located.order_by("pk").values_list("pk", flat=True):
        locating.settle(pk)
    asks = _asks_for_them(case)
    if asks and not asks.allowed_at and not asks.revoked_at:
        return redirect("case_allow")
    place = next_place(case)
    # Where the mailbox is not enough, what is still missing comes at once.
    return redirect("case_prove" if place == "case" and asking.missing(case) else place)


def _asks_for_them(case: Case) -> Representation | None:
    """Who asks in the name of the person, where it is the person who reads this."""
    found = representation.of(case)
    return None if found is None or found.stands else found


@never_cache
@require_safe
@session.needs_case
def waiting(request: HttpRequest, case: Case) -> HttpResponse:
    """We are looking. The page looks again by itself (by a header: it works without script) until there is more."""
    place = next_place(case)
    if place != "waiting":
        return redirect(place)
    searched = case.requests.filter(state=State.LOCATING, right=Right.DELETION).order_by("pk")[0]
    seconds = int((timezone.now() - searched.entered_at).total_seconds())
    answer = render(request, "portal/waiting.html", {"case": case, "long": seconds > LONG_SECONDS})
    answer["Refresh"] = str(REFRESH_SECONDS if seconds <= LONG_SECONDS else 15)
    return answer


class AddressForm(forms.Form):
    """The address to which a new link is sent, if anything waits there."""

    email = forms.CharField(
        label=_("Your e-mail address"),
        help_text=_("The address that you gave us with your request."),
        max_length=254,
        error_messages={"required": _("Please enter your e-mail address.")},
        widget=forms.EmailInput(attrs={"autocomplete": "email", "inputmode": "email"}),
    )

    def clean_email(self) -> str:
        """An address, as far as its form goes."""
        value: str = self.cleaned_data["email"].strip()
        try:
            validate_email(value)
        except ValidationError:
            raise forms.ValidationError(_("Please enter a whole e-mail address, such as name@example.com.")) from None
        return value


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def new_link(request: HttpRequest) -> HttpResponse:
    """Explain a link that does not work, and send a new one. The screen after that is always the same."""
    if request.method != "POST" and "sent" in request.GET:
        return render(request, "portal/new_link_sent.html")
    look = session.link_in_hand(request)
    by_address = request.method == "POST" and "email" in request.POST
    if look and look.check and not by_address and session.is_proven(request, look.check.case):
        # The second half of a double click: the first one has proven the mailbox.
        return redirect(next_place(look.check.case))
    form = AddressForm(request.POST if by_address else None)
    if request.method == "POST":
        if by_address and form.is_valid():
            links.send_new_link_to(form.cleaned_data["email"])
            return redirect(f"{reverse('new_link')}?sent=1")
        if not by_address and look and look.check and look.problem != "unknown":
            links.send_new_link(look.check.case)
            return redirect(f"{reverse('new_link')}?sent=1")
    problem = look.problem if look else ""
    known = bool(look and look.check and problem in ("spent", "expired", "exhausted"))
    return render(request, "portal/new_link.html", {"form": form, "problem": problem, "known": known})


@never_cache
@require_POST
def leave(request: HttpRequest) -> HttpResponse:
    """Forget everything that this browser held here."""
    request.session.flush()
    messages.success(request, _("This browser has forgotten your request. The links in our mails still work."))
    return redirect("home")
