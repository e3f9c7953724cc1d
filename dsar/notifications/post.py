"""Letters for whoever has no mailbox: printed, put into an envelope and posted by a person of the desk.

A notice whose point is its link says something else on paper, or is not written at all; ON_PAPER decides that for each.
"""

from collections.abc import Mapping, Sequence
from datetime import date, datetime, time
from enum import StrEnum
from typing import Final

from django.db import transaction
from django.db.models import F, QuerySet
from django.utils import timezone

from dsar import audit, clock_events, records
from dsar.models import Actor, Case, Message, PrivacyRequest
from dsar.notices import ANSWERS, TO_OTHERS, MessageStatus, Notice
from dsar.notifications import paper, undelivered


class Forbidden(Exception):
    """Handlers and approvers post letters."""


class Paper(StrEnum):
    """What becomes of a notice where there is no mailbox."""

    SAME = "same"  # true on paper as it stands; links and codes are left out
    REWORDED = "reworded"  # says on paper what can be done without a link
    ENCLOSE = "enclose"  # a letter, and something that a person has to put into the envelope
    NEVER = "never"  # only a mailbox or a page can use it, or it goes to others than the person


ON_PAPER: Final[Mapping[Notice, Paper]] = {
    **dict.fromkeys(Notice, Paper.SAME),
    **dict.fromkeys(
        (
            Notice.RECEIVED_VERIFY,  # how to show who one is without a mailbox
            Notice.PAPER_ASKED,  # a masked copy by letter, or a look at the counter
            Notice.ASK, Notice.REPLY, Notice.WITHDRAWN,  # "answer this e-mail" becomes "write to us"
            Notice.CONFIRM_READY, Notice.CONFIRM_REMINDER,  # the confirmation is given in writing
            Notice.CONFIRMED, Notice.DISPUTE_NOTED,  # "This was not me" is said by letter or telephone
            Notice.DISPUTE_FOUNDED, Notice.DISPUTE_UNFOUNDED,
            Notice.NOTHING_HELD, Notice.NOT_PROVEN, Notice.REFUSED, Notice.DONE_CORRECTED, Notice.RESTRICTION_LIFTING,
            Notice.DONE_CHOICE,  # where it is taken back
            Notice.APPEAL_RECEIVED, Notice.APPEAL_WITHDRAWN,
        ),
        Paper.REWORDED,
    ),
    # There is nothing to download: a person puts the copy on paper or on a data carrier into the same envelope.
    Notice.DONE_COPY: Paper.ENCLOSE,
    # A code opens a page, a download happens on one; what goes to others goes to their mailboxes.
    **dict.fromkeys(
        (
            Notice.ACCESS_CODE, Notice.WAY_BACK, Notice.COPY_DOWNLOADED, Notice.ADDRESS_CHANGED, Notice.PROOF_ASKED,
            Notice.NOT_MATCHED, *TO_OTHERS,
        ),
        Paper.NEVER,
    ),
}  # fmt: skip


def by_post(case: Case, notice: str) -> bool:
    """Whether this notice of this case is a letter on paper: the person has no mailbox, and it makes sense there."""
    return case.by_post and not case.contact and ON_PAPER[Notice(notice)] != Paper.NEVER


def waiting() -> QuerySet[Message]:
    """Letters to be printed and posted, oldest first."""
    return Message.objects.filter(status=MessageStatus.TO_POST).order_by("created_at", "pk")


def posted(numbers: Sequence[int], day: date, *, actor: Actor) -> int:
    """Note that letters went into the post on a day (noon of the desk's zone, or now for today). Returns how many; one
    that was noted before is left alone. Raises Forbidden."""
    if not actor.is_handler:
        raise Forbidden
    done = 0
    for pk in sorted(set(numbers)):
        with transaction.atomic():
            case = Case.objects.select_for_update().filter(messages__pk=pk).first()
            if case is None:
                continue
            number = Message.objects.values_list("request_id", flat=True).get(pk=pk)
            request = PrivacyRequest.objects.select_for_update().get(pk=number) if number else None
            row = Message.objects.select_for_update().get(pk=pk)
            if row.status != MessageStatus.TO_POST:
                continue
            row.case = case
            paper.keep(row)
            row.status, row.sent_at = MessageStatus.SENT, _moment(day, row.created_at)
            row.save(update_fields=["status", "sent_at"])
            audit.record(case, audit.Entry("letter_posted", actor, row.request_id, details={"notice": row.notice}))
            if request:
                request.case = case
                # The day that was named is one of the law, whatever zone the desk is in.
                left_on = min(day, clock_events.today(request))
                if row.notice in clock_events.LETTERS:
                    clock_events.sent(request, row, left_on)
                if row.notice in ANSWERS:
                    records.answer_left(request, left_on)
            done += 1
    return done


def note_enclosed(message: Message, *, actor: Actor) -> None:
    """Note who took a copy out to put it into its envelope. Raises Forbidden."""
    if not actor.is_handler:
        raise Forbidden
    with transaction.atomic():
        case = Case.objects.select_for_update().get(pk=message.case_id)
        audit.record(case, audit.Entry("copy_enclosed", actor, message.request_id))


def _moment(day: date, written: datetime) -> datetime:
    """Never before the letter was written, and never in the future."""
    noon = timezone.make_aware(datetime.combine(day, time(12)))
    return max(written, min(noon, timezone.now()))


def may_post_instead(request: PrivacyRequest) -> bool:
    """Whether a mail about this request could not be sent, could be a letter, and there is an address to post it to."""
    return bool(request.case.postal_sealed) and _failed(request).exists()


def post_instead(pk: int, *, actor: Actor) -> int:
    """Turn the mails about a request that could not be sent into letters to post. Approvers alone: the postal address
    was given, not proven. Returns how many. Raises Forbidden."""
    if not actor.is_approver:
        raise Forbidden
    with transaction.atomic():
        case = Case.objects.select_for_update().get(requests__pk=pk)
        request = PrivacyRequest.objects.select_for_update(of=("self",)).get(pk=pk)
        if not case.postal_sealed:
            return 0
        # The token fences out whoever would mail it at this moment.
        turned = _failed(request).update(status=MessageStatus.TO_POST, by_post=True, reason="", token=F("token") + 1)
        if turned:
            audit.record(case, audit.Entry("posted_instead", actor, pk, details={"letters": turned}))
            undelivered.note(pk)
    return turned


def _failed(request: PrivacyRequest) -> QuerySet[Message]:
    # A copy leaves the house only on its own way; a link is nothing to somebody whose mailbox cannot be reached.
    kept = [notice for notice, paper in ON_PAPER.items() if paper in (Paper.NEVER, Paper.ENCLOSE)]
    stuck = Message.objects.undelivered().filter(request=request)
    return stuck.exclude(notice__in=["", *kept]).exclude(status=MessageStatus.CLAIMED)
