"""A hundred thousand random requests, counted by dsar.law and by an oracle that walks day by day."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from random import Random

from dsar.law import regimes
from dsar.law.clocks import Pause, due
from tests.law import oracle

CASES = 100_000
CALENDARS = ("", "DE-BE", "FR", "IE", "GB-SCT", "GB-ENG", "US-FED", "BR", "KR", "ZA", "CH", "NZ-PA")
KINDS = ("response", "response", "response", "opt_out", "acknowledgement", "appeal", "extension_notice")


def test_every_date_agrees_with_the_oracle() -> None:
    chance = Random(20261122)
    laws = [regimes.load(regime_id) for regime_id in regimes.all_ids()]
    starts = [oracle.FIRST + timedelta(days=n) for n in range(16 * 365)]
    noons = [datetime(day.year, day.month, day.day, 12, tzinfo=UTC) for day in starts]
    compared = waited = 0
    while compared < CASES:
        law, right, kind = chance.choice(laws), chance.choice(regimes.RIGHTS), chance.choice(KINDS)
        of = "response" if kind == "extension_notice" else kind
        clock, extension = law.clock(right, of), law.extension(of, right)
        if clock is None or (kind == "extension_notice" and extension is None):
            continue
        extended = (
            extension is not None and extension.kind == "fixed" and kind != "extension_notice" and chance.random() < 0.3
        )
        value = extension.cap if extended and extension is not None else clock.value
        if extended and extension is not None and clock.value + extension.value < extension.cap:
            continue
        calendar, start = chance.choice(CALENDARS), chance.randrange(len(starts))
        pauses, waits = [], []
        for _ in range(chance.choice((0, 0, 1, 2, 3)) if of == "response" else 0):
            asked, name = start + chance.randint(-2, 50), chance.choice(("identity", "clarification", "fee"))
            answered, rule = asked + chance.randint(0, 30), law.pause(name, right)
            if asked < 0 or rule is None:
                continue
            pauses.append(Pause(name, oracle.DAYS[asked], oracle.DAYS[answered]))
            waits.append(
                oracle.Wait(asked, answered, rule.effect, rule.count, rule.days, rule.relied_on, rule.day_before)
            )
        found = due(law, right, kind, noons[start], pauses=pauses, extended=extended, calendar=calendar, zone="UTC")
        expected, safe = oracle.end(start, value, clock.unit, clock.days, law.rollover, calendar, waits)
        if clock.day_before:
            safe = oracle.walk(start, value, clock.unit, clock.days, calendar) - 1
        assert found.date == oracle.DAYS[expected], (law.id, right, kind, starts[start], calendar, extended, pauses)
        assert found.safe_date == oracle.DAYS[safe], (law.id, right, kind, starts[start], calendar, extended, pauses)
        compared += 1
        waited += found.waited > 0
    assert waited > CASES / 100
