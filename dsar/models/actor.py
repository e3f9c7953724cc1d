"""Who does something: a requester, a person of the desk in a role, a data owner, or the system."""

from dataclasses import dataclass
from datetime import datetime

from accounts.models import Role, User
from dsar.enums import ActorKind


class Forbidden(Exception):
    """This actor may not do it (HTTP 403)."""


@dataclass(frozen=True)
class Actor:
    """Handed to `workflow.move()`; checked by each transition's permission and written to the audit trail.

    `fresh_at`: when this person last proved at sign-in who they are (password, second factor); None where nobody knows.
    """

    kind: ActorKind
    user_id: int | None = None
    role: str = ""
    fresh_at: datetime | None = None

    @property
    def is_handler(self) -> bool:
        """May triage, ask, extend, redact, propose."""
        return self.kind == ActorKind.STAFF and self.role in (Role.HANDLER, Role.APPROVER)

    @property
    def is_approver(self) -> bool:
        """May also approve, refuse, lapse, narrow, release and place holds."""
        return self.kind == ActorKind.STAFF and self.role == Role.APPROVER

    @property
    def is_admin(self) -> bool:
        """May see to accounts, sources and settings, and to no case."""
        return self.kind == ActorKind.STAFF and self.role == Role.ADMIN


REQUESTER = Actor(ActorKind.REQUESTER)
SYSTEM = Actor(ActorKind.SYSTEM)
OWNER = Actor(ActorKind.OWNER)


def staff(user: User, fresh_at: datetime | None = None) -> Actor:
    """The person of the desk who is signed in, since or anew at `fresh_at`."""
    return Actor(ActorKind.STAFF, user.pk, user.role, fresh_at)
