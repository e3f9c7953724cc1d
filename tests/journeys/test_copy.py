"""A copy, from the form to the desk that looks through it."""

import pytest

from dsar.enums import State
from dsar.fulfilment import access
from tests.fulfilment import copies
from tests.house import CAST, everything_of, mails
from tests.journeys import scenes
from tests.journeys.people import Colleague, Visitor

pytestmark = pytest.mark.once


@pytest.mark.parametrize(
    ("card", "right"), [("Get a copy of my data", "access"), ("Take my data elsewhere", "portability")]
)  # fmt: skip
def test_a_copy_is_asked_for_proven_approved_and_put_together(
    card: str, right: str, visitor: Visitor, lead: Colleague
) -> None:  # fmt: skip
    before = everything_of(scenes.number_of(CAST.plain))
    visitor.ask(CAST.plain, card)
    visitor.prove(CAST.plain)
    assert visitor.path == "/case/"
    request = scenes.reaches(scenes.request_of(CAST.plain, right), State.REVIEW)
    told = len(mails(CAST.plain))
    lead.act(request, "approve")
    request = scenes.reaches(request, State.CHECKING)
    copy = copies.of(request)
    assert copy.rows("users")[0]["email"] == CAST.plain
    assert {one["table"] for one in access.categories(request)} >= {"users", "prompts", "activity_logs"}
    # Nothing has left the house, and nothing has changed in it.
    assert len(mails(CAST.plain)) == told
    assert everything_of(scenes.number_of(CAST.plain)) == before
