"""Another law applies: everything open is worked out anew from the same receipt, and nobody is left with less unseen."""

from datetime import timedelta

import pytest
from django.db import transaction
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format

from accounts.models import Role
from dsar import audit, clock_events, deadlines, workflow
from dsar.enums import ClockEventKind, DecisionKind, LawChangeStatus, Raised, Right, State
from dsar.fulfilment import locating
from dsar.law import tiers
from dsar.models import Case, ClockEvent, LawChange, Message, PrivacyRequest
from dsar.notices import MessageStatus, Notice
from dsar.notifications import compose, outbox
from dsar.review import dates, decide, laws
from dsar.verification import confirmation
from dsar.workflow import Conflict, Forbidden, Invalid
from tests import drive
from tests.desk import scenes
from tests.drive import Route
from tests.remedies import under

pytestmark = pytest.mark.usefixtures("own_journal")


def received(request: PrivacyRequest, days_ago: int) -> PrivacyRequest:
    """The same request, received earlier."""
    PrivacyRequest.objects.filter(pk=request.pk).update(received_at=timezone.now() - timedelta(days=days_ago))
    with transaction.atomic():
        clock_events.recount(workflow.lock(request.pk))
    return drive.fresh(request.pk)


def told(request: PrivacyRequest, notice: Notice) -> int:
    return Message.objects.filter(case=request.case_id, notice=notice).count()


def test_staff_put_a_case_under_another_law_and_all_of_it_follows(route: Route) -> None:
    request = received(route.review(Right.ACCESS), 10)
    promised = request.due_on
    assert request.located_at is not None and promised is not None
    for wrong, text in (("eu_gdpr", "So."), ("nowhere", "So."), ("us_ca_ccpa", "  ")):
        with pytest.raises(Invalid):
            laws.change(request.pk, wrong, text, actor=route.handler)
    laws.change(request.pk, "us_ca_ccpa", "You live in California.", actor=route.handler)
    after = drive.fresh(request.pk)
    law = after.case.law
    assert (law.id, after.case.regime_version) == ("us_ca_ccpa", law.version)
    # 45 days from the same receipt; what was promised stays our own target.
    assert after.due_on == clock_events.today(after, after.received_at) + timedelta(days=45)
    assert (after.promised_on, after.target_on) == (promised, min(promised, clock_events.dates(after).target_on))
    assert after.target_on is not None and after.target_on <= promised
    # A copy takes more proof there, and other grounds for keeping are valid: it is looked for again.
    assert (after.tier_needed, after.located_at) == (tiers.needed(law, Right.ACCESS), None)
    assert "tier" in after.judgement
    assert PrivacyRequest.objects.to_locate().filter(pk=request.pk).exists()
    message = Message.objects.get(case=request.case_id, notice=Notice.LAW_CHANGED)
    said = str(compose.mail(message).body)
    assert "California" in said
    assert "You live in California." in said
    assert after.decisions.filter(kind=DecisionKind.LAW, code="us_ca_ccpa").exists()
    assert audit.verify() == []


def test_nobody_else_corrects_the_law_and_nothing_that_has_ended(route: Route) -> None:
    request = route.review(Right.ACCESS)
    auditor = drive.person_of_the_desk(Role.AUDITOR)
    with pytest.raises(Forbidden):
        laws.change(request.pk, "uk_gdpr", "So.", actor=auditor)
    workflow.move(request.pk, "withdraw", actor=route.handler)
    with pytest.raises(Conflict):
        laws.change(request.pk, "uk_gdpr", "So.", actor=route.handler)
    with pytest.raises(Conflict):
        laws.say(request.case_id, "GB", "")


def test_law_03_a_confirmed_deletion_is_not_disturbed_and_one_before_it_is_worked_out_anew(route: Route) -> None:
    bound, waiting = route.releasing(), route.confirming()
    before = PrivacyRequest.objects.filter(pk=bound.pk).values().get()
    with pytest.raises(Conflict):
        laws.change(bound.pk, "uk_gdpr", "So.", actor=route.handler)
    assert PrivacyRequest.objects.filter(pk=bound.pk).values().get() == before
    laws.change(waiting.pk, "uk_gdpr", "You live in Leeds.", actor=route.handler)
    after = drive.fresh(waiting.pk)
    assert (after.state, after.located_at, after.reminders) == (State.LOCATING, None, 0)
    plan = confirmation.current_plan(waiting)
    assert plan is not None
    with pytest.raises(Conflict):
        confirmation.confirm(waiting.pk, plan.digest)
    locating.drain()
    assert drive.fresh(waiting.pk).state in (State.CONFIRMING, State.REVIEW, State.COMPLETED)


