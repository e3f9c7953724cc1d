"""What a proven person adds to a case: an answer to a question, a copy before the deletion or not waiting for it, and a
restriction while a correction is looked at."""

from django.db import transaction
from django.utils import timezone

from dsar import audit, proposals
from dsar.enums import Right, State
from dsar.intake import submit
from dsar.law import codes
from dsar.models import REQUESTER, Actor, Message, PrivacyRequest
from dsar.notices import MessageStatus
from dsar.workflow import Conflict, lock, move


def answer(pk: int, text: str, *, actor: Actor = REQUESTER) -> PrivacyRequest:
    """Store what the person wrote (or a handler wrote down of a letter or a call) and bring the request back to where it
    was asked. Raises Conflict where no question is open, Forbidden; then nothing is stored."""
    with transaction.atomic():
        request = lock(pk)
        if request.state != State.CLARIFYING:
            raise Conflict("answer")
        Message.objects.create(
            case=request.case, request=request, status=MessageStatus.RECEIVED,
            text_sealed=request.case.seal(text, "message"),
        )  # fmt: skip
        # An answer is read before anything else of the case is refused, too.
        proposals.facts_changed(request.case)
        return move(pk, "answer", actor=actor)


def restrict_meanwhile(pk: int) -> PrivacyRequest:
    """File a restriction beside a correction that is being looked at (GDPR Art 18(1)(a)), once. Raises Conflict."""
    with transaction.atomic():
        request = lock(pk)
        if not may_restrict_meanwhile(request):
            raise Conflict("restrict_meanwhile")
        proposals.heard(request.case, audit.Entry("restriction_asked", REQUESTER, request.pk))
        return submit.add_request(request.case, Right.RESTRICTION, "")


def may_restrict_meanwhile(request: PrivacyRequest) -> bool:
    """Whether the law of the case knows it, and nobody has asked for it yet."""
    if request.right != Right.CORRECTION or request.is_ended or not request.case.is_proven:
        return False
    if codes.refusal("NOT_PROMISED_BY_LAW", request.case.law, Right.RESTRICTION):
        return False
    return not request.case.requests.filter(right=Right.RESTRICTION).exists()


def copy_of(request: PrivacyRequest) -> PrivacyRequest | None:
    """The open request for a copy in the same case, if there is one."""
    return request.case.requests.open().filter(right=Right.ACCESS).order_by("pk").first()


def copy_first(pk: int) -> PrivacyRequest:
    """File a request for a copy (GDPR Art 15(3); Cal. Civ. Code 1798.110) beside an unconfirmed deletion, once.

    Asked again, it returns the open one. Raises Conflict after the confirmation.
    """
    with transaction.atomic():
        request = lock(pk)
        if request.right != Right.DELETION or request.is_bound or request.is_ended:
            raise Conflict("copy_first")
        copy = copy_of(request)
        if copy is None:
            proposals.heard(request.case, audit.Entry("copy_asked", REQUESTER, request.pk))
            copy = submit.add_request(request.case, Right.ACCESS, "")
        PrivacyRequest.objects.filter(pk=pk).update(after=copy, waived_copy_at=None)
        return copy


def do_not_wait(pk: int) -> None:
    """Let a deletion be confirmed before the copy that was asked for first is ready; the copy is made all the same.

    Raises Conflict where nothing waits."""
    with transaction.atomic():
        request = lock(pk)
        if request.state != State.CONFIRMING or request.after is None or request.waived_copy_at is not None:
            raise Conflict("do_not_wait")
        audit.record(request.case, audit.Entry("copy_not_awaited", REQUESTER, request.pk))
        PrivacyRequest.objects.filter(pk=pk).update(waived_copy_at=timezone.now())
