"""Narrowing the plan of a confirmed deletion: proposed by one approver, confirmed by another (law 3, four eyes).

While it waits for its second person no worker erases: nothing may be gone that should have been kept.
"""

from dataclasses import dataclass
from datetime import date, timedelta

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from dsar import audit, bell, proposals, retention
from dsar.enums import DecisionKind, Lane, Right, SecondLook, State, StepReason, StepStatus
from dsar.fulfilment import finish, locating, remains, weighing
from dsar.fulfilment import plan as plans
from dsar.law import codes
from dsar.models import Actor, PrivacyRequest, Proposal
from dsar.models.request_conditions import look_at_proposal
from dsar.notices import Notice
from dsar.notifications import outbox
from dsar.workflow import Because, Conflict, Forbidden, Invalid, decide, lock, move


@dataclass(frozen=True)
class Narrowing:
    """A frozen plan as it would be with more kept: `made`, by the ground `found`, looked at again on `review_on`."""

    made: plans.Body
    found: codes.Code
    review_on: date


def propose(
    pk: int,
    keep: set[tuple[str, str]],
    code: str,
    text: str,
    *,
    actor: Actor,
    weighed: str = "",
    review_on: date | None = None,
    forbidden_by: str = "",
    forbidden_until: date | None = None,
) -> Proposal:
    """Propose to keep some (source, category) pairs after all, for a lawful reason that is new (law 3). Looked at again on
    `review_on`, within a year; after 180 days without one. Nothing is erased while it waits for its second person.

    A ground that holds only once it was weighed needs `weighed`: what against what, for the record and not for the
    person. `forbidden_by`: the law that forbids to tell of it, looked at again on `forbidden_until`; then no letter says
    anything. Raises Forbidden, Invalid, Conflict (another proposal stands).
    """
    if not actor.is_approver:
        raise Forbidden("narrow")
    if not text.strip():
        raise Invalid(_("Please write the reason: the requester reads it."))
    problem = proposals.forbidden_problem(forbidden_by, forbidden_until) if forbidden_by.strip() else ""
    if problem:
        raise Invalid(problem)
    review_on = review_on or timezone.localdate() + timedelta(days=180)
    with transaction.atomic():
        request = lock(pk)
        if not may_propose(request):
            raise Conflict("narrow")
        found = _narrowed(request, keep, code, weighed, review_on).found
        pairs = [list(pair) for pair in sorted(keep)]
        return proposals.make(
            request, DecisionKind.NARROW, found.code, found.citation, text, actor=actor, keep=pairs, record=weighed,
            review_on=review_on, forbidden_by=forbidden_by, forbidden_until=forbidden_until,
        )  # fmt: skip


def may_propose(request: PrivacyRequest) -> bool:
    """Whether there is a frozen plan that could still shrink, and nothing is proposed yet."""
    bound = request.right == Right.DELETION and request.state in (State.RELEASING, State.FULFILLING)
    return bound and proposals.standing(request) is None


def _narrowed(
    request: PrivacyRequest, keep: set[tuple[str, str]], code: str, weighed: str, review_on: date
) -> Narrowing:
    plan, found = request.plans.frozen().newest(), codes.valid(code, request.case.law)
    if not 0 < (review_on - timezone.localdate()).days <= weighing.LONGEST_DAYS:
        raise Invalid(_("Please choose the day on which somebody looks again, within a year."))
    if found is None:
        raise Invalid(_("This reason for keeping is not valid under this law."))
    if found.weigh and not weighed.strip():
        raise Invalid(_("This ground holds only once it was weighed. Please write what you weighed against what."))
    if plan is None:
        raise Conflict("no frozen plan")
    body = plan.body()
    erasing = {(item["source"], item["category"]) for item in body["items"] if item["action"] in plans.ERASING}
    if not keep or not keep <= erasing:
        raise Invalid(_("Please choose at least one category that would be erased."))
    made = plans.narrowed(body, keep, code=code, citation=found.citation, review_on=review_on)
    return Narrowing(made, found, review_on)


def confirm(pk: int, *, actor: Actor, seen: int, heard: int = 0) -> PrivacyRequest:
    """Confirm as the second person what somebody proposed to keep after all; the person is told. `seen` is the proposal
    that was read, `heard` how often the person had spoken since it was made (proposals.said_since).

    A new frozen plan, never larger than the last. Narrowed to nothing it is a denial. Raises Invalid (the reason holds no
    more), Conflict, Forbidden (who proposed it; models/two_people.py).
    """
    with transaction.atomic():
        request = lock(pk)
        proposal = proposals.standing(request)
        if proposal is None or proposal.pk != seen or proposal.kind != DecisionKind.NARROW:
            raise Conflict("no such proposal")
        if proposals.said_since(proposal) != heard:
            raise Conflict("newer words")
        look = look_at_proposal(request, actor)
        if not actor.is_approver or not look.counts:
            raise Forbidden("narrow")
        keep = {(source, category) for source, category in proposal.keep}
        review_on = proposal.review_on or timezone.localdate()
        found = _narrowed(request, keep, proposal.code, proposal.record, review_on)
        nothing_left = not plans.erases_anything(found.made)
        because = Because(
            DecisionKind.NARROW, found.found.code, found.found.citation, proposal.text, proposal=proposal,
            same_person=look == SecondLook.ALONE,
        )  # fmt: skip
        proposals.keep_in_silence(request, proposal, actor, same_person=because.same_person)
        # Stored first: what ends here is noted by the plan as it is now.
        locating.store(request, found.made, frozen_at=timezone.now())
        moved = move(pk, "narrow", actor=actor, because=because, nothing_left=nothing_left)
        proposals.refuse_in_silence(moved, proposal, actor, same_person=because.same_person)
        if found.found.weigh:
            _note_weighing(
                moved, proposal, retention.Weighed(True, proposal.code, found.found.citation, review_on), actor
            )
        if nothing_left:
            remains.write(moved, found.made)
        else:
            decision = moved.decisions.filter(kind=DecisionKind.NARROW).order_by("-pk").first()
            if not proposal.forbidden_by:
                outbox.queue(moved, Notice.NARROWED, decision=decision)
            moved.steps.filter(status=StepStatus.BLOCKED, reason__in=[StepReason.HOLD, StepReason.PLAN_CHANGED]).again()
            proposals.go_on(moved)
            finish.clear_attention(moved)
            bell.ring(Lane.FULFIL)
    return moved


def _note_weighing(request: PrivacyRequest, proposal: Proposal, one: retention.Weighed, actor: Actor) -> None:
    because = Because(DecisionKind.WEIGHED, one.code, one.citation, proposal.record, proposal=proposal)
    decision = decide(request, actor, because)
    for source, category in proposal.keep:
        weighing.note(request, decision, (source, category, one.code), one)
    audit.record(request.case, audit.Entry("weighed", actor, request.pk, details={"code": one.code, "holds": True}))
