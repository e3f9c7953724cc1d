"""A refusal takes two people: nothing moves and no letter leaves before the second."""

from collections.abc import Callable
from datetime import timedelta
from email.message import EmailMessage

import pytest
from django.db import DatabaseError, connection, transaction
from django.utils import timezone

from accounts.models import Role
from dsar import audit, proposals
from dsar.enums import (
    Channel,
    CorrectionStatus,
    DecisionKind,
    Outcome,
    ProposalStatus,
    Right,
    State,
    StepReason,
)
from dsar.fulfilment import lookout, narrowing
from dsar.intake import beside, email, submit
from dsar.models import REQUESTER, SYSTEM, Actor, AuditEvent, Case, Correction, Message, PrivacyRequest, Proposal
from dsar.models.unanswered import HEARD
from dsar.notices import Notice
from dsar.notifications import compose
from dsar.review import appeals, corrections, decide, laws, refusals
from dsar.verification import papers, representation
from dsar.workflow import Conflict, Forbidden, Invalid, move
from tests import drive, house
from tests.drive import CAST, Route
from tests.remedies import BRITAIN, under

pytestmark = pytest.mark.usefixtures("own_journal")

CODE, WORDS = "MANIFESTLY_UNFOUNDED", "The same was asked eleven times this month."


@pytest.fixture
def second(db: None) -> Actor:
    return drive.person_of_the_desk(Role.APPROVER, "second")


def propose(pk: int, code: str, text: str, *, actor: Actor) -> Proposal:
    return refusals.propose(pk, code, text, actor=actor, facts="Ten in a day.")


def told(request: PrivacyRequest) -> set[str]:
    return set(Message.objects.filter(request=request).values_list("notice", flat=True))


@pytest.mark.parametrize("where", ["review", "triage"])
def test_nothing_moves_and_no_letter_leaves_before_the_second_person(route: Route, second: Actor, where: str) -> None:
    request = getattr(route, where)()
    before = (request.state, request.due_on, request.target_on, told(request))
    with pytest.raises(Conflict):
        move(request.pk, "refuse", actor=second)
    made = propose(request.pk, CODE, WORDS, actor=route.approver)
    held = drive.fresh(request.pk)
    assert (held.state, held.due_on, held.target_on, told(held)) == before
    assert not held.decisions.exists()
    assert held in PrivacyRequest.objects.to_confirm()
    assert WORDS.encode() not in bytes(made.text_sealed or b"")
    with pytest.raises(Conflict):
        propose(request.pk, CODE, "Once more.", actor=second)
    for nobody in (route.approver, route.handler):
        with pytest.raises(Forbidden):
            refusals.confirm(request.pk, actor=nobody, seen=made.pk)
        with pytest.raises(Forbidden):
            move(request.pk, "refuse", actor=nobody)
    with pytest.raises(Conflict):
        refusals.confirm(request.pk, actor=second, seen=made.pk + 1)
    done = refusals.confirm(request.pk, actor=second, seen=made.pk)
    assert (done.state, done.outcome) == (State.REFUSED, Outcome.DENIED)
    decision = done.decisions.get(kind=DecisionKind.REFUSE)
    assert (decision.decided_by_id, decision.decided_at) == (route.approver.user_id, made.proposed_at)
    assert (decision.second_by_id, decision.same_person) == (second.user_id, False)
    letter = Message.objects.get(request=done, notice=Notice.REFUSED)
    said = " ".join(str(compose.mail(letter).body).split())
    assert WORDS in said
    assert "an approver of our privacy team" in said
    made.refresh_from_db()
    assert (made.status, made.decided_by_id) == (ProposalStatus.CONFIRMED, second.user_id)
    assert [event.what for event in AuditEvent.objects.filter(chain=done.case.chain).order_by("-number")[:2]] == [
        "refuse", "refuse_proposed",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("code", "state", "outcome"),
    [
        ("IDENTITY_NOT_PROVEN", State.LAPSED, Outcome.NOT_PROVEN),
        ("NOT_OUR_CONTROLLER", State.COMPLETED, Outcome.REFERRED),
    ],
)
def test_an_end_by_a_code_of_the_catalogue_is_confirmed_too(
    route: Route, second: Actor, code: str, state: State, outcome: Outcome
) -> None:
    made = propose(route.review_unproven().pk, code, WORDS, actor=route.handler)
    with pytest.raises(Forbidden):
        refusals.confirm(made.request_id, actor=route.handler, seen=made.pk)
    done = refusals.confirm(made.request_id, actor=second, seen=made.pk)
    assert (done.state, done.outcome) == (state, outcome)


