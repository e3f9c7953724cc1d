"""What no machine reaches becomes a colleague's task: asked once, in time, without a word about the person in the mail."""

import re
from datetime import datetime, timedelta
from email import message_from_bytes, policy
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.core import mail
from django.db import IntegrityError, connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.models import Role, User
from dsar import audit, keys
from dsar.enums import CheckKind, OwnerTaskStatus, State, StepKind, StepReason, StepStatus
from dsar.fulfilment import access, control, owner_clock, owners, runner
from dsar.models import Actor, Case, House, Message, OwnerTask, PrivacyRequest, Recusal, Representation, Step
from dsar.notices import Notice
from dsar.notifications import compose, outbox, owner_letters
from dsar.portal import present
from dsar.review import holds, purge, recuse
from dsar.verification import links
from dsar.workflow import Conflict, Forbidden, Invalid
from tests import drive, house
from tests.fulfilment import copies
from tests.house import CAST
from tests.owners import BACKUP, COLLEAGUE, OWNER, with_paper


@pytest.fixture(autouse=True)
def paper(settings: Any, tmp_path: Path) -> None:
    settings.DATA_MAP = with_paper(tmp_path)
    settings.QUIET_PERIOD = timedelta(0)


@pytest.fixture
def asked(company: None, approver: Actor) -> OwnerTask:
    """A released deletion; everything else is done, and the owner of the paper files has been asked."""
    return a_task(approver)


def a_task(approver: Actor, address: str = CAST.plain) -> OwnerTask:
    request = drive.released(approver, address)
    drive.carry_out()
    return OwnerTask.objects.select_related("step__request__case").get(step__request=request)


def fresh(task: OwnerTask) -> OwnerTask:
    return OwnerTask.objects.select_related("step__request__case").get(pk=task.pk)


def posted(to: str = "") -> list[Any]:
    outbox.drain()
    sent = [message_from_bytes(one.message().as_bytes(), policy=policy.default) for one in mail.outbox]
    return [one for one in sent if to in str(one["To"])]


def at(day: int, hour: int = 12) -> datetime:
    """Noon, so many days from now."""
    return (timezone.localtime() + timedelta(days=day)).replace(hour=hour, minute=0)


def test_a_blocked_step_becomes_a_task_and_leaves_the_queue_of_the_desk(asked: OwnerTask) -> None:
    assert (asked.owner, asked.status, asked.step.kind) == (OWNER, OwnerTaskStatus.OPEN, StepKind.ERASE)
    assert (asked.step.status, asked.step.reason) == (StepStatus.BLOCKED, StepReason.WITH_OWNER)
    assert asked.step.request.attention == ""
    assert not PrivacyRequest.objects.needing_staff().exists()
    assert asked.step.request.state == State.FULFILLING
    drive.carry_out()
    owners.drain()
    assert OwnerTask.objects.count() == 1


def test_nobody_is_asked_to_look_up_their_own_data(asked: OwnerTask) -> None:
    """Who stands in for the owner is asked instead; where that is the same person, it stays with the desk."""
    case, other = asked.step.request.case, keys.email_index(BACKUP)
    Case.objects.filter(pk=case.pk).update(email_index=keys.email_index(COLLEAGUE))
    with pytest.raises(Invalid, match="handles nothing"):
        owners.hand_over(asked.pk, COLLEAGUE)
    step = Step.objects.filter(pk=asked.step_id)
    for index, owner in ((asked.owner_index, BACKUP), (other, OWNER)):
        OwnerTask.objects.update(status=OwnerTaskStatus.NOT_NEEDED, answered_at=timezone.now())
        step.update(reason=StepReason.NOT_SUPPORTED)
        Case.objects.filter(pk=case.pk).update(email_index=index)
        assert owners.ask(asked.step.request_id, asked.step_id)
        assert OwnerTask.objects.open().get().owner == owner
    OwnerTask.objects.update(status=OwnerTaskStatus.NOT_NEEDED, answered_at=timezone.now())
    step.update(reason=StepReason.NOT_SUPPORTED)
    Case.objects.filter(pk=case.pk).update(email_index=asked.owner_index)
    Representation.objects.create(case=case, kind="agent", email_index=other)
    assert not owners.ask(asked.step.request_id, asked.step_id)
    assert step.get().reason == StepReason.NOT_SUPPORTED


