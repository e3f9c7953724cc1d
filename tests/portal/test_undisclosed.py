"""What the law forbids to tell is told by no letter, page or file: each is byte for byte what it would be without it."""

import json
import re
from datetime import timedelta
from typing import Any

import pytest
from django.db import DatabaseError, connection, transaction
from django.utils import timezone

from accounts.models import Role
from dsar.enums import Outcome, Right, SilenceKind, State, StepKind, StepReason, StepStatus
from dsar.fulfilment import control, locating, narrowing, runner, silence
from dsar.models import Actor, Kept, Message, NonDisclosure, PrivacyRequest, Step
from dsar.notices import NO_LETTERS, TO_OTHERS, Notice
from dsar.notifications import compose, letters, paper, undisclosed
from dsar.portal import present
from dsar.review import clock, decide, refusals
from dsar.workflow import Conflict, Forbidden, Invalid, move
from tests import drive
from tests.drive import CAST, Route
from tests.fulfilment import copies
from tests.notifications.test_letters import PLAN, ended
from tests.portal.conftest import Visitor, only, page

pytestmark = pytest.mark.usefixtures("own_journal")

SENTENCE = "In some cases the law forbids us to name something that we hold or leave out."
ERASE, SECRET = PLAN["items"]
PLACE = "platform|invoices|TAX_ACCOUNTING"


def bodies(letter: Message) -> tuple[str, ...]:
    """A letter in every form in which it leaves and is read again, on screen and on paper."""
    mail = compose.mail(letter)
    found = (mail.subject, str(mail.body), str(mail.alternatives[0][0]), *mail.letter.values())
    return (*found, paper.text(letter), paper.html(letter))


def day(ahead: int) -> Any:
    return timezone.localdate() + timedelta(days=ahead)


def not_told(request: PrivacyRequest, **what: Any) -> NonDisclosure:
    """As two approvers found it."""
    first, second = (drive.person_of_the_desk(Role.APPROVER).user_id or 0 for _ in range(2))
    given = {"kind": SilenceKind.KEPT, "source": "platform", "category": "invoices", "code": "TAX_ACCOUNTING"} | what
    return NonDisclosure.objects.create(
        request=request, citation="Money Laundering Act s.47", first_by_id=first, second_by_id=second,
        second_at=timezone.now(), since=day(0), review_on=day(90), **given,
    )  # fmt: skip


def everything_said(request: PrivacyRequest, right: Right) -> dict[str, Any]:
    """Every letter, page and list that speaks of the work of a request."""
    notices = [
        Notice.DONE_ERASED, Notice.DONE_KNOW, Notice.REFUSED, Notice.NARROWED, Notice.INTERIM, Notice.CONFIRMED, Notice.CONFIRM_READY,
        Notice.KEPT_ON, Notice.KEPT_ERASED, Notice.NOTHING_HELD, Notice.DISPUTE_UNFOUNDED, Notice.WITHDRAWN, Notice.NOT_PROVEN,
    ]  # fmt: skip
    said: dict[str, Any] = {}
    with transaction.atomic():
        for notice in notices:
            letter = Message.objects.create(
                case=request.case, request=request, notice=notice, created_at=request.received_at
            )
            letter.request, letter.case = request, request.case
            # Each by its own number: that of the row stands in the header alone.
            said[notice] = bodies(letter)
        transaction.set_rollback(True)
    view = present.request_view(request)
    said["page"] = {name: view[name] for name in ("items", "report", "outcome", "again", "steps")}
    said["signed"] = letters.to_sign(request)
    said["conversation"] = present.conversation(request.case)
    return json.loads(json.dumps(said, default=str))


