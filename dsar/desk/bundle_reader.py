"""For whom a bundle is made: what a law forbids to tell the person goes to an authority alone, and who audits the work reads it
without names and addresses.

A file that a court or a complaint asks for is served on the other side, who is the person: it is made the same way whether or
not there is something that may not be told, so that nothing shows by what is missing.
"""

import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from typing import Any, Final

from django.utils.html import escape

from dsar.enums import BundleReason, DecisionKind, Outcome, SilenceKind, StepKind, StepReason
from dsar.models import AuditEvent, PrivacyRequest
from dsar.notifications import undisclosed

Said = dict[str, Any]
# What an event of the audit trail may say where the person may read it; with any other word in it, its hash stands for it.
PLAIN: Final = frozenset(
    {"as", "right", "channel", "notice", "on", "due_on", "method", "tier", "law", "came_on", "appeal_kind"}
)
# What colleagues do among themselves, and what shows by its number that something was kept or left out.
AMONG_US: Final = frozenset(
    {
        "noted", "assigned", "raised", "bundle_made", "answer_read", "appeal_assigned", "recused", "recusal_ended",
        "copy_looked_at", "redacted", "unredacted", "evidence_opened", "scan_opened", "owner_file_opened",
        "authority_paper_opened", "weighed", "kept_goes", "kept_on", "later_done", "silence_proposed", "silence_confirmed",
        "silence_declined", "silence_end_proposed", "silence_ended",
    }
)  # fmt: skip
# Text that somebody wrote or typed: a part of a name may stand in it.
TYPED: Final = frozenset(
    {"in_their_words", "text", "words", "reasons", "why_not", "for_the_record", "sent_back_because", "why"}
)
HIDDEN: Final = "•••"
KEPT_FIELDS: Final = ("kept", "code", "citation", "until", "review_on")


@dataclass(frozen=True)
class Reader:
    """`told`: gets what may not be told to the person, with its proof. `masked`: gets no name and no address."""

    told: bool
    masked: bool = False

    @classmethod
    def of(cls, why: BundleReason, *, masked: bool = False) -> "Reader":
        """The reader of a bundle that leaves the house for a reason."""
        return cls(told=why == BundleReason.AUTHORITY, masked=masked)


def has_silence(found: PrivacyRequest) -> bool:
    """Whether there is something that may not be told to the person."""
    return found.non_disclosures.standing().exists()


def is_plain(event: AuditEvent) -> bool:
    """Whether an event of the trail is given in full to whoever may be the person: none that says how it ended, by which
    ground, or what stays among colleagues."""
    return PLAIN.issuperset(event.details) and event.what not in AMONG_US


# --- what may not be told ---------------------------------------------------------------------------------------------


@dataclass
class _Untold:
    """What is not told of one request: places of the plan, codes that stand nowhere else, rows, the reason of a refusal."""

    places: Collection[tuple[str, str, str]]
    rows: Collection[int]
    refusal: bool
    codes: set[str] = field(default_factory=set)

    @classmethod
    def of(cls, found: PrivacyRequest) -> "_Untold":
        refusal = found.non_disclosures.standing().filter(kind=SilenceKind.REFUSAL).exists()
        made = cls(undisclosed.places(found), undisclosed.hidden_rows(found), refusal)
        hidden_rows = found.redactions.filter(pk__in=made.rows).values_list("code", flat=True)
        named = {code for _source, _category, code in made.places} | set(hidden_rows)
        made.codes = named - {one.code for one in undisclosed.redactions(found)} - made._told_elsewhere(found)
        return made

    def _told_elsewhere(self, found: PrivacyRequest) -> set[str]:
        plan = found.plans.newest()
        if plan is None:
            return set()
        plan.request = found
        body = plan.body()
        if not body:
            # The plan went with a purge; what was noted of each category as it ended stays.
            return {code for _category, _outcome, code in undisclosed.categories(found, frozenset(self.places))}
        return {item["code"] for item in undisclosed.visible(found, body)["items"]}

    def place(self, source: str, one: Said) -> bool:
        return (source, one.get("category"), one.get("code")) in self.places


def leave_out(found: PrivacyRequest, said: dict[str, Any]) -> dict[str, Any]:
    """The files of a bundle without what may not be told: as the person would read them."""
    untold = _Untold.of(found)
    outcome = undisclosed.outcome_told(found)
    in_words = str(Outcome(outcome).label)
    kept = [one for one in said["outcomes"]["still_kept"] if not untold.place(one["source"], one)]
    changed = {
        "request": {**said["request"], "outcome": outcome, "outcome_in_words": in_words},
        "decisions": list(filter(None, (_decision(one, untold) for one in said["decisions"]))),
        "outcomes": {**said["outcomes"], "categories": _categories(found, said["outcomes"], untold), "still_kept": kept},
        "plan": [_plan(one, untold) for one in said["plan"]],
        "work": {**said["work"], "steps": [_step(one, untold) for one in said["work"]["steps"]]},
        "redactions": [one for one in said["redactions"] if one["number"] not in untold.rows],
        "weighings": [one for one in said["weighings"] if not _is_weighed(one, untold)],
        "corrections": _corrections(said["corrections"], untold),
        "proposals": [_proposal(one, untold) for one in said["proposals"]],
        "record": _record(said["record"], outcome, untold),
    }  # fmt: skip
    return {name: content for name, content in (said | changed).items() if name != "silences"}


def _decision(one: Said, untold: _Untold) -> Said | None:
    if untold.refusal and one["what"] in (DecisionKind.REFUSE, DecisionKind.NARROW, DecisionKind.DOCUMENTED):
        return {**one, "code": "", "citation": "", "text": ""}
    return None if one["code"] in untold.codes else one


