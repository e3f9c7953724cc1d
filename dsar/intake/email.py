"""Mail to privacy@: raw bytes first, read in a child process, then the same door as the web form.

The sender is never trusted (RFC 5321 7.1): an address in a mail is only where the link to prove it goes.
"""

import hashlib

from django.conf import settings
from django.db import transaction
from django.db.models import Exists, F, OuterRef
from django.utils import timezone

from dsar import audit, bell, keys, proposals
from dsar.enums import Channel, IntakeStatus, Lane, State
from dsar.intake import submit
from dsar.intake.mail.classify import classify
from dsar.intake.mail.parse import ParsedMail, Quarantined, parse
from dsar.models import REQUESTER, Appeal, Case, Intake, Message, PrivacyRequest
from dsar.notices import MessageStatus
from dsar.notifications.compose import is_own_loop
from dsar.workflow import lock_case, move

# A mail with any of these is sorted by a person, however clear its words are.
NEVER_CLEAR = frozenset(
    {"alternatives_differ", "forwarded", "attached_mail", "only_quoted", "encrypted", "html_simplified"}
)
NEEDS_NO_ANSWER = frozenset({"auto_reply", "bounce", "complaint", "receipt", "own_loop"})
LANGUAGES = {code for code, _name in settings.LANGUAGES}


def receive(raw: bytes, envelope_to: str = "") -> tuple[Intake, bool]:
    """Store a mail and ring; returns (row, whether it is new). The same bytes to the same recipient are one mail.

    The Message-ID is not the key: it is the sender's to choose, and would let one person suppress another's mail.
    """
    digest = hashlib.sha256(raw + b"\0" + envelope_to.lower().encode()).hexdigest()
    found = submit.receive(Channel.EMAIL, raw, f"mail:{digest}")
    bell.strike(Lane.INTAKE)
    return found


def process(intake: Intake) -> None:
    """Read one stored mail: a case, an answer to one, a note, or a quarantined item with its reason. Repeatable."""
    read = parse(
        submit.raw_bytes(intake), own_authserv_id=settings.INBOUND_AUTHSERV_ID, own_addresses=(settings.PRIVACY_EMAIL,)
    )
    if isinstance(read, Quarantined):
        _mark(intake, IntakeStatus.QUARANTINED, read.reason)
        return
    kind = read.kind
    if kind == "own_loop" and not is_own_loop(read.loop_token):
        # Anybody can write that header; without our mark the mail is judged by what else it is.
        kind = read.kind_otherwise
    if kind in NEEDS_NO_ANSWER and kind != "bounce":
        _mark(intake, IntakeStatus.NOTED, kind)
        return
    case = _case_of_reply(read)
    if case is not None:
        _attach(intake, case, read)
        return
    found = classify(read.subject, read.new_text)
    clear = (
        found.confidence == "clear"
        and found.right is not None
        and kind == "person"
        and not read.sender_unclear
        and NEVER_CLEAR.isdisjoint(read.flags)
    )
    right = found.right if clear and found.right else ""
    submit.open_case(
        intake,
        submit.Contact(
            email=read.from_address, name=read.from_name, rights=(right,) if right else (), clear=clear,
            statement=f"{read.subject}\n\n{read.text}".strip()[:20000], machine=kind != "person",
            language=found.language if found.language in LANGUAGES else settings.LANGUAGE_CODE,
        ),
    )  # fmt: skip


def _mark(intake: Intake, status: IntakeStatus, reason: str) -> None:
    Intake.objects.filter(pk=intake.pk, status=IntakeStatus.STORED).update(status=status, reason=reason[:40])


def _case_of_reply(read: ParsedMail) -> Case | None:
    """The case whose secret reply address was written to, and only by the correspondent that it is given to now: whoever
    reads a mailbox that was lost answers nothing."""
    local, _, domain = settings.PRIVACY_EMAIL.partition("@")
    for address in read.to:
        name, _at, host = address.lower().partition("@")
        base, plus, token = name.partition("+")
        if plus and base == local.lower() and host == domain.lower():
            case = Case.objects.filter(reply_index=keys.token_hash(token)).first()
            writer = keys.email_index(read.from_address)
            if case and writer and writer == keys.email_index(case.contact):
                return case
    return None


def _attach(intake: Intake, case: Case, read: ParsedMail) -> None:
    """Add a reply to its case's conversation; it answers a question that is open there. Otherwise it stands in the queue
    as unread, at what is looked at again there, is open, or ended last. Whether it is an appeal a person says."""
    with transaction.atomic():
        held = Intake.objects.select_for_update().get(pk=intake.pk)
        if held.status != IntakeStatus.STORED:
            return
        case = lock_case(case.pk)
        Message.objects.create(
            case=case, status=MessageStatus.RECEIVED, created_at=held.received_at,
            text_sealed=case.seal(read.new_text or read.text, "message"),
        )  # fmt: skip
        held.case, held.status = case, IntakeStatus.ATTACHED
        held.save(update_fields=["case", "status"])
        proposals.heard(case, audit.Entry("mail_received", REQUESTER))
        asked = list(case.requests.filter(state=State.CLARIFYING).order_by("pk").values_list("pk", flat=True))
        for pk in asked:
            move(pk, "answer", actor=REQUESTER)
        looked_again = Exists(Appeal.objects.open().filter(request=OuterRef("pk")))
        newest = case.requests.order_by(looked_again.desc(), F("ended_at").desc(nulls_first=True), "-pk").first()
        if newest and not asked:
            PrivacyRequest.objects.filter(pk=newest.pk, unread_at__isnull=True).update(unread_at=timezone.now())


def summary(intake: Intake) -> dict[str, str]:
    """What staff see of an item that could not be read: sizes and the beginning, as text that cannot run."""
    try:
        raw = submit.raw_bytes(intake)
    except keys.Unreadable:
        return {"beginning": "", "size": str(intake.size)}
    return {"beginning": raw[:4000].decode("utf-8", "replace"), "size": str(intake.size)}


def adopt(intake: Intake, email: str, user_id: int) -> Case:
    """A person of the desk turns a quarantined item into a case to be sorted, from an address they read in it."""
    submit_to = submit.Contact(email=email, rights=(), clear=False, statement=summary(intake)["beginning"])
    case = submit.open_case(intake, submit_to)
    Intake.objects.filter(pk=intake.pk).update(handled_by_id=user_id)
    return case
