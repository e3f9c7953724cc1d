"""Who may move a request, and what must be so: the permissions and conditions of its transitions."""

from collections.abc import Callable
from datetime import date, datetime, time
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.utils import timezone

from dsar import keys
from dsar.enums import (
    COPY_RIGHTS,
    OVERTAKEN_BY_DELETION,
    UNVERIFIED_RIGHTS,
    ActorKind,
    CheckKind,
    CheckStatus,
    ContactBy,
    DecisionKind,
    Outcome,
    PackageStatus,
    Right,
    SecondLook,
    State,
)
from dsar.law import codes, tiers
from dsar.models.actor import Actor
from dsar.models.once import once
from dsar.models.two_people import second_look
from dsar.models.unanswered import lapses_as

if TYPE_CHECKING:
    from dsar.models.case import Case
    from dsar.models.privacy_request import PrivacyRequest


def may_be_written_to(case: "Case") -> bool:
    """Whether what a case is written to is its own address, or another one by a rule that has passed and still holds."""
    if case.contact_by == ContactBy.REPRESENTATIVE:
        standing = getattr(case, "representation", None)
        return standing is not None and standing.stands
    if case.contact_by == ContactBy.LOST_MAILBOX:
        # `contact` is compared by its index: a row that counts for one address opens no other.
        index = keys.email_index(case.contact)
        return case.lost_mailboxes.counting().filter(address_index=index).exists()
    return case.contact_sealed is None


Permission = Callable[["PrivacyRequest", Any], bool]


def system(_request: "PrivacyRequest", actor: Actor) -> bool:
    """Workers and the clock."""
    return actor.kind == ActorKind.SYSTEM


def requester(_request: "PrivacyRequest", actor: Actor) -> bool:
    """The person, through a proven session."""
    return actor.kind == ActorKind.REQUESTER


def handler(_request: "PrivacyRequest", actor: Actor) -> bool:
    """Handlers and approvers."""
    return actor.is_handler


def approver(_request: "PrivacyRequest", actor: Actor) -> bool:
    """Approvers alone."""
    return actor.is_approver


def who_may_hand_over(request: "PrivacyRequest", actor: Actor) -> bool:
    """An approver; another one than those who let it come so far, where the identity rests on what people judged."""
    return approver(request, actor) and look_at_copy(request, actor).counts


def look_at_copy(request: "PrivacyRequest", actor: Actor) -> SecondLook:
    """Who may hand a copy over as the second person: where it needs one (`copy_needs_second_person`), and always where
    something is left out of it, which is a refusal in part."""
    found = who_decided(request) if copy_needs_second_person(request) else []
    return second_look([*found, *last_left_out(request)], actor)


def last_left_out(request: "PrivacyRequest") -> list[tuple[int | None, datetime]]:
    """Who was the last to take something out of a copy, or to go on without a source, and when. Whoever did so before has
    had a second person at the same copy after them; so a team of two always has one who may hand it over."""
    found: list[tuple[int | None, datetime]] = [(one.decided_by_id, one.decided_at) for one in request.redactions.all()]
    skipped = (one for one in request.decisions.all() if one.kind == DecisionKind.GO_ON_WITHOUT)
    found += [(one.decided_by_id, one.decided_at) for one in skipped]
    return [max(found, key=lambda one: one[1])] if found else []


def look_at_release(request: "PrivacyRequest", actor: Actor) -> SecondLook:
    """Who approved a deletion in REVIEW does not release it: two people have seen what is erased."""
    return second_look(last_approval(request), actor)


def last_approval(request: "PrivacyRequest") -> list[tuple[int | None, datetime]]:
    """Who was the last to approve it, and when. What came back to REVIEW was approved anew: whoever approved it before is
    somebody else than who stands for it now; so a team of two always has one who may go on."""
    approved = [one for one in request.decisions.all() if one.kind == DecisionKind.APPROVE]
    newest = max(approved, key=lambda one: (one.decided_at, one.pk), default=None)
    return [(newest.decided_by_id, newest.decided_at)] if newest else []


def releaser(request: "PrivacyRequest", actor: Actor) -> bool:
    """Approvers, but for the one who approved it."""
    return actor.is_approver and look_at_release(request, actor).counts


