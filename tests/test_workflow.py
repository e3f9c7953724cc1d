"""The one door: lock order, one transaction, and what many at the same time come to."""

import uuid
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.db import DatabaseError, OperationalError, connection, transaction
from django.db.models import F
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from dsar import audit, bell
from dsar.enums import Channel, CheckStatus, DecisionKind, Right, State
from dsar.intake import submit, web
from dsar.models import (
    REQUESTER,
    SYSTEM,
    Actor,
    AuditEvent,
    Case,
    Decision,
    IdentityCheck,
    Intake,
    Message,
    Plan,
    PrivacyRequest,
    Subject,
)  # fmt: skip
from dsar.notices import MessageStatus, Notice
from dsar.notifications import outbox
from dsar.verification import confirmation, links
from dsar.workflow import Because, Conflict, Forbidden, move
from tests import drive, house
from tests.drive import Route
from tests.locks import TABLES, locked

pytestmark = pytest.mark.usefixtures("own_journal")

POSTGRESQL = connection.vendor == "postgresql"


def test_law_02_locks_are_taken_in_the_order_of_the_house(route: Route) -> None:
    """Subject, Case, request, then the rest. On SQLite the transaction itself is the lock: only the writes show."""
    request = route.releasing()
    with CaptureQueriesContext(connection) as queries:
        move(request.pk, "dispute", actor=REQUESTER)
    order = locked(queries)
    wanted = list(TABLES) if POSTGRESQL else ["dsar_privacyrequest", "dsar_message"]
    assert [table for table in wanted if table in order] == [table for table in order if table in wanted]
    if POSTGRESQL:
        assert order[:3] == ["dsar_subject", "dsar_case", "dsar_privacyrequest"]
        assert order[-1] == "dsar_message"


def test_law_02_who_waits_for_a_request_holds_its_case_already(desk: None) -> None:
    """The order as the database keeps it, whatever the statements look like. SQLite lets one write at a time."""
    request = drive.a_request()
    if not POSTGRESQL:
        assert connection.settings_dict["OPTIONS"]["transaction_mode"] == "IMMEDIATE"
        return

    def case_is_taken() -> bool:
        try:
            with transaction.atomic():
                Case.objects.select_for_update(nowait=True).get(pk=request.case_id)
        except OperationalError:
            return True
        finally:
            connection.close()
        return False

    def withdraw() -> PrivacyRequest:
        try:
            return move(request.pk, "withdraw", actor=REQUESTER)
        finally:
            connection.close()

    with ThreadPoolExecutor(2) as pool:
        with transaction.atomic():
            PrivacyRequest.objects.select_for_update(of=("self",)).get(pk=request.pk)
            waiting = pool.submit(withdraw)
            house.wait_for(lambda: pool.submit(case_is_taken).result(), 20, "the mover's lock on the case")
            assert not waiting.done()
        assert waiting.result().state == State.WITHDRAWN


def test_law_02_the_confirmation_locks_in_the_same_order(route: Route) -> None:
    request = route.confirming()
    digest = Plan.objects.get(request=request).digest
    with CaptureQueriesContext(connection) as queries:
        confirmation.confirm(request.pk, digest)
    order = [table for table in locked(queries) if table in ("dsar_subject", "dsar_case", "dsar_privacyrequest")]
    if POSTGRESQL:
        assert order == ["dsar_subject", "dsar_case", "dsar_privacyrequest"]
    assert drive.fresh(request.pk).state == State.RELEASING


def test_law_02_proving_a_mailbox_locks_subject_before_case(db: None) -> None:
    request = drive.a_request()
    with CaptureQueriesContext(connection) as queries:
        drive.proven_by_link(request.case)
    order = [table for table in locked(queries) if table in ("dsar_subject", "dsar_case", "dsar_privacyrequest")]
    assert order.index("dsar_subject") < order.index("dsar_case")


