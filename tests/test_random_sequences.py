"""Whatever is done in whatever order by whomever: what must never be, never is."""

from typing import Any

import pytest
from django.db import connection, transaction
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from accounts.models import Role
from dsar import audit
from dsar.enums import BOUND_STATES, FINAL_STATES, DecisionKind, Outcome, Right, State
from dsar.models import REQUESTER, SYSTEM, Actor, AuditEvent, Message, PrivacyRequest
from dsar.models.privacy_request import VERBS
from dsar.verification import links
from dsar.workflow import ENDINGS, Because, Conflict, Forbidden, move
from tests import drive
from tests.test_state_machine import given as told

ACTORS = ("requester", "handler", "approver", "auditor", "admin", "nobody", "system")
# Verbs that lead on come more often: a random walk should reach the far end of the machine.
WALK = [*VERBS, *("verify", "located", "approve", "confirm", "release", "dispute", "narrow") * 3]

steps = st.lists(
    st.tuples(st.sampled_from(WALK), st.sampled_from(ACTORS), st.booleans(), st.booleans()), min_size=8, max_size=40
)


@pytest.fixture
def actors(db: None) -> dict[str, Actor]:
    roles = {"handler": Role.HANDLER, "approver": Role.APPROVER, "auditor": Role.AUDITOR, "admin": Role.ADMIN}
    found = {name: drive.person_of_the_desk(role) for name, role in roles.items()}
    return {**found, "nobody": drive.person_of_the_desk(Role.NONE), "requester": REQUESTER, "system": SYSTEM}


@settings(
    max_examples=40, deadline=None, database=None, derandomize=True, phases=[Phase.explicit, Phase.generate, Phase.shrink],
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)  # fmt: skip
@given(walk=steps, right=st.sampled_from([Right.DELETION, Right.DELETION, Right.ACCESS, Right.OPT_OUT_SALE, Right.UNCLEAR]))
def test_law_03_no_sequence_of_verbs_by_anybody_breaks_what_must_hold(
    walk: list[tuple[str, str, bool, bool]], right: Right, actors: dict[str, Actor]
) -> None:
    with transaction.atomic():
        request = drive.a_request(right=right)
        bound_at = None
        ended: tuple[str, str] | None = None
        for verb, who, rightful, extra in walk:
            actor = actors[rightful_actor(verb) if rightful else who]
            before = drive.fresh(request.pk)
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
            assert Message.objects.filter(request=last, notice=ENDINGS[last.outcome]).count() == 1
        assert audit.verify() == []
        connection.check_constraints()
        transaction.set_rollback(True)


def rightful_actor(verb: str) -> str:
    """Somebody who may: half of the tries are meant to get through."""
    return {
        "verify": "requester", "confirm": "requester", "dispute": "requester", "withdraw": "requester", "answer": "requester",
        "route": "system", "not_proven": "system", "located": "system", "no_answer": "system", "unanswered": "system",
        "settle": "system",
    }.get(verb, "approver")  # fmt: skip


def act(request: PrivacyRequest, verb: str, actor: Actor, extra: bool) -> None:
    """One verb; where it has two ways to go, `extra` says which. A proof goes through its link."""
    given_: dict[str, Any] = told(verb)
    if verb == "verify" and actor is REQUESTER and not request.case.is_proven and request.right:
        if request.case.checks.filter(kind="mailbox").exists():
            drive.proven_by_link(request.case)
            return
    if verb == "located" and extra:
        given_ = {"nothing_held": not request.pk % 3, "judgement": ["staff"]}
    if verb == "narrow" and extra:
        given_ = {"nothing_left": True}
    if verb == "confirm" and request.state == State.CONFIRMING:
        drive.freeze(request)
        given_ = {"quiet": drive.later() - drive.later()} if extra else given_
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
    if request.state == State.FULFILLING:
        assert request.released_at is not None
    if request.state in (State.CONFIRMING, State.RELEASING, State.FULFILLING):
        assert request.case.is_proven
    if request.disputed_at is not None:
        assert request.confirmed_at is not None
