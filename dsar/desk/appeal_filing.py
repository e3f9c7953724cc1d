"""Taking up what came otherwise than by the person's page: in a mail, by letter, by telephone, at the counter."""

from datetime import date
from typing import Any

from django import forms as fields
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.text import Truncator
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from dsar.desk.forms import VerbForm, long_text
from dsar.enums import Channel
from dsar.intake import filing
from dsar.models import Actor
from dsar.notices import MessageStatus
from dsar.review import appeals

ELSEWHERE = "elsewhere"
SHOWN = 10


class LookAgainForm(VerbForm):
    """Which message it stands in, or how and on which day it came and what it says."""

    message = fields.ChoiceField(
        label=gettext_lazy("Where does it stand?"),
        help_text=gettext_lazy("Of a message, its words count and the moment at which it came."),
        widget=fields.RadioSelect,
        error_messages={"required": gettext_lazy("Please choose where it stands.")},
    )
    channel = fields.ChoiceField(
        label=gettext_lazy("If it came otherwise: how?"),
        choices=[("", gettext_lazy("Please choose")), *((one.value, one.label) for one in filing.CHANNELS)],
        required=False,
    )
    came_on = fields.DateField(
        label=gettext_lazy("On which day did it really come?"),
        help_text=gettext_lazy("The legal date is counted from this day, not from the one on which you write it down."),
        required=False,
        widget=fields.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
    )
    text = long_text(gettext_lazy("In the person's own words"), required=False)

    def prepare(self) -> None:
        """The newest messages of the person; what was not read yet is chosen already."""
        case = self.request.case
        came = list(case.messages.filter(status=MessageStatus.RECEIVED).order_by("-pk")[:SHOWN])
        choices = []
        for one in came:
            one.case = case
            day = date_format(timezone.localtime(one.created_at), "DATETIME_FORMAT")
            choices.append((str(one.pk), f"{day}: {Truncator(one.text).chars(80)}"))
        self.offer("message", [*choices, (ELSEWHERE, _("It came by letter, by telephone or at the counter"))])
        self.initial["message"] = str(came[0].pk) if came and self.request.unread_at else "" if came else ELSEWHERE

    def clean_came_on(self) -> date | None:
        """A day that has come."""
        day: date | None = self.cleaned_data["came_on"]
        if day and day > filing.today():
            raise fields.ValidationError(_("This day has not come yet. Please enter the day on which it came."))
        return day

    def clean(self) -> dict[str, Any]:
        """What came otherwise needs its way, its day and its words."""
        data: dict[str, Any] = self.cleaned_data
        if data.get("message") == ELSEWHERE:
            missing = {
                "channel": _("Please choose how it came."),
                "came_on": _("Please enter the day on which it came."),
                "text": _("Please write what the person wrote or said."),
            }
            for name, error in missing.items():
                if name not in self.errors and not data.get(name):
                    self.add_error(name, error)
        return data


def run(pk: int, data: dict[str, Any], actor: Actor) -> object:
    """Take it up as the form says."""
    if data["message"] == ELSEWHERE:
        came = filing.moment_of(data["came_on"])
        return appeals.file(pk, data["text"], came, Channel(data["channel"]), actor=actor)
    return appeals.file(pk, "", timezone.now(), Channel.EMAIL, actor=actor, message=int(data["message"]))
