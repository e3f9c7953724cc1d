"""A letter from somebody who reads no mail: filed, shown by hand who it is, answered on paper, printed and posted."""

from datetime import timedelta

import pytest
from django.db.models import F

from dsar.enums import Outcome, State
from dsar.intake import filing
from dsar.models import IdentityCheck, Message
from dsar.notices import MessageStatus, Notice
from tests.desk import filed
from tests.house import CAST, everything_of, mail_to, mails
from tests.journeys import scenes
from tests.journeys.people import Colleague

pytestmark = pytest.mark.once


def test_filed_shown_by_hand_answered_printed_and_posted(clerk: Colleague, lead: Colleague) -> None:
    me = scenes.number_of(CAST.plain)
    before, known = everything_of(me), len(mails(CAST.plain))
    came = filing.today() - timedelta(days=4)
    clerk.open("/desk/file/")
    typed = filed.typed(days=4)
    del typed["number"]
    clerk.press("File it", **typed)
    request = scenes.reaches(scenes.request_of(CAST.plain, "know"), State.VERIFYING)
    clerk.sees(request.case.reference, "They have no mailbox", "answered by post")
    assert request.received_at.date() == came

    clerk.act(
        request, "identity", method="data_points_3_declared", seen="Three things, and the signed declaration.",
        compared=["name", "phone", "other:payment"], signed_by="Ann Example", signed_on="2026-01-02",
    )  # fmt: skip
    lead.act(request, "identity-second", agrees="yes")
    mail_to(CAST.plain, "Somebody says that they can no longer read this mailbox")
    assert scenes.fresh(request).state == State.VERIFYING
    # The days in which the mailbox on file may object are over; the clock notices by itself.
    IdentityCheck.objects.filter(kind="by_hand").update(counts_from=F("counts_from") - timedelta(days=8))
    scenes.reaches(request, State.REVIEW)
    lead.act(request, "approve", text="")
    assert scenes.reaches(request, State.COMPLETED).outcome == Outcome.GRANTED

    letter = Message.objects.get(request=request, notice=Notice.DONE_KNOW)
    assert letter.status == MessageStatus.TO_POST
    clerk.open("/desk/post/")
    clerk.sees(request.case.reference, "What is held, and why")
    assert clerk.post(f"/desk/letters/{letter.pk}/pdf/") == 200
    assert clerk.page is not None
    assert clerk.page.content.startswith(b"%PDF-")
    clerk.open("/desk/post/")
    clerk.press("Posted", letter=str(letter.pk))
    clerk.sees("1 letter posted")
    letter.refresh_from_db()
    assert (letter.status, letter.by_post) == (MessageStatus.SENT, True)
    # One mail in all this time, and it was the warning to the mailbox on file.
    scenes.post_is_out()
    assert len(mails(CAST.plain)) == known + 1
    assert everything_of(me) == before