def test_what_gives_the_person_no_less_counts_at_once(db: None) -> None:
    """From nowhere in particular to the EU: earlier, and more rights."""
    request = received(drive.a_request(right=Right.KNOW, country="US", region="VA"), 5)
    assert request.case.regime == "us_va_vcdpa"
    assert laws.say(request.case_id, "DE", "") == "done"
    after = drive.fresh(request.pk)
    assert request.due_on is not None and after.due_on is not None
    assert (after.case.regime, after.case.country) == ("eu_gdpr", "DE")
    assert after.due_on < request.due_on
    assert LawChange.objects.get().status == LawChangeStatus.APPLIED
    assert told(request, Notice.LAW_CHANGED) == 0
    assert laws.say(request.case_id, "FR", "") == "same"
    assert drive.fresh(request.pk).case.country == "FR"
    assert audit.verify() == []


def test_what_would_leave_them_with_less_a_person_looks_at_first(route: Route) -> None:
    request = received(route.review(Right.ACCESS), 5)
    before = (request.due_on, request.case.regime)
    assert laws.say(request.case_id, "US", "VA") == "asked"
    assert laws.say(request.case_id, "US", "TX") == "asked"
    waits = drive.fresh(request.pk)
    assert (waits.due_on, waits.case.regime) == before
    assert (waits.raised, LawChange.objects.get().after) == (Raised.LAW_ASKED, "us_tx_tdpsa")
    assert PrivacyRequest.objects.needing_staff().filter(pk=request.pk).exists()
    dates.sweep()
    assert drive.fresh(request.pk).raised == Raised.LAW_ASKED
    laws.judge(request.pk, False, "You wrote from Germany.", actor=route.handler)
    stays = drive.fresh(request.pk)
    assert ((stays.due_on, stays.case.regime), stays.raised) == (before, "")
    assert "You wrote from Germany." in str(
        compose.mail(Message.objects.get(case=request.case_id, notice=Notice.LAW_STAYS)).body
    )
    laws.say(request.case_id, "US", "TX")
    laws.judge(request.pk, True, "Thank you.", actor=route.handler)
    after = drive.fresh(request.pk)
    assert (after.case.regime, after.case.country, after.case.region) == ("us_tx_tdpsa", "US", "TX")
    assert after.promised_on == before[0]
    with pytest.raises(Conflict):
        laws.judge(request.pk, True, "Again.", actor=route.handler)


def test_a_weaker_proof_is_never_had_by_naming_another_country(db: None) -> None:
    """Whoever is asked for three data in California does not get the copy by saying that they live in Berlin."""
    request = drive.a_request(right=Right.ACCESS, country="US-CA")
    drive.proven_by_link(request.case)
    below = drive.fresh(request.pk)
    assert not below.is_proven_enough
    assert laws.say(request.case_id, "DE", "") == "asked"
    assert drive.fresh(request.pk).tier_needed == below.tier_needed


def test_an_extension_that_the_other_law_does_not_know_ends_and_the_promise_stays(route: Route) -> None:
    request = decide.extend(route.review(Right.ACCESS).pk, "COMPLEXITY", "A lot.", actor=route.handler)
    outbox.drain()
    laws.change(request.pk, "ca_qc_law25", "You live in Montréal.", actor=route.handler)
    after = drive.fresh(request.pk)
    assert (after.extended_at, after.original_due_on) == (None, None)
    assert after.due_on is not None and request.due_on is not None and after.due_on < request.due_on


def extended(route: Route, days_ago: int, *, told_after: int | None = None) -> PrivacyRequest:
    """A copy asked for in California so many days ago and extended; its notice left so many days after that, or is here."""
    request = under(route.review(Right.ACCESS), "us_ca_ccpa")
    decide.extend(request.pk, "COMPLEXITY", "A lot.", actor=route.handler)
    if told_after is not None:
        outbox.drain()
        day = clock_events.today(request) - timedelta(days=days_ago - told_after)
        ClockEvent.objects.filter(request=request, kind=ClockEventKind.EXTENSION_NOTICE_SENT).update(on=day)
    ClockEvent.objects.filter(request=request).exclude(kind=ClockEventKind.EXTENSION_NOTICE_SENT).delete()
    return received(request, days_ago)


