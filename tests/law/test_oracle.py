"""A hundred thousand random requests, counted by dsar.law and by an oracle that walks day by day."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from random import Random

from dsar.law import regimes
from dsar.law.clocks import DueDate, Pause, due, extend
from dsar.law.errors import LawError
from dsar.law.shapes import PROCEDURES
from tests.law import oracle

CASES = 100_000
CALENDARS = ("", "DE-BE", "FR", "IE", "GB-SCT", "GB-ENG", "US-FED", "BR", "KR", "ZA", "CH", "NZ-PA")
KINDS = (
    "response", "response", "response", "response", "opt_out", "acknowledgement", "extension_notice", "record_retention",
    *PROCEDURES,
)  # fmt: skip
RIGHTS = (*regimes.RIGHTS, *regimes.RIGHTS, *PROCEDURES)


@dataclass
class Case:
    """One random request: its law and clock, and what was asked and answered, for the product and for the oracle."""

    law: regimes.Regime
    right: str
    kind: str
    clock: regimes.Clock
    start: int
    calendar: str
    pauses: list[Pause] = field(default_factory=list)
    waits: list[oracle.Wait] = field(default_factory=list)

    def oracle(self, value: int, relied_on: bool = False) -> tuple[int, int]:
        """Due and safe date; `relied_on`: as if nothing but what the law clearly grants had been waited for."""
        clock, waits = self.clock, [wait for wait in self.waits if wait.relied_on or not relied_on]
        last, safe = oracle.end(
            self.start, value, clock.unit, clock.days, self.law.rollover, self.calendar, waits
        )  # fmt: skip
        strict = oracle.walk(self.start, value, clock.unit, clock.days, self.calendar) - 1
        return last, strict if clock.day_before else safe

    def extended(self, received: datetime, notice: int) -> DueDate | None:
        """By the product, or None where the notice came too late."""
        try:
            return extend(
                self.law, self.right, received, oracle.DAYS[notice], kind=self.clock.kind, pauses=self.pauses,
                calendar=self.calendar, zone="UTC",
            )  # fmt: skip
        except LawError as error:
            assert error.reason == "notice_late", self
            return None


def test_every_date_agrees_with_the_oracle() -> None:
    chance = Random(20261122)
    laws = [regimes.load(regime_id) for regime_id in regimes.all_ids()]
    starts = [oracle.FIRST + timedelta(days=n) for n in range(16 * 365)]
    noons = [datetime(day.year, day.month, day.day, 12, tzinfo=UTC) for day in starts]
    compared = waited = void = doubtful = 0
    while compared < CASES:
        law, right, kind = chance.choice(laws), chance.choice(RIGHTS), chance.choice(KINDS)
        of = kind if kind != "extension_notice" else right if right in PROCEDURES else "response"
        clock, extension = law.clock(right, of), law.extension(of, right)
        if clock is None or (kind == "extension_notice" and extension is None):
            continue
        case = Case(law, right, kind, clock, chance.randrange(len(starts)), chance.choice(CALENDARS))
        start, received, value, calendar = case.start, noons[case.start], clock.value, case.calendar
        if kind == "record_retention":
            found = due(law, right, kind, received, calendar=calendar, zone="UTC")
            kept = oracle.kept(start, value, clock.unit)
            assert (found.date, found.safe_date) == (oracle.DAYS[kept[0]], oracle.DAYS[kept[1]]), case
            compared += 1
            continue
        for _ in range(chance.choice((0, 0, 1, 2, 3)) if of == "response" else 0):
            asked, name = start + chance.randint(-2, 50), chance.choice(("identity", "clarification", "fee"))
            answered, rule = asked + chance.randint(0, 30), law.pause(name, right)
            if asked < 0 or rule is None:
                continue
            case.pauses.append(Pause(name, oracle.DAYS[asked], oracle.DAYS[answered]))
            case.waits.append(
                oracle.Wait(asked, answered, rule.effect, rule.count, rule.days, rule.relied_on, rule.day_before)
            )
        expected, safe = case.oracle(value)
        if extension is None or extension.kind != "fixed" or kind == "extension_notice" or chance.random() < 0.7:
            found = due(law, right, kind, received, pauses=case.pauses, calendar=calendar, zone="UTC")
        else:
            notice = start + chance.randint(0, 70)
            longer = case.extended(received, notice)
            assert (longer is None) == (notice > expected), (case, notice)
            if longer is None:
                void += 1
                continue
            found = longer
            expected, safe_after = case.oracle(min(value + extension.value, extension.cap))
            # In time only by what the law does not clearly grant: then the first safe date stays.
            in_doubt = notice > case.oracle(value, relied_on=True)[0]
            safe, doubtful = (safe, doubtful + 1) if in_doubt else (safe_after, doubtful)
        assert found.date == oracle.DAYS[expected], (case, found.extended)
        assert found.safe_date == oracle.DAYS[safe], (case, found.extended)
        compared += 1
        waited += found.waited > 0
    assert waited > CASES / 100
    assert void > CASES / 100 and doubtful > CASES / 10_000
