"""Every way out: each with an outcome and a letter; none after the confirmation."""

from datetime import timedelta

import pytest
from django.conf import settings
from django.utils import timezone

from accounts.models import User
from dsar.enums import Outcome, State, StepReason, StepStatus
from dsar.models import PrivacyRequest, Step
from tests.house import CAST, House, body_of, everything_of, link_in, mail_to, mails, rows, wait_for
from tests.journeys import scenes
from tests.journeys.people import Colleague, Visitor

pytestmark = pytest.mark.once


def asked_on_the_clock(request: PrivacyRequest) -> None:
    """Once the letter has left the dates are counted anew: a date that is set before that would be set back."""
    wait_for(request.clock_events.exists, what="the event of the clock")


def not_me(visitor: Visitor, address: str) -> None:
    """By the link in the mail about the closed account; no code is asked for, since it only ever stops things."""
    mail = mail_to(address, "You have confirmed the deletion")
    visitor.open(link_in(mail))
    visitor.sees("Was this not you?", "The account stays closed in any case")
    visitor.press("This was not me")


def ended(request: PrivacyRequest, state: State, outcome: Outcome, letter: str) -> str:
    """It has ended so, and the person has the letter."""
    held = scenes.reaches(request, state)
    assert held.outcome == outcome
    return body_of(mail_to(request.case.email, letter))


def test_withdrawn_while_a_person_looks_at_it(visitor: Visitor) -> None:
    before = everything_of(scenes.number_of(CAST.staff))
    visitor.reach(CAST.staff)
    request = scenes.reaches(scenes.request_of(CAST.staff), State.REVIEW)
    visitor.press("Withdraw this request")
    visitor.sees("Your request is withdrawn.")
    assert "nothing was deleted" in ended(request, State.WITHDRAWN, Outcome.WITHDRAWN, "You have withdrawn")
    assert visitor.button("Withdraw this request") is None
    assert visitor.post(f"/case/{request.pk}/withdraw/") == 200
    visitor.sees("This request cannot be withdrawn any more.")
    assert everything_of(scenes.number_of(CAST.staff)) == before


def test_withdrawn_by_telephone_is_noted_at_the_desk(visitor: Visitor, clerk: Colleague) -> None:
    visitor.ask(CAST.plain)
    request = scenes.request_of(CAST.plain)
    clerk.act(request, "withdraw", sure="on")
    ended(request, State.WITHDRAWN, Outcome.WITHDRAWN, "You have withdrawn")


def test_not_proven_in_time_is_answered_by_a_person(visitor: Visitor, clerk: Colleague, lead: Colleague) -> None:
    visitor.ask(CAST.plain)
    link = link_in(mail_to(CAST.plain))
    request = scenes.request_of(CAST.plain)
    asked_on_the_clock(request)
    PrivacyRequest.objects.filter(pk=request.pk).update(target_on=timezone.localdate() - timedelta(days=1))
    held = scenes.reaches(request, State.REVIEW)
    assert "not_proven" in held.judgement
    assert not lead.offers(request, "approve")
    lead.act(request, "lapse", text="Nobody opened the link, so we could not be sure who asked.")
    letter = ended(request, State.LAPSED, Outcome.NOT_PROVEN, "We could not confirm that the request is yours")
    assert "Nobody opened the link, so we could not be sure who asked." in letter
    assert "If you do not agree" in letter
    assert scenes.number_of(CAST.plain)
    visitor.open(link)
    if visitor.path == "/proof/":
        visitor.press("Yes, this is my mailbox")
    assert scenes.fresh(request).state == State.LAPSED


def test_a_late_proof_counts_while_it_is_weighed(visitor: Visitor) -> None:
    visitor.ask(CAST.plain)
    request = scenes.request_of(CAST.plain)
    mail_to(CAST.plain)
    asked_on_the_clock(request)
    PrivacyRequest.objects.filter(pk=request.pk).update(target_on=timezone.localdate())
    scenes.reaches(request, State.REVIEW)
    visitor.prove(CAST.plain)
    visitor.sees("Do you want to delete your data?")


def test_unanswered_after_two_reminders(visitor: Visitor, lead: Colleague) -> None:
    me = scenes.number_of(CAST.plain)
    before = everything_of(me)
    visitor.reach(CAST.plain)
    request = scenes.request_of(CAST.plain)
    scenes.days_ago(request, 3.1)
    wait_for(lambda: scenes.fresh(request).reminders == 1, what="the first reminder")
    scenes.days_ago(request, 7.1)
    wait_for(lambda: scenes.fresh(request).reminders == 2, what="the second reminder")
    scenes.post_is_out()
    reminders = [mail for mail in mails(CAST.plain) if "We are waiting for your decision" in str(mail["Subject"])]
    assert len(reminders) == 2
    assert link_in(reminders[1])
    scenes.days_ago(request, settings.CONFIRM_WITHIN.days + 0.1)
    held = scenes.reaches(request, State.REVIEW)
    assert "unanswered" in held.judgement
    lead.act(request, "lapse", text="We wrote three times and have not heard from you.")
    letter = ended(request, State.LAPSED, Outcome.UNANSWERED, "We have closed your request")
    assert "We wrote three times and have not heard from you." in letter
    assert everything_of(me) == before