def test_it_is_sent_back_with_a_note_or_taken_back_and_proposed_anew(route: Route, second: Actor) -> None:
    request = route.review()
    for back, by in ((second, route.handler), (route.handler, route.handler)):
        made = propose(request.pk, CODE, WORDS, actor=by)
        with pytest.raises(Invalid):
            refusals.send_back(request.pk, "  ", actor=back, seen=made.pk)
        with pytest.raises(Forbidden):
            other = drive.person_of_the_desk(Role.HANDLER)
            refusals.send_back(request.pk, "I know better.", actor=other, seen=made.pk)
        found = refusals.send_back(request.pk, "Say which requests.", actor=back, seen=made.pk)
        assert (found.status, found.note) == (ProposalStatus.SENT_BACK, "Say which requests.")
        with pytest.raises(Conflict):
            refusals.confirm(request.pk, actor=second, seen=made.pk)
    assert drive.fresh(request.pk).state == State.REVIEW
    assert not told(request) & {Notice.REFUSED}
    assert drive.refuse(request.pk, CODE, WORDS, actor=second, facts="Ten in a day.").state == State.REFUSED


def writes(case: Case) -> None:
    mail = EmailMessage()
    mail["From"], mail["To"], mail["Subject"] = case.email, case.reply_address(), "Re: your letter"
    mail.set_content("Here is what you asked for.")
    email.process(email.receive(mail.as_bytes())[0])


def test_whatever_else_happens_withdraws_it_and_more_time_does_not(
    desk: None, handler: Actor, approver: Actor, second_approver: Actor
) -> None:
    route = Route(handler, approver)
    later = {
        "due_on": timezone.localdate() + timedelta(days=90),
        "target_on": timezone.localdate() + timedelta(days=80),
    }
    happens = {
        "asked": lambda pk: decide.ask(pk, "Which ones?", actor=handler),
        "approved": lambda pk: move(pk, "approve", actor=approver),
        "written": lambda pk: writes(drive.fresh(pk).case),
        "extended": lambda pk: move(pk, "extend", actor=handler, **later),
    }
    for name, happen in happens.items():
        made = propose(route.review().pk, CODE, WORDS, actor=approver)
        happen(made.request_id)
        made.refresh_from_db()
        stands = name == "extended"
        assert made.status == (ProposalStatus.STANDING if stands else ProposalStatus.WITHDRAWN), name
        trail = AuditEvent.objects.filter(chain=made.request.case.chain, what="proposal_withdrawn")
        assert trail.exists() is not stands
        if not stands:
            with pytest.raises(Conflict):
                refusals.confirm(made.request_id, actor=second_approver, seen=made.pk)
    wish = route.review(Right.CORRECTION)
    made = propose(wish.pk, "ACCURATE_AS_HELD", WORDS, actor=approver)
    corrections.propose(wish.pk, "name", "Somebody Else", actor=REQUESTER)
    made.refresh_from_db()
    assert made.status == ProposalStatus.WITHDRAWN


def complains(route: Route) -> PrivacyRequest:
    """Under a law that knows a complaint about what is still open."""
    return under(route.review(), BRITAIN)


def a_complaint(route: Route) -> PrivacyRequest:
    """The same, with a complaint that was made before."""
    request = complains(route)
    appeals.take(request.pk, "You take too long.")
    return request


def a_paper_asked(route: Route) -> PrivacyRequest:
    request = route.review_below_its_tier()
    papers.ask(request.pk, "Two people of that name.", "Cover all but the name.", actor=route.handler)
    return request


def by_somebody(route: Route) -> PrivacyRequest:
    """Somebody asks for the person, and has shown nothing yet."""
    request = route.review()
    representation.name_one(request.case, "agent", "Jorun Aske", "jorun@example.net", actor=route.handler)
    return request


def beside_a_correction(route: Route) -> PrivacyRequest:
    """A question is open about another request of the case."""
    request = route.review()
    other = submit.add_request(drive.fresh(request.pk).case, Right.CORRECTION, "My name.")
    move(other.pk, "located", actor=SYSTEM, nothing_held=False, judgement=["staff"])
    route.clarifying(other)
    return request


def other_of(request: PrivacyRequest) -> PrivacyRequest:
    return request.case.requests.exclude(pk=request.pk).get()


