"""Answers that reached the person on another way than the letter that was made for them."""

from datetime import date

from django.db import transaction
from django.db.models import F
from django.utils import timezone
from django.utils.translation import gettext as _

from dsar import audit, clock_events, records
from dsar.models import Actor, Message, PrivacyRequest
from dsar.notices import ANSWERS, MessageStatus
from dsar.notifications import undelivered
from dsar.workflow import Conflict, Forbidden, Invalid, lock


def may_note(request: PrivacyRequest) -> bool:
    """Whether it has ended and nothing says that the person has our answer. Of what is purged nothing is noted any more."""
    return request.is_ended and request.answered_on is None and request.case.purged_at is None


def note(pk: int, on: date, text: str, *, actor: Actor) -> None:
    """Note that the person has our answer, since a day in the zone of the desk or of the law; `text` says how, for
    colleagues. Approvers alone: the date of the law rests on it. A mail of the answer that could not be delivered is sent
    no more; a letter that waits for the post goes all the same.

    Raises Forbidden, Conflict (open, or answered), Invalid (no words; a day before the decision, or one that has not come).
    """
    if not actor.is_approver:
        raise Forbidden("answered")
    words = text.strip()[:8000]
    if not words:
        raise Invalid(_("Please say how it reached them."))
    with transaction.atomic():
        request = lock(pk)
        if not may_note(request):
            raise Conflict("answered")
        # Colleagues name a day of the desk's zone, and near midnight that is another than the law's.
        today = clock_events.today(request)
        first = min(clock_events.today(request, request.ended_at), timezone.localdate(request.ended_at))
        if not first <= on <= max(today, timezone.localdate()):
            raise Invalid(_("Please name a day from the day of the decision until today."))
        Message.objects.create(
            case=request.case, request=request, status=MessageStatus.NOTE, author_id=actor.user_id,
            text_sealed=request.case.seal(words, "message"),
        )  # fmt: skip
        records.answer_left(request, min(on, today))
        failed = Message.objects.undelivered().filter(request=request, notice__in=ANSWERS)
        failed.exclude(status=MessageStatus.CLAIMED).update(
            status=MessageStatus.FAILED, reason="decided", token=F("token") + 1
        )
        undelivered.note(pk)
        audit.record(request.case, audit.Entry("answer_noted", actor, pk, details={"on": on.isoformat()}))