def test_not_me_before_the_confirmation_brings_it_to_a_person(stack: House, visitor: Visitor) -> None:
    me = scenes.number_of(CAST.plain)
    before = everything_of(me)
    visitor.reach(CAST.plain)
    request = scenes.request_of(CAST.plain)
    visitor.open("/not-me/")
    visitor.sees("What is not confirmed yet goes no further before a person here has looked into it.")
    visitor.press("This was not me")
    visitor.sees("We have noted it", "It goes no further before a person here has looked into it.")
    assert "not_me" in scenes.reaches(request, State.REVIEW).judgement
    mail_to(CAST.plain, "We were told that this was not you")
    assert everything_of(me) == before


def test_not_me_found_unfounded_by_two_people_goes_on(
    stack: House, visitor: Visitor, clerk: Colleague, lead: Colleague, second_lead: Colleague
) -> None:
    me = scenes.number_of(CAST.plain)
    request = scenes.confirmed(visitor, CAST.plain)
    scenes.closed(request)
    somebody = Visitor(stack.url)
    not_me(somebody, CAST.plain)
    somebody.sees("We have noted it", "The deletion is stopped while two people here look into it.")
    mail_to(CAST.plain, "You told us that this was not you")
    held = scenes.fresh(request)
    assert held.state == State.RELEASING
    assert held.disputed_at is not None
    assert not lead.offers(request, "release")
    assert lead.post(f"/desk/requests/{request.pk}/release/", reference=request.case.reference) == 409
    assert clerk.post(f"/desk/requests/{request.pk}/dispute/", founded="unfounded", text="I think not.") == 403

    lead.act(request, "dispute", founded="unfounded", text="The person called us and confirmed it.")
    assert scenes.fresh(request).disputed_at is not None
    assert lead.post(f"/desk/requests/{request.pk}/dispute/", founded="unfounded", text="I still think so.") == 422
    assert scenes.fresh(request).disputed_at is not None
    second_lead.act(request, "dispute", founded="unfounded", text="I have called as well.")
    assert scenes.fresh(request).disputed_at is None
    scenes.carried_out(request, lead)
    assert rows("users", id=me) == []


def test_not_me_found_founded_by_two_people_erases_nothing_and_reopens_nothing(
    stack: House, visitor: Visitor, lead: Colleague, second_lead: Colleague
) -> None:
    me = scenes.number_of(CAST.plain)
    scenes.an_account(CAST.plain)
    prompts = rows("prompts", user_id=me)
    request = scenes.confirmed(visitor, CAST.plain)
    scenes.closed(request)
    not_me(Visitor(stack.url), CAST.plain)
    lead.act(request, "dispute", founded="founded", text="The mailbox had been taken over.")
    second_lead.act(request, "dispute", founded="founded", text="I agree.")
    letter = ended(request, State.COMPLETED, Outcome.DENIED, "Nothing more of your data is deleted")
    assert "I agree." in letter
    assert rows("prompts", user_id=me) == prompts
    assert rows("users", id=me)[0]["status"] == "closed"
    assert not User.objects.get(email=CAST.plain).is_active
    late = Visitor(stack.url)
    late.sign_in(CAST.plain)
    late.open("/settings/security/")
    assert late.path == "/accounts/login/"


def test_a_dispute_in_the_middle_of_the_work_stops_it(
    stack: House, visitor: Visitor, lead: Colleague, second_lead: Colleague
) -> None:
    me = scenes.number_of(CAST.plain)
    request = scenes.confirmed(visitor, CAST.plain)
    scenes.closed(request)
    lead.open("/desk/sources/")
    form = lead.soup.find("form", {"action": "/desk/sources/kill-switch/"})
    lead.submit(form, form.find("button"), sure="on")  # type: ignore[arg-type,union-attr]
    lead.sees("All erasing stops")
    lead.release(request)
    wait_for(
        lambda: Step.objects.filter(request=request, reason=StepReason.KILL_SWITCH).exists(), what="the kill switch"
    )
    not_me(Visitor(stack.url), CAST.plain)
    lead.open("/desk/sources/")
    form = lead.soup.find("form", {"action": "/desk/sources/kill-switch/"})
    lead.submit(form, form.find("button"), sure="on")  # type: ignore[arg-type,union-attr]
    lead.sees("Erasing goes on where it stopped.")
    wait_for(lambda: Step.objects.filter(request=request, reason=StepReason.DISPUTED).exists(), what="the stop")
    assert rows("users", id=me)
    for one in (lead, second_lead):
        one.act(request, "dispute", founded="unfounded", text="The person has told us so in person.")
    scenes.reaches(request, State.COMPLETED)
    assert rows("users", id=me) == []


