"""Somebody asks for a copy in the name of somebody else: looked at first, allowed by the person, fetched by both."""

import io
import zipfile

import pytest

from dsar.enums import State
from dsar.fulfilment import package
from tests.house import CAST, House, body_of, link_in, mail_to, mails, wait_for
from tests.journeys import scenes
from tests.journeys.people import Colleague, Visitor

pytestmark = pytest.mark.once

OWN = "asks-for-others@example.net"


def test_an_agent_asks_for_a_copy_and_has_it_as_the_person_allows(
    stack: House, visitor: Visitor, clerk: Colleague, lead: Colleague
) -> None:
    agent, person = visitor, Visitor(stack.url)
    agent.open("/ask/access/")
    agent.follow("I ask for somebody else")
    agent.press(
        "Send my request", acts_as="agent", email=CAST.plain, country="DE", own_name="Jorun Aske", own_email=OWN
    )
    agent.sees("You ask for somebody else")
    asked = mail_to(OWN, "We have your request for somebody else")
    assert "Jorun Aske asks for this in your name" in body_of(mail_to(CAST.plain, "Please confirm"))

    person.prove(CAST.plain)
    person.sees("Somebody asks in your name", "Jorun Aske")
    person.press("Save my answer", answer="allow", follow="on", receive="on")
    request = scenes.reaches(scenes.request_of(CAST.plain, "access"), State.REVIEW)
    assert request.judgement == ["representative"]
    clerk.look_at(request)
    clerk.sees("Somebody asks for the person", "The person lets somebody ask for them")

    agent.open(link_in(asked))
    before = len(mails(OWN))
    agent.press("Send me a code")
    agent.press("Open the request", code=scenes.code_in(body_of(mail_to(OWN, "Your code", after=before))))
    agent.sees("Get a copy", "It is under way")
    assert agent.button("Withdraw this request") is None
    assert CAST.plain not in agent.text

    lead.act(request, "approve")
    request = scenes.reaches(request, State.CHECKING)
    wait_for(lambda: package.whole(request), what="the copy")
    before = len(mails(OWN))
    lead.look_at(request)
    lead.press("Open the copy")
    lead.press("Hand the copy over", reference=request.case.reference)
    mail_to(OWN, "News about your request", after=before)
    agent.open("/for/")
    agent.press("Download their copy")
    assert agent.page is not None
    with zipfile.ZipFile(io.BytesIO(agent.page.content)) as packed:
        assert "index.html" in packed.namelist()
    mail_to(CAST.plain, "Your copy was downloaded")

    person.open("/case/")
    person.follow("Change it or take it back")
    person.press("Save my answer", answer="alone")
    agent.open("/for/")
    agent.sees("There is nothing that we may show you here now")