@pytest.mark.parametrize("right", [Right.DELETION, Right.KNOW])
def test_law_06_every_letter_and_page_is_the_same_with_and_without_what_may_not_be_told(db: None, right: Right) -> None:
    request = ended(right, Outcome.GRANTED).request
    assert request is not None
    drive.freeze(request, {**PLAN, "items": [ERASE]})
    gone = {"category": "prompts", "table": "prompts", "removed": 3}
    step = Step.objects.create(
        request=request,
        source="platform",
        kind=StepKind.ERASE,
        status=StepStatus.DONE,
        tallies=[gone],
        finished_at=timezone.now(),
    )
    later = Step.objects.create(
        request=request,
        source="platform",
        kind=StepKind.LATER,
        status=StepStatus.DONE,
        tallies=[{**gone, "removed": 1}],
    )
    without = everything_said(request, right)
    assert "Prompts and outputs" in json.dumps(without)

    not_told(request)
    locating.store(request, PLAN, frozen_at=timezone.now())
    kept = {
        "category": "invoices",
        "table": "invoices",
        "kept": 2,
        "code": "TAX_ACCOUNTING",
        "citation": "An article",
        "until": "2036-12-31",
    }
    Step.objects.filter(pk=step.pk).update(tallies=[gone, kept])
    # It has begun to go by now, in silence.
    went = {"category": "invoices", "table": "invoices", "removed": 1}
    Step.objects.filter(pk=later.pk).update(tallies=[{**gone, "removed": 1}, went])
    index = request.case.email_index
    Kept.objects.create(
        request=request, source="platform", category="invoices", code="TAX_ACCOUNTING", until=day(99), email_index=index
    )
    request.outcome = Outcome.GRANTED_IN_PART if right == Right.DELETION else Outcome.GRANTED
    request._prefetched_objects_cache = {}  # type: ignore[attr-defined]
    assert everything_said(request, right) == without
    # Told again once two people have found that it may be.
    NonDisclosure.objects.filter(request=request).update(ended_at=timezone.now())
    assert everything_said(request, right) != without


def test_the_neutral_sentence_stands_in_every_letter_whether_or_not_there_is_anything(db: None) -> None:
    for outcome, right in (
        (Outcome.GRANTED, Right.DELETION),
        (Outcome.DENIED, Right.ACCESS),
        (Outcome.NOTHING_HELD, Right.KNOW),
    ):
        for text in bodies(ended(right, outcome))[1:]:
            assert (SENTENCE in " ".join(text.split())) or len(text) < 100, (right, outcome)
    request = ended(Right.DELETION, Outcome.GRANTED).request
    assert request is not None
    about = set(Notice) - set(TO_OTHERS) - NO_LETTERS - {Notice.LAW_CHANGED, Notice.LAW_STAYS}
    for notice in sorted(about):
        if notice.startswith(("appeal_", "fee", "proof_", "paper_", "rep_", "not_matched", "not_content")):
            continue
        letter = Message.objects.create(case=request.case, request=request, notice=notice)
        assert SENTENCE in " ".join(str(compose.mail(letter).body).split()), notice


def test_a_reason_that_may_not_be_told_is_in_no_letter_and_on_no_page(route: Route) -> None:
    said = []
    for code, words in (("EXCESSIVE", "An order of the court."), ("MANIFESTLY_UNFOUNDED", "We reported a suspicion.")):
        request = route.review()
        first = drive.person_of_the_desk(Role.APPROVER)
        with pytest.raises(Invalid, match="two approvers"):
            refusals.propose(
                request.pk,
                code,
                words,
                actor=route.handler,
                facts="Ten.",
                forbidden_by="A law",
                forbidden_until=day(90),
            )
        with pytest.raises(Invalid, match="within 90 days"):
            refusals.propose(
                request.pk, code, words, actor=first, facts="Ten.", forbidden_by="A law", forbidden_until=day(91)
            )
        made = refusals.propose(
            request.pk, code, words, actor=first, facts="Ten.", forbidden_by="A law", forbidden_until=day(90)
        )
        done = refusals.confirm(request.pk, actor=route.approver, seen=made.pk)
        letter = Message.objects.get(request=done, notice=Notice.REFUSED)
        text = " ".join((*bodies(letter), json.dumps(present.conversation(done.case), default=str)))
        for secret in (code, words, "A law", made.citation):
            assert secret not in text
        assert "If you do not agree" in text
        # As it is read again: the link of the mail is each one's own.
        said.append([form.replace(done.case.reference, "RD") for form in bodies(letter)[3:6]])
        assert done.decisions.get(kind="refuse").code == code
    assert said[0] == said[1]


