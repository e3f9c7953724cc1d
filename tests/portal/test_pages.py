"""The requester's pages, from the first card to the letter; workers' rounds are made in this process."""

import re
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone
from django.utils.formats import date_format

from dsar import clock_events
from dsar.demo.cast import CAST
from dsar.enums import CheckKind, Outcome, Right, State
from dsar.fulfilment import control, runner
from dsar.models import Actor, IdentityCheck, Plan, PrivacyRequest
from dsar.notifications import outbox
from dsar.review import corrections, decide
from tests import house
from tests.portal.conftest import Visitor, newest_link, only, tables, words, work

PUBLIC = [
    "/", "/received/", "/proof/", "/waiting/", "/confirm/", "/confirm/second-factor/", "/case/", "/follow/",
    "/follow/code/", "/not-me/", "/new-link/", "/new-link/?sent=1", "/health/", "/l/x/", f"/l/{'x' * 43}/",
]  # fmt: skip


def test_from_the_first_card_to_the_letter(visitor: Visitor, approver: Actor) -> None:
    assert "/ask/deletion/" in visitor.get("/").content.decode()
    answer = visitor.ask(CAST.plain)
    assert "We have your request" in words(answer)
    assert only().state == State.VERIFYING
    work()
    opened = visitor.get(newest_link(CAST.plain))
    assert opened.redirect_chain == [("/proof/", 302)]  # type: ignore[attr-defined]
    assert only().state == State.VERIFYING
    shown = visitor.post("/proof/")
    text = words(shown)
    assert "Do you want to delete your data?" in text
    for needed in (
        "This cannot be undone",
        "Delete my data",
        "Keep my data",
        "Get a copy first",
        "Invoices",
        "31 December",
    ):
        assert needed in text, needed
    assert "EUR" in text
    assert "switched off when you confirm" in text
    done = visitor.confirm()
    assert "closing" in words(done)
    request = only()
    assert request.is_bound
    assert request.state == State.RELEASING
    work()
    assert "closing" not in words(visitor.get("/case/"))
    control.release(request.pk, actor=approver)
    runner.drain_fulfilling()
    outbox.drain()
    ended = words(visitor.get("/case/"))
    assert "What happened" in ended
    assert re.search(r"deleted \d+ records", ended)
    assert re.search(r"kept \d+ records?", ended)
    assert only().outcome in (Outcome.GRANTED, Outcome.GRANTED_IN_PART)
    later = Visitor()
    later.get(newest_link(CAST.plain))
    assert "We send a code" in words(later.get("/follow/"))
    later.post("/follow/")
    outbox.drain()
    code = IdentityCheck.objects.filter(kind=CheckKind.CODE).latest("pk").code
    assert code in house.body_of(house.mails(CAST.plain)[-1])
    assert "What happened" in words(later.post("/follow/code/", {"code": f"{code[:4]} {code[4:]}"}))


def test_nothing_held_is_said_after_the_proof(visitor: Visitor) -> None:
    assert "We hold nothing under this address" in words(visitor.prove(CAST.unknown))


def test_slow_search_shows_a_page_that_looks_again(visitor: Visitor) -> None:
    visitor.ask(CAST.plain)
    outbox.drain()
    visitor.get(newest_link(CAST.plain))
    waiting = visitor.post("/proof/")
    assert "We are looking for your data" in words(waiting)
    assert waiting["Refresh"]
    work()
    assert "Do you want to delete your data?" in words(visitor.get("/waiting/"))


def test_reading_changes_nothing(visitor: Visitor) -> None:
    visitor.ask(CAST.plain)
    work()
    link = newest_link(CAST.plain)
    paths = [*PUBLIC, "/ask/deletion/", "/ask/something-else/", "/ask/nonsense/", link]
    before = tables()
    for path in paths:
        visitor.get(path)
        visitor.client.head(path)
    assert tables() == before
    visitor.get(link)
    visitor.post("/proof/")
    pk = only().pk
    old = Plan.objects.get()
    Plan.objects.filter(pk=old.pk).update(made_at=timezone.now() - timedelta(hours=1))
    numbers = [f"/case/{pk}/withdraw/", f"/case/{pk}/answer/", f"/case/{pk}/copy/", f"/case/{pk}/do-not-wait/"]
    before = tables()
    for path in [*paths, *numbers]:
        visitor.get(path)
        visitor.client.head(path)
    assert tables() == before


def test_keeping_the_data_withdraws(visitor: Visitor) -> None:
    visitor.prove(CAST.plain)
    kept = visitor.post("/confirm/", {**visitor.fields("/confirm/"), "answer": "keep"})
    assert "We keep your data" in words(kept)
    assert only().state == State.WITHDRAWN


