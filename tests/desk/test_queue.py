"""The queue: views, filters, search, keyset paging, and a cost that does not grow with the rows."""

import logging
from datetime import timedelta

import pytest
from bs4 import BeautifulSoup
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from accounts.models import Role
from dsar.demo.cast import CAST
from dsar.desk import paging, search, views
from dsar.models import PrivacyRequest
from dsar.review import decide
from tests.desk import scenes

QUEUE = "/desk/"


def references(response) -> list[str]:
    soup = BeautifulSoup(response.content, "html.parser")
    return [link.get_text() for link in soup.select(".queue tbody th a")]


def queries(client, url: str) -> int:
    with CaptureQueriesContext(
        connection,
    ) as captured:
        assert client.get(url).status_code == 200
    return len(captured)


@pytest.mark.parametrize("view", ["needs-us", "all", "ended"])
def test_the_number_of_queries_does_not_grow(desk, view):
    client = scenes.browser(Role.HANDLER)
    scenes.many(3)
    few = queries(client, f"{QUEUE}?view={view}")
    scenes.many(27)
    assert queries(client, f"{QUEUE}?view={view}") == few <= 12


def test_every_view_and_filter_answers(company):
    made = [scenes.triage(), scenes.review(), scenes.disputed()]
    client = scenes.browser(Role.AUDITOR)
    for view in views.VIEWS:
        assert client.get(f"{QUEUE}?view={view.key}").status_code == 200
    assert references(client.get(f"{QUEUE}?view=stuck")) == [made[2].case.reference]
    assert references(client.get(f"{QUEUE}?right=unsorted")) == [made[0].case.reference]
    assert references(client.get(f"{QUEUE}?state=review")) == [made[1].case.reference]
    assert references(client.get(f"{QUEUE}?law=us_ca_ccpa")) == []
    assert len(references(client.get(f"{QUEUE}?channel=web&assignee=none"))) == 3
    assert references(client.get(f"{QUEUE}?due_before={timezone.localdate()}")) == []
    assert client.get(f"{QUEUE}?state=nonsense&due_before=x&assignee=9&view=z&after=q&before=%00").status_code == 200


def test_views_hold_what_their_names_say(company):
    review, releasing = scenes.review(), scenes.releasing()
    waiting = scenes.prove(scenes.ask(CAST.crypto))
    late = scenes.ask(CAST.refund_due, days=60)
    client = scenes.browser(Role.HANDLER)
    found = {view.key: set(references(client.get(f"{QUEUE}?view={view.key}"))) for view in views.VIEWS}
    assert found["needs-us"] == {review.case.reference, releasing.case.reference}
    assert found["requester"] == {waiting.case.reference, late.case.reference}
    assert found["release"] == {releasing.case.reference}
    assert found["overdue"] == {late.case.reference}
    assert len(found["all"]) == 4
    assert found["ended"] == set()
    decide.withdraw_for(late.pk, actor=scenes.actor())
    assert references(client.get(f"{QUEUE}?view=ended")) == [late.case.reference]


def test_counts_agree_with_the_rows_and_stop_counting(desk, monkeypatch):
    scenes.many(6)
    now = timezone.now()
    assert views.counts(now, scenes.person(Role.HANDLER), ())["needs-us"] == 6
    monkeypatch.setattr(views, "COUNT_TO", 5)
    assert views.counts(now, scenes.person(Role.HANDLER), ())["needs-us"] == 5
    assert views.shown(5) == "4+"


@pytest.mark.parametrize("descending", [False, True])
def test_paging_visits_every_row_once_in_both_directions(desk, descending):
    from django.http import QueryDict

    made = {row.pk for row in scenes.many(23)}
    rows = PrivacyRequest.objects.all()
    seen, asked, last = [], QueryDict(""), None
    while True:
        page = paging.page(rows, asked, "due_on", descending=descending, size=5)
        seen += [row.pk for row in page.rows]
        last = page
        if not page.next:
            break
        asked = QueryDict(page.next[1:])
    assert len(seen) == len(set(seen)) == 23
    assert set(seen) == made
    back = [row.pk for row in last.rows]
    while last.previous:
        last = paging.page(rows, QueryDict(last.previous[1:]), "due_on", descending=descending, size=5)
        back = [row.pk for row in last.rows] + back
    assert back == seen


