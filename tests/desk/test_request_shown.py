"""The page of a request: what is shown to whom, and what comes next."""

from datetime import timedelta

import pytest
from bs4 import BeautifulSoup
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.models import Role
from dsar.demo.cast import CAST
from dsar.enums import Right
from dsar.fulfilment import locating, runner
from dsar.models import CaseKey
from tests.desk import scenes
from tests.desk.pages import offered, send, typed, url


def test_the_address_is_shown_to_those_who_work_on_it_and_masked_for_the_auditor(company):
    request = scenes.review()
    for role in (Role.HANDLER, Role.APPROVER):
        assert CAST.org_member in scenes.browser(role).get(url(request)).content.decode()
    shown = scenes.browser(Role.AUDITOR).get(url(request)).content.decode()
    assert CAST.org_member not in shown
    assert request.case.email_masked in shown
    assert offered(scenes.browser(Role.AUDITOR).get(url(request))) == set()


def test_the_page_says_why_the_date_what_is_flagged_and_what_comes_next(company):
    page = BeautifulSoup(scenes.browser(Role.APPROVER).get(url(scenes.review())).content, "html.parser")
    text = " ".join(page.get_text(" ").split())
    assert "GDPR Art 12(3)" in text
    assert "The request reached us on" in text
    assert "Some of the rows belong to an organisation and stay" in text
    assert [button.get_text() for button in page.select(".btn.primary")] == ["Approve the plan"]
    assert page.select_one("table.plan")


@pytest.mark.parametrize(
    ("scene", "role", "button"),
    [
        (scenes.triage, Role.HANDLER, "Sort this request"),
        (scenes.review, Role.HANDLER, None),
        (scenes.releasing, Role.APPROVER, "Release for erasure"),
        (scenes.releasing, Role.HANDLER, None),
        (scenes.stuck, Role.HANDLER, "Try again now"),
        (scenes.unproven, Role.APPROVER, "End with a letter"),
        (scenes.disputed, Role.APPROVER, "Decide the dispute"),
        (scenes.clarifying, Role.APPROVER, None),
        (scenes.completed, Role.APPROVER, None),
        (scenes.answered, Role.HANDLER, "Write to the requester"),
        (scenes.answered, Role.AUDITOR, None),
        (scenes.below_its_tier, Role.HANDLER, "Ask them to show who they are"),
        (scenes.undelivered, Role.HANDLER, "Try again now"),
        (lambda: scenes.untold("payments"), Role.HANDLER, "Say what became of telling a recipient"),
        (scenes.review, Role.AUDITOR, None),
        (scenes.asked_for_a_copy, Role.APPROVER, "Approve the copy"),
        (scenes.copying, Role.APPROVER, None),
        (scenes.copy_stuck, Role.HANDLER, "Try again now"),
        (scenes.checking, Role.HANDLER, "Open the copy"),
        (scenes.checking, Role.APPROVER, "Open the copy"),
        (scenes.checking, Role.AUDITOR, None),
    ],
)
def test_one_primary_button_at_most_names_the_next_step(company, scene, role, button):
    page = BeautifulSoup(scenes.browser(role).get(url(scene())).content, "html.parser")
    assert [one.get_text() for one in page.select(".btn.primary")] == ([button] if button else [])


def test_a_blocked_step_says_its_reason_and_the_work_its_progress(company, settings):
    settings.RETRY_AFTER = timedelta(hours=1)
    request = scenes.stuck()
    runner.drain_fulfilling()
    page = BeautifulSoup(scenes.browser(Role.HANDLER).get(url(request)).content, "html.parser")
    work = page.select_one("section[aria-labelledby=work-title]").get_text(" ")
    assert "tables differ from the data map" in work
    assert page.select("section[aria-labelledby=work-title] svg.bar")


def test_what_was_found_is_shown_to_nobody_before_it_is_proven_who_asks(company):
    request = scenes.ask(CAST.plain, Right.ACCESS)
    locating.drain()
    assert request.plans.exists()
    shown = scenes.browser(Role.APPROVER).get(url(request)).content.decode()
    assert "Platform database" not in shown
    scenes.prove(request)
    assert "Platform database" in scenes.browser(Role.APPROVER).get(url(request)).content.decode()


def test_a_quiet_period_is_waited_for_on_the_page_too(company, settings):
    settings.QUIET_PERIOD = timedelta(hours=1)
    request = scenes.releasing()
    assert "release" not in offered(scenes.browser(Role.APPROVER).get(url(request)))
    assert send(request, "release", **typed(request)).status_code == 409


def test_links_and_codes_of_the_person_never_reach_the_desk(company):
    request = scenes.releasing()
    shown = scenes.browser(Role.APPROVER).get(url(request)).content.decode()
    for check in request.case.checks.all():
        assert check.token not in shown
        assert check.code not in shown


def test_the_number_of_queries_does_not_grow(company):
    request = scenes.review()
    client = scenes.browser(Role.APPROVER)

    def queries() -> int:
        with CaptureQueriesContext(connection) as captured:
            assert client.get(url(request)).status_code == 200
        return len(captured)

    send(request, "note", Role.HANDLER, text="the first")
    few = queries()
    for number in range(12):
        send(request, "note", Role.HANDLER, number=number % 3, text=f"note {number}")
    assert queries() == few <= 20


def test_after_the_purge_of_its_key_the_page_still_shows_the_history(company):
    request = scenes.review()
    CaseKey.objects.filter(pk=request.case.uid).delete()
    page = scenes.browser(Role.APPROVER).get(url(request)).content.decode()
    assert "has been destroyed" in page
    assert "Search ended" in page
    assert CAST.org_member not in page


def test_hostile_words_are_only_words(company):
    request = scenes.triage("<script>alert(1)</script>")
    send(request, "note", Role.HANDLER, text="<img src=x onerror=alert(1)>")
    shown = scenes.browser(Role.HANDLER).get(url(request)).content.decode()
    assert "<script>alert" not in shown
    assert "<img src=x" not in shown
