"""Looking through a copy at the desk: who sees it, what can be taken out of it, and what it costs."""

import pytest
import sqlalchemy as sa
from bs4 import BeautifulSoup
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from accounts.models import Role
from dsar.demo.cast import CAST
from dsar.demo.schema import prompts
from dsar.desk import copy_page
from dsar.enums import Right, State, StepStatus
from dsar.fulfilment import package, runner
from dsar.models import AuditEvent, PrivacyRequest, Redaction
from tests.desk import scenes
from tests.house import company_engine, rows, user_id

HOSTILE = "<script>alert(1)</script><img src=x onerror=alert(1)> " + "long and longer " * 40


def address(request: PrivacyRequest, rest: str = "") -> str:
    return f"/desk/requests/{request.pk}/copy/{rest}"


def opened(request: PrivacyRequest, role: str = Role.HANDLER) -> Client:
    """A colleague who has opened the copy."""
    client = scenes.browser(role)
    assert client.post(address(request)).status_code == 302
    return client


def table_of(request: PrivacyRequest, name: str, **more: object) -> str:
    source = request.steps.filter(kind="export").exclude(tallies=[]).values_list("source", flat=True)[0]
    rest = "".join(f"&{key}={value}" for key, value in more.items())
    return f"?source={source}&table={name}{rest}"


def take_out(client: Client, request: PrivacyRequest, **data: object):
    given = {"code": "THIRD_PARTY", "text": "It names somebody else.", **data}
    return client.post(address(request, "take-out/") + table_of(request, "prompts"), given)


def first_prompt() -> str:
    return str(rows("prompts", user_id=user_id(CAST.plain))[0]["id"])


def write_prompts(number: int, text: str = "once more") -> None:
    me = user_id(CAST.plain)
    (like,) = rows("prompts", user_id=me)[:1]
    like = {name: value for name, value in like.items() if name != "id"}
    with company_engine().begin() as connected:
        connected.execute(sa.insert(prompts), [{**like, "prompt": text} for _ in range(number)])


def test_it_opens_by_a_button_and_says_once_a_day_who_looked(company):
    request = scenes.checking()
    client = scenes.browser(Role.HANDLER)
    closed = client.get(address(request) + table_of(request, "users"))
    assert "The copy is closed" in closed.content.decode()
    assert CAST.plain not in closed.content.decode()
    assert not AuditEvent.objects.filter(what="copy_looked_at").exists()
    for _again in range(3):
        answer = client.post(address(request) + table_of(request, "users", start=20))
        assert (answer.status_code, answer["Location"].rpartition("?")[2]) == (
            302,
            table_of(request, "users", start=20)[1:],
        )
    assert CAST.plain in client.get(address(request) + table_of(request, "users")).content.decode()
    opened(request, Role.APPROVER)
    looked = AuditEvent.objects.filter(what="copy_looked_at", request_id=request.pk)
    assert list(looked.order_by("number").values_list("actor_id", flat=True)) == [
        scenes.person(Role.HANDLER).pk,
        scenes.person(Role.APPROVER).pk,
    ]


@pytest.mark.parametrize("role", [Role.AUDITOR, Role.ADMIN, Role.NONE])
def test_whoever_has_nothing_to_do_with_it_does_not_look(company, role):
    request = scenes.checking()
    client = scenes.browser(role)
    for rest in ("", "take-out/", "put-back/1/"):
        assert client.post(address(request, rest)).status_code == 403
    assert client.get(address(request)).status_code == 403