def test_a_copy_is_filed_once_beside_the_deletion(visitor: Visitor, settings: Any, tmp_path: Path) -> None:
    """And its answer comes by the day that we promise."""
    settings.PROMISES = tmp_path / "promises.toml"
    settings.PROMISES.write_text("[all]\nresponse_days = 20\n")
    visitor.prove(CAST.plain)
    pk = only().pk
    for _ in range(3):
        said = words(visitor.post(f"/case/{pk}/copy/"))
        assert "You have asked for a copy" in said
    copies = PrivacyRequest.objects.filter(right=Right.ACCESS)
    assert copies.count() == 1
    promised = clock_events.today(copies.get()) + timedelta(days=20)
    assert f"Our answer comes by {date_format(promised)}" in said
    assert PrivacyRequest.objects.get(pk=pk).state == State.CONFIRMING
    visitor.post(f"/case/{copies.get().pk}/withdraw/")
    assert copies.get().state == State.WITHDRAWN


def test_a_question_is_answered_on_the_page(visitor: Visitor, handler: Actor) -> None:
    visitor.prove(CAST.plain, "access")
    request = only()
    decide.ask(request.pk, "Which of your two accounts?", actor=handler)
    decide.note(request.pk, "Sounds angry.", actor=handler)
    shown = visitor.get("/case/")
    assert "Which of your two accounts?" in words(shown)
    assert "Sounds angry" not in shown.content.decode()
    field = f"r{request.pk}-text"
    empty = visitor.post(f"/case/{request.pk}/answer/", {field: " "})
    assert (empty.status_code, "Please check what you entered" in words(empty)) == (422, True)
    long = visitor.post(f"/case/{request.pk}/answer/", {field: "b" * 8001})
    assert "b" * 8001 in long.content.decode()
    assert only().state == State.CLARIFYING
    done = visitor.post(f"/case/{request.pk}/answer/", {field: "The <older> one."})
    assert "The &lt;older&gt; one." in done.content.decode()
    assert only().state == State.REVIEW
    assert "This question is closed" in words(visitor.post(f"/case/{request.pk}/answer/", {field: "Again"}))


def test_nothing_personal_is_cached(visitor: Visitor) -> None:
    visitor.prove(CAST.plain)
    for path in (
        "/",
        "/ask/deletion/",
        "/received/",
        "/confirm/",
        "/case/",
        "/not-me/",
        "/new-link/",
        "/nowhere/",
        "/health/",
    ):
        assert "no-store" in visitor.get(path)["Cache-Control"], path


def test_health_names_what_is_wrong(visitor: Visitor, monkeypatch: pytest.MonkeyPatch) -> None:
    answer = visitor.get("/health/")
    assert answer.status_code == 200
    facts = answer.json()  # type: ignore[attr-defined]
    assert {name: facts["checks"][name] for name in ("database", "guards", "keys", "outbox")} == dict.fromkeys(
        ("database", "guards", "keys", "outbox"), "ok"
    )
    monkeypatch.setattr("dsar.guards.missing", lambda using="default": ["request_bound"])
    broken = visitor.get("/health/")
    assert broken.status_code == 503
    assert "guards" in broken.json()["problems"]  # type: ignore[attr-defined]
    assert "request_bound" in broken.json()["checks"]["guards"]  # type: ignore[attr-defined]


@pytest.mark.urls("tests.portal.dev_urls")
def test_development_shows_the_mails(visitor: Visitor) -> None:
    visitor.ask(CAST.plain)
    outbox.drain()
    listing = visitor.get("/dev/mail/")
    found = re.search(r'href="(/dev/mail/[^"]+)"', listing.content.decode().split("<tbody")[1])
    assert found
    shown = visitor.get(found[1]).content.decode()
    assert f'href="{newest_link(CAST.plain)}"' in shown
    assert "sandbox srcdoc=" in shown
    for name in ("../keys.env", "..%2f..%2fkeys", "1", "x.eml", "0" * 19 + "-deadbeef"):
        assert visitor.get(f"/dev/mail/{name}/").status_code == 404


def test_development_pages_are_not_there_otherwise(visitor: Visitor) -> None:
    assert visitor.get("/dev/mail/").status_code == 404


def test_a_correction_without_a_field_to_choose_still_takes_a_file(
    visitor: Visitor, monkeypatch: pytest.MonkeyPatch
) -> None:
    visitor.ask(CAST.plain, "correction", statement="My name is wrong.")
    work()
    visitor.get(newest_link(CAST.plain))
    visitor.post("/proof/")
    page = words(visitor.get("/case/"))
    assert "Say what is wrong" in page
    monkeypatch.setattr(corrections, "fields", list)
    page = words(visitor.get("/case/"))
    assert "Say what is wrong" not in page
    assert "Send a file that shows it" in page
