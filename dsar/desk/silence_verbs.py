"""The verbs for what a law forbids to tell, and what the page shows of it to colleagues."""

from datetime import timedelta
from typing import Any, Final

from django import forms as fields
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext_lazy as _

from dsar.desk import barred, forms, story
from dsar.desk.barred import Barred
from dsar.desk.roles import APPROVERS
from dsar.desk.verb import Data, Verb
from dsar.fulfilment import silence
from dsar.models import Actor, NonDisclosure, PrivacyRequest
from dsar.models.non_disclosure import LONGEST_DAYS
from dsar.models.two_people import second_look

LAW = _("Which law forbids to tell it?")
LAW_HELP = _("Its article. The company's wish is no law.")


def review_day(*, required: bool = True) -> fields.DateField:
    """The day on which two people look again."""
    return fields.DateField(
        label=_("Two people look again on"),
        help_text=_("Within 90 days."),
        required=required,
        initial=lambda: timezone.localdate() + timedelta(days=LONGEST_DAYS),
        widget=fields.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
    )


class SilenceForm(forms.VerbForm):
    """What may not be told, by which law, why."""

    place = fields.ChoiceField(label=_("What may not be told?"))
    citation = fields.CharField(label=LAW, help_text=LAW_HELP, max_length=200)
    text = forms.long_text(_("Why?"), _("For the record. The requester never reads this."), rows=3)
    review_on = review_day()

    def prepare(self) -> None:
        """What is kept or taken out here; first what another request of the person does not tell, as it stands there."""
        same = silence.same(self.request)
        found = sorted(silence.found(self.request), key=lambda one: one[0] not in same)
        self.offer("place", [(key, _named(label, same.get(key))) for key, label in found])
        if same:
            place = found[0][0]
            one, today = same[place], timezone.localdate()
            self.initial.update(place=place, citation=one.citation, text=one.text)
            if one.review_on > today:
                self.initial["review_on"] = min(one.review_on, today + timedelta(days=LONGEST_DAYS))


def _named(label: str, one: NonDisclosure | None) -> str:
    if one is None:
        return label
    day = date_format(one.review_on)
    return _("%(what)s (not told in %(reference)s; looked at again on %(day)s)") % {
        "what": label, "reference": one.request.case.reference, "day": day,
    }  # fmt: skip


class JudgeForm(forms.VerbForm):
    """The second person's word."""

    which = fields.IntegerField(widget=fields.HiddenInput)
    agrees = fields.ChoiceField(
        label=_("Does the law forbid to tell it?"),
        choices=[("yes", _("Yes: it is not told")), ("no", _("No: it is told like anything else"))],
        widget=fields.RadioSelect,
    )

    def prepare(self) -> None:
        """The oldest that waits."""
        found = _pending(self.request)
        self.initial["which"] = found.pk if found else 0


class AgainForm(forms.VerbForm):
    """Whether the law still forbids it."""

    which = fields.ChoiceField(label=_("What?"))
    decision = fields.ChoiceField(
        label=_("Does the law still forbid to tell it?"),
        choices=[("still", _("Yes: it stays so, until the next look")), ("told", _("No: it may be told now"))],
        widget=fields.RadioSelect,
    )
    citation = fields.CharField(label=LAW, help_text=LAW_HELP, max_length=200, required=False)
    text = forms.long_text(_("Why?"), _("For the record. The requester never reads this."), rows=3, required=False)
    review_on = review_day(required=False)

    def prepare(self) -> None:
        """What is in force."""
        self.offer("which", [(str(one.pk), silence.label(one)) for one in _in_force(self.request)])


def _pending(request: PrivacyRequest) -> NonDisclosure | None:
    waiting = (one for one in request.non_disclosures.all() if one.is_pending)
    return min(waiting, key=lambda one: one.pk, default=None)


def _in_force(request: PrivacyRequest) -> list[NonDisclosure]:
    found = sorted(request.non_disclosures.all(), key=lambda one: one.pk)
    renewed = {one.renews_id for one in found if one.is_pending}
    return [one for one in found if one.is_in_force and one.pk not in renewed]


def _from_judging(request: PrivacyRequest, actor: Actor) -> Barred | None:
    found = _pending(request)
    look = second_look([(found.first_by_id, found.first_at)] if found else (), actor)
    return barred.by_look(look, request, actor)


def _again(pk: int, data: Data, actor: Actor) -> object:
    number = int(data["which"])
    if data["decision"] == "told":
        return silence.end(pk, number, actor=actor)
    return silence.renew(pk, number, data["citation"], data["text"], data["review_on"], actor=actor)


def panel(request: PrivacyRequest) -> dict[str, Any]:
    """What is not told, with its law, who found so, and when somebody looks again."""
    lines = []
    for one in sorted(request.non_disclosures.all(), key=lambda one: one.pk):
        if not one.is_standing:
            continue
        one.request = request
        lines.append(
            {
                "row": one,
                "what": silence.label(one),
                "reason": story.code_label(one.code),
                "first": story.name_of(one.first_by),
                "second": story.name_of(one.second_by),
                "end_by": story.name_of(one.end_by),
            }
        )
    return {"not_told": lines, **elsewhere(request)}


def elsewhere(request: PrivacyRequest) -> dict[str, Any]:
    """What other requests of the same person do not tell, and until when."""
    return {
        "not_told_elsewhere": [
            {
                "row": one,
                "what": silence.label(one),
                "reason": story.code_label(one.code),
                "reference": one.request.case.reference,
                "right": one.request.title,
                "url": reverse("desk_request", args=[one.request_id]),
            }
            for one in silence.elsewhere(request)
        ]
    }


VERBS: Final[tuple[Verb, ...]] = (
    Verb(
        "silence",
        _("The law forbids to tell something"),
        _("Noted. Another approver has to find so too; nothing leaves before that."),
        SilenceForm,
        lambda pk, data, actor: silence.propose(
            pk, data["place"], data["citation"], data["text"], data["review_on"], actor=actor
        ),
        APPROVERS,
        exists=lambda request: bool(silence.found(request)),
        help=_(
            "Only where a law forbids it (a duty not to tip anybody off, an order of secrecy). Letters then say nothing of it"
            " but what every letter says."
        ),
    ),
    Verb(
        "silence-judge",
        _("Look at it as the second person"),
        _("Noted."),
        JudgeForm,
        lambda pk, data, actor: silence.judge(pk, data["which"], data["agrees"] == "yes", actor=actor),
        APPROVERS,
        exists=lambda request: _pending(request) is not None,
        bar=_from_judging,
        help=_("What your colleague found stands under “Not told”."),
    ),
    Verb(
        "silence-again",
        _("Look again at what is not told"),
        _("Noted. It takes two: somebody else has to find the same."),
        AgainForm,
        _again,
        APPROVERS,
        exists=lambda request: not request.case.purged_at and bool(_in_force(request)),
        help=_("Within 90 days of the last look, and at any time. Until two have decided it is not told."),
    ),
)
