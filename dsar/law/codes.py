"""Why something is kept, refused or late: closed codes, each valid only in the regimes it has an article for.

"Hold" and "business necessity" are labels for people, never a basis: `valid` knows them in no regime.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

from dsar.enums import Outcome
from dsar.law import regimes
from dsar.law.code_words import CODES
from dsar.law.errors import RegimeFileError
from dsar.law.shapes import NEVER_VERIFIED, RIGHTS, Regime, covers

FILE: Final = Path(__file__).parent / "codes.toml"
EXEMPT: Final = "EXEMPT"
FURTHER_COPIES: Final = "FEE_FURTHER_COPIES"
INFORMATION: Final = ("know", "access", "portability")  # rights that are answered by telling what is held
# What may cost something (regime files, `fees.charge`): for which rights, who has to show the facts, what a number decides.
OCCASIONS: Final[Mapping[str, Mapping[str, Any]]] = {
    "over_the_free_number": {"counted": True},
    "unfounded": {"rights": ("*",), "burden": True},
    "excessive": {"rights": ("*",), "burden": True},
    "repetitive": {"rights": ("*",), "burden": True},
    "further_copies": {"rights": INFORMATION},
    "disproportionate": {"rights": INFORMATION, "burden": True},
    "cost_announced": {"rights": INFORMATION},
    "access_cost": {"rights": INFORMATION},
}
KINDS: Final = ("keep", "label", "refuse", "lapse", "extend", "redact", "undone")
OUTCOMES: Final = (Outcome.DENIED.value, Outcome.REFERRED.value, Outcome.NOT_PROVEN.value)
FACTS: Final[Mapping[str, set[str]]] = {
    "keep": {"needs", "weigh"}, "label": set(), "lapse": set(), "extend": set(), "redact": set(),
    "undone": {"rights"},
    "refuse": {"outcome", "rights", "rights_in", "choices", "ungranted", "burden", "counted", "flag"},
}  # fmt: skip
CHOICES: Final = ("as_others", "never", "signed")
EVERYWHERE: Final = "*"


@dataclass(frozen=True, slots=True)
class Code:
    """A code as it stands in one regime.

    `needs`: keeping must carry a date, "until" (it ends then) or "review" (it is looked at again).
    `weigh`: a person must have weighed the reason and written it down before it holds.
    `burden`: the company has to show the facts and writes them down first; `counted`: only once the same person has had
    all free answers of twelve months; `flag`: only while the request carries this flag of the judgement. `outcome`: what a
    request refused for it ends with. `choices`: whether it reaches a choice that nobody decides (shapes.NEVER_VERIFIED) as
    it reaches other rights ("as_others"), "never", or only where the law wants an agent's signed permission for it
    ("signed"). `label` is short, `text` is for the requester (lazy).
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
    choices: str = "as_others"
    ungranted: bool = False
    burden: bool = False
    counted: bool = False
    flag: str = ""

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
    return found if found is not None and found.kind == "refuse" and _fits(found, regime, right) else None


def refusals(regime: Regime | str, right: str) -> tuple[Code, ...]:
    """The reasons for which this law lets this right be refused or referred."""
    return tuple(code for code in _of(regime, "refuse") if _fits(code, regime, right))


def lapse(regime: Regime | str) -> Code | None:
    """Why a request ends that nobody answered a question about, or confirmed, under this law."""
    return next(iter(_of(regime, "lapse")), None)


def charges(regime: Regime | str, right: str) -> tuple[Code, ...]:
    """For what a request for this right may cost something under this law. An opt-out never does."""
    if right in NEVER_VERIFIED:
        return ()
    return tuple(code for code in _of(regime, "fee") if covers(code.rights, right))


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


def undone(code: str, regime: Regime | str, right: str) -> Code | None:
    """The reason by this code for which this law lets a request for this right go on without one source, or None."""
    found = _table().get((code, _id(regime)))
    return found if found is not None and found.kind == "undone" and _fits(found, regime, right) else None


