"""What pages show of a request: progress, dates, conversation, and what changed between two plans."""

from collections.abc import Mapping
from typing import Any, Final

from django.db.models import Q
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django_fsm import can_proceed

from dsar import clock_book
from dsar.enums import COPY_RIGHTS, UNVERIFIED_RIGHTS, Outcome, Right, State
from dsar.fulfilment import package, progress
from dsar.fulfilment import plan as plans
from dsar.law import authorities
from dsar.models import Case, Message, Package, PrivacyRequest
from dsar.models.request_conditions import may_be_written_to
from dsar.notices import TO_OTHERS, MessageStatus, Notice
from dsar.notifications import letters, paper, report, undisclosed
from dsar.notifications.appeal_letter import BUTTONS, told_on
from dsar.review import appeals

# After these the way back to us stands open on the page, not under "If you do not agree".
SAID_NO = (Outcome.DENIED, Outcome.GRANTED_IN_PART, Outcome.NOT_PROVEN, Outcome.UNANSWERED, Outcome.NOTHING_HELD)
SHOWN = (MessageStatus.SENT, MessageStatus.RECEIVED)
# What the desk calls these mails speaks of the person; on their own page we speak to them.
TO_YOU: Final[Mapping[str, Any]] = {
    Notice.FEE: gettext_lazy("We ask for a fee"),
    Notice.PROOF_ASKED: gettext_lazy("Please show once more that it is you"),
    Notice.PAPER_ASKED: gettext_lazy("May we see a paper that shows who you are?"),
    Notice.NOT_MATCHED: gettext_lazy("About what you stated to show that it is you"),
    Notice.RESTRICTION_KEPT: gettext_lazy("The restriction stays"),
    Notice.ADDRESS_CHANGED: gettext_lazy("We write to you at a new address"),
    Notice.APPEAL_RECEIVED: gettext_lazy("We look again: we have what you wrote"),
    Notice.APPEAL_INTERIM: gettext_lazy("We look again: where it stands"),
    Notice.APPEAL_EXTENDED: gettext_lazy("We look again: we need more time"),
    Notice.APPEAL_UPHELD: gettext_lazy("We looked again: you were right"),
    Notice.APPEAL_DISMISSED: gettext_lazy("We looked again: our answer stays"),
    Notice.NOT_CONTENT: gettext_lazy("You do not agree: we have what you wrote"),
}


def deadline(request: PrivacyRequest) -> dict[str, Any] | None:
    """By when an open request is answered, with the arithmetic in words (law 14); `date` is None while the law has none."""
    if request.due_on is None or request.is_ended:
        return None
    found = clock_book.told(request)
    return {
        "date": found.date, "days_left": found.days_left, "state": found.state, "steps": found.steps, "rule": found.rule,
        "citation": found.citation,
    }  # fmt: skip


def request_view(request: PrivacyRequest) -> dict[str, Any]:
    """One request as the case page shows it."""
    done, systems = progress.closing(request) if request.is_bound else (0, 0)
    ended = request.is_ended
    worked = request.outcome in (Outcome.GRANTED, Outcome.GRANTED_IN_PART)
    regime = request.case.law
    return {
        "request": request,
        "outcome": undisclosed.outcome_told(request),
        "title": request.title,
        "understood": letters.understood(Right(request.right), take_back=request.take_back),
        "steps": progress.steps(request),
        "ball": progress.ball(request),
        "deadline": deadline(request),
        "can_withdraw": not ended and can_proceed(request.withdraw),
        "closing": (done, systems) if done < systems and not ended else None,
        "closed": request.is_bound and done == systems,
        "quiet": request.quiet_until if request.state == State.RELEASING and _is_ahead(request) else None,
        "items": letters.items(request) if worked and request.right not in UNVERIFIED_RIGHTS else [],
        # A choice asks for no proof: who was told would say whether something is held under the address (law 10).
        "told": report.told([request]) if ended and request.right not in UNVERIFIED_RIGHTS else [],
        "report": letters.known(request),
        "copy": copy_view(request) if worked and request.right in COPY_RIGHTS else None,
        "again": again(request),
        "remedy": regime.remedy if ended and request.outcome != Outcome.WITHDRAWN else "",
        "remedy_links": authorities.way(regime.id).links,
    }


