"""The outbox: queue in the transaction of what is told, claim, send, sweep.

A row stores a notice and references; link and text are made when it is sent. Sending is at least once: a worker
that dies between the mail server's answer and our note sends again, under the same Message-ID.
"""

import time
from contextlib import nullcontext, suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Self

import structlog
from django.conf import settings
from django.core.mail import get_connection
from django.core.mail.backends.base import BaseEmailBackend
from django.db import connection, transaction
from django.db.models import F, Q
from django.utils import timezone

from dsar import bell, clock_events, keys, records
from dsar.enums import CheckKind, CheckStatus, Lane, RecipientStatus
from dsar.models import (
    Case,
    Decision,
    IdentityCheck,
    Letter,
    Message,
    OwnerTask,
    PrivacyRequest,
    RecipientNotice,
    Representation,
)  # fmt: skip
from dsar.models.case import with_keys
from dsar.models.message import TELL_AFTER
from dsar.notices import ALSO_NOT_ME, ANSWERS, CODE_NOTICES, LINK_NOTICES, TO_OTHERS, MessageStatus, Notice
from dsar.notifications import compose, post, undelivered

log = structlog.get_logger(__name__)

BATCH = 20
# The waits grow to an hour and stay there: three days of them, as a mail server keeps on (RFC 5321 4.5.4.1).
GIVE_UP_AFTER = TELL_AFTER + 72
LINK_OF: dict[str, CheckKind] = {
    Notice.RECEIVED_VERIFY: CheckKind.MAILBOX,
    Notice.CONFIRM_READY: CheckKind.MAILBOX,
    Notice.CONFIRM_REMINDER: CheckKind.MAILBOX,
    Notice.CONFIRMED: CheckKind.NOT_ME,
    Notice.SHOWN_BY_HAND: CheckKind.NOT_ME,
    Notice.PROOF_ASKED: CheckKind.MAILBOX,
    Notice.KNOWN_TOLD: CheckKind.NOT_ME,
    Notice.DOWNLOAD_TOLD: CheckKind.NOT_ME,
    Notice.ACCESS_CODE: CheckKind.CODE,
    Notice.OWNER_CODE: CheckKind.OWNER_CODE,
    Notice.REP_ASKED: CheckKind.REP_LINK,
    Notice.REP_NEWS: CheckKind.REP_LINK,
    Notice.REP_CODE: CheckKind.REP_CODE,
    Notice.REP_REFUSED: CheckKind.REP_LINK,
    Notice.PERMISSION_ASKED: CheckKind.REP_LINK,
    Notice.STANDS_FOR_YOU: CheckKind.OBJECTION,
    Notice.LOST_MOVING: CheckKind.OBJECTION,
}
WITHOUT_LINK = frozenset(
    {
        Notice.REPLY,
        Notice.TELL_RECIPIENT,
        Notice.OWNER_DIGEST,
        Notice.STAFF_DIGEST,
        Notice.LOST_ASKED,
    }
)
URGENT = frozenset({Notice.RECEIVED_VERIFY, Notice.ACCESS_CODE, Notice.CONFIRMED, Notice.OWNER_CODE, Notice.REP_CODE})
REP_LIMITED = (Notice.REP_ASKED, Notice.REP_CODE)
# What a representative who may follow hears nothing of: ways in, what is written to the person alone.
NOT_FOLLOWED = frozenset({*LINK_NOTICES, *TO_OTHERS, Notice.REPLY, Notice.COPY_DOWNLOADED})


@dataclass(frozen=True)
class Claimed:
    """What a sender holds: the row and the fence it was claimed with."""

    message: Message
    token: int


