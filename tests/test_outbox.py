"""The outbox: queued with what it tells of, claimed under a fence, sent at least once, no rendered link at rest."""

import socket
from datetime import timedelta

import pytest
from django.apps import apps
from django.conf import settings as configured
from django.core.mail import get_connection
from django.utils import timezone, translation

from accounts.models import Role
from dsar.enums import CheckKind, CheckStatus, Lane
from dsar.fulfilment import control
from dsar.models import Case, CaseKey, IdentityCheck, Letter, Message, PrivacyRequest, RecipientNotice
from dsar.models.message import TELL_AFTER
from dsar.notices import TO_OTHERS, MessageStatus, Notice
from dsar.notifications import compose, outbox
from dsar.review import decide
from dsar.verification import links
from tests import drive, house
from tests.drive import Route

FOLDER = "dsar.notifications.folder.FolderBackend"
SMTP = "django.core.mail.backends.smtp.EmailBackend"


@pytest.fixture(autouse=True)
def _mails_as_files(settings: object, tmp_path: object) -> None:
    """The plugin keeps mails in memory; here they become files, as in development."""
    settings.EMAIL_BACKEND = FOLDER  # type: ignore[attr-defined]
    settings.EMAIL_FOLDER = tmp_path / "mail"  # type: ignore[attr-defined,operator]


@pytest.fixture
def no_mail_server(settings: object) -> None:
    """Mail goes to a port where nobody listens."""
    settings.EMAIL_BACKEND, settings.EMAIL_HOST = SMTP, "127.0.0.1"  # type: ignore[attr-defined]
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        settings.EMAIL_PORT = probe.getsockname()[1]  # type: ignore[attr-defined]


def only() -> Message:
    return Message.objects.get()


def due_now() -> None:
    """The time of the next try has come."""
    Message.objects.update(due_at=timezone.now())


# --- claim, lease, fence ----------------------------------------------------------------------------------------------


def test_what_is_queued_is_claimed_once(db: None) -> None:
    drive.a_case()
    (first,) = outbox.claim()
    assert outbox.claim() == []
    held = only()
    assert (held.status, held.token, held.attempts) == (MessageStatus.CLAIMED, first.token, 1)
    assert held.lease_until is not None
    assert timedelta(seconds=55) < held.lease_until - timezone.now() <= timedelta(seconds=60)


def test_a_lapsed_lease_is_taken_over_with_a_new_fence(db: None) -> None:
    drive.a_case()
    (first,) = outbox.claim()
    Message.objects.update(lease_until=timezone.now() - timedelta(seconds=1))
    (second,) = outbox.claim()
    assert second.token == first.token + 1


def test_a_sender_who_lost_the_fence_notes_nothing(db: None, no_mail_server: None, settings: object) -> None:
    drive.a_case()
    first = outbox.claim()
    Message.objects.update(lease_until=timezone.now() - timedelta(seconds=1))
    second = outbox.claim()
    settings.EMAIL_BACKEND = FOLDER  # type: ignore[attr-defined]
    assert outbox.deliver(second) == 1
    settings.EMAIL_BACKEND = SMTP  # type: ignore[attr-defined]
    assert outbox.deliver(first) == 0
    assert (only().status, only().reason) == (MessageStatus.SENT, "")


def test_what_was_claimed_too_long_ago_is_left_to_the_next_sender(db: None, settings: object) -> None:
    """Slow mails before it used the lease up: sending it now would send it twice."""
    drive.a_case()
    settings.LEASE = timedelta(0)  # type: ignore[attr-defined]
    assert outbox.deliver(outbox.claim()) == 0
    assert house.mails() == []
    settings.LEASE = timedelta(seconds=60)  # type: ignore[attr-defined]
    assert outbox.drain() == 1
    assert len(house.mails()) == 1


def test_urgent_mails_go_first_then_the_oldest(db: None) -> None:
    route = Route(drive.person_of_the_desk(Role.HANDLER), drive.person_of_the_desk(Role.APPROVER))
    route.triage()
    route.triage()
    route.verifying()
    claimed = [entry.message for entry in outbox.claim()]
    assert [message.notice for message in claimed] == [
        Notice.RECEIVED_VERIFY, Notice.RECEIVED_TRIAGE, Notice.RECEIVED_TRIAGE,
    ]  # fmt: skip
    assert claimed[1].pk < claimed[2].pk