def law_letter(request: PrivacyRequest) -> str:
    made = compose.mail(Message.objects.get(case=request.case_id, notice=Notice.LAW_CHANGED))
    return str(made.body) + str(made.alternatives[0][0])


def test_law_14_an_extension_does_not_stand_whose_notice_was_late_under_the_law_that_applies(route: Route) -> None:
    """GDPR Art 12(3): within one month of receipt; 45 days in California (Civ. Code 1798.130(a)(2))."""
    late, in_time = extended(route, 50, told_after=40), extended(route, 50, told_after=20)
    here = extended(route, 40)
    assert all(one.extended_at is not None for one in (late, here, in_time))
    for request, stands in ((late, False), (here, False), (in_time, True)):
        law = laws.in_version("eu_gdpr", request.case)
        first = deadlines.dates(law, Right.ACCESS, request.received_at).due_on
        longer = deadlines.dates(law, Right.ACCESS, request.received_at, extended=True).due_on
        (effect,) = laws.effects(request.case, law)
        assert effect.due_on == (longer if stands else first)
        laws.change(request.pk, "eu_gdpr", "You live in Germany.", actor=route.handler)
        after = drive.fresh(request.pk)
        assert (after.due_on, after.extended_at is not None) == (effect.due_on, stands)
        assert after.raised == ("" if stands else Raised.EXTENSION_VOID)
        said = law_letter(request)
        assert (date_format(longer) in said, "It is late, and we are sorry" in said) == (stands, not stands)
        assert stands or date_format(first) in said
        dates.sweep()
        assert drive.fresh(request.pk).due_on == effect.due_on
    assert Message.objects.get(request=here, notice=Notice.EXTENDED).status == MessageStatus.FAILED
    assert clock_events.announced_on(drive.fresh(in_time.pk)) is not None
    assert audit.verify() == []


def test_law_14_a_notice_that_was_late_is_found_once_the_law_has_a_date_again(route: Route) -> None:
    """Under the law of the United Kingdom a question stops the clock: whether the notice came in time is known after it."""
    request = extended(route, 50, told_after=40)
    asked = clock_events.today(request) - timedelta(days=30)
    ClockEvent.objects.create(request=request, kind=ClockEventKind.CLARIFICATION_REQUESTED, on=asked)
    laws.change(request.pk, "uk_gdpr", "You live in Leeds.", actor=route.handler)
    open_one = drive.fresh(request.pk)
    assert (open_one.paused_reason, open_one.extended_at is not None) == ("clarification", True)
    with transaction.atomic():
        locked = workflow.lock(request.pk)
        clock_events.note(locked, ClockEventKind.CLARIFICATION_RECEIVED, asked + timedelta(days=2))
    assert drive.fresh(request.pk).paused_reason == ""
    dates.sweep()
    after = drive.fresh(request.pk)
    first = clock_events.dates(after, extended=False).due_on
    assert (after.extended_at, after.due_on, after.raised) == (None, first, Raised.EXTENSION_VOID)


def test_the_person_says_it_on_their_page_in_plain_words_and_the_desk_sees_what_it_would_change(route: Route) -> None:
    request = route.review(Right.ACCESS)
    client = scenes.browser(None)
    session = client.session
    session["proven"] = {str(request.case_id): timezone.now().isoformat()}
    session["case"] = request.case_id
    session.save()
    page = client.get(reverse("case")).content.decode()
    assert "I live somewhere else" in page
    form = client.get(reverse("case_place")).content.decode()
    assert "GDPR" not in form
    assert client.post(reverse("case_place"), {"place": ""}).status_code == 422
    answer = client.post(reverse("case_place"), {"place": "US-VA"}, follow=True).content.decode()
    assert "A person here looks at it" in answer
    assert "Virginia" in answer
    shown = scenes.browser(Role.AUDITOR).get(reverse("desk_request", args=[request.pk])).content.decode()
    assert "Chosen by the country that was named." in shown
    assert "The person says that they live here: United States: Virginia" in shown
    assert "later:" in shown
    sent = {"answer": "agree", "text": "Thank you."}
    assert (
        scenes.browser(Role.HANDLER).post(reverse("desk_verb", args=[request.pk, "law-said"]), sent).status_code == 302
    )
    assert Case.objects.get(pk=request.case_id).regime == "us_va_vcdpa"
    corrected = scenes.browser(Role.HANDLER).get(reverse("desk_request", args=[request.pk])).content.decode()
    assert "Corrected on" in corrected
