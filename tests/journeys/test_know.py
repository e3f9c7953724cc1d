"""What is held about me, and why: asked by web form, proven, approved at the desk, answered by letter and page."""

import pytest

from dsar.enums import Outcome, State
from tests.house import CAST, body_of, everything_of, mail_to
from tests.journeys import scenes
from tests.journeys.people import Colleague, Visitor

pytestmark = pytest.mark.once


def test_asked_proven_approved_and_told(visitor: Visitor, lead: Colleague) -> None:
    me = scenes.number_of(CAST.plain)
    before = everything_of(me)
    visitor.ask(CAST.plain, "Know what")
    visitor.prove(CAST.plain)
    request = scenes.reaches(scenes.request_of(CAST.plain, "know"), State.REVIEW)
    lead.act(request, "approve", text="")
    held = scenes.reaches(request, State.COMPLETED)
    assert held.outcome == Outcome.GRANTED
    letter = body_of(mail_to(CAST.plain, "What we hold about you, and why"))
    for some in (
        "Prompts and outputs",
        "What it is used for",
        "Why we may use it",
        "How long we keep it",
        "Article 77",
    ):
        assert some in letter
    visitor.open("/case/")
    visitor.sees("What we hold about you, and why", "Prompts and outputs", "Where it comes from", "Analytics provider")
    assert "What happened" not in visitor.text
    assert everything_of(me) == before
