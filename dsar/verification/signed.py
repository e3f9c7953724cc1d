"""A deletion confirmed on paper, for whoever has no mailbox: the person's own signature (law 3), filed by one colleague
and agreed to by another, an approver. Neither of them can do both, and nothing else leads past the signature."""

from datetime import date

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from dsar import audit
from dsar.enums import CheckStatus, Right, State
from dsar.models import Actor, Intake, Plan, PrivacyRequest, SignedConfirmation
from dsar.models.request_conditions import no_copy_awaited
from dsar.verification import confirmation
from dsar.workflow import Conflict, Forbidden, Invalid, lock

# How many letters of a plan's digest the printed page shows (notifications/letters.py, PLAN_MARK).
MARK = 12


def may_file(request: PrivacyRequest) -> bool:
    """Whether a signature on paper is what this deletion waits for, and none waits for its second person."""
    return (
        request.right == Right.DELETION
        and request.state == State.CONFIRMING
        and request.case.by_post
        and no_copy_awaited(request)
        and waiting(request) is None
    )


def waiting(request: PrivacyRequest) -> SignedConfirmation | None:
    """The signature that waits for its second person."""
    if not request.case.by_post:
        return None
    return next((one for one in request.signed.all() if one.status == CheckStatus.PENDING), None)


def plan_of(request: PrivacyRequest, mark: str) -> Plan:
    """The plan that the signed page names. Raises Invalid for a mark of no plan, or of one that no longer stands."""
    typed = "".join(mark.lower().split()).strip("()")
    if len(typed) < MARK:
        raise Invalid(_("Please copy the whole mark in brackets from the signed page."))
    current = confirmation.current_plan(request)
    if not request.plans.filter(digest__startswith=typed).exists():
        raise Invalid(_("No plan of this request has this mark. Please copy it once more from the signed page."))
    if current is None or not current.digest.startswith(typed):
        raise Invalid(
            _("What would be deleted has changed since that page was printed. Please write to the person again.")
        )
    return current


def file(pk: int, intake: Intake, mark: str, came_on: date, *, actor: Actor) -> SignedConfirmation:
    """Note that the signed page came back; nothing is confirmed yet. Raises Invalid, Conflict, Forbidden."""
    if not actor.is_handler or actor.user_id is None:
        raise Forbidden("signed")
    with transaction.atomic():
        request = lock(pk)
        if not may_file(request):
            raise Conflict("signed")
        made = SignedConfirmation.objects.create(
            request=request, plan=plan_of(request, mark), intake=intake, came_on=came_on, filed_by_id=actor.user_id
        )
        audit.record(request.case, audit.Entry("signature_filed", actor, pk, details={"came_on": came_on.isoformat()}))
    return made


def decide(pk: int, agrees: bool, *, actor: Actor) -> PrivacyRequest:
    """The second person, an approver, has looked at the signature: agreed, the deletion is confirmed in this transaction.

    Raises Invalid (the same person; the plan has changed since), Conflict, Forbidden, OSError (see confirmation.confirm).
    """
    if not actor.is_approver:
        raise Forbidden("signed")
    with transaction.atomic():
        request = lock(pk)
        held = waiting(request)
        if held is None or request.state != State.CONFIRMING:
            raise Conflict("signed")
        if held.filed_by_id == actor.user_id:
            raise Invalid(_("You filed it yourself. Please ask another approver to look at the signature."))
        held.status = CheckStatus.PASSED if agrees else CheckStatus.FAILED
        held.decided_by_id, held.decided_at = actor.user_id, timezone.now()
        held.save(update_fields=["status", "decided_by", "decided_at"])
        audit.record(request.case, audit.Entry("signature_agreed" if agrees else "signature_refused", actor, pk))
        if not agrees:
            return request
        try:
            return confirmation.confirm(pk, held.plan.digest)
        except confirmation.PlanChanged:
            raise Invalid(
                _("What would be deleted has changed since that page was printed. Please write to the person again.")
            ) from None
        except confirmation.SecondFactorNeeded:
            raise Invalid(
                _("The account has a second factor, and the person was not shown surely enough to do without it.")
            ) from None
