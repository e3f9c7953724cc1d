"""The yearly measures of 11 CCR 7102, and the same for any law and period: how many requests came, what became of them,
how long it took. What an upheld appeal begins anew was asked for once, and is counted apart.

Counted are the requests that were *received* in the period, by the day of receipt in the zone of their law: from the log
of requests what has ended, from the requests themselves what is open, from the counts that are left what is older than
the log. Added up by the database; a mean or median is made of how many took how many days, the same on both databases.
"""

from collections import Counter
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, Final

from django.db.models import (
    BooleanField,
    Case,
    CharField,
    Count,
    Exists,
    F,
    OuterRef,
    QuerySet,
    Subquery,
    Sum,
    Value,
    When,
)
from django.db.models.functions import Coalesce
from django.utils import timezone

from dsar import deadlines
from dsar.enums import AppealOutcome, DecisionKind, Outcome, Right
from dsar.law import counted
from dsar.law.counted import Group
from dsar.models import Appeal, Decision, PastMeasure, PrivacyRequest, RequestRecord
from dsar.models.law_days import TODAY, by_law

# What counts as denied in whole: refused for a reason, not proven (11 CCR 7102(b) counts it so), narrowed to nothing.
DENIED: Final = (Outcome.DENIED, Outcome.NOT_PROVEN)
# Ends by which the person was answered; only these have taken days. The others ended because the person, or another
# request of theirs, ended them.
ANSWERED: Final = (Outcome.GRANTED, Outcome.GRANTED_IN_PART, *DENIED, Outcome.NOTHING_HELD, Outcome.REFERRED)
# No request of their own: the same asked twice is answered by its twin, and spam is none.
APART: Final = (Outcome.MERGED, Outcome.REJECTED)
RIGHTS: Final = (*(right.value for right in Right if right.value), Right.UNCLEAR.value)
DAY: Final = timedelta(days=1)
# Of fewer requests than these one could be known by its line.
FEW: Final = 5


@dataclass
class Line:
    """The numbers of one right, of several that the law counts together (`right` None, `group`), or of all. `took`: days from
    receipt to answer, and how many took them. `appeals`: appeals, complaints and grievances that came in the period, by what
    became of them."""

    right: str | None
    outcomes: Counter[str] = field(default_factory=Counter)
    reasons: Counter[str] = field(default_factory=Counter)
    took: Counter[int] = field(default_factory=Counter)
    appeals: Counter[str] = field(default_factory=Counter)
    open: int = 0
    overdue: int = 0
    late: int = 0
    extended: int = 0
    merged: int = 0
    rejected: int = 0
    taken_back: int = 0
    begun_anew: int = 0
    group: Group | None = None

    def add(self, other: "Line") -> None:
        """Add another line's numbers to this one."""
        for name, value in vars(other).items():
            if isinstance(value, Counter):
                getattr(self, name).update(value)
            elif isinstance(value, int):
                setattr(self, name, getattr(self, name) + value)

    def __bool__(self) -> bool:
        return bool(self.received or self.appeals or self.merged or self.rejected or self.taken_back or self.begun_anew)

    @property
    def received(self) -> int:
        """Requests received: every one that has ended or is open, without what is counted apart."""
        return self.outcomes.total() + self.open

    @property
    def denied(self) -> int:
        """Denied in whole."""
        return sum(self.outcomes[one] for one in DENIED)

    @property
    def answered(self) -> int:
        """Answered, whatever the answer was."""
        return sum(self.outcomes[one] for one in ANSWERED)

    @property
    def others(self) -> int:
        """Ended without an answer to what was asked: withdrawn, unanswered, overtaken by a deletion."""
        return self.outcomes.total() - self.answered

    @property
    def mean_days(self) -> float | None:
        """Days from receipt to answer on average, to one decimal; None where nothing was answered."""
        number = self.took.total()
        return round(sum(days * count for days, count in self.took.items()) / number, 1) if number else None

    @property
    def median_days(self) -> float | None:
        """The middle one of the days to answer (of an even number the mean of the two); None where nothing was."""
        number = self.took.total()
        if not number:
            return None
        below, above = (number - 1) // 2, number // 2
        passed, found = 0, []
        for days, count in sorted(self.took.items()):
            found += [days] * sum(passed <= place < passed + count for place in (below, above))
            passed += count
        return sum(found) / 2

    @property
    def name(self) -> str:
        """The right by its name in files; "all" for all of them, the name of the group for what is counted together."""
        return f"all_{self.group.key}" if self.group else "all" if self.right is None else self.right or "not_sorted"

    @property
    def label(self) -> Any:
        """The right, or the group of rights, in words; empty for all of them."""
        return self.group.label if self.group else "" if self.right is None else Right(self.right).label

    def numbers(self) -> dict[str, Any]:
        """Everything, by the names that file and page use."""
        of = self.outcomes
        return {
            "received": self.received, "complied_in_whole": of[Outcome.GRANTED],
            "complied_in_part": of[Outcome.GRANTED_IN_PART], "denied": self.denied,
            "denied_not_proven": of[Outcome.NOT_PROVEN], "nothing_held": of[Outcome.NOTHING_HELD],
            "referred": of[Outcome.REFERRED], "withdrawn": of[Outcome.WITHDRAWN], "unanswered": of[Outcome.UNANSWERED],
            "overtaken": of[Outcome.OVERTAKEN], "open": self.open, "open_late": self.overdue,
            "mean_days": self.mean_days, "median_days": self.median_days, "answered_late": self.late,
            "extended": self.extended, "merged": self.merged, "not_a_request": self.rejected,
            "choices_taken_back": self.taken_back, "begun_anew": self.begun_anew,
            "appeals": self.appeals.total(),
            "appeals_upheld": self.appeals[AppealOutcome.UPHELD],
            "appeals_upheld_in_part": self.appeals[AppealOutcome.UPHELD_IN_PART],
            "appeals_dismissed": self.appeals[AppealOutcome.DISMISSED],
            "appeals_withdrawn": self.appeals[AppealOutcome.WITHDRAWN], "appeals_open": self.appeals[AppealOutcome.OPEN],
        }  # fmt: skip


