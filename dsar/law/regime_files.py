"""Reading one regime file: every key known, every value of its kind, and the rules no file may break.

What a file may never say: that an opt-out, a marketing objection or a withdrawal of consent is verified;
that quiz questions prove anything by themselves; that an extension goes beyond its cap; that a right has
no date by which it is answered; that something to be confirmed stands nowhere in the file.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final
from zoneinfo import ZoneInfo

from dsar.law import authorities, regime_words, words
from dsar.law.calendars import ROLLOVERS, is_calendar
from dsar.law.errors import RegimeFileError
from dsar.law.shapes import (
    NEVER_VERIFIED,
    RIGHTS,
    Agents,
    Amendment,
    Child,
    Clock,
    Content,
    Extension,
    Fees,
    NeverDisclosed,
    PauseRule,
    Records,
    Regime,
    Unconfirmed,
    covers,
)
from dsar.law.tables import Table, content

TOP: Final = 3  # the highest identity tier
# What a way of proving reaches by itself, where a law's file says nothing else under [verification.methods].
METHODS: Final[Mapping[str, int]] = MappingProxyType({
    "signed_in": 1, "email_link": 2, "email_code": 2, "sign_in_fresh": 3, "mfa": 3, "oidc": 3, "data_points_2": 2,
    "data_points_3_declared": 3, "agent_authority": 2, "staff_judgement": 2, "quiz": 0,
})  # fmt: skip
STATUSES: Final = ("in_force", "not_yet_in_force", "policy")
CHECKED: Final = ("verified", "partly_verified", "policy")
STARTS: Final = ("receipt", "later_of_receipt_identity_fee")
APPEALS: Final = ("none", "internal", "controller_complaint")
CHARGES: Final = tuple(regime_words.CHARGES)
SECRETS: Final = tuple(regime_words.SECRETS)
KINDS: Final = tuple(kind for kind in words.CLOCKS if kind != "extension_notice")
WORDS: Final = frozenset({"name", "short", "authority", "remedy", "appeal", "extension", "identity", "records"})


def read(path: Path) -> Regime:
    """The regime in a file. Raises RegimeFileError with the file, the key and what is wrong with it."""
    regime = parse(content(path), path.name)
    stem, _, version = path.stem.partition("@")
    if regime.id != stem or (version and regime.version != version):
        raise RegimeFileError(path.name, f"id: the file holds '{regime.id}' in version '{regime.version}'")
    return regime


def parse(document: Mapping[str, Any], source: str) -> Regime:
    """The regime in a parsed TOML document; `source` names it in errors (RegimeFileError)."""
    top = Table(source, "", dict(document))
    regime_id = top.text("id")
    missing = sorted(WORDS - regime_words.REGIMES.get(regime_id, {}).keys())
    if missing:
        raise top.fail("id", f"'{regime_id}' has no {', '.join(missing)} in regime_words.REGIMES")
    rollover, verification, remedies = top.table("rollover"), top.table("verification"), top.table("remedies")
    signals, refusal = top.table("signals"), top.optional("no_extension")
    clocks = tuple(_clock(item) for item in top.tables("clocks"))
    regime = Regime(
        id=regime_id,
        version=_version(top),
        status=top.text("status", among=STATUSES),
        checked=top.text("checked", among=CHECKED),
        effective_from=(effective_from := top.day("effective_from")),
        version_from=top.day_or_none("version_from") or effective_from,
        effective_to=top.day_or_none("effective_to"),
        amended=tuple(_amendment(item) for item in top.tables("amended")),
        regions=top.texts("regions"),
        zone=_zone(top),
        calendar=_calendar(top),
        zone_of=top.text("zone_of", among=("regime", "establishment"), default="regime"),
        calendar_of=top.text("calendar_of", among=("regime", "establishment"), default="regime"),
        reaches_abroad=top.flag("reaches_abroad", default=False),
        clock_start=top.text("clock_start", among=STARTS),
        rights=top.texts("rights", among=RIGHTS),
        citations=top.texts("citations"),
        notes=top.texts("notes", empty=True),
        unconfirmed=tuple(_unconfirmed(item) for item in top.tables("unconfirmed")),
        acknowledgement=top.text("acknowledgement", default=""),
        clocks=clocks,
        extensions=tuple(_extension(item, clocks) for item in top.tables("extensions")),
        no_extension=refusal.cited("reason") if refusal else "",
        no_extension_citation=refusal.cited() if refusal else "",
        pauses=tuple(_pause(item) for item in top.tables("pauses")),
        rollover=rollover.text("mode", among=ROLLOVERS),
        rollover_citation=rollover.cited(),
        tiers=_tiers(verification.table("tiers")),
        methods=_methods(verification.optional("methods")),
        falls_back=_falls_back(verification.table("falls_back")),
        verification_citation=verification.cited(),
        verification_note=verification.text("note"),
        unproven_refusal=verification.text("unproven_refusal", default=""),
        appeal=remedies.text("appeal", among=APPEALS),
        court=remedies.flag("court"),
        authority_link=remedies.flag("authority_link"),
        remedy_citation=remedies.cited(),
        remedy_note=remedies.text("note"),
        agents=_agents(top.table("agents")),
        fees=_fees(top.table("fees")),
        records=_records(top.table("records")),
        child=_child(top.table("child")),
        never_disclose=_never_disclosed(top.optional("never_disclose")),
        gpc=signals.text("gpc", among=tuple(regime_words.SIGNALS)),
        show_signal_status=signals.flag("show_status"),
        signal_citation=signals.cited(),
        content=_content(top.optional("content")),
    )
    for table in (rollover, verification, remedies, signals, *([refusal] if refusal else []), top):
        table.done()
    _whole(regime, top)
    return regime


def _version(top: Table) -> str:
    version = top.text("version")
    if not version or not all(char.isalnum() or char in ".-" for char in version):
        raise top.fail("version", "letters, digits, dots and hyphens are expected")
    return version


def _zone(top: Table) -> str:
    zone = top.text("zone")
    try:
        ZoneInfo(zone)
    except (KeyError, ValueError, OSError) as error:
        raise top.fail("zone", f"'{zone}' is no time zone") from error
    return zone


def _calendar(top: Table) -> str:
    calendar = top.text("calendar")
    if calendar and not is_calendar(calendar):
        raise top.fail("calendar", f"'{calendar}' is no holiday calendar")
    return calendar


def _amendment(item: Table) -> Amendment:
    amendment = Amendment(on=item.day("on"), what=item.cited("what"))
    item.done()
    return amendment


def _unconfirmed(item: Table) -> Unconfirmed:
    unconfirmed = Unconfirmed(key=item.cited("key"), what=item.cited("what"))
    item.done()
    return unconfirmed


def _clock(item: Table) -> Clock:
    clock = Clock(
        kind=item.text("kind", among=KINDS),
        rights=item.rights(),
        value=item.number("value", least=1, most=600),
        unit=item.text("unit", among=("months", "days")),
        days=item.text("days", among=("calendar", "business"), default="calendar"),
        end=item.text("end", among=("by", "until"), default="by"),
        prompt=item.flag("prompt", default=False),
        basis=item.text("basis", among=tuple(regime_words.BASES), default="statute"),
        day_before=item.flag("day_before", default=False),
        citation=item.cited(),
    )
    if clock.unit == "months" and clock.days == "business":
        raise item.fail("days", "months have no business days")
    item.done()
    return clock


def _extension(item: Table, clocks: tuple[Clock, ...]) -> Extension:
    kind = item.text("kind", among=("fixed", "open"))
    fixed = kind == "fixed"
    extension = Extension(
        of=item.text("of", among=tuple(words.CLOCKS)),
        rights=item.rights(),
        kind=kind,
        value=item.number("value", least=1) if fixed else 0,
        unit=item.text("unit", among=("months", "days")) if fixed else "",
        times=item.number("times", least=1, most=1),
        cap=item.number("cap", least=1) if fixed else 0,
        citation=item.cited(),
        note=item.text("note", default=""),
    )
    extended = [clock for clock in clocks if clock.kind == extension.of]
    if not extended:
        raise item.fail("of", f"there is no clock '{extension.of}'")
    for clock in extended if fixed else ():
        if "*" not in (*clock.rights, *extension.rights) and not set(clock.rights) & set(extension.rights):
            continue
        if clock.unit != extension.unit or clock.days == "business":
            raise item.fail("unit", f"differs from the clock '{clock.kind}'")
        if clock.value + extension.value > extension.cap:
            raise item.fail("cap", f"{clock.value} and {extension.value} together exceed {extension.cap}")
    item.done()
    return extension


def _pause(item: Table) -> PauseRule:
    effect = item.text("effect", among=("suspends", "starts", "starts_after_days"))
    suspends = effect == "suspends"
    pause = PauseRule(
        kind=item.text("kind", among=tuple(words.PAUSES)),
        basis=item.text("basis", among=("statute", "guidance")),
        effect=effect,
        count=item.text("count", among=("inclusive", "exclusive")) if suspends else "",
        days=item.number("days", least=1) if effect == "starts_after_days" else 0,
        lapses=item.flag("lapses", default=False),
        relied_on=item.flag("relied_on", default=False),
        day_before=item.flag("day_before", default=False),
        rights=item.rights(),
        citation=item.cited(),
        note=item.text("note", default=""),
    )
    if pause.basis == "guidance" and pause.relied_on:
        raise item.fail("relied_on", "the safe date never relies on guidance")
    item.done()
    return pause


def _tiers(table: Table) -> Mapping[str, int]:
    tiers = {right: table.number(right, most=TOP, default=0 if right in NEVER_VERIFIED else None) for right in RIGHTS}
    for right in sorted(NEVER_VERIFIED):
        if tiers[right] != 0:
            raise table.fail(right, "opt-outs, marketing objections and withdrawals of consent are never verified")
    table.done()
    return MappingProxyType(tiers)


def _methods(table: Table | None) -> Mapping[str, int]:
    if table is None:
        return METHODS
    methods = {method: table.number(method, most=TOP, default=tier) for method, tier in METHODS.items()}
    if methods["quiz"] != 0:
        raise table.fail("quiz", "questions put from records are never enough alone")
    table.done()
    return MappingProxyType(methods)


def _falls_back(table: Table) -> Mapping[str, str]:
    pairs = {right: table.text(right, among=RIGHTS) for right in tuple(table.left)}
    for right in pairs:
        if right not in RIGHTS:
            raise table.fail(right, "is no right")
    return MappingProxyType(pairs)


def _agents(table: Table) -> Agents:
    agents = Agents(
        rights=table.rights(empty=True),
        signed_permission=table.rights("signed_permission", empty=True),
        direct_proof=table.rights("direct_proof", empty=True),
        attorney_exempt=table.flag("attorney_exempt"),
        guardians=table.flag("guardians"),
        citation=table.cited(),
        note=table.text("note"),
    )
    table.done()
    return agents


def _fees(table: Table) -> Fees:
    fees = Fees(
        free_per_12_months=table.number("free_per_12_months"),
        rights=table.rights(),
        charge=table.texts("charge", among=CHARGES, empty=True),
        cap=table.number("cap", default=0),
        currency=table.text("currency", default=""),
        reflection_days=table.number("reflection_days", default=0),
        citation=table.cited(),
        note=table.text("note"),
    )
    if bool(fees.cap) != bool(fees.currency):
        raise table.fail("cap", "an amount and its currency come together")
    table.done()
    return fees


def _records(table: Table) -> Records:
    records = Records(
        months=table.number("months", least=1),
        duty=table.flag("duty"),
        refused=table.text("refused", among=("recourse", "days"), default=""),
        citation=table.cited(),
        note=table.text("note"),
    )
    table.done()
    return records


def _child(table: Table) -> Child:
    national = table.optional("national")
    ages = {country: national.number(country, least=1, most=21) for country in tuple(national.left)} if national else {}
    child = Child(
        age=table.number("age", most=21),
        guardian_below=table.number("guardian_below", most=21),
        teens=table.number("teens", most=21, default=0),
        national=MappingProxyType(ages),
        citation=table.cited(),
        note=table.text("note"),
    )
    table.done()
    return child


def _never_disclosed(table: Table | None) -> NeverDisclosed:
    if table is None:
        return NeverDisclosed((), "", "")
    found = NeverDisclosed(
        kinds=table.texts("kinds", among=SECRETS, empty=True), citation=table.cited(), note=table.text("note")
    )
    table.done()
    return found


def _content(table: Table | None) -> Content:
    if table is None:
        return Content("", False, None, "")
    found = Content(
        third_parties=table.text("third_parties", among=("specific", "categories")),
        profiling_reasons=table.flag("profiling_reasons"),
        since=table.day_or_none("since"),
        citation=table.cited(),
    )
    table.done()
    return found


def _whole(regime: Regime, top: Table) -> None:
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
    if bool(regime.no_extension) == any(extension.of == "response" for extension in regime.extensions):
        raise top.fail("no_extension", "either the answer can be extended, or the file says why not")
    if (regime.clock_start == "receipt") == any(pause.effect == "starts" for pause in regime.pauses):
        raise top.fail("clock_start", "'receipt' and a pause that starts the clock do not go together")
    wanted = {"internal": ("appeal",), "controller_complaint": ("complaint", "grievance"), "none": ()}[regime.appeal]
    if wanted and not any(clock.kind in wanted for clock in regime.clocks):
        raise top.fail("remedies.appeal", f"there is no clock '{' or '.join(wanted)}'")
    if regime.effective_to is not None and regime.effective_to < regime.effective_from:
        raise top.fail("effective_to", "lies before effective_from")
    way = authorities.way(regime.id)
    if regime.authority_link and not way.links and not way.unknown:
        raise top.fail("remedies.authority_link", f"{authorities.FILE.name} has no address for it, nor says why")
    if regime.records.refused == "days" and regime.clock("access", "refused_copy") is None:
        raise top.fail("records.refused", "there is no clock 'refused_copy'")
    retention = regime.clock("access", "record_retention")
    if retention is not None and (retention.value, retention.unit) != (regime.records.months, "months"):
        raise top.fail("records.months", "differs from the clock 'record_retention'")
    if not any(covers(clock.rights, "access") for clock in regime.clocks if clock.kind == "record_retention"):
        raise top.fail("clocks", "no clock 'record_retention'")
