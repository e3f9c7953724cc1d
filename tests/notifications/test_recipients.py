"""Recipients are told of what was carried out; the person sees who was, who was not, and why (GDPR Art 19)."""

from collections.abc import Callable
from pathlib import Path

import pytest
import yaml
from django.conf import settings as configured
from django.db import transaction
from django.urls import reverse
from django.utils import timezone

from accounts.models import Role
from dsar.enums import RecipientStatus, Right, State, StepKind, StepStatus
from dsar.fulfilment import control, locating, recipients, runner
from dsar.intake import submit
from dsar.models import Actor, Message, PrivacyRequest, RecipientNotice
from dsar.notices import MessageStatus, Notice
from dsar.notifications import compose, outbox, report
from dsar.portal import present
from dsar.workflow import Invalid
from tests import drive, house
from tests.desk import scenes
from tests.house import CAST

pytestmark = pytest.mark.usefixtures("company", "own_journal")


@pytest.fixture(autouse=True)
def _mails_as_files(settings: object, tmp_path: Path) -> None:
    settings.EMAIL_BACKEND = "dsar.notifications.folder.FolderBackend"  # type: ignore[attr-defined]
    settings.EMAIL_FOLDER = tmp_path / "mail"  # type: ignore[attr-defined]


@pytest.fixture
def without_address(settings: object, tmp_path: Path) -> str:
    """A data map in which one recipient has no address."""
    data = yaml.safe_load(Path(configured.DATA_MAP).read_text())
    del data["recipients"]["model_providers"]["contact"]
    path = tmp_path / "map.yaml"
    path.write_text(yaml.safe_dump(data))
    settings.DATA_MAP = path  # type: ignore[attr-defined]
    return "model_providers"


def erased(approver: Actor) -> PrivacyRequest:
    """Carried out, recipients told, everything sent."""
    request = drive.released(approver, CAST.plain)
    drive.carry_out()
    outbox.drain()
    held = drive.fresh(request.pk)
    assert held.state == State.COMPLETED
    return held


def test_whoever_received_what_was_erased_is_told_once(approver: Actor) -> None:
    request = erased(approver)
    notices = {one.recipient: one for one in RecipientNotice.objects.filter(request=request)}
    assert sorted(notices) == ["analytics", "mail_delivery", "model_providers", "payments", "surveys"]
    for one in notices.values():
        assert one.status == RecipientStatus.TOLD, one.recipient
    assert not request.steps.exclude(kind=StepKind.LATER).exclude(status=StepStatus.DONE).exists()
    runner.drain_fulfilling()
    outbox.drain()
    assert len(house.mails("privacy@mail-delivery.example")) == 1
    assert "hosting" not in notices
    assert request.attention == ""


def test_the_mail_says_no_more_than_the_recipient_needs(approver: Actor) -> None:
    request = erased(approver)
    (processor,) = house.mails("privacy@mail-delivery.example")
    text = house.body_of(processor)
    assert CAST.plain in text
    assert "Please delete them too" in text
    assert "Account and contact details" in text
    assert "GDPR Art 19" in text
    assert "Invoices" not in text
    (third,) = house.mails("privacy@models.example")
    assert CAST.plain not in third.as_string()
    for mail in (processor, third):
        assert CAST.plain not in str(mail["Subject"])
        assert request.case.reference in str(mail["Subject"])
        assert str(mail["Reply-To"]) == configured.PRIVACY_EMAIL
        assert "/l/" not in mail.as_string()


def test_the_person_sees_who_was_told_and_not_the_mails(approver: Actor) -> None:
    request = erased(approver)
    lines = report.told([request])
    assert {"Mail delivery provider"} <= {line["label"] for line in lines}
    assert {line["status"] for line in lines} == {"Told"}
    from django.test import Client

    client = Client()
    session = client.session
    session["proven"] = {str(request.case_id): timezone.now().isoformat()}
    session["case"] = request.case_id
    session.save()
    page = client.get("/case/").content.decode()
    assert "Whom we have told" in page
    assert "Mail delivery provider" in page
    assert "A recipient of the data is told" not in page
    message = Message.objects.filter(notice=Notice.TELL_RECIPIENT).first()
    assert message is not None
    assert client.get(reverse("case_letter", args=[message.pk])).status_code == 404