def test_the_page_that_confirms_is_the_same_and_nobody_is_asked_again(visitor: Visitor) -> None:
    visitor.prove(CAST.plain)
    request = only()
    assert request.state == State.CONFIRMING
    plan = request.plans.newest()
    assert plan is not None
    plan.request = request
    body = plan.body()
    secret = next(item for item in body["items"] if item["action"] == "keep")
    place = (secret["source"], secret["category"], secret["code"])
    rest = [item for item in body["items"] if (item["source"], item["category"], item["code"]) != place]
    with transaction.atomic():
        locating.store(request, {**body, "items": rest})
    without = page(visitor.get("/confirm/"))
    assert SENTENCE in " ".join(without.split())
    not_told(request, source=place[0], category=place[1], code=place[2])
    with transaction.atomic():
        locating.store(request, body)
    assert page(visitor.get("/confirm/")) == without, "the hidden hash of the plan too"
    assert page(visitor.get("/case/")).count(str(request.case.reference)) > 0
    # Something new that may not be told is no reason to ask the person again.
    digest = re.search(r'name="plan" value="([0-9a-f]+)"', without)
    assert digest is not None
    visitor.post("/confirm/", {**visitor.fields("/confirm/"), "answer": "delete", "plan": digest.group(1)})
    assert only().state == State.RELEASING
    control.release(request.pk, actor=drive.person_of_the_desk(Role.APPROVER))
    drive.carry_out()
    assert only().state == State.COMPLETED
    assert Kept.objects.filter(request=request, category=place[1], code=place[2]).exists(), "kept all the same"
    letter = Message.objects.get(request=request, notice=Notice.DONE_ERASED)
    others = {item["code"] for item in rest if item["action"] == "keep"}
    told = {line["citation"] for line in letters.items(only()) if line["action"] == "kept"}
    assert secret["code"] not in others
    assert secret["citation"] not in told
    assert secret["citation"] not in " ".join(bodies(letter))


def test_a_row_that_may_not_be_told_is_not_even_counted_in_the_copy(
    company: None, approver: Actor, second_approver: Actor
) -> None:
    request = copies.checking(approver)
    whole = copies.of(request).rows("prompts")
    copies.access.open_to(request.pk, actor=approver)
    row = copies.access.rows(request, "platform", "prompts", 0, 1)[0]
    (made,) = copies.access.redact(
        request.pk, "platform", "prompts", row["key"], [""], "THIRD_PARTY", "A report to the authority.", actor=approver
    )
    one = silence.propose(request.pk, str(made.pk), "A law", "Tipping off.", day(60), actor=approver)
    runner.drain_fulfilling()
    with pytest.raises(Invalid, match="second person"):
        control.hand_over(request.pk, actor=second_approver)
    with pytest.raises(Invalid, match="Only they can end"):
        copies.access.unredact(request.pk, made.pk, actor=approver)
    silence.judge(request.pk, one.pk, True, actor=second_approver)
    runner.drain_fulfilling()
    done = control.hand_over(request.pk, actor=second_approver)
    assert done.outcome == Outcome.GRANTED_IN_PART
    assert undisclosed.outcome_told(done) == Outcome.GRANTED
    copy = copies.of(done)
    table = next(
        one for category in copy.manifest["categories"] for one in category["tables"] if one["table"] == "prompts"
    )
    assert (table["rows"], table["rows_left_out"], copy.manifest["left_out"]) == (len(whole) - 1, 0, [])
    assert len(copy.rows("prompts")) == len(whole) - 1
    letter = Message.objects.get(request=done, notice=Notice.DONE_COPY)
    text = " ".join(
        (
            *bodies(letter),
            copy.page,
            json.dumps(copy.manifest),
            json.dumps(present.request_view(done)["copy"], default=str),
        )
    )
    for word in ("A report to the authority", "Tipping off", "THIRD_PARTY", "a part is left out"):
        assert word not in text


# --- by two, and not for ever -----------------------------------------------------------------------------------------


def in_review(route: Route) -> PrivacyRequest:
    request = route.review()
    with transaction.atomic():
        locating.store(request, PLAN)
    return drive.fresh(request.pk)


def test_two_approvers_find_it_and_nothing_leaves_before_the_second(route: Route) -> None:
    request = in_review(route)
    first, second = route.approver, drive.person_of_the_desk(Role.APPROVER)
    for wrong, error in (
        ({"citation": " "}, Invalid), ({"review_on": day(91)}, Invalid), ({"review_on": day(0)}, Invalid), ({"text": ""}, Invalid),
        ({"actor": route.handler}, Forbidden), ({"place": "platform|prompts|"}, Conflict),
    ):  # fmt: skip
        given = {"place": PLACE, "citation": "A law", "text": "Why.", "review_on": day(90), "actor": first} | wrong
        with pytest.raises(error):
            silence.propose(request.pk, **given)  # type: ignore[arg-type]
    one = silence.propose(request.pk, PLACE, "A law", "Why.", day(90), actor=first)
    with pytest.raises(Conflict):
        decide.approve(request.pk, actor=second)
    with pytest.raises(Forbidden):
        silence.judge(request.pk, one.pk, True, actor=first)
    with pytest.raises(Forbidden):
        silence.judge(request.pk, one.pk, True, actor=route.handler)
    assert silence.judge(request.pk, one.pk, True, actor=second).is_in_force
    assert move(request.pk, "approve", actor=second).state == State.CONFIRMING
    other = in_review(route)
    one = silence.propose(other.pk, PLACE, "A law", "Why.", day(90), actor=first)
    silence.judge(other.pk, one.pk, False, actor=second)
    assert not undisclosed.places(other)


