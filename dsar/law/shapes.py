"""The shape of a law: rights, clocks, extensions, pauses, tiers, remedies, as frozen data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

from dsar.enums import UNVERIFIED_RIGHTS, Right
from dsar.law import regime_words
from dsar.law.errors import LawError

RIGHTS: Final = tuple(right.value for right in Right if right.value)
NEVER_VERIFIED: Final = frozenset(right.value for right in UNVERIFIED_RIGHTS)
UNSORTED: Final = Right.UNCLEAR.value  # a request nobody has understood yet: its clock runs as for `know`
PROCEDURES: Final = ("appeal", "complaint", "grievance")  # clocks of their own, whatever the right they are about


@dataclass(frozen=True, slots=True)
class Clock:
    """A period that runs from receipt: `value` in `unit` (months, days), `days` calendar or business.

    `end` is "by" (to be done by then) or "until" (to be kept, or left alone, at least until then).
    `prompt` marks what is owed without undue delay, the period being only the outer limit. `basis` is
    "statute", "guidance" of an authority, or "policy" of the company where the law sets no number. `day_before`:
    the reading that counts the day of receipt ends a day earlier, and is the safe one.
    """

    kind: str
    rights: tuple[str, ...]
    value: int
    unit: str
    days: str
    end: str
    prompt: bool
    citation: str
    basis: str = "statute"
    day_before: bool = False


@dataclass(frozen=True, slots=True)
class Extension:
    """How far the clock `of` may be extended, once.

    `kind` "fixed": `value` more, at most `cap` in all, counted from the start of the first period. "open":
    until the day that the notice names (`value` and `cap` are 0).
    """

    of: str
    value: int
    unit: str
    times: int
    cap: int
    citation: str
    rights: tuple[str, ...] = ("*",)
    kind: str = "fixed"
    note: str = ""


@dataclass(frozen=True, slots=True)
class PauseRule:
    """When waiting for the person does not count; `basis` is "statute" or "guidance", shown apart.

    `effect`: "suspends" takes out the days between question and answer (`count` "exclusive": answer minus
    question, "inclusive": both days too); "starts" lets the clock begin at the answer; "starts_after_days"
    lets it begin `days` after the question, whenever the answer comes, and with `lapses` a question left
    unanswered for so long ends the request. `relied_on`: the safe date counts on it too; `day_before`: where
    it moved the date, the safe date is the day before at the latest.
    """

    kind: str
    basis: str
    count: str
    rights: tuple[str, ...]
    citation: str
    effect: str = "suspends"
    days: int = 0
    lapses: bool = False
    relied_on: bool = False
    day_before: bool = False
    note: str = ""


@dataclass(frozen=True, slots=True)
class Unconfirmed:
    """A cell of the file that a lawyer has yet to confirm: which one, and what is open about it."""

    key: str
    what: str


@dataclass(frozen=True, slots=True)
class Amendment:
    """A day on which the law changed, or will, and what."""

    on: date
    what: str


@dataclass(frozen=True, slots=True)
class Agents:
    """Who may ask for somebody else.

    `rights`: what an agent may ask for at all ("*" everything, empty nothing). `signed_permission`: where it
    must be shown. `direct_proof`: where the person may be asked, besides, to prove who they are or to confirm
    the permission themselves; `attorney_exempt`: not where there is a power of attorney. `guardians`: parents
    and guardians act for a child.
    """

    rights: tuple[str, ...]
    signed_permission: tuple[str, ...]
    direct_proof: tuple[str, ...]
    attorney_exempt: bool
    guardians: bool
    citation: str
    note: str

    def may(self, right: str) -> bool:
        """Whether the law lets an agent ask for this right."""
        return covers(self.rights, right)

    @property
    def opt_out_only(self) -> bool:
        """Whether agents may opt out for a person and nothing else."""
        return bool(self.rights) and set(self.rights) <= {"opt_out_sale", "opt_out_targeted", "limit_sensitive"}


@dataclass(frozen=True, slots=True)
class Fees:
    """What may cost something: `charge` names the occasions, `cap` the most in whole `currency` units (0: none).

    `free_per_12_months`: how many requests for `rights` are free within twelve months (0: no limit).
    `reflection_days`: how long the person has to accept the cost.
    """

    free_per_12_months: int
    rights: tuple[str, ...]
    charge: tuple[str, ...]
    cap: int
    currency: str
    reflection_days: int
    citation: str
    note: str


@dataclass(frozen=True, slots=True)
class Records:
    """How long the record of a request is kept; `duty`: the law demands it. `refused`: how long what was refused
    is kept for a review: "" (no rule), "recourse" (until it is over), "days" (the clock `refused_copy`).
    """

    months: int
    duty: bool
    refused: str
    citation: str
    note: str


@dataclass(frozen=True, slots=True)
class Child:
    """`age` of consent to online services (0: none fixed), by country in `national`; below `guardian_below` a
    guardian acts (0: whoever understands may ask alone); below `teens` further protection.
    """

    age: int
    guardian_below: int
    teens: int
    national: Mapping[str, int]
    citation: str
    note: str

    def __hash__(self) -> int:
        return hash((self.age, self.guardian_below, self.teens, self.citation))


@dataclass(frozen=True, slots=True)
class NeverDisclosed:
    """Kinds of values that are never handed out, and the article that says so (both may be empty)."""

    kinds: tuple[str, ...]
    citation: str
    note: str


@dataclass(frozen=True, slots=True)
class Content:
    """What an answer must hold beyond the usual: `third_parties` "specific" ones or their "categories" ("": no
    rule), the reasons of profiling, and how far back it reaches (`since`, or None).
    """

    third_parties: str
    profiling_reasons: bool
    since: date | None
    citation: str


@dataclass(frozen=True, slots=True)
class Regime:
    """One law in one version, as the file has it; ids and codes are plain strings, texts lazy.

    `effective_from` and `effective_to`: when the law gives its rights. `version_from`: from which day of receipt on
    requests come under this version of it (the law's own beginning, where the file says nothing).
    `status`: "in_force", "not_yet_in_force", "policy" (of the company). `zone_of` and `calendar_of`: "regime"
    (the file's own) or "establishment" (the company's, where it has one that fits). `appeal`: "none",
    "internal" (to another person of the company) or "controller_complaint" (UK s.164A, India s.13).
    `reaches_abroad`: it protects whoever a company at home there deals with, wherever they live (GDPR Art 3(1)).
    """

    id: str
    version: str
    status: str
    checked: str
    effective_from: date
    version_from: date
    effective_to: date | None
    amended: tuple[Amendment, ...]
    regions: tuple[str, ...]
    zone: str
    calendar: str
    zone_of: str
    calendar_of: str
    reaches_abroad: bool
    clock_start: str
    rights: tuple[str, ...]
    citations: tuple[str, ...]
    notes: tuple[str, ...]
    unconfirmed: tuple[Unconfirmed, ...]
    acknowledgement: str
    clocks: tuple[Clock, ...]
    extensions: tuple[Extension, ...]
    no_extension: str
    no_extension_citation: str
    pauses: tuple[PauseRule, ...]
    rollover: str
    rollover_citation: str
    tiers: Mapping[str, int]
    methods: Mapping[str, int]
    falls_back: Mapping[str, str]
    verification_citation: str
    verification_note: str
    unproven_refusal: str
    appeal: str
    court: bool
    authority_link: bool
    remedy_citation: str
    remedy_note: str
    agents: Agents
    fees: Fees
    records: Records
    child: Child
    never_disclose: NeverDisclosed
    gpc: str
    show_signal_status: bool
    signal_citation: str
    content: Content

    def __hash__(self) -> int:
        return hash((self.id, self.version))

    def text(self, key: str) -> Any:
        """A lazily translated text: name, short, authority, remedy, appeal, extension, identity, records."""
        return regime_words.REGIMES[self.id][key]

    @property
    def name(self) -> Any:
        """What the law is called, for people."""
        return self.text("name")

    @property
    def authority(self) -> Any:
        """To whom a person may complain."""
        return self.text("authority")

    @property
    def remedy(self) -> Any:
        """The sentence on complaint and court that a refusal must carry (e.g. GDPR Art 12(4))."""
        return self.text("remedy")

    @property
    def status_text(self) -> Any:
        """The status in words."""
        return regime_words.STATUSES[self.status]

    @property
    def guardian_below(self) -> int:
        """Below this age a guardian acts; 0 where whoever understands may ask alone."""
        return self.child.guardian_below

    def in_force(self, on: date) -> bool:
        """Whether this version of the law gives its rights on a day."""
        return self.effective_from <= on and (self.effective_to is None or on <= self.effective_to)

    def grants(self, right: str) -> bool:
        """Whether the law itself names this right (others are kept as the company's own promise)."""
        return right in self.rights or right == UNSORTED or right in PROCEDURES

    def clock(self, right: str, kind: str) -> Clock | None:
        """The clock of this kind for this right, or None; one for all rights yields to a particular one.

        An appeal, a complaint and a grievance may stand in for the right: their clocks are the same for all.
        """
        right = Right.KNOW.value if right == UNSORTED else right
        if right not in RIGHTS and right not in PROCEDURES:
            raise LawError("unknown_right", right=right)
        found = [clock for clock in self.clocks if clock.kind == kind and covers(clock.rights, right)]
        return min(found, key=lambda clock: clock.rights == ("*",), default=None)

    def governing(self, right: str) -> Clock:
        """The clock by which a request about this right must be answered: `response`, else `opt_out`."""
        clock = self.clock(right, "response") or self.clock(right, "opt_out")
        if clock is None:
            raise LawError("no_clock", right=right, kind="response")
        return clock

    def extension(self, kind: str, right: str = "*") -> Extension | None:
        """The extension of the clock of this kind, for this right ("*": for any), or None."""
        right = Right.KNOW.value if right == UNSORTED else right
        return next(
            (one for one in self.extensions if one.of == kind and (right == "*" or covers(one.rights, right))), None
        )

    def may_move(self, right: str) -> bool:
        """Whether waiting for the person, as the law itself grants it, still moves the date of this right once its time was
        extended. A day that the notice of the extension named stays."""
        extension, clock = self.extension("response", right), self.clock(right, "response")
        right = Right.KNOW.value if right == UNSORTED else right
        waits = any(rule.basis == "statute" and covers(rule.rights, right) for rule in self.pauses)
        return waits and clock is not None and extension is not None and extension.kind == "fixed"

    def pause(self, kind: str, right: str) -> PauseRule | None:
        """The rule under which waiting of this kind stops the clock of this right, or None."""
        right = Right.KNOW.value if right == UNSORTED else right
        return next((p for p in self.pauses if p.kind == kind and covers(p.rights, right)), None)


def covers(rights: tuple[str, ...], right: str) -> bool:
    """Whether a list of rights, in which "*" stands for all, holds this one."""
    return right in rights or "*" in rights
