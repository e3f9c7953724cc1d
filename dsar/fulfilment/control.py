"""What an approver does with the work: release it, retry a step, switch sources and everything off."""

from collections import Counter

from django.conf import settings
from django.db import transaction
from django.db.models import F
from django.utils import timezone
from django.utils.translation import gettext as _

from dsar import audit, bell, proposals
from dsar.enums import (
    WITH_OWNERS,
    DecisionKind,
    Lane,
    Outcome,
    OwnerTaskStatus,
    PackageStatus,
    SecondLook,
    State,
    StepKind,
    StepReason,
    StepStatus,
)  # fmt: skip
from dsar.fulfilment import access, finish, package, recourse, risk, spool
from dsar.law import codes
from dsar.models import Actor, House, OwnerTask, Package, PrivacyRequest, Proposal, Redaction, Source, Step
from dsar.models.request_conditions import look_at_copy, look_at_proposal, look_at_release, silence_settled
from dsar.models.step import StepQuerySet
from dsar.notifications import undelivered, undisclosed
from dsar.workflow import Because, Conflict, Forbidden, Inside, Invalid, decide, lock, move

# The steps that somebody may have tried again: where they stand, and the reasons for which nobody can.
WAITING = (StepStatus.BLOCKED, StepStatus.QUEUED)
NOT_TRIED = ("", *WITH_OWNERS)


def release(pk: int, *, actor: Actor) -> PrivacyRequest:
    """Let the workers erase what was confirmed. The steps are queued in the same transaction.

    Raises Forbidden for whoever approved it in review (models/two_people.py), Invalid where a fresh look found what a law has
    us keep (see `recourse`)."""
    recourse.look_again(pk)
    with transaction.atomic():
        request = lock(pk)
        alone = look_at_release(request, actor) == SecondLook.ALONE
        because = Because(DecisionKind.RELEASE, same_person=alone)
        request = move(pk, "release", actor=actor, because=because, inside=Inside(request))
        plan = request.plans.frozen().newest()
        if plan is None:
            raise Conflict("no frozen plan")
        body = plan.body()
        finish.queue_steps(request, body)
        bell.ring(Lane.FULFIL)
    return request


def waiting(request: PrivacyRequest) -> StepQuerySet:
    """The steps of a request that wait for a reason, and can be tried again. Not those that are with a data owner."""
    return request.steps.filter(status__in=WAITING).exclude(reason__in=NOT_TRIED)


def may_retry(request: PrivacyRequest) -> bool:
    """Whether there is anything to try again, letters included. What is disputed waits for two people's finding."""
    if request.disputed_at is not None:
        return False
    stuck = request.undelivered_at is not None or request.attention not in (
        "",
        StepReason.AUTHORITY,
        StepReason.PAPER,
        StepReason.LOST_MAILBOX,
        *WITH_OWNERS,
    )
    return stuck or any(one.status in WAITING and one.reason not in NOT_TRIED for one in request.steps.all())


def retry(pk: int, *, actor: Actor) -> int:
    """Try a request's blocked or waiting steps, and its letters that could not be sent, again now; returns how many."""
    if not actor.is_handler:
        raise Forbidden("retry")
    with transaction.atomic():
        request = lock(pk)
        tried = waiting(request).again()
        finish.looked_at(request)
        proposals.nothing_to_leave(request)
        letters = undelivered.send_again(request)
        audit.record(request.case, audit.Entry("retried", actor, pk, details={"steps": tried, "letters": letters}))
        bell.ring(Lane.CLOSE, Lane.FULFIL, Lane.LOCATE)
    return tried + letters