def make_check(case: Case, kind: CheckKind, now: datetime, task: OwnerTask | None = None) -> IdentityCheck:
    """A new link or code for a case. An older one of the same kind is spent from now on, where using it matters."""
    lifetime = {
        CheckKind.CODE: settings.CODE_LIFETIME, CheckKind.MAILBOX: settings.LINK_LIFETIME,
        CheckKind.OWNER_CODE: settings.CODE_LIFETIME, CheckKind.REP_CODE: settings.CODE_LIFETIME,
        CheckKind.OWNER_LINK: settings.OWNER_LINK_LIFETIME,
    }.get(kind, settings.RECORD_PERIOD)  # fmt: skip
    if task is not None or kind in (CheckKind.CODE, CheckKind.REP_CODE, CheckKind.MAILBOX):
        IdentityCheck.objects.filter(case=case, kind=kind, task=task, status=CheckStatus.PENDING).update(
            status=CheckStatus.SUPERSEDED, decided_at=now
        )
    check = IdentityCheck(case=case, kind=kind, task=task, created_at=now, expires_at=now + lifetime)
    check.token_hash = keys.token_hash(check.token)
    check.save(force_insert=True)
    return check


def within_limit(
    to_index: str, now: datetime, notices: tuple[Notice, ...] = LINK_NOTICES, most: int | None = None
) -> bool:
    """At most LINK_MAILS_PER_DAY (or `most`) mails with a way in to one address in 24 hours; the screen does not change."""
    if connection.vendor == "postgresql":
        # Parallel forms for one address would all count the same number; SQLite writes one at a time anyway.
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [int(to_index[:15] or "0", 16)])
    sent = Message.objects.filter(to_index=to_index, notice__in=notices, created_at__gt=now - timedelta(days=1)).count()
    return sent < (settings.LINK_MAILS_PER_DAY if most is None else most)


def queue(
    request: PrivacyRequest,
    notice: Notice,
    *,
    decision: Decision | None = None,
    text: str = "",
    dedupe: str | None = None,
    author_id: int | None = None,
    hand: list[Claimed] | None = None,
) -> Message | None:
    """Put a notice about a request in the outbox, inside the caller's transaction. None where none may be sent.

    With `hand` it is claimed at once for the caller, who delivers what is in that list after the commit.
    """
    return queue_for_case(
        request.case,
        notice,
        request=request,
        decision=decision,
        text=text,
        dedupe=dedupe,
        author_id=author_id,
        hand=hand,
    )


def queue_for_case(
    case: Case,
    notice: Notice,
    *,
    request: PrivacyRequest | None = None,
    decision: Decision | None = None,
    text: str = "",
    dedupe: str | None = None,
    author_id: int | None = None,
    hand: list[Claimed] | None = None,
    to: str = "",
    check: IdentityCheck | None = None,
) -> Message | None:
    """Put a notice in the outbox: for the person, or for whom `to` names, with the link or code `check` where the caller
    has made one. None after a purge, to a machine's mail, over the limit, or where it was queued before. For whoever
    has no mailbox it becomes a letter to post, without link or code (see post.ON_PAPER).

    Raises ValueError for a notice to others without an address, and for one to the person with another address.
    """
    if bool(to) != (notice in TO_OTHERS):
        raise ValueError("to")
    if case.purged_at:
        return None
    goes_to = to or case.contact
    if not to and post.by_post(case, notice):
        letter = _to_post(case, notice, request, decision, text, dedupe, author_id)
        if letter and case.acts_as != "self":
            _tell_follower(letter)
        return letter
    if not goes_to:
        return None
    if not to and case.machine_mail and not case.is_proven:
        return None
    now = timezone.now()
    to_index = keys.email_index(goes_to)
    if notice in LINK_NOTICES and not within_limit(to_index, now):
        return None
    if notice in REP_LIMITED and not within_limit(to_index, now, REP_LIMITED, settings.AGENT_MAILS_PER_DAY):
        return None
    if dedupe and Message.objects.filter(dedupe=dedupe).exists():
        return None
    if check is None and notice not in WITHOUT_LINK:
        check = make_check(case, LINK_OF.get(notice, CheckKind.FOLLOW), now)
    if notice in ALSO_NOT_ME:
        make_check(case, CheckKind.NOT_ME, now)
    message = Message(
        case=case, request=request, notice=notice, check_ref=check, decision=decision, author_id=author_id,
        text_sealed=case.seal(text, "message"), to_sealed=case.seal(to, "to"),
        to_index=to_index, urgent=notice in URGENT,
        created_at=now, due_at=now, dedupe=dedupe,
    )  # fmt: skip
    if case.acts_as != "self":
        _tell_follower(message)
    if hand is None:
        message.save(force_insert=True)
        bell.ring(Lane.MAIL)
        return message
    message.status, message.lease_until = MessageStatus.CLAIMED, now + settings.LEASE
    message.token = message.attempts = 1
    message.save(force_insert=True)
    hand.append(Claimed(message, message.token))
    return message