def test_pages_are_linked_and_a_vanished_page_shows_the_first(desk):
    scenes.many(paging.PAGE + 7)
    client = scenes.browser(Role.HANDLER)
    first = client.get(QUEUE)
    following = BeautifulSoup(first.content, "html.parser").select_one("a[rel=next]")["href"]
    second = client.get(QUEUE + following)
    assert len(references(first)) == paging.PAGE
    assert len(references(second)) == 7
    assert not set(references(first)) & set(references(second))
    far = (timezone.localdate() + timedelta(days=900)).isoformat()
    assert references(client.get(f"{QUEUE}?after={far}.1")) == references(first)


def test_the_soonest_legal_date_comes_first(desk):
    later, sooner = scenes.many(1, day=20)[0], scenes.many(1, day=2)[0]
    found = references(scenes.browser(Role.HANDLER).get(QUEUE))
    assert found == [sooner.case.reference, later.case.reference]


@pytest.mark.parametrize("typed", ["{0}", " {0} ", "{1}", "{2}"])
def test_search_by_reference_opens_the_request(desk, typed):
    wanted, _other = scenes.many(2)
    reference = wanted.case.reference
    words = typed.format(reference, reference.lower().replace("-", " "), reference[3:])
    response = scenes.browser(Role.HANDLER).post(QUEUE, {"words": words})
    assert response["Location"] == reverse("desk_request", args=[wanted.pk])


def test_search_by_the_beginning_of_a_reference_lists(desk):
    scenes.many(2, references=("RD-ABCDE-00001", "RD-ABCDE-00002"))
    client = scenes.browser(Role.HANDLER)
    response = client.post(QUEUE, {"words": "abcde"}, follow=True)
    assert set(references(response)) == {"RD-ABCDE-00001", "RD-ABCDE-00002"}


def test_an_address_never_stands_in_an_address_bar_a_list_or_a_log(company, caplog, capsys):
    caplog.set_level(logging.DEBUG)
    request = scenes.review()
    client = scenes.browser(Role.HANDLER)
    client.raise_request_exception = True
    response = client.post(QUEUE, {"words": f" {CAST.org_member.upper()} "})
    where = response["Location"]
    assert "who=" in where
    listed = client.get(where)
    assert references(listed) == [request.case.reference]
    local = CAST.org_member.split("@")[0]
    index = search.index_of(CAST.org_member)
    for told in (where, listed.content.decode(), caplog.text, *capsys.readouterr()):
        assert local not in told.lower()
        assert index not in told
    assert local not in client.get(QUEUE).content.decode()


def test_a_search_of_another_session_names_nothing(company):
    scenes.review()
    where = scenes.browser(Role.HANDLER).post(QUEUE, {"words": CAST.org_member})["Location"]
    other = scenes.browser(Role.HANDLER).get(where)
    assert other.status_code == 200
    assert references(other) == []


@pytest.mark.parametrize("words", ["", " ", "\x00", "x", "not a reference at all", "@", "RD-", "%" * 254, "a" * 300])
def test_nonsense_in_the_search_box_is_harmless(desk, words):
    assert scenes.browser(Role.HANDLER).post(QUEUE, {"words": words}, follow=True).status_code == 200


def test_the_database_uses_an_index_for_every_view(desk):
    if connection.vendor != "postgresql":
        plan = str(PrivacyRequest.objects.order_by("due_on", "pk")[:50].explain())
        assert "USING" in plan or "INDEX" in plan
        return
    scenes.many(300)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE dsar_privacyrequest")
        cursor.execute("SET enable_seqscan = off")
        cursor.execute("SET enable_sort = off")
    now = timezone.now()
    for view in views.VIEWS:
        order = (f"-{view.order}", "-pk") if view.descending else (view.order, "pk")
        plan = view.rows(now).order_by(*order)[:50].explain()
        assert "Index" in plan, (view.key, plan)
        assert "Sort" not in plan, (view.key, plan)
    with connection.cursor() as cursor:
        cursor.execute("RESET enable_seqscan")
        cursor.execute("RESET enable_sort")
