"""Which right a mail asks for: a suggestion with its evidence, from words and citations alone.

Deterministic, offline and explainable. It starts nothing: "clear" means that one right, and no other, is asked
for in so many words; everything else is "unclear" and a person reads it. A wrong suggestion costs far more than
none, so negations, questions, conditions, reminders, representatives and several rights at once are unclear.
"""

import re
import tomllib
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any, Final, Literal

from dsar.intake.mail.citations import COMPLAINT, GDPR_NAME, MARKETING, citations
from dsar.intake.mail.language import likely, ranked
from dsar.intake.mail.limits import NEW_TEXT_CHARS

RIGHTS: Final = (
    "know", "access", "portability", "deletion", "correction", "objection", "restriction", "withdraw_consent",
    "opt_out_sale", "opt_out_targeted", "limit_sensitive", "marketing_opt_out", "human_review",
)  # fmt: skip

_REPLY: Final = re.compile(
    r"^\W*(?:re|aw|fwd?|wg|tr|rv|sv|vs|vl|antw|odp|rif|res|ynt)\s*(?:\[\d+\])?\s*:", re.IGNORECASE
)
_BULLET: Final = re.compile(r"^\s*(?:\d{1,2}[.)]|[-*•–])\s")
_SENTENCE_END: Final = re.compile(r"[!?;]+(?=\s|$)|(?<!\d)\.(?=\s+[^\d\s(])|\.$")
_ABBREVIATION: Final = re.compile(
    r"\b(?:abs|ad|art|b|bijv|bspw|bv|bzw|cl|co|d|dr|e|es|ex|g|gem|ggf|h|i|inc|incl|inkl|lit|ltd|mr|mrs|ms|"
    r"napr|no|np|nr|"
    r"odst|p|pism|resp|tzn|ust|vgl|z|zb)$"
)
_CLAUSE_START: Final = re.compile(
    r"(?:^|[,:()\"'–-]|\b(?:and|please|pls|kindly|just|so|then|also|therefore|und|bitte|daher|et|y|e|i|en|"
    r"och|og|ja|a|και|then|hi|hello|"
    r"hey|dear|team|hallo|hola|ciao|bonjour))\s*$"
)
_FOLDS: Final = str.maketrans(
    {
        "ß": "ss",
        "ø": "o",
        "æ": "ae",
        "œ": "oe",
        "ł": "l",
        "đ": "d",
        "ð": "d",
        "’": "'",
        "‘": "'",
        "´": "'",
        "`": "'",
        "\xa0": " ",
    }
)
_BREAK: Final = re.compile(
    r"[,;:–]|\b(?:so|and|therefore|thus|und|daher|deshalb|et|donc|por lo que|quindi|dus|dlatego|proto)\b"
)
_THEREFORE: Final = re.compile(
    r"\b(?:so|therefore|thus|daher|deshalb|donc|por lo que|quindi|dus|dlatego|proto) (?:\w+ )?$"
)
_INFINITIVE: Final = re.compile(r"\bto (?:\w+ly )?$")
_GOVERNED: Final = re.compile(
    r"\b(?:want|wants|like|love|wish|need|ask|asking|request|requesting|require|demand|have|you|right|"
    r"writing|team|company)"
    r"(?: you| your (?:company|team))? to (?:\w+ly )?$"
)
_NEAR_CHARS: Final = 90
_SENTENCE_CHARS: Final = 700
_SENTENCES: Final = 200
_LEADING_CHARS: Final = 20
_AFTER_CHARS: Final = 30
_SHORT_CHARS: Final = 80
_FEW_WORDS: Final = 12


@dataclass(frozen=True, slots=True)
class Suggestion:
    """What a mail seems to ask for.

    `right` is the one right a person would look at first, or None; only with confidence "clear" is it offered as
    the answer. `evidence` names each finding in a fixed vocabulary with the words that were found, for staff.
    `language` is an ISO 639-1 code or empty. `rights` are all rights the text touches.
    """

    right: str | None
    confidence: Literal["clear", "unclear"]
    evidence: tuple[str, ...]
    language: str
    rights: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Lexicon:
    code: str
    ask: re.Pattern[str]
    imperative: re.Pattern[str]
    negation: re.Pattern[str]
    condition: re.Pattern[str]
    doubt: re.Pattern[str]
    again: re.Pattern[str]
    agent: re.Pattern[str]
    after_not: bool
    rights: tuple[tuple[str, re.Pattern[str], bool], ...]
    weak: tuple[tuple[str, re.Pattern[str]], ...]