def _to_post(
    case: Case,
    notice: Notice,
    request: PrivacyRequest | None,
    decision: Decision | None,
    text: str,
    dedupe: str | None,
    author_id: int | None,
) -> Message | None:
    if dedupe and Message.objects.filter(dedupe=dedupe).exists():
        return None
    message = Message(
        case=case, request=request, notice=notice, decision=decision, author_id=author_id, by_post=True,
        text_sealed=case.seal(text, "message"), status=MessageStatus.TO_POST, dedupe=dedupe,
    )  # fmt: skip
    message.save(force_insert=True)
    return message


def _tell_follower(news: Message) -> None:
    """Who asks for the person hears that there is news, as far as the person lets them, and not what it is."""
    if news.notice in NOT_FOLLOWED:
        return
    found = Representation.objects.filter(case=news.case).first()
    if found is None:
        return
    found.case = news.case
    if found.may_follow or (found.may_receive and news.notice == Notice.DONE_COPY):
        queue_for_case(news.case, Notice.REP_NEWS, request=news.request, to=found.email)


class Line:
    """A connection to the mail server, opened when it is first needed and shared by what is sent within the block.

    Short-lived, as servers hang up on the idle (RFC 5321 4.5.3.2.7) and count the mails of a connection.
    """

    IDLE_SECONDS = 20.0
    MAILS = 50

    def __init__(self) -> None:
        self._backend: BaseEmailBackend | None = None
        self._used = 0.0
        self._mails = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self.hang_up()

    def backend(self) -> BaseEmailBackend:
        """The backend to send the next mail with."""
        if self._mails >= self.MAILS or time.monotonic() - self._used > self.IDLE_SECONDS:
            self.hang_up()
        if self._backend is None:
            self._backend, self._mails = get_connection(), 0
            self._backend.open()
        self._used = time.monotonic()
        self._mails += 1
        return self._backend

    def hang_up(self) -> None:
        """Close the connection, whatever state it is in; the next use opens a new one."""
        backend, self._backend = self._backend, None
        if backend is not None:
            with suppress(OSError):
                backend.close()


def claim(limit: int = BATCH) -> list[Claimed]:
    """Take up to `limit` due messages under a lease; a lapsed lease is taken over."""
    now = timezone.now()
    free = Q(status=MessageStatus.QUEUED, due_at__lte=now) | Q(status=MessageStatus.CLAIMED, lease_until__lt=now)
    with transaction.atomic():
        in_turn = ("-urgent", "due_at", "id")
        due = Message.objects.filter(free).order_by(*in_turn)
        if connection.features.has_select_for_update_skip_locked:
            due = due.select_for_update(skip_locked=True)
        # Keys alone: most looks find nothing.
        found = Message.objects.filter(pk__in=list(due.values_list("pk", flat=True)[:limit]))
        if not found.update(
            status=MessageStatus.CLAIMED, token=F("token") + 1, attempts=F("attempts") + 1,
            lease_until=now + settings.LEASE,
        ):  # fmt: skip
            return []
        taken = list(found.select_related("case", "request", "check_ref", "decision").order_by(*in_turn))
    for row in taken:
        if row.request:
            row.request.case = row.case
    with suppress(keys.Unreadable):
        # A key that cannot be had shows when its own mail is made, and keeps no other.
        with_keys(row.case for row in taken)
    return [Claimed(row, row.token) for row in taken]


def deliver(claimed: list[Claimed], line: Line | None = None) -> int:
    """Send what was claimed over one connection and note each result where the fence still fits. Returns how many went."""
    with nullcontext(line) if line else Line() as open_line:
        return sum(_deliver_one(entry, open_line) for entry in claimed)


