"""How far a request has come: the stepper of the page, and the work on each source."""

from collections.abc import Sequence
from typing import Any

from django.utils.translation import gettext as _

from dsar.desk import words
from dsar.enums import (
    COPY_RIGHTS,
    UNVERIFIED_RIGHTS,
    DecisionKind,
    Outcome,
    Right,
    State,
    StepKind,
    StepStatus,
)
from dsar.fulfilment.passing_on import TO
from dsar.models import Decision, PrivacyRequest, Step
from dsar.notifications import report

PLACE = {
    State.RECEIVED: "sort",
    State.TRIAGE: "sort",
    State.VERIFYING: "prove",
    State.LOCATING: "search",
    State.REVIEW: "review",
    State.CONFIRMING: "confirm",
    State.RELEASING: "release",
    State.FULFILLING: "work",
    State.CHECKING: "check",
}
KINDS = {kind: number for number, kind in enumerate(StepKind)}


def stepper(request: PrivacyRequest, decisions: Sequence[Decision]) -> list[dict[str, str]]:
    """The stages of this request, each done, current, to come, or skipped, as its own records say."""
    kinds = {decision.kind for decision in decisions}
    deletion = request.right in (Right.DELETION, Right.UNCLEAR)
    copy = request.right in COPY_RIGHTS
    stages: list[tuple[str, str, bool]] = [
        ("sort", _("Sorted"), bool(request.right)),
        ("prove", _("Proven"), request.case.is_proven),
        ("search", _("Searched"), request.located_at is not None),
        ("review", _("Reviewed"), bool(kinds & {DecisionKind.APPROVE, DecisionKind.REFUSE, DecisionKind.LAPSE})),
    ]
    if deletion:
        stages += [
            ("confirm", _("Confirmed"), request.confirmed_at is not None),
            ("release", _("Released"), request.released_at is not None),
        ]
    worked = request.begun_at is not None and (
        request.outcome in (Outcome.GRANTED, Outcome.GRANTED_IN_PART) or request.state == State.CHECKING
    )
    label = _("Erased") if deletion else _("Copied") if copy else _("Carried out")
    stages.append(("work", label, worked))
    if copy:
        stages.append(("check", _("Looked through"), DecisionKind.HAND_OVER in kinds))
    stages.append(("end", _("Answered"), request.is_ended))
    here = "end" if request.is_ended else PLACE.get(State(request.state), PLACE.get(_asked_in(request), "review"))
    order = [key for key, _label, _done in stages]
    at = order.index(here) if here in order else len(order) - 1
    made = []
    for number, (key, label, done) in enumerate(stages):
        if request.is_ended:
            state = "done" if done else "skipped"
        elif number == at:
            state = "current"
        elif number < at:
            state = "done" if done else "skipped"
        else:
            state = "todo"
        if key == "prove" and request.right in UNVERIFIED_RIGHTS:
            state = "skipped"
        made.append({"label": label, "state": state})
    return made


def _asked_in(request: PrivacyRequest) -> State:
    return State(request.asked_in) if request.asked_in else State.REVIEW


def sources(body: dict[str, Any], steps: Sequence[Step]) -> list[dict[str, Any]]:
    """Per source: its steps in words, and how many of the planned records are done. Empty before the confirmation."""
    labels = {key: found["label"] for key, found in body.get("sources", {}).items()}
    made = []
    for key in dict.fromkeys(step.source for step in sorted(steps, key=lambda step: step.pk)):
        own = sorted((step for step in steps if step.source == key), key=lambda step: KINDS[StepKind(step.kind)])
        planned = sum(
            item["count"] or 0
            for item in body.get("items", [])
            if item["source"] == key and item["action"] in ("erase", "mask")
        )
        erase = next((step for step in own if step.kind == StepKind.ERASE), None)
        done = _done(erase) if erase else 0
        total = max(planned, done, 1)
        if erase and erase.status == StepStatus.DONE:
            total = done = max(done, 1)
        made.append(
            {
                "label": labels.get(key) or _label(key),
                "lines": [_line(step) for step in own],
                "done": done,
                "total": total,
                "planned": planned > 0 and erase is not None,
                "finished": all(step.status == StepStatus.DONE for step in own),
                "blocked": any(step.status == StepStatus.BLOCKED for step in own),
                "counts": tally_words(erase.tallies if erase else [line for step in own for line in step.tallies]),
            }
        )
    return made


def _done(step: Step) -> int:
    return sum(line.get(name, 0) for line in step.tallies for name in ("removed", "anonymised", "absent"))


def _label(key: str) -> str:
    """What stands for a step of no source: a recipient that is told, or the putting together of a copy."""
    if key.startswith(TO):
        return report.recipient_label(key.removeprefix(TO))
    return key or _("The copy as a whole")


def _line(step: Step) -> dict[str, Any]:
    kind = {"done": "ok", "blocked": "danger", "leased": "info"}.get(step.status, "warn" if step.reason else "")
    return {
        "step": step,
        "label": step.get_kind_display(),
        "status": step.get_status_display(),
        "kind": kind,
        "reason": words.attention(step.reason) if step.reason else "",
        "at": step.finished_at,
    }


def tally_words(tallies: Sequence[dict[str, Any]]) -> str:
    """ "7 deleted · 2 kept": the totals of a step."""
    totals = {
        name: sum(line.get(name, 0) for line in tallies)
        for name in ("removed", "anonymised", "kept", "absent", "copied", "failed")
    }
    return " · ".join(f"{number} {words.COUNTS[name]}" for name, number in totals.items() if number)
