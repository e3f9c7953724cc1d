"""A mailbox is lost, and the copy goes to the new one: after the identity was shown, everybody told, the days waited."""

from collections.abc import Iterator

import pytest

from dsar.enums import State
from dsar.fulfilment import package
from tests.house import CAST, House, mail_to, mails, wait_for
from tests.journeys import scenes
from tests.journeys.people import Colleague, Visitor

pytestmark = pytest.mark.once

NEW = "new-mailbox@example.net"


@pytest.fixture
def impatient(stack: House) -> Iterator[None]:
    """A worker whose seven days are none."""
    stack.kill("worker")
    stack.start_worker(LOST_MAILBOX_DAYS="0")
    yield
    stack.kill("worker")
    stack.start_worker()


def test_a_copy_reaches_a_new_mailbox_by_the_rule_and_no_other_way(
    stack: House, impatient: None, visitor: Visitor, clerk: Colleague, lead: Colleague
) -> None:
    visitor.open("/new-link/")
    visitor.follow("I cannot read my mail any more")
    visitor.press(
        "Send this", wish="access", email=CAST.plain, new_email=NEW, country="DE", statement="The provider has closed."
    )
    visitor.sees("A person here reads it")
    mail_to(NEW, "We have noted your new address")
    request = scenes.request_of(CAST.plain, "access")
    clerk.act(request, "classify", right="access")
    clerk.act(
        request, "identity", method="data_points_3_declared", seen="Compared by telephone.",
        compared=["name", "phone", "other:payment"], signed_by="Ann Example", signed_on="2026-01-02",
    )  # fmt: skip
    lead.act(request, "identity-second", agrees="yes")
    mail_to(CAST.plain, "Is this mailbox still yours?")
    letter = mail_to(NEW, "We write to this address from now on")
    request = scenes.reaches(request, State.REVIEW)
    lead.act(request, "approve")
    request = scenes.reaches(request, State.CHECKING)
    wait_for(lambda: package.whole(request), what="the copy")
    before = len(mails(CAST.plain))
    lead.look_at(request)
    lead.press("Open the copy")
    lead.press("Hand the copy over", reference=request.case.reference)
    mail_to(NEW, "ready")
    scenes.open_by_code(visitor, letter)
    visitor.press("Download my copy")
    assert visitor.page is not None
    assert visitor.page.headers["Content-Type"] == "application/zip"
    mail_to(CAST.plain, "A copy was downloaded", after=before)
    mail_to(NEW, "Your copy was downloaded")
