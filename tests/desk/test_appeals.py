"""The list of what is looked at again, the page of one, and taking one up from what came otherwise."""

from datetime import timedelta

import pytest
from bs4 import BeautifulSoup
from django.conf import settings
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from accounts.models import Role
from dsar.enums import Channel
from dsar.intake import filing
from dsar.models import Appeal, Message, PrivacyRequest
from dsar.notices import Notice
from dsar.review import appeals
from tests import drive
from tests.desk import scenes
from tests.desk.pages import offered, send, url
from tests.drive import Route
from tests.remedies import under

pytestmark = pytest.mark.usefixtures("db", "own_journal")
WORDS = "You never looked into the second account."


def refused(days: int = 0) -> PrivacyRequest:
    """Refused by the first approver; received some days ago."""
    request = Route(scenes.actor(Role.HANDLER), scenes.actor()).review()
    came = timezone.now() - timedelta(days=days)
    PrivacyRequest.objects.filter(pk=request.pk).update(received_at=came)
    return under(drive.refuse(request.pk, "MANIFESTLY_UNFOUNDED", "No.", facts="Ten in a day.", actor=scenes.actor()))


def writes(request: PrivacyRequest, text: str) -> Message:
    """What they wrote in a mail stands in the conversation and in the queue."""
    PrivacyRequest.objects.filter(pk=request.pk).update(unread_at=timezone.now())
    sealed = request.case.seal(text, "message")
    return Message.objects.create(case=request.case, request=request, status="received", text_sealed=sealed)


def appealed() -> Appeal:
    """And the person does not agree."""
    appeal = appeals.take(refused().pk, WORDS)
    assert appeal is not None
    return appeal


def page(appeal: Appeal, role: str = Role.APPROVER, number: int = 0) -> str:
    return scenes.browser(role, number).get(reverse("desk_appeal", args=[appeal.pk])).content.decode()


def press(appeal: Appeal, verb: str, role: str = Role.APPROVER, number: int = 0, **data: object):
    return scenes.browser(role, number).post(reverse("desk_appeal_act", args=[appeal.pk, verb]), data)


def forms(shown: str) -> set[str]:
    found = BeautifulSoup(shown, "html.parser").select("main form")
    return {str(form["action"]).rstrip("/").split("/")[-1] for form in found}


def test_the_page_has_the_answer_the_words_the_date_and_who_may_not() -> None:
    appeal = appealed()
    shown = page(appeal, number=1)
    for words in (WORDS, "No.", "45 calendar days", "May not decide", "Approver 0", "C.R.S. 6-1-1306(3)"):
        assert words in shown, words
    assert forms(shown) == {"decide", "assign", "write", "extend", "withdraw"}
    own = page(appeal)
    assert "You took the first decision." in own
    assert "decide" not in forms(own)
    assert forms(page(appeal, Role.HANDLER)) == {"assign", "write", "extend", "withdraw"}
    read = page(appeal, Role.AUDITOR)
    assert WORDS in read
    assert forms(read) == set()


def test_only_somebody_else_answers_and_what_was_typed_stays() -> None:
    appeal = appealed()
    given = {"outcome": "dismissed", "text": "I looked at both accounts."}
    own = press(appeal, "decide", **given)
    assert own.status_code == 403
    assert "Somebody else has to take this one." in own.content.decode()
    assert press(appeal, "decide", Role.HANDLER, **given).status_code == 403
    assert press(appeal, "whatever").status_code == 404
    assert Appeal.objects.get().is_open
    again = press(appeal, "decide", number=1, text="I looked at both accounts.")
    assert again.status_code == 422
    assert "Please choose what you found." in again.content.decode()
    assert "I looked at both accounts." in again.content.decode()
    assert press(appeal, "decide", number=1, **given).status_code == 302
    assert "I looked at both accounts." in page(appeal)
    history = scenes.browser(Role.AUDITOR).get(url(appeal.request)).content.decode()
    assert "Appeal · The answer stays" in history
    gone = press(appeal, "decide", number=1, **given)
    assert gone.status_code == 409
    assert press(appeal, "extend", number=1, text="More.").status_code == 409


