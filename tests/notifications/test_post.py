"""Letters for whoever has no mailbox: every notice is decided on, says what can be done on paper, and is posted by a
person; nothing is mailed, nothing ends in silence."""

import io
import zipfile
from datetime import timedelta

import pytest
from django.core import mail
from django.urls import reverse
from django.utils import timezone

from accounts.models import Role
from dsar import audit
from dsar.demo.cast import CAST
from dsar.enums import StepReason
from dsar.fulfilment import access, control, locating, runner
from dsar.models import AuditEvent, IdentityCheck, Message
from dsar.notices import TO_OTHERS, MessageStatus, Notice
from dsar.notifications import outbox, paper, post, undelivered
from dsar.review import decide
from dsar.verification import by_hand, links
from tests import drive
from tests.desk import filed, scenes
from tests.notifications.test_letters import _texts, inside

WRITTEN = [notice for notice in Notice if post.ON_PAPER[notice] != post.Paper.NEVER]
# What is of no use without a screen.
ONLY_ONLINE = (
    "http", "open the link", "the link", "answer this e-mail", "this e-mail", "first sends a code", "download", "on that page",
    "the page of your request", "your mailbox", "press", "zip",
)  # fmt: skip


def letters() -> list[Message]:
    return list(Message.objects.filter(status=MessageStatus.TO_POST).order_by("pk"))


def send(role: str = Role.HANDLER, **data: object):
    return scenes.browser(role).post(reverse("desk_posted"), {"day": timezone.localdate().isoformat(), **data})


def test_every_notice_is_decided_on():
    assert set(post.ON_PAPER) == set(Notice)


@pytest.mark.parametrize("notice", WRITTEN)
def test_a_letter_names_nothing_that_only_a_screen_can_use(desk, notice):
    request = filed.a_letter(rights=["deletion"])
    drive.freeze(request)
    message = outbox.queue(request, notice, text="A sentence of ours.")
    assert (message.status, message.by_post, message.check_ref) == (MessageStatus.TO_POST, True, None)
    found = paper.find(request.case, message.pk)
    for said in (paper.text(found), paper.html(found).partition("</style>")[2]):
        for words in ONLY_ONLINE:
            assert words not in said.lower(), (words, said)
        assert request.case.reference in said
        assert "Musterstraße 1" in said
        assert "None" not in said


@pytest.mark.parametrize("notice", [notice for notice in Notice if notice not in WRITTEN])
def test_what_is_nothing_on_paper_is_not_written(desk, notice):
    request = filed.a_letter()
    before = Message.objects.count()
    if notice in TO_OTHERS:
        with pytest.raises(ValueError, match="to"):
            outbox.queue(request, notice)
    else:
        assert outbox.queue(request, notice) is None
    assert Message.objects.count() == before


def test_the_pdf_has_the_address_in_the_window_and_no_link(desk):
    from weasyprint import HTML

    request = filed.a_letter()
    (message,) = letters()
    answer = scenes.browser(Role.HANDLER).post(reverse("desk_letter_pdf", args=[message.pk]))
    assert answer["Content-Type"] == "application/pdf"
    assert b"/URI" not in inside(answer.content)
    assert scenes.browser(Role.AUDITOR).post(reverse("desk_letter_pdf", args=[message.pk])).status_code == 403
    page = HTML(string=paper.html(paper.find(request.case, message.pk))).render().pages[0]
    boxes = {box.text.strip(): box for box in _texts(page._page_box)}
    for line in filed.POSTAL.splitlines():
        across, down = (at * 25.4 / 96 for at in (boxes[line].position_x, boxes[line].position_y))
        # DIN 5008, form B: what the window shows, less a few millimetres in which a letter may slip.
        assert 22 < across < 100
        assert 50 < down < 85


def test_nothing_is_mailed_and_the_list_says_what_waits_since_when(desk):
    old = filed.a_letter(days=20)
    Message.objects.update(created_at=timezone.now() - timedelta(days=2))
    new = filed.a_letter()
    assert outbox.drain() == 0
    assert mail.outbox == []
    page = scenes.browser(Role.HANDLER).get(reverse("desk_post")).content.decode()
    assert page.index(old.case.reference) < page.index(new.case.reference)
    assert "Link to prove and confirm" in page
    assert "Letters to post <span" in scenes.browser(Role.HANDLER).get("/desk/").content.decode()
    shown = scenes.browser(Role.AUDITOR).get(reverse("desk_post")).content.decode()
    assert "Adalin" not in shown
    assert 'name="letter"' not in shown


