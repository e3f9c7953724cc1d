"""What the tests of released deletions share: their work, their plans, what is left of a person."""

from datetime import timedelta
from typing import Any

from django.utils import timezone

from dsar.enums import State, StepKind
from dsar.fulfilment import plan as plans
from dsar.models import PrivacyRequest, Step
from dsar.verification import confirmation
from tests import house
from tests.drive import CAST

CLAIMS = "EU_LEGAL_CLAIMS"
FULFIL: tuple[Any, Any] = ([StepKind.SETTLE, StepKind.ERASE], [State.FULFILLING])


def soon() -> Any:
    return timezone.localdate() + timedelta(days=30)


def left_of(address: str = CAST.plain) -> dict[str, int]:
    """How many rows of a person each table of the company holds."""
    identity = house.user_id(address)
    return {name: len(rows) for name, rows in house.everything_of(identity).items()} if identity else {}


def erase_steps(request: PrivacyRequest, **only: object) -> list[Step]:
    return list(Step.objects.filter(request=request, kind=StepKind.ERASE, **only).order_by("pk"))


def reasons(request: PrivacyRequest) -> set[tuple[str, str]]:
    return set(erase_step_states(request).values())


def erase_step_states(request: PrivacyRequest) -> dict[str, tuple[str, str]]:
    return {step.source: (step.status, step.reason) for step in erase_steps(request)}


def body_of(request: PrivacyRequest) -> dict[str, Any]:
    plan = confirmation.current_plan(request)
    assert plan is not None
    return plan.body()


def erasing(body: dict[str, Any]) -> set[tuple[str, str]]:
    return {(item["source"], item["category"]) for item in body["items"] if item["action"] in plans.ERASING}
