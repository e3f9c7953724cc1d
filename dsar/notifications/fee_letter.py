"""What letters and pages say of a fee: how much, until when, and whether the time stands still meanwhile."""

from typing import Any

from django.utils import timezone

from dsar.enums import FeeStatus
from dsar.law import money
from dsar.models import Fee, Message, PrivacyRequest
from dsar.notices import Notice


def view(fee: Fee, request: PrivacyRequest) -> dict[str, Any]:
    """`amount` and `currency`, `until` (date), `stops` (whether the law lets the time stand still until it is paid)."""
    regime = request.case.law
    return {
        "amount": money.shown(fee.amount, fee.currency), "currency": fee.currency,
        "until": timezone.localdate(fee.answer_by), "stops": regime.pause("fee", request.right) is not None,
        "paid": fee.status == FeeStatus.PAID,
    }  # fmt: skip


def sum_of(request: PrivacyRequest) -> str:
    """Currency and amount of the newest fee of a request, as shown; "" where it never had one."""
    fee = max(request.fees.all(), key=lambda one: one.pk, default=None)
    return f"{fee.currency} {money.shown(fee.amount, fee.currency)}" if fee else ""


def context(message: Message) -> dict[str, Any]:
    """For the letters about a fee; empty for every other."""
    request = message.request
    if request is None or message.notice not in (Notice.FEE, Notice.FEE_SETTLED):
        return {}
    asked = request.fees.filter(decision=message.decision) if message.notice == Notice.FEE else request.fees.all()
    fee = asked.order_by("-pk").first()
    return {"fee": view(fee, request)} if fee else {}