# What happens, to which request, and as which event it stands in the trail.
SAYS: dict[str, tuple[Callable[[Route], PrivacyRequest], Callable[[PrivacyRequest, Route], object], str]] = {
    "a message": (Route.review, lambda one, _r: appeals.take(one.pk, "I do not agree."), "not_content"),
    "a complaint": (complains, lambda one, _r: appeals.take(one.pk, "You take too long."), "appeal_received"),
    "more of a complaint": (a_complaint, lambda one, _r: appeals.take(one.pk, "And you lost it."), "not_content"),
    "a complaint that a colleague notes": (
        complains,
        lambda one, r: appeals.file(one.pk, "Too long.", timezone.now(), Channel.TELEPHONE, actor=r.handler),
        "appeal_received",
    ),
    "a complaint that is called off": (
        a_complaint,
        lambda one, _r: appeals.withdraw(one.appeals.get().pk, actor=REQUESTER),
        "appeal_withdrawn",
    ),
    "an answer to another question": (
        beside_a_correction,
        lambda one, _r: beside.answer(other_of(one).pk, "It is Ada."),
        "answer",
    ),
    "a paper": (
        a_paper_asked,
        lambda one, _r: papers.keep(one.case, "card.pdf", b"%PDF-1.4", actor=REQUESTER),
        "identity_paper_received",
    ),
    "a paper that a colleague files": (
        Route.review_below_its_tier,
        lambda one, r: papers.keep(one.case, "card.pdf", b"%PDF-1.4", actor=r.handler),
        "identity_paper_received",
    ),
    "the paper of an authority": (
        by_somebody,
        lambda one, _r: representation.attach(one.case, "power.pdf", b"%PDF-1.4", actor=REQUESTER),
        "authority_received",
    ),
    "that somebody may ask for them": (
        by_somebody,
        lambda one, _r: representation.allow(one.case, follow=True, receive=False),
        "representative_allowed",
    ),
    "that nobody may ask for them": (
        by_somebody,
        lambda one, _r: representation.take_back(one.case),
        "representative_not_allowed",
    ),
    "a copy first": (Route.review, lambda one, _r: beside.copy_first(one.pk), "copy_asked"),
    "a restriction meanwhile": (
        lambda r: r.review(Right.CORRECTION),
        lambda one, _r: beside.restrict_meanwhile(one.pk),
        "restriction_asked",
    ),
    "another place under the same law": (
        Route.review,
        lambda one, _r: laws.say(one.case_id, "FR", ""),
        "place_noted",
    ),
    "a place whose law gives less": (Route.review, lambda one, _r: laws.say(one.case_id, "US", "VA"), "law_said"),
}


@pytest.mark.parametrize("name", SAYS)
def test_whatever_the_person_says_withdraws_what_was_proposed_without_it(
    route: Route, second: Actor, name: str
) -> None:
    build, happens, event = SAYS[name]
    request = build(route)
    made = proposals.standing(drive.proposed(drive.fresh(request.pk)))
    assert made is not None
    happens(drive.fresh(request.pk), route)
    assert event in HEARD
    trail = AuditEvent.objects.filter(chain=request.case.chain, number__gt=request.case.audit_length)
    assert {event, "proposal_withdrawn"} <= set(trail.values_list("what", flat=True))
    made.refresh_from_db()
    assert made.status == ProposalStatus.WITHDRAWN
    with pytest.raises(Conflict):
        refusals.confirm(request.pk, actor=second, seen=made.pk)


def test_another_law_withdraws_what_argues_by_the_one_before(route: Route, second: Actor) -> None:
    """Also by a colleague, and of a deletion that is confirmed: the case is one."""
    request = route.review()
    made = propose(request.pk, CODE, WORDS, actor=route.approver)
    laws.change(request.pk, "us_ca_ccpa", "You live in California.", actor=route.handler)
    made.refresh_from_db()
    assert made.status == ProposalStatus.WITHDRAWN
    with pytest.raises(Conflict):
        refusals.confirm(request.pk, actor=second, seen=made.pk)


def test_nothing_but_what_a_person_says_is_noted_as_that(route: Route) -> None:
    request = route.review()
    with pytest.raises(ValueError, match="heard"), transaction.atomic():
        proposals.heard(request.case, audit.Entry("noted", route.handler))


def test_a_reason_that_the_law_no_longer_knows_is_not_confirmed(route: Route, second: Actor) -> None:
    request = route.review(Right.OBJECTION)
    made = propose(request.pk, "COMPELLING_GROUNDS", WORDS, actor=route.approver)
    PrivacyRequest.objects.filter(pk=request.pk).update(right=Right.ACCESS)
    with pytest.raises(Invalid, match="not valid for this right"):
        refusals.confirm(request.pk, actor=second, seen=made.pk)
    assert proposals.standing(drive.fresh(request.pk)) == made


