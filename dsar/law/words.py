"""The words of the law package: how a date explains itself, what a regime is called, why the law said no.

Every entry is a lazily translated template; values are put in when it is shown, so a stored step
(code and values) can be told again in another language.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext_lazy

# The steps of a calculation, in the order in which they usually come. Dates are shown in the reader's format.
STEPS: Final[Mapping[str, Any]] = {
    "received": _("The request reached us on %(day)s (date in the zone %(zone)s)."),
    "received_again": _("The appeal or complaint reached us on %(day)s (date in the zone %(zone)s)."),
    "by_policy": _("The privacy law of this place does not name this right; we grant it all the same."),
    "months": ngettext_lazy(
        "%(count)d month, ending on the day with the same number: %(day)s.",
        "%(count)d months, ending on the day with the same number: %(day)s.",
        "count",
    ),
    "clipped": _("That month has no such day, so its last day counts: %(day)s."),
    "days": ngettext_lazy(
        "%(count)d calendar day; the day of receipt is not counted: %(day)s.",
        "%(count)d calendar days; the day of receipt is not counted: %(day)s.",
        "count",
    ),
    "business_days": ngettext_lazy(
        "%(count)d business day; the day of receipt, weekends and public holidays are not counted: %(day)s.",
        "%(count)d business days; the day of receipt, weekends and public holidays are not counted: %(day)s.",
        "count",
    ),
    "prompt": _("It has to be done without undue delay; this date is only the outer limit."),
    "extended": _("The time was extended once, and is counted from the day of receipt, not from the first date."),
    "pause_statute": ngettext_lazy(
        "The law does not count %(count)d day, from %(asked)s to %(answered)s: %(day)s.",
        "The law does not count %(count)d days, from %(asked)s to %(answered)s: %(day)s.",
        "count",
    ),
    "pause_guidance": ngettext_lazy(
        "By guidance of the authorities, not by the law itself, %(count)d day of waiting for the"
        " answer does not count, from %(asked)s to %(answered)s: %(day)s.",
        "By guidance of the authorities, not by the law itself, %(count)d days of waiting for the"
        " answer do not count, from %(asked)s to %(answered)s: %(day)s.",
        "count",
    ),
    "begins_identity": _("The time begins when the proof of identity asked for on %(asked)s has come: %(day)s."),
    "begins_fee": _("The time begins when the fee asked for on %(asked)s is paid: %(day)s."),
    "begins_without": _(
        "We asked on %(asked)s, and nothing had come by %(day)s. We go on without it, and the time begins on that day."
    ),
    "in_vain": _(
        "We asked on %(asked)s, and nothing had come by %(day)s. We go on without it, and the time is no longer for it."
    ),
    "waived": _("We took back what we asked for on %(asked)s, and count the time as if we had never asked for it."),
    "passed_meanwhile": _(
        "The date went by while we waited, when the law had none. So the answer is due on the day on which we went on:"
        " %(day)s."
    ),
    "begins_after_days": ngettext_lazy(
        "A cost was named on %(asked)s. The law gives %(count)d day to accept it; the time begins after it: %(day)s.",
        "A cost was named on %(asked)s. The law gives %(count)d days to accept it; the time begins after them: %(day)s.",
        "count",
    ),
    "pause_begin_open": _(
        "We asked on %(asked)s; the time begins only once the answer has come, and there is no date."
    ),
    "promised": ngettext_lazy(
        "We promise to answer within %(count)d day, which is earlier than the law asks: %(day)s.",
        "We promise to answer within %(count)d days, which is earlier than the law asks: %(day)s.",
        "count",
    ),
    "as_notified": _("This law leaves the length of an extension open; in time we named this day: %(day)s."),
    "day_before": _("Read strictly, the time ends a day earlier; until that is settled the safe day is %(day)s."),
    "pause_open": _("We asked on %(asked)s and wait for the answer; there is no date until it comes."),
    "pause_unknown": _("This law does not stop the clock for what was asked on %(asked)s."),
    "pause_too_late": _("What was asked on %(asked)s came after the date had passed, so it changes nothing."),
    "rolled": _("%(from_day)s is a Saturday, a Sunday or a public holiday; the next working day is %(day)s."),
    "rolled_holiday": _("%(from_day)s is a Sunday or a public holiday; the next day that is not is %(day)s."),
    "no_calendar": _("No holiday calendar is set, so only weekends move the date."),
    "not_rolled": _("%(day)s is not a working day; this law does not move the date."),
    "until": _("The record is kept at least until the end of %(day)s."),
    "not_before": _("We may not ask again before the end of %(day)s."),
}

PAUSES: Final[Mapping[str, Any]] = {
    "identity": _("waiting for proof of identity"),
    "clarification": _("waiting for an answer to our question"),
    "fee": _("waiting for a fee"),
}

CLOCKS: Final[Mapping[str, Any]] = {
    "acknowledgement": _("Acknowledgement"),
    "response": _("Answer"),
    "extension_notice": _("Notice of an extension"),
    "opt_out": _("Opt-out carried out"),
    "reoffer": _("Not to be asked again before"),
    "record_retention": _("Record kept until"),
    "refused_copy": _("Copy of what was refused kept until"),
    "transfer": _("Passed on to whom it concerns"),
    "appeal": _("Answer to an appeal"),
    "complaint_ack": _("Acknowledgement of a complaint"),
    "complaint": _("Outcome of a complaint"),
    "grievance": _("Answer to a grievance"),
}

GUESSES: Final[Mapping[str, Any]] = {
    "country": _("Chosen by the country that was named."),
    "state": _("Chosen by the state that was named."),
    "unknown_more_protective": _("We do not know which law applies, so the more protective one is used."),
    "state_not_given": _(
        "The state or province is not known, so the most protective of the laws that may apply there is used."
    ),
    "establishment": _("That place has no law of its own here; the law of the place where we are applies."),
    "no_law_there": _("No law that we know applies in that place; we keep our own promise."),
}

ERRORS: Final[Mapping[str, Any]] = {
    "unknown_regime": _("There is no such law here."),
    "unknown_version": _("There is no such version of this law here."),
    "unknown_right": _("There is no such right."),
    "no_clock": _("This law sets no such date for this right."),
    "no_extension": _("This law does not let the time for this right be extended."),
    "already_extended": _("The time was extended before, and can be extended no further."),
    "notice_late": _("A notice of extension after %(limit)s is void."),
    "notice_early": _("The notice of extension is dated before the request."),
    "until_missing": _("This law leaves the length open: say by which day the answer comes."),
    "until_early": _("The day named is no later than the date as it stands, %(limit)s."),
    "pause_order": _("The answer is dated before the question."),
    "naive_time": _("The time of receipt carries no time zone."),
    "unknown_zone": _("There is no such time zone."),
    "unknown_calendar": _("There is no such holiday calendar."),
    "unknown_method": _("There is no such way of proving who somebody is."),
}