def test_law_02_state_audit_row_and_outbox_row_come_together_or_not_at_all(desk: None) -> None:
    request = drive.a_request()
    counted = lambda: (AuditEvent.objects.count(), Message.objects.count(), drive.fresh(request.pk).state)  # noqa: E731
    before = counted()

    class Lost(Exception):
        """The connection goes after everything was written."""

    with pytest.raises(Lost), transaction.atomic():
        move(request.pk, "withdraw", actor=REQUESTER)
        assert counted() == (before[0] + 1, before[1] + 1, State.WITHDRAWN)
        raise Lost
    assert counted() == before
    move(request.pk, "withdraw", actor=REQUESTER)
    assert counted() == (before[0] + 1, before[1] + 1, State.WITHDRAWN)
    assert audit.verify() == []


def test_law_02_a_move_that_fails_at_its_last_row_leaves_nothing(desk: None) -> None:
    request = drive.a_request()
    before = AuditEvent.objects.count(), Message.objects.count()
    # The outbox is the last thing that a move writes.
    with house.full("dsar_message"), pytest.raises(DatabaseError, match="dsar_message is full"):
        move(request.pk, "withdraw", actor=REQUESTER)
    assert drive.fresh(request.pk).state == State.VERIFYING
    assert (AuditEvent.objects.count(), Message.objects.count()) == before
    assert Case.objects.get(pk=request.case_id).audit_length == before[0]


def test_a_move_without_effect_rings_no_bell_and_a_move_rings_after_the_commit(desk: None, broker: str) -> None:
    request = drive.a_request()
    heard = dict(bell.counters)
    with pytest.raises(Conflict):
        move(request.pk, "confirm", actor=REQUESTER, quiet=timedelta(0))
    assert bell.counters == heard
    with transaction.atomic():
        move(request.pk, "withdraw", actor=REQUESTER)
        assert bell.counters == heard
    assert sum(bell.counters.values()) > sum(heard.values())


def test_a_move_returns_a_fresh_object_and_leaves_the_old_one_alone(route: Route) -> None:
    old = drive.fresh(route.verifying().pk)
    after = move(old.pk, "withdraw", actor=REQUESTER)
    assert (old.state, after.state) == (State.VERIFYING, State.WITHDRAWN)
    assert after is not old


def test_a_wrong_state_is_told_before_a_wrong_actor(route: Route) -> None:
    request = route.verifying()
    with pytest.raises(Conflict):
        move(request.pk, "release", actor=REQUESTER)
    with pytest.raises(Forbidden):
        move(request.pk, "verify", actor=SYSTEM)


def test_a_refused_decision_leaves_no_decision(route: Route) -> None:
    request = drive.proposed(route.review())
    because = Because(DecisionKind.REFUSE, "X", "Y", "Z")
    for actor, error in ((route.handler, Forbidden), (REQUESTER, Forbidden)):
        with pytest.raises(error):
            move(request.pk, "refuse", actor=actor, because=because)
    assert not Decision.objects.filter(request=request).exists()


# --- many at once -----------------------------------------------------------------------------------------------------


def made(results: list[object], kind: type = PrivacyRequest) -> int:
    """How many succeeded; every other one must be an orderly refusal."""
    unexpected = [one for one in results if not isinstance(one, kind | Conflict | links.Refused)]
    assert not unexpected, unexpected[:3]
    return sum(isinstance(one, kind) for one in results)


def test_law_02_fifty_parallel_moves_of_one_verb_make_one(desk: None) -> None:
    request = drive.a_request()
    results = drive.at_once(50, lambda _: move(request.pk, "withdraw", actor=REQUESTER))
    assert made(results) == 1
    assert AuditEvent.objects.filter(what="withdraw").count() == 1
    assert Message.objects.filter(notice=Notice.WITHDRAWN).count() == 1
    assert audit.verify() == []


