"""The confirmation: in one transaction the request is bound and the account is shut here (law 3). And the word against it:
"this was not me"."""

from collections.abc import Callable

from django.conf import settings
from django.db import transaction
from django.db.models import F, Q
from django.utils import timezone

from accounts.models import User
from dsar import audit, bell, journal, keys
from dsar.datamap import loader
from dsar.enums import (
    COPY_RIGHTS,
    OVERTAKEN_BY_DELETION,
    UNVERIFIED_RIGHTS,
    CheckKind,
    CheckStatus,
    DecisionKind,
    Lane,
    Outcome,
    PackageStatus,
    State,
    StepKind,
    StepReason,
    StepStatus,
)  # fmt: skip
from dsar.law import tiers
from dsar.models import (
    REQUESTER,
    SYSTEM,
    Case,
    CopyPart,
    IdentityCheck,
    Package,
    Plan,
    PrivacyRequest,
    Restriction,
    Step,
)
from dsar.models.privacy_request import NOT_ME
from dsar.verification import links, lost_mailbox, representation, second_factor
from dsar.workflow import Because, Conflict, each, in_trouble, lock, move

CARRIED_OUT = (Outcome.GRANTED, Outcome.GRANTED_IN_PART)


class NotStopped(Exception):
    """Something that somebody says was not them could not be stopped just now; their word is not used up."""


class PlanChanged(Exception):
    """What would be erased, kept or lost differs from what the person saw: they are asked again."""


class SecondFactorNeeded(Exception):
    """An account that this deletion shuts has a second factor, and nobody has shown it lately."""


def current_plan(request: PrivacyRequest) -> Plan | None:
    """The newest plan of a request."""
    plan = request.plans.newest()
    if plan:
        plan.request = request
    return plan


def accounts_of(case: Case, body: dict[str, object]) -> list[User]:
    """The sign-in accounts that this deletion shuts: the one under the proven address, the one that the search found among
    those who sign in here, and the one that carries the user id by which the company knows the person.

    A key means something in its own source alone: the same number is somebody else's in the next one.
    """
    address = case.email
    if not address:
        return []
    described = loader.current()
    theirs = Q(email__iexact=address)
    sources = body.get("sources")
    for key, found in sources.items() if isinstance(sources, dict) else ():
        ref = str(found.get("ref") or "")
        if ref and key == described.user_ids and key not in described.sign_ins:
            theirs |= Q(external_id=ref)
        elif ref.isdecimal() and key in described.sign_ins:
            theirs |= Q(pk=int(ref))
    return list(User.objects.filter(theirs).order_by("pk"))


def confirm(pk: int, digest: str) -> PrivacyRequest:
    """Bind a deletion to the plan that the person saw.

    In this transaction: the plan is frozen, the request is RELEASING, the accounts here are shut for good, an urgent
    `close` step per source is queued. Whoever has no mailbox has signed this very plan (signed.py). The journal outside
    the database gets its line before the commit: a restore of an older database must not forget a promise. Raises
    PlanChanged, SecondFactorNeeded, Conflict, OSError (journal not writable).
    """
    now = timezone.now()
    with transaction.atomic():
        request = lock(pk)
        plan = current_plan(request)
        if plan is None:
            raise Conflict("no plan")
        if not keys.same(plan.digest, digest):
            raise PlanChanged
        body = plan.body()
        accounts = accounts_of(request.case, body)
        on_paper = request.case.by_post and not request.case.contact
        if on_paper and not request.signed.filter(plan__digest=digest, status=CheckStatus.PASSED).exists():
            raise Conflict("not signed")
        # On paper nobody can show a factor: a proof by hand that is as sure (tier 3) takes its place.
        shown = second_factor.passed(request.case) or (on_paper and request.case.proven_tier >= tiers.REASONABLY_HIGH)
        if second_factor.needed(accounts) and not shown:
            raise SecondFactorNeeded
        Plan.objects.filter(pk=plan.pk, frozen_at__isnull=True).update(frozen_at=now)
        request = move(pk, "confirm", actor=REQUESTER, quiet=settings.QUIET_PERIOD)
        # The person chooses: what was only to be kept goes after all (GDPR Art 18(2)).
        Restriction.objects.of_index(request.case.email_index).update(lifted_at=request.confirmed_at)
        for user in accounts:
            user.close()
        Step.objects.bulk_create(
            Step(request=request, source=source, kind=StepKind.CLOSE, position=0, due_at=now)
            for source, found in body["sources"].items()
            if found["closes"] and found["status"] != "none"
        )
        _overtake(request)
        bell.ring(Lane.CLOSE)
        # Last of all: whatever fails before it leaves no line about a promise that was never made.
        journal.write(
            "confirmed", request=str(request.uid), at=now.isoformat(), digest=plan.digest,
            subject=keys.tombstone_index("email", request.case.email),
        )  # fmt: skip
    return request


def _overtake(request: PrivacyRequest) -> None:
    """Answer the person's open corrections, objections and restrictions: what they are about goes. A copy stays owed.

    Other cases of the person are locked after the person's own row, which every mover of theirs locks first.
    """
    mine = Q(case_id=request.case_id)
    if request.case.subject_id:
        mine |= Q(case__subject_id=request.case.subject_id)
    open_ones = PrivacyRequest.objects.open().filter(mine, right__in=OVERTAKEN_BY_DELETION)
    for pk in open_ones.order_by("case_id", "pk").values_list("pk", flat=True):
        move(pk, "overtake", actor=SYSTEM)