def look_at_proposal(request: "PrivacyRequest", actor: Actor) -> SecondLook:
    """Who proposed a refusal does not confirm it."""
    return second_look([one.first for one in request.proposals.all() if one.is_standing], actor)


def second_approver(request: "PrivacyRequest", actor: Actor) -> bool:
    """Approvers, but for the one who proposed it."""
    return actor.is_approver and look_at_proposal(request, actor).counts


def look_at_approval(request: "PrivacyRequest", actor: Actor) -> SecondLook:
    """A correction is refused in part by whoever refuses a field: who did takes the last step once somebody else has
    confirmed each of these fields."""
    if request.right != Right.CORRECTION:
        return SecondLook.ANOTHER
    waiting = [one for one in request.corrections.all() if one.waits_for_second]
    return second_look([(one.decided_by_id, one.decided_at) for one in waiting if one.decided_at], actor)


def who_may_approve(request: "PrivacyRequest", actor: Actor) -> bool:
    """Approvers, but for who refused a part of it that nobody else has confirmed."""
    return actor.is_approver and look_at_approval(request, actor).counts


def refusal_proposed(request: "PrivacyRequest") -> bool:
    """Nothing is refused that nobody has proposed: it takes two people."""
    return DecisionKind.REFUSE in _proposed(request)


def proposed_outcome(request: "PrivacyRequest") -> Outcome:
    """What the proposed refusal ends with, as the law of the request says of its reason."""
    standing = (one for one in request.proposals.all() if one.is_standing and one.kind == DecisionKind.REFUSE)
    proposed = next(standing, None)
    found = codes.refusal(proposed.code, request.case.law, request.right or Right.KNOW) if proposed else None
    outcome = Outcome(found.outcome) if found else Outcome.DENIED
    # In TRIAGE nobody was asked for a proof: nothing ends there for want of one.
    unasked = outcome == Outcome.NOT_PROVEN and request.state == State.TRIAGE
    return Outcome.DENIED if unasked else outcome


def may_be_referred_by_one(request: "PrivacyRequest") -> bool:
    """What is somebody's request, proven or such that nobody has to prove it, is ended by the reason "not ours" as by any
    other: by two people. One person sorts what has not come so far."""
    return request.state == State.TRIAGE or not (request.case.is_proven or request.right in UNVERIFIED_RIGHTS)


def may_lapse(request: "PrivacyRequest") -> bool:
    """What the person was asked last stands without an answer; what ends for any other reason is refused."""
    return bool(lapses_as(request))


def narrowing_proposed(request: "PrivacyRequest") -> bool:
    """The same of a plan that is narrowed."""
    return DecisionKind.NARROW in _proposed(request)


def _proposed(request: "PrivacyRequest") -> list[str]:
    return [one.kind for one in request.proposals.all() if one.is_standing]


def silence_settled(request: "PrivacyRequest") -> bool:
    """Nothing leaves the house while somebody has still to say whether a part of it may be told."""
    return not any(one.is_pending for one in request.non_disclosures.all())


def nothing_proposed(request: "PrivacyRequest") -> bool:
    """Nothing is released while somebody proposes to keep more of it."""
    return not _proposed(request)


def anybody_of_the_case(_request: "PrivacyRequest", actor: Actor) -> bool:
    """The person, or a handler who wrote down what the person said."""
    return actor.kind == ActorKind.REQUESTER or actor.is_handler


def anybody_who_asks_or_answers(request: "PrivacyRequest", actor: Actor) -> bool:
    """The person, a handler, or the clock."""
    return anybody_of_the_case(request, actor) or system(request, actor)


def is_deletion(request: "PrivacyRequest") -> bool:
    """A deletion alone is confirmed, released and narrowed."""
    return request.right == Right.DELETION


def is_copy(request: "PrivacyRequest") -> bool:
    """What ends in a package that a person looks through before it leaves the house."""
    return request.right in COPY_RIGHTS


def is_no_copy(request: "PrivacyRequest") -> bool:
    """What ends with its last step."""
    return request.right not in COPY_RIGHTS


def is_no_choice(request: "PrivacyRequest") -> bool:
    """A choice is carried out whoever asks (law 12): nobody's word stops it but the person's own."""
    return request.right not in UNVERIFIED_RIGHTS