def undone_reasons(regime: Regime | str, right: str) -> tuple[Code, ...]:
    """The reasons for which something may be left undone in one source, or a copy go on without it: always that a system
    could not do it, which is told because this law wants reasons told (GDPR Art 12(4))."""
    return tuple(code for code in _of(regime, "undone") if _fits(code, regime, right))


def labels() -> tuple[Label, ...]:
    """Words that may stand beside a ground, and are none."""
    return tuple(Label(code, *CODES[code]) for code in _read().get("label", {}))


def is_label(code: str) -> bool:
    """Whether this is a word for people rather than a ground."""
    return code in _read().get("label", {})


def _fits(code: Code, regime: Regime | str, right: str) -> bool:
    """Whether a refusal reaches this right; one for want of a right does so only where the law does not name it, and a
    choice that nobody decides is out of reach of some."""
    if not covers(code.rights, right) or (right in NEVER_VERIFIED and code.choices == "never"):
        return False
    known = regimes.load(regime) if isinstance(regime, str) else regime
    if right in NEVER_VERIFIED and code.choices == "signed" and not covers(known.agents.signed_permission, right):
        return False
    return not (code.ungranted and known.grants(right))


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
    return {**parse(_read(), FILE.name), **_charges()}


def _charges() -> dict[tuple[str, str], Code]:
    """What may cost something, as the regime files say it, as codes."""
    found: dict[tuple[str, str], Code] = {}
    for regime_id in regimes.all_ids():
        fees = regimes.load(regime_id).fees
        for occasion in fees.charge:
            code = f"FEE_{occasion.upper()}"
            label, text = CODES[code]
            facts = {"rights": fees.rights, **OCCASIONS[occasion]}
            found[code, regime_id] = Code(code, "fee", regime_id, fees.citation, label, text, **facts)
    return found


def parse(content: Mapping[str, Any], source: str) -> Mapping[tuple[str, str], Code]:
    """The codes of a parsed file by (code, regime). Raises RegimeFileError saying what is wrong."""
    book = _Book(content.get("groups", {}), content.get("articles", {}), source)
    table: dict[tuple[str, str], Code] = {}
    seen: set[str] = set()
    for kind, entries in content.items():
        if kind in ("groups", "articles"):
            continue
        if kind not in KINDS:
            raise RegimeFileError(source, f"{kind}: is none of {', '.join(KINDS)}")
        for name, facts in entries.items():
            where = f"{kind}.{name}"
            if name in seen:
                raise RegimeFileError(source, f"{where}: stands twice")
            if name not in CODES:
                raise RegimeFileError(source, f"{where}: has no words in code_words.CODES")
            seen.add(name)
            cited = book.cited(where, {key: value for key, value in facts.items() if key not in FACTS[kind]})
            weighed = book.members(facts.get("weigh", ()))
            _check(kind, facts, cited, weighed, source, where)
            narrowed = {
                regime: rights
                for group, rights in facts.get("rights_in", {}).items()
                for regime in book.members([group])
            }
            for regime, citation in cited.items():
                own = facts | {"rights": narrowed[regime]} if regime in narrowed else facts
                table[name, regime] = _code(kind, name, regime, citation, own, regime in weighed)
    return table


