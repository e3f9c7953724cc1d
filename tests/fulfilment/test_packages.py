"""The file of a copy: on offer and gone, and who is kept from making it at the same time."""

from datetime import timedelta
from typing import Any

import pytest
from django.conf import settings
from django.core.files.storage import InMemoryStorage
from django.utils import timezone

from dsar import audit, keys
from dsar.connectors.sql import SqlConnector
from dsar.enums import Outcome, PackageStatus, State, StepKind, StepReason, StepStatus
from dsar.fulfilment import access, control, package, runner
from dsar.models import Actor, AuditEvent, CopyPart, Message, Package, PrivacyRequest, Step
from dsar.notices import MessageStatus, Notice
from dsar.notifications import outbox
from dsar.review import purge
from dsar.workflow import Conflict, Forbidden, Invalid
from tests import drive
from tests.fulfilment import copies
from tests.house import CAST

pytestmark = pytest.mark.usefixtures("company")


def offered(approver: Actor) -> tuple[PrivacyRequest, Package]:
    request = copies.checking(approver)
    request = copies.hand_over(request, approver)
    made = package.current(request)
    assert made is not None
    return request, made


def test_handing_over_offers_it_and_clears_the_spool(approver: Actor, handler: Actor) -> None:
    request = copies.checking(approver)
    with pytest.raises(Forbidden):
        control.hand_over(request.pk, actor=handler)
    request = copies.hand_over(request, approver)
    made = package.current(request)
    assert made is not None
    assert (request.state, request.outcome) == (State.COMPLETED, Outcome.GRANTED)
    assert made.status == PackageStatus.OFFERED
    assert made.offered_at is not None and made.expires_at == made.offered_at + settings.PACKAGE_PERIOD
    assert not CopyPart.objects.filter(request=request).exists()
    assert Message.objects.filter(request=request, notice=Notice.DONE_COPY).count() == 1
    with pytest.raises(Conflict):
        control.hand_over(request.pk, actor=approver)


def test_each_download_counts_and_one_mail_a_day_tells_of_it(approver: Actor) -> None:
    request, made = offered(approver)
    assert request.answered_on is None
    package.note_download(made)
    assert drive.fresh(request.pk).answered_on, "what is in their hands has left"
    package.note_download(made)
    made.refresh_from_db()
    assert made.downloads == 2
    assert AuditEvent.objects.filter(what="copy_downloaded", request_id=request.pk).count() == 2
    outbox.drain()
    told = Message.objects.get(request=request, notice=Notice.COPY_DOWNLOADED)
    assert told.status == MessageStatus.SENT
    assert audit.verify() == []


def test_when_its_time_is_over_the_file_goes_and_the_row_stays(approver: Actor) -> None:
    _request, made = offered(approver)
    assert made.expires_at is not None
    assert package.expire(made.expires_at - timedelta(minutes=1)) == 0
    assert package.expire(made.expires_at) == 1
    made.refresh_from_db()
    assert (made.status, made.gone_at is not None) == (PackageStatus.GONE, True)
    assert not package.storage().exists(made.name)
    with pytest.raises(package.NotThere):
        package.open_for_download(made)
    assert package.expire(made.expires_at) == 0


def test_past_its_time_it_cannot_be_had_even_before_the_sweep(approver: Actor) -> None:
    _request, made = offered(approver)
    made.expires_at = timezone.now()
    with pytest.raises(package.NotThere):
        package.open_for_download(made)


def test_purging_the_case_makes_every_copy_of_the_file_unreadable(approver: Actor) -> None:
    request, made = offered(approver)
    with package.storage().open(made.name) as file:
        kept = file.read()
    assert CAST.plain.encode() not in kept
    purge.purge(request.case_id)
    fresh = Package.objects.select_related("request__case").get(pk=made.pk)
    with pytest.raises(package.NotThere):
        package.open_for_download(fresh)
    with pytest.raises(keys.Unreadable):
        fresh.request.case.key()
    assert package.expire() == 1
    assert not package.storage().exists(made.name)


def test_a_copy_that_was_never_finished_is_on_offer_to_nobody_and_swept(approver: Actor) -> None:
    request = copies.checking(approver)
    left = package.announce(request)
    assert package.current(request) != left
    with pytest.raises(package.NotThere):
        package.open_for_download(left)
    assert package.expire(timezone.now()) == 0
    assert package.expire(timezone.now() + timedelta(days=1)) == 1
    left.refresh_from_db()
    assert left.status == PackageStatus.GONE


def test_files_are_for_us_alone(approver: Actor) -> None:
    request = copies.checking(approver)
    made = package.current(request)
    assert made is not None
    path = settings.PACKAGE_FOLDER / made.name
    assert (path.stat().st_mode & 0o777, path.parent.stat().st_mode & 0o777) == (0o600, 0o700)
    assert list(settings.PACKAGE_WORKBENCH.iterdir()) == []


# --- fences -----------------------------------------------------------------------------------------------------------