def is_never_confirmed(request: "PrivacyRequest") -> bool:
    """Everything but a deletion: what is not bound can come back from its work to a person, choices aside."""
    return request.right != Right.DELETION and is_no_choice(request)


def may_be_approved(request: "PrivacyRequest") -> bool:
    """Somebody said which right it is, and who asks is proven as surely as that right wants it (law 12)."""
    return bool(request.right) and request.is_proven_enough


def answers_help(request: "PrivacyRequest") -> bool:
    """Whether right answers to questions from our records stand beside the mailbox, and are enough together for this right:
    the categories alone, never specific pieces (law/tiers.py)."""
    if not tiers.quiz_reaches(request.right, request.tier_needed, request.case.proven_tier):
        return False
    passed = (one for one in request.case.checks.all() if one.status == CheckStatus.PASSED)
    return any(
        check.kind == CheckKind.QUIZ and check.decided_at and request.case.counts_since(check.decided_at)
        for check in passed
    )


def lesser_right(request: "PrivacyRequest") -> str:
    """The right that the proof of this case reaches where it does not reach this one; empty where there is none."""
    if not request.right or request.is_proven_enough or not request.case.is_proven:
        return ""
    regime = request.case.law
    lesser = tiers.falls_back(regime, request.right)
    return lesser if lesser and tiers.suffices(regime, lesser, request.case.proven_tier) else ""


def may_fall_back(request: "PrivacyRequest") -> bool:
    """The law knows a lesser right, and the proof reaches it (11 CCR 7024(a))."""
    return bool(lesser_right(request))


def is_located(request: "PrivacyRequest") -> bool:
    """Somebody has looked what is held: there is a plan to decide on."""
    return request.located_at is not None


def names_no_account(request: "PrivacyRequest") -> bool:
    """Nothing was looked for, because the person named no account."""
    return "no_account" in request.judgement


def was_looked_for(request: "PrivacyRequest") -> bool:
    """What is approved is what was found, and not that nobody looked."""
    return not names_no_account(request)


def overtaken_by_a_deletion(request: "PrivacyRequest") -> bool:
    """What a confirmed deletion answers by itself."""
    return request.right in OVERTAKEN_BY_DELETION


def has_right(request: "PrivacyRequest") -> bool:
    """Somebody said which right it is."""
    return bool(request.right)


def unsorted(request: "PrivacyRequest") -> bool:
    """In TRIAGE everything may be sorted; in REVIEW what was asked about in TRIAGE and never answered."""
    return request.state == State.TRIAGE or not request.right


def mailbox_proven(request: "PrivacyRequest") -> bool:
    """Nobody is asked to confirm an erasure before the mailbox is proven."""
    return request.case.is_proven


def more_proof_counts(request: "PrivacyRequest") -> bool:
    """A late proof counts, and so does a surer one; a second one of the same tier changes nothing."""
    return not request.case.is_proven or request.case.proven_tier < request.tier_needed


def may_be_charged(request: "PrivacyRequest") -> bool:
    """Nothing is asked for before it is certain who asks, and never for an opt-out or for the proof itself."""
    return bool(request.right) and request.right not in UNVERIFIED_RIGHTS and request.is_proven_enough


def question_is_open(request: "PrivacyRequest") -> bool:
    """What the person has been asked is a question: a fee that is not paid is no answer that did not come."""
    return not fee_is_open(request)


def fee_is_open(request: "PrivacyRequest") -> bool:
    """What the person has been asked is a fee, and not a question that came after it."""
    asked = request.answer_by
    return asked is not None and any(fee.is_open and fee.answer_by == asked for fee in request.fees.all())


def not_disputed(request: "PrivacyRequest") -> bool:
    """While somebody says "this was not me", nothing is released."""
    return request.disputed_at is None


def disputed(request: "PrivacyRequest") -> bool:
    """There is a dispute to decide."""
    return request.disputed_at is not None


def quiet_period_over(request: "PrivacyRequest") -> bool:
    """The quiet period between the confirmation and the first destructive step has passed (law 4)."""
    return request.quiet_until is not None and timezone.now() >= request.quiet_until