def test_what_is_not_due_waits(db: None) -> None:
    drive.a_case()
    Message.objects.update(due_at=timezone.now() + timedelta(hours=1))
    assert outbox.claim() == []
    assert outbox.drain() == 0


def test_a_sender_that_died_after_sending_sends_the_same_mail_again(db: None) -> None:
    """At least once, and recognisable: the same Message-ID, the same link."""
    drive.a_case()
    for _ in range(2):
        (entry,) = outbox.claim()
        compose.mail(entry.message, get_connection()).send()
        Message.objects.update(lease_until=timezone.now() - timedelta(seconds=1))
    one, other = house.mails()
    assert one["Message-ID"] == other["Message-ID"]
    assert house.link_in(one) == house.link_in(other)


# --- failing ----------------------------------------------------------------------------------------------------------


def test_law_09_a_mail_that_cannot_be_sent_is_tried_later_each_time_with_its_reason(
    db: None, no_mail_server: None
) -> None:
    drive.a_case()
    waits = []
    for attempt in range(1, outbox.GIVE_UP_AFTER):
        assert outbox.drain() == 0
        held = only()
        assert (held.status, held.reason, held.attempts) == (MessageStatus.QUEUED, "ConnectionRefusedError", attempt)
        waits.append(round((held.due_at - timezone.now()).total_seconds()))
        assert outbox.claim() == []
        due_now()
    assert waits == sorted(waits)
    assert waits[0] > 20
    assert max(waits) == 3600
    assert sum(waits) > 3 * 24 * 3600


def tries(number: int) -> None:
    """So many sweeps, each when the next try is due."""
    for _ in range(number):
        outbox.drain()
        due_now()


def is_stuck(request: PrivacyRequest) -> bool:
    """Whether staff see by name that a letter could not be sent."""
    stuck = request in PrivacyRequest.objects.stuck()
    assert (request in PrivacyRequest.objects.needing_staff()) == stuck
    assert (drive.fresh(request.pk).named_reason == "mail_failed") == stuck
    return stuck


def test_law_09_a_mail_that_is_given_up_stands_in_the_queue_by_name(db: None, no_mail_server: None) -> None:
    request = drive.a_request()
    tries(TELL_AFTER - 1)
    assert not is_stuck(request)
    tries(1)
    assert only().status == MessageStatus.QUEUED
    assert is_stuck(request)
    tries(outbox.GIVE_UP_AFTER - TELL_AFTER)
    assert (only().status, only().reason) == (MessageStatus.FAILED, "ConnectionRefusedError")
    assert is_stuck(request)
    assert outbox.claim() == []


def test_law_09_an_outage_of_a_day_delivers_everything(db: None, no_mail_server: None, settings: object) -> None:
    requests = [drive.a_request() for _ in range(3)]
    tries(TELL_AFTER + 24)
    assert all(is_stuck(request) for request in requests)
    settings.EMAIL_BACKEND = FOLDER  # type: ignore[attr-defined]
    assert outbox.drain() == 3
    assert not any(is_stuck(request) for request in requests)
    # The link began to live when it was sent.
    for check in IdentityCheck.objects.all():
        assert check.expires_at > timezone.now() + settings.LINK_LIFETIME - timedelta(minutes=1)  # type: ignore[attr-defined]
        assert check.created_at < check.expires_at - settings.LINK_LIFETIME  # type: ignore[attr-defined]


def test_law_09_trying_again_sends_the_letter_and_nothing_else_hides_it(
    db: None, no_mail_server: None, settings: object
) -> None:
    route = Route(drive.person_of_the_desk(Role.HANDLER), drive.person_of_the_desk(Role.APPROVER))
    request = route.verifying()
    tries(outbox.GIVE_UP_AFTER)
    decide.withdraw_for(request.pk, actor=route.handler)
    assert is_stuck(request)
    # The letter of its end fails too, and a retry while the server is away leaves the mark where it is.
    tries(outbox.GIVE_UP_AFTER)
    assert control.retry(request.pk, actor=route.handler) == 2
    assert is_stuck(request)
    assert outbox.drain() == 0
    assert is_stuck(request)
    settings.EMAIL_BACKEND = FOLDER  # type: ignore[attr-defined]
    control.retry(request.pk, actor=route.handler)
    assert outbox.drain() == 2
    assert not is_stuck(request)


