"""Makes a mail from an outbox row: the notice's templates, in the person's language, links made anew."""

import re
from email.utils import formatdate
from typing import Any

from django.conf import settings
from django.core.mail import EmailMultiAlternatives
from django.core.mail.backends.base import BaseEmailBackend
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone, translation
from django.utils.translation import gettext as _

from accounts.models import Role
from dsar import clock_events, deadlines, keys
from dsar.datamap import loader
from dsar.enums import UNVERIFIED_RIGHTS, CheckKind, CheckStatus, DecisionKind, Outcome, Right
from dsar.law import authorities, codes, tiers
from dsar.models import Case, Decision, Message, Representation
from dsar.models.once import while_shown
from dsar.notices import ALSO_NOT_ME, KNOWN_NOTICES, NO_LETTERS, OWNER_NOTICES, REP_NOTICES, TO_OTHERS, Notice
from dsar.notifications import (
    appeal_letter,
    choices,
    fee_letter,
    kept_letter,
    law_letter,
    letters,
    owner_letters,
    restriction_letter,
    staff_letter,
    to_recipients,
    undisclosed,
)

PAGE = "email/page.html"


class NoAddress(Exception):
    """Nobody is there to send it to."""


class Mail(EmailMultiAlternatives):
    """A mail, and in `letter` what is read again of it (see `letter`); empty where it is no letter to the person."""

    letter: dict[str, str] = {}


def mail(message: Message, backend: BaseEmailBackend | None = None) -> Mail:
    """The mail for one outbox row. The Message-ID is the row's own, so that a repeat is recognisable (RFC 5322 3.6.4).

    `Auto-Submitted` (RFC 3834) and a loop header of ours keep two robots from writing to each other.
    """
    case, address = message.case, message.to
    if not address:
        # Django sends a mail to nobody without a word, and it would count as sent.
        raise NoAddress
    # Colleagues and companies are written to in the house's language. Whoever is not the person answers the team: the
    # reply address of a case is the person's own way in, and what comes there would be filed as theirs.
    to_other = message.notice in TO_OTHERS
    in_house = to_other and message.notice not in (*REP_NOTICES, *KNOWN_NOTICES)
    language = settings.LANGUAGE_CODE if in_house else case.language or settings.LANGUAGE_CODE
    with translation.override(language), while_shown(*([message.request] if message.request else [])):
        recipient = message.notice == Notice.TELL_RECIPIENT
        context = to_recipients.context(message) if recipient else context_for(message)
        context["subject"] = subject(message, context)
        text = as_text(message, context)
        html = render_to_string(f"email/{message.notice}/body.html", context)
        again = {} if message.notice in NO_LETTERS else _read_again(message, context)
    domain = settings.PRIVACY_EMAIL.rpartition("@")[2]
    identity = keys.mac("message-id", str(message.pk), str(case.uid)).hex()[:32]
    made = Mail(
        subject=context["subject"],
        body=text,
        from_email=settings.DEFAULT_FROM_EMAIL,
        to=[address],
        reply_to=[settings.PRIVACY_EMAIL if to_other else case.reply_address()],
        connection=backend,
        headers={
            "Message-ID": f"<{identity}@{domain}>",
            "Date": formatdate(message.created_at.timestamp()),
            "Auto-Submitted": "auto-generated",
            "X-Auto-Response-Suppress": "All",
            "X-Rightsdesk-Loop": loop_mark(identity),
        },
    )
    made.attach_alternative(html, "text/html")
    made.letter = again
    return made


def letter(message: Message) -> dict[str, str]:
    """A letter as it would be sent now, to be read again: `subject`, `text`, and `page`, the HTML that goes into a frame.

    Without the links and codes of the mail, in the language of the case.
    """
    with translation.override(message.case.language or settings.LANGUAGE_CODE):
        context = context_for(message)
        return _read_again(message, {**context, "subject": subject(message, context)})


def _read_again(message: Message, context: dict[str, Any]) -> dict[str, str]:
    said = {
        name: value for name, value in context.items() if name not in ("link", "code", "ends_at", "not_me_link")
    } | {"layout": PAGE}
    return {
        "subject": said["subject"],
        "text": as_text(message, said),
        "page": render_to_string(f"email/{message.notice}/body.html", said),
    }


