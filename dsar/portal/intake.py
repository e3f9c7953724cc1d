"""Asking: the start page, the form, and what happens next."""

from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from accounts.models import User
from dsar import deadlines
from dsar.enums import UNVERIFIED_RIGHTS, Right
from dsar.intake.web import LostMailboxForm, RepresentedForm, RequestForm
from dsar.law import countries
from dsar.notifications import letters
from dsar.notifications.choices import WORDS
from dsar.portal import choices, session

SOMETHING_ELSE = "something-else"


@dataclass(frozen=True)
class Card:
    """A right in plain words, as the start page and its form name it."""

    right: Right
    icon: str
    title: Any
    text: Any

    @property
    def slug(self) -> str:
        """Its place in the address."""
        return self.right.value or SOMETHING_ELSE


CARDS: tuple[tuple[Any, tuple[Card, ...]], ...] = (
    (
        _("Your data"),
        (
            Card(Right.ACCESS, "copy", _("Get a copy of my data"), _("All we hold about you, to read and to keep.")),
            Card(Right.DELETION, "erase", _("Delete my data"), _("Close your account and erase what we hold.")),
            Card(Right.CORRECTION, "edit", _("Correct something"), _("Tell us what is wrong or missing.")),
            Card(Right.KNOW, "info", _("Know what you hold and why"), _("Which data, from where, and who gets them.")),
            Card(Right.PORTABILITY, "refer", _("Take my data elsewhere"), _("In a file that other services can read.")),
            Card(Right.UNCLEAR, "more", _("Something else"), _("Write to us in your own words.")),
        ),
    ),
    (
        _("Stop, limit or question a use"),
        (
            Card(Right.MARKETING_OPT_OUT, "mute", _("No more marketing"), _("Notices about your account go on.")),
            Card(Right.OPT_OUT_SALE, "stop", _("Do not sell or share my data"), _("We stop passing it on to others.")),
            Card(Right.OPT_OUT_TARGETED, "stop", _("No targeted advertising"), _("None that is based on what you do.")),
            Card(
                Right.LIMIT_SENSITIVE, "keep", _("Limit the use of sensitive data"),
                _("Such as health, beliefs or exact location."),
            ),
            Card(Right.WITHDRAW_CONSENT, "skip", _("Take back a consent"), _("From now on. You need give no reason.")),
            Card(Right.OBJECTION, "alert", _("Object to a use"), _("Tell us which use, and why it should not go on.")),
            Card(Right.RESTRICTION, "pause", _("Put a use on hold"), _("We keep the data but stop working with it.")),
            Card(Right.HUMAN_REVIEW, "person", _("Have a person decide again"), _("If a machine decided about you.")),
        ),
    ),
)  # fmt: skip
BY_SLUG = {card.slug: card for _title, cards in CARDS for card in cards}


@never_cache
@require_safe
def home(request: HttpRequest) -> HttpResponse:
    """What would you like to do? Every right as a card."""
    groups = [{"title": title, "cards": cards} for title, cards in CARDS]
    return render(request, "portal/home.html", {"groups": groups, "gpc": choices.gpc(request)})


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def ask(request: HttpRequest, right: str) -> HttpResponse:
    """The form of one right. What was typed stays on the page until it is accepted; sending twice makes one case."""
    card = BY_SLUG.get(right)
    if card is None:
        raise Http404
    known = {"email": request.user.email} if isinstance(request.user, User) else {}
    form = RequestForm(request.POST if request.method == "POST" else None, right=card.right, initial=known)
    return _taken(request, card, form, "self")


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def ask_for(request: HttpRequest, right: str) -> HttpResponse:
    """The same for somebody else: a page of its own, so that who asks for themselves reads nothing of it."""
    card = BY_SLUG.get(right)
    if card is None:
        raise Http404
    form = RepresentedForm(request.POST if request.method == "POST" else None, right=card.right)
    return _taken(request, card, form, "other")


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def lost_mailbox(request: HttpRequest) -> HttpResponse:
    """ "I cannot read my mail any more": filed for a person of the desk. The screen after that is always the same."""
    if request.method != "POST" and "sent" in request.GET:
        return render(request, "portal/lost_mailbox_sent.html")
    form = LostMailboxForm(request.POST if request.method == "POST" else None)
    if form.is_bound:
        if form.is_valid():
            form.submit()
            return redirect(f"{reverse('lost_mailbox')}?sent=1")
        form.renew()
    days = settings.LOST_MAILBOX.days
    return render(request, "portal/lost_mailbox.html", {"form": form, "days": days})


def _taken(request: HttpRequest, card: Card, form: RequestForm, who: str) -> HttpResponse:
    if form.is_bound:
        if form.is_valid():
            form.submit()
            typed = form.cleaned_data
            response = redirect("received")
            session.note_sent(response, card.right.value, typed["country"], who, typed["email"])
            return response
        form.renew()
    facts = {"card": card, "form": form, "unverified": card.right in UNVERIFIED_RIGHTS, "other": who == "other"}
    return render(request, "portal/ask.html", facts)


@never_cache
@require_safe
def received(request: HttpRequest) -> HttpResponse:
    """What happens next and until when: computed from what was typed, so that it is the same for every address."""
    sent = session.what_was_sent(request)
    if sent is None:
        return redirect("home")
    right = Right(sent["right"])
    now = timezone.now()
    dates = deadlines.dates(deadlines.law_for(*countries.split(sent["country"]), now), right.value, now)
    return render(
        request,
        "portal/received.html",
        {
            "to": sent["to"], "understood": letters.understood(right), "due_on": dates.promised_on or dates.due_on,
            "deadline_steps": dates.due.explain(), "citation": dates.due.citation,
            "link_hours": int(settings.LINK_LIFETIME.total_seconds() // 3600),
            "needs_proof": right not in UNVERIFIED_RIGHTS and right != Right.UNCLEAR,
            "choice": WORDS.get(right), "unclear": right == Right.UNCLEAR, "is_deletion": right == Right.DELETION,
            "agent": sent["acts_as"] == "other",
        },
    )  # fmt: skip
