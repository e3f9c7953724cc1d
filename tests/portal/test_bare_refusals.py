"""What a letter looks like whose reason may not be told: like any other, with nothing of the reason, and about nothing else."""

import json
from typing import Any

import pytest
from django.db import DatabaseError, connection, transaction
from django.template.loader import render_to_string
from django.utils import timezone

from accounts.models import Role
from dsar.enums import BundleReason, CorrectionStatus, Outcome, Right, SilenceKind, State, StepKind, StepStatus
from dsar.fulfilment import control, locating, narrowing, runner, silence
from dsar.models import Actor, Correction, Kept, Message, NonDisclosure, PrivacyRequest, Redaction, Step
from dsar.notices import Notice
from dsar.notifications import compose, kept_letter, paper
from dsar.portal import present
from dsar.review import refusals
from dsar.workflow import Invalid
from tests import drive
from tests.desk.test_bundle import made
from tests.drive import Route
from tests.fulfilment import copies
from tests.notifications.test_letters import PLAN, ended
from tests.portal.test_undisclosed import SECRET, bodies, day, in_review, not_told

pytestmark = pytest.mark.usefixtures("own_journal")

LAW, WORDS = "An order of secrecy", "A suspicion was reported."
SECRETS = (
    LAW,
    WORDS,
    "Exempt",
    "17(3)",
    "Excessive",
    "12(5)",
    "Invoices",
    "Tax",
    "An article",
    "phone",
    "NOT_SHOWN",
    "5(1)(d)",
)


@pytest.fixture
def second(db: None) -> Actor:
    return drive.person_of_the_desk(Role.APPROVER, "second")


def refused_in_silence(request: PrivacyRequest, code: str, first: Actor, second: Actor) -> PrivacyRequest:
    found = refusals.propose(
        request.pk, code, WORDS, actor=first, facts="Ten.", forbidden_by=LAW, forbidden_until=day(90)
    )
    return refusals.confirm(request.pk, actor=second, seen=found.pk)


def a_plan_of_keeps(route: Route) -> PrivacyRequest:
    request = route.review()
    with transaction.atomic():
        locating.store(request, {**PLAN, "items": [SECRET]})
    return drive.fresh(request.pk)


def a_correction(route: Route) -> PrivacyRequest:
    request = route.review(Right.CORRECTION)
    Correction.objects.create(
        request=request, field="phone", new_sealed=request.case.seal("1", "correction-new"), status=CorrectionStatus.REFUSED,
        code="NOT_SHOWN", citation="GDPR Art 5(1)(d)", text_sealed=request.case.seal(WORDS, "correction-text"),
        decided_by_id=route.approver.user_id, decided_at=timezone.now(),
    )  # fmt: skip
    return request


def lines(letter: Message) -> list[str]:
    return [line for line in paper.text(letter).splitlines() if line]


def seen(request: PrivacyRequest) -> str:
    """What the page of the case says of it."""
    view = present.request_view(request)
    page = render_to_string("portal/_where.html", {"view": view})
    return page + json.dumps(
        [view["items"], view["report"], view["again"], present.conversation(request.case)], default=str
    )


@pytest.mark.parametrize("what", ["exempt", "excessive", "correction"])
def test_law_06_a_refusal_in_silence_prints_nothing_of_its_reason_and_looks_like_any_other(
    route: Route, second: Actor, what: str
) -> None:
    request = a_correction(route) if what == "correction" else a_plan_of_keeps(route)
    code = "EXEMPT" if what == "exempt" else "EXCESSIVE"
    done = refused_in_silence(request, code, route.approver, second)
    letter = Message.objects.get(request=done, notice=Notice.REFUSED)
    silent, where = bodies(letter), seen(done)
    for secret in SECRETS:
        assert secret not in " ".join((*silent, where)), secret
    for name, content in made(done, BundleReason.COURT).items():
        for secret in (LAW, WORDS, "EXEMPT", "EXCESSIVE", "TAX_ACCOUNTING", "An article", "NOT_SHOWN", "Art 5"):
            assert secret.encode() not in content, (name, secret)
    # Told by two, it is the letter that any other refusal has: lines come to it, and none goes.
    bare = lines(letter)
    NonDisclosure.objects.filter(request=done).update(ended_at=timezone.now())
    told = lines(Message.objects.get(pk=letter.pk))
    assert WORDS in told
    assert ("phone" if what == "correction" else "Invoices") in " ".join(told)
    assert [line for line in told if line in bare] == bare
    # It promises nothing that it does not give: under "The reason" one stands.
    assert bare[bare.index("The reason") + 1].startswith("The law that we answer by")
    for promise in ("plainly why", "listed below", "We have said", "reason stands"):
        assert promise not in " ".join((*silent, where))
    assert ("statement of your own" in " ".join(silent)) == (what == "correction")


