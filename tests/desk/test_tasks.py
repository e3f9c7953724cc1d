"""Data owners' tasks at the desk: what is listed for whom, what the page costs, and whose step it is meanwhile."""

from pathlib import Path

import pytest
from bs4 import BeautifulSoup
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from accounts.models import Role
from dsar.demo.cast import CAST
from dsar.desk import paging
from dsar.enums import OwnerTaskStatus
from dsar.fulfilment import locating, owners, runner
from dsar.intake import submit
from dsar.models import AuditEvent, OwnerTask, PrivacyRequest
from tests.desk import scenes
from tests.owners import COLLEAGUE, OWNER, with_paper

PLACE = "/desk/tasks/"


@pytest.fixture(autouse=True)
def _paper(company: None, settings: object, tmp_path: Path) -> None:
    settings.DATA_MAP = with_paper(tmp_path)  # type: ignore[attr-defined]


def asked(right: str = "access", beside: PrivacyRequest | None = None) -> OwnerTask:
    """A task of the owner of the paper files, about a copy; of the same case as another one where that is given."""
    if beside is None:
        request = scenes.asked_for_a_copy(right)
    else:
        with transaction.atomic():
            request = submit.add_request(beside.case, right, "")
        locating.drain()
    scenes.decide.approve(request.pk, actor=scenes.actor())
    runner.drain_fulfilling()
    return OwnerTask.objects.get(step__request=request, status=OwnerTaskStatus.OPEN)


def answered(task: OwnerTask, name: str = "Akte Müller.pdf") -> OwnerTask:
    owners.answer(task.pk, OwnerTaskStatus.DONE, note="It is here.", file=b"%PDF-1.7", file_name=name)
    return task


def shown(query: str = "", role: str = Role.HANDLER) -> BeautifulSoup:
    response = scenes.browser(role).get(PLACE + query)
    assert response.status_code == 200
    return BeautifulSoup(response.content, "html.parser")


def references(page: BeautifulSoup) -> list[str]:
    return [one.get_text() for one in page.select("tbody a.ref")]


def test_law_14_an_owner_who_is_asked_meanwhile_hides_no_decision(company):
    request = scenes.prove(scenes.ask(CAST.plain, "objection"))
    runner.drain_fulfilling()
    assert OwnerTask.objects.open().filter(step__request=request).exists()
    page = BeautifulSoup(scenes.browser(Role.APPROVER).get(f"/desk/requests/{request.pk}/").content, "html.parser")
    assert [one.get_text() for one in page.select(".btn.primary")] == ["Grant the objection"]
    assert "the data owner" not in page.select_one(".head").get_text()
    assert "us" in page.select_one(".head").get_text()


def test_a_file_is_opened_by_a_deed_that_stands_in_the_history(company):
    task = answered(asked())
    place = f"{PLACE}{task.pk}/file/"
    for page in (shown("?view=answered"), BeautifulSoup(
        scenes.browser(Role.HANDLER).get(f"/desk/requests/{task.step.request_id}/").content, "html.parser"
    )):  # fmt: skip
        (button,) = page.select(f'form[action="{place}"] button')
        assert button.get_text() == "Akte Müller.pdf"
    client = scenes.browser(Role.HANDLER)
    assert client.get(place).status_code == 405
    for _again in range(2):
        answer = client.post(place)
        assert answer.content == b"%PDF-1.7"
    assert answer["Content-Disposition"] == "attachment; filename*=utf-8''Akte%20M%C3%BCller.pdf"
    assert "sandbox" in answer["Content-Security-Policy"]
    event = AuditEvent.objects.get(what="owner_file_opened", request_id=task.step.request_id)
    assert (event.actor_id, event.details) == (scenes.person(Role.HANDLER).pk, {"file": task.pk})
    assert client.post(f"{PLACE}{asked().pk}/file/").status_code == 404
    assert not shown("?view=answered", Role.AUDITOR).select(f'form[action="{place}"]')
    assert scenes.browser(Role.AUDITOR).post(place).status_code == 403


def test_the_filter_names_those_who_have_tasks_in_this_view(company):
    done, waiting = answered(asked()), owners.hand_over(asked().pk, COLLEAGUE, actor=scenes.actor())
    answer = shown("?view=answered")
    assert [one.get_text() for one in answer.select("select[name=owner] option")] == ["Everybody", OWNER]
    assert references(answer) == [done.step.request.case.reference]
    opened = shown()
    assert [one.get_text() for one in opened.select("select[name=owner] option")] == ["Everybody", COLLEAGUE]
    mine = opened.select_one("select[name=owner] option:last-child")["value"]
    assert references(shown(f"?owner={mine}")) == [waiting.step.request.case.reference]
    assert references(shown("?owner=somebody-else")) == []


def test_every_task_is_on_some_page_and_the_page_costs_the_same(company, monkeypatch):
    def queries() -> int:
        with CaptureQueriesContext(connection) as captured:
            assert client.get(f"{PLACE}?view=answered").status_code == 200
        return len(captured)

    client = scenes.browser(Role.HANDLER)
    first = answered(asked())
    one = queries()
    answered(asked("portability", beside=first.step.request))
    answered(asked())
    assert queries() == one
    monkeypatch.setitem(paging.page.__kwdefaults__, "size", 2)
    seen, query = [], "?view=answered"
    while query:
        page = shown(query)
        seen += references(page)
        link = page.select_one(".pager a[rel=next]")
        query = str(link["href"]) if link else ""
    assert len(seen) == OwnerTask.objects.count() == 3
