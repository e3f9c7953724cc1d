"""Questions put from our own records: switched on in the data map field by field, and never enough alone (11 CCR 7060-7062).

Right answers count beside a proven mailbox, for the categories and for nothing else. Whoever is not known here is asked as
many questions of the same kinds, with the same look, and can never answer them rightly (law 10). The worker makes them; nobody
looks anything up while a person waits for a page.
"""

import json
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from itertools import count
from typing import Any, Final

from django.conf import settings
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from dsar import audit, bell, keys
from dsar.connectors.base import SourceError
from dsar.datamap import loader
from dsar.enums import CheckKind, CheckStatus, Lane, State
from dsar.law import tiers
from dsar.models import REQUESTER, SYSTEM, Case, IdentityCheck, PrivacyRequest
from dsar.verification import asking, data_points, points, proving
from dsar.workflow import Conflict, Invalid, each, move

# So many questions, with so many answers to choose from: whoever guesses is right once in 25 tries at most.
LEAST, MOST, ANSWERS = 2, 3, 5
NONE_OF_THEM: Final = "none"
# What is asked of a kind of field, as a whole number below so many.
SPACES: Final = {"phone": 100, "date": 31}


@dataclass(frozen=True)
class Question:
    """One question in words, with the answers to choose from; "none of these" stands beside them."""

    text: str
    answers: tuple[str, ...]


def helps(case: Case, asked: asking.Asked) -> list[PrivacyRequest]:
    """The requests that right answers would be enough for."""
    return [
        one for one in asked.requests if tiers.quiz_reaches(one.right, one.tier_needed, case.proven_tier)
    ]  # fmt: skip


def fields(case: Case) -> tuple[str, ...]:
    """What is asked about: the same for everybody of whom the law asks as much. Empty where the data map names too little."""
    found = data_points.usable(case, loader.current().quizzing)[:MOST]
    return found if len(found) >= LEAST else ()


def begin(case: Case) -> IdentityCheck:
    """Let a worker make the questions. It counts as a try. Raises Conflict where they would help nothing, or no try is left."""
    now = timezone.now()
    with transaction.atomic():
        held, _subject = proving.hold(case)
        asked = asking.missing(held)
        about = fields(held)
        if asked is None or not helps(held, asked) or not about:
            raise Conflict("quiz")
        if data_points.pending(held) or not data_points.attempts_left(held, now):
            raise Conflict("quiz")
        check = IdentityCheck.objects.create(
            case=held, kind=CheckKind.QUIZ, method="quiz", tier=tiers.reached(held.law, "quiz"),
            created_at=now, expires_at=now + data_points.COMPARE_FOR, asked=list(about),
        )  # fmt: skip
        audit.record(held, audit.Entry("quiz_begun", REQUESTER))
        bell.ring(Lane.PROVE)
    return check


def drain(turn: bell.Turn | None = None) -> int:
    """Make the questions that somebody waits for; end those that nobody answered. Returns how many."""
    waiting = IdentityCheck.objects.filter(kind=CheckKind.QUIZ, status=CheckStatus.PENDING)
    unmade = waiting.filter(stated_sealed=None).order_by("pk").values_list("pk", flat=True)
    stale = waiting.filter(stated_sealed__isnull=False, expires_at__lte=timezone.now()).values_list("pk", flat=True)
    made = each(list(unmade[: data_points.BATCH]), make, "questions could not be made")
    return made + each(
        list(stale[: data_points.BATCH]), lambda pk: _end(pk, CheckStatus.FAILED), "a quiz was not ended"
    )


def make(pk: int) -> bool:
    """Make the questions of one quiz and seal them, with their answers. False where a source does not answer yet."""
    check = IdentityCheck.objects.select_related("case").get(pk=pk)
    case = check.case
    if timezone.now() >= check.expires_at or case.purged_at:
        return _end(pk, CheckStatus.SUPERSEDED)
    try:
        known = data_points.known_of(case.email, check.asked)
    except SourceError:
        return False
    made = [_question(case, field, known[field]) for field in check.asked]
    with transaction.atomic():
        held, _subject = proving.hold(case)
        open_one = IdentityCheck.objects.select_for_update(of=("self",)).get(pk=pk)
        if open_one.status != CheckStatus.PENDING:
            return False
        open_one.stated_sealed = held.seal(json.dumps(made), "quiz")
        open_one.save(update_fields=["stated_sealed"])
    return True