@dataclass(slots=True)
class _Findings:
    asked: dict[str, str] = field(default_factory=dict)
    denied: dict[str, str] = field(default_factory=dict)
    conditional: dict[str, str] = field(default_factory=dict)
    doubtful: dict[str, str] = field(default_factory=dict)
    weak: dict[str, str] = field(default_factory=dict)
    stops: dict[str, str] = field(default_factory=dict)
    language: str = ""


def fold(text: str) -> str:
    """Lower case without accents or typographic signs, as the lexicon is written."""
    decomposed = unicodedata.normalize("NFKD", text.casefold().translate(_FOLDS))
    return "".join(character for character in decomposed if not unicodedata.combining(character))


@cache
def _lexicons() -> dict[str, _Lexicon]:
    source = tomllib.loads(Path(__file__).with_name("lexicon.toml").read_text(encoding="utf-8"))
    return {code: _compiled(code, words) for code, words in source.items()}


def _compiled(code: str, words: dict[str, Any]) -> _Lexicon:
    data = words["data"]
    everything = words["all"].replace("{data}", data)

    def pattern(text: str) -> re.Pattern[str]:
        return re.compile(text.replace("{data}", data).replace("{all}", everything))

    def word(name: str) -> re.Pattern[str]:
        return re.compile(rf"\b(?:{words[name]})(?!\w)")

    def bounded(text: str) -> re.Pattern[str]:
        return pattern(rf"(?<!\w)(?:{text})")

    return _Lexicon(
        code=code,
        ask=re.compile(rf"\b(?:{words['ask']})"),
        imperative=re.compile(words["imperative"]),
        negation=word("not"),
        condition=word("if"),
        doubt=word("doubt"),
        again=re.compile(rf"\b(?:{words['again']})"),
        agent=word("agent"),
        after_not=bool(words.get("after_not", False)),
        rights=tuple(
            (right, bounded(text.removeprefix("!")), text.startswith("!"))
            for right, texts in words["rights"].items()
            for text in texts
        ),
        weak=tuple((right, bounded(text)) for right, texts in words["weak"].items() for text in texts),
    )


def classify(subject: str, text: str) -> Suggestion:
    """A suggestion for a mail's subject and its writer's own words (quotes stripped). Never raises.

    Lines that start with a quote mark, and the subject of a reply or a forward, do not count. Legal
    citations:
    GDPR Art. 15 to 22, CCPA § 1798.100 to .121.
    """
    own = "\n".join(line for line in text[:NEW_TEXT_CHARS].split("\n") if not line.lstrip().startswith(">"))
    title = "" if _REPLY.match(subject) else subject[:300]
    whole = fold(f"{title}\n\n{own}")
    language = likely(own) or likely(title)
    known = _lexicons()
    # Norwegian shares its words with Danish in the lexicon.
    order = dict.fromkeys("da" if code == "no" else code for code in ranked(f"{title} {own}"))
    few = len(whole.split()) < _FEW_WORDS or not order
    chosen = list(known.values()) if few else [known[code] for code in {**dict.fromkeys(list(order)[:4]), "en": None}]
    findings = _Findings()
    if len(text) >= NEW_TEXT_CHARS:
        findings.stops["too_long"] = str(NEW_TEXT_CHARS)
    named = re.search(GDPR_NAME, whole) is not None
    for number, sentence in enumerate(_sentences(whole)):
        if number >= _SENTENCES:
            findings.stops["too_long"] = str(_SENTENCES)
            break
        for lexicon in chosen:
            _look(sentence, lexicon, findings)
        _cite(sentence, chosen, findings, named)
    if title:
        _read_title(fold(title), chosen, findings)
    if COMPLAINT.search(whole):
        findings.stops.setdefault("complaint", "art. 77")
    return _conclude(findings, (findings.language if few else "") or language)