def copy_cannot_wait(request: "PrivacyRequest") -> bool:
    """The legal date of the erasure is so near that it waits for no copy any more."""
    return request.due_on is not None and timezone.now() >= _too_near(request.due_on)


def _too_near(due_on: date) -> datetime:
    """The beginning of the day, in the company's zone, from which an erasure waits for no copy."""
    return timezone.make_aware(datetime.combine(due_on - settings.ERASE_BEFORE_DUE, time.min))


def no_copy_awaited(request: "PrivacyRequest") -> bool:
    """Who asked for a copy first is asked to confirm once it is ready, or once they say that they will not wait."""
    copy = request.after
    return copy is None or copy.is_ended or request.waived_copy_at is not None or copy_cannot_wait(request)


def copy_waits_until(request: "PrivacyRequest") -> datetime | None:
    """The moment from which the erasure no longer waits for the copy that was asked for first; None where it waits for
    none: there is none, it was fetched, or it ended without a package."""
    copy = request.after
    if copy is None:
        return None
    offers = copy.packages.filter(status=PackageStatus.OFFERED).order_by("-version")
    package = once(request, "copy_offered", offers.first)
    offered_at = package.offered_at if package and package.downloaded_at is None else None
    if copy.is_ended and offered_at is None:
        return None
    # One that is still being made has its whole time before it.
    fetched_by = (offered_at or timezone.now()) + settings.COPY_WAITS
    return min(fetched_by, _too_near(request.due_on)) if request.due_on else fetched_by


def copy_in_hand(request: "PrivacyRequest") -> bool:
    """Nothing is erased before the copy that was asked for first was fetched, or could have been for long enough."""
    until = copy_waits_until(request)
    return until is None or timezone.now() >= until


def address_on_file(request: "PrivacyRequest") -> bool:
    """A copy goes to an address on file, or to another one by a rule that has passed: a lost mailbox whose notice is over,
    or somebody who lawfully stands for the person."""
    return may_be_written_to(request.case)


def copy_needs_second_person(request: "PrivacyRequest") -> bool:
    """Whether this copy needs a second person for its release: who asks was shown by staff judgement, by an agent's
    authority, by quiz questions (law/tiers.py, SECOND_PERSON) and no surer proof that still counts reaches what the right
    needs; or somebody stands for them; or somebody at an address of theirs said "this was not me".

    Who reads an address that was opened for them (a lost mailbox) shows nothing that was not judged before."""
    case = request.case
    if request.right not in COPY_RIGHTS:
        return False
    if case.contact_by == ContactBy.REPRESENTATIVE or "not_me" in request.judgement:
        return True
    passed = [one for one in case.checks.all() if one.status == CheckStatus.PASSED and one.tier]
    opened = case.contact_by != ContactBy.OWN
    weak = [check for check in passed if tiers.needs_second_person(check.method)]
    sure = (
        check.tier
        for check in passed
        if check not in weak
        and not (opened and check.kind in (CheckKind.MAILBOX, CheckKind.CODE))
        and check.decided_at is not None
        and case.counts_since(check.decided_at)
    )
    return bool(weak) and max(sure, default=0) < request.tier_needed


def who_decided(request: "PrivacyRequest") -> list[tuple[int | None, datetime]]:
    """The people of the desk on whose judgement this copy has come so far, and when each judged last: who recorded or
    confirmed the identity, saw the authority, or was the last to approve the copy."""
    found: list[tuple[int | None, datetime]] = []
    for check in request.case.checks.all():
        if check.status != CheckStatus.PASSED or check.recorded_by_id is None:
            continue
        at = check.decided_at or check.created_at
        found += [(check.recorded_by_id, at), (check.confirmed_by_id, at)]
    found += last_approval(request)
    standing = getattr(request.case, "representation", None)
    if standing is not None:
        looks = (
            (standing.first_seen_by_id, standing.first_seen_at),
            (standing.second_seen_by_id, standing.second_seen_at),
        )
        found += [(by, at) for by, at in looks if at is not None]
    return found


def not_extended(request: "PrivacyRequest") -> bool:
    """A response is extended once (GDPR Art 12(3); Cal. Civ. Code 1798.130(a)(2))."""
    return request.extended_at is None