def test_fifty_parallel_moves_of_rival_verbs_make_one(desk: None, handler: Actor, approver: Actor) -> None:
    request = drive.proposed(Route(handler, approver).triage())
    verbs = [("withdraw", REQUESTER), ("refuse", approver), ("refer", handler)]
    results = drive.at_once(51, lambda n: move(request.pk, verbs[n % 3][0], actor=verbs[n % 3][1]))
    assert made(results) == 1
    ended = drive.fresh(request.pk)
    assert AuditEvent.objects.filter(request_id=request.pk, to_state=ended.state).count() == 1
    assert audit.verify() == []


def test_fifty_parallel_uses_of_one_link_make_one_transition(desk: None) -> None:
    request = drive.a_request()
    token = drive.token_of(request.case)
    results = drive.at_once(50, lambda _: links.prove_mailbox(token))
    assert made(results, Case) == 1
    assert {one.problem for one in results if isinstance(one, links.Refused)} == {"spent"}
    assert AuditEvent.objects.filter(what="mailbox_proven").count() == 1
    assert AuditEvent.objects.filter(what="verify").count() == 1
    assert Subject.objects.count() == 1
    assert drive.fresh(request.pk).state == State.LOCATING


def test_fifty_parallel_confirmations_make_one(desk: None, handler: Actor, approver: Actor) -> None:
    request = Route(handler, approver).confirming()
    digest = Plan.objects.get(request=request).digest
    results = drive.at_once(50, lambda _: confirmation.confirm(request.pk, digest))
    assert made(results) == 1
    assert Message.objects.filter(notice=Notice.CONFIRMED).count() == 1
    assert drive.fresh(request.pk).state == State.RELEASING


def test_many_cases_of_one_person_are_proven_side_by_side(desk: None) -> None:
    """Two requests of one address meet at the subject; none waits for the other for ever."""
    cases = [drive.a_case("same@example.com") for _ in range(3)]
    tokens = [drive.token_of(case) for case in cases]
    results = drive.at_once(3, lambda n: links.prove_mailbox(tokens[n]), threads=3)
    assert made(results, Case) == 3
    assert Case.objects.values("subject").distinct().count() == 1


def test_fifty_double_submits_make_one_case(desk: None) -> None:
    raw = drive.form_bytes("double@example.com")
    number = f"web:{uuid.uuid4().hex}"

    def submit_form(_: int) -> Case:
        intake, _fresh = submit.receive(Channel.WEB, raw, number)
        return web.process(intake, raw)

    results = drive.at_once(50, submit_form)
    assert made(results, Case) == 50
    assert len({case.pk for case in results}) == 1
    assert (Intake.objects.count(), Case.objects.count(), PrivacyRequest.objects.count()) == (1, 1, 1)
    assert Message.objects.filter(notice=Notice.RECEIVED_VERIFY).count() == 1


def test_law_10_parallel_forms_for_one_address_send_three_links_and_keep_every_request(desk: None) -> None:
    def submit_form(_: int) -> Case:
        raw = drive.form_bytes("often@example.com")
        intake, _fresh = submit.receive(Channel.WEB, raw, f"web:{uuid.uuid4().hex}")
        return web.process(intake, raw)

    results = drive.at_once(20, submit_form)
    assert made(results, Case) == 20
    assert PrivacyRequest.objects.filter(state=State.VERIFYING).count() == 20
    assert Message.objects.filter(notice=Notice.RECEIVED_VERIFY).count() == 3


def test_parallel_requests_for_a_new_link_stay_under_the_limit(desk: None) -> None:
    case = drive.a_case("asks@example.com")
    drive.at_once(20, lambda _: links.send_new_link(case))
    links_sent = Message.objects.filter(notice=Notice.RECEIVED_VERIFY)
    assert links_sent.count() == 3
    # The newest link alone is open: an older one is spent.
    assert IdentityCheck.objects.filter(case=case, status=CheckStatus.PENDING, kind="mailbox").count() == 1


