"""The page on which somebody says that they do not agree."""

from datetime import timedelta

import pytest
from django.utils import timezone

from dsar.enums import AppealKind
from dsar.models import Appeal
from dsar.notifications import outbox
from dsar.review import decide
from tests import house
from tests.desk import scenes
from tests.drive import CAST
from tests.portal.conftest import Visitor, only, words
from tests.remedies import knows


@pytest.fixture
def refused(visitor: Visitor) -> str:
    """A person in front of a refusal; the page on which they say that they do not agree."""
    visitor.prove(CAST.org_member)
    request = decide.refuse(only().pk, "MANIFESTLY_UNFOUNDED", "Because.", actor=scenes.actor())
    outbox.drain()
    return f"/case/{request.pk}/look-again/"


def test_another_person_is_asked_to_look_again(visitor: Visitor, refused: str, monkeypatch: pytest.MonkeyPatch) -> None:
    knows(monkeypatch, AppealKind.APPEAL)
    assert f'href="{refused}"' in visitor.get("/case/").content.decode()
    page = visitor.get(refused)
    assert "Somebody who did not decide it the first time" in words(page)
    assert "45 calendar days" in words(page)
    empty = visitor.post(refused, {"text": "  "})
    assert empty.status_code == 422
    assert "A few words are enough." in words(empty)
    done = visitor.post(refused, {"text": "You never looked into the second account."})
    day = timezone.localdate() + timedelta(days=45)
    assert f"You have our answer by {day.day} " in words(done)
    assert "Another person looks at our answer again" in words(done)
    outbox.drain()
    letter = str(house.mails(CAST.org_member)[-1].get_body(("plain",)))
    assert "Somebody who did not decide it the first time" in letter
    assert "second account" not in letter, "what was written is not mailed around"
    off = visitor.post(f"{refused}withdraw/")
    assert "Our answer stays as it was." in words(off)
    assert Appeal.objects.get().outcome == "withdrawn"
    assert "There is nothing to call off any more." in words(visitor.post(f"{refused}withdraw/"))


def test_where_the_law_knows_no_appeal_nobody_is_turned_away(visitor: Visitor, refused: str) -> None:
    assert "Tell us why you do not agree" in words(visitor.get("/case/"))
    page = words(visitor.get(refused))
    assert "A person reads it and answers you." in page
    assert "data protection authority where you live" in page
    assert "calendar days" not in page
    done = visitor.post(refused, {"text": "I do not agree at all."})
    assert "A person here reads what you wrote." in words(done)
    assert "I do not agree at all." in words(done)
    assert not Appeal.objects.exists()


def test_law_10_nobody_else_is_told_that_there_is_anything_to_look_at(visitor: Visitor, refused: str) -> None:
    stranger = Visitor()
    answer, nothing = stranger.get(refused), stranger.get("/case/999999/look-again/")
    assert (answer.status_code, nothing.status_code) == (404, 404)
    assert words(answer) == words(nothing)
    assert stranger.post(refused, {"text": "Me too."}).status_code == 404
    assert not Appeal.objects.exists()
