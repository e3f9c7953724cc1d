"""What came in and could not become a case by itself: a person makes it one, puts it aside, or has it read again."""

from django.db import transaction

from dsar import audit, bell
from dsar.enums import IntakeStatus, Lane
from dsar.intake import email
from dsar.models import Actor, Case, Intake
from dsar.workflow import Conflict, Forbidden

OPEN = (IntakeStatus.QUARANTINED, IntakeStatus.NOTED)


def adopt(pk: int, address: str, *, actor: Actor) -> Case:
    """Make it a case to be sorted, under an address that a person read in it. The address is proven as any other.

    Raises Intake.DoesNotExist, Conflict where somebody was faster, Forbidden.
    """
    with transaction.atomic():
        intake = _held(pk, actor)
        case = email.adopt(intake, address, actor.user_id or 0)
        _note("intake_adopted", intake, actor)
    return case


def dismiss(pk: int, *, actor: Actor) -> None:
    """Put it aside: looked at, and nothing to answer. The bytes stay for their period. Raises as `adopt`."""
    with transaction.atomic():
        intake = _held(pk, actor)
        intake.status, intake.handled_by_id = IntakeStatus.DISMISSED, actor.user_id
        intake.save(update_fields=["status", "handled_by"])
        _note("intake_dismissed", intake, actor)


def read_again(pk: int, *, actor: Actor) -> None:
    """Give it to the workers once more, say after an update. Raises as `adopt`."""
    with transaction.atomic():
        intake = _held(pk, actor)
        intake.status, intake.reason, intake.attempts = IntakeStatus.STORED, "", 0
        intake.save(update_fields=["status", "reason", "attempts"])
        _note("intake_again", intake, actor)
        bell.ring(Lane.INTAKE)


def _held(pk: int, actor: Actor) -> Intake:
    if not actor.is_handler:
        raise Forbidden("intake")
    intake = Intake.objects.select_for_update().get(pk=pk)
    if intake.status not in OPEN or intake.case_id:
        raise Conflict("intake")
    return intake


def _note(what: str, intake: Intake, actor: Actor) -> None:
    audit.record_house(audit.Entry(what, actor, details={"intake": intake.pk}))