@dataclass(frozen=True)
class Report:
    """The measures of a period (both days are in it) under some laws, or under all where `regimes` is empty. `groups`: what
    the one law that was asked for counts as one number, made of the lines. `left_out`: rights of which there were so few that
    their lines could be about one person, where that matters; they are in no number."""

    first: date
    last: date
    regimes: tuple[str, ...]
    lines: tuple[Line, ...]
    total: Line
    made_at: datetime
    groups: tuple[Line, ...] = ()
    left_out: tuple[str, ...] = ()

    def as_json(self) -> dict[str, Any]:
        """The report for a machine."""
        return {
            "from": self.first.isoformat(), "to": self.last.isoformat(), "laws": list(self.regimes) or "all",
            "made_at": self.made_at.isoformat(timespec="seconds"),
            "rights": [{"right": line.name, **_for_a_machine(line)} for line in self.lines],
            "groups": [
                {"group": line.group.key, "rights": list(line.group.rights), "citation": line.group.citation,
                 **_for_a_machine(line)}
                for line in self.groups if line.group
            ],
            "left_out": [right or "not_sorted" for right in self.left_out], "total": _for_a_machine(self.total),
        }  # fmt: skip

    def coarse(self) -> "Report":
        """The report for a colleague who is kept apart from a case: without grounds, and without the lines of so few requests
        that one of them could be known by it (models/apart.py). Two of these tell by their difference what neither says: the
        desk makes them of years that are over and of all laws alone."""
        shown = tuple(line for line in self.lines if line.received >= FEW)
        for line in shown:
            line.reasons.clear()
            if line.appeals.total() < FEW:
                line.appeals.clear()
        left_out = tuple(line.right or "" for line in self.lines if line.received < FEW)
        whole = (line.group for line in self.groups if line.group and not set(line.group.rights) & set(left_out))
        groups = tuple(_sum(shown, group) for group in whole)
        return replace(self, lines=shown, total=_sum(shown), groups=groups, left_out=left_out)


def _for_a_machine(line: Line) -> dict[str, Any]:
    return {**line.numbers(), "denied_by_ground": dict(sorted(line.reasons.items()))}


def _sum(lines: Iterable[Line], group: Group | None = None) -> Line:
    """All of the lines together, or those that a group is made of."""
    total = Line(None, group=group)
    for line in lines:
        if group is None or line.right in group.rights:
            total.add(line)
    return total


def report(first: date, last: date, regimes: Collection[str] = ()) -> Report:
    """Count what was received from `first` to `last` (both included) under these laws; under all where none is named."""
    lines = {right: Line(right) for right in RIGHTS}
    for row in _ended(first, last, regimes):
        _count(lines[row["right"]], row)
    for row in _open(first, last, regimes):
        line = lines[row["asked"]]
        if row["anew"]:
            line.begun_anew += row["number"]
        elif row["take_back"]:
            line.taken_back += row["number"]
        else:
            line.open += row["number"]
            line.overdue += row["number"] if row["overdue"] else 0
    for row in _not_left(first, last, regimes):
        lines[row["right"]].late += row["number"]
    for row in _appeals(first, last, regimes):
        lines[row["asked"]].appeals[row["outcome"]] += row["number"]
    found = tuple(line for line in lines.values() if line)
    # What one law counts as one number is none under another.
    together = counted.groups(next(iter(regimes))) if len(regimes) == 1 else ()
    sums = tuple(_sum(found, group) for group in together)
    return Report(first, last, tuple(sorted(regimes)), found, _sum(found), timezone.now(), sums)


