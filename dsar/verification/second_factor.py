"""An account with a second factor is asked for it before its deletion is confirmed."""

from datetime import datetime

from allauth.mfa.models import Authenticator
from django.conf import settings
from django.db import transaction
from django.db.models import F, QuerySet, Sum
from django.utils import timezone

from accounts.models import User
from dsar import audit
from dsar.enums import CheckKind, CheckStatus, ContactBy
from dsar.law import tiers
from dsar.models import REQUESTER, Case, IdentityCheck
from dsar.verification import data_points, proving, sign_in
from dsar.verification.links import Refused


def factors_of(users: list[User]) -> "QuerySet[Authenticator]":
    """The second factors (TOTP, recovery codes, passkeys) of the accounts that a deletion would shut."""
    return Authenticator.objects.filter(user__in=users)


def needed(users: list[User]) -> bool:
    """Whether any of these accounts has a second factor that a person can be asked for."""
    return factors_of(users).exclude(type=Authenticator.Type.RECOVERY_CODES).exists()


def passed(case: Case) -> bool:
    """Whether the second factor was shown for this case recently. Who stands for the person cannot have it: two approvers
    have seen by what right they act."""
    if case.contact_by == ContactBy.REPRESENTATIVE:
        return True
    return case.checks.filter(
        kind=CheckKind.SECOND_FACTOR, status=CheckStatus.PASSED, valid_until__gt=timezone.now()
    ).exists()


def check_code(case: Case, users: list[User], code: str) -> None:
    """Accept a code of the authenticator app or a recovery code; five wrong ones end this attempt for an hour, and three
    times as many end it for 30 days, in whichever of the person's cases (law 7: counted in the database).

    Raises Refused("wrong"), Refused("exhausted") or Refused("closed").
    """
    now = timezone.now()
    with transaction.atomic():
        held, _subject = proving.hold(case)
        if is_closed(held, now):
            raise Refused("closed")
        check, _ = held.checks.get_or_create(
            kind=CheckKind.SECOND_FACTOR,
            status=CheckStatus.PENDING,
            expires_at__gt=now,
            defaults={"expires_at": now + settings.PROOF_LIFETIME, "created_at": now},
        )
        if check.wrong_attempts >= settings.WRONG_ATTEMPTS:
            raise Refused("exhausted")
        # Counted before it is compared, and committed either way.
        IdentityCheck.objects.filter(pk=check.pk).update(wrong_attempts=F("wrong_attempts") + 1)
    user = _whose(users, "".join(code.split()))
    if user is None:
        raise Refused("wrong")
    accept(case, user, check)


def is_closed(case: Case, now: datetime | None = None) -> bool:
    """Whether so many wrong codes came for this address, in all its cases, that no more are taken here for a while: signing in
    to the account is left, and a person."""
    since = (now or timezone.now()) - data_points.ADDRESS_PERIOD
    mine = {"case__email_index": case.email_index} if case.email_index else {"case": case}
    tried = IdentityCheck.objects.filter(kind=CheckKind.SECOND_FACTOR, created_at__gt=since, **mine)
    wrong = tried.exclude(status=CheckStatus.PASSED).aggregate(all=Sum("wrong_attempts"))["all"] or 0
    return bool(wrong >= settings.WRONG_ATTEMPTS * settings.PROOF_ATTEMPTS)


def accept(case: Case, user: User, check: IdentityCheck | None = None) -> None:
    """Note that the second factor of one of the accounts that this deletion shuts was shown (by code here, or by a sign-in
    with a passkey). Of the account under the address of the case it is the surest proof, so that whatever else waits in the
    case for more than the mailbox moves on too; of another, which the company joins to it, it lets the deletion be confirmed
    and shows nothing else (`sign_in.is_account_of`)."""
    now = timezone.now()
    with transaction.atomic():
        held, subject = proving.hold(case)
        tier = tiers.reached(held.law, "mfa") if sign_in.is_account_of(held, user) else 0
        if check is None:
            check = IdentityCheck.objects.create(case=held, kind=CheckKind.SECOND_FACTOR, expires_at=now)
        IdentityCheck.objects.filter(pk=check.pk).update(
            status=CheckStatus.PASSED,
            decided_at=now,
            method="mfa",
            tier=tier,
            valid_until=now + settings.PROOF_LIFETIME,
        )
        audit.record(held, audit.Entry("second_factor_shown", REQUESTER, details={"tier": tier}))
        if tier and held.is_proven:
            proving.count_as_proven(held, subject, tier, now)


def _whose(users: list[User], code: str) -> User | None:
    """Whose code it is; None where it is nobody's."""
    factors = factors_of(users).filter(type__in=[Authenticator.Type.TOTP, Authenticator.Type.RECOVERY_CODES])
    for factor in factors.order_by("pk"):
        if factor.wrap().validate_code(code):
            return next(user for user in users if user.pk == factor.user_id)
    return None