def _question(case: Case, field: str, values: Sequence[str]) -> dict[str, Any]:
    kind = loader.current().fields[field].kind
    parts = sorted({part for value in values if (part := points.part(kind, value))})
    # The wrong answers are the same each time: trying again rules none of them out.
    wrong = _look_alikes(case.email_index, field, SPACES[kind], parts)
    answers = [*parts[:1], *(next(wrong) for _ in range(ANSWERS - len(parts[:1])))]
    return {"field": field, "answers": sorted(answers, key=int), "right": parts[0] if parts else None}


def _look_alikes(index: str, field: str, space: int, but: Collection[str]) -> Iterator[str]:
    seen = set(but)
    for number in count():
        drawn = int.from_bytes(keys.mac("quiz", index, field, str(number))[:8], "big") % space
        made = f"{drawn:02}" if space == SPACES["phone"] else str(drawn + 1)
        if made not in seen:
            seen.add(made)
            yield made


def questions(check: IdentityCheck) -> list[Question]:
    """The questions of a quiz, for its person; none while they are being made."""
    if check.stated_sealed is None:
        return []
    described = loader.current().fields
    words = {
        "phone": _("What are the last two figures? %(what)s"), "date": _("On which day of the month? %(what)s"),
    }  # fmt: skip
    return [
        Question(
            words[described[one["field"]].kind] % {"what": _(described[one["field"]].label)}, tuple(one["answers"])
        )
        for one in _opened(check)
    ]


def _opened(check: IdentityCheck) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(check.case.unseal(check.stated_sealed, "quiz"))
    return found


def answer(case: Case, chosen: Sequence[str]) -> bool:
    """Compare the answers with those that were sealed with the questions, and destroy both. True where all are right.

    Raises Conflict (no questions are open), Invalid (one is not answered).
    """
    with transaction.atomic():
        held, _subject = proving.hold(case)
        check = held.checks.select_for_update().filter(kind=CheckKind.QUIZ, status=CheckStatus.PENDING).first()
        if check is None or check.stated_sealed is None or timezone.now() >= check.expires_at:
            raise Conflict("quiz")
        check.case = held
        asked = _opened(check)
        if len(chosen) != len(asked):
            raise Invalid(_("Please answer every question."))
        # Whoever is not known has no right answer, and "none of these" is none either.
        right = [
            one["right"] is not None and keys.same(str(one["right"]), said)
            for one, said in zip(asked, chosen, strict=True)
        ]
        passed = sum(right) == len(asked) > 0
        _end(check.pk, CheckStatus.PASSED if passed else CheckStatus.FAILED)
    return passed


def _end(pk: int, status: CheckStatus) -> bool:
    now = timezone.now()
    with transaction.atomic():
        check = IdentityCheck.objects.select_related("case").get(pk=pk)
        case, _subject = proving.hold(check.case)
        lasts = now + settings.PROOF_LIFETIME if status == CheckStatus.PASSED else None
        done = IdentityCheck.objects.filter(pk=pk, status=CheckStatus.PENDING).update(
            status=status, decided_at=now, valid_until=lasts, stated_sealed=None
        )
        if not done:
            return False
        what = {CheckStatus.PASSED: "quiz_passed", CheckStatus.FAILED: "quiz_failed"}.get(status, "quiz_not_made")
        audit.record(case, audit.Entry(what, SYSTEM, details={"method": check.method}))
        if status == CheckStatus.PASSED:
            _move_on(case)
    return True


def _move_on(case: Case) -> None:
    """What the answers are enough for goes on to the search; the tier of the case stays what it was."""
    waiting = case.requests.filter(right__in=tiers.QUIZ_RIGHTS, tier_needed__gt=case.proven_tier)
    waiting = waiting.filter(state__in=[State.VERIFYING, State.REVIEW])
    for one in waiting.order_by("pk"):
        one.case = case
        if one.is_proven_enough:
            move(one.pk, "verify", actor=REQUESTER, tier=one.tier_needed)