def not_me(case: Case, *, link: IdentityCheck | None = None) -> list[PrivacyRequest]:
    """Somebody at an address of the person says "this was not me": the steps of confirmed deletions stop, the clock does
    not, and two people decide. What is not confirmed yet goes to a person, and nothing of it is withdrawn; a copy, made or
    in the making, is not to be had any more, and who hands one over later is somebody else than who approved it. A choice
    stays carried out (law 12). What had ended by then, a deletion or a correction, and a copy that was on offer, stand in the
    queue. Repeatable; returns what was moved.

    Each thing is stopped by itself, so that none waits for another; `link`, whose button was pressed, is spent with the
    last of them and not before. Raises NotStopped where something could not be stopped: it stands in the queue, and
    pressed again everything is tried again.
    """
    moved: list[PrivacyRequest] = []
    left: list[int] = []
    failed: list[str] = []
    open_ones = case.requests.open().order_by("pk").values_list("pk", flat=True)
    each(list(open_ones), lambda pk: _stop(pk, moved), "a request could not be stopped", failed=left.append)
    beside: dict[str, Callable[[], object]] = {
        "a new address": lambda: lost_mailbox.object_to(case),
        "copies and proofs": lambda: _take_back(case, len(moved), None if left or failed else link),
    }
    each(
        beside, lambda what: beside[what](), "something beside the requests could not be stopped", failed=failed.append
    )
    if left or failed:
        _show(case, left)
        raise NotStopped
    return moved


def _show(case: Case, left: list[int]) -> None:
    """Put what could not be stopped into the queue: these requests, or where it is something beside them all of the case."""
    for pk in left or case.requests.order_by("pk").values_list("pk", flat=True):
        in_trouble(pk)


def _stop(pk: int, moved: list[PrivacyRequest]) -> bool:
    """Stop one request, and whoever works at it, in one transaction; False where nothing of it is to be stopped."""
    with transaction.atomic():
        request = lock(pk)
        if NOT_ME in request.judgement and request.state in (State.TRIAGE, State.REVIEW):
            return False
        try:
            if request.is_bound:
                stopped = move(pk, "dispute", actor=REQUESTER)
            else:
                stopped = move(pk, "doubt", actor=REQUESTER, because=Because(DecisionKind.NOT_ME))
        except Conflict:
            return False
        _fence(stopped)
    moved.append(stopped)
    return True


def _fence(request: PrivacyRequest) -> None:
    """Let nobody go on with the work of a request that has just been stopped: whoever is at it is fenced out, and approved
    again it begins anew. What a worker or a colleague had written by then stays, and stands in the queue by name. The marks
    of a restriction go on: they only keep data from being used (runner.AT_ANY_TIME)."""
    fenced = {"status": StepStatus.DONE, "reason": "", "token": F("token") + 1, "lease_until": None}
    if request.right in COPY_RIGHTS:
        CopyPart.objects.filter(request=request).delete()
        request.steps.update(**fenced, finished_at=None)
        return
    steps = request.steps.filter(kind__in=(StepKind.RECTIFY, StepKind.LOOK))
    # A worker that was there may have written although it could not record it any more.
    written = steps.filter(Q(token__gt=0) | Q(finished_at__isnull=False), kind=StepKind.RECTIFY)
    if not request.is_bound and written.exists():
        PrivacyRequest.objects.filter(pk=request.pk).update(attention=StepReason.DISPUTED)
    steps.filter(finished_at__isnull=True).update(**fenced)


def _take_back(case: Case, requests: int, link: IdentityCheck | None) -> None:
    """Take every copy off offer, end what waits to be shown, note it all, and spend the link by which it was said."""
    with transaction.atomic():
        held = Case.objects.select_for_update().get(pk=case.pk)
        copies = Package.objects.filter(request__case=held)
        on_offer = copies.filter(Q(downloads__gt=0) | Q(status=PackageStatus.OFFERED))
        # What can be stopped no more is somebody's to look into, whatever else it waits for (GDPR Art 33: 72 hours).
        over = held.requests.filter(outcome__in=CARRIED_OUT).exclude(right__in=(*COPY_RIGHTS, *UNVERIFIED_RIGHTS))
        for found in (over, held.requests.filter(packages__in=on_offer)):
            found.filter(ended_at__isnull=False).update(attention=StepReason.DISPUTED)
        # What was shown by hand or stated and has not counted yet never will.
        kinds = (CheckKind.BY_HAND, CheckKind.DATA_POINTS, CheckKind.QUIZ)
        held.checks.filter(kind__in=kinds, status=CheckStatus.PENDING).update(
            status=CheckStatus.FAILED, decided_at=timezone.now(), stated_sealed=None
        )
        details = {"requests": requests, "copies": copies.retire()}
        audit.record(held, audit.Entry("not_me", REQUESTER, details=details))
        if link is not None:
            links.spend(link)


def object_by(link: IdentityCheck) -> None:
    """Somebody at an address of the person presses the button against who would stand for them, or against a new address:
    both are stopped, each by itself, and the link is spent once they are. Raises NotStopped, and nothing is spent."""
    against: dict[str, Callable[[Case], bool]] = {
        "who stands for them": representation.object_to, "a new address": lost_mailbox.object_to,
    }  # fmt: skip
    failed: list[str] = []
    each(against, lambda what: against[what](link.case), "an objection could not take effect", failed=failed.append)
    if failed:
        _show(link.case, [])
        raise NotStopped
    links.spend(link)
