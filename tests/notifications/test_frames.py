"""A letter read again: in its frame at the desk, with its person, and on paper."""

from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.models import Role
from dsar.enums import Right
from dsar.models import Case, Letter, Message, Restriction
from dsar.notices import MessageStatus, Notice
from dsar.notifications import outbox, paper
from dsar.review import purge
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


def test_a_letter_read_again_is_the_letter_that_was_sent(db: None) -> None:
    """Art 5(2): whatever becomes of the request, the data map or the list of choices, it says what it said."""
    objected = drive.a_request(right=Right.OBJECTION)
    drive.proven_by_link(objected.case)
    objected = drive.fresh(objected.pk)
    Restriction.objects.create(request=objected, ground="objection", since=timezone.now())
    message = outbox.queue(objected, Notice.REFUSED, text="Because.")
    assert message is not None
    outbox.drain()
    Message.objects.filter(notice=Notice.REFUSED).update(text_sealed=None)
    Restriction.objects.update(lifted_at=timezone.now())
    Case.objects.update(language="de")
    found = paper.find(drive.fresh(objected.pk).case, message.pk)
    assert found is not None
    page = scenes.browser(Role.HANDLER).get(reverse("desk_letter", args=[found.pk])).content.decode()
    for said in (paper.text(found), paper.html(found), page):
        assert "Because." in said
        assert "had stopped the use that you object to" in said
    assert Letter.objects.get(message=found).pdf_sealed is None
    paper.pdf(found)
    purge.purge(objected.case_id)
    assert Letter.objects.filter(said_sealed=None, pdf_sealed=None).count() == Letter.objects.count() > 0
