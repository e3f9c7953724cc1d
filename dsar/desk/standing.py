"""The panel about who asks for the person on a request's page, and the papers that came with it."""

from typing import Any

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_POST

from dsar import keys
from dsar.desk import frame, story
from dsar.enums import STANDING_KINDS, ContactBy, RepresentativeKind, StepReason
from dsar.law import representing
from dsar.models import Actor, AuthorityPaper, PrivacyRequest, Representation
from dsar.review import purge
from dsar.verification import representation
from dsar.workflow import Conflict, Forbidden, Invalid


class PaperForm(forms.Form):
    """A paper that reached the desk on another way."""

    file = forms.FileField(
        label=_("A paper that came by letter or mail"),
        error_messages={"required": _("Please choose a file."), "empty": _("This file is empty.")},
    )


def panel(request: PrivacyRequest, actor: Actor) -> dict[str, Any]:
    """Who asks, on what it rests, who has seen what, and the papers; empty where the person asks alone. An auditor reads
    who decided, not who the representative is."""
    held = representation.of(request.case)
    lost = _lost(request, actor)
    if held is None:
        return lost
    papers = representation.papers_of(held)
    return lost | {
        "standing": held,
        "representative": {"name": held.name, "email": held.email} if actor.is_handler else {},
        "needs_authority": held.kind in STANDING_KINDS,
        "looks": _looks(held),
        "law_lets": _law_lets(request, held.kind),
        "kept_until": purge.kept_until(request.case),
        "papers": [one for one in papers if one.destroyed_at is None] if actor.is_handler else [],
        "destroyed": [one for one in papers if one.destroyed_at],
        "paper_form": PaperForm(auto_id="authority_%s") if actor.is_handler and not held.stands else None,
    }


def _law_lets(request: PrivacyRequest, kind: str) -> dict[str, Any]:
    """What this law lets us ask of them at most, in words, with its source."""
    law = request.case.law
    wanted = representing.demand(law, kind, request.right)
    lines: list[str] = []
    if not wanted.may:
        lines.append(
            gettext("This law lets an agent only opt out for somebody: for this right the person is asked themselves.")
        )
    if wanted.permission:
        lines.append(
            gettext("The person's signed permission may be asked for; never a power of attorney, a notary or a fee.")
        )
    if wanted.direct and wanted.may:
        lines.append(
            gettext("The person may be asked, besides, to prove who they are or to confirm the permission themselves.")
        )
    if wanted.authority:
        lines.append(gettext("The paper by which they stand for the person: an order, a power, a certificate."))
    if kind == RepresentativeKind.ATTORNEY and law.agents.attorney_exempt:
        lines.append(gettext("With a power of attorney nothing else is asked of the person."))
    if kind == RepresentativeKind.GUARDIAN:
        age = law.guardian_below
        lines.append(
            gettext(
                "This law lets a guardian act for a child under %(age)s. Whoever understands it asks alone all the same."
            )
            % {"age": age}
            if age
            else gettext("This law names no age: whoever understands what it means asks alone.")
        )
    return {"lines": lines, "citation": law.agents.citation}


def _lost(request: PrivacyRequest, actor: Actor) -> dict[str, Any]:
    """The newest lost mailbox of a case, where there is one that matters."""
    case = request.case
    told = request.attention == StepReason.LOST_MAILBOX
    if not (case.mailbox_lost or case.contact_by == ContactBy.LOST_MAILBOX or told):
        return {}
    found = case.lost_mailboxes.order_by("-pk").first()
    if found is None:
        return {}
    found.case = case
    return {"lost": found, "new_address": found.address if actor.is_handler else keys.masked(found.address)}


def _looks(held: Representation) -> list[dict[str, Any]]:
    """Who saw or refused the authority, when, in which words."""
    found = [
        (_("Seen"), held.first_seen_by, held.first_seen_at, held.first_words_sealed, "authority-first"),
        (
            _("Seen by a second person"), held.second_seen_by, held.second_seen_at, held.second_words_sealed,
            "authority-second",
        ),
        (_("Refused"), held.refused_by, held.refused_at, held.refused_words_sealed, "authority-refused"),
    ]  # fmt: skip
    return [
        {"what": what, "who": story.name_of(who), "at": at, "words": held.case.unseal(words, place)}
        for what, who, at, words, place in found
        if at
    ]


@require_POST
def paper(request: HttpRequest, pk: int) -> HttpResponse:
    """A paper as a download: never shown by the browser, whatever it says that it is. Who opens it stands in the
    history."""
    try:
        found = representation.open_paper(pk, actor=frame.actor_of(request))
    except (Conflict, AuthorityPaper.DoesNotExist):
        raise Http404 from None
    except Forbidden:
        raise PermissionDenied from None
    return frame.attachment(found.body, f"{found.representation.case.reference}-{found.pk}.bin")


@require_POST
def add(request: HttpRequest, pk: int) -> HttpResponse:
    """Keep a paper that came on another way."""
    found = get_object_or_404(PrivacyRequest.objects.select_related("case"), pk=pk)
    back = reverse("desk_request", args=[pk])
    form = PaperForm(request.POST, request.FILES)
    if not form.is_valid():
        messages.error(request, _("Please choose a file."))
        return redirect(back)
    file = form.cleaned_data["file"]
    try:
        representation.attach(found.case, file.name, file.read(), actor=frame.actor_of(request))
    except Invalid as error:
        messages.error(request, str(error))
    except Conflict:
        return frame.moved_on(request, back)
    else:
        messages.success(
            request, _("Kept, sealed. What was seen stays with the case; what is not enough is destroyed.")
        )
    return redirect(back)