def test_a_team_of_one_refuses_on_a_later_day_and_the_letter_says_so(route: Route, settings: object) -> None:
    settings.TEAM_OF_ONE = True  # type: ignore[attr-defined]
    me = Actor(route.approver.kind, route.approver.user_id, route.approver.role, timezone.now())
    made = propose(route.review().pk, CODE, WORDS, actor=me)
    with pytest.raises(Forbidden):
        refusals.confirm(made.request_id, actor=me, seen=made.pk)
    held = route.review()
    yesterday = Proposal.objects.create(
        request=held, kind=DecisionKind.REFUSE, code=CODE, proposed_by_id=me.user_id or 0,
        record_sealed=held.case.seal("Ten in a day.", "proposal-record"), proposed_at=timezone.now() - timedelta(days=1),
    )  # fmt: skip
    with pytest.raises(Forbidden):
        refusals.confirm(yesterday.request_id, actor=route.approver, seen=yesterday.pk)
    done = refusals.confirm(yesterday.request_id, actor=me, seen=yesterday.pk)
    assert done.decisions.get(kind=DecisionKind.REFUSE).same_person
    said = str(compose.mail(Message.objects.get(request=done, notice=Notice.REFUSED)).body)
    assert "by the same person, on different days" in said


def test_the_database_refuses_a_refusal_by_one(route: Route) -> None:
    request, proposed = route.review(), drive.proposed(route.review())
    made = proposals.standing(proposed)
    assert made is not None
    refused = "UPDATE dsar_privacyrequest SET state = 'refused', outcome = 'denied', ended_at = CURRENT_TIMESTAMP WHERE id = %s"
    one = "UPDATE dsar_proposal SET status = 'confirmed', decided_by_id = proposed_by_id, decided_at = CURRENT_TIMESTAMP WHERE id = %s"
    for sql, pk, name in (
        (refused, request.pk, "request_refused"),
        (one, made.pk, "proposal_confirmed_by_another"),
        ("UPDATE dsar_proposal SET status = 'confirmed' WHERE id = %s", made.pk, "proposal_"),
        ("UPDATE dsar_proposal SET proposed_by_id = proposed_by_id + 1 WHERE id = %s", made.pk, "proposal_words"),
        ("UPDATE dsar_proposal SET code = 'X' WHERE id = %s", made.pk, "proposal_words"),
        ("DELETE FROM dsar_proposal WHERE id = %s", made.pk, "proposal_delete"),
    ):
        with pytest.raises(DatabaseError, match=name), transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(sql, [pk])


# --- in part ----------------------------------------------------------------------------------------------------------


def decided_by(route: Route, **fields: Actor) -> PrivacyRequest:
    """A correction whose name is accepted, and of which these approvers refused these fields."""
    request = route.review(Right.CORRECTION)
    for field, by in {"name": route.approver, **fields}.items():
        refused = field != "name"
        Correction.objects.create(
            request=request, field=field, code="NOT_SHOWN" if refused else "", decided_by_id=by.user_id,
            status=CorrectionStatus.REFUSED if refused else CorrectionStatus.ACCEPTED, decided_at=timezone.now(),
        )  # fmt: skip
    return request


def test_who_refused_a_field_does_not_take_the_last_step_alone(route: Route, second: Actor) -> None:
    request = decided_by(route, phone=route.approver)
    for door in (
        lambda: decide.approve(request.pk, actor=route.approver),
        lambda: move(request.pk, "approve", actor=route.approver),
    ):
        with pytest.raises(Forbidden):
            door()
    with pytest.raises(Conflict):
        corrections.confirm(request.pk, seen=corrections.to_confirm(request), actor=second)
    assert decide.approve(request.pk, actor=second).state == State.FULFILLING
    assert request.corrections.get(field="phone").confirmed_by_id == second.user_id
    assert request.corrections.get(field="name").confirmed_by_id is None


