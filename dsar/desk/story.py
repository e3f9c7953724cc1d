"""What has been said, decided and done in a case, in words: conversation, decisions, history."""

from collections.abc import Sequence
from typing import Any

from django.urls import reverse
from django.utils.translation import gettext as _

from accounts.models import User
from dsar.datamap import loader
from dsar.desk import event_words, words
from dsar.enums import (
    ActorKind,
    AppealKind,
    AppealOutcome,
    DecisionKind,
    Outcome,
    Raised,
    RepresentativeKind,
    Right,
    SecondLook,
    State,
)
from dsar.law import regimes
from dsar.law.code_words import CODES
from dsar.models import AuditEvent, Case, Decision, Message, PrivacyRequest
from dsar.notices import KnownEvent, MessageStatus, Notice
from dsar.notifications import paper

MESSAGES, EVENTS = 200, 200
DIRECTION = {MessageStatus.RECEIVED: "in", MessageStatus.NOTE: "note"}


def name_of(user: User | None) -> str:
    """A colleague's name."""
    return (user.full_name or user.email) if user else ""


def conversation(request: PrivacyRequest) -> list[dict[str, Any]]:
    """What the person wrote first, then every message of the case, oldest first (the last MESSAGES of them).

    Notices are named, never rendered: their text holds links that only the person may use.
    """
    case = request.case
    known = case.messages.exclude(notice=Notice.STAFF_DIGEST).select_related("author", "decision")
    told = list(known.order_by("-created_at", "-pk")[:MESSAGES])
    first = request.statement
    made = []
    if first:
        made.append(
            {
                "at": case.received_at,
                "direction": "in",
                "who": _("The requester"),
                "subject": "",
                "text": first,
                "status": "",
            }
        )
    for message in reversed(told):
        message.case = case
        made.append(_message(message))
    return made


def _message(message: Message) -> dict[str, Any]:
    direction = DIRECTION.get(MessageStatus(message.status), "out")
    text = message.text
    if message.notice == Notice.KNOWN_TOLD:
        # It keeps which step it told of.
        text = str(KnownEvent(text).label) if text in KnownEvent.values else ""
    if not text and message.decision:
        text = message.case.unseal(message.decision.text_sealed, "decision")
    if direction == "in":
        who = _("The requester")
    else:
        who = name_of(message.author) or _("Rightsdesk")
    status = ""
    if direction == "out" and message.status != MessageStatus.SENT:
        status = str(message.get_status_display())
    return {
        "at": message.sent_at or message.created_at,
        "direction": direction,
        "who": who,
        "subject": str(message.get_notice_display()) if message.notice else "",
        "text": text,
        "status": status,
        "url": reverse("desk_letter", args=[message.pk]) if paper.is_letter(message) else "",
    }


def decisions(request: PrivacyRequest, found: Sequence[Decision]) -> list[dict[str, Any]]:
    """Who decided what, on which ground, in which words."""
    return [
        {
            "at": decision.decided_at,
            "what": decision.get_kind_display(),
            "who": name_of(decision.decided_by),
            "second": name_of(decision.second_by),
            "same_person": decision.same_person,
            "reason": _reason(decision),
            "citation": decision.citation,
            "text": request.case.unseal(decision.text_sealed, "decision"),
        }
        for decision in found
    ]


def _reason(decision: Decision) -> str:
    if decision.kind in (DecisionKind.LAW, DecisionKind.LAW_STAYS):
        return str(regimes.load(decision.code).text("short"))
    if decision.code in Right.values and decision.code:
        return str(Right(decision.code).label)
    known = code_label(decision.code)
    return f"{known} ({source_label(decision.source)})" if decision.source else known


def source_label(source: str) -> str:
    """A source in the words of the data map; its key where the map has forgotten it."""
    held = loader.current().sources.get(source)
    return str(_(held.label)) if held else source


def code_label(code: str) -> str:
    """A code of the law's catalogue in short words; itself where the catalogue does not know it."""
    return str(CODES[code][0]) if code in CODES else code


def names(events: Sequence[AuditEvent]) -> dict[int, str]:
    """The colleagues who stand in a trail, in one query."""
    wanted = {event.actor_id for event in events if event.actor_id}
    wanted |= {event.details["colleague"] for event in events if "colleague" in event.details}
    return {user.pk: name_of(user) for user in User.objects.filter(pk__in=wanted)}


def history(case: Case) -> list[dict[str, Any]]:
    """The case's audit chain in words, newest first (the last EVENTS)."""
    events = list(AuditEvent.objects.filter(chain=case.chain).order_by("-number")[:EVENTS])
    known = names(events)
    return [told(event, known) for event in events]


def told(event: AuditEvent, known: dict[int, str]) -> dict[str, Any]:
    """One event for the timeline."""
    if event.actor_kind == ActorKind.STAFF:
        who = known.get(event.actor_id or 0, str(_("a colleague")))
    elif event.actor_kind == ActorKind.REQUESTER:
        who = str(_("the requester"))
    elif event.actor_kind == ActorKind.OWNER:
        who = str(_("the data owner"))
    else:
        who = str(_("Rightsdesk"))
    return {
        "at": event.at,
        "what": event_words.event(event.what, event.to_state),
        "who": who,
        "detail": _details(event, known),
        "number": event.number,
    }


def _details(event: AuditEvent, known: dict[int, str]) -> str:
    parts: list[str] = []
    if colleague := event.details.get("colleague"):
        parts.append(known.get(colleague, str(_("a colleague"))))
    if event.from_state and event.to_state and event.from_state != event.to_state:
        parts.append(f"{State(event.from_state).label} → {State(event.to_state).label}")
    details = event.details
    if outcome := details.get("outcome"):
        parts.append(str(Outcome(outcome).label))
    if code := details.get("code"):
        parts.append(str(Right(code).label) if code in Right.values else code_label(code))
    if law := details.get("law"):
        parts.append(str(regimes.load(law).text("short")))
    if raised := details.get("raised"):
        parts.append(str(Raised(raised).label))
    if kind := details.get("appeal_kind"):
        parts.append(str(AppealKind(kind).label))
    if found := details.get("appeal_outcome"):
        parts.append(str(AppealOutcome(found).label))
    if source := details.get("source"):
        parts.append(str(source))
    if "founded" in details:
        parts.append(str(_("founded") if details["founded"] else _("unfounded")))
    if kind := details.get("as"):
        parts.append(str(RepresentativeKind(kind).label))
    if details.get("same_person"):
        parts.append(str(SecondLook.ALONE.label))
    if hold := details.get("hold"):
        parts.append(str(_("hold %(number)s") % {"number": hold}))
    if intake := details.get("intake"):
        parts.append(str(_("item %(number)s") % {"number": intake}))
    parts += [f"{details[name]} {label}" for name, label in words.COUNTS.items() if details.get(name)]
    return " · ".join(parts)
