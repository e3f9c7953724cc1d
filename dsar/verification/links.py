"""Links and codes: looked at without changing anything, spent once, limited in the database."""

from dataclasses import dataclass
from datetime import datetime

from django.conf import settings
from django.db import transaction
from django.db.models import Exists, F, OuterRef
from django.utils import timezone

from dsar import audit, keys
from dsar.enums import CheckKind, CheckStatus, ContactBy
from dsar.law import tiers
from dsar.models import REQUESTER, Case, IdentityCheck, Message, PrivacyRequest, Subject
from dsar.notices import Notice
from dsar.notifications import outbox
from dsar.verification import lost_mailbox, sign_in
from dsar.verification.proving import count_as_proven, hold
from dsar.workflow import as_whom


class Refused(Exception):
    """A proof that does not hold. `problem` is one of: unknown, spent, expired, exhausted, wrong."""

    def __init__(self, problem: str) -> None:
        super().__init__(problem)
        self.problem = problem


@dataclass(frozen=True)
class Look:
    """What a link leads to, and what is wrong with it (empty where it can be used)."""

    check: IdentityCheck | None
    problem: str = ""


def look(token: str, now: datetime | None = None) -> Look:
    """Read a link without spending it (law 10: GET changes nothing)."""
    check = IdentityCheck.objects.by_token(token).select_related("case").first() if 20 < len(token) < 80 else None
    return Look(check, problem_of(check, now or timezone.now()))


def problem_of(check: IdentityCheck | None, now: datetime) -> str:
    """Why a check cannot be used; empty where it can."""
    if check is None or check.case.purged_at:
        return "unknown"
    if check.status in (CheckStatus.PASSED, CheckStatus.SUPERSEDED):
        return "spent"
    if check.wrong_attempts >= settings.WRONG_ATTEMPTS or check.status == CheckStatus.FAILED:
        return "exhausted"
    return "expired" if now >= check.expires_at else ""


def prove_mailbox(token: str) -> Case:
    """Spend a mailbox link: the case is proven and every request that this tier reaches moves on (GDPR Art 12(6)).

    Of fifty parallel uses one succeeds. Raises Refused.
    """
    found = look(token)
    if found.check is None or found.check.kind != CheckKind.MAILBOX:
        raise Refused("unknown")
    if found.problem:
        raise Refused(found.problem)
    now = timezone.now()
    with transaction.atomic():
        case, subject = hold(found.check.case)
        spent = IdentityCheck.objects.filter(pk=found.check.pk, status=CheckStatus.PENDING, expires_at__gt=now).update(
            status=CheckStatus.PASSED, decided_at=now, valid_until=now + settings.PROOF_LIFETIME
        )
        if not spent:
            raise Refused("spent")
        _is_read(case, subject, found.check, "email_link", now)
    return Case.objects.get(pk=case.pk)


def _is_read(case: Case, subject: Subject | None, check: IdentityCheck, method: str, now: datetime) -> None:
    """Somebody reads the mailbox that the case is written to: every request that this reaches moves on, or that this and a
    sign-in of theirs reach. The caller holds the case."""
    tier = tiers.reached(case.law, method)
    IdentityCheck.objects.filter(pk=check.pk).update(method=method, tier=tier)
    details = {"tier": tier, "method": method, **as_whom(case, REQUESTER)}
    audit.record(case, audit.Entry("mailbox_proven", REQUESTER, details=details))
    if case.contact_by == ContactBy.OWN:
        lost_mailbox.is_read_after_all(case)
    count_as_proven(case, subject, max(tier, sign_in.tier_of(case, now)), now)


def send_new_link(case: Case) -> None:
    """Another link for a case, to the address that it is written to; silently none over the daily limit, or without a
    mailbox. One that has ended has nothing to prove: the link leads to its page, behind a code."""
    with transaction.atomic():
        held = Case.objects.with_a_mailbox().select_for_update().filter(pk=case.pk).first()
        if held is None:
            return
        request = held.requests.open().order_by("pk").first()
        outbox.queue_for_case(held, Notice.RECEIVED_VERIFY if request else Notice.WAY_BACK, request=request)


def send_new_link_to(address: str) -> None:
    """A new link for whoever has a case under this address, an open one first, then the newest. What the asker sees is
    always the same."""
    is_open = Exists(PrivacyRequest.objects.open().filter(case=OuterRef("pk")))
    found = Case.objects.of_email(address).with_a_mailbox().annotate(is_open=is_open)
    case = found.order_by("-is_open", "-pk").first()
    if case:
        send_new_link(case)


def send_code(case: Case, *, request: PrivacyRequest | None = None) -> IdentityCheck | None:
    """Mail a one-time code that opens the case (works although the account is gone). None over the daily limit."""
    with transaction.atomic():
        held = Case.objects.select_for_update().get(pk=case.pk)
        message: Message | None = outbox.queue_for_case(held, Notice.ACCESS_CODE, request=request)
    return message.check_ref if message else None


def way_back(case: Case) -> IdentityCheck:
    """A link to follow this case that still works: one that a letter carries, or a new one that nobody was sent."""
    now = timezone.now()
    known = case.checks.filter(kind=CheckKind.FOLLOW, status=CheckStatus.PENDING, expires_at__gt=now)
    found: IdentityCheck | None = known.order_by("-pk").first()
    return found or outbox.make_check(case, CheckKind.FOLLOW, now)


def open_with_code(case: Case, code: str) -> IdentityCheck:
    """Spend a one-time code: it proves the mailbox as a link does. Five wrong ones end it, and a new one can be asked for.
    Raises Refused."""
    check = spend_code(case.checks.filter(kind=CheckKind.CODE).order_by("-pk").first(), code)
    with transaction.atomic():
        held, subject = hold(case)
        _is_read(held, subject, check, "email_code", timezone.now())
    return check


def spend_code(check: IdentityCheck | None, code: str) -> IdentityCheck:
    """Spend this very code. Raises Refused."""
    now = timezone.now()
    problem = problem_of(check, now)
    if check is None or problem:
        raise Refused(problem or "unknown")
    if not keys.same("".join(code.split()), check.code):
        _count_wrong(check, now)
        raise Refused("wrong")
    # The condition spends it once, and never beyond its attempts, however many try at the same time.
    spent = IdentityCheck.objects.filter(
        pk=check.pk, status=CheckStatus.PENDING, wrong_attempts__lt=settings.WRONG_ATTEMPTS
    ).update(status=CheckStatus.PASSED, decided_at=now, valid_until=now + settings.PROOF_LIFETIME)
    if not spent:
        raise Refused("spent")
    check.refresh_from_db()
    return check


def spend(check: IdentityCheck) -> bool:
    """Use up a link that only ever stops things, when its button is pressed; False where that was done before."""
    now = timezone.now()
    spent = IdentityCheck.objects.filter(pk=check.pk, status=CheckStatus.PENDING, expires_at__gt=now).update(
        status=CheckStatus.PASSED, decided_at=now
    )
    return bool(spent)


def _count_wrong(check: IdentityCheck, now: datetime) -> None:
    IdentityCheck.objects.filter(pk=check.pk).update(wrong_attempts=F("wrong_attempts") + 1)
    IdentityCheck.objects.filter(
        pk=check.pk, status=CheckStatus.PENDING, wrong_attempts__gte=settings.WRONG_ATTEMPTS
    ).update(status=CheckStatus.FAILED, decided_at=now)
