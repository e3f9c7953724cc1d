"""The page on which somebody says that they do not agree."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone
from django.utils.formats import date_format

from dsar import deadlines
from dsar.law import authorities
from dsar.models import Appeal, Message, PrivacyRequest
from dsar.notices import Notice
from dsar.notifications import compose, outbox
from dsar.portal import session
from dsar.review import decide
from tests import drive, house
from tests.desk import scenes
from tests.drive import CAST, Route
from tests.portal.conftest import Visitor, newest_link, only, words, work
from tests.remedies import under

pytestmark = pytest.mark.usefixtures("own_journal")


class Person(Visitor):
    """Somebody whose browser has proven the mailbox of a case whose one request was refused."""

    def __init__(self, request: PrivacyRequest) -> None:
        super().__init__()
        self.request = request
        self.page = f"/case/{request.pk}/look-again/"
        held = self.client.session
        held[session.PROVEN] = {str(request.case_id): timezone.now().isoformat()}
        held[session.CURRENT] = request.case_id
        held.save()


@pytest.fixture
def person(route: Route) -> Person:
    return Person(
        drive.refuse(route.review().pk, "MANIFESTLY_UNFOUNDED", "Because.", facts="Ten in a day.", actor=route.approver)
    )


def test_another_person_is_asked_to_look_again(person: Person) -> None:
    person.request = under(person.request)
    here = person.get("/case/").content.decode()
    assert f'href="{person.page}"' in here
    page = person.get(person.page)
    for link in authorities.way(person.request.case.regime).links:
        assert f'href="{link}"' in here and f'href="{link}"' in page.content.decode()
    assert "Somebody who did not decide it the first time" in words(page)
    assert "45 calendar days" in words(page)
    empty = person.post(person.page, {"text": "  "})
    assert empty.status_code == 422
    assert "A few words are enough." in words(empty)
    done = person.post(person.page, {"text": "You never looked into the second account."})
    day = deadlines.received_on(person.request.case.regime, timezone.now()) + timedelta(days=45)
    assert f"You have our answer by {day.day} " in words(done)
    assert "Another person looks at our answer again" in words(done)
    (letter,) = Message.objects.filter(notice=Notice.APPEAL_RECEIVED)
    said = str(compose.mail(letter).body)
    assert "Somebody who did not decide it the first time" in said
    assert "second account" not in said, "what was written is not mailed around"
    off = person.post(f"{person.page}withdraw/")
    assert "Our answer stays as it was." in words(off)
    assert Appeal.objects.get().outcome == "withdrawn"
    assert "There is nothing to call off any more." in words(person.post(f"{person.page}withdraw/"))


def test_pages_and_letter_name_the_day_that_we_promise(person: Person, settings: Any, tmp_path: Path) -> None:
    """Thirty days instead of the forty-five of Colorado (C.R.S. 6-1-1306(3)(b)): before, just after, later and by mail."""
    settings.PROMISES = tmp_path / "promises.toml"
    settings.PROMISES.write_text("[all]\nappeal_days = 30\n")
    person.request = under(person.request)
    today = deadlines.received_on(person.request.case.regime, timezone.now())
    told, law = (date_format(today + timedelta(days=days)) for days in (30, 45))
    before = words(person.get(person.page))
    assert f"by {told}" in before
    after = words(person.post(person.page, {"text": "You never looked."}))
    letter = str(compose.mail(Message.objects.get(notice=Notice.APPEAL_RECEIVED)).body)
    for where, said in {
        "after": after,
        "case": words(person.get("/case/")),
        "again": words(person.get(person.page)),
        "letter": letter,
    }.items():
        assert told in said, where
        assert f"by {law}" not in said, where


def test_where_the_law_knows_no_appeal_nobody_is_turned_away(person: Person) -> None:
    assert "Tell us why you do not agree" in words(person.get("/case/"))
    page = words(person.get(person.page))
    assert "A person reads it and answers you." in page
    assert "data protection authority where you live" in page
    assert "calendar days" not in page
    done = person.post(person.page, {"text": "I do not agree at all."})
    assert "A person here reads what you wrote." in words(done)
    assert "I do not agree at all." in words(done)
    assert not Appeal.objects.exists()


def test_law_10_nobody_else_is_told_that_there_is_anything_to_look_at(person: Person) -> None:
    stranger = Visitor()
    answer, nothing = stranger.get(person.page), stranger.get("/case/999999/look-again/")
    assert (answer.status_code, nothing.status_code) == (404, 404)
    assert words(answer) == words(nothing)
    assert stranger.post(person.page, {"text": "Me too."}).status_code == 404
    assert not Appeal.objects.exists()


def test_from_the_refusal_to_the_deletion_that_should_have_been(
    visitor: Visitor,
) -> None:
    """The whole way, by the pages of both sides: refused, looked at again by somebody else, begun anew, confirmed."""
    visitor.prove(CAST.org_member)
    old = under(
        drive.refuse(only().pk, "MANIFESTLY_UNFOUNDED", "Because.", facts="Ten in a day.", actor=scenes.actor())
    )
    visitor.post(f"/case/{old.pk}/look-again/", {"text": "That organisation is mine."})
    appeal = Appeal.objects.get()
    answer = f"/desk/appeals/{appeal.pk}/decide/"
    given = {"outcome": "upheld", "text": "The organisation is the person's own."}
    scenes.browser("approver").post(answer, given)
    assert Appeal.objects.get().is_open, "not by who refused it"
    scenes.browser("approver", 1).post(answer, given)
    outbox.drain()
    letter = str(house.mails(CAST.org_member)[-1].get_body(("plain",)))
    assert "The organisation is the person's own." in letter
    assert "You need not ask again." in letter
    page = words(visitor.get("/case/"))
    assert "We looked again: you were right" in page
    assert "Declined." in page, "the old record stays as it was"
    work()
    new = Appeal.objects.get().opened
    assert new is not None
    decide.approve(new.pk, actor=scenes.actor(number=1))
    outbox.drain()
    visitor.get(newest_link(CAST.org_member))
    assert "Do you want to delete your data?" in words(visitor.post("/proof/"))
    visitor.confirm()
    new.refresh_from_db()
    assert new.is_bound
    assert PrivacyRequest.objects.get(pk=old.pk).outcome == "denied"