def test_a_row_and_a_column_are_taken_out_and_put_back(company):
    write_prompts(1)
    request = scenes.checking()
    client = opened(request)
    one, other = (str(row["id"]) for row in rows("prompts", user_id=user_id(CAST.plain))[:2])
    assert take_out(client, request, row=one, whole="on").status_code == 302
    assert take_out(client, request, row=other, columns=["prompt", "output"]).status_code == 302
    assert package.whole(request) is None
    assert sorted(Redaction.objects.values_list("column", "code")) == [
        ("", "THIRD_PARTY"), ("output", "THIRD_PARTY"), ("prompt", "THIRD_PARTY"),
    ]  # fmt: skip
    shown = BeautifulSoup(client.get(address(request) + table_of(request, "prompts")).content, "html.parser")
    assert "It is put together again" in shown.get_text()
    assert len(shown.select("article.out")) == 1
    log = shown.select_one("section[aria-labelledby=log-title]")
    assert log.get_text().count("It names somebody else.") == 3
    assert "It names somebody else." not in str(Redaction.objects.values())

    runner.drain_fulfilling()
    assert package.whole(request)
    back = log.select_one("form")["action"]
    assert AuditEvent.objects.filter(what="redacted").count() == 2, "what is taken out together is one deed"
    unopened = scenes.browser(Role.APPROVER)
    assert unopened.post(back)["Location"].startswith(address(request))
    assert Redaction.objects.count() == 3, "nobody changes a copy that they have not opened"
    assert client.post(back).status_code == 302
    assert client.post(back).status_code == 409
    assert Redaction.objects.count() == 2
    assert package.whole(request) is None


def test_what_is_missing_in_the_form_is_said_and_nothing_is_taken_out(company):
    request = scenes.checking()
    client = opened(request)
    row = first_prompt()
    for wrong in ({"row": row}, {"row": row, "whole": "on", "text": " "}, {"row": row, "whole": "on", "code": "HOLD"},
                  {"row": "999999", "whole": "on"}, {"row": row, "columns": ["nonsense"]}):  # fmt: skip
        answer = take_out(client, request, **wrong)
        assert answer.status_code == 422, wrong
        assert 'class="error-summary"' in answer.content.decode()
    assert not Redaction.objects.exists()
    answer = take_out(client, request, row=row, columns=["prompt"], text="")
    form = BeautifulSoup(answer.content, "html.parser").select_one("details[open] form")
    assert form.select_one("input[name=columns][value=prompt]").has_attr("checked")


def test_it_is_handed_over_whole_or_not_at_all(company):
    request = scenes.checking()
    lead = opened(request, Role.APPROVER)
    typed = {"reference": request.case.reference}
    page = lead.get(address(request)).content.decode()
    assert "The copy is whole" in page
    assert f"/desk/requests/{request.pk}/hand-over/" in page
    assert "hand-over" not in opened(request).get(address(request)).content.decode()
    take_out(lead, request, row=first_prompt(), whole="on")
    assert "hand-over" not in lead.get(address(request)).content.decode()
    assert lead.post(f"/desk/requests/{request.pk}/hand-over/", typed).status_code == 409
    runner.drain_fulfilling()
    alone = lead.get(address(request)).content.decode()
    assert "You were the last to leave something out of this copy" in alone
    assert f"/desk/requests/{request.pk}/hand-over/" not in alone
    assert lead.post(f"/desk/requests/{request.pk}/hand-over/", typed).status_code == 403
    lead = scenes.browser(Role.APPROVER, 1)
    lead.post(address(request))
    assert lead.post(f"/desk/requests/{request.pk}/hand-over/", {"reference": "RD-"}).status_code == 422
    assert lead.post(f"/desk/requests/{request.pk}/hand-over/", typed).status_code == 302
    assert scenes.fresh(request).state == State.COMPLETED
    assert lead.get(address(request)).status_code == 409
    assert take_out(lead, request, row=first_prompt(), whole="on").status_code == 409


def test_a_copy_that_nobody_opened_is_not_handed_over(company):
    request = scenes.checking()
    client = scenes.browser(Role.APPROVER)
    place, typed = f"/desk/requests/{request.pk}/hand-over/", {"reference": request.case.reference}
    assert place not in client.get(f"/desk/requests/{request.pk}/").content.decode()
    answer = client.post(place, typed)
    assert answer.status_code == 422
    assert "Nobody has looked through this copy yet" in answer.content.decode()
    assert CAST.plain not in answer.content.decode()
    assert scenes.fresh(request).state == State.CHECKING
    opened(request)
    assert client.post(place, typed).status_code == 302