def _deliver_one(entry: Claimed, line: Line) -> int:
    message = entry.message
    letter: Letter | None = None
    now = timezone.now()
    if message.lease_until is None or now >= message.lease_until:
        # The mails before it took too long: by now it is somebody else's, who would send it a second time.
        return 0
    try:
        if message.case.purged_at:
            changes: dict[str, object] = {"status": MessageStatus.FAILED, "reason": "purged"}
        else:
            _renew(message, now)
            mail = compose.mail(message, line.backend())
            # Sealed before it goes: what cannot be kept is not sent.
            letter = Letter.of(message, mail.letter) if mail.letter else None
            mail.send()
            changes = {"status": MessageStatus.SENT, "sent_at": now, "reason": ""}
    except Exception as error:
        # Whatever a mail server or a template does, the row must say so and the next one must go out.
        log.warning("mail could not be sent", message=message.pk, error=type(error).__name__)
        line.hang_up()
        again = message.attempts < (TELL_AFTER if message.notice in CODE_NOTICES else GIVE_UP_AFTER)
        changes = {
            "status": MessageStatus.QUEUED if again else MessageStatus.FAILED,
            "reason": type(error).__name__[:40],
            "due_at": now + timedelta(seconds=min(3600, 15 * 2**message.attempts)),
        }
    recipient = message.notice == Notice.TELL_RECIPIENT
    about = message.request_id if message.attempts >= TELL_AFTER else None
    # One transaction only where there is a second row to keep in step: whoever is said to be told was told.
    with transaction.atomic() if recipient or letter or about else nullcontext():
        if about:
            PrivacyRequest.objects.select_for_update().get(pk=about)
        done = Message.objects.filter(pk=message.pk, token=entry.token).update(lease_until=None, **changes)
        if done and recipient and changes["status"] == MessageStatus.SENT:
            told = RecipientNotice.objects.filter(message=message, status=RecipientStatus.QUEUED)
            told.update(status=RecipientStatus.TOLD, at=now)
        if done and letter and changes["status"] == MessageStatus.SENT:
            letter.save(force_insert=True)
        if about:
            undelivered.note(about)
    went = bool(done and changes["status"] == MessageStatus.SENT)
    if went and message.request_id and message.notice in ANSWERS:
        _note_answer(message, now)
    if went and message.request_id and message.notice in clock_events.LETTERS:
        _tell_the_clock(message)
    return int(went)


def _note_answer(message: Message, left_at: datetime) -> None:
    """The mail is out and noted as sent whatever happens here, and the next one waits for nobody who holds the request: an
    answer that was not dated the clock finds (review/dates.py)."""
    try:
        with transaction.atomic():
            for request in PrivacyRequest.objects.select_for_update(skip_locked=True).filter(
                pk=message.request_id or 0
            ):
                request.case = message.case
                records.answer_left(request, left_at)
    except Exception as error:
        log.error("the day of an answer could not be noted", request=message.request_id, error=type(error).__name__)


def _tell_the_clock(message: Message) -> None:
    """The mail is out whatever happens here; what was not noted the clock finds (review/dates.py)."""
    try:
        with transaction.atomic():
            clock_events.sent(PrivacyRequest.objects.hold(message.request_id or 0), message)
    except Exception as error:
        log.error("the clock was not told of a letter", message=message.pk, error=type(error).__name__)


def _renew(message: Message, now: datetime) -> None:
    """The life of a link that proves a mailbox begins with its mail, not with the outage that kept it."""
    check = message.check_ref
    if check and check.kind == CheckKind.MAILBOX and message.attempts > 1:
        check.expires_at = now + settings.LINK_LIFETIME
        IdentityCheck.objects.filter(pk=check.pk, status=CheckStatus.PENDING).update(expires_at=check.expires_at)


def drain(turn: bell.Turn | None = None) -> int:
    """Send until nothing is due, or until the turn is over; returns how many went out."""
    total = 0
    with Line() as line:
        while claimed := claim():
            if turn and len(claimed) == BATCH:
                turn.call_others()
            total += deliver(claimed, line)
            if turn and turn.is_over():
                break
    return total
