"""How far a request has come and whose turn it is, as the person whose it is reads it; the desk has words of its own."""

from typing import Any

from django.conf import settings
from django.utils.translation import gettext as _

from dsar.enums import COPY_RIGHTS, UNVERIFIED_RIGHTS, Outcome, Right, State, StepKind, StepStatus
from dsar.models import PrivacyRequest

YOU, US, SYSTEMS, NOBODY = "you", "us", "systems", "nobody"
BALL: dict[str, str] = {
    State.RECEIVED: US, State.TRIAGE: US, State.VERIFYING: YOU, State.LOCATING: SYSTEMS, State.REVIEW: US,
    State.CLARIFYING: YOU, State.CONFIRMING: YOU, State.RELEASING: US, State.FULFILLING: SYSTEMS, State.CHECKING: US,
}  # fmt: skip
AT: dict[str, str] = {
    State.RECEIVED: "received", State.TRIAGE: "received", State.VERIFYING: "proof", State.LOCATING: "search",
    State.REVIEW: "review", State.CONFIRMING: "confirmation", State.RELEASING: "work", State.FULFILLING: "work",
    State.CHECKING: "check",
}  # fmt: skip


def ball(request: PrivacyRequest) -> str:
    """Whose turn it is: you (the requester), us (the desk), systems (workers and sources), nobody (it has ended)."""
    return BALL.get(request.state, NOBODY)


def steps(request: PrivacyRequest) -> list[dict[str, Any]]:
    """The way of a request as label and state (done, current, todo, skipped), for includes/stepper.html.

    That workers may look ahead while the proof is awaited shows nowhere.
    """
    deletion = request.right == Right.DELETION
    labels = {
        "received": _("Received"), "proof": _("Proof"), "search": _("Search"), "review": _("Review"),
        **({"confirmation": _("Confirm"), "work": _("Deletion")} if deletion else {"work": _("Work")}),
        **({"work": _("Copying"), "check": _("Check")} if request.right in COPY_RIGHTS else {}),
        "answer": _("Answer"),
    }  # fmt: skip
    now = "answer" if request.is_ended else AT.get(_place(request), "received")
    names = list(labels)
    reached = names.index(now)
    found = []
    for number, name in enumerate(names):
        if name == now:
            state = "done" if request.is_ended else "current"
        elif number > reached:
            state = "todo"
        else:
            state = "done" if _passed(request, name) else "skipped"
        found.append({"label": labels[name], "state": state})
    return found


def _place(request: PrivacyRequest) -> str:
    return request.asked_in if request.state == State.CLARIFYING else str(request.state)


def _passed(request: PrivacyRequest, name: str) -> bool:
    """Whether an earlier step was taken rather than passed over."""
    if name == "proof":
        return request.case.is_proven and request.right not in UNVERIFIED_RIGHTS
    if name == "search":
        return request.located_at is not None and (request.case.is_proven or request.right in UNVERIFIED_RIGHTS)
    if name == "review":
        # A deletion is reviewed where something needs judgement, any other right unless the company approves it by itself.
        approved = request.right not in (Right.DELETION, *settings.AUTOMATIC_APPROVAL) and request.begun_at is not None
        return bool(request.judgement) or (approved and request.right not in UNVERIFIED_RIGHTS)
    if name == "confirmation":
        return request.is_bound
    if name == "work" and request.state == State.CHECKING:
        return True
    if name in ("work", "check"):
        return request.outcome in (Outcome.GRANTED, Outcome.GRANTED_IN_PART)
    return True


def closing(request: PrivacyRequest) -> tuple[int, int]:
    """How many of the company's systems have shut the account, and how many there are; (0, 0) before a confirmation.

    Until each has answered, page and desk say "closing" (law 3).
    """
    states = list(request.steps.filter(kind=StepKind.CLOSE).values_list("status", flat=True))
    return states.count(StepStatus.DONE), len(states)
