"""Who asks for somebody else: what the person lets them do, and the authority of those who stand for the person.

An agent never confirms, withdraws or chooses for the person. A guardian, attorney or estate does all that the person
could, once two approvers have seen the authority (11 CCR 7063; GDPR Art 12; Cal. Prob. Code 4121-4130).
"""

from django.db import transaction
from django.utils import timezone

from dsar import audit
from dsar.enums import CheckKind, CheckStatus, Notice
from dsar.models import REQUESTER, Case, IdentityCheck, Representation
from dsar.notifications import outbox
from dsar.workflow import Conflict, move

PAPERS = 5
LONGEST = 4000


def of(case: Case) -> Representation | None:
    """Who asks for the person of this case, if anybody does."""
    found = Representation.objects.filter(case=case).first()
    if found:
        found.case = case
    return found


def _held(case_pk: int) -> Representation:
    """The representation with its locked case, inside the caller's transaction. Raises Conflict where there is none."""
    found = of(Case.objects.select_for_update().get(pk=case_pk))
    if found is None:
        raise Conflict("no representative")
    return found


# --- what the person says --------------------------------------------------------------------------------------------


def allow(case: Case, *, follow: bool, receive: bool) -> None:
    """The person lets somebody ask for them, and says what else they may; said again, the newer words count.

    The caller has shown that this is the person. Raises Conflict where nobody asks for them.
    """
    now = timezone.now()
    with transaction.atomic():
        held = _held(case.pk)
        proof = held.case.checks.filter(kind__in=[CheckKind.MAILBOX, CheckKind.CODE], status=CheckStatus.PASSED)
        Representation.objects.filter(pk=held.pk).update(
            may_follow=follow, may_receive=receive, allowed_at=now, allowed_by=proof.order_by("-decided_at").first(),
            revoked_at=None,
        )  # fmt: skip
        details = {"as": held.kind, "follow": follow, "receive": receive}
        audit.record(held.case, audit.Entry("representative_allowed", REQUESTER, details=details))
        if follow or receive:
            outbox.queue_for_case(
                held.case, Notice.REP_NEWS, request=held.case.requests.order_by("pk").first(), to=held.email
            )


def take_back(case: Case) -> None:
    """The person lets them do nothing (any more), from this moment on. Repeatable. Raises Conflict as `allow` does."""
    with transaction.atomic():
        held = _held(case.pk)
        Representation.objects.filter(pk=held.pk).update(
            may_follow=False, may_receive=False, revoked_at=timezone.now()
        )  # fmt: skip
        audit.record(held.case, audit.Entry("representative_not_allowed", REQUESTER, details={"as": held.kind}))


def not_wanted(case: Case) -> None:
    """The person wants nothing of what was asked in their name: it is withdrawn, as far as it can be (law 3)."""
    take_back(case)
    for pk in list(case.requests.open().order_by("pk").values_list("pk", flat=True)):
        try:
            move(pk, "withdraw", actor=REQUESTER)
        except Conflict:
            continue


# --- the representative's own way in ---------------------------------------------------------------------------------


def send_code(standing: Representation) -> IdentityCheck | None:
    """Mail a one-time code to the representative's own address. None over the daily limit."""
    with transaction.atomic():
        held = _held(standing.case_id)
        message = outbox.queue_for_case(held.case, Notice.REP_CODE, to=held.email)
    return message.check_ref if message else None


def newest_code(standing: Representation) -> IdentityCheck | None:
    """The code that was sent last."""
    return IdentityCheck.objects.filter(case_id=standing.case_id, kind=CheckKind.REP_CODE).order_by("-pk").first()