def _count(line: Line, row: dict[str, Any]) -> None:
    number, outcome = row["number"], row["outcome"]
    if outcome in APART:
        line.merged += number if outcome == Outcome.MERGED else 0
        line.rejected += number if outcome == Outcome.REJECTED else 0
    elif row["begun_anew"]:
        line.begun_anew += number
    elif row["take_back"]:
        line.taken_back += number
    else:
        for ground in row["basis"].splitlines() if outcome != Outcome.REFERRED else ():
            line.reasons[ground.partition(" ")[0]] += number
        line.outcomes[outcome] += number
        line.extended += number if row["extended"] else 0
        if outcome in ANSWERED:
            if row["days"] is not None:
                line.took[row["days"]] += number
            line.late += number if row["late"] else 0


def _ended(first: date, last: date, regimes: Collection[str]) -> Iterator[dict[str, Any]]:
    """What has ended, added up."""
    logged = RequestRecord.objects.filter(received_on__gte=first, received_on__lte=last)
    # Of what is older only the month is known: those that lie in the period as a whole.
    past = PastMeasure.objects.filter(month__gte=first, month__lt=(last + DAY).replace(day=1))
    sources: tuple[tuple[QuerySet[Any], Any], ...] = ((logged, Count("pk")), (past, Sum("number")))
    for rows, number in sources:
        of_laws = (rows.filter(regime__in=regimes) if regimes else rows).order_by()
        alike = of_laws.values("right", "take_back", "begun_anew", "outcome", "days", "extended", "late", "basis")
        yield from alike.annotate(number=number)


def _open(first: date, last: date, regimes: Collection[str]) -> Iterator[dict[str, Any]]:
    rows = PrivacyRequest.objects.filter(ended_at__isnull=True)
    if regimes:
        rows = rows.filter(case__regime__in=regimes)
    # While the law itself stops the clock it has no date.
    over = When(by_law(timezone.now(), "case__regime", due_on__lt=TODAY), paused_reason="", then=True)
    rows = rows.annotate(
        overdue=Case(over, default=Value(False), output_field=BooleanField()),
        anew=Exists(Appeal.objects.filter(opened=OuterRef("pk"))),
        asked=_asked("right", "pk"),
    )
    yield from _by_day(rows, first, last, "case__regime", ("asked", "take_back", "anew", "overdue"))


def _not_left(first: date, last: date, regimes: Collection[str]) -> Iterator[dict[str, Any]]:
    """What has ended and is late all the same: the answer is still in the house, and its date has passed. Not where the law
    had none as it ended."""
    here = PrivacyRequest.objects.answers_here().filter(
        by_law(timezone.now(), "case__regime", due_on__lt=TODAY), outcome__in=ANSWERED, paused_reason=""
    )
    rows = RequestRecord.objects.filter(
        request_id__in=here.values("pk"), received_on__gte=first, received_on__lte=last, take_back=False, begun_anew=False
    )  # fmt: skip
    of_laws = (rows.filter(regime__in=regimes) if regimes else rows).order_by()
    for row in of_laws.values("right").annotate(number=Count("pk")):
        yield dict(row)


def _appeals(first: date, last: date, regimes: Collection[str]) -> Iterator[dict[str, Any]]:
    rows = Appeal.objects.filter(regime__in=regimes) if regimes else Appeal.objects.all()
    rows = rows.annotate(asked=_asked("request__right", "request"))
    yield from _by_day(rows, first, last, "regime", ("asked", "outcome"))


def _asked(right: str, request: str) -> Case:
    """The right that was asked for, also where a lesser one is being answered: as `records.asked_right` says it of what has
    ended. `right` and `request` are the fields that hold the right and the key of the request."""
    fell = Decision.objects.filter(request=OuterRef(request), kind=DecisionKind.FALL_BACK, code__in=Right.values)
    first = Subquery(fell.order_by("pk").values("code")[:1])
    return Case(
        When(**{right: Right.KNOW}, then=Coalesce(first, F(right), output_field=CharField())),
        default=F(right), output_field=CharField(),
    )  # fmt: skip


def _by_day(
    rows: QuerySet[Any], first: date, last: date, regime: str, names: tuple[str, ...]
) -> Iterator[dict[str, Any]]:
    """Rows received in the period: added up where the day of receipt is the same in every zone, looked at one by one near
    the edges. `regime` is the field with the law, in whose zone a day counts."""
    begin, end = (datetime.combine(day, time.min, UTC) for day in (first, last + DAY))
    inside = rows.order_by().filter(received_at__gte=begin + DAY, received_at__lt=end - DAY)
    for same in inside.values(*names).annotate(number=Count("pk")):
        yield dict(same)
    edges = rows.order_by().filter(received_at__gte=begin - DAY, received_at__lt=end + DAY)
    for row in edges.exclude(pk__in=inside.values("pk")).values(*names, "received_at", regime):
        if first <= deadlines.received_on(row[regime], row["received_at"]) <= last:
            yield {**row, "number": 1}