def test_posted_is_noted_once_with_its_day_and_in_the_trail(desk):
    request = filed.a_letter()
    (message,) = letters()
    assert send(letter=[message.pk]).status_code == 302
    message.refresh_from_db()
    assert message.status == MessageStatus.SENT
    assert message.sent_at.date() == timezone.localdate()
    event = AuditEvent.objects.get(chain=request.case.chain, what="letter_posted")
    assert (event.actor_id, event.details) == (scenes.person(Role.HANDLER).pk, {"notice": "received_verify"})
    assert send(letter=[message.pk]).status_code == 422
    assert post.posted([message.pk], timezone.localdate(), actor=scenes.actor(Role.HANDLER)) == 0
    assert AuditEvent.objects.filter(what="letter_posted").count() == 1
    assert audit.verify() == []


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"letter": []}, "tick the letters"),
        ({"letter": ["999"]}, "999"),
        ({"day": ""}, "enter the day"),
        ({"day": "2999-01-01"}, "has not come yet"),
    ],
)
def test_what_is_wrong_is_said_and_nothing_is_posted(desk, wrong, said):
    filed.a_letter()
    answer = send(**{"letter": [letters()[0].pk], **wrong})
    assert answer.status_code == 422
    assert said in answer.content.decode()
    assert len(letters()) == 1


def test_readers_read_and_handlers_post(desk):
    filed.a_letter()
    for role in (Role.AUDITOR, Role.ADMIN, Role.NONE):
        assert send(role, letter=[letters()[0].pk]).status_code == 403
    with pytest.raises(post.Forbidden):
        post.posted([letters()[0].pk], timezone.localdate(), actor=scenes.actor(Role.AUDITOR))
    assert len(letters()) == 1


def test_nobody_has_letters_printed_from_the_web(desk):
    request = filed.a_letter()
    before = Message.objects.count()
    for _ in range(3):
        scenes.browser(None).post(reverse("new_link"), {"email": CAST.plain})
    links.send_code(request.case)
    assert Message.objects.count() == before


def test_an_answer_that_came_on_paper_brings_the_request_back(desk):
    request = filed.a_letter(rights=["unclear"])
    browser = scenes.browser(Role.HANDLER)
    browser.post(reverse("desk_verb", args=[request.pk, "ask"]), {"text": "What do you mean?"})
    assert [message.notice for message in letters()] == ["received_triage", "ask"]
    browser.post(reverse("desk_verb", args=[request.pk, "answer"]), {"text": "Tell me what you hold."})
    assert scenes.fresh(request).state == "triage"
    assert "Tell me what you hold." in browser.get(reverse("desk_request", args=[request.pk])).content.decode()


def test_a_mail_that_failed_for_good_goes_by_post_where_an_address_is_known(desk):
    request = filed.a_letter(answer="email")
    Message.objects.filter(case=request.case).update(status=MessageStatus.FAILED, reason="SMTPRecipientsRefused")
    undelivered.note(request.pk)
    assert scenes.fresh(request).named_reason == StepReason.MAIL_FAILED
    address = reverse("desk_verb", args=[request.pk, "post-instead"])
    assert scenes.browser(Role.HANDLER).post(address).status_code == 403
    assert scenes.browser(Role.APPROVER).post(address).status_code == 302
    (message,) = letters()
    assert "http" not in paper.text(paper.find(request.case, message.pk))
    assert scenes.fresh(request).named_reason == ""
    assert scenes.browser(Role.APPROVER).post(address).status_code == 409


def test_the_copy_goes_into_the_envelope_and_who_took_it_out_is_noted(company):
    request = filed.a_letter(rights=["access"])
    drive.shown_by_hand(request.pk, "data_points_3_declared", "Three things.", actor=scenes.actor(Role.HANDLER))
    IdentityCheck.objects.filter(kind="by_hand").update(counts_from=timezone.now() - timedelta(days=1))
    by_hand.sweep()
    locating.drain()
    decide.approve(request.pk, actor=scenes.actor())
    runner.drain_fulfilling()
    access.open_to(request.pk, actor=scenes.actor())
    control.hand_over(request.pk, actor=scenes.actor())
    letter = next(one for one in letters() if one.notice == Notice.DONE_COPY)
    assert "lies in this envelope" in paper.text(paper.find(request.case, letter.pk))
    address = reverse("desk_enclosure", args=[letter.pk])
    page = scenes.browser(Role.HANDLER).get(reverse("desk_post")).content.decode()
    assert "Enclose the copy" in page
    assert address in page
    assert scenes.browser(Role.AUDITOR).post(address).status_code == 403
    answer = scenes.browser(Role.HANDLER).post(address)
    assert zipfile.ZipFile(io.BytesIO(b"".join(answer.streaming_content))).namelist()
    assert AuditEvent.objects.get(what="copy_enclosed").actor_id == scenes.person(Role.HANDLER).pk
    send(letter=[letter.pk])
    assert scenes.browser(Role.HANDLER).post(address).status_code == 404
