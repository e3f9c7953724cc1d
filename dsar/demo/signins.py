"""Who signs in at the demo desk: made once per installation, with random passwords, written down for its owner."""

import os
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal.auth import TOTP, generate_totp_secret
from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from accounts.models import Role, User
from dsar import keys
from dsar.demo.cast import CAST
from dsar.enums import HoldStatus
from dsar.models import LegalHold

STAFF: tuple[tuple[str, str, str], ...] = (
    ("handler@desk.example.com", "Hanno Deskfield", Role.HANDLER),
    ("approver@desk.example.com", "Arden Deskfield", Role.APPROVER),
    ("approver2@desk.example.com", "Ottoline Deskfield", Role.APPROVER),
    ("auditor@desk.example.com", "Aubrey Deskfield", Role.AUDITOR),
    ("admin@desk.example.com", "Odo Deskfield", Role.ADMIN),
)
REQUESTERS: tuple[str, ...] = (
    CAST.plain,
    CAST.mfa,
    CAST.neighbour,
    CAST.refund_due,
    CAST.crypto,
    CAST.two_accounts[0],
    CAST.sole_owner,
    CAST.org_member,
    CAST.on_hold,
)
APPROVER = "approver@desk.example.com"


@dataclass(frozen=True, slots=True)
class SignIn:
    """One line of the file: `totp` is the secret of the second factor (base32), empty where there is none."""

    role: str
    email: str
    password: str
    totp: str = ""

    def line(self) -> str:
        """Columns for a person to read and for `read` to take apart."""
        return f"{self.role:<10} {self.email:<34} {self.password}  {self.totp}".rstrip()


def present() -> bool:
    """Whether the demo's people can sign in already."""
    return User.objects.filter(email=APPROVER).exists()


@transaction.atomic
def make(number_of: Callable[[str], int | None]) -> list[SignIn]:
    """Make, or give new passwords to, the demo's staff and requesters; put `Cast.on_hold` under a hold.

    `number_of` gives the company's user id for an address. Whoever has deleted the account for good is left out:
    a closed account never opens again. The caller writes the result down with `write`; only hashes stay here.
    """
    made = [_person(email, full_name, role, None) for email, full_name, role in STAFF]
    for email in REQUESTERS:
        number = number_of(email)
        name = email.partition("@")[0].replace(".", " ").title()
        made.append(_person(email, name, Role.NONE, None if number is None else str(number)))
    _hold(CAST.on_hold)
    return [sign_in for sign_in in made if sign_in]


def _person(email: str, full_name: str, role: str, external_id: str | None) -> SignIn | None:
    password = secrets.token_urlsafe(12)
    known = Q(email=email) if external_id is None else Q(email=email) | Q(external_id=external_id)
    if User.objects.filter(known, closed_at__isnull=False).exists():
        return None
    user = User.objects.filter(email=email).first()
    if user is None:
        user = User.objects.create_user(
            email=email, password=password, full_name=full_name, role=role, external_id=external_id
        )
    else:
        user.full_name, user.role, user.external_id, user.is_active = full_name, role, external_id, True
        user.set_password(password)
        user.save()
    totp = ""
    if email == CAST.mfa:
        totp = generate_totp_secret()
        Authenticator.objects.filter(user=user, type=Authenticator.Type.TOTP).delete()
        TOTP.activate(user, totp)
    return SignIn(role or "requester", email, password, totp)


def _hold(email: str) -> None:
    """A dispute that is made up. Nothing can be under way for this person yet, so the hold is active at once."""
    index = keys.email_index(email)
    if LegalHold.objects.filter(email_index=index).exclude(status=HoldStatus.LIFTED).exists():
        return
    LegalHold.objects.create(
        email_index=index,
        code="EU_LEGAL_CLAIMS",
        status=HoldStatus.ACTIVE,
        review_on=(timezone.now() + timedelta(days=180)).date(),
    )


def write(path: Path, sign_ins: list[SignIn]) -> None:
    """Write the file anew, readable by its owner alone; there is never half a file."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    draft = path.with_suffix(".new")
    draft.unlink(missing_ok=True)
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.writelines(f"{sign_in.line()}\n" for sign_in in sign_ins)
    draft.replace(path)


def read(path: Path) -> dict[str, SignIn]:
    """The sign-ins of a file made by `write`, by address. Raises OSError where there is none."""
    lines = path.read_text(encoding="utf-8").splitlines()
    return {sign_in.email: sign_in for sign_in in (SignIn(*line.split()) for line in lines if line.strip())}