def test_nobody_is_called_for_a_code_or_for_a_link_that_a_newer_one_replaced(
    db: None, no_mail_server: None, settings: object
) -> None:
    case = drive.a_case()
    links.send_code(case, request=case.requests.get())
    tries(TELL_AFTER)
    assert Message.objects.get(notice=Notice.ACCESS_CODE).status == MessageStatus.FAILED
    assert is_stuck(case.requests.get())
    settings.EMAIL_BACKEND = FOLDER  # type: ignore[attr-defined]
    links.send_new_link(case)
    assert outbox.drain() == 2
    assert not is_stuck(case.requests.get())


@pytest.mark.parametrize("key", ["gone", "of a lost master key"])
def test_law_09_one_mail_that_cannot_be_made_does_not_keep_the_others(db: None, key: str) -> None:
    broken, well = drive.a_case(), drive.a_case()
    row = CaseKey.objects.filter(pk=broken.uid)
    if key == "gone":
        row.delete()
    else:
        row.update(key_id="lost")
    assert outbox.drain() == 1
    assert Message.objects.get(case=well).status == MessageStatus.SENT
    held = Message.objects.get(case=broken)
    assert (held.status, held.reason) == (MessageStatus.QUEUED, "Unreadable")


def test_nothing_is_written_to_a_purged_case(db: None) -> None:
    case = drive.a_case()
    Case.objects.update(purged_at=timezone.now())
    assert outbox.drain() == 0
    assert (only().status, only().reason) == (MessageStatus.FAILED, "purged")
    purged = Case.objects.get(pk=case.pk)
    assert outbox.queue_for_case(purged, Notice.REPLY, text="Hello") is None
    # Its key is gone: no address of anybody else can be sealed with it either.
    CaseKey.objects.filter(pk=case.uid).delete()
    assert outbox.queue_for_case(purged, Notice.TELL_RECIPIENT, to="privacy@company.example") is None
    assert house.mails() == []


def test_after_the_mail_server_is_back_everything_goes_out(db: None, no_mail_server: None, settings: object) -> None:
    for _ in range(3):
        drive.a_case()
    assert outbox.drain() == 0
    settings.EMAIL_BACKEND = FOLDER  # type: ignore[attr-defined]
    due_now()
    assert outbox.drain() == 3
    assert set(Message.objects.values_list("status", "reason")) == {(MessageStatus.SENT, "")}


# --- what may be queued -----------------------------------------------------------------------------------------------


def test_the_same_event_is_told_once(db: None) -> None:
    request = drive.a_request()
    assert outbox.queue(request, Notice.CONFIRM_REMINDER, dedupe="remind:1:0") is not None
    assert outbox.queue(request, Notice.CONFIRM_REMINDER, dedupe="remind:1:0") is None
    assert outbox.queue(request, Notice.CONFIRM_REMINDER, dedupe="remind:1:1") is not None
    assert Message.objects.filter(notice=Notice.CONFIRM_REMINDER).count() == 2


def test_a_machine_is_not_answered_until_a_person_has_read_its_mailbox(db: None) -> None:
    case = drive.a_case(machine=True)
    assert not Message.objects.exists()
    Case.objects.filter(pk=case.pk).update(email_proven_at=timezone.now())
    assert outbox.queue_for_case(Case.objects.get(pk=case.pk), Notice.REPLY, text="Hello") is not None


def test_a_case_without_an_address_is_not_written_to(db: None) -> None:
    drive.a_case("noreply@example.com")
    assert not Message.objects.exists()


def test_law_10_three_mails_with_a_way_in_go_to_one_address_in_a_day(db: None) -> None:
    case = drive.a_case("asked@example.com")
    assert [links.send_code(case) is not None for _ in range(4)] == [True, True, False, False]
    assert Message.objects.filter(notice__in=[Notice.RECEIVED_VERIFY, Notice.ACCESS_CODE]).count() == 3
    # Letters without a way in are not counted and not stopped.
    assert outbox.queue_for_case(case, Notice.REPLY, text="Hello") is not None


def test_a_new_link_ends_the_one_before_and_a_reply_ends_none(db: None) -> None:
    case = drive.a_case()
    old = case.checks.get()
    links.send_new_link(case)
    old.refresh_from_db()
    assert (old.status, old.decided_at is not None) == (CheckStatus.SUPERSEDED, True)
    outbox.queue_for_case(case, Notice.REPLY, text="Hello")
    assert case.checks.filter(kind=CheckKind.MAILBOX, status=CheckStatus.PENDING).count() == 1


