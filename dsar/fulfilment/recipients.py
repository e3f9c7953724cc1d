"""Telling recipients of a deletion, a correction, a restriction or an opt-out (GDPR Art 19; 11 CCR 7022(b)(2)-(3))."""

from django.db import transaction
from django.db.models import F
from django.utils import timezone
from django.utils.translation import gettext as _

from dsar import audit
from dsar.connectors.base import NotSupported, Outcome
from dsar.datamap import loader
from dsar.enums import RecipientStatus, StepKind, StepStatus
from dsar.fulfilment import finish, held_step
from dsar.fulfilment.passing_on import TO
from dsar.models import Actor, Message, PrivacyRequest, RecipientNotice
from dsar.models.once import once
from dsar.notices import MessageStatus, Notice
from dsar.notifications import outbox, undelivered
from dsar.workflow import Forbidden, Invalid, lock


def tell(held: held_step.Held) -> None:
    """Queue the mail to a recipient and end the step. Raises NotSupported where the data map has no address: then it is
    a person's task. The notice says "told" only once the mail has gone (outbox)."""
    key = held.step.source.removeprefix(TO)
    recipient = loader.current().recipients.get(key)
    if recipient is None or not recipient.contact:
        raise NotSupported("The data map names no address for this recipient.")
    with transaction.atomic():
        lock(held.request.pk)
        notice = RecipientNotice.objects.get(request=held.request, recipient=key)
        if notice.message_id is None and notice.status == RecipientStatus.QUEUED:
            # Killed between here and the end of the step: the message is there, and is not queued again.
            notice.message = outbox.queue_for_case(
                held.request.case, Notice.TELL_RECIPIENT, request=held.request, to=recipient.contact
            )
            notice.save(update_fields=["message"])
    held_step.record(held, Outcome())


def decide(pk: int, recipient: str, status: str, text: str, *, actor: Actor) -> None:
    """A person has told a recipient, or explains why that is impossible or disproportionate; the requester reads it.

    Raises Invalid, Forbidden.
    """
    if not actor.is_handler:
        raise Forbidden("recipient")
    if status not in (RecipientStatus.TOLD, RecipientStatus.IMPOSSIBLE, RecipientStatus.DISPROPORTIONATE):
        raise Invalid(_("Please choose what became of it."))
    if status != RecipientStatus.TOLD and not text.strip():
        raise Invalid(_("Please write the reason: the requester reads it."))
    with transaction.atomic():
        request = lock(pk)
        notice = next((one for one in open_notices(request) if one.recipient == recipient), None)
        if notice is None:
            raise Invalid(_("This recipient is not waiting for a person."))
        RecipientNotice.objects.filter(pk=notice.pk).update(
            status=status, at=timezone.now(), text_sealed=request.case.seal(text.strip()[:8000], "recipient"),
            decided_by_id=actor.user_id,
        )  # fmt: skip
        # What a person has settled, no mail says otherwise later.
        Message.objects.filter(tells=notice).update(status=MessageStatus.FAILED, reason="decided", token=F("token") + 1)
        undelivered.note(pk)
        request.steps.filter(source=TO + recipient, kind=StepKind.NOTIFY, status=StepStatus.BLOCKED).update(
            status=StepStatus.DONE, reason="", finished_at=timezone.now()
        )
        audit.record(
            request.case, audit.Entry("recipient_decided", actor, pk, details={"recipient": recipient, "code": status})
        )
        finish.clear_attention(request)


def open_notices(request: PrivacyRequest) -> list[RecipientNotice]:
    """Recipients of a request that wait for a person: no address, or a mail that could not be sent."""
    queued = [one for one in request.recipients.all() if one.status == RecipientStatus.QUEUED]
    if not queued:
        return []
    blocked = (one for one in request.steps.all() if one.kind == StepKind.NOTIFY and one.status == StepStatus.BLOCKED)
    keys = {one.source.removeprefix(TO) for one in blocked}
    mails = Message.objects.undelivered().filter(tells__in=queued)
    failed = once(request, "untold", lambda: set(mails.values_list("pk", flat=True)))
    waiting = [one for one in queued if one.recipient in keys or one.message_id in failed]
    return sorted(waiting, key=lambda one: one.pk)
