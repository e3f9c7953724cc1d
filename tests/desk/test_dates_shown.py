"""Every date explains itself, at the desk and to the person: rule, article, arithmetic, and what was waited for."""

from datetime import timedelta

from bs4 import BeautifulSoup
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.models import Role
from dsar import clock_events
from dsar.enums import ClockEventKind
from dsar.models import SYSTEM, PrivacyRequest
from dsar.notifications import outbox
from dsar.review import decide
from dsar.workflow import move
from tests import drive
from tests.desk import scenes
from tests.drive import Route
from tests.test_clock_events import note, under


def in_review(regime: str, days_ago: int = 14) -> PrivacyRequest:
    request = under(regime, days_ago)
    drive.proven_by_link(request.case)
    return move(request.pk, "located", actor=SYSTEM, nothing_held=False, judgement=["staff"])


def waited(request: PrivacyRequest, *days: int) -> PrivacyRequest:
    """A question so many days ago, and its answer."""
    today = clock_events.today(request)
    kinds = (ClockEventKind.CLARIFICATION_REQUESTED, ClockEventKind.CLARIFICATION_RECEIVED)
    for kind, ago in zip(kinds, days, strict=False):
        note(request.pk, kind, today - timedelta(days=ago))
    return drive.fresh(request.pk)


def at_the_desk(request: PrivacyRequest) -> BeautifulSoup:
    page = scenes.browser(Role.AUDITOR).get(reverse("desk_request", args=[request.pk]))
    assert page.status_code == 200
    found = BeautifulSoup(page.content, "html.parser").find("section", {"aria-labelledby": "dates-title"})
    assert found is not None
    return found


def words(part: BeautifulSoup) -> str:
    return " ".join(part.get_text(" ").split())


def to_the_person(request: PrivacyRequest) -> str:
    client = Client()
    session = client.session
    session["proven"] = {str(request.case_id): timezone.now().isoformat()}
    session["case"] = request.case_id
    session.save()
    page = BeautifulSoup(client.get(reverse("case")).content, "html.parser")
    return words(page.find("div", {"class": "deadline"}))


def test_guidance_and_law_stand_apart_each_with_its_evidence_and_its_article(route: Route) -> None:
    european, british = waited(in_review("eu_gdpr"), 9, 5), waited(in_review("uk_gdpr"), 9, 5)
    said = words(at_the_desk(european))
    for wanted in ("Answer, by guidance alone", "by guidance alone", "EDPB Guidelines 01/2022", "Our own target",
                   "Notice of an extension", "Record kept until", "GDPR Art 12(3)", "noted in the history"):  # fmt: skip
        assert wanted in said, wanted
    assert "by the law These days" not in said
    said = words(at_the_desk(british))
    assert "by the law These days do not count" in said
    assert "UK GDPR Art 12A" in said
    assert "by guidance" not in said


def test_the_dates_are_drawn_and_the_drawing_says_itself(route: Route) -> None:
    request = waited(in_review("eu_gdpr"), 9, 5)
    decide.extend(request.pk, "COMPLEXITY", "It is a lot.", actor=route.handler)
    outbox.drain()
    section = at_the_desk(drive.fresh(request.pk))
    drawn = section.find("svg", {"class": "dates"})
    assert drawn is not None
    assert [mark["class"] for mark in drawn.find_all("g")] == [
        ["received"], ["target"], ["first"], ["legal"], ["guided"], ["today"],
    ]  # fmt: skip
    assert "Received" in drawn["aria-label"]
    assert not section.find_all(style=True)
    assert "done on" in words(section)


def test_california_shows_the_acknowledgement_that_it_owes_and_when_it_was_given(db: None) -> None:
    request = drive.a_request(country="US-CA")
    before = words(at_the_desk(request))
    assert "Acknowledgement" in before
    assert "11 CCR 7021(a)" in before
    assert "done on" not in before
    outbox.drain()
    assert "done on" in words(at_the_desk(request))


def test_the_person_reads_by_when_we_must_answer_and_why(route: Route) -> None:
    said = to_the_person(in_review("eu_gdpr"))
    assert "We must answer by" in said
    assert "Why this date?" in said
    paused = waited(in_review("uk_gdpr"), 3)
    said = to_the_person(paused)
    assert "We wait for you, and the time does not run meanwhile" in said
    assert "We must answer by" not in said
    assert "no date while we wait" in words(at_the_desk(paused))


def test_what_has_ended_says_whether_it_was_in_time(route: Route) -> None:
    late = in_review("eu_gdpr", 60)
    for request in (late, in_review("eu_gdpr")):
        move(request.pk, "withdraw", actor=route.handler)
        said = words(at_the_desk(drive.fresh(request.pk)))
        assert "Answered on" in said
        assert ("Late" in said) == (request == late)


def test_what_we_gave_up_asking_for_is_shown_as_what_it_is_and_counts_for_nothing(route: Route) -> None:
    """UK GDPR Art 12A: neither a fee that was waived nor a proof that never came makes the time longer."""
    for asked, ended, how in (
        (ClockEventKind.FEE_REQUESTED, ClockEventKind.FEE_WAIVED, "not asked for any more"),
        (ClockEventKind.IDENTITY_REQUESTED, ClockEventKind.IDENTITY_LAPSED, "no answer; we went on without it"),
    ):
        request = in_review("uk_gdpr")
        request.clock_events.all().delete()
        today = clock_events.today(request)
        note(request.pk, asked, today - timedelta(days=13))
        note(request.pk, ended, today - timedelta(days=1))
        found = drive.fresh(request.pk)
        said = words(at_the_desk(found))
        assert how in said
        assert "changes nothing We gave it up, so it makes the time no longer." in said
        for shown in (said, to_the_person(found)):
            assert "These days do not count" not in shown
            assert "is paid" not in shown
            assert "has come" not in shown