def test_law_06_where_everything_is_kept_in_silence_the_open_refusal_promises_no_list(
    route: Route, second: Actor
) -> None:
    request = a_plan_of_keeps(route)
    not_told(request)
    found = refusals.propose(request.pk, "EXEMPT", "We may keep it.", actor=route.approver)
    done = refusals.confirm(request.pk, actor=second, seen=found.pk)
    text = " ".join(bodies(Message.objects.get(request=done, notice=Notice.REFUSED)))
    assert "We may keep it." in text
    assert "The law lets us keep everything" in text
    for word in ("Invoices", "An article", "listed below", "By category", "What stays is used"):
        assert word not in text


@pytest.mark.parametrize("code", ["NOT_OUR_CONTROLLER", "IDENTITY_NOT_PROVEN", "AGENT_NOT_AUTHORISED"])
def test_law_06_a_letter_that_is_its_reason_cannot_be_silent(route: Route, second: Actor, code: str) -> None:
    request = route.review_unproven()
    with pytest.raises(Invalid, match="cannot leave it out"):
        refused_in_silence(request, code, route.approver, second)
    found = refusals.propose(request.pk, code, WORDS, actor=route.approver)
    assert refusals.confirm(request.pk, actor=second, seen=found.pk).is_ended


def test_law_06_silence_about_one_decision_leaves_the_next_one_its_reason(
    company: None, approver: Actor, second_approver: Actor
) -> None:
    request = drive.confirmed()

    def narrow(category: str, words: str, **silent: Any) -> None:
        found = narrowing.propose(
            request.pk, {("platform", category)}, "EU_LEGAL_CLAIMS", words, actor=approver, weighed="So.", **silent
        )
        narrowing.confirm(request.pk, actor=second_approver, seen=found.pk)

    narrow("prompts", "A secret order.", forbidden_by="An order", forbidden_until=day(90))
    narrow("searches", "You sued us.")
    letter = Message.objects.get(request=request, notice=Notice.NARROWED)
    text = " ".join(bodies(letter))
    assert "You sued us." in text
    assert "17(3)(e)" in text
    assert "A secret order." not in text
    # True of what is kept in silence too, and the same words without it.
    assert "Everything else" not in text
    assert "What we do not have to keep is deleted as announced." in text
    told = " ".join(line["text"] for line in present.conversation(request.case))
    control.release(request.pk, actor=approver)
    drive.carry_out()
    done = drive.fresh(request.pk)
    assert (done.state, done.outcome) == (State.COMPLETED, Outcome.GRANTED_IN_PART)
    assert "A secret order." not in told
    # Renewed it is still that decision's; told again it is told as what it was, with its own words.
    one = request.non_disclosures.get(kind=SilenceKind.REFUSAL)
    again = silence.renew(request.pk, one.pk, "An order", "Still so.", day(60), actor=approver)
    assert again.decision_id == one.decision_id
    silence.judge(request.pk, again.pk, True, actor=second_approver)
    for actor in (approver, second_approver):
        silence.end(request.pk, again.pk, actor=actor)
    assert not Message.objects.filter(request=request, notice=Notice.REFUSED).exists()
    first, second = Message.objects.filter(request=request, notice=Notice.NARROWED).order_by("pk")
    assert first.pk == letter.pk
    assert "A secret order." in compose.mail(second).body
    assert "You sued us." in compose.mail(first).body


# --- what was kept in silence goes in silence -------------------------------------------------------------------------


