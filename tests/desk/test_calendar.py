"""The dates of the desk in a colleague's calendar: RFC 5545, nobody in it, and nothing for whoever has no address."""

from datetime import date, timedelta

import pytest
from django.conf import settings
from django.test import Client
from django.urls import reverse

from accounts.models import Role, User
from dsar.desk import ics
from dsar.enums import Right
from dsar.models import REQUESTER, CalendarFeed, PrivacyRequest
from dsar.review import decide, recuse
from dsar.workflow import move
from tests import drive
from tests.desk import scenes
from tests.drive import Route


def address(role: Role = Role.HANDLER, number: int = 0) -> str:
    """Made on the page, as a colleague does it."""
    page = scenes.browser(role, number).post(reverse("desk_calendar_new")).content.decode()
    begin = page.index(settings.BASE_URL + "/desk/calendar/")
    return page[begin : page.index(".ics", begin) + 4].removeprefix(settings.BASE_URL)


def fetched(path: str) -> list[dict[str, str]]:
    """The events, unfolded, as a calendar program reads them."""
    answer = Client().get(path)
    assert (answer.status_code, answer["Content-Type"]) == (200, "text/calendar; charset=utf-8")
    text = answer.content.decode()
    assert text.endswith("END:VCALENDAR\r\n")
    assert all(len(line.encode()) <= 75 for line in text.split("\r\n"))
    events: list[dict[str, str]] = []
    for line in text.replace("\r\n ", "").split("\r\n"):
        if line == "BEGIN:VEVENT":
            events.append({})
        elif events:
            name, _colon, value = line.partition(":")
            events[-1].setdefault(name, value)
    return events


def of(events: list[dict[str, str]], request: PrivacyRequest) -> dict[str, dict[str, str]]:
    return {one["UID"].partition("@")[0][37:]: one for one in events if one["UID"].startswith(str(request.uid))}


def test_each_open_request_of_a_colleagues_work_stands_on_its_days_and_names_nobody(route: Route) -> None:
    mine, loose, theirs, ended = (route.review(Right.ACCESS) for _one in range(4))
    decide.assign(mine.pk, actor=scenes.actor(Role.HANDLER))
    decide.assign(theirs.pk, actor=route.handler)
    move(ended.pk, "withdraw", actor=REQUESTER)
    events = fetched(address())
    assert [len(of(events, one)) for one in (mine, loose, theirs, ended)] == [2, 2, 0, 0]
    legal, target = of(events, mine)["legal"], of(events, mine)["target"]
    assert mine.due_on is not None and mine.target_on is not None
    assert legal["DTSTART;VALUE=DATE"] == f"{mine.due_on:%Y%m%d}"
    assert legal["DTEND;VALUE=DATE"] == f"{mine.due_on + timedelta(days=1):%Y%m%d}"
    assert target["DTSTART;VALUE=DATE"] == f"{mine.target_on:%Y%m%d}"
    assert legal["SUMMARY"] == f"{mine.case.reference} · Get a copy: answer due"
    assert legal["URL"].endswith(f"/desk/requests/{mine.pk}/")
    assert legal["DTSTAMP"].endswith("Z")
    said = str(events)
    assert mine.case.email not in said
    assert len(of(fetched(address(Role.APPROVER)), theirs)) == 2


def test_while_the_law_has_no_date_only_our_target_stands_there_and_nobody_reads_of_their_own(route: Route) -> None:
    paused, own = route.review(Right.ACCESS), route.review(Right.ACCESS)
    PrivacyRequest.objects.filter(pk=paused.pk).update(paused_reason="clarification")
    colleague = scenes.actor(Role.HANDLER)
    assert colleague.user_id is not None
    recuse.name(own.pk, [colleague.user_id], actor=route.approver)
    events = fetched(address())
    assert set(of(events, paused)) == {"target"}
    assert of(events, own) == {}


def test_an_address_is_shown_once_ends_with_a_new_one_and_with_the_colleague(db: None) -> None:
    first = address()
    token = first.rpartition("/")[2].removesuffix(".ics")
    assert token not in str(CalendarFeed.objects.values_list("token_hash", flat=True))
    assert token not in scenes.browser(Role.HANDLER).get(reverse("desk_calendar")).content.decode()
    second = address()
    nothing = Client().get(reverse("desk_calendar_feed", args=["t" * 43]))
    assert (Client().get(first).status_code, Client().get(second).status_code) == (404, 200)
    User.objects.filter(pk=scenes.actor(Role.HANDLER).user_id).update(role=Role.AUDITOR)
    gone = Client().get(second)
    assert (gone.status_code, gone.content) == (404, nothing.content)
    User.objects.filter(pk=scenes.actor(Role.HANDLER).user_id).update(role=Role.HANDLER)
    assert scenes.browser(Role.HANDLER).post(reverse("desk_calendar_end")).status_code == 302
    assert Client().get(second).status_code == 404


@pytest.mark.parametrize("text", ["a" * 300, "é" * 120, "Wort, Wort; \\ zwei\nZeilen", ""])
def test_long_lines_are_folded_between_characters_and_texts_are_escaped(text: str) -> None:
    made = ics.calendar("N", [ics.Day("1@x", date(2026, 12, 31), text, text, "https://x/")], drive.later())
    lines = made.split("\r\n")
    assert all(len(line.encode()) <= 75 for line in lines)
    unfolded = made.replace("\r\n ", "")
    wanted = text.replace("\\", "\\\\").replace(",", "\\,").replace(";", "\\;").replace("\n", "\\n")
    assert f"SUMMARY:{wanted}\r\n" in unfolded
    assert "DTEND;VALUE=DATE:20270101" in made
