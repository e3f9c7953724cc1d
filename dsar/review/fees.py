"""Fees: asked for by an approver where the law of the request allows it, noted as paid or waived, and never a silent end.

Nothing is ever charged for an opt-out, nor for making sure who asks (11 CCR 7060(e)).
"""

from datetime import datetime, time, timedelta
from decimal import Decimal

from django.conf import settings
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from dsar import audit, clock_events
from dsar.enums import ClockEventKind, DecisionKind, FeeStatus, State
from dsar.law import codes, money
from dsar.law.shapes import Regime
from dsar.models import SYSTEM, Actor, Fee, PrivacyRequest
from dsar.models.privacy_request import UNPAID
from dsar.models.request_conditions import fee_is_open, may_be_charged
from dsar.notices import Notice
from dsar.notifications import outbox
from dsar.review import repeats
from dsar.workflow import Because, Conflict, Forbidden, Inside, Invalid, decide, each, in_trouble, lock, move

BATCH = 200


def occasions(request: PrivacyRequest) -> list[codes.Code]:
    """For what this request may cost something under its law, as far as its history bears it out; empty for none."""
    if not may_be_charged(request) or any(fee.is_open for fee in request.fees.all()):
        return []
    regime = _law(request)
    return [code for code in codes.charges(regime, request.right) if _borne_out(request, code)]


def _law(request: PrivacyRequest) -> Regime:
    return request.case.law


def _borne_out(request: PrivacyRequest, code: codes.Code) -> bool:
    if code.counted:
        return repeats.count(request).is_over
    if code.code == codes.FURTHER_COPIES:
        return repeats.had_copies(request)
    return True


def charge(
    pk: int, code: str, amount: Decimal, currency: str, text: str, how: str, *, actor: Actor, facts: str = ""
) -> PrivacyRequest:
    """Ask for a fee: `amount` in whole units of `currency`; `text` says why and how it was reckoned, `how` by which way it
    can be paid, and the person reads both. `facts`: what the company has to show for some reasons (repeats.show).

    Where the law says so, the clock stops. Raises Invalid (not allowed here, above the cap, nothing to show), Conflict,
    Forbidden.
    """
    if not text.strip() or not how.strip():
        raise Invalid(_("Please write why it costs something, how you reckoned it, and how it can be paid."))
    minor = money.minor(amount, currency)
    if minor is None or minor <= 0:
        raise Invalid(_("Please give an amount above nothing, and a currency of three letters."))
    with transaction.atomic():
        request = lock(pk)
        found = next((one for one in occasions(request) if one.code == code), None)
        if found is None:
            raise Invalid(_("The law of this request does not let it cost something for this reason."))
        fees = _law(request).fees
        if fees.cap and (currency != fees.currency or amount > fees.cap):
            raise Invalid(
                _("This law allows at most %(cap)s %(currency)s.") % {"cap": fees.cap, "currency": fees.currency}
            )
        repeats.show(request, found, facts, actor)
        answer_by = _until(request)
        because = Because(DecisionKind.FEE_ASKED, found.code, found.citation, f"{text.strip()}\n\n{how.strip()}")
        moved = move(pk, "charge_fee", actor=actor, because=because, inside=Inside(request), answer_by=answer_by)
        decision = moved.decisions.filter(kind=DecisionKind.FEE_ASKED).latest("pk")
        Fee.objects.create(
            request=moved, decision=decision, amount=minor, currency=currency, code=found.code,
            citation=found.citation, answer_by=answer_by,
        )  # fmt: skip
        clock_events.note(moved, ClockEventKind.FEE_REQUESTED, actor=actor, decision=decision)
    return moved


def settle(pk: int, *, paid: bool, text: str = "", actor: Actor) -> PrivacyRequest:
    """Note that the person has paid or accepted the fee (a handler), or that it is waived (an approver): the request goes
    on, and the person is told. A waiver gives the company no time: the dates are what they were without the fee. `text` is
    for them, and may be empty. Raises Conflict where none is open, Forbidden."""
    if not (actor.is_handler if paid else actor.is_approver):
        raise Forbidden("settle_fee")
    with transaction.atomic():
        request = lock(pk)
        fee = request.fees.open().first()
        if fee is None or request.is_ended:
            raise Conflict("settle_fee")
        kind = DecisionKind.FEE_PAID if paid else DecisionKind.FEE_WAIVED
        decision = decide(request, actor, Because(kind, fee.code, fee.citation, text))
        _back(request, "settle_fee", audit.Entry("fee_settled", actor, pk, details={"code": fee.code}))
        _end(fee, FeeStatus.PAID if paid else FeeStatus.WAIVED, actor)
        came = ClockEventKind.FEE_PAID if paid else ClockEventKind.FEE_WAIVED
        clock_events.note(request, came, actor=actor, decision=decision)
        outbox.queue(request, Notice.FEE_SETTLED, decision=decision)
    return request


def _until(request: PrivacyRequest) -> datetime:
    """Until when the person can pay: the law's own time for thinking, or the house's. Where the clock goes on meanwhile,
    no later than our target: what comes back unpaid must still be answered in time (law 14). A day at least."""
    law, now = _law(request), timezone.now()
    until = now + (timedelta(days=law.fees.reflection_days) if law.fees.reflection_days else settings.FEE_WITHIN)
    if law.pause("fee", request.right) is None and request.target_on is not None:
        until = min(until, timezone.make_aware(datetime.combine(request.target_on, time.min)))
    return max(until, now + timedelta(days=1))


def _back(request: PrivacyRequest, verb: str, entry: audit.Entry) -> None:
    """To where it was asked, where the person still has the fee before them, and not a later question."""
    if request.state == State.CLARIFYING and fee_is_open(request):
        move(request.pk, verb, actor=entry.actor, inside=Inside(request, [entry]))
    else:
        audit.record(request.case, entry)


def _end(fee: Fee, status: FeeStatus, actor: Actor) -> None:
    fee.status, fee.settled_at, fee.settled_by_id = status, timezone.now(), actor.user_id
    fee.save(update_fields=["status", "settled_at", "settled_by"])


def sweep(moment: datetime) -> int:
    """Bring what was not paid in time back to a person, and call off what a request that has ended would have cost."""
    over = Fee.objects.open().filter(request__ended_at__isnull=False)
    done = over.update(status=FeeStatus.CALLED_OFF, settled_at=moment)
    due = Fee.objects.open().filter(answer_by__lte=moment).order_by("pk")
    found = list(due.values_list("request_id", flat=True)[:BATCH])
    return done + each(found, _unpaid, "an unpaid fee could not be brought back", failed=in_trouble)


def _unpaid(pk: int) -> bool:
    """Nothing lapses in silence (law 15): a person decides what is done without the fee, and the clock runs again."""
    with transaction.atomic():
        request = lock(pk)
        fee = request.fees.open().filter(answer_by__lte=timezone.now()).first()
        if fee is None or request.is_ended:
            return False
        _back(request, "unpaid", audit.Entry(UNPAID, SYSTEM, pk, details={"code": fee.code}))
        _end(fee, FeeStatus.UNPAID, SYSTEM)
        clock_events.note(request, ClockEventKind.FEE_LAPSED)
        # Of one who answered that they will not pay, too.
        PrivacyRequest.objects.filter(pk=pk).update(judgement=sorted({*request.judgement, UNPAID}))
    return True