def test_the_list_of_what_was_taken_out_has_pages(company, monkeypatch):
    monkeypatch.setattr(copy_page, "LOG", 2)
    request = scenes.checking()
    client = opened(request)
    take_out(client, request, row=first_prompt(), columns=["prompt", "output", "created_at"])
    seen = []
    rest = table_of(request, "prompts")
    while rest:
        page = BeautifulSoup(client.get(address(request) + rest).content, "html.parser")
        log = page.select_one("section[aria-labelledby=log-title]")
        seen += [one["action"] for one in log.select("form")]
        link = log.select_one("a[rel=next]")
        rest = str(link["href"]) if link else ""
    assert len(seen) == len(set(seen)) == 3


def test_while_it_is_put_together_the_page_says_how_far(company):
    request = scenes.copy_stuck()
    shown = opened(request).get(address(request)).content.decode()
    assert not AuditEvent.objects.filter(what="copy_looked_at").exists()
    assert "0 of" in shown
    assert "Something is stuck" in shown
    assert "The source refuses our sign-in" in shown
    assert CAST.plain not in shown


def test_other_requests_have_no_copy(company):
    request = scenes.review()
    assert scenes.browser(Role.APPROVER).get(address(request)).status_code == 404
    assert scenes.browser(Role.APPROVER).get("/desk/requests/999999999999/copy/").status_code == 404
    assert scenes.browser(Role.APPROVER).get(address(scenes.asked_for_a_copy())).status_code == 409


def test_what_cannot_be_taken_elsewhere_is_named(company):
    request = scenes.checking(Right.PORTABILITY)
    client = opened(request)
    assert "This is not part of it" in client.get(address(request) + table_of(request, "invoices")).content.decode()
    assert "This is not part of it" not in client.get(address(request) + table_of(request, "users")).content.decode()


def test_hostile_and_long_values_are_only_words_behind_a_fold(company):
    write_prompts(1, HOSTILE)
    request = scenes.checking()
    shown = opened(request).get(address(request) + table_of(request, "prompts")).content.decode()
    assert "<script>alert" not in shown
    assert "<img src=x" not in shown
    folded = BeautifulSoup(shown, "html.parser").select(".cells details .whole")
    assert HOSTILE.strip() in [one.get_text().strip() for one in folded]


def test_pages_lead_through_every_row_at_the_same_cost(company):
    request = scenes.checking()
    client = opened(request)

    def queries(rest: str) -> int:
        with CaptureQueriesContext(connection) as captured:
            assert client.get(address(request) + rest).status_code == 200
        return len(captured)

    few = queries(table_of(request, "prompts"))
    take_out(client, request, row=first_prompt(), columns=["prompt", "output"])
    runner.drain_fulfilling()
    with_log = queries(table_of(request, "prompts"))
    write_prompts(70)
    assert scenes.control.send_back(request.pk, "More has come.", actor=scenes.actor()).state == State.FULFILLING
    runner.drain_fulfilling()
    assert not request.steps.exclude(status=StepStatus.DONE).exists()
    assert client.post(address(request)).status_code == 302, "what was copied since has to be opened anew"
    for row in rows("prompts", user_id=user_id(CAST.plain))[5:15]:
        take_out(client, request, row=str(row["id"]), whole="on")
    runner.drain_fulfilling()
    assert queries(table_of(request, "prompts")) <= with_log
    assert few <= with_log <= 30
    seen: list[str] = []
    rest = table_of(request, "prompts")
    while rest:
        page = BeautifulSoup(client.get(address(request) + rest).content, "html.parser")
        seen += [one.get_text() for one in page.select("article h3 .mono")]
        link = page.select_one(".pager a[rel=next]")
        rest = str(link["href"]) if link else ""
    assert sorted(seen) == sorted(str(row["id"]) for row in rows("prompts", user_id=user_id(CAST.plain)))
    assert len(seen) == len(set(seen)) > 70
