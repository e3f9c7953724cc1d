"""What needs judgement is decided in review, before the person is asked to confirm."""

from datetime import timedelta

import pytest
import sqlalchemy as sa
from django.utils import timezone

from dsar.demo.schema import users
from dsar.enums import Outcome, State
from dsar.models import PrivacyRequest
from tests.house import CAST, body_of, company_engine, everything_of, mail_to, mails, rows
from tests.journeys import scenes
from tests.journeys.people import Colleague, Visitor

pytestmark = pytest.mark.once


def place_hold(lead: Colleague, address: str, code: str = "EU_LEGAL_CLAIMS") -> None:
    """By the form for it at the desk."""
    lead.open("/desk/holds/")
    form = lead.soup.find("form", {"action": "/desk/holds/place/"})
    review_on = timezone.localdate() + timedelta(days=90)
    lead.submit(form, None, email=address, code=code, review_on=review_on.isoformat(), weighed="So.")  # type: ignore[arg-type]
    lead.sees("The hold is active.")


def a_twin(address: str) -> None:
    """A second account under the same address, written in capitals."""
    (first,) = rows("users", email=address)
    first.pop("id")
    with company_engine().begin() as connection:
        connection.execute(sa.insert(users).values({**first, "email": address.upper()}))


def in_review(visitor: Visitor, address: str) -> PrivacyRequest:
    """Asked for, proven, and stopped before the confirmation."""
    before = everything_of(scenes.number_of(address))
    visitor.reach(address)
    assert visitor.path == "/case/"
    visitor.sees("A person here looks at it and decides.")
    visitor.open("/confirm/")
    assert visitor.path == "/case/"
    request = scenes.request_of(address)
    assert request.state == State.REVIEW
    assert everything_of(scenes.number_of(address)) == before
    return request


def test_a_hold_stops_it_before_the_confirmation(visitor: Visitor, lead: Colleague) -> None:
    place_hold(lead, CAST.on_hold)
    request = in_review(visitor, CAST.on_hold)
    assert "hold" in request.judgement
    lead.open("/desk/holds/")
    lead.sees(request.case.reference)
    lead.look_at(request)
    lead.sees("This is needed to bring, to pursue or to answer a legal claim.")


@pytest.mark.parametrize(
    ("address", "flag"),
    [
        (CAST.recently_changed, "contact_changed"),
        (CAST.sole_owner, "sole_owner"),
        (CAST.org_member, "organisation_data"),
        (CAST.staff, "staff"),
        (CAST.security_flag, "security_flag"),
        (CAST.nothing_erasable, "nothing_erasable"),
    ],
)
def test_what_a_person_must_weigh(visitor: Visitor, clerk: Colleague, lead: Colleague, address: str, flag: str) -> None:
    request = in_review(visitor, address)
    assert flag in request.judgement
    clerk.open("/desk/?view=needs-us")
    clerk.sees(request.case.reference)
    assert not clerk.offers(request, "approve")
    assert lead.offers(request, "approve")
    scenes.post_is_out()
    asks = [mail for mail in mails(address) if not str(mail["Subject"]).startswith("Was this you?")]
    assert len(asks) == 1


def test_an_address_that_reaches_two_accounts_selects_nothing(visitor: Visitor, lead: Colleague) -> None:
    a_twin(CAST.plain)
    request = in_review(visitor, CAST.plain)
    assert "several_matches" in request.judgement
    lead.look_at(request)
    assert "Prompts and outputs" not in str(lead.soup.find(id="plan-title"))


@pytest.mark.parametrize(
    ("address", "amount", "reason"),
    [
        (CAST.crypto, "42.00", "Purchases with cryptocurrency are not refunded."),
        (CAST.terminated, "33.00", "The account was terminated for a violation, so credits are not refunded."),
    ],
)
def test_credit_that_is_lost_is_shown_before_the_confirmation(
    visitor: Visitor, lead: Colleague, address: str, amount: str, reason: str
) -> None:
    visitor.ask(address, country="US-CA")
    visitor.prove(address)
    visitor.sees("Lost", amount, reason)
    assert "to your original means of payment" not in visitor.text
    request = scenes.request_of(address)
    assert request.case.regime == "us_ca_ccpa"
    me = scenes.number_of(address)
    visitor.press("Delete my data")
    letter = scenes.carried_out(request, lead)
    assert f"{amount} USD of credit cannot be refunded." in letter
    assert reason in letter
    assert not [row for row in rows("refunds", user_id=me) if row["status"] == "due"]