def _sentences(text: str) -> Iterator[str]:
    """Sentences, wrapped lines joined, list items apart; each and all of them bounded."""
    joined: list[str] = []
    for wrapped in text.split("\n"):
        line = re.sub(r"\s+", " ", wrapped).strip()
        if (joined and line and joined[-1] and not _BULLET.match(line) and not joined[-1].endswith((",", ":"))) or (
            joined and joined[-1].endswith(",") and len(joined[-1]) > 30 and line
        ):
            joined[-1] = f"{joined[-1]} {line}"
        else:
            joined.append(line)
    for paragraph in joined:
        for sentence in _split(paragraph):
            for start in range(0, len(sentence), _SENTENCE_CHARS):
                yield sentence[start : start + _SENTENCE_CHARS]


def _split(paragraph: str) -> Iterator[str]:
    begin = 0
    for end in _SENTENCE_END.finditer(paragraph):
        if not _ABBREVIATION.search(paragraph, max(begin, end.start() - 8), end.start()):
            mark = "?" if "?" in end.group(0) else ""
            yield paragraph[begin : end.start()].strip() + mark
            begin = end.end()
    yield paragraph[begin:].strip()


def _look(sentence: str, lexicon: _Lexicon, findings: _Findings) -> None:
    """Every right that this sentence asks for, denies, doubts or merely touches."""
    for stop, pattern in (("again", lexicon.again), ("representative", lexicon.agent)):
        found = pattern.search(sentence)
        if found:
            findings.stops.setdefault(stop, found.group(0))
    condition = lexicon.condition.search(sentence)
    for name, pattern, always in lexicon.rights:
        match = pattern.search(sentence)
        if match is not None:
            right = "marketing_opt_out" if name == "objection" and MARKETING.search(sentence) else name
            group = _weigh(sentence, match, lexicon, condition, always=always)
            if group is not None:
                getattr(findings, group).setdefault(right, match.group(0)[:80])
            if group == "asked":
                findings.language = findings.language or lexicon.code
    for right, pattern in lexicon.weak:
        match = pattern.search(sentence)
        if match is None or (condition is not None and condition.start() < match.start()):
            continue
        if _asks(sentence, match, lexicon) or len(sentence) <= _SHORT_CHARS:
            findings.weak.setdefault(right, match.group(0)[:80])


def _weigh(
    sentence: str, match: re.Match[str], lexicon: _Lexicon, condition: re.Match[str] | None, *, always: bool
) -> Literal["asked", "denied", "conditional", "doubtful", "weak"] | None:
    """What a sentence does with the right it names; None for what counts for nothing."""
    asks = always or _asks(sentence, match, lexicon)
    if not always and _negated(sentence, match, lexicon):
        return "denied" if asks or lexicon.imperative.match(sentence, match.start()) else "weak"
    if condition is not None:
        if condition.start() <= _LEADING_CHARS or condition.start() >= match.end():
            return "conditional" if asks else None
        if condition.start() < match.start():
            return None  # "tell me if this leads to the deletion of my account" asks for nothing
    doubt = lexicon.doubt.search(sentence)
    if _reported(sentence, match, lexicon) or (doubt is not None and not (always and doubt.start() >= match.start())):
        return "doubtful" if asks or sentence.endswith("?") else "weak"
    return "asked" if asks else "weak"


def _reported(sentence: str, match: re.Match[str], lexicon: _Lexicon) -> bool:
    """Whether the words stand between quotation marks, or are a bare "delete my account?"."""
    before = sentence[: match.start()]
    opened = sum(before.count(mark) for mark in "“„«")
    if (
        before.count('"') % 2
        or opened > before.count("”") + before.count("»")
        or re.search(r"(?:^|[\s:(])'[^']*$", before)
    ):
        return True
    bare = lexicon.imperative.match(sentence, match.start()) is not None and lexicon.ask.search(before) is None
    return bare and sentence.endswith("?")


def _asks(sentence: str, match: re.Match[str], lexicon: _Lexicon) -> bool:
    """Whether asking words stand close by, or the match is itself an imperative at the start of a clause."""
    before = sentence[: match.start()]
    if lexicon.imperative.match(sentence, match.start()) and _CLAUSE_START.search(before):
        return True
    if lexicon.code == "en" and _INFINITIVE.search(before) and not _GOVERNED.search(before):
        return False  # "a hacker threatens to delete my account"
    near = sentence[max(0, match.start() - _NEAR_CHARS) : match.end() + _NEAR_CHARS]
    return lexicon.ask.search(near) is not None


