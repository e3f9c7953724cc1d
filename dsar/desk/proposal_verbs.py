"""The verbs of whoever looks at a proposed refusal as the second person, and what the page shows of it."""

from typing import Any, Final

from django import forms as fields
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from dsar import proposals
from dsar.desk import barred, forms, story
from dsar.desk.roles import APPROVERS, HANDLERS
from dsar.desk.verb import Data, Verb
from dsar.enums import DecisionKind, Outcome, ProposalStatus
from dsar.fulfilment import control, narrowing
from dsar.models import Actor, PrivacyRequest, Proposal
from dsar.models.request_conditions import proposed_outcome
from dsar.notifications import kept_letter
from dsar.review import refusals


class LookForm(forms.VerbForm):
    """The proposal that the page shows, and what the person has said since: nobody confirms what they have not read."""

    seen = fields.IntegerField(widget=fields.HiddenInput)
    heard = fields.IntegerField(widget=fields.HiddenInput, required=False)

    def prepare(self) -> None:
        """The one that stands."""
        found = proposals.standing(self.request)
        self.initial["seen"] = found.pk if found else 0
        self.initial["heard"] = proposals.said_since(found) if found else 0


class ConfirmForm(LookForm):
    """A tick before something that ends the request, or keeps more than was told."""

    sure = fields.BooleanField(label=gettext_lazy("I have read the request, the reason and these words, and I agree"))


class ReturnForm(LookForm):
    """What is wrong with it."""

    text = forms.long_text(
        gettext_lazy("What is wrong or missing?"), gettext_lazy("For colleagues only. It is never sent."), rows=3
    )


def _confirm(pk: int, data: Data, actor: Actor) -> object:
    found = Proposal.objects.standing().filter(request=pk, pk=data["seen"]).first()
    if found is not None and found.kind == DecisionKind.NARROW:
        return narrowing.confirm(pk, actor=actor, seen=data["seen"], heard=data["heard"] or 0)
    if found is not None and found.kind == DecisionKind.NOT_DONE:
        return control.confirm_not_done(pk, actor=actor, seen=data["seen"])
    return refusals.confirm(pk, actor=actor, seen=data["seen"])


def _stands(request: PrivacyRequest) -> bool:
    return proposals.standing(request) is not None


def panel(request: PrivacyRequest) -> dict[str, Any]:
    """The proposal that waits for its second person, or the newest one where it was sent back."""
    found = max(request.proposals.all(), key=lambda one: one.pk, default=None)
    if found is None or found.status not in (ProposalStatus.STANDING, ProposalStatus.SENT_BACK):
        return {}
    found.request = request
    return {
        "proposal": {
            "row": found,
            "who": story.name_of(found.proposed_by),
            "reason": story.code_label(found.code),
            "keeps": sorted({kept_letter.label(category) for _source, category in found.keep}),
            "where": story.source_label(found.step.source) if found.step else "",
            "back_by": story.name_of(found.decided_by),
            "what": _what(request, found),
            "said": found.is_standing and proposals.said_since(found),
        }
    }


def _what(request: PrivacyRequest, found: Proposal) -> Any:
    if found.kind == DecisionKind.NARROW:
        return _("Narrow the plan")
    if found.kind == DecisionKind.NOT_DONE:
        return _("Leave it undone in a source")
    by_outcome = {Outcome.REFERRED: _("Refer elsewhere"), Outcome.NOT_PROVEN: _("End as not proven")}
    return by_outcome.get(proposed_outcome(request), _("Refuse"))


VERBS: Final[tuple[Verb, ...]] = (
    Verb(
        "confirm-refusal",
        gettext_lazy("Confirm it"),
        gettext_lazy("Confirmed. The person is told."),
        ConfirmForm,
        _confirm,
        APPROVERS,
        exists=_stands,
        bar=barred.from_proposal,
        danger=True,
        help=gettext_lazy("It happens now, and the letter with this reason and these words goes to the person."),
    ),
    Verb(
        "return-refusal",
        gettext_lazy("Send it back"),
        gettext_lazy("Sent back. Nothing has happened."),
        ReturnForm,
        lambda pk, data, actor: refusals.send_back(pk, data["text"], actor=actor, seen=data["seen"]),
        HANDLERS,
        exists=_stands,
        bar=barred.from_sending_back,
    ),
)