def done_by_hand(
    pk: int, step_pk: int, *, actor: Actor, found: bool = True, file: bytes = b"", file_name: str = ""
) -> PrivacyRequest:
    """A person did what a worker cannot do, or `found` nothing there; who, when and what had stopped it stays in the
    audit trail. What is to be copied comes with the `file`, which goes into the copy. Where its data owner says that it
    cannot be done, and where a worker failed at what destroys, only an approver ends it. Raises Forbidden, Invalid."""
    if not actor.is_handler:
        raise Forbidden("done_by_hand")
    if len(file) > settings.FILE_BYTES:
        raise Invalid(_("This file is too large. Please send it in parts, or as a smaller one."))
    with transaction.atomic():
        request = lock(pk)
        step = request.steps.filter(pk=step_pk).first()
        if step and step.waits_for_hands and not step.ends_by_hand(actor):
            raise Forbidden("done_by_hand")
        details = {"source": step.source, "kind": step.kind, "reason": step.reason} if step else {}
        entry = audit.Entry("done_by_hand", actor, pk, details=details)
        if step and step.kind == StepKind.EXPORT and found:
            if not file:
                raise Invalid(_("Please attach the copy: it goes into the package. Or say that nothing was found."))
            _spare_the_owner(step_pk)
            now = timezone.now()
            OwnerTask.objects.create(
                step=step, status=OwnerTaskStatus.DONE, due_on=timezone.localdate(), answered_at=now, mailed_at=now,
                file_size=len(file), file_sealed=request.case.seal(file, "owner-file"),
                file_name_sealed=request.case.seal(file_name[-200:], "owner-file-name"),
            )  # fmt: skip
        if not finish.end_by_hand(request, step_pk, entry, found=found):
            raise Invalid(_("This step is not waiting for a person."))
        _spare_the_owner(step_pk)
    return PrivacyRequest.objects.get(pk=pk)


def _spare_the_owner(step_pk: int) -> None:
    OwnerTask.objects.open().filter(step_id=step_pk).update(
        status=OwnerTaskStatus.NOT_NEEDED, answered_at=timezone.now()
    )


def failing(request: PrivacyRequest) -> list[Step]:
    """The sources that a copy in the making can go on without: those that wait for a person."""
    return _blocked(request, StepKind.EXPORT) if request.state == State.FULFILLING else []


def undoable(request: PrivacyRequest) -> list[Step]:
    """The steps that two people can leave undone with a reason: those of a correction, a restriction, a choice or an
    answer that wait for a person. A deletion is narrowed instead, and a copy goes on without."""
    kinds = (StepKind.RECTIFY, StepKind.RESTRICT, StepKind.APPLY, StepKind.LOOK)
    return [] if request.is_ended else _blocked(request, *kinds)


def _blocked(request: PrivacyRequest, *kinds: StepKind) -> list[Step]:
    found = (one for one in request.steps.all() if one.status == StepStatus.BLOCKED and one.kind in kinds)
    return sorted(found, key=lambda one: one.pk)


def may_leave_undone(request: PrivacyRequest) -> bool:
    """Whether leaving a step undone can be proposed now: one proposal stands at a time."""
    return bool(undoable(request)) and proposals.standing(request) is None


def propose_not_done(pk: int, step_pk: int, code: str, text: str, *, actor: Actor) -> Proposal:
    """Propose that one source does not carry it out, by a reason of the law's catalogue and in words that the person would
    read (GDPR Art 12(4)). A handler or an approver; nothing happens before another one confirms it.

    Raises Forbidden, Invalid, Conflict (another proposal stands).
    """
    if not actor.is_handler or actor.user_id is None:
        raise Forbidden("not_done")
    if not text.strip():
        raise Invalid(_("Please write why it is not done: the requester reads it."))
    with transaction.atomic():
        request = lock(pk)
        if proposals.standing(request) is not None:
            raise Conflict("not_done")
        step, found = _of(undoable(request), step_pk), _undone(request, code)
        kind = DecisionKind.NOT_DONE
        return proposals.make(request, kind, found.code, found.citation, text, actor=actor, step=step)


def confirm_not_done(pk: int, *, actor: Actor, seen: int) -> PrivacyRequest:
    """Confirm what somebody else proposed to leave undone; `seen` is the proposal that was read. The person reads why, and
    the request is granted in part; left undone in every source, a correction, a restriction or an objection is denied.

    Approvers alone. Raises Invalid (the step waits no more, or the reason holds no more), Conflict, Forbidden (who proposed
    it; models/two_people.py).
    """
    with transaction.atomic():
        request = lock(pk)
        proposal = proposals.standing(request)
        if proposal is None or proposal.pk != seen or proposal.kind != DecisionKind.NOT_DONE:
            raise Conflict("no such proposal")
        look = look_at_proposal(request, actor)
        if not actor.is_approver or not look.counts:
            raise Forbidden("not_done")
        step, found = _of(undoable(request), proposal.step_id), _undone(request, proposal.code)
        alone = look == SecondLook.ALONE
        proposals.confirm(proposal, actor, timezone.now(), same_person=alone)
        because = Because(
            DecisionKind.NOT_DONE, found.code, found.citation, proposal.text, same_person=alone, proposal=proposal,
            source=step.source,
        )  # fmt: skip
        _leave(request, step, because, actor)
    return PrivacyRequest.objects.get(pk=pk)