class _Book:
    """Who belongs to which group, and the articles that a citation may name."""

    def __init__(self, groups: Mapping[str, list[str]], articles: Mapping[str, Mapping[str, str]], source: str) -> None:
        self.known, self.groups, self.source = regimes.all_ids(), groups, source
        for name, members in groups.items():
            if name in self.known or not set(members) <= set(self.known):
                raise RegimeFileError(source, f"groups.{name}: names something that is no regime, or is one itself")
        for name in articles:
            if name not in self.known and name not in groups:
                raise RegimeFileError(source, f"articles.{name}: is neither a regime nor a group")
        self.articles = {regime: self._of(regime, articles) for regime in self.known}

    def _of(self, regime_id: str, articles: Mapping[str, Mapping[str, str]]) -> dict[str, str]:
        """What a citation may name under a regime: its table, that of its group, and what its own file cites."""
        regime = regimes.load(regime_id)
        cited = {
            "act": regime.citations[0], "rights": regime.verification_citation, "fees": regime.fees.citation,
            "agents": regime.agents.citation, "records": regime.records.citation,
            "verification": regime.verification_citation, "never": regime.never_disclose.citation,
        }  # fmt: skip
        extension = regime.extension("response")
        if extension is not None:
            cited["extension"] = extension.citation
        for name in (*(group for group, members in self.groups.items() if regime_id in members), regime_id):
            cited |= {key: text.format_map(cited) for key, text in articles.get(name, {}).items()}
        return cited

    def members(self, names: Iterable[str]) -> frozenset[str]:
        """The regimes that a list of regimes and groups names."""
        return frozenset(regime for name in names for regime in self.groups.get(name, [name]))

    def cited(self, where: str, facts: Mapping[str, Any]) -> dict[str, str]:
        """The article of a code by regime: its own entry before that of a group before "*"."""
        found: dict[str, str] = {}
        for key, text in facts.items():
            if key != EVERYWHERE and key not in self.known and key not in self.groups:
                raise RegimeFileError(self.source, f"{where}.{key}: is neither a fact of its kind nor a regime")
            if not isinstance(text, str) or not text.strip():
                raise RegimeFileError(self.source, f"{where}.{key}: names no article of law")
        for regime in self.known:
            names = (regime, *(group for group in self.groups if regime in self.groups[group]), EVERYWHERE)
            used = next((name for name in names if name in facts), None)
            if used is None:
                continue
            try:
                found[regime] = facts[used].format_map(self.articles[regime])
            except KeyError as error:
                if used != EVERYWHERE:
                    raise RegimeFileError(self.source, f"{where}.{used}: '{regime}' has no article {error}") from error
        return found


def _check(
    kind: str, facts: Mapping[str, Any], cited: Mapping[str, str], weighed: frozenset[str], source: str, where: str
) -> None:
    if kind == "label" and facts:
        raise RegimeFileError(source, f"{where}: a label is never a basis and has no article")
    if kind != "label" and not cited:
        raise RegimeFileError(source, f"{where}: names no article in any regime")
    if kind == "keep" and facts.get("needs") not in ("until", "review"):
        raise RegimeFileError(source, f"{where}.needs: 'until' or 'review' is expected")
    if not weighed <= cited.keys():
        raise RegimeFileError(source, f"{where}.weigh: names a regime without an article")
    if kind == "undone":
        _check_rights(facts.get("rights", (EVERYWHERE,)), source, where)
    if kind == "refuse":
        if facts.get("outcome") not in OUTCOMES:
            raise RegimeFileError(source, f"{where}.outcome: is none of {', '.join(OUTCOMES)}")
        narrowed = facts.get("rights_in", {})
        for rights in (facts.get("rights"), *narrowed.values()):
            _check_rights(rights, source, where)
        if facts.get("choices", CHOICES[0]) not in CHOICES:
            raise RegimeFileError(source, f"{where}.choices: is none of {', '.join(CHOICES)}")


def _check_rights(rights: Any, source: str, where: str) -> None:
    if not rights or any(right not in (*RIGHTS, EVERYWHERE) for right in rights):
        raise RegimeFileError(source, f"{where}.rights: rights are expected")


def _code(kind: str, name: str, regime: str, citation: str, facts: Mapping[str, Any], weigh: bool) -> Code:
    label, text = CODES[name]
    return Code(
        code=name,
        kind=kind,
        regime=regime,
        citation=citation,
        label=label,
        text=text,
        needs=facts.get("needs", ""),
        weigh=weigh,
        outcome=facts.get("outcome", ""),
        rights=tuple(facts.get("rights", ("*",))),
        choices=facts.get("choices", CHOICES[0]),
        ungranted=bool(facts.get("ungranted", False)),
        burden=bool(facts.get("burden", False)),
        counted=bool(facts.get("counted", False)),
        flag=facts.get("flag", ""),
    )
