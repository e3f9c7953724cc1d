"""Why somebody whose role includes a verb may not use it here, and who can: said where its form would stand."""

from dataclasses import dataclass
from typing import Any

from django.urls import reverse
from django.utils.http import urlencode
from django.utils.translation import gettext as _

from accounts.models import Role, User
from dsar.desk import story
from dsar.enums import SecondLook
from dsar.models import Actor, PrivacyRequest
from dsar.models.request_conditions import look_at_approval, look_at_copy, look_at_proposal, look_at_release

NAMES = 5


@dataclass(frozen=True)
class Barred:
    """`why` in words, with who can instead. `fresh_url`: where one gives the password anew, if that is all that is missing."""

    why: str
    fresh_url: str = ""


def from_release(request: PrivacyRequest, actor: Actor) -> Barred | None:
    """Who approved a deletion does not release it."""
    return by_look(look_at_release(request, actor), request, actor)


def from_handing_over(request: PrivacyRequest, actor: Actor) -> Barred | None:
    """Who showed the identity or approved the copy does not hand it over, where it rests on what people judged."""
    return by_look(look_at_copy(request, actor), request, actor)


def from_proposal(request: PrivacyRequest, actor: Actor) -> Barred | None:
    """Who proposed a refusal does not confirm it."""
    return by_look(look_at_proposal(request, actor), request, actor)


def from_approval(request: PrivacyRequest, actor: Actor) -> Barred | None:
    """Who refused a part of a correction does not take the last step before somebody else has confirmed that part."""
    return by_look(look_at_approval(request, actor), request, actor)


def from_confirming_fields(request: PrivacyRequest, actor: Actor) -> Barred | None:
    """Nobody confirms the fields that they refused themselves."""
    if any(one.waits_for_second and one.decided_by_id != actor.user_id for one in request.corrections.all()):
        return None
    return Barred(f"{SecondLook.SOMEBODY_ELSE.label} {who_can(actor)}")


def from_sending_back(request: PrivacyRequest, actor: Actor) -> Barred | None:
    """An approver sends a proposal back, or whoever proposed it."""
    mine = (one for one in request.proposals.all() if one.is_standing and one.proposed_by_id == actor.user_id)
    if actor.is_approver or any(mine):
        return None
    return Barred(_("An approver looks at it, or whoever proposed it takes it back."))


def by_look(look: SecondLook, request: PrivacyRequest, actor: Actor, back: str = "") -> Barred | None:
    """What the rule of the second person says to this one; None where they may. `back`: the page that it is said on, where
    it is not that of the request."""
    if look.counts:
        return None
    if look == SecondLook.STALE:
        back = back or reverse("desk_request", args=[request.pk])
        return Barred(str(look.label), f"{reverse('account_reauthenticate')}?{urlencode({'next': back})}")
    if look == SecondLook.TOO_SOON:
        return Barred(str(look.label))
    return Barred(f"{look.label} {who_can(actor)}")


def who_can(actor: Actor) -> str:
    """The other approvers by name, or what to do where there is none."""
    others: Any = User.objects.filter(role=Role.APPROVER, is_active=True).exclude(pk=actor.user_id or 0)
    names = [story.name_of(user) for user in others.order_by("full_name", "pk")[:NAMES]]
    if names:
        return _("They can: %(names)s.") % {"names": ", ".join(names)}
    return _(
        "Nobody else here is an approver. Ask an administrator to add one; a team of one has a switch (TEAM_OF_ONE)."
    )
