"""A letter read again: in its frame at the desk, with its person, and on paper."""

from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.models import Role
from dsar.enums import MessageStatus, Notice
from dsar.models import Message
from dsar.notifications import paper
from tests import drive
from tests.desk import scenes

LETTERS = [notice for notice in Notice if paper.is_letter(Message(notice=notice, status=MessageStatus.SENT))]


def test_every_letter_stays_in_its_frame(db: None) -> None:
    request = drive.a_request()
    reader, desk = Client(), scenes.browser(Role.HANDLER)
    session = reader.session
    session["proven"] = {str(request.case_id): timezone.now().isoformat()}
    session["case"] = request.case_id
    session.save()
    for notice in LETTERS:
        message = Message.objects.create(
            case=request.case, request=request, notice=notice, status=MessageStatus.SENT, sent_at=timezone.now()
        )
        for browser, name in ((reader, "case_letter"), (desk, "desk_letter")):
            page = browser.get(reverse(name, args=[message.pk])).content.decode()
            assert "Download as PDF" in page, notice
            assert 'id="main"' in page
            assert "<style" not in page
        on_paper = paper.html(paper.find(request.case, message.pk) or message)
        assert "@page" in on_paper
        assert f"[{request.case.reference}]</title>" in on_paper