def go_on_without(pk: int, step_pk: int, code: str, text: str, *, actor: Actor) -> PrivacyRequest:
    """Put a copy together without a source that keeps failing, by a reason of the law's catalogue. The copy names the source;
    its letter says that the request was granted in part, and why. The second person is who hands the copy over.

    For a blocked step of an export, by a handler. Raises Forbidden, Invalid.
    """
    if not actor.is_handler:
        raise Forbidden("go_on_without")
    if not text.strip():
        raise Invalid(_("Please write why the copy goes on without this source."))
    with transaction.atomic():
        request = lock(pk)
        step, found = _of(failing(request), step_pk), _undone(request, code)
        because = Because(DecisionKind.GO_ON_WITHOUT, found.code, found.citation, text, source=step.source)
        _leave(request, step, because, actor)
    return PrivacyRequest.objects.get(pk=pk)


def _of(known: list[Step], step_pk: int | None) -> Step:
    step = next((one for one in known if one.pk == step_pk), None)
    if step is None:
        raise Invalid(_("This step is not waiting for a person."))
    return step


def _undone(request: PrivacyRequest, code: str) -> codes.Code:
    found = codes.undone(code, request.case.law, request.right)
    if found is None:
        raise Invalid(_("This reason is not valid for this right under this law. Please choose one from the list."))
    return found


def _leave(request: PrivacyRequest, step: Step, because: Because, actor: Actor) -> None:
    """The step ends as failed, with the decision behind it. The caller's transaction."""
    tallies = [*step.tallies, {"category": "", "table": "", "failed": 1}]
    request.steps.filter(pk=step.pk, status=StepStatus.BLOCKED).update(
        status=StepStatus.DONE, tallies=tallies, finished_at=timezone.now(), lease_until=None
    )
    _spare_the_owner(step.pk)
    decide(request, actor, because)
    about = {"source": step.source, "kind": step.kind, "reason": step.reason, "code": because.code}
    details = {**about, "same_person": True} if because.same_person else about
    what = "went_on_without" if because.kind == DecisionKind.GO_ON_WITHOUT else "not_done"
    audit.record(request.case, audit.Entry(what, actor, request.pk, details=details))
    finish.clear_attention(request)
    plan = request.plans.frozen().newest()
    finish.settle_if_done(Inside(request), plan.body() if plan else {})


def hand_over(pk: int, *, actor: Actor) -> PrivacyRequest:
    """Offer the copy that was looked through to the person, for PACKAGE_DAYS (GDPR Art 12(3), 15(3)). An approver.

    Granted in part where anything was redacted or a source is missing; denied where nothing is left of it, and then nothing is
    offered. Raises Conflict, Forbidden, and Invalid while the
    package is being made or older than what was decided about it, where no person has opened it, where another person
    has to (request_conditions.copy_needs_second_person), or where a fresh look found what nobody has weighed yet.
    """
    if not actor.is_approver:
        raise Forbidden("hand_over")
    risk.look_again(pk)
    now = timezone.now()
    with transaction.atomic():
        request = lock(pk)
        copy = package.whole(request)
        if request.state == State.CHECKING and copy is None:
            raise Invalid(_("The copy is being put together again. Please wait until it is ready, and look at it."))
        if request.state == State.CHECKING and not access.was_opened(request):
            raise Invalid(_("Nobody has looked through this copy yet. Please open it first, and look."))
        look = look_at_copy(request, actor)
        if not look.counts:
            theirs = _(
                "You showed who this person is, approved the copy, or were the last to leave something out of it. Another"
                " approver has to look at it and hand it over."
            )
            raise Invalid(theirs if look == SecondLook.SOMEBODY_ELSE else str(look.label))
        if request.state == State.CHECKING and not silence_settled(request):
            raise Invalid(_("Whether something may be told waits for its second person. Nothing leaves before that."))
        partly = Redaction.objects.filter(request=request).exists() or any(
            tally.get("failed") for step in request.steps.all() for tally in step.tallies
        )
        denied = request.state == State.CHECKING and access.nothing_left(request)
        outcome = Outcome.DENIED if denied else Outcome.GRANTED_IN_PART if partly else Outcome.GRANTED
        found = _reason(request) if denied else None
        because = Because(
            DecisionKind.HAND_OVER, found.code if found else "", found.citation if found else "",
            same_person=look == SecondLook.ALONE,
        )  # fmt: skip
        moved = move(pk, "hand_over", actor=actor, because=because, inside=Inside(request), outcome=outcome)
        if copy is None:
            raise Conflict("no package")
        if denied:
            Package.objects.filter(request_id=pk).retire()
        else:
            Package.objects.filter(pk=copy.pk).update(
                status=PackageStatus.OFFERED, offered_at=now, expires_at=now + settings.PACKAGE_PERIOD
            )
        spool.clear(pk)
    if denied:
        package.remove_files(pk)
    return moved