def test_narrowed_for_a_new_reason_the_person_is_told_and_the_rest_goes(
    visitor: Visitor, lead: Colleague, second_lead: Colleague
) -> None:
    me = scenes.number_of(CAST.plain)
    mails_to_support = rows("support_mails", user_id=me)
    request = scenes.confirmed(visitor, CAST.plain)
    scenes.closed(request)
    why = "You sued us this morning; these letters are evidence."
    lead.act(request, "narrow", keep=["platform|support"], code="EU_LEGAL_CLAIMS", text=why, weighed=why)
    assert not lead.offers(request, "confirm-refusal")
    second_lead.confirms(request)
    told = body_of(mail_to(CAST.plain, "A change to the deletion of your data"))
    assert why in told
    letter = scenes.carried_out(request, lead)
    assert "* Letters to support: Kept (2 records)" in letter
    assert rows("support_mails", user_id=me) == mails_to_support
    assert rows("prompts", user_id=me) == []
    assert scenes.fresh(request).outcome == Outcome.GRANTED_IN_PART


def test_narrowed_to_nothing_it_is_a_denial(visitor: Visitor, lead: Colleague, second_lead: Colleague) -> None:
    me = scenes.number_of(CAST.plain)
    request = scenes.confirmed(visitor, CAST.plain)
    scenes.closed(request)
    before = everything_of(me)
    lead.look_at(request)
    form = lead.soup.find("form", {"action": f"/desk/requests/{request.pk}/narrow/"})
    keep = [str(box["value"]) for box in form.find_all("input", {"name": "keep"})]  # type: ignore[union-attr]
    lead.act(
        request,
        "narrow",
        keep=keep,
        code="EU_LEGAL_CLAIMS",
        text="A court has ordered that all of it be kept.",
        weighed="An order of a court outweighs the wish.",
    )
    second_lead.confirms(request)
    letter = ended(request, State.COMPLETED, Outcome.DENIED, "Our answer to your request")
    assert "A court has ordered that all of it be kept." in letter
    assert everything_of(me) == before
    assert not Step.objects.filter(request=request, kind="erase", status=StepStatus.DONE).exists()


def test_after_the_confirmation_nobody_leaves(visitor: Visitor, clerk: Colleague, lead: Colleague) -> None:
    request = scenes.confirmed(visitor, CAST.plain)
    scenes.closed(request)
    visitor.open("/case/")
    visitor.sees("account closed")
    assert visitor.button("Withdraw this request") is None
    for path, given in (
        (f"/case/{request.pk}/withdraw/", {}),
        (f"/case/{request.pk}/copy/", {}),
        (f"/case/{request.pk}/answer/", {f"r{request.pk}-text": "I have changed my mind."}),
        ("/confirm/", {"answer": "keep", "request": str(request.pk)}),
        ("/confirm/", {"answer": "delete", "request": str(request.pk), "plan": "0" * 64}),
    ):
        assert visitor.post(path, **given) == 200
        assert scenes.fresh(request).state == State.RELEASING, path
        assert scenes.fresh(request).confirmed_at == request.confirmed_at, path
    for verb in ("withdraw", "refuse", "refer", "reject", "lapse", "classify", "merge", "ask", "approve", "extend"):
        for colleague in (clerk, lead):
            status = colleague.post(f"/desk/requests/{request.pk}/{verb}/", sure="on", text="Please.", code="EXCESSIVE")
            assert status in (403, 409), (verb, status)
        assert scenes.fresh(request).state == State.RELEASING, verb
    scenes.carried_out(request, lead)
    assert visitor.post(f"/case/{request.pk}/withdraw/") == 200
    visitor.sees("This request cannot be withdrawn any more.")
    assert scenes.fresh(request).outcome == Outcome.GRANTED_IN_PART


def test_sorted_out_as_no_request_there_is_no_letter(visitor: Visitor, clerk: Colleague) -> None:
    visitor.ask(CAST.unknown, "Something else", statement="Buy cheap watches")
    request = scenes.request_of(CAST.unknown, "")
    scenes.post_is_out()
    before = len(mails(CAST.unknown))
    clerk.act(request, "reject", sure="on")
    held = scenes.reaches(request, State.REJECTED)
    assert held.outcome == Outcome.REJECTED
    scenes.post_is_out()
    assert len(mails(CAST.unknown)) == before


def test_merged_into_the_verified_twin(stack: House, visitor: Visitor, clerk: Colleague) -> None:
    visitor.reach(CAST.staff)
    first = scenes.reaches(scenes.request_of(CAST.staff), State.REVIEW)
    Visitor(stack.url).ask(CAST.staff, "Something else", statement="As I wrote: please delete my account.")
    second = scenes.reaches(scenes.request_of(CAST.staff, ""), State.TRIAGE)
    clerk.act(second, "merge", sure="on")
    letter = ended(second, State.COMPLETED, Outcome.MERGED, "Your requests are now one")
    assert first.case.reference in letter
    assert scenes.fresh(first).state == State.REVIEW