def test_a_copy_goes_on_where_a_killed_worker_stopped(
    approver: Actor, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.CHUNK_ROWS = 4
    request = copies.approved(approver)
    export, asked = SqlConnector.export, []

    def dies(self: SqlConnector, ref: str, cursor: str, limit: int) -> object:
        asked.append(cursor)
        if len(asked) == 4:
            raise KeyboardInterrupt
        return export(self, ref, cursor, limit)

    monkeypatch.setattr(SqlConnector, "export", dies)
    with pytest.raises(KeyboardInterrupt):
        runner.drain_fulfilling()
    step = request.steps.get(source="platform", kind=StepKind.EXPORT)
    assert (step.status, step.chunks) == (StepStatus.LEASED, 3)
    Step.objects.filter(pk=step.pk).update(lease_until=timezone.now() - timedelta(seconds=1))
    request.case.subject.__class__.objects.update(busy_until=timezone.now() - timedelta(seconds=1))
    drive.carry_out()
    assert asked.count("") == 1
    assert asked[4] == asked[3] == step.cursor
    request = drive.fresh(request.pk)
    assert request.state == State.CHECKING
    copy = copies.of(request)
    for table, number in copies.rows_in_the_company(CAST.plain).items():
        assert len({row["id"] for row in copy.rows(table)}) == len(copy.rows(table)) == number


def test_a_sleeper_past_its_lease_records_nothing(
    approver: Actor, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    request = copies.approved(approver)
    export = SqlConnector.export

    def slow(self: SqlConnector, ref: str, cursor: str, limit: int) -> object:
        page = export(self, ref, cursor, limit)
        # Meanwhile somebody else has claimed the step.
        Step.objects.filter(request=request, source="platform").update(token=77)
        return page

    monkeypatch.setattr(SqlConnector, "export", slow)
    runner.drain_fulfilling()
    assert not CopyPart.objects.filter(request=request, source="platform").exists()
    assert request.steps.get(source="platform").status == StepStatus.LEASED


def test_who_packs_while_something_is_redacted_is_fenced_out(
    approver: Actor, handler: Actor, monkeypatch: pytest.MonkeyPatch
) -> None:
    request = copies.checking(approver)
    copies.redacted(request, handler, "users", "phone")
    write = package.write

    def slow(*given: Any) -> None:
        write(*given)
        monkeypatch.setattr(package, "write", write)
        copies.redacted(request, handler, "users", "full_name")

    monkeypatch.setattr(package, "write", slow)
    drive.carry_out()
    drive.carry_out()
    assert package.whole(request)
    assert copies.of(request).rows("users")[0]["_left_out"] == ["full_name", "phone"]
    alive = Package.objects.filter(request=request).exclude(status=PackageStatus.GONE)
    assert [one.status for one in alive] == [PackageStatus.READY]
    _folders, files = package.storage().listdir("")
    assert files.count(alive[0].name) == 1
    for gone in Package.objects.filter(request=request, status=PackageStatus.GONE):
        assert gone.name not in files


def test_law_13_a_copy_sent_back_while_it_is_packed_leaves_no_file(
    approver: Actor, handler: Actor, monkeypatch: pytest.MonkeyPatch
) -> None:
    request = copies.checking(approver)
    others = set(package.storage().listdir("")[1]) - {package.current(request).name}  # type: ignore[union-attr]
    copies.redacted(request, handler, "users", "phone")
    write = package.write

    def slow(*given: Any) -> None:
        monkeypatch.setattr(package, "write", write)
        control.send_back(request.pk, "Something is missing.", actor=handler)
        write(*given)

    monkeypatch.setattr(package, "write", slow)
    drive.carry_out()
    drive.carry_out()
    assert drive.fresh(request.pk).state == State.CHECKING
    made = Package.objects.filter(request=request)
    alive = made.exclude(status=PackageStatus.GONE).get()
    files = set(package.storage().listdir("")[1])
    assert {alive.name} == files - others
    assert made.filter(status=PackageStatus.GONE, gone_at__isnull=True).count() == 0


def test_law_08_the_lease_is_kept_while_the_file_goes_into_the_storage(
    approver: Actor, handler: Actor, monkeypatch: pytest.MonkeyPatch
) -> None:
    request = copies.checking(approver)
    copies.redacted(request, handler, "users", "phone")
    asked: list[str] = []
    during: list[str] = []

    class Bucket(InMemoryStorage):
        def _save(self, name: str, content: Any) -> str:
            before = len(asked)
            saved: str = super()._save(name, content)
            during.extend(asked[before:])
            return saved

    bucket = Bucket()
    monkeypatch.setattr(package, "storage", lambda: bucket)
    monkeypatch.setattr(access, "_renew_when_due", lambda _held: asked.append("ours"))
    drive.carry_out()
    made = package.current(drive.fresh(request.pk))
    assert made is not None
    assert bucket.size(made.name) > made.size
    assert during


def test_a_spool_that_lost_a_part_never_becomes_a_copy(approver: Actor, handler: Actor, settings: Any) -> None:
    settings.CHUNK_ROWS = 4
    request = copies.checking(approver)
    CopyPart.objects.filter(request=request, number=2).delete()
    copies.redacted(request, handler, "users", "phone")
    drive.carry_out()
    step = request.steps.get(kind=StepKind.PACK)
    assert (step.status, step.reason) == (StepStatus.BLOCKED, StepReason.ERROR)
    with pytest.raises(Invalid):
        control.hand_over(request.pk, actor=approver)