def test_the_limit_is_for_one_address_and_one_day(desk: None) -> None:
    case = drive.a_case("asks@example.com")
    for _ in range(4):
        links.send_new_link(case)
    assert Message.objects.filter(case=case, notice=Notice.RECEIVED_VERIFY).count() == 3
    other = drive.a_case("somebody.else@example.com")
    assert Message.objects.filter(case=other, notice=Notice.RECEIVED_VERIFY).count() == 1
    Message.objects.filter(case=case).update(created_at=F("created_at") - timedelta(hours=25))
    links.send_new_link(case)
    assert Message.objects.filter(case=case, notice=Notice.RECEIVED_VERIFY).count() == 4


def test_the_limit_counts_an_address_however_it_is_written(desk: None) -> None:
    for written in (
        "Asks@Example.com",
        "asks@EXAMPLE.com",
        " asks@example.com ",
        "ASKS@EXAMPLE.COM",
        "asks@example.com",
    ):
        drive.a_case(written)
    assert Message.objects.filter(notice=Notice.RECEIVED_VERIFY).count() == 3


def test_five_wrong_codes_end_a_code_and_not_the_persons_way(desk: None) -> None:
    case = drive.a_case()
    check = links.send_code(case)
    assert check is not None
    wrong = f"{(int(check.code) + 1) % 10**8:08d}"
    problems = []
    for _ in range(6):
        with pytest.raises(links.Refused) as caught:
            links.open_with_code(case, wrong)
        problems.append(caught.value.problem)
    assert problems == ["wrong"] * 5 + ["exhausted"]
    with pytest.raises(links.Refused):
        links.open_with_code(case, check.code)
    again = links.send_code(case)
    assert again is not None
    assert links.open_with_code(case, again.code).status == CheckStatus.PASSED


def test_fifty_parallel_guesses_are_five(desk: None) -> None:
    case = drive.a_case()
    check = links.send_code(case)
    assert check is not None
    wrong = f"{(int(check.code) + 1) % 10**8:08d}"
    results = drive.at_once(50, lambda _: links.open_with_code(case, wrong))
    assert all(isinstance(one, links.Refused) for one in results)
    assert IdentityCheck.objects.get(pk=check.pk).status == CheckStatus.FAILED
    with pytest.raises(links.Refused):
        links.open_with_code(case, check.code)


@pytest.mark.parametrize("problem", ["unknown", "expired", "spent"])
def test_a_link_that_cannot_be_used_says_why_and_changes_nothing(desk: None, problem: str) -> None:
    case = drive.a_case()
    token = drive.token_of(case)
    if problem == "unknown":
        token = token[::-1]
    elif problem == "expired":
        IdentityCheck.objects.filter(case=case).update(expires_at=timezone.now())
    else:
        links.prove_mailbox(token)
    before = AuditEvent.objects.count()
    assert links.look(token).problem == problem
    with pytest.raises(links.Refused, match=problem):
        links.prove_mailbox(token)
    assert AuditEvent.objects.count() == before


def test_law_10_looking_at_a_link_changes_nothing(desk: None) -> None:
    request = drive.a_request()
    token = drive.token_of(request.case)
    rows = list(IdentityCheck.objects.values()), AuditEvent.objects.count(), Message.objects.count()
    for _ in range(5):
        assert links.look(token).problem == ""
    assert (list(IdentityCheck.objects.values()), AuditEvent.objects.count(), Message.objects.count()) == rows


def test_a_request_of_a_proven_case_needs_no_second_link(desk: None) -> None:
    """ "Get a copy first", asked for on the confirmation page: it goes on at once."""
    case = drive.proven_by_link(drive.a_case())
    with transaction.atomic():
        request = submit.add_request(Case.objects.get(pk=case.pk), Right.ACCESS, "A copy first.")
    assert request.state == State.LOCATING
    assert Message.objects.filter(notice=Notice.RECEIVED_VERIFY).count() == 1


def test_what_is_queued_is_sent_once_by_many_senders(desk: None) -> None:
    for _ in range(10):
        drive.a_case()
    results = drive.at_once(4, lambda _: outbox.drain(), threads=4)
    assert sum(results) == 10
    assert set(Message.objects.values_list("status", flat=True)) == {MessageStatus.SENT}
