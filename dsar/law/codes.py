"""Why something is kept, refused or late: closed codes, each valid only in the regimes it has an article for.

"Hold" and "business necessity" are labels for people, never a basis: `valid` knows them in no regime.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

from dsar.enums import Outcome
from dsar.law import regimes
from dsar.law.code_words import CODES
from dsar.law.errors import RegimeFileError
from dsar.law.shapes import RIGHTS, Regime, covers

FILE: Final = Path(__file__).parent / "codes.toml"
EXEMPT: Final = "EXEMPT"
KINDS: Final = ("keep", "label", "refuse", "extend", "redact")
OUTCOMES: Final = (Outcome.DENIED.value, Outcome.REFERRED.value, Outcome.NOT_PROVEN.value)
FACTS: Final = {"keep": {"needs", "weigh"}, "label": set(), "refuse": {"outcome", "rights"}, "extend": set(),
         "redact": set()}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Code:
    """A code as it stands in one regime.

    `needs`: keeping must carry a date, "until" (it ends then) or "review" (it is looked at again).
    `weigh`: a person must have weighed the reason and written it down before it holds.
    `outcome`: what a request refused for it ends with. `label` is short, `text` is for the requester (lazy).
    """

    code: str
    kind: str
    regime: str
    citation: str
    label: Any
    text: Any
    needs: str = ""
    weigh: bool = False
    outcome: str = ""
    rights: tuple[str, ...] = ("*",)

    def __hash__(self) -> int:
        return hash((self.code, self.regime))


@dataclass(frozen=True, slots=True)
class Label:
    """A word for people which is not a basis for anything (LEGAL_HOLD)."""

    code: str
    label: Any
    text: Any


def valid(code: str, regime: Regime | str) -> Code | None:
    """The ground for keeping by this code under this law, or None (it keeps nothing, a person decides)."""
    found = _table().get((code, _id(regime)))
    return found if found is not None and found.kind == "keep" else None


def named(code: str, regime: Regime | str) -> Code | None:
    """The code of any kind (keeping, refusing, extending) as it stands in this law, or None."""
    return _table().get((code, _id(regime)))


def grounds(regime: Regime | str) -> tuple[Code, ...]:
    """All grounds for keeping that this law knows, in the order of the file."""
    return _of(regime, "keep")


def refusal(code: str, regime: Regime | str, right: str) -> Code | None:
    """The refusal by this code of this right under this law, or None."""
    found = _table().get((code, _id(regime)))
    if found is None or found.kind != "refuse" or not covers(found.rights, right):
        return None
    return found


def refusals(regime: Regime | str, right: str) -> tuple[Code, ...]:
    """The reasons for which this law lets this right be refused or referred."""
    return tuple(code for code in _of(regime, "refuse") if covers(code.rights, right))


def extension_reasons(regime: Regime | str) -> tuple[Code, ...]:
    """The reasons for which this law lets an answer be extended (GDPR Art 12(3); 11 CCR 7021(b))."""
    return _of(regime, "extend")


def redaction(code: str, regime: Regime | str) -> Code | None:
    """The reason for leaving something out of a copy by this code under this law, or None."""
    found = _table().get((code, _id(regime)))
    return found if found is not None and found.kind == "redact" else None


def redactions(regime: Regime | str) -> tuple[Code, ...]:
    """The reasons for which this law lets something be left out of a copy (GDPR Art 15(4), 20(4); 11 CCR 7024)."""
    return _of(regime, "redact")


def labels() -> tuple[Label, ...]:
    """Words that may stand beside a ground, and are none."""
    return tuple(Label(code, *CODES[code]) for code in _read().get("label", {}))


def is_label(code: str) -> bool:
    """Whether this is a word for people rather than a ground."""
    return code in _read().get("label", {})


def _id(regime: Regime | str) -> str:
    return regime if isinstance(regime, str) else regime.id


def _of(regime: Regime | str, kind: str) -> tuple[Code, ...]:
    wanted = _id(regime)
    return tuple(code for (_name, where), code in _table().items() if where == wanted and code.kind == kind)


@lru_cache(maxsize=1)
def _read() -> dict[str, Any]:
    return tomllib.loads(FILE.read_text(encoding="utf-8"))


@lru_cache(maxsize=1)
def _table() -> Mapping[tuple[str, str], Code]:
    return parse(_read(), FILE.name)


def parse(content: Mapping[str, Any], source: str) -> Mapping[tuple[str, str], Code]:
    """The codes of a parsed file by (code, regime). Raises RegimeFileError saying what is wrong."""
    known = regimes.all_ids()
    table: dict[tuple[str, str], Code] = {}
    seen: set[str] = set()
    for kind, entries in content.items():
        if kind not in KINDS:
            raise RegimeFileError(source, f"{kind}: is none of {', '.join(KINDS)}")
        for name, facts in entries.items():
            where = f"{kind}.{name}"
            if name in seen:
                raise RegimeFileError(source, f"{where}: stands twice")
            if name not in CODES:
                raise RegimeFileError(source, f"{where}: has no words in code_words.CODES")
            seen.add(name)
            _check(kind, facts, known, source, where)
            for regime in known:
                if regime in facts:
                    table[name, regime] = _code(kind, name, regime, facts)
    return table


def _check(kind: str, facts: Mapping[str, Any], known: tuple[str, ...], source: str, where: str) -> None:
    cited = [key for key in facts if key in known]
    for key in facts:
        if key not in FACTS[kind] and key not in known:
            raise RegimeFileError(source, f"{where}.{key}: is neither a fact of its kind nor a regime")
    if kind == "label" and facts:
        raise RegimeFileError(source, f"{where}: a label is never a basis and has no article")
    if kind != "label" and not cited:
        raise RegimeFileError(source, f"{where}: names no article in any regime")
    for key in cited:
        if not isinstance(facts[key], str) or not facts[key].strip():
            raise RegimeFileError(source, f"{where}.{key}: names no article of law")
    if kind == "keep" and facts.get("needs") not in ("until", "review"):
        raise RegimeFileError(source, f"{where}.needs: 'until' or 'review' is expected")
    if any(regime not in cited for regime in facts.get("weigh", ())):
        raise RegimeFileError(source, f"{where}.weigh: names a regime without an article")
    if kind == "refuse":
        if facts.get("outcome") not in OUTCOMES:
            raise RegimeFileError(source, f"{where}.outcome: is none of {', '.join(OUTCOMES)}")
        if not facts.get("rights") or any(right not in (*RIGHTS, "*") for right in facts["rights"]):
            raise RegimeFileError(source, f"{where}.rights: rights are expected")


def _code(kind: str, name: str, regime: str, facts: Mapping[str, Any]) -> Code:
    label, text = CODES[name]
    return Code(
        code=name,
        kind=kind,
        regime=regime,
        citation=facts[regime],
        label=label,
        text=text,
        needs=facts.get("needs", ""),
        weigh=regime in facts.get("weigh", ()),
        outcome=facts.get("outcome", ""),
        rights=tuple(facts.get("rights", ("*",))),
    )