def test_approved_the_person_is_asked_to_confirm_what_will_really_happen(
    visitor: Visitor, clerk: Colleague, lead: Colleague, second_lead: Colleague
) -> None:
    me = scenes.number_of(CAST.org_member)
    request = in_review(visitor, CAST.org_member)
    assert clerk.post(f"/desk/requests/{request.pk}/approve/") == 403
    lead.act(request, "approve", text="We have looked at what is yours and what is the organisation's.")
    scenes.reaches(request, State.CONFIRMING)
    visitor.prove(CAST.org_member, "Your request is ready")
    visitor.sees("Do you want to delete your data?", "What belongs to an organisation", "Signal Commons")
    visitor.press("Delete my data")
    theirs = [row for row in rows("prompts", user_id=me) if row["organisation_id"]]
    scenes.reaches(request, State.RELEASING)
    assert not lead.offers(request, "release")
    lead.sees("Somebody else has to take this one")
    letter = scenes.carried_out(request, second_lead)
    assert "Please turn to it" in letter
    assert rows("users", id=me) == []
    assert {row["id"] for row in theirs} <= {row["id"] for row in rows("prompts")}
    assert rows("api_keys", user_id=me) == []
    handed_over = [row for row in rows("api_keys") if row["organisation_id"] and row["revoked_at"] is None]
    assert handed_over


def test_refused_with_a_reason_the_letter_names_authority_and_remedy(
    visitor: Visitor, clerk: Colleague, lead: Colleague
) -> None:
    me = scenes.number_of(CAST.staff)
    before = everything_of(me)
    request = in_review(visitor, CAST.staff)
    clerk.act(
        request, "refuse", code="EXCESSIVE", text="You have asked for the same eleven times this month.",
        facts="Eleven requests between 1 and 20 May.",
    )  # fmt: skip
    clerk.sees("A refusal is to be confirmed", "An approver has the next step")
    assert scenes.fresh(request).state == State.REVIEW
    lead.open("/desk/?view=confirm")
    lead.sees(request.case.reference, "To be confirmed")
    lead.look_at(request)
    lead.sees("eleven times", "Eleven requests between 1 and 20 May.")
    lead.confirms(request)
    held = scenes.reaches(request, State.REFUSED)
    assert held.outcome == Outcome.DENIED
    letter = body_of(mail_to(CAST.staff, "Our answer to your request"))
    assert "eleven times" in letter
    assert "Legal basis" in letter
    assert "data protection authority" in letter
    assert "If you do not agree" in letter
    visitor.open("/case/")
    visitor.sees("Declined.", "If you do not agree")
    assert everything_of(me) == before


def test_asked_and_answered_it_comes_back_to_where_it_was(visitor: Visitor, clerk: Colleague) -> None:
    request = in_review(visitor, CAST.recently_changed)
    clerk.act(request, "ask", text="When did you change your telephone number?")
    scenes.reaches(request, State.CLARIFYING)
    mail_to(CAST.recently_changed, "When did you change your telephone number?")
    visitor.open("/case/")
    visitor.sees("We asked you", "When did you change your telephone number?")
    visitor.press("Send my answer", text="")
    assert scenes.fresh(request).state == State.CLARIFYING
    visitor.press("Send my answer", text="Last Tuesday, after I lost my telephone.")
    visitor.sees("Thank you. We have your answer and go on from here.")
    scenes.reaches(request, State.REVIEW)
    mail_to(CAST.recently_changed, "We have your answer")
    clerk.look_at(request)
    clerk.sees("Last Tuesday, after I lost my telephone.")
    assert visitor.post(f"/case/{request.pk}/answer/", **{f"r{request.pk}-text": "And again."}) == 200
    visitor.sees("This question is closed.")


def test_no_answer_brings_it_back_on_what_is_known(visitor: Visitor, clerk: Colleague) -> None:
    request = in_review(visitor, CAST.recently_changed)
    clerk.act(request, "ask", text="When did you change your telephone number?")
    PrivacyRequest.objects.filter(pk=request.pk).update(answer_by=timezone.now() - timedelta(minutes=1))
    scenes.reaches(request, State.REVIEW)


def test_extended_once_with_a_notice_and_never_again(visitor: Visitor, clerk: Colleague) -> None:
    request = in_review(visitor, CAST.recently_changed)
    first = request.due_on
    clerk.act(request, "extend", text="We have had many requests this month.")
    held = scenes.fresh(request)
    assert held.state == State.REVIEW
    assert held.original_due_on == first
    assert held.due_on is not None
    assert first is not None
    assert timedelta(days=55) < held.due_on - first < timedelta(days=66)
    letter = body_of(mail_to(CAST.recently_changed, "We need more time for your request"))
    assert "We have had many requests this month." in letter
    assert f"{held.due_on.day} {held.due_on:%B %Y}" in letter
    assert not clerk.offers(request, "extend")
    assert clerk.post(f"/desk/requests/{request.pk}/extend/", code="COMPLEXITY", text="Once more.") == 409
    assert scenes.fresh(request).due_on == held.due_on