def test_who_was_named_as_close_to_the_person_gets_no_task_about_them(
    asked: OwnerTask, approver: Actor, second_approver: Actor
) -> None:
    """Before the task is made, by hand, and while they have it: it goes to whoever stands in, and else to the desk."""
    request, step = asked.step.request, Step.objects.filter(pk=asked.step_id)
    close = {address: User.objects.create_user(address.upper(), role=Role.HANDLER) for address in (OWNER, COLLEAGUE)}
    recuse.name(request.pk, [one.pk for one in close.values()], actor=second_approver)
    with pytest.raises(Invalid, match="handles nothing"):
        owners.hand_over(asked.pk, COLLEAGUE)
    for theirs in (
        lambda: owners.answer(asked.pk, OwnerTaskStatus.NOTHING_FOUND),
        lambda: owners.send_code(asked.pk),
        lambda: owners.resend(asked.pk),
    ):
        with pytest.raises(Conflict):
            theirs()
    told = Message.objects.filter(to_index=asked.owner_index)
    before = told.count()
    assert owner_clock.sweep(at(0, 1)) == 1
    instead = OwnerTask.objects.open().get()
    assert (instead.owner, fresh(asked).status) == (BACKUP, OwnerTaskStatus.HANDED_OVER)
    assert told.count() == before
    second = User.objects.create_user(BACKUP, role=Role.AUDITOR)
    recuse.name(request.pk, [second.pk], actor=second_approver)
    assert owner_clock.sweep(at(0, 1)) == 1
    assert not OwnerTask.objects.open().exists()
    assert (step.get().status, step.get().reason) == (StepStatus.BLOCKED, StepReason.NOT_SUPPORTED)
    assert drive.fresh(request.pk).attention == StepReason.NOT_SUPPORTED
    assert not owners.ask(request.pk, asked.step_id)
    recuse.end(request.pk, Recusal.objects.get(user=close[OWNER]).pk, actor=approver)
    assert owners.ask(request.pk, asked.step_id)
    assert OwnerTask.objects.open().get().owner == OWNER


def test_a_step_that_blocked_before_a_worker_died_is_asked_later(
    company: None, approver: Actor, monkeypatch: Any
) -> None:
    request = drive.released(approver)
    with monkeypatch.context() as dead:
        dead.setattr(owners, "drain", lambda: 0)
        runner.drain_fulfilling()
    assert not OwnerTask.objects.exists()
    assert drive.fresh(request.pk).attention == StepReason.NOT_SUPPORTED
    runner.drain_fulfilling()
    assert OwnerTask.objects.get().step.request_id == request.pk


def test_the_mail_says_what_and_by_when_and_nothing_about_the_person(asked: OwnerTask) -> None:
    (told,) = posted(OWNER)
    case = asked.step.request.case
    whole = told.as_string() + house.body_of(told) + str(told.get_body(("html",)).get_content())
    assert case.reference in whole
    assert "Please delete" in whole
    assert "Paper files" in whole
    assert "Invoices" in whole
    assert str(asked.due_on.year) in whole
    for secret in (case.email, case.email.partition("@")[0], case.reply_address(), case.name or case.email):
        assert secret not in whole
    assert told["Reply-To"] == settings.PRIVACY_EMAIL
    assert OWNER not in str([line["subject"] + line["text"] for line in present.conversation(case)])
    assert "data owner" not in str(present.conversation(case))


@pytest.mark.parametrize("status", [OwnerTaskStatus.DONE, OwnerTaskStatus.NOTHING_FOUND])
def test_an_answer_ends_the_step_and_the_request(asked: OwnerTask, status: OwnerTaskStatus) -> None:
    owners.answer(asked.pk, status, note="In box 7.", file=b"scan", file_name="box 7.pdf")
    found = fresh(asked)
    assert (found.status, found.note, found.file(), found.file_name) == (status, "In box 7.", b"scan", "box 7.pdf")
    assert b"scan" not in bytes(found.file_sealed or b"")
    assert found.step.request.state == State.COMPLETED
    said = "Deleted by a person" if status == OwnerTaskStatus.DONE else "A person looked and found nothing"
    text = compose.letter(Message.objects.get(notice=Notice.DONE_ERASED))["text"]
    assert f"(Paper files): {said}" in text
    with pytest.raises(Conflict):
        owners.answer(asked.pk, OwnerTaskStatus.DONE)
    assert audit.verify() == []


