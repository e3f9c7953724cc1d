"""The rule of the second person: one function for everything that two people of the desk look at.

A refusal, the release of a deletion or of a copy, and what the law forbids to tell. A team of one may switch
`TEAM_OF_ONE` on: then the same person may look a second time, freshly signed in and not before the next day. A dispute,
a lost mailbox, an authority and an identity seen by hand stay with two people whatever is switched on: there it is not
haste that is guarded against, but somebody who pretends.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta

from django.conf import settings
from django.utils import timezone

from dsar.enums import SecondLook
from dsar.models.actor import Actor


def second_look(first: Iterable[tuple[int | None, datetime]], actor: Actor) -> SecondLook:
    """Whether `actor` may take the second decision after those who took the first: (id of the colleague, when).

    Somebody who took no part in the first always may, as far as this rule goes: the role is the caller's to check.
    Days are those of the company's zone (TIME_ZONE).
    """
    mine = [at for by, at in first if by is not None and by == actor.user_id]
    if not mine:
        return SecondLook.ANOTHER
    if not settings.TEAM_OF_ONE:
        return SecondLook.SOMEBODY_ELSE
    now = timezone.now()
    if timezone.localdate(max(mine)) >= timezone.localdate(now):
        return SecondLook.TOO_SOON
    fresh = timedelta(seconds=settings.ACCOUNT_REAUTHENTICATION_TIMEOUT)
    if actor.fresh_at is None or now - actor.fresh_at > fresh:
        return SecondLook.STALE
    return SecondLook.ALONE