def test_it_is_taken_on_written_about_extended_and_called_off() -> None:
    appeal = appealed()
    press(appeal, "assign", Role.HANDLER)
    assert Appeal.objects.get().assignee == scenes.person(Role.HANDLER)
    press(appeal, "write", Role.HANDLER, text="Which account do you mean?")
    assert Message.objects.get(notice=Notice.REPLY).text == "Which account do you mean?"
    press(appeal, "extend", Role.HANDLER, text="There are many.")
    assert Appeal.objects.get().extended_at is not None
    assert "Extended; the first date was" in page(appeal)
    assert press(appeal, "withdraw", Role.HANDLER).status_code == 422
    press(appeal, "withdraw", Role.HANDLER, sure="on")
    assert Appeal.objects.get().outcome == "withdrawn"


def test_a_mail_is_no_appeal_before_a_person_says_so() -> None:
    request = refused()
    message = writes(request, "Here is my proof.")
    assert not Appeal.objects.exists()
    queue = scenes.browser(Role.HANDLER).get("/desk/").content.decode()
    assert "Perhaps they do not agree" in queue
    shown = scenes.browser(Role.HANDLER).get(url(request))
    assert "look-again" in offered(shown)
    assert "have it looked at again" in shown.content.decode()
    assert send(request, "look-again", Role.HANDLER, message=message.pk).status_code == 302
    appeal = Appeal.objects.get()
    assert (appeal.words, appeal.message, appeal.received_at) == ("Here is my proof.", message, message.created_at)
    assert scenes.fresh(request).unread_at is None
    assert "look-again" not in offered(scenes.browser(Role.HANDLER).get(url(request)))
    assert reverse("desk_appeal", args=[appeal.pk]) in scenes.browser(Role.HANDLER).get(url(request)).content.decode()


def test_a_letter_is_taken_up_with_its_true_day_and_what_is_missing_is_named() -> None:
    request = refused(days=20)
    empty = send(request, "look-again", Role.HANDLER, message="elsewhere")
    assert empty.status_code == 422
    for words in (
        "Please choose how it came.",
        "Please enter the day on which it came.",
        "what the person wrote or said",
    ):
        assert words in empty.content.decode()
    day = filing.today() - timedelta(days=5)
    typed = {"message": "elsewhere", "channel": "post", "came_on": day.isoformat(), "text": "I object."}
    assert send(request, "look-again", Role.HANDLER, **typed).status_code == 302
    appeal = Appeal.objects.get()
    assert (appeal.channel, appeal.due_on) == (Channel.POST, day + timedelta(days=45))


def test_its_dates_stand_in_the_calendar_of_a_colleague() -> None:
    appeal = appealed()
    feed = scenes.browser(Role.HANDLER).post(reverse("desk_calendar_new")).content.decode()
    begin = feed.index(settings.BASE_URL + "/desk/calendar/")
    path = feed[begin : feed.index(".ics", begin) + 4].removeprefix(settings.BASE_URL)
    said = Client().get(path).content.decode().replace("\r\n ", "")
    assert f"{appeal.request.case.reference} · Appeal: answer due" in said
    assert f"DTSTART;VALUE=DATE:{appeal.due_on:%Y%m%d}" in said
    assert WORDS not in said


def test_the_list_is_by_date_names_who_may_not_and_costs_the_same_for_many() -> None:
    first = appealed()
    handler = scenes.browser(Role.HANDLER)
    handler.get(reverse("desk_appeals"))
    with CaptureQueriesContext(connection) as one:
        shown = handler.get(reverse("desk_appeals")).content.decode()
    assert first.request.case.reference in shown
    assert "Approver 0" in shown
    assert first.request.case.email not in shown
    for request in PrivacyRequest.objects.filter(pk__in=[one.pk for one in scenes.many(3)]):
        Appeal.objects.create(
            request=request, kind="appeal", channel="web", received_at=timezone.now(), regime="eu_gdpr",
            regime_version=first.regime_version, due_on=first.due_on, target_on=first.target_on,
        )  # fmt: skip
    with CaptureQueriesContext(connection) as four:
        handler.get(reverse("desk_appeals"))
    assert len(four) == len(one)
    today = first.day(timezone.now())
    Appeal.objects.filter(pk=first.pk).update(due_on=today - timedelta(days=2))
    late = handler.get(reverse("desk_appeals") + "?view=late").content.decode()
    assert late.count("<td") == 5
    assert "2 days late" in late
    assert "overdue</span>" in handler.get("/desk/").content.decode()