def _categories(found: PrivacyRequest, outcomes: Said, untold: _Untold) -> list[Said]:
    places = {(category, code) for _source, category, code in untold.places}
    told = {one.code for one in undisclosed.redactions(found)}
    lines: list[Said] = []
    for one in outcomes["categories"]:
        if (one["category"], one["code"]) in places:
            continue
        line = dict(one)
        if untold.refusal and one["outcome"] == Outcome.DENIED:
            line["code"] = ""
        elif untold.rows and one["outcome"] == Outcome.GRANTED_IN_PART and one["code"] not in told:
            line |= {"outcome": Outcome.GRANTED.value, "code": ""}
        if line not in lines:
            lines.append(line)
    return lines


def _plan(one: Said, untold: _Untold) -> Said:
    items = [item for item in one["items"] if not untold.place(item["source"], item)]
    # What was found after a plan was frozen stands in what its hash covers.
    shown = one["material"] if len(items) == len(one["items"]) or not _names(one["material"], untold) else ""
    return {**one, "items": items, "material": shown}


def _names(material: str, untold: _Untold) -> bool:
    return any(f'"{code}"' in material and f'"{category}"' in material for _source, category, code in untold.places)


def _corrections(said: Said, untold: _Untold) -> Said:
    """Why a field stays as it is belongs to a refusal of the whole that may not be told."""
    words = dict.fromkeys(("code", "citation", "text"), "") if untold.refusal else {}
    return {**said, "fields": [{**one, **words} for one in said["fields"]]}


def _step(one: Said, untold: _Untold) -> Said:
    counts = []
    silent = {(source, category) for source, category, _code in untold.places}
    for tally in one["counts"]:
        if one["kind"] == StepKind.LATER and (one["source"], tally.get("category")) in silent:
            # What was kept in silence goes in silence; the counts of what went know no reason.
            continue
        hidden = KEPT_FIELDS if untold.place(one["source"], tally) else ()
        rest = {name: value for name, value in tally.items() if name not in hidden}
        if not hidden or any(value for value in rest.values() if isinstance(value, int)):
            counts.append(rest)
    reason = "" if one["reason"] == StepReason.SILENCE else one["reason"]
    return {**one, "counts": counts, "reason": reason}


def _is_weighed(one: Said, untold: _Untold) -> bool:
    return untold.place(one["source"], one) or untold.place(one["source"], {**one, "code": one["doubt"]})


def _proposal(one: Said, untold: _Untold) -> Said:
    names = ("law_that_forbids_to_tell", "forbidden_until")
    shown = {name: value for name, value in one.items() if name not in names}
    hidden = untold.refusal or one["law_that_forbids_to_tell"]
    words = ("code", "citation", "text", "for_the_record", "sent_back_because")
    return {**shown, **dict.fromkeys(words, "")} if hidden else shown


def _record(record: Said | None, outcome: str, untold: _Untold) -> Said | None:
    if record is None:
        return None
    basis = [line for line in record["basis"].splitlines() if line.partition(" ")[0] not in untold.codes]
    if untold.refusal or outcome == Outcome.GRANTED:
        basis = []
    return {**record, "outcome": outcome, "basis": "\n".join(basis)}


# --- names and addresses ----------------------------------------------------------------------------------------------


class Mask:
    """Takes the names and addresses of one case out of whatever is written down of it."""

    def __init__(self, found: PrivacyRequest) -> None:
        case = found.case
        standing = getattr(case, "representation", None)
        names = [case.name, *([standing.name] if standing else [])]
        addresses = [case.email, case.contact, *(one.address for one in case.lost_mailboxes.all())]
        addresses += [*case.postal.splitlines(), *([standing.email] if standing else [])]
        self._whole = _any_of([*addresses, *names])
        self._parts = _any_of(part for name in names for part in name.split() if len(part) > 2)

        hint = f"{case.name[:1]}{HIDDEN}" if case.name else ""
        self._person = {"name": hint, "email": case.email_masked, "written_to_at": case.contact_masked}

    def request(self, content: Said) -> Said:
        """Who asks, by as much as the desk shows an auditor."""
        postal = HIDDEN if content["person"]["postal"] else ""
        return {**self.data({**content, "person": None}), "person": {**self._person, "postal": postal}}

    def text(self, text: str) -> str:
        """What somebody wrote: without whole names and addresses, and without parts of a name."""
        return _without(self._parts, _without(self._whole, text))

    def data(self, content: Any, name: str = "") -> Any:
        """Plain data of a file, with everything in it; not what a hash covers, which names nobody."""
        if isinstance(content, dict):
            return {key: value if key == "material" else self.data(value, key) for key, value in content.items()}
        if isinstance(content, list):
            return [self.data(one, name) for one in content]
        if not isinstance(content, str):
            return content
        return self.text(content) if name in TYPED else _without(self._whole, content)


def _any_of(found: Iterable[str]) -> re.Pattern[str] | None:
    # The longest first: a whole line goes before a part of it.
    plain = {one.strip() for one in found if len(one.strip()) > 1}
    words = sorted(plain | {escape(one) for one in plain}, key=len, reverse=True)
    return re.compile(r"(?<!\w)(?:" + "|".join(map(re.escape, words)) + r")(?!\w)", re.IGNORECASE) if words else None


def _without(pattern: re.Pattern[str] | None, text: str) -> str:
    return pattern.sub(HIDDEN, text) if pattern else text
