"""Reading one regime file: every key known, every value of its kind, and the rules no file may break.

What a file may never say: that an opt-out, a marketing objection or a withdrawal of consent is verified;
that quiz questions prove anything by themselves; that an extension goes beyond its cap; that a right has
no date by which it is answered.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from datetime import date
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final
from zoneinfo import ZoneInfo

from dsar.law import words
from dsar.law.calendars import is_calendar
from dsar.law.errors import RegimeFileError
from dsar.law.shapes import NEVER_VERIFIED, RIGHTS, Clock, Extension, PauseRule, Regime, covers

TOP: Final = 3  # the highest identity tier
METHODS: Final = (
    "signed_in", "email_link", "email_code", "sign_in_fresh", "mfa", "oidc", "data_points_2",
    "data_points_3_declared", "agent_authority", "staff_judgement", "quiz",
)  # fmt: skip
STATUSES: Final = ("in_force", "partly_in_force", "enacted", "default")
CHECKED: Final = ("verified", "partly_verified", "unverified")
STARTS: Final = ("receipt",)
ROLLOVERS: Final = ("none", "next_working_day", "next_day_not_holiday")


class _Table:
    """One TOML table being read: takes each key once, with its type, and rejects what is left."""

    def __init__(self, source: str, where: str, content: object) -> None:
        self.source, self.where = source, where
        if not isinstance(content, dict):
            raise RegimeFileError(source, f"{where or 'file'}: a table is expected")
        self.left: dict[str, Any] = dict(content)

    def fail(self, key: str, message: str) -> RegimeFileError:
        name = f"{self.where}.{key}" if self.where else key
        return RegimeFileError(self.source, f"{name}: {message}")

    def _take(self, key: str, kind: type, what: str, default: Any) -> Any:
        if key not in self.left:
            if default is None:
                raise self.fail(key, "is missing")
            return default
        value = self.left.pop(key)
        if type(value) is not kind:
            raise self.fail(key, f"{what} is expected")
        return value

    def text(self, key: str, *, among: tuple[str, ...] = (), default: str | None = None) -> str:
        value: str = self._take(key, str, "a text", default)
        if among and value not in among:
            raise self.fail(key, f"'{value}' is none of {', '.join(among)}")
        return value

    def cited(self, key: str = "citation") -> str:
        value = self.text(key)
        if not value.strip():
            raise self.fail(key, "names no article of law")
        return value

    def number(self, key: str, *, least: int = 0, most: int = 10_000) -> int:
        value: int = self._take(key, int, "a whole number", None)
        if not least <= value <= most:
            raise self.fail(key, f"{value} is not between {least} and {most}")
        return value

    def flag(self, key: str, *, default: bool | None = None) -> bool:
        return bool(self._take(key, bool, "true or false", default))

    def day(self, key: str) -> date:
        value: date = self._take(key, date, "a date", None)
        return value

    def texts(self, key: str, *, among: tuple[str, ...] = (), empty: bool = False) -> tuple[str, ...]:
        values: list[Any] = self._take(key, list, "a list", [] if empty else None)
        if not values and not empty:
            raise self.fail(key, "is empty")
        for value in values:
            if not isinstance(value, str) or (among and value not in among):
                raise self.fail(key, f"'{value}' is not allowed here")
        if len(set(values)) != len(values):
            raise self.fail(key, "names something twice")
        return tuple(values)

    def rights(self, key: str = "rights") -> tuple[str, ...]:
        values = self.texts(key, among=(*RIGHTS, "*"))
        if "*" in values and len(values) > 1:
            raise self.fail(key, "'*' stands alone")
        return values

    def table(self, key: str) -> _Table:
        if key not in self.left:
            raise self.fail(key, "is missing")
        return _Table(self.source, f"{self.where}.{key}" if self.where else key, self.left.pop(key))

    def tables(self, key: str) -> list[_Table]:
        content = self.left.pop(key, [])
        if not isinstance(content, list):
            raise self.fail(key, "a list of tables is expected")
        return [_Table(self.source, f"{key}[{index}]", item) for index, item in enumerate(content)]

    def done(self) -> None:
        for key in self.left:
            raise self.fail(key, "is not known")


def read(path: Path) -> Regime:
    """The regime in a file. Raises RegimeFileError with the file, the key and what is wrong with it."""
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise RegimeFileError(path.name, f"cannot be read ({type(error).__name__}: {error})") from error
    regime = parse(content, path.name)
    stem, _, version = path.stem.partition("@")
    if regime.id != stem or (version and regime.version != version):
        raise RegimeFileError(path.name, f"id: the file holds '{regime.id}' in version '{regime.version}'")
    return regime


def parse(content: Mapping[str, Any], source: str) -> Regime:
    """The regime in a parsed TOML document; `source` names it in errors (RegimeFileError)."""
    top = _Table(source, "", dict(content))
    regime_id = top.text("id")
    if not {"name", "authority", "remedy"} <= words.REGIMES.get(regime_id, {}).keys():
        raise top.fail("id", f"'{regime_id}' has no name, authority or remedy in words.REGIMES")
    rollover, verification, remedies = top.table("rollover"), top.table("verification"), top.table("remedies")
    fees, records, child = top.table("fees"), top.table("records"), top.table("child")
    clocks = tuple(_clock(item) for item in top.tables("clocks"))
    regime = Regime(
        id=regime_id,
        version=_version(top),
        status=top.text("status", among=STATUSES),
        checked=top.text("checked", among=CHECKED),
        effective_from=top.day("effective_from"),
        effective_to=top.day("effective_to") if "effective_to" in top.left else None,
        regions=top.texts("regions"),
        zone=_zone(top),
        calendar=_calendar(top),
        clock_start=top.text("clock_start", among=STARTS),
        rights=top.texts("rights", among=RIGHTS),
        citations=top.texts("citations"),
        unconfirmed=top.texts("unconfirmed", empty=True),
        acknowledgement=top.text("acknowledgement", default=""),
        clocks=clocks,
        extensions=tuple(_extension(item, clocks) for item in top.tables("extensions")),
        pauses=tuple(_pause(item) for item in top.tables("pauses")),
        rollover=rollover.text("mode", among=ROLLOVERS),
        rollover_citation=rollover.cited(),
        tiers=_tiers(verification.table("tiers")),
        methods=_methods(verification.table("methods")),
        falls_back=_falls_back(verification.table("falls_back")),
        verification_citation=verification.cited(),
        unproven_refusal=verification.text("unproven_refusal", default=""),
        appeal=remedies.flag("appeal"),
        court=remedies.flag("court"),
        remedy_citation=remedies.cited(),
        free_per_12_months=fees.number("free_per_12_months"),
        free_rights=fees.rights(),
        fee_citation=fees.cited(),
        record_months=records.number("months", least=1),
        record_duty=records.flag("duty"),
        record_citation=records.cited(),
        child_age=child.number("age", least=1, most=21),
        child_citation=child.cited(),
    )
    for table in (rollover, verification, remedies, fees, records, child, top):
        table.done()
    _whole(regime, top)
    return regime


def _version(top: _Table) -> str:
    version = top.text("version")
    if not version or not all(char.isalnum() or char in ".-" for char in version):
        raise top.fail("version", "letters, digits, dots and hyphens are expected")
    return version


def _zone(top: _Table) -> str:
    zone = top.text("zone")
    try:
        ZoneInfo(zone)
    except (KeyError, ValueError, OSError) as error:
        raise top.fail("zone", f"'{zone}' is no time zone") from error
    return zone


def _calendar(top: _Table) -> str:
    calendar = top.text("calendar")
    if calendar and not is_calendar(calendar):
        raise top.fail("calendar", f"'{calendar}' is no holiday calendar")
    return calendar


def _clock(item: _Table) -> Clock:
    clock = Clock(
        kind=item.text("kind", among=tuple(kind for kind in words.CLOCKS if kind != "extension_notice")),
        rights=item.rights(),
        value=item.number("value", least=1, most=600),
        unit=item.text("unit", among=("months", "days")),
        days=item.text("days", among=("calendar", "business"), default="calendar"),
        end=item.text("end", among=("by", "until"), default="by"),
        prompt=item.flag("prompt", default=False),
        citation=item.cited(),
    )
    if clock.unit == "months" and clock.days == "business":
        raise item.fail("days", "months have no business days")
    item.done()
    return clock


def _extension(item: _Table, clocks: tuple[Clock, ...]) -> Extension:
    extension = Extension(
        of=item.text("of", among=tuple(words.CLOCKS)),
        value=item.number("value", least=1),
        unit=item.text("unit", among=("months", "days")),
        times=item.number("times", least=1, most=1),
        cap=item.number("cap", least=1),
        citation=item.cited(),
    )
    extended = [clock for clock in clocks if clock.kind == extension.of]
    if not extended:
        raise item.fail("of", f"there is no clock '{extension.of}'")
    for clock in extended:
        if clock.unit != extension.unit or clock.days == "business":
            raise item.fail("unit", f"differs from the clock '{clock.kind}'")
        if clock.value + extension.value > extension.cap:
            raise item.fail("cap", f"{clock.value} and {extension.value} together exceed {extension.cap}")
    item.done()
    return extension


def _pause(item: _Table) -> PauseRule:
    pause = PauseRule(
        kind=item.text("kind", among=tuple(words.PAUSES)),
        basis=item.text("basis", among=("statute", "guidance")),
        count=item.text("count", among=("inclusive", "exclusive")),
        rights=item.rights(),
        citation=item.cited(),
    )
    item.done()
    return pause


def _tiers(table: _Table) -> Mapping[str, int]:
    tiers = {right: table.number(right, most=TOP) for right in RIGHTS}
    for right in sorted(NEVER_VERIFIED):
        if tiers[right] != 0:
            raise table.fail(right, "opt-outs, marketing objections and withdrawals of consent are never verified")
    table.done()
    return MappingProxyType(tiers)


def _methods(table: _Table) -> Mapping[str, int]:
    methods = {method: table.number(method, most=TOP) for method in METHODS}
    if methods["quiz"] != 0:
        raise table.fail("quiz", "questions put from records are never enough alone")
    table.done()
    return MappingProxyType(methods)


def _falls_back(table: _Table) -> Mapping[str, str]:
    pairs = {right: table.text(right, among=RIGHTS) for right in tuple(table.left)}
    for right in pairs:
        if right not in RIGHTS:
            raise table.fail(right, "is no right")
    return MappingProxyType(pairs)


def _whole(regime: Regime, top: _Table) -> None:
    """What can only be seen with the whole file in hand."""
    seen: set[tuple[str, str]] = set()
    for clock in regime.clocks:
        for right in clock.rights:
            if (clock.kind, right) in seen:
                raise top.fail("clocks", f"'{clock.kind}' stands twice for '{right}'")
            seen.add((clock.kind, right))
    for right in RIGHTS:
        if regime.clock(right, "response") is None and regime.clock(right, "opt_out") is None:
            raise top.fail("clocks", f"no date by which '{right}' is answered")
    for right, lesser in regime.falls_back.items():
        if regime.tiers[lesser] > regime.tiers[right]:
            raise top.fail("verification.falls_back", f"'{lesser}' needs more than '{right}'")
    for right in regime.rights:
        if regime.tiers[right] > max(regime.methods.values()):
            raise top.fail("verification.methods", f"no method reaches the tier of '{right}'")
    if regime.appeal and not any(clock.kind == "appeal" for clock in regime.clocks):
        raise top.fail("remedies.appeal", "there is no clock 'appeal'")
    if regime.effective_to is not None and regime.effective_to < regime.effective_from:
        raise top.fail("effective_to", "lies before effective_from")
    retention = regime.clock("access", "record_retention")
    if retention is not None and (retention.value, retention.unit) != (regime.record_months, "months"):
        raise top.fail("records.months", "differs from the clock 'record_retention'")
    if not any(covers(clock.rights, "access") for clock in regime.clocks if clock.kind == "record_retention"):
        raise top.fail("clocks", "no clock 'record_retention'")
