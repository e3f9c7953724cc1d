"""How often the same person has asked: how many answers in twelve months are free, and the facts that whoever calls a
request excessive has to show (GDPR Art 12(5); Cal. Civ. Code 1798.130(b), 1798.145(h)(3))."""

from collections import Counter
from dataclasses import dataclass
from datetime import datetime, time

from django.db.models import Q, QuerySet
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from dsar.datamap.orders import add_months
from dsar.enums import COPY_RIGHTS, UNVERIFIED_RIGHTS, DecisionKind, Outcome, Right
from dsar.law import codes
from dsar.law.shapes import covers
from dsar.models import Actor, PrivacyRequest, Proposal
from dsar.models.once import once
from dsar.workflow import Because, Invalid, decide

# A right that is answered by telling what is held: laws count them together.
INFORMATION = (Right.KNOW, Right.ACCESS, Right.PORTABILITY)
ANSWERED = (Outcome.GRANTED, Outcome.GRANTED_IN_PART, Outcome.NOTHING_HELD)
# What the person never really asked for, or asked for once and for all in another request.
NOT_COUNTED = (Outcome.REJECTED, Outcome.MERGED, Outcome.WITHDRAWN, Outcome.OVERTAKEN)


@dataclass(frozen=True)
class Count:
    """`used`: answers of this kind in the twelve months before this request; `free`: how many the law gives (0: no limit)."""

    used: int
    free: int

    @property
    def is_over(self) -> bool:
        """Whether this request goes beyond what is free."""
        return bool(self.free) and self.used >= self.free


def history(request: PrivacyRequest) -> QuerySet[PrivacyRequest]:
    """What the same proven person asked for in the twelve months before this request. Nothing counts against somebody
    who is not proven: anybody could have written in their name."""
    case = request.case
    mine = Q(case__subject_id=case.subject_id) if case.subject_id else Q(pk__in=[])
    if case.is_proven and case.email_index:
        mine |= Q(case__email_index=case.email_index, case__email_proven_at__isnull=False)
    asked_on = timezone.localdate(request.received_at)
    since = timezone.make_aware(datetime.combine(add_months(asked_on, -12), time.min))
    found = PrivacyRequest.objects.filter(mine, received_at__gte=since, received_at__lte=request.received_at)
    return found.exclude(pk=request.pk).exclude(outcome__in=NOT_COUNTED)


def _asked(request: PrivacyRequest) -> list[tuple[str, str, datetime]]:
    """What they asked for, what came of it and when it was received, in that order of time."""
    rows = history(request).order_by("received_at").values_list("right", "outcome", "received_at")
    return once(request, "repeats", lambda: list(rows))


def had_copies(request: PrivacyRequest) -> bool:
    """Whether the same person had a copy in that time."""
    return any(right in COPY_RIGHTS and outcome in ANSWERED for right, outcome, _at in _asked(request))


def count(request: PrivacyRequest) -> Count:
    """How many answers of the kind of this request there were, and how many are free. Opt-outs always are."""
    fees = request.case.law.fees
    free = fees.free_per_12_months if covers(fees.rights, request.right) else 0
    if not request.right or request.right in UNVERIFIED_RIGHTS:
        return Count(0, 0)
    alike = INFORMATION if request.right in INFORMATION else (request.right,)
    return Count(sum(right in alike and outcome in ANSWERED for right, outcome, _at in _asked(request)), free)


def refusals(request: PrivacyRequest) -> list[codes.Code]:
    """The reasons for which this request may be refused now: those that rest on a number only once it is reached, and those
    that rest on what came to pass only where it did."""
    known = codes.refusals(request.case.law, request.right or Right.KNOW)
    known = tuple(code for code in known if not code.flag or code.flag in request.judgement)
    if any(code.counted for code in known) and not count(request).is_over:
        known = tuple(code for code in known if not code.counted)
    return list(known)


def check(request: PrivacyRequest, code: codes.Code, written: str) -> None:
    """Raise Invalid where a reason that the company has to show comes without facts, its number is not reached, or what it
    rests on has not come to pass."""
    if code.flag and code.flag not in request.judgement:
        raise Invalid(_("This reason does not hold here: what it says has not happened."))
    if code.counted and not count(request).is_over:
        raise Invalid(_("This person has not had all free answers of twelve months: this reason does not hold."))
    if code.burden and not written.strip():
        raise Invalid(_("We have to show this. Please write down the facts: what was asked, when, and how often."))


def show(
    request: PrivacyRequest, code: codes.Code, written: str, actor: Actor, proposal: Proposal | None = None
) -> None:
    """Write down the facts behind a reason that the company has to show, before it is acted on; of one that rests on a
    number, the number itself. Why somebody asks is no such fact. The caller holds the request. `proposal`: whose facts they
    are, where another person confirms it. Raises Invalid where nothing is written, or the number is not reached."""
    check(request, code, written)
    if code.burden or code.counted:
        said = written.strip() or facts(request)
        decide(request, actor, Because(DecisionKind.DOCUMENTED, code.code, code.citation, said, proposal=proposal))


def prefilled(request: PrivacyRequest) -> str:
    """What stands in the field for the facts already: nothing where the history shows nothing, so that nobody shows an
    excess by a sentence that says the opposite."""
    return facts(request) if _asked(request) else ""


def facts(request: PrivacyRequest) -> str:
    """What is known of how often this person asked, in sentences for whoever has to show it. Numbers and days alone."""
    asked = _asked(request)
    if not asked:
        return _("In the twelve months before this request the same person asked for nothing else.")
    numbers = Counter(right for right, _outcome, _at in asked)
    listed = ", ".join(f"{number} × {Right(right).label}" for right, number in sorted(numbers.items()))
    answered = sum(outcome in ANSWERED for _right, outcome, _at in asked)
    return _(
        "In the twelve months before this request the same person made %(number)s others (%(listed)s), the first on"
        " %(first)s and the last on %(last)s; %(answered)s of them were answered."
    ) % {
        "number": len(asked), "listed": listed, "answered": answered,
        "first": date_format(timezone.localdate(asked[0][2])), "last": date_format(timezone.localdate(asked[-1][2])),
    }  # fmt: skip