def _reason(request: PrivacyRequest) -> codes.Code | None:
    """The reason for which most of a copy was left out, or could not be copied; the letter names each of them."""
    counted = Counter(one.code for one in undisclosed.redactions(request))
    if counted:
        return codes.redaction(counted.most_common(1)[0][0], request.case.law)
    skipped = request.decisions.filter(kind=DecisionKind.GO_ON_WITHOUT).order_by("pk").last()
    return codes.undone(skipped.code, request.case.law, request.right) if skipped else None


def send_back(pk: int, text: str, *, actor: Actor) -> PrivacyRequest:
    """Something is missing or wrong in the copy: it is thrown away, and every source is asked anew. A handler.

    What was redacted stays redacted. Raises Conflict, Forbidden, Invalid (no reason written).
    """
    if not text.strip():
        raise Invalid(_("Please write what is missing or wrong."))
    with transaction.atomic():
        because = Because(DecisionKind.SEND_BACK, text=text)
        moved = move(pk, "send_back", actor=actor, because=because)
        spool.clear(pk)
        Package.objects.filter(request_id=pk).retire()
        # Nobody packs before the sources have been copied again: the last of them queues it.
        moved.steps.filter(kind=StepKind.PACK).update(
            status=StepStatus.DONE, reason="", token=F("token") + 1, lease_until=None, finished_at=None
        )
    package.remove_files(pk)
    return moved


def _may_switch(actor: Actor) -> None:
    if not (actor.is_approver or actor.is_admin):
        raise Forbidden("switch")


def kill_switch(on: bool, *, actor: Actor) -> None:
    """Stop (or resume) all erasing, before the next chunk of every step. Admins and approvers."""
    _may_switch(actor)
    with transaction.atomic():
        audit.record_house(audit.Entry("kill_switch_on" if on else "kill_switch_off", actor))
        House.objects.filter(pk=1).update(kill_switch=on)
        if not on:
            Step.objects.filter(reason=StepReason.KILL_SWITCH, status=StepStatus.QUEUED).again()
            _clear(StepReason.KILL_SWITCH)
            bell.ring(Lane.FULFIL)


def switch_source(key: str, on: bool, *, actor: Actor) -> None:
    """Switch one source off (its steps wait, by name) or on again. Admins and approvers."""
    _may_switch(actor)
    with transaction.atomic():
        Source.objects.update_or_create(key=key, defaults={"enabled": on})
        audit.record_house(audit.Entry("source_on" if on else "source_off", actor, details={"source": key}))
        if on:
            Step.objects.filter(source=key, reason=StepReason.SOURCE_OFF, status=StepStatus.QUEUED).again()
            _clear(StepReason.SOURCE_OFF)
            bell.ring(Lane.FULFIL)


def _clear(reason: StepReason) -> None:
    """Each of those that waited for this reason names the next one that it has: another source, an owner."""
    for request in PrivacyRequest.objects.filter(attention=reason).iterator():
        finish.clear_attention(request)
