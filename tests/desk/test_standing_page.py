"""The desk's panel about who asks for the person, and its papers."""

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from accounts.models import Role
from dsar.models import AuditEvent, PrivacyRequest
from dsar.verification import representation
from tests import drive
from tests.desk import scenes
from tests.house import CAST

OWN = "stands-for-them@example.net"


@pytest.fixture
def claimed(company: None) -> PrivacyRequest:
    """A guardian asks."""
    return drive.by_web(CAST.plain, acts_as="guardian", own_name="Jorun Aske", own_email=OWN)


def test_two_approvers_see_the_papers_on_the_page(claimed: PrivacyRequest) -> None:
    page, clerk = f"/desk/requests/{claimed.pk}/", scenes.browser(Role.HANDLER)
    assert "waits to be looked at" not in clerk.get(page).content.decode()
    paper = {"file": SimpleUploadedFile("<i>order.html", b"<script>alert(1)</script>")}
    shown = clerk.post(f"{page}authority/", paper, follow=True).content.decode()
    assert "Jorun Aske" in shown
    assert OWN in shown
    assert "&lt;i&gt;order" in shown
    assert "Look at the authority of who asks" in shown
    assert clerk.post(f"{page}authority-seen/", {"text": "Seen."}).status_code == 403
    number = representation.of(claimed.case).papers.get().pk  # type: ignore[union-attr]
    assert clerk.get(f"/desk/authority/{number}/").status_code == 405
    answer = clerk.post(f"/desk/authority/{number}/")
    assert AuditEvent.objects.get(what="authority_paper_opened").details == {"file": number}
    assert answer["Content-Disposition"].startswith("attachment")
    assert "sandbox" in answer["Content-Security-Policy"]
    assert scenes.browser(Role.AUDITOR).post(f"/desk/authority/{number}/").status_code == 403
    auditor = scenes.browser(Role.AUDITOR).get(page).content.decode()
    assert "Jorun Aske" not in auditor
    assert OWN not in auditor

    first, second = scenes.browser(Role.APPROVER), scenes.browser(Role.APPROVER, 1)
    assert first.post(f"{page}authority-seen/", {"text": "The order."}, follow=True).status_code == 200
    again = first.post(f"{page}authority-seen/", {"text": "The order."})
    assert again.status_code == 422
    assert "A second approver has to look at it too" in again.content.decode()
    shown = second.post(f"{page}authority-seen/", {"text": "The same."}, follow=True).content.decode()
    assert "stands for the person" in shown
    assert "What was seen is kept with the case" in shown
    assert clerk.post(f"/desk/authority/{number}/").status_code == 200, "kept for as long as the case"
    assert second.post(f"{page}authority-seen/", {"text": "The same."}).status_code == 409


def test_a_handler_writes_down_who_asks(company: None) -> None:
    request = drive.by_web(CAST.plain)
    page, clerk = f"/desk/requests/{request.pk}/name-representative/", scenes.browser(Role.HANDLER)
    for wrong in ({"name": "see evil.example"}, {"email": "nobody"}, {"email": CAST.plain}, {"kind": "king"}):
        given = {"kind": "estate", "name": "Jorun Aske", "email": OWN, **wrong}
        assert clerk.post(page, given).status_code == 422, wrong
    given = {"kind": "estate", "name": "Jorun Aske", "email": OWN}
    assert "Estate of a person who has died" in clerk.post(page, given, follow=True).content.decode()