# --- what is stored and what is sent ----------------------------------------------------------------------------------


def secrets_of() -> list[str]:
    """Every secret that any check of ours stands for."""
    found: list[str] = []
    for check in IdentityCheck.objects.all():
        found += [check.token, check.code]
    return found


def everything_stored() -> bytes:
    """Every column of every table, as bytes."""
    found = []
    for model in apps.get_models(include_auto_created=True):
        for row in model._default_manager.values_list():
            found += [bytes(value) if isinstance(value, bytes | memoryview) else str(value).encode() for value in row]
    return b"\n".join(found)


def test_law_10_no_rendered_link_and_no_code_is_stored_in_any_column(db: None) -> None:
    request = drive.a_request()
    for notice in Notice:
        to = "colleague@company.example" if notice in TO_OTHERS else ""
        outbox.queue_for_case(request.case, notice, request=request, text="A text.", to=to)
    links.send_code(request.case)
    assert outbox.drain() > 15
    stored = everything_stored()
    assert len(secrets_of()) > 20
    assert [secret for secret in secrets_of() if secret.encode() in stored] == []
    # With its host: three bytes alone stand in a sealed column by chance.
    assert f"{configured.BASE_URL}/l/".encode() not in stored
    texts = " ".join(message.text for message in Message.objects.select_related("case"))
    assert "/l/" not in texts
    kept = [one.said() for one in Letter.objects.select_related("message__case")]
    assert len(kept) > 15
    assert "/l/" not in str(kept)
    assert [secret for secret in secrets_of() if secret in str(kept)] == []


def test_the_mail_carries_the_one_link_and_says_that_a_machine_wrote_it(db: None) -> None:
    case = drive.a_case("reader@example.com")
    outbox.drain()
    (mail,) = house.mails("reader@example.com")
    assert house.link_in(mail).strip("/").split("/")[-1] == case.checks.get().token
    assert mail["Auto-Submitted"] == "auto-generated"
    assert compose.is_own_loop(str(mail["X-Rightsdesk-Loop"]))
    assert case.reply_address() in str(mail["Reply-To"])
    assert "reader" not in str(mail["Subject"])


@pytest.mark.parametrize("forged", ["", ".", "abc", "abc.def", "a" * 32 + "." + "0" * 32, "é.é"])
def test_a_loop_mark_that_we_did_not_make_is_not_ours(forged: str) -> None:
    assert not compose.is_own_loop(forged)


@pytest.mark.parametrize("notice", list(Notice))
def test_law_15_every_letter_renders_in_every_language(db: None, settings: object, notice: Notice) -> None:
    request = drive.a_request()
    drive.freeze(request)
    for language, _name in settings.LANGUAGES:  # type: ignore[attr-defined]
        Case.objects.filter(pk=request.case_id).update(language=language)
        fresh = drive.fresh(request.pk)
        RecipientNotice.objects.all().delete()
        Message.objects.update(created_at=drive.later(days=-2))
        to = "colleague@company.example" if notice in TO_OTHERS else ""
        message = outbox.queue_for_case(fresh.case, notice, request=fresh, text="What somebody wrote.", to=to)
        assert message is not None, notice
        if notice == Notice.TELL_RECIPIENT:
            RecipientNotice.objects.create(request=fresh, recipient="mail_delivery", message=message)
        message.request = fresh
        with translation.override(None):
            mail = compose.mail(message)
        assert mail.subject
        assert "\n" not in mail.subject
        html = mail.alternatives[0]
        for text in (mail.body, str(html[0])):
            assert len(text) > 100
            assert "{{" not in text
            assert "{%" not in text
            assert "None" not in text
        assert fresh.case.reference in mail.subject + mail.body


def test_every_notice_has_its_three_templates_and_every_folder_its_notice() -> None:
    folder = house.ROOT / "templates" / "email"
    folders = {path.parent.name for path in folder.glob("*/subject.txt")}
    assert folders == set(Notice)
    for notice in Notice:
        assert {path.name for path in (folder / notice).iterdir()} == {"subject.txt", "body.txt", "body.html"}


def test_the_bell_of_the_mail_lane_is_rung_with_each_letter(
    db: None, django_capture_on_commit_callbacks: object
) -> None:
    with django_capture_on_commit_callbacks() as rung:  # type: ignore[operator]
        drive.a_case()
    assert Lane.MAIL in {callback.args[0] for callback in rung}