@pytest.mark.parametrize("notice", [Notice.KEPT_ERASED, Notice.KEPT_ON])
def test_law_06_what_was_kept_in_silence_goes_in_silence(db: None, notice: Notice) -> None:
    request = ended(Right.DELETION, Outcome.GRANTED_IN_PART).request
    assert request is not None
    later = Step.objects.create(
        request=request, source="platform", kind=StepKind.LATER, status=StepStatus.DONE,
        tallies=[
            {"category": "prompts", "table": "prompts", "removed": 120},
            {"category": "invoices", "table": "invoices", "removed": 7},
        ],
    )  # fmt: skip

    def said() -> str:
        letter = Message.objects.create(case=request.case, request=request, notice=notice)
        return " ".join(" ".join(bodies(letter)).split())

    def gone() -> dict[str, int | None]:
        return {one["label"]: one["count"] for one in kept_letter.items(request) if one["action"] == "erased"}

    assert gone() == {"Prompts and outputs": 120, "Invoices": 7}
    prompts = not_told(request, category="prompts", code="AML_KYC")
    assert gone() == {"Invoices": 7}
    assert "Prompts" not in said()
    assert "Invoices" in said()
    # Kept both ways in one source: told once the open reason has ended, and uncounted.
    not_told(request, category="invoices", code="AML_KYC")
    line = Kept.objects.create(
        request=request, source="platform", category="invoices", code="TAX_ACCOUNTING", until=day(99),
        email_index=request.case.email_index,
    )  # fmt: skip
    assert gone() == {}
    line.delete()
    assert gone() == {"Invoices": None}
    # What is kept in silence elsewhere keeps no line of the page that has gone here.
    Kept.objects.create(
        request=request, source="platform", category="invoices", code="AML_KYC", review_on=day(9),
        email_index=request.case.email_index,
    )  # fmt: skip
    there = {"source": "billing", "category": "invoices", "code": "AML_KYC", "action": "keep"}
    Step.objects.create(request=request, source="billing", kind=StepKind.LATER, status=StepStatus.DONE)
    here = {**there, "source": "platform"}
    assert ("invoices", "AML_KYC") in kept_letter.gone_since(request, {"items": [there, here]})
    # The same category of another source is told with its own number of nobody's secret.
    Step.objects.filter(pk=later.pk).update(source="analytics")
    assert gone() == {"Prompts and outputs": 120, "Invoices": 7}
    Step.objects.filter(pk=later.pk).update(source="platform")
    NonDisclosure.objects.filter(pk=prompts.pk).update(ended_at=timezone.now())
    assert gone() == {"Prompts and outputs": 120, "Invoices": None}


# --- what may be told after all ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("how", ["declined", "ended"])
def test_law_06_a_row_that_may_be_told_after_all_is_put_back_into_the_copy(
    company: None, approver: Actor, second_approver: Actor, how: str
) -> None:
    request = copies.checking(approver)
    whole = len(copies.of(request).rows("prompts"))
    copies.access.open_to(request.pk, actor=approver)
    row = copies.access.rows(request, "platform", "prompts", 0, 1)[0]
    (made,) = copies.access.redact(
        request.pk, "platform", "prompts", row["key"], [""], "THIRD_PARTY", "Of somebody else.", actor=approver
    )
    one = silence.propose(request.pk, str(made.pk), "A law", "Tipping off.", day(60), actor=approver)
    silence.judge(request.pk, one.pk, how == "ended", actor=second_approver)
    if how == "ended":
        for actor in (approver, second_approver):
            with pytest.raises(Invalid, match="Only they can end"):
                copies.access.unredact(request.pk, made.pk, actor=approver)
            silence.end(request.pk, one.pk, actor=actor)
    copies.access.unredact(request.pk, made.pk, actor=approver)
    runner.drain_fulfilling()
    copy = copies.of(drive.fresh(request.pk))
    assert len(copy.rows("prompts")) == whole
    assert copy.manifest["left_out"] == []
    # That it was once found so stays on record.
    one.refresh_from_db()
    assert (one.redaction_id, one.ended_at is None) == (None, False)


def test_law_06_the_database_ties_a_silence_to_what_it_is_about(route: Route, second: Actor) -> None:
    mine, other = (
        refused_in_silence(a_plan_of_keeps(route), "EXEMPT", route.approver, second).non_disclosures.get()
        for _ in range(2)
    )
    kept = not_told(in_review(route))
    row = Redaction.objects.create(
        request=kept.request, source="platform", table="prompts", code="THIRD_PARTY", decided_by_id=second.user_id
    )
    for sql, pk, given in (
        ("UPDATE dsar_nondisclosure SET decision_id = %s WHERE id = %s", mine.pk, other.decision_id),
        ("UPDATE dsar_nondisclosure SET decision_id = %s WHERE id = %s", mine.pk, None),
        ("UPDATE dsar_nondisclosure SET decision_id = %s WHERE id = %s", kept.pk, mine.decision_id),
        ("UPDATE dsar_nondisclosure SET redaction_id = %s WHERE id = %s", kept.pk, row.pk),
    ):
        with pytest.raises(DatabaseError), transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(sql, [given, pk])
    silent = not_told(kept.request, kind=SilenceKind.ROW, redaction=row, source="", category="", code="")
    another = Redaction.objects.create(
        request=kept.request, source="platform", table="x", code="THIRD_PARTY", decided_by_id=second.user_id
    )
    its = NonDisclosure.objects.filter(pk=silent.pk)
    for given in (another.pk, None):
        with pytest.raises(DatabaseError), transaction.atomic():
            its.update(redaction=given)
    its.update(ended_at=timezone.now())
    with pytest.raises(DatabaseError), transaction.atomic():
        its.update(redaction=another)
    assert its.update(redaction=None) == 1