def test_an_exception_comes_back_to_the_desk_where_an_approver_decides(
    asked: OwnerTask, handler: Actor, approver: Actor
) -> None:
    with pytest.raises(Invalid):
        owners.answer(asked.pk, OwnerTaskStatus.EXCEPTION, note="  ")
    owners.answer(asked.pk, OwnerTaskStatus.EXCEPTION, note="A court has the box.")
    request = drive.fresh(asked.step.request_id)
    assert (request.state, request.attention) == (State.FULFILLING, StepReason.OWNER_EXCEPTION)
    assert PrivacyRequest.objects.needing_staff().get() == request
    with pytest.raises(Forbidden):
        control.done_by_hand(request.pk, asked.step_id, actor=handler)
    assert drive.fresh(request.pk).state == State.FULFILLING
    assert control.done_by_hand(request.pk, asked.step_id, actor=approver).state == State.COMPLETED


def test_after_an_exception_trying_again_asks_again(asked: OwnerTask, handler: Actor) -> None:
    owners.answer(asked.pk, OwnerTaskStatus.EXCEPTION, note="I am ill.")
    control.retry(asked.step.request_id, actor=handler)
    drive.carry_out()
    assert OwnerTask.objects.open().get().step_id == asked.step_id


def test_trying_again_leaves_a_task_with_its_owner(asked: OwnerTask, handler: Actor) -> None:
    assert control.retry(asked.step.request_id, actor=handler) == 0
    assert fresh(asked).step.reason == StepReason.WITH_OWNER


def test_an_answer_after_the_desk_has_done_it_is_harmless(asked: OwnerTask, handler: Actor) -> None:
    control.done_by_hand(asked.step.request_id, asked.step_id, actor=handler)
    assert fresh(asked).status == OwnerTaskStatus.NOT_NEEDED
    with pytest.raises(Conflict):
        owners.answer(asked.pk, OwnerTaskStatus.EXCEPTION, note="No.")
    assert drive.fresh(asked.step.request_id).attention == ""


def test_an_answer_to_a_step_that_ended_by_other_means_changes_nothing_there(asked: OwnerTask) -> None:
    Step.objects.filter(pk=asked.step_id).update(status=StepStatus.DONE, reason="", finished_at=timezone.now())
    owners.answer(asked.pk, OwnerTaskStatus.EXCEPTION, note="No.")
    assert drive.fresh(asked.step.request_id).attention == ""
    assert Step.objects.get(pk=asked.step_id).status == StepStatus.DONE


def test_fifty_answers_at_once_make_one(asked: OwnerTask) -> None:
    def one(number: int) -> str:
        try:
            owners.answer(asked.pk, owners.ANSWERS[number % 2])
        except Conflict:
            return "late"
        return "counted"

    results = drive.at_once(50, one)
    assert sorted(results) == ["counted", *["late"] * 49]
    assert drive.fresh(asked.step.request_id).state == State.COMPLETED


def test_the_database_keeps_one_open_task_of_a_step(asked: OwnerTask) -> None:
    with pytest.raises(IntegrityError):
        OwnerTask.objects.create(step=asked.step, due_on=asked.due_on)


def test_the_day_is_the_earlier_of_our_days_and_a_margin_before_the_target(asked: OwnerTask) -> None:
    today, request = timezone.localdate(), asked.step.request
    assert asked.due_on == today + timedelta(days=settings.OWNER_DAYS)
    request.target_on = today + timedelta(days=settings.OWNER_MARGIN_DAYS + 2)
    assert owners.day_for(request) == today + timedelta(days=2)
    request.target_on = today - timedelta(days=9)
    assert owners.day_for(request) == today


def test_nobody_is_asked_to_delete_what_is_held_or_stopped(company: None, approver: Actor) -> None:
    request = drive.released(approver)
    Step.objects.filter(request=request, source="paper").update(
        status=StepStatus.BLOCKED, reason=StepReason.NOT_SUPPORTED
    )
    House.objects.filter(pk=1).update(kill_switch=True)
    assert owners.drain() == 0
    assert not OwnerTask.objects.exists()
    House.objects.filter(pk=1).update(kill_switch=False)
    assert owners.ask(request.pk, Step.objects.get(request=request, source="paper").pk)


def test_a_hold_that_comes_later_stands_on_the_page(asked: OwnerTask, approver: Actor) -> None:
    assert owners.stopped(asked.step) is None
    holds.place(asked.step.request.case.email, "EU_LEGAL_CLAIMS", at(90).date(), actor=approver, weighed="So.")
    assert owners.stopped(fresh(asked).step) == StepReason.HOLD


# --- links and codes ------------------------------------------------------------------------------------------------


