"""Legal holds: placed and lifted by approvers, on a basis in law."""

from datetime import date

from django.db import transaction
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext as _

from dsar import audit, bell, keys
from dsar.enums import HoldStatus, Lane, StepKind, StepReason, StepStatus
from dsar.law import codes, regimes
from dsar.models import Actor, Case, Kept, LegalHold, Step
from dsar.models.apart import keep_apart_from_person
from dsar.workflow import Forbidden, Invalid


def place(
    email: str, code: str, review_on: date, *, actor: Actor, sources: tuple[str, ...] = (), weighed: str = ""
) -> LegalHold:
    """Place a hold on a person's data. It is `placing` until no live lease touches its scope. A basis that holds only once
    it was weighed, in a law that the person's open requests are judged by, needs `weighed`: what against what.

    Raises Invalid where the address is no address, the review date is past, or the basis is unknown, a mere label, or not
    valid in the law of each open request of this person (law 6).
    """
    if not actor.is_approver:
        raise Forbidden("place_hold")
    index = keys.email_index(email)
    if not index:
        raise Invalid(_("Please enter the e-mail address of the person whose data must be kept."))
    keep_apart_from_person(index, actor)
    open_cases = Case.objects.filter(email_index=index, requests__ended_at__isnull=True)
    laws = set(open_cases.values_list("regime", flat=True))
    if codes.is_label(code) or not any(codes.valid(code, regime) for regime in laws or regimes.all_ids()):
        raise Invalid(_("A hold needs a basis in law. Please choose one from the list."))
    if not all(codes.valid(code, regime) for regime in laws):
        raise Invalid(_("The law of an open request of this person does not know this basis. Please choose another."))
    judged_by = [found for regime in laws or regimes.all_ids() if (found := codes.valid(code, regime))]
    if any(found.weigh for found in judged_by) and not weighed.strip():
        raise Invalid(_("This ground holds only once it was weighed. Please write what you weighed against what."))
    if review_on <= timezone.localdate():
        raise Invalid(_("Please choose a review date in the future."))
    with transaction.atomic():
        hold = LegalHold.objects.create(
            email_index=index, code=code, review_on=review_on, sources=list(sources), placed_by_id=actor.user_id
        )
        if weighed.strip():
            hold.note_sealed = keys.seal(keys.derived("hold"), weighed.strip()[:8000], f"{hold.pk}:note")
            hold.save(update_fields=["note_sealed"])
        audit.record_house(audit.Entry("hold_placed", actor, details={"hold": hold.pk, "code": code}))
    settle_placing()
    hold.refresh_from_db()
    return hold


def weighing_of(hold: LegalHold) -> str:
    """What was weighed for a hold; empty where nothing had to be."""
    return (
        keys.unseal(keys.derived("hold"), bytes(hold.note_sealed), f"{hold.pk}:note").decode()
        if hold.note_sealed
        else ""
    )


def settle_placing() -> int:
    """Holds become active once no live lease touches their scope; returns how many did."""
    settled = 0
    for hold in LegalHold.objects.filter(status=HoldStatus.PLACING):
        with transaction.atomic():
            if not _at_work(hold):
                placing = LegalHold.objects.filter(pk=hold.pk, status=HoldStatus.PLACING)
                settled += placing.update(status=HoldStatus.ACTIVE)
    return settled


def _at_work(hold: LegalHold) -> bool:
    """Whether a worker may be erasing in the hold's scope. A row that somebody has locked is being renewed right now;
    what is renewed after this has seen the hold."""
    leased = Step.objects.filter(_of(hold), status=StepStatus.LEASED)
    if hold.sources:
        leased = leased.filter(source__in=hold.sources)
    number = leased.count()
    free = list(leased.select_for_update(skip_locked=True, of=("self",)).values_list("lease_until", flat=True))
    now = timezone.now()
    return len(free) < number or any(until is not None and until >= now for until in free)


def _of(hold: LegalHold) -> Q:
    """The steps on this person's data, after the purge of the case too."""
    kept = Kept.objects.filter(email_index=hold.email_index).values("request_id")
    return Q(request__case__email_index=hold.email_index) | Q(kind=StepKind.LATER, request_id__in=kept)


def lift(pk: int, *, actor: Actor) -> LegalHold:
    """Lift a hold; what waited for it goes on by itself, with its clock as it was."""
    if not actor.is_approver:
        raise Forbidden("lift_hold")
    with transaction.atomic():
        hold = LegalHold.objects.select_for_update().get(pk=pk)
        keep_apart_from_person(hold.email_index, actor)
        if hold.status == HoldStatus.LIFTED:
            return hold
        hold.status, hold.lifted_at, hold.lifted_by_id = HoldStatus.LIFTED, timezone.now(), actor.user_id
        hold.save()
        audit.record_house(audit.Entry("hold_lifted", actor, details={"hold": hold.pk}))
        again = Q(status=StepStatus.BLOCKED, reason=StepReason.HOLD)
        # What an ended deletion kept for this hold goes now, too (law 6).
        again |= Q(status=StepStatus.QUEUED, kind=StepKind.LATER)
        Step.objects.filter(_of(hold), again).again()
        bell.ring(Lane.FULFIL)
    return hold
