"""The laws as their files have them, in words: for staff, and for the lawyer who looks over their shoulder."""

from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_safe

from dsar.desk import frame
from dsar.enums import Right
from dsar.law import authorities, codes, regime_words, regimes, words
from dsar.law.regimes import Clock, Extension, PauseRule, Regime

SHOWN = ("acknowledgement", "response", "opt_out", "appeal")


@require_safe
def listing(request: HttpRequest) -> HttpResponse:
    """Every law with its status, its version and its main dates."""
    today = timezone.localdate()
    lines = [
        {
            "law": law, "status": law.status_text, "checked": regime_words.CHECKED[law.checked],
            "not_yet": not law.in_force(today), "open": len(law.unconfirmed),
            "dates": [(words.CLOCKS[kind], ", ".join(_periods(law, kind))) for kind in SHOWN if _periods(law, kind)],
            "extension": list(dict.fromkeys(extended(one) for one in law.extensions if one.of == "response")),
        }
        for law in sorted(map(regimes.load, regimes.all_ids()), key=lambda law: str(law.name))
    ]  # fmt: skip
    return frame.page(request, "desk/laws.html", "laws", {"lines": lines})


# What a law means for whoever asks, to be said on the phone or in an answer: proof, time, the way back, records.
PLAIN = ("identity", "extension", "appeal", "remedy", "records")


@require_safe
def page(request: HttpRequest, regime_id: str) -> HttpResponse:
    """All that the file of one law says. 404 for one that there is not."""
    if regime_id not in regimes.all_ids():
        raise Http404
    law = regimes.load(regime_id)
    context = {
        "law": law, "checked": regime_words.CHECKED[law.checked], "rights": names(law.rights),
        "older": regimes.versions(regime_id), "not_yet": not law.in_force(timezone.localdate()),
        "clocks": [_clock(clock) for clock in law.clocks],
        "extensions": [
            (words.CLOCKS[one.of], names(one.rights), extended(one), one.note, one.citation) for one in law.extensions
        ],
        "pauses": [
            (words.PAUSES[one.kind], names(one.rights), regime_words.BASES[one.basis], waits(one), one.note, one.citation)
            for one in law.pauses
        ],
        "tiers": [(Right(right).label, tier) for right, tier in law.tiers.items()],
        "appeal": regime_words.APPEALS[law.appeal], "signal": regime_words.SIGNALS[law.gpc],
        "way": authorities.way(regime_id), "plain": [law.text(key) for key in PLAIN],
        "agent_rights": names(law.agents.rights), "direct": names(law.agents.direct_proof),
        "charges": [regime_words.CHARGES[one] for one in law.fees.charge],
        "secrets": [regime_words.SECRETS[one] for one in law.never_disclose.kinds],
        "grounds": codes.grounds(law), "reasons": codes.extension_reasons(law), "rollover": regime_words.ROLLOVERS[law.rollover],
    }  # fmt: skip
    return frame.page(request, "desk/law.html", "laws", context)


def _periods(law: Regime, kind: str) -> list[str]:
    """How long the clocks of a kind run, each length once; which right has which stands on the law's own page."""
    return list(dict.fromkeys(period(clock) for clock in law.clocks if clock.kind == kind))


def names(rights: tuple[str, ...]) -> str:
    """Rights by their names, in one line."""
    return str(_("everything")) if "*" in rights else ", ".join(str(Right(right).label) for right in rights)


def period(clock: Clock) -> str:
    """How long a clock runs, in words."""
    count = {"count": clock.value}
    if clock.unit == "months":
        return ngettext("%(count)d month", "%(count)d months", clock.value) % count
    if clock.days == "business":
        return ngettext("%(count)d business day", "%(count)d business days", clock.value) % count
    return ngettext("%(count)d day", "%(count)d days", clock.value) % count


def extended(one: Extension) -> str:
    """How much an extension gives, in words."""
    if one.kind == "open":
        return _("until the day that the notice names")
    if one.unit == "months":
        return _("%(value)d months more, %(cap)d in all") % {"value": one.value, "cap": one.cap}
    return _("%(value)d days more, %(cap)d in all") % {"value": one.value, "cap": one.cap}


def waits(one: PauseRule) -> str:
    """What waiting does to the clock, in words."""
    if one.effect == "starts":
        return _("the time begins only with the answer")
    if one.effect == "starts_after_days":
        return _("the time begins %(days)d days after the question") % {"days": one.days}
    if one.count == "inclusive":
        return _("the days from question to answer do not count, both included")
    return _("the days from question to answer do not count")


def _clock(clock: Clock) -> tuple[Any, ...]:
    prompt = _("without undue delay; the period is the outer limit") if clock.prompt else ""
    return (
        words.CLOCKS[clock.kind],
        names(clock.rights),
        period(clock),
        prompt,
        regime_words.BASES[clock.basis],
        clock.citation,
    )