def test_without_an_address_a_person_tells_or_explains(
    approver: Actor, handler: Actor, without_address: str, db_page: Callable[[PrivacyRequest], str]
) -> None:
    request = erased(approver)
    assert request.attention == "not_supported"
    assert request in PrivacyRequest.objects.stuck()
    assert request in PrivacyRequest.objects.needing_staff()
    assert "Say what became of telling a recipient" in db_page(request)
    with pytest.raises(Invalid):
        recipients.decide(request.pk, without_address, "impossible", " ", actor=handler)
    with pytest.raises(Invalid):
        recipients.decide(request.pk, "mail_delivery", "impossible", "Why?", actor=handler)
    browser = scenes.browser(Role.HANDLER)
    answer = browser.post(
        reverse("desk_verb", args=[request.pk, "recipient"]),
        {"recipient": without_address, "status": "disproportionate", "text": "They keep nothing that names anybody."},
    )
    assert answer.status_code == 302, answer.content.decode()[-3000:]
    line = next(one for one in report.told([request]) if one["label"] == "Providers of the models called")
    assert line["text"] == "They keep nothing that names anybody."
    assert "disproportionate" in line["status"]
    assert drive.fresh(request.pk).attention == ""
    assert not PrivacyRequest.objects.stuck().exists()


@pytest.fixture
def db_page() -> Callable[[PrivacyRequest], str]:
    """The page of a request as a handler sees it."""

    def page(request: PrivacyRequest) -> str:
        return str(scenes.browser(Role.HANDLER).get(reverse("desk_request", args=[request.pk])).content.decode())

    return page


def test_killed_after_the_mail_was_queued_it_is_not_queued_again(approver: Actor) -> None:
    request = drive.released(approver, CAST.plain)
    drive.carry_out()
    before = Message.objects.filter(notice=Notice.TELL_RECIPIENT).count()
    assert before
    request.steps.filter(kind="notify").update(status=StepStatus.QUEUED)
    runner.drain_fulfilling()
    assert Message.objects.filter(notice=Notice.TELL_RECIPIENT).count() == before
    assert set(RecipientNotice.objects.values_list("status", flat=True)) == {RecipientStatus.QUEUED}


def test_a_mail_that_cannot_be_sent_is_not_told(approver: Actor, handler: Actor) -> None:
    request = drive.released(approver, CAST.plain)
    drive.carry_out()
    Message.objects.filter(notice=Notice.TELL_RECIPIENT, tells__recipient="mail_delivery").update(
        status=MessageStatus.FAILED
    )
    assert [one.recipient for one in recipients.open_notices(request)] == ["mail_delivery"]
    recipients.decide(request.pk, "mail_delivery", "told", "By telephone.", actor=handler)
    assert RecipientNotice.objects.get(recipient="mail_delivery").status == RecipientStatus.TOLD
    assert control.retry(request.pk, actor=handler) == 0
    outbox.drain()
    assert house.mails("privacy@mail-delivery.example") == []


def test_knowing_names_who_was_told(approver: Actor) -> None:
    erased(approver)
    request = drive.by_web(CAST.neighbour, Right.KNOW)
    assert report.told([request]) == []
    mail = compose.mail(Message.objects.get(tells__recipient="mail_delivery"))
    assert mail.to == ["privacy@mail-delivery.example"]


def test_an_opt_out_is_passed_on_and_its_taking_back_is_not() -> None:
    asked = chosen(drive.by_web(CAST.plain, Right.OPT_OUT_SALE))
    (mail,) = house.mails("optout@analytics.example")
    assert CAST.plain not in mail.as_string()
    with transaction.atomic():
        back = submit.add_request(asked.case, Right.OPT_OUT_SALE, "", received_at=timezone.now(), take_back=True)
    chosen(back)
    assert not RecipientNotice.objects.filter(request=back).exists()
    assert len(house.mails("optout@analytics.example")) == 1


def test_the_page_of_a_choice_names_nobody_who_was_told() -> None:
    """Nobody proved anything: a list of recipients would say that something is held under the address (law 10)."""
    held, unknown = chosen(drive.by_web(CAST.plain, Right.OPT_OUT_SALE)), chosen(
        drive.by_web("nobody-here@example.com", Right.OPT_OUT_SALE)
    )  # fmt: skip
    assert RecipientNotice.objects.filter(request=held).exists()
    assert not RecipientNotice.objects.filter(request=unknown).exists()
    assert present.request_view(held)["told"] == present.request_view(unknown)["told"] == []


def chosen(request: PrivacyRequest) -> PrivacyRequest:
    """A choice carried out, everything sent."""
    locating.drain()
    drive.carry_out()
    outbox.drain()
    held = drive.fresh(request.pk)
    assert held.state == State.COMPLETED
    return held
