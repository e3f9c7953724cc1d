"""Choices of somebody who showed who they are: made, and taken back as easily (GDPR Art 7(3)).

A stranger makes a choice by the web form or by mail, and proves nothing; only taking one back needs to be the person.
"""

from collections.abc import Iterable

from django.db import transaction
from django.db.models import Max
from django.utils import timezone

from dsar import keys
from dsar.enums import UNVERIFIED_RIGHTS, Channel, Right
from dsar.intake import submit, web
from dsar.models import Case, Choice, Intake, PrivacyRequest

GPC_RIGHTS = (Right.OPT_OUT_SALE, Right.OPT_OUT_TARGETED)


def standing(email_index: str) -> dict[str, Choice]:
    """The choices of an address that are in force, by kind."""
    return {choice.kind: choice for choice in Choice.objects.of(email_index).standing()}


def under_way(email_index: str) -> dict[str, bool]:
    """Kinds of which an open request waits to be carried out; True where it takes the choice back. The newest counts."""
    if not email_index:
        return {}
    found = PrivacyRequest.objects.open().filter(case__email_index=email_index, right__in=UNVERIFIED_RIGHTS)
    return dict(found.order_by("pk").values_list("right", "take_back"))


def wanted(email_index: str, kinds: Iterable[str], *, take_back: bool) -> tuple[str, ...]:
    """Those kinds that would change anything: what is so already, or is about to be, is not asked for twice."""
    there, coming = standing(email_index), under_way(email_index)
    return tuple(kind for kind in kinds if coming.get(kind, kind not in there) != take_back)


def last_turn(email_index: str, kinds: Iterable[str], *, take_back: bool) -> int:
    """The key of the newest request to the contrary, 0 for none: what is pressed again after it is no repeat."""
    contrary = PrivacyRequest.objects.filter(
        case__email_index=email_index, right__in=kinds, take_back=not take_back
    )  # fmt: skip
    return contrary.aggregate(newest=Max("pk"))["newest"] or 0


def in_case(case: Case, kinds: Iterable[str], *, take_back: bool = False) -> list[PrivacyRequest]:
    """File choices, or their taking back, in a case whose person has shown that it is theirs. Repeatable."""
    with transaction.atomic():
        held = Case.objects.select_for_update().get(pk=case.pk)
        held.share_key(case)
        now = timezone.now()
        return [
            submit.add_request(held, kind, "", received_at=now, take_back=take_back)
            for kind in wanted(held.email_index, kinds, take_back=take_back)
        ]


def from_account(email: str, kinds: Iterable[str], number: str, *, take_back: bool = False) -> Intake | None:
    """File choices, or their taking back, of somebody who is signed in: a case of its own, through the one door.

    `number` is the one-time number of the button. None where nothing would change.
    """
    index = keys.email_index(email)
    rights = wanted(index, kinds, take_back=take_back)
    if not rights:
        return None
    dedupe = f"settings:{number}:{last_turn(index, rights, take_back=take_back)}"
    return web.take_in(Channel.SETTINGS, dedupe, email=email, rights=rights, take_back=take_back)