def test_a_code_goes_to_the_owner_alone_and_five_wrong_ones_end_it(asked: OwnerTask) -> None:
    assert owners.send_code(asked.pk)
    code = asked.newest(CheckKind.OWNER_CODE)
    assert code is not None
    assert any(code.code in house.body_of(one) for one in posted(OWNER))
    for _number in range(settings.WRONG_ATTEMPTS):
        with pytest.raises(links.Refused):
            links.spend_code(asked.newest(CheckKind.OWNER_CODE), "00000000")
    with pytest.raises(links.Refused) as refused:
        links.spend_code(asked.newest(CheckKind.OWNER_CODE), code.code)
    assert refused.value.problem == "exhausted"
    owners.send_code(asked.pk)
    newer = asked.newest(CheckKind.OWNER_CODE)
    assert newer is not None
    assert links.spend_code(newer, newer.code)


def test_mails_with_a_way_in_are_limited(asked: OwnerTask, settings: Any) -> None:
    settings.OWNER_CODES_PER_DAY = 2
    # The first mail about it counts as one with a link.
    assert [owners.resend(asked.pk) for _ in range(settings.LINK_MAILS_PER_DAY)] == [True, True, False]
    assert [owners.send_code(asked.pk) for _ in range(3)] == [True, True, False]


def test_handing_over_spends_the_task_and_not_the_day(asked: OwnerTask, handler: Actor) -> None:
    for bad in ("nobody", "x@evil.example.org", "x@notexample.com", OWNER):
        with pytest.raises(Invalid):
            owners.hand_over(asked.pk, bad)
    made = owners.hand_over(asked.pk, f" {COLLEAGUE.upper()} ")
    assert (made.owner, made.due_on) == (COLLEAGUE, asked.due_on)
    assert fresh(asked).status == OwnerTaskStatus.HANDED_OVER
    assert len(posted(COLLEAGUE)) == 1
    with pytest.raises(Conflict):
        owners.answer(asked.pk, OwnerTaskStatus.DONE)
    with pytest.raises(Conflict):
        owners.send_code(asked.pk)
    owners.answer(made.pk, OwnerTaskStatus.DONE)
    assert drive.fresh(asked.step.request_id).state == State.COMPLETED


# --- the clock ------------------------------------------------------------------------------------------------------


def test_the_first_mail_is_immediate_and_the_others_are_one_a_day(company: None, approver: Actor) -> None:
    first, second = a_task(approver), a_task(approver, CAST.neighbour)
    assert [len(posted(OWNER)), second.mailed_at] == [1, None]
    OwnerTask.objects.update(created_at=at(0))
    assert owner_clock.sweep(at(0, 23)) == 0
    assert owner_clock.sweep(at(1, settings.OWNER_DIGEST_HOUR - 1)) == 0
    assert owner_clock.sweep(at(1)) == 1
    assert owner_clock.sweep(at(1, 13)) == 0
    _told, digest = posted(OWNER)
    assert "2 privacy tasks" in str(digest["Subject"])
    for task in (first, second):
        assert task.step.request.case.reference in house.body_of(digest)
        assert task.step.request.case.email not in digest.as_string() + house.body_of(digest)
        link = task.newest(CheckKind.OWNER_LINK)
        assert link is not None
        assert link.token in house.body_of(digest)
    message = Message.objects.select_related("case").get(notice=Notice.OWNER_DIGEST)
    with CaptureQueriesContext(connection) as queries:
        assert len(owner_letters.of_tasks(message)["tasks"]) == 2
    assert len(queries) == 4, "tasks, links, plans, keys: however many there are"


def test_an_owner_with_news_hears_it_however_many_others_have_none(asked: OwnerTask) -> None:
    request, morning = asked.step.request, at(1)
    steps = Step.objects.bulk_create(
        [Step(request=request, source=f"s{number}", kind=StepKind.ERASE) for number in range(owners.BATCH + 5)]
    )
    soon = timezone.localdate(morning) + timedelta(days=1)
    held = [OwnerTask(step=step, due_on=soon, mailed_at=timezone.now(), reminders=1) for step in steps]
    for task in held:
        task.give_to(BACKUP)
    held[-1].give_to(COLLEAGUE)
    held[-1].mailed_at = None
    OwnerTask.objects.bulk_create(held)
    assert owner_clock.sweep(morning) == 1
    assert Message.objects.get(notice=Notice.OWNER_DIGEST).to == COLLEAGUE
    assert owner_clock.sweep(morning) == 0


