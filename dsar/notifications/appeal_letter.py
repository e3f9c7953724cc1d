"""What letters say of looking again: the way back to us that the law of a case knows, and how one stands."""

from datetime import date
from typing import Any

from django.conf import settings
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from dsar import clock_events, deadlines
from dsar.enums import AppealKind, AppealOutcome, Right
from dsar.law import authorities, regimes, remedies
from dsar.models import Appeal, Message, PrivacyRequest
from dsar.notices import Notice
from dsar.notifications import undisclosed

# The words of the button on the page of a request, which letters name.
BUTTONS: dict[AppealKind, Any] = {
    AppealKind.APPEAL: gettext_lazy("Ask another person to look again"),
    AppealKind.COMPLAINT: gettext_lazy("Complain to us"),
    AppealKind.GRIEVANCE: gettext_lazy("Complain to us"),
}


def way(request: PrivacyRequest) -> dict[str, Any]:
    """The way back to us that a letter about this request, ended or about to end, names: `kind`, `button` (on the page of
    the request), `who` looks at it, `promise` (by when we answer), `until` (the last day of the
    reasonable period; None where there is none). Empty where the law of the case knows none, or none (any more) about this
    request."""
    regime = request.case.law
    kind = remedies.kind_of(regime)
    if kind is None or not remedies.is_open_to(kind, undisclosed.outcome_told(request)):
        return {}
    now = timezone.now()
    answer = deadlines.appeal_dates(regime, kind, now)
    until = None
    if kind == AppealKind.APPEAL:
        until = deadlines.appeal_until(clock_events.answer_on(request, now))
        if until < answer.due.received_on or request.appeals.exclude(outcome=AppealOutcome.WITHDRAWN).exists():
            # Too late, or looked at again already: what is written then is read, and no letter promises more.
            return {}
    return {
        "kind": kind.value,
        "button": BUTTONS[kind],
        "who": who_looks(kind),
        "promise": _promise(answer),
        "until": until,
    }


def _promise(answer: deadlines.AppealDates) -> str:
    """By when the answer comes, as the law has it or we promise: a number of days, or without undue delay."""
    days = (answer.due.working_on - answer.due.received_on).days
    if answer.acknowledge_by is not None:
        told = (answer.acknowledge_by - answer.due.received_on).days
        return _(
            "We confirm within %(days)d days that we have it. You have our answer, in writing and with reasons, without"
            " undue delay."
        ) % {"days": told}
    return ngettext(
        "You have our answer, in writing and with reasons, within %(count)d day.",
        "You have our answer, in writing and with reasons, within %(count)d days.",
        days,
    ) % {"count": days}


def who_looks(kind: AppealKind) -> str:
    """Who looks at it again: somebody else, but for a team of one, of whom no more is promised than is true."""
    if settings.TEAM_OF_ONE:
        return _("We look at everything anew, on another day.")
    if kind == AppealKind.APPEAL:
        return _("Somebody who did not decide it the first time looks at everything anew.")
    return _("Somebody who did not decide it looks into it.")


def _who_looked(appeal: Appeal) -> str:
    if appeal.same_person:
        return _("We have looked at everything anew, on another day.")
    if appeal.kind == AppealKind.APPEAL:
        return _("Somebody who did not decide it the first time has looked at everything anew.")
    return _("Somebody who did not decide it has looked into your complaint.")


def context(message: Message) -> dict[str, Any]:
    """What the templates of appeals use beside the rest (see templates/email/README.md)."""
    appeal = message.appeal
    if appeal is None:
        return {}
    request = message.request or appeal.request
    appeal.request = request
    request.case = message.case
    regime = regimes.load(appeal.regime, appeal.regime_version)
    dates = deadlines.appeal_dates(
        regime, AppealKind(appeal.kind), appeal.received_at, extended=appeal.extended_at is not None
    )
    new = appeal.opened
    return {
        "appeal_kind": appeal.kind,
        "received_on": deadlines.received_on(regime.id, appeal.received_at),
        "due_on": told_on(appeal),
        "old_due_on": appeal.original_due_on,
        "new_due_on": told_on(appeal) if appeal.extended_at else None,
        "overdue": appeal.is_open and appeal.day(timezone.now()) > appeal.due_on,
        "deadline_explained": list(dates.due.explain()),
        "understood": _about(request),
        "person_text": message.text if message.notice == Notice.APPEAL_EXTENDED else appeal.reasons,
        "who_looks": who_looks(AppealKind(appeal.kind)),
        "who_looked": _who_looked(appeal),
        "in_part": appeal.outcome == AppealOutcome.UPHELD_IN_PART,
        "citation": regime.remedy_citation if appeal.reasons else "",
        "remedy": regime.remedy,
        "remedy_links": authorities.way(regime.id).sites,
        "authority": regime.authority,
        "opened_right": new.title if new else "",
        "opened_confirms": bool(new and new.right == Right.DELETION),
        "opened_due_on": (clock_events.told_on(new) or new.due_on) if new else None,
    }


def told_on(appeal: Appeal) -> date:
    """The day by which we say that it is answered: the one that we promise while that is ahead, else the law's."""
    regime = regimes.load(appeal.regime, appeal.regime_version)
    kind, extended = AppealKind(appeal.kind), appeal.extended_at is not None
    promised = deadlines.appeal_dates(regime, kind, appeal.received_at, extended=extended).due.promised_on
    return promised if promised and appeal.day(timezone.now()) <= promised else appeal.due_on


def _about(request: PrivacyRequest) -> str:
    what = request.title or Right.UNCLEAR.label
    if request.ended_at is None:
        return _("Your request: %(right)s") % {"right": what}
    day = request.answered_on or timezone.localdate(request.ended_at)
    return _("Our answer of %(day)s to your request: %(right)s") % {"day": date_format(day), "right": what}
