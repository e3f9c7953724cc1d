"""The verbs about who asks for the person, and about a mailbox that they lost."""

from typing import Any, Final

from django import forms as fields
from django.utils.translation import gettext_lazy as _

from dsar.desk.forms import VerbForm, long_text
from dsar.desk.roles import APPROVERS, HANDLERS
from dsar.desk.verb import Verb
from dsar.enums import STANDING_KINDS, RepresentativeKind
from dsar.intake.web import clean_address, clean_name
from dsar.models import Case, PrivacyRequest
from dsar.verification import lost_mailbox, representation


class RepresentativeForm(VerbForm):
    """Who asks, in which capacity, and where they read their mail."""

    kind = fields.ChoiceField(
        label=_("They ask as"), choices=[("", _("Please choose")), *RepresentativeKind.choices],
        help_text=_("Who is 13 or older and understands what it means asks alone; a guardian asks for a child who cannot."),
    )  # fmt: skip
    name = fields.CharField(label=_("Their name"), max_length=80)
    email = fields.CharField(label=_("Their own e-mail address"), max_length=254)

    def clean_name(self) -> str:
        """A name and nothing else."""
        return clean_name(self.cleaned_data["name"])

    def clean_email(self) -> str:
        """A usable address."""
        return clean_address(self.cleaned_data["email"])


class PermissionForm(VerbForm):
    """A sentence for the agent, if any."""

    text = long_text(_("A sentence for the agent"), _("They read this."), required=False, rows=3)


class SeenForm(VerbForm):
    """What was seen."""

    text = long_text(
        _("What did you see?"),
        _("Which paper, of whom, from when, what it allows, and how you know that it is real. For colleagues."),
    )


class NotEnoughForm(VerbForm):
    """Why it is not enough, or why it has ended."""

    text = long_text(_("The reason in your own words"), _("The representative reads this."), rows=3)


def _case(pk: int) -> Case:
    return PrivacyRequest.objects.select_related("case").get(pk=pk).case


def _waits(request: PrivacyRequest) -> bool:
    held = representation.of(request.case)
    if held is None or held.stands or request.is_ended:
        return False
    if held.kind in STANDING_KINDS:
        return True
    papers = (one for one in representation.papers_of(held) if one.destroyed_at is None)
    return any(held.first_seen_at is None or one.received_at > held.first_seen_at for one in papers)


def _may_refuse(request: PrivacyRequest) -> bool:
    held = representation.of(request.case)
    return _waits(request) and held is not None and held.refused_at is None


def _stands(request: PrivacyRequest) -> bool:
    held = representation.of(request.case)
    return held is not None and held.stands


def _name_one(pk: int, data: dict[str, Any], actor: Any) -> object:
    return representation.name_one(_case(pk), data["kind"], data["name"], data["email"], actor=actor)


class NewAddressForm(VerbForm):
    """Where somebody reads their mail who cannot read that of the case any more."""

    email = fields.CharField(label=_("The new address"), max_length=254)

    def clean_email(self) -> str:
        """A usable address."""
        return clean_address(self.cleaned_data["email"])


VERBS: Final[tuple[Verb, ...]] = (
    Verb(
        "name-representative",
        _("Somebody asks for this person"),
        _("Noted. They get a link of their own."),
        RepresentativeForm,
        _name_one,
        HANDLERS,
        exists=lambda request: not request.is_ended and representation.of(request.case) is None,
        help=_("For what came by mail, letter or telephone. The address of the case must be the person's own."),
    ),
    Verb(
        "ask-permission",
        _("Ask the agent for the signed permission"),
        _("Asked, at the agent's own address."),
        PermissionForm,
        lambda pk, data, actor: representation.ask_permission(pk, data["text"], actor=actor),
        HANDLERS,
        exists=representation.may_ask_permission,
        help=_(
            "Only where you have a reason: the person is asked themselves in any case. A power of attorney may never be"
            " demanded, and a choice is carried out meanwhile."
        ),
    ),
    Verb(
        "authority-seen",
        _("Authority seen"),
        _("Noted. With two different people they stand for the person."),
        SeenForm,
        lambda pk, data, actor: representation.seen(_case(pk), data["text"], actor=actor),
        APPROVERS,
        exists=_waits,
        help=_(
            "Two different approvers have to see it. Then we write to the representative, who may confirm for the person;"
            " every address of the person that we know is told. The papers stay with the case."
        ),
    ),
    Verb(
        "authority-refused",
        _("Authority not enough"),
        _("Refused. They read why; the person can go on alone."),
        NotEnoughForm,
        lambda pk, data, actor: representation.refuse(_case(pk), data["text"], actor=actor),
        APPROVERS,
        exists=_may_refuse,
        danger=True,
    ),
    Verb(
        "authority-ended",
        _("The authority has ended"),
        _("Ended. The case is written to at its own address again."),
        NotEnoughForm,
        lambda pk, data, actor: representation.end(_case(pk), data["text"], actor=actor),
        APPROVERS,
        exists=_stands,
        danger=True,
        help=_("What they confirmed stays confirmed."),
    ),
    Verb(
        "lost-mailbox",
        _("They cannot read their mail any more"),
        _("Noted. Now note how they showed who they are."),
        NewAddressForm,
        lambda pk, data, actor: lost_mailbox.start(_case(pk), data["email"], actor=actor),
        HANDLERS,
        exists=lost_mailbox.may_start,
        help=_(
            "It counts once their identity is shown (tier 3, or two approvers), every address of theirs that we know was"
            " told, and the days are over without an objection. Written again, the newer address counts."
        ),
    ),
)