def _negated(sentence: str, match: re.Match[str], lexicon: _Lexicon) -> bool:
    """Whether a negation governs the match: before it in the same clause, or just behind the verb.

    "I do not use it any more, please delete it" is a new request after a break; "no quiero borrar" is none.
    """
    for found in lexicon.negation.finditer(sentence, 0, match.start()):
        renewed = _BREAK.search(sentence, found.end(), match.start())
        if renewed is None or not (
            lexicon.ask.search(sentence, renewed.start(), match.start())
            or _THEREFORE.search(sentence, found.end(), match.start())
        ):
            return True
    if lexicon.negation.search(match.group(0)):
        return True
    if not lexicon.after_not:
        return False
    behind = re.split(r"[,;]", sentence[match.end() : match.end() + _AFTER_CHARS], maxsplit=1)[0]
    return lexicon.negation.search(behind) is not None


def _cite(sentence: str, lexicons: Iterable[_Lexicon], findings: _Findings, named: bool) -> None:
    """Rights cited by article in a sentence that asks for something unconditionally."""
    lexicons = list(lexicons)
    cited = dict(citations(sentence, named))
    if not cited or not any(lexicon.ask.search(sentence) for lexicon in lexicons):
        return
    for right, words in cited.items():
        for lexicon in lexicons:
            condition = lexicon.condition.search(sentence)
            if condition is not None or lexicon.again.search(sentence):
                break
            if (lexicon.negation.search(sentence) or lexicon.doubt.search(sentence)) and right not in findings.asked:
                findings.doubtful.setdefault(right, words)
                break
        else:
            findings.asked.setdefault(right, words)


def _read_title(title: str, lexicons: Iterable[_Lexicon], findings: _Findings) -> None:
    """A subject line is a request without asking words: "Deletion of my data"."""
    for lexicon in lexicons:
        if lexicon.negation.search(title) or lexicon.doubt.search(title) or lexicon.condition.search(title):
            continue
        for name, pattern, _ in lexicon.rights:
            match = pattern.search(title)
            right = "marketing_opt_out" if name == "objection" and MARKETING.search(title) else name
            if match is not None and right not in findings.denied:
                findings.asked.setdefault(right, match.group(0)[:80])


def _conclude(found: _Findings, language: str) -> Suggestion:
    asked = dict(found.asked)
    if "access" in asked:
        # Access contains knowing (Art. 15(1) GDPR), and a copy in a portable form answers both Art. 15(3)
        # and 20:
        # form letters ask for them in one breath. `rights` still names what was asked.
        asked = {right: words for right, words in asked.items() if right not in ("know", "portability")}
    others = [
        right
        for group in (found.denied, found.conditional, found.doubtful)
        for right in group
        if right not in asked
        and right != "withdraw_consent"
        and not (right in ("know", "portability") and "access" in asked)
    ]
    hints = [
        right
        for right in found.weak
        if right not in asked and right in ("deletion", "marketing_opt_out", "opt_out_sale", "correction")
    ]
    evidence = tuple(
        f"{name}:{right}:{words}"
        for name, group in (
            ("asked", found.asked),
            ("denied", found.denied),
            ("conditional", found.conditional),
            ("doubtful", found.doubtful),
            ("hint", found.weak),
            ("stop", found.stops),
        )
        for right, words in group.items()
    )
    touched = dict.fromkeys([*found.asked, *found.denied, *found.conditional, *found.doubtful, *found.weak])
    rights = tuple(right for right in RIGHTS if right in touched)
    single = next(iter(asked)) if len(asked) == 1 else None
    stopped = bool(found.stops) or bool(others) or (single in found.denied)
    if single is not None and not stopped and not (hints and _rivals(single, hints)):
        return Suggestion(single, "clear", evidence, language, rights)
    return Suggestion(single or (rights[0] if len(rights) == 1 else None), "unclear", evidence, language, rights)


def _rivals(right: str, hints: list[str]) -> bool:
    """Whether loose phrases about another right make the one that is asked for uncertain."""
    harmless = {
        "access": {"correction"},
        "deletion": {"correction", "opt_out_sale"},
        "correction": set[str](),
        "marketing_opt_out": {"correction"},
    }
    return any(hint not in harmless.get(right, {"correction", "marketing_opt_out"}) for hint in hints)