@pytest.mark.parametrize("third", [False, True])
def test_where_two_refused_each_field_is_seen_by_another(route: Route, second: Actor, third: bool) -> None:
    """A third takes the last step, or each confirms the other's field: a team of two can finish."""
    request = decided_by(route, phone=route.approver, country=second)
    for one in (route.approver, second):
        with pytest.raises(Forbidden):
            decide.approve(request.pk, actor=one)
    if third:
        other = drive.person_of_the_desk(Role.APPROVER, "third")
        assert decide.approve(request.pk, actor=other).state == State.FULFILLING
        confirmed = request.corrections.filter(confirmed_by_id=other.user_id)
        assert set(confirmed.values_list("field", flat=True)) == {"phone", "country"}
        return
    read = corrections.to_confirm(request)
    with pytest.raises(Forbidden):
        corrections.confirm(request.pk, seen=read, actor=route.handler)
    with pytest.raises(Invalid, match="changed meanwhile"):
        corrections.confirm(request.pk, seen="1", actor=second)
    assert corrections.confirm(request.pk, seen=read, actor=second) == 1
    with pytest.raises(Invalid, match="Somebody else"):
        corrections.confirm(request.pk, seen=corrections.to_confirm(request), actor=second)
    with pytest.raises(Forbidden):
        decide.approve(request.pk, actor=second)
    assert decide.approve(request.pk, actor=route.approver).state == State.FULFILLING
    confirmed = dict(request.corrections.values_list("field", "confirmed_by_id"))
    assert confirmed == {"name": None, "phone": second.user_id, "country": route.approver.user_id}
    with pytest.raises(DatabaseError, match="correction_confirmed_by_another"), transaction.atomic():
        request.corrections.filter(field="phone").update(confirmed_by_id=route.approver.user_id)


def test_law_05_nothing_is_erased_while_keeping_more_waits_for_its_second_person(
    company: None, approver: Actor, second_approver: Actor
) -> None:
    request = drive.released(approver)
    plan = request.plans.frozen().newest()
    assert plan is not None
    body = plan.body()
    made = narrowing.propose(
        request.pk, {("platform", "prompts")}, "EU_LEGAL_CLAIMS", "A court asked.", actor=approver, weighed="So."
    )
    with pytest.raises(lookout.Stop) as stopped:
        lookout.look(request, plan, body, "platform")
    assert stopped.value.reason == StepReason.TO_CONFIRM
    drive.carry_out()
    held = drive.fresh(request.pk)
    assert (held.state, held.attention) == (State.FULFILLING, StepReason.TO_CONFIRM)
    with pytest.raises(Forbidden):
        narrowing.confirm(request.pk, actor=approver, seen=made.pk)
    refusals.send_back(request.pk, "Which court?", actor=second_approver, seen=made.pk)
    assert drive.fresh(request.pk).attention == ""
    lookout.look(request, plan, body, "platform")
    made = narrowing.propose(
        request.pk, {("platform", "prompts")}, "EU_LEGAL_CLAIMS", "A court asked.", actor=approver, weighed="So."
    )
    narrowing.confirm(request.pk, actor=second_approver, seen=made.pk)
    drive.carry_out()
    done = drive.fresh(request.pk)
    assert (done.state, done.outcome, done.attention) == (State.COMPLETED, Outcome.GRANTED_IN_PART, "")


def test_law_05_nothing_that_the_person_says_sets_going_what_two_people_are_about_to_keep(
    company: None, approver: Actor, second_approver: Actor
) -> None:
    """What was to be kept would be gone before anybody has read the word; whoever confirms has read it."""
    request = drive.released(approver)
    made = narrowing.propose(
        request.pk, {("platform", "prompts")}, "EU_LEGAL_CLAIMS", "A court asked.", actor=approver, weighed="So."
    )
    drive.carry_out()
    says: dict[str, Callable[[], object]] = {
        "not_content": lambda: appeals.take(request.pk, "Please hurry."),
        "mail_received": lambda: writes(drive.fresh(request.pk).case),
    }
    for number, (event, happens) in enumerate(says.items(), start=1):
        happens()
        held = drive.fresh(request.pk)
        assert AuditEvent.objects.filter(chain=held.case.chain, what=event).exists(), event
        drive.carry_out()
        found = proposals.standing(drive.fresh(request.pk))
        assert found == made, event
        assert proposals.said_since(found) == number, event
        with pytest.raises(Conflict, match="newer words"):
            narrowing.confirm(request.pk, actor=second_approver, seen=made.pk, heard=number - 1)
    held = drive.fresh(request.pk)
    assert (held.state, held.attention) == (State.FULFILLING, StepReason.TO_CONFIRM)
    assert house.rows("users", email=CAST.plain), "nothing is erased meanwhile"
    narrowing.confirm(request.pk, actor=second_approver, seen=made.pk, heard=len(says))
    drive.carry_out()
    done = drive.fresh(request.pk)
    assert (done.state, done.outcome, done.attention) == (State.COMPLETED, Outcome.GRANTED_IN_PART, "")
