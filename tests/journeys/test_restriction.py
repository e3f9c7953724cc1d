"""Restriction, objection and the person who looks again: what the company's rows and the letters say (Art 18, 21, 22)."""

import pytest
from django.conf import settings

from dsar.enums import Outcome, Right, State, StepStatus
from dsar.models import Message, PrivacyRequest, Restriction, Step
from dsar.notices import MessageStatus, Notice
from tests.house import CAST, body_of, mail_to, rows, wait_for
from tests.journeys import scenes
from tests.journeys.people import Colleague, Visitor


def in_review(visitor: Visitor, card: str, right: Right, address: str = CAST.plain) -> PrivacyRequest:
    """Asked for by form, proven, found."""
    visitor.ask(address, card, statement="Because of my situation.")
    visitor.prove(address)
    return scenes.reaches(scenes.request_of(address, right), State.REVIEW)


def is_marked(address: str) -> bool:
    """Whether the company's row says so."""
    (row,) = rows("users", email=address)
    return bool(row["processing_restricted"])


def test_an_objection_stops_the_use_while_it_is_weighed_and_refused_it_is_lifted_after_the_letter(
    visitor: Visitor, lead: Colleague, second_lead: Colleague
) -> None:
    me = scenes.number_of(CAST.plain)
    before, others = rows("users", id=me), scenes.company_without(me)
    request = in_review(visitor, "Object to a use", Right.OBJECTION)
    wait_for(lambda: is_marked(CAST.plain), what="the mark while it is weighed")
    assert scenes.fresh(request).state == State.REVIEW
    assert scenes.company_without(me) == others
    lead.act(
        request,
        "refuse",
        code="COMPELLING_GROUNDS",
        text="We must stop fraud with it.",
        facts="Stolen cards are found by it.",
    )
    second_lead.confirms(request)
    letter = body_of(mail_to(CAST.plain, "Our answer to your request"))
    assert "We must stop fraud with it." in letter
    assert "With this letter that ends." in letter
    wait_for(lambda: not is_marked(CAST.plain), what="the end of the mark")
    assert rows("users", id=me) == before
    lifts = Step.objects.filter(request=request, kind="lift", source="platform")
    wait_for(lambda: lifts.filter(status=StepStatus.DONE).exists(), what="the step that lifts")
    lifted = lifts.get()
    told = Message.objects.get(request=request, notice=Notice.REFUSED)
    assert lifted.finished_at is not None
    assert told.sent_at is not None
    assert told.sent_at < lifted.finished_at
    wait_for(lambda: Restriction.objects.get(request=request).lifted_at, what="the end of the restriction")


@pytest.mark.once
def test_an_objection_that_is_granted_stays_in_force(visitor: Visitor, lead: Colleague) -> None:
    request = in_review(visitor, "Object to a use", Right.OBJECTION)
    wait_for(lambda: is_marked(CAST.plain), what="the mark while it is weighed")
    lead.act(request, "approve", text="You are right.")
    assert scenes.reaches(request, State.COMPLETED).outcome == Outcome.GRANTED
    mail_to(CAST.plain, "Your objection has been accepted")
    assert is_marked(CAST.plain)
    assert Restriction.objects.get(request=request).lifted_at is None


@pytest.mark.once
def test_a_restriction_is_marked_told_and_lifted_only_after_its_notice(visitor: Visitor, lead: Colleague) -> None:
    request = in_review(visitor, "Put a use on hold", Right.RESTRICTION)
    assert not is_marked(CAST.plain)
    assert lead.post(f"/desk/requests/{request.pk}/approve/", text="") == 422
    lead.act(request, "approve", ground="claims", text="")
    scenes.reaches(request, State.COMPLETED)
    mail_to(CAST.plain, "The use of your data is restricted")
    assert is_marked(CAST.plain)
    lead.act(request, "lift", text="Your claim is settled.")
    assert "Your claim is settled." in body_of(mail_to(CAST.plain, "The restriction of your data ends"))
    held = Restriction.objects.get(request=request)
    assert held.lifts_at is not None
    assert (held.lifts_at - held.since).days >= 13
    assert is_marked(CAST.plain)
    assert not lead.offers(request, "lift")
    scenes.post_is_out()
    assert not Step.objects.filter(request=request, kind="lift").exists()
    Message.objects.filter(request=request, notice=Notice.RESTRICTION_LIFTING).update(
        sent_at=held.lifts_at - 2 * settings.RESTRICTION_NOTICE
    )
    wait_for(lambda: not is_marked(CAST.plain), what="the end of the mark")


@pytest.mark.once
def test_what_is_restricted_is_not_deleted_before_a_person_has_looked(visitor: Visitor, lead: Colleague) -> None:
    request = in_review(visitor, "Put a use on hold", Right.RESTRICTION)
    lead.act(request, "approve", ground="claims", text="")
    scenes.reaches(request, State.COMPLETED)
    visitor.ask(CAST.plain)
    visitor.prove(CAST.plain, after=2)
    deletion = scenes.reaches(scenes.request_of(CAST.plain), State.REVIEW)
    assert "restriction" in deletion.judgement
    lead.look_at(deletion)
    lead.sees("Restricted at their wish")
    lead.act(deletion, "approve", text="")
    visitor.prove(CAST.plain, "Your request is ready")
    visitor.press("Delete my data")
    scenes.reaches(deletion, State.RELEASING)
    assert Restriction.objects.get(request=request).lifted_at is not None


@pytest.mark.once
def test_a_correction_offers_to_stop_the_use_meanwhile(visitor: Visitor) -> None:
    visitor.ask(CAST.plain, "Correct something", statement="My name is wrong.")
    visitor.prove(CAST.plain)
    visitor.open("/case/")
    visitor.press("Do not use my data meanwhile")
    visitor.sees("We have noted that you want your data kept")
    assert visitor.button("Do not use my data meanwhile") is None
    assert scenes.request_of(CAST.plain, Right.RESTRICTION).case == scenes.request_of(CAST.plain, "correction").case


@pytest.mark.once
def test_a_person_looks_again_and_the_letter_says_what_came_of_it(visitor: Visitor, lead: Colleague) -> None:
    before = rows("users", email=CAST.plain)
    request = in_review(visitor, "Have a person", Right.HUMAN_REVIEW)
    assert not lead.offers(request, "approve")
    assert lead.post(f"/desk/requests/{request.pk}/review-again/", what="The limit", outcome="changed", text="") == 422
    lead.act(request, "review-again", what="The limit of May.", outcome="changed", text="The score was out of date.")
    assert scenes.reaches(request, State.COMPLETED).outcome == Outcome.GRANTED
    letter = body_of(mail_to(CAST.plain, "A person has looked at the decision again"))
    for words in ("The decision is changed.", "The limit of May.", "The score was out of date."):
        assert words in letter
    assert rows("users", email=CAST.plain) == before
    assert not Message.objects.filter(request=request, status=MessageStatus.FAILED).exists()
    assert not Step.objects.filter(request=request).exclude(status=StepStatus.DONE).exists()
