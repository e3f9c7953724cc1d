"""Who took part in what was decided about a request: nobody of them looks at it again (e.g. C.R.S. 6-1-1306(3))."""

from collections import defaultdict
from collections.abc import Iterable
from datetime import datetime
from typing import Any

from django.db.models import QuerySet

from dsar.enums import ActorKind, CheckStatus, DecisionKind, SecondLook
from dsar.models import (
    Actor,
    Appeal,
    AuditEvent,
    Correction,
    Decision,
    IdentityCheck,
    NonDisclosure,
    PrivacyRequest,
    Redaction,
    Representation,
    SignedConfirmation,
)
from dsar.models.two_people import second_look

# These decide nothing that could be looked at again.
ROUTINE = (
    DecisionKind.CLASSIFY, DecisionKind.SPLIT, DecisionKind.ASK, DecisionKind.EXTEND, DecisionKind.MERGE, DecisionKind.NOT_ME,
    DecisionKind.FEE_PAID,
)  # fmt: skip

Decided = list[tuple[int, datetime]]


def _of_requests() -> list[tuple[QuerySet[Any], str]]:
    """What is decided about a request, and by which of its columns: who, and `_at` for when."""
    decisions = Decision.objects.exclude(kind__in=ROUTINE)
    return [
        (decisions, "decided"),
        (decisions, "second"),
        (Correction.objects.all(), "decided"),
        (Correction.objects.all(), "confirmed"),
        (Redaction.objects.all(), "decided"),
        (NonDisclosure.objects.all(), "first"),
        (NonDisclosure.objects.all(), "second"),
        (SignedConfirmation.objects.filter(status=CheckStatus.FAILED), "decided"),
        (Appeal.objects.all(), "decided"),
    ]


def _of_cases() -> list[tuple[QuerySet[Any], str]]:
    """What was found of who asks, for every request of the case: not shown, papers not enough, no authority."""
    return [
        (IdentityCheck.objects.filter(status=CheckStatus.FAILED), "decided"),
        (Representation.objects.all(), "refused"),
    ]


def who_decided(requests: Iterable[int]) -> dict[int, Decided]:
    """Who took part in deciding these requests (by number), and when: the answer, a field, a row of a copy, what is not told,
    who was not shown to be the person, whoever looked again before. A fixed number of queries."""
    found: dict[int, Decided] = {pk: [] for pk in requests}
    of_case = defaultdict(list)
    for pk, case in PrivacyRequest.objects.filter(pk__in=found).values_list("pk", "case_id"):
        of_case[case].append(pk)
    for rows, which in _of_requests():
        for pk, by, at in _said(rows.filter(request__in=found), "request_id", which):
            found[pk].append((by, at))
    for rows, which in _of_cases():
        for case, by, at in _said(rows.filter(case__in=of_case), "case_id", which):
            for pk in of_case[case]:
                found[pk].append((by, at))
    return found


def _said(rows: QuerySet[Any], of: str, which: str) -> QuerySet[Any]:
    known = rows.filter(**{f"{which}_by__isnull": False, f"{which}_at__isnull": False})
    return known.values_list(of, f"{which}_by_id", f"{which}_at")


def look(appeal: Appeal, actor: Actor) -> SecondLook:
    """Whether this person may answer, as far as the rule of the second person goes (models/two_people.py)."""
    return second_look(who_decided([appeal.request_id])[appeal.request_id], actor)


def look_at_calling_off(appeal: Appeal, actor: Actor) -> SecondLook:
    """Whether this person may note that it is called off. Who decided what it is about may not, on their own word; where the
    person has written since, by mail or on their page, it is theirs that counts and stands in the conversation."""
    return SecondLook.ANOTHER if wrote_since(appeal) else look(appeal, actor)


def wrote_since(appeal: Appeal) -> bool:
    """Whether the person themselves has written since it was taken up: not what a colleague wrote down."""
    trail = AuditEvent.objects.filter(chain=appeal.request.case.chain)
    taken = trail.filter(what="appeal_received", details__appeal=appeal.pk).order_by("-number").values("number")[:1]
    theirs = trail.filter(actor_kind=ActorKind.REQUESTER, what__in=("mail_received", "not_content"))
    return bool(theirs.filter(number__gt=taken).exists())