def own_address() -> list[str]:
    """The company's name and postal address, line by line; empty where the data map names no address."""
    company = loader.current().company
    return [company.name, *(part.strip() for part in company.address.split(","))] if company.address else []


def subject(message: Message, context: dict[str, Any]) -> str:
    """The subject of a notice, in one line: also the title of its page and of its PDF."""
    return " ".join(render_to_string(f"email/{message.notice}/subject.txt", context).split())


def as_text(message: Message, context: dict[str, Any]) -> str:
    """The plain text of a notice, never more than one empty line in a row."""
    return re.sub(r"\n{3,}", "\n\n", render_to_string(f"email/{message.notice}/body.txt", context)).strip() + "\n"


def loop_mark(identity: str) -> str:
    """A header value that only we can make: a mail that comes back with it is our own."""
    return f"{identity}.{keys.mac('loop', identity).hex()[:32]}"


def is_own_loop(value: str) -> bool:
    """Whether a header value was made by `loop_mark`."""
    identity = value.strip().partition(".")[0]
    return bool(identity) and keys.same(value.strip(), loop_mark(identity))


def context_for(message: Message) -> dict[str, Any]:
    """Everything a notice's template may use (see templates/email/README.md)."""
    context = _of_every_mail(message)
    if message.notice == Notice.KNOWN_TOLD:
        # What an address hears that may be a stranger's: nothing else of the request.
        return context | {"event": message.text}
    request, case = message.request, message.case
    right = Right(request.right) if request else Right.UNCLEAR
    dates = clock_events.dates(request) if request else None
    told = clock_events.told_on(request, dates) if request else None
    context |= {
        "right_label": request.title if request else right.label,
        "received_on": deadlines.received_on(case.law, (request or case).received_at),
        "due_on": told,
        "old_due_on": clock_events.first_told_on(request) if request else None,
        "new_due_on": told if request and request.extended_at else None,
        "deadline_explained": list(dates.due.explain()) if dates else [],
        "quiet_until": request.quiet_until if request else None,
        "understood": letters.understood(right, take_back=bool(request and request.take_back)),
        "person_text": message.text,
        "question": message.text,
        "answer_by": request.answer_by if request else None,
        "remedy": case.law.remedy,
        "remedy_links": authorities.way(case.regime).sites,
    }
    if case.acts_as != "self":
        context |= _representative(case)
    if message.notice in (Notice.NOT_PROVEN, Notice.PROOF_ASKED, Notice.NOT_MATCHED):
        regime = case.law
        lesser = tiers.falls_back(regime, right)
        if lesser and tiers.needed(regime, lesser) < tiers.needed(regime, right):
            context["lesser"] = Right(lesser).label
    if message.notice == Notice.PROOF_ASKED:
        context |= {"identity_why": regime.text("identity"), "citation": regime.verification_citation}
    if message.notice == Notice.NOT_MATCHED:
        tried = case.checks.filter(kind=CheckKind.DATA_POINTS).order_by("-pk").first()
        context["not_compared"] = tried is not None and tried.status == CheckStatus.SUPERSEDED
    if message.notice == Notice.SHOWN_BY_HAND:
        seen = case.checks.filter(kind=CheckKind.BY_HAND).order_by("-pk").first()
        context["counts_from"] = seen.counts_from if seen else None
    if message.notice == Notice.LOST_MOVING:
        lost = case.lost_mailboxes.order_by("-pk").first()
        context["counts_from"] = lost.opens_at if lost else None
    if request and message.notice == Notice.EXTENDED:
        context["may_move"] = case.law.may_move(request.right)
    if message.notice in OWNER_NOTICES:
        context |= owner_letters.of_tasks(message)
    if message.notice in (Notice.LAW_CHANGED, Notice.LAW_STAYS):
        context |= law_letter.context(case)
    if message.notice == Notice.STAFF_DIGEST:
        context |= staff_letter.due(message)
    if message.by_post:
        context |= {"by_post": True, "own_address": own_address()}
        context["account_named"] = bool(case.email_index)
    if message.notice in ALSO_NOT_ME and not message.by_post:
        # The one that was made with it (outbox.queue_for_case).
        stops = case.checks.filter(
            kind=CheckKind.NOT_ME, status=CheckStatus.PENDING, created_at=message.created_at
        ).first()
        context["not_me_link"] = settings.BASE_URL + reverse("link", args=[stops.token]) if stops else ""
    if message.notice == Notice.PERMISSION_ASKED:
        context["citation"] = case.law.agents.citation
    if message.notice == Notice.DISPUTE_NOTED:
        context["bound"] = bool(request and request.is_bound)
    silent = bool(message.decision and undisclosed.is_silent(message.decision))
    if message.decision:
        decision = message.decision
        code = codes.named(decision.code, case.law)
        context |= {
            "reason_label": code.label if code else "",
            "reason_text": str(code.text) if code else "",
            "citation": decision.citation,
            "decided_by": _decider(decision),
            "decided_on": timezone.localdate(decision.second_at or decision.decided_at),
        }
        said = case.unseal(decision.text_sealed, "decision")
        context |= {"person_text": said, "question": said} if said else {}
        if silent:
            # Only what every letter says (parts/neutral).
            context |= dict.fromkeys(("reason_label", "reason_text", "citation", "person_text", "question"), "")
        if decision.kind == DecisionKind.MERGE:
            context["other_reference"] = decision.code
    elif request and message.notice in letters.AS_APPROVED:
        context["person_text"] = letters.said_with_approval(request)
    if request:
        if message.by_post and message.notice == Notice.CONFIRM_READY:
            context |= letters.to_sign(request)
        context["looked_twice"] = request.decisions.filter(same_person=True).exists()
        context["in_part"] = undisclosed.outcome_told(request) == Outcome.GRANTED_IN_PART
        context["again"] = appeal_letter.way(request)
        context["rest"] = kept_letter.rest(request, message.notice)
        context |= letters.of_the_work(request, message.notice, silent=silent)
        context |= restriction_letter.ending(request, message.notice)
        if request.right in UNVERIFIED_RIGHTS:
            context |= choices.of_the_choice(request)
    return context | appeal_letter.context(message) | fee_letter.context(message)