def again(request: PrivacyRequest) -> dict[str, Any]:
    """The way back to us that a request has: `button` leads to its page, `open` is what is looked at now, `ended` what was,
    newest first. A law that knows no appeal leaves the words "I do not agree", which a person reads."""
    kind = appeals.kind_for(request)
    found = list(request.appeals.order_by("-pk"))
    for one in found:
        one.request = request
    if request.outcome == Outcome.WITHDRAWN and not found:
        return {}
    if kind is None and not request.is_ended and not found:
        return {}
    if kind and appeals.was_looked_at(request, kind):
        kind = None
    current = next((one for one in found if one.is_open), None)
    return {
        "kind": kind or "",
        "button": BUTTONS[kind] if kind else _("Tell us why you do not agree"),
        "prominent": bool(kind) and undisclosed.outcome_told(request) in SAID_NO,
        "open": current,
        "open_told_on": told_on(current) if current else None,
        "ended": [one for one in found if not one.is_open],
    }


def copy_view(request: PrivacyRequest) -> dict[str, Any] | None:
    """The copy as the case page shows it: `here` where it can be downloaded, otherwise since when it is gone."""
    made = request.packages.filter(offered_at__isnull=False).order_by("-version").first()
    if made is None:
        return None
    return {
        "here": made.is_offered, "package": made, "left_out": letters.left_out(request),
        "missing": letters.missing(request),
        "again": request.right,
    }  # fmt: skip


def offered(request: PrivacyRequest) -> Package | None:
    """The copy of this request that its person can download now."""
    made = package.current(request)
    if made is None or not made.is_offered or not may_be_written_to(request.case):
        return None
    made.request = request
    return made


def _is_ahead(request: PrivacyRequest) -> bool:
    return request.quiet_until is not None and request.quiet_until > timezone.now()


def conversation(case: Case) -> list[dict[str, Any]]:
    """What was sent to the person and what came from them, oldest first. Notes of the desk never leave it."""
    found = (
        Message.objects.filter(Q(status__in=SHOWN), case=case)
        .exclude(notice__in=TO_OTHERS)
        .select_related("decision")
        .order_by("created_at", "pk")
    )
    lines = []
    for message in found:
        message.case = case
        incoming = message.status == MessageStatus.RECEIVED
        said = message.text
        if not said and message.decision and not undisclosed.is_silent(message.decision):
            said = case.unseal(message.decision.text_sealed, "decision")
        lines.append(
            {
                "at": message.sent_at or message.created_at,
                "direction": "in" if incoming else "out",
                "who": _("You") if incoming else _("Privacy team"),
                "subject": ""
                if incoming or not message.notice
                else TO_YOU.get(message.notice) or Notice(message.notice).label,
                "text": said,
                "status": "",
                "url": reverse("case_letter", args=[message.pk]) if paper.is_letter(message) else "",
            }
        )
    return lines


def changes(old: plans.Body | None, new: plans.Body) -> list[str]:
    """What differs between two plans in what is material, one sentence each; a general one where none can be named."""
    words = {
        "erase": _("is deleted"), "mask": _("is made anonymous"), "keep": _("is kept"),
        "refer": _("stays with your organisation"), "backup": _("goes when the backups are overwritten"),
    }  # fmt: skip
    found = []
    before = _fates(old) if old else {}
    after = _fates(new)
    for label in sorted({*before, *after}):
        if before and before.get(label) != after.get(label):
            fates = [
                words[action] for action in ("erase", "mask", "keep", "refer", "backup") if action in _of(after, label)
            ]
            text = _("%(what)s: %(how)s") % {"what": label, "how": ", ".join(fates)} if fates else ""
            found.append(text or _("%(what)s: nothing is left of it") % {"what": label})
    if old is not None and (old.get("money") or {}) != (new.get("money") or {}):
        found.append(_("Your credit, or what becomes of it, has changed."))
    return found or [_("We found something that was not there when the page was made.")]


def _fates(body: plans.Body) -> dict[str, set[tuple[str, str]]]:
    fates: dict[str, set[tuple[str, str]]] = {}
    for item in body["items"]:
        fates.setdefault(_(item["label"]), set()).add((item["action"], item["code"]))
    return fates


def _of(fates: dict[str, set[tuple[str, str]]], label: str) -> set[str]:
    return {action for action, _code in fates.get(label, set())}
