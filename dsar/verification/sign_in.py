"""A sign-in to the account itself shows who asks for its case: with a password typed just now, with a second factor, or
through another provider (11 CCR 7061; GDPR Art 12(6)). It stands beside the proof of the mailbox, never in its place."""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any, Final

from django.conf import settings
from django.db import transaction
from django.db.models import Max
from django.utils import timezone

from accounts.models import User
from dsar import audit, keys
from dsar.enums import CheckKind, CheckStatus, ContactBy
from dsar.law import tiers
from dsar.models import REQUESTER, Case, IdentityCheck
from dsar.verification import proving
from dsar.workflow import Conflict

KINDS: Final = (CheckKind.SIGN_IN, CheckKind.SECOND_FACTOR)
# Allauth's word for how somebody signed in -> the law's.
METHODS: Final[Mapping[str, str]] = {"mfa": "mfa", "socialaccount": "oidc", "password": "sign_in_fresh"}


def methods_of(records: Iterable[Mapping[str, Any]], now: datetime) -> list[str]:
    """How somebody has signed in, by the records of their session (`method`, `at` in seconds): the law's methods that are
    fresh enough. A password counts for REAUTHENTICATION_SECONDS, the others for PROOF_LIFETIME."""
    password = timedelta(seconds=settings.ACCOUNT_REAUTHENTICATION_TIMEOUT)
    found = {}
    for record in records:
        method = METHODS.get(str(record.get("method")), "")
        lasts = password if method == "sign_in_fresh" else settings.PROOF_LIFETIME
        if method and now.timestamp() - float(record.get("at", 0)) < lasts.total_seconds():
            found[method] = True
    return list(found)


def is_account_of(case: Case, user: User) -> bool:
    """Whether this account carries the address that the case is about. Another account that the company joins to it by its
    own number shows nothing about who reads this address."""
    index = keys.email_index(user.email)
    return user.is_active and bool(index) and index == case.email_index


def accept(case: Case, methods: list[str]) -> IdentityCheck:
    """Note that the holder of the account of this case has signed in, by the surest of these methods; where the mailbox is
    proven, every request that this reaches moves on. The caller knows that the account is this case's.

    Raises Conflict where nothing fresh was shown, or somebody else stands for the person.
    """
    now = timezone.now()
    with transaction.atomic():
        held, subject = proving.hold(case)
        if not methods or held.contact_by == ContactBy.REPRESENTATIVE or held.purged_at:
            raise Conflict("sign_in")
        regime = held.law
        method = max(methods, key=lambda name: tiers.reached(regime, name))
        tier = tiers.reached(regime, method)
        check = IdentityCheck.objects.create(
            case=held, kind=CheckKind.SIGN_IN, method=method, tier=tier, status=CheckStatus.PASSED, created_at=now,
            expires_at=now, decided_at=now, valid_until=now + settings.PROOF_LIFETIME,
        )  # fmt: skip
        audit.record(held, audit.Entry("signed_in", REQUESTER, details={"method": method, "tier": tier}))
        if held.is_proven:
            proving.count_as_proven(held, subject, tier, now)
    return check


def tier_of(case: Case, now: datetime) -> int:
    """The tier that a sign-in of this case's person reaches now; 0 without one."""
    best = case.checks.counting(now).filter(kind__in=KINDS).aggregate(best=Max("tier"))["best"]
    return int(best or 0)