def _of_every_mail(message: Message) -> dict[str, Any]:
    """Who writes, about what, and the link or the code of this mail."""
    context: dict[str, Any] = {
        "company": settings.COMPANY_NAME,
        "privacy_email": settings.PRIVACY_EMAIL,
        "base_url": settings.BASE_URL,
        "language": translation.get_language(),
        "reference": message.case.reference,
        "right": Right(message.request.right if message.request else Right.UNCLEAR).value,
    }
    check = message.check_ref
    if check and check.kind in (CheckKind.CODE, CheckKind.OWNER_CODE, CheckKind.REP_CODE):
        context |= {"code": check.code, "ends_at": check.expires_at}
    elif check and check.kind != CheckKind.OWNER_LINK:
        context["link"] = settings.BASE_URL + reverse("link", args=[check.token])
        if check.kind == CheckKind.MAILBOX:
            context["ends_at"] = check.expires_at
    return context


def _decider(decision: Decision) -> str:
    """Who decided, as a role: the person is told that a person did, never who (11 CCR 7101; GDPR Art 12(4))."""
    decider = decision.second_by or decision.decided_by
    if decider is None:
        return ""
    if decider.role == Role.APPROVER:
        return _("an approver of our privacy team")
    return _("a member of our privacy team")


def _representative(case: Case) -> dict[str, Any]:
    """Who asks for the person: `representative` is name (what they typed), kind (in words) and stands."""
    found = Representation.objects.filter(case=case).first()
    if found is None:
        return {}
    found.case = case
    return {
        "representative": {"name": found.name, "kind": found.get_kind_display(), "stands": found.stands},
        "needs_no_proof": not case.requests.exclude(right__in=UNVERIFIED_RIGHTS).exists(),
    }