def test_the_database_knows_the_ninety_days_and_the_second_person(route: Route) -> None:
    one = not_told(in_review(route))
    for sql in (
        f"UPDATE dsar_nondisclosure SET review_on = '{day(91)}' WHERE id = %s",
        "UPDATE dsar_nondisclosure SET second_by_id = first_by_id WHERE id = %s",
        "UPDATE dsar_nondisclosure SET citation = '' WHERE id = %s",
        "DELETE FROM dsar_nondisclosure WHERE id = %s",
    ):
        with pytest.raises(DatabaseError), transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(sql, [one.pk])
    for wrong in ({"review_on": day(91)}, {"second_by_id": one.first_by_id}, {"citation": ""}):
        given = {
            "request": one.request, "kind": SilenceKind.REFUSAL, "citation": "A law", "first_by_id": one.first_by_id,
            "second_by_id": one.second_by_id, "second_at": timezone.now(), "since": day(0), "review_on": day(90),
        } | wrong  # fmt: skip
        with pytest.raises(DatabaseError), transaction.atomic():
            NonDisclosure.objects.create(**given)


def test_when_its_day_comes_it_is_raised_by_name_until_two_have_renewed_or_ended_it(route: Route) -> None:
    request = in_review(route)
    first, second = route.approver, drive.person_of_the_desk(Role.APPROVER)
    one = NonDisclosure.objects.create(
        request=request, kind=SilenceKind.KEPT, source="platform", category="invoices", code="TAX_ACCOUNTING", citation="A law",
        first_by_id=first.user_id or 0, second_by_id=second.user_id, second_at=timezone.now(), since=day(-90), review_on=day(0),
    )  # fmt: skip
    assert silence.sweep() == 1
    held = drive.fresh(request.pk)
    assert (held.attention, held in PrivacyRequest.objects.stuck()) == (StepReason.SILENCE, True)
    assert undisclosed.places(held), "what nobody has looked at again is still not told"
    again = silence.renew(request.pk, one.pk, "A law", "Still so.", day(90), actor=first)
    with pytest.raises(Forbidden):
        silence.judge(request.pk, again.pk, True, actor=first)
    assert silence.sweep() == 0 and drive.fresh(request.pk).attention == StepReason.SILENCE
    silence.judge(request.pk, again.pk, True, actor=second)
    assert drive.fresh(request.pk).attention == ""
    assert [row.pk for row in NonDisclosure.objects.standing()] == [again.pk]
    silence.end(request.pk, again.pk, actor=first)
    assert undisclosed.places(held)
    with pytest.raises(Forbidden):
        silence.end(request.pk, again.pk, actor=first)
    silence.end(request.pk, again.pk, actor=second)
    assert not undisclosed.places(held)


def test_a_narrowing_that_may_not_be_told_sends_no_letter(
    company: None, approver: Actor, second_approver: Actor
) -> None:
    request = drive.confirmed()
    made = narrowing.propose(
        request.pk, {("platform", "prompts")}, "EU_LEGAL_CLAIMS", "A secret order.", actor=approver, weighed="So.",
        forbidden_by="An order", forbidden_until=day(90),
    )  # fmt: skip
    narrowing.confirm(request.pk, actor=second_approver, seen=made.pk)
    assert not Message.objects.filter(request=request, notice=Notice.NARROWED).exists()
    control.release(request.pk, actor=approver)
    drive.carry_out()
    done = drive.fresh(request.pk)
    assert (done.state, done.outcome) == (State.COMPLETED, Outcome.GRANTED_IN_PART)
    text = " ".join(bodies(Message.objects.get(request=request, notice=Notice.DONE_ERASED)))
    assert "A secret order" not in text
    assert "17(3)(e)" not in text
    clock.sweep()