def test_law_02_the_daily_mail_locks_no_task_before_its_case(asked: OwnerTask) -> None:
    """Whoever answers locks the case and then the task: the other way round the two would wait for each other."""
    OwnerTask.objects.update(mailed_at=None)
    with CaptureQueriesContext(connection) as queries:
        assert owner_clock.sweep(at(1)) == 1
    touched = [query["sql"] for query in queries.captured_queries if "dsar_ownertask" in query["sql"]]
    assert not [sql for sql in touched if "FOR UPDATE" in sql and "dsar_case" not in sql]
    written = [re.match(r'(?:UPDATE|INSERT INTO) "(\w+)"', query["sql"]) for query in queries.captured_queries]
    order = [found.group(1) for found in written if found]
    assert order.index("dsar_message") < order.index("dsar_ownertask")


def test_reminders_two_days_before_and_on_the_day(asked: OwnerTask) -> None:
    days = settings.OWNER_DAYS
    counted = [owner_clock.sweep(at(day)) for day in range(1, days + 1)]
    assert counted == [*[0] * (days - 3), 1, 0, 1]
    assert Message.objects.filter(notice=Notice.OWNER_DIGEST).count() == 2


def test_overdue_comes_into_the_queue_and_goes_to_the_backup(asked: OwnerTask) -> None:
    owner_clock.sweep(at(settings.OWNER_DAYS + 1))
    request = drive.fresh(asked.step.request_id)
    assert request.attention == StepReason.OWNER_LATE
    assert PrivacyRequest.objects.needing_staff().get() == request
    task = OwnerTask.objects.open().get()
    assert (task.owner, task.due_on) == (BACKUP, asked.due_on)
    assert len(posted(BACKUP)) == 1
    before = OwnerTask.objects.count()
    owner_clock.sweep(at(settings.OWNER_DAYS + 1, 13))
    assert OwnerTask.objects.count() == before
    owners.answer(task.pk, OwnerTaskStatus.DONE)
    assert (drive.fresh(request.pk).state, drive.fresh(request.pk).attention) == (State.COMPLETED, "")


def test_the_purge_empties_what_names_anybody(asked: OwnerTask) -> None:
    owners.answer(asked.pk, OwnerTaskStatus.DONE, note="x", file=b"y", file_name="z")
    purge.purge(asked.step.request.case_id)
    found = fresh(asked)
    assert (found.owner, found.owner_index, found.note_sealed, found.file_sealed) == ("", "", None, None)
    assert not Message.objects.filter(case=found.step.request.case, to_sealed__isnull=False).exists()


def test_a_copy_goes_on_without_an_owner_who_need_not_answer_any_more(
    company: None, approver: Actor, handler: Actor
) -> None:
    request = copies.approved(approver)
    drive.carry_out()
    task = OwnerTask.objects.get(step__request=request, step__kind=StepKind.EXPORT)
    assert "attach the copy" in house.body_of(posted(OWNER)[-1])
    control.go_on_without(request.pk, task.step_id, "SYSTEM_CANNOT", "They are away.", actor=handler)
    drive.carry_out()
    assert (fresh(task).status, drive.fresh(request.pk).state) == (OwnerTaskStatus.NOT_NEEDED, State.CHECKING)
    assert not access.nothing_left(drive.fresh(request.pk)), "the other source has its rows in it"
    control.send_back(request.pk, "They are back.", actor=handler)
    drive.carry_out()
    assert OwnerTask.objects.open().get(step__request=request).step_id == task.step_id


def test_what_is_for_others_never_goes_to_the_person(asked: OwnerTask) -> None:
    case = asked.step.request.case
    with pytest.raises(ValueError, match="to"):
        outbox.queue_for_case(case, Notice.OWNER_DIGEST)
    with pytest.raises(ValueError, match="to"):
        outbox.queue_for_case(case, Notice.CONFIRMED, to=OWNER)
    Message.objects.filter(notice=Notice.OWNER_TASK).update(to_sealed=None)
    before = len(posted(case.email))
    assert Message.objects.get(notice=Notice.OWNER_TASK).reason == "NoAddress"
    assert (len(posted(case.email)), posted(OWNER)) == (before, [])


def test_the_owner_reads_what_the_law_keeps_of_the_same_categories(asked: OwnerTask) -> None:
    (kept,) = owner_letters.kept(asked)
    assert kept["label"] == "Invoices"
    assert "Art 17(3)(b)" in kept["citation"]
    assert kept["until"] > timezone.localdate()
