"""Whatever is done in whatever order by whomever: what must never be, never is."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection, transaction
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from dsar import audit, proposals
from dsar.enums import BOUND_STATES, FINAL_STATES, UNVERIFIED_RIGHTS, DecisionKind, Outcome, Right, State
from dsar.models import REQUESTER, Actor, AuditEvent, Message, PrivacyRequest
from dsar.models.privacy_request import VERBS
from dsar.verification import links
from dsar.workflow import ENDINGS, ENDS_BY_VERB, GRANTED, Because, Conflict, Forbidden, move
from tests import drive
from tests.drive import Route
from tests.situations import given as told

pytestmark = pytest.mark.usefixtures("own_journal")

ACTORS = ("requester", "handler", "approver", "auditor", "admin", "nobody", "system")
SOURCES = {verb: set(getattr(PrivacyRequest, verb)._django_fsm.transitions) for verb in VERBS}
ENDS = ("merge", "reject", "withdraw", "refuse", "refer", "lapse", "uphold_dispute", "settle")

steps = st.lists(
    st.tuples(st.integers(0, 999), st.sampled_from(ACTORS), st.booleans(), st.booleans()), min_size=20, max_size=40
)


def chosen(state: str, number: int, sensible: bool) -> str:
    """Any verb at all, or one that exists in this state; one that ends it seldom, so that walks get far."""
    possible = [verb for verb in VERBS if state in SOURCES[verb] and (number % 7 == 6 or verb not in ENDS)]
    pool = possible if sensible and possible else VERBS
    return pool[number // 7 % len(pool)]


@settings(
    max_examples=20, deadline=None, database=None, derandomize=True,
    phases=[Phase.explicit, Phase.generate, Phase.shrink],
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)  # fmt: skip
@given(
    begin=st.sampled_from(["", "confirming", "releasing", "fulfilling"]),
    walk=steps,
    right=st.sampled_from([*[Right.DELETION] * 4, Right.ACCESS, Right.OPT_OUT_SALE, Right.UNCLEAR]),
)
def test_law_03_no_sequence_of_verbs_by_anybody_breaks_what_must_hold(
    begin: str, walk: list[tuple[int, str, bool, bool]], right: Right, actors: dict[str, Actor]
) -> None:
    with transaction.atomic():
        # Some walks begin further on: by chance alone few would come past a confirmation.
        route = Route(actors["handler"], actors["approver"])
        request = getattr(route, begin)() if begin else drive.a_request(right=right)
        bound_at = None
        ended: tuple[str, str] | None = None
        for number, who, sensible, extra in walk:
            before = drive.fresh(request.pk)
            verb = chosen(before.state, number, sensible)
            actor = actors[rightful_actor(verb) if sensible else who]
            trail = AuditEvent.objects.count()
            try:
                with transaction.atomic():
                    act(before, verb, actor, extra)
                moved = True
            except (Conflict, Forbidden, links.Refused, ValueError):
                moved = False
            now = drive.fresh(request.pk)
            holds_for(now)
            if not moved:
                assert now.state == before.state
                assert AuditEvent.objects.count() == trail
            if bound_at is not None:
                assert now.confirmed_at == bound_at
                assert now.state in BOUND_STATES
            if ended is not None:
                assert (now.state, now.outcome) == ended
            bound_at = bound_at or now.confirmed_at
            ended = ended or ((now.state, now.outcome) if now.state in FINAL_STATES else None)
        last = drive.fresh(request.pk)
        if last.outcome and last.outcome != Outcome.REJECTED:
            ends = [ENDINGS.get(last.outcome) or GRANTED[last.right], *ENDS_BY_VERB.values()]
            assert Message.objects.filter(request=last, notice__in=ends).count() == 1
        assert audit.verify() == []
        connection.check_constraints()
        transaction.set_rollback(True)


def rightful_actor(verb: str) -> str:
    """Somebody who may: half of the tries are meant to get through."""
    return {
        "verify": "requester", "confirm": "requester", "dispute": "requester", "withdraw": "requester",
        "answer": "requester",
        "route": "system", "not_proven": "system", "located": "system", "no_answer": "system", "unpaid": "system", "unanswered": "system",
        "settle": "system", "packed": "system", "overtake": "system",
    }.get(verb, "approver")  # fmt: skip


def act(request: PrivacyRequest, verb: str, actor: Actor, extra: bool) -> None:
    """One verb; where it has two ways to go, `extra` says which. A proof goes through its link."""
    given_: dict[str, Any] = told(verb)
    if verb == "verify" and actor is REQUESTER and not request.case.is_proven and request.right:
        if request.case.checks.filter(kind="mailbox").exists():
            drive.proven_by_link(request.case)
            return
    if verb == "located" and extra:
        given_ = {"nothing_held": False, "judgement": ["staff"]}
    if verb == "narrow" and extra:
        given_ = {"nothing_left": True}
    if verb == "confirm" and request.state == State.CONFIRMING:
        drive.freeze(request)
        given_ = {"quiet": timedelta(0)} if extra else given_
    kind = DecisionKind.NARROW if verb == "narrow" else DecisionKind.REFUSE
    if verb in ("narrow", "refuse") and proposals.standing(request) is None and not request.is_ended:
        # Half of what takes two people was proposed by somebody else, half by nobody.
        if extra:
            drive.proposed(request, kind)
    because = Because(DecisionKind.NARROW, text="Because.") if verb == "narrow" else None
    move(request.pk, verb, actor=actor, because=because, **given_)


def holds_for(request: PrivacyRequest) -> None:
    """What section 5 and the laws say of every request at every moment."""
    assert drive.is_where_it_may_be(request)
    assert (request.state in FINAL_STATES) == bool(request.outcome) == (request.ended_at is not None)
    if request.confirmed_at is not None:
        assert request.right == Right.DELETION
        assert request.quiet_until is not None
        assert request.plans.filter(frozen_at__isnull=False).exists()
    if request.released_at is not None:
        assert request.confirmed_at is not None
        assert request.quiet_until is not None
        assert request.released_at >= request.quiet_until
    if request.state == State.FULFILLING and request.right == Right.DELETION:
        assert request.released_at is not None
    if request.state in (State.CONFIRMING, State.RELEASING):
        assert request.case.is_proven
    if request.state in (State.FULFILLING, State.CHECKING):
        assert request.case.is_proven or request.right in UNVERIFIED_RIGHTS
    if request.disputed_at is not None:
        assert request.confirmed_at is not None
