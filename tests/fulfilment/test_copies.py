"""A copy from approval to the end: what is in it, what is not and why, who is kept out of it, how it goes."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.conf import settings
from django.utils import timezone

from dsar import audit, keys
from dsar.connectors.base import NotSupported, SourceBroken
from dsar.connectors.sql import SqlConnector
from dsar.datamap import loader
from dsar.enums import MessageStatus, Notice, Outcome, PackageStatus, Right, State, StepKind, StepReason, StepStatus
from dsar.fulfilment import access, control, package, runner
from dsar.models import Actor, AuditEvent, CopyPart, Message, Package, PrivacyRequest, Redaction, Step
from dsar.notifications import outbox, report
from dsar.review import purge
from dsar.workflow import Conflict, Forbidden, Invalid
from tests import drive, house
from tests.fulfilment import copies
from tests.house import CAST

pytestmark = pytest.mark.usefixtures("company")
REASON = "It names somebody else."


def rows_in_the_company(address: str) -> dict[str, int]:
    identity = house.user_id(address)
    assert identity is not None
    return {name: len(rows) for name, rows in house.everything_of(identity).items() if rows}


def redacted(request: PrivacyRequest, handler: Actor, table: str, column: str, number: int = 0) -> Redaction:
    row = access.rows(request, "platform", table, number, 1)[0]
    return access.redact(
        request.pk, "platform", table, row["key"], column, "THIRD_PARTY", REASON, actor=handler
    )  # fmt: skip


# --- what is in it ----------------------------------------------------------------------------------------------------


def test_a_copy_holds_every_row_of_the_person_once(approver: Actor, settings: Any) -> None:
    settings.CHUNK_ROWS = 3
    request = copies.checking(approver)
    copy = copies.of(request)
    expected = rows_in_the_company(CAST.plain)
    for table, number in expected.items():
        rows = copy.rows(table)
        assert (table, len(rows), len({row["id"] for row in rows})) == (table, number, number)
        assert len(copy.cells(table)) == number
    assert copy.rows("users")[0]["email"] == CAST.plain
    made = package.current(request)
    assert made is not None
    assert made.rows == sum(category["rows"] for category in copy.manifest["categories"])
    step = request.steps.get(kind=StepKind.EXPORT, source="platform")
    assert sum(tally["copied"] for tally in step.tallies) == made.rows
    assert CopyPart.objects.filter(request=request).count() > 5


def test_no_secret_column_is_in_it_and_each_is_named(approver: Actor) -> None:
    (user,) = house.rows("users", email=CAST.plain)
    copy = copies.of(copies.checking(approver))
    assert user["password_hash"]
    assert not any(str(user["password_hash"]).encode() in content for content in copy.files.values())
    held = {(one["table"], name) for one in copy.manifest["held_but_never_given"] for name in one["columns"]}
    assert held == {
        ("users", "password_hash"), ("api_keys", "key_hash"), ("sessions", "token_hash"), ("auto_topups", "payment_token")
    }  # fmt: skip
    for table, name in held:
        assert name not in copy.rows(table)[0]
    assert "users: password_hash" in copy.page


def test_the_manifest_says_what_article_15_asks_for(approver: Actor) -> None:
    request = copies.checking(approver)
    told = copies.of(request).manifest
    described = loader.current().categories
    for category in told["categories"]:
        known = described[category["key"]]
        assert (category["label"], category["purpose"], category["basis"]) == (known.label, known.purpose, known.basis)
        assert category["source"] == known.source
        assert category["recipients"] == [report.recipient_label(name) for name in known.recipients]
        assert category["retention"]
    invoices = next(one for one in told["categories"] if one["key"] == "invoices")
    assert invoices["retention"][0] == described["invoices"].kept
    assert invoices["retention"][1].startswith("10 years, counted from the end of the financial year.")
    assert told["request"]["asked_by"] == CAST.plain
    assert told["request"]["law_id"] == "eu_gdpr"
    assert told["reference"] == request.case.reference
    assert [one["category"] for one in told["backups"]] == ["backups"]


@pytest.mark.parametrize(
    ("asker", "others"),
    [
        (CAST.shared_phone[0], (CAST.shared_phone[1],)),
        (CAST.two_accounts[0], (CAST.two_accounts[1],)),
        (CAST.third_person, (CAST.third_person_author,)),
        (CAST.org_member, (CAST.org_owner,)),
    ],
)
def test_nothing_of_another_person_is_in_a_copy(asker: str, others: tuple[str, ...], approver: Actor) -> None:
    request = copies.checking(approver, asker)
    copy = copies.of(request)
    mine = house.user_id(asker)
    for other in others:
        assert not any(other.encode() in content for content in copy.files.values())
    for category in copy.manifest["categories"]:
        for one in category["tables"]:
            for row in copy.rows(one["table"]) if one["source"] == "platform" else ():
                assert row.get("user_id", mine) == mine
                assert row.get("organisation_id") is None or one["table"] == "organisation_members"


def test_what_belongs_to_an_organisation_is_named_and_not_given(approver: Actor) -> None:
    copy = copies.of(copies.checking(approver, CAST.org_member))
    shared = {one["category"]: one["rows"] for one in copy.manifest["of_an_organisation"]}
    assert shared["prompts"] > 0
    mine = house.user_id(CAST.org_member)
    theirs = [row for row in house.rows("prompts", user_id=mine) if row["organisation_id"] is not None]
    assert theirs
    assert not {row["id"] for row in theirs} & {row["id"] for row in copy.rows("prompts")}


def test_what_can_be_carried_elsewhere_is_what_was_given_or_observed(approver: Actor) -> None:
    copy = copies.of(copies.checking(approver, right=Right.PORTABILITY))
    given = {category["key"] for category in copy.manifest["categories"]}
    assert {"account", "activity", "prompts", "sessions"} <= given
    assert not given & {"invoices", "refunds", "memberships"}
    assert "invoices" in {one["category"] for one in copy.manifest["not_portable"]}
    assert not any("invoices" in name for name in copy.files)
    assert "<table" not in copy.page
    assert 'href="data/account.json"' in copy.page


def test_entries_are_named_by_us(approver: Actor) -> None:
    copy = copies.of(copies.checking(approver))
    described = set(loader.current().categories)
    for name in set(copy.files) - {"index.html", "manifest.json"}:
        folder, _, file = name.partition("/")
        stem, _, ending = file.partition(".")
        assert (folder, ending in ("json", "jsonl", "csv")) == ("data", True)
        assert stem.partition("--")[0] in described


# --- sources that fail ------------------------------------------------------------------------------------------------


@pytest.fixture
def refusing(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """The company's database refuses to be copied."""

    def refuse(error: Exception) -> None:
        def export(*_args: object) -> object:
            raise error

        monkeypatch.setattr(SqlConnector, "export", export)

    return refuse


def blocked_step(request: PrivacyRequest, reason: StepReason) -> Step:
    step = request.steps.get(source="platform", kind=StepKind.EXPORT)
    assert (step.status, step.reason) == (StepStatus.BLOCKED, reason)
    return step


def test_a_copy_without_a_failing_source_shows_it(
    approver: Actor, handler: Actor, refusing: Callable[..., None]
) -> None:
    refusing(SourceBroken("permission"))
    request = copies.approved(approver)
    drive.carry_out()
    step = blocked_step(request, StepReason.PERMISSION)
    with pytest.raises(Forbidden):
        control.go_on_without(request.pk, step.pk, "No.", actor=drive.person_of_the_desk("auditor"))  # type: ignore[arg-type]
    with pytest.raises(Invalid):
        control.go_on_without(request.pk, step.pk, " ", actor=handler)
    control.go_on_without(request.pk, step.pk, "They do not answer.", actor=handler)
    drive.carry_out()
    request = drive.fresh(request.pk)
    assert (request.state, request.attention) == (State.CHECKING, "")
    copy = copies.of(request)
    (failed,) = copy.manifest["sources_that_failed"]
    assert (failed["label"], failed["code"]) == ("Platform database", StepReason.PERMISSION)
    assert "Platform database: The source refuses our sign-in" in copy.page
    assert control.hand_over(request.pk, actor=approver).outcome == Outcome.GRANTED_IN_PART
    assert audit.verify() == []


def test_what_no_machine_can_copy_is_a_persons_task_and_named(
    approver: Actor, handler: Actor, refusing: Callable[..., None]
) -> None:
    refusing(NotSupported("by hand"))
    request = copies.approved(approver)
    drive.carry_out()
    control.done_by_hand(request.pk, blocked_step(request, StepReason.NOT_SUPPORTED).pk, actor=handler)
    drive.carry_out()
    assert [one["source"] for one in copies.of(drive.fresh(request.pk)).manifest["copied_by_hand"]] == ["platform"]


def test_only_a_blocked_copy_can_be_gone_on_without(approver: Actor, handler: Actor) -> None:
    request = copies.checking(approver)
    step = request.steps.get(source="platform", kind=StepKind.EXPORT)
    with pytest.raises(Invalid):
        control.go_on_without(request.pk, step.pk, "Why not.", actor=handler)


# --- looking through --------------------------------------------------------------------------------------------------


def test_the_spool_is_shown_page_by_page(approver: Actor, settings: Any) -> None:
    settings.CHUNK_ROWS = 2
    request = copies.checking(approver)
    shown = {(one["source"], one["table"]): one for one in access.categories(request)}
    for (source, table), one in shown.items():
        everything = access.rows(request, source, table, 0, 1000)
        assert len(everything) == one["rows"]
        assert len({row["key"] for row in everything}) == one["rows"]
        paged = [row for start in range(0, one["rows"], 3) for row in access.rows(request, source, table, start, 3)]
        assert paged == everything
    assert shown["platform", "prompts"]["label"] == "Prompts and outputs"


def test_redacted_values_and_rows_are_not_in_the_package(approver: Actor, handler: Actor) -> None:
    request = copies.checking(approver)
    value = access.rows(request, "platform", "prompts", 0, 1)[0]
    row = access.rows(request, "platform", "searches", 0, 1)[0]
    first = package.current(request)
    made = redacted(request, handler, "prompts", "prompt")
    redacted(request, handler, "searches", "")
    assert access.is_stale(request)
    with pytest.raises(Invalid):
        control.hand_over(request.pk, actor=approver)
    drive.carry_out()
    second = access.current(request)
    assert first is not None and second is not None
    assert second.version > first.version
    assert not access.is_stale(request)
    copy = copies.of(request)
    prompts = {str(one["id"]): one for one in copy.rows("prompts")}
    assert prompts[value["key"]]["prompt"] is None
    assert prompts[value["key"]]["_left_out"] == ["prompt"]
    assert [one["prompt"] for one in copy.cells("prompts") if one["id"] == value["key"]] == ["[left out]"]
    assert row["key"] not in {str(one["id"]) for one in copy.rows("searches")}
    assert not any(value["values"]["prompt"].encode() in content for content in copy.files.values())
    log = {(one["table"], one["what"]): one for one in copy.manifest["left_out"]}
    assert set(log) == {("prompts", "value"), ("searches", "row")}
    assert log["prompts", "value"]["citation"] == "GDPR Art 15(4), Art 20(4)"
    assert access.rows(request, "platform", "prompts", 0, 1)[0]["redacted"] == {"prompt"}
    first.refresh_from_db()
    assert (first.status, first.gone_at is not None) == (PackageStatus.GONE, True)
    assert not package.storage().exists(first.name)
    told = AuditEvent.objects.get(what="redacted", details__table="prompts")
    assert told.details == {"source": "platform", "table": "prompts", "code": "THIRD_PARTY", "column": "prompt"}
    access.unredact(request.pk, made.pk, actor=handler)
    drive.carry_out()
    assert {one["what"] for one in copies.of(request).manifest["left_out"]} == {"row"}
    assert control.hand_over(request.pk, actor=approver).outcome == Outcome.GRANTED_IN_PART
    assert audit.verify() == []


@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({"code": "BUSINESS_NECESSITY"}, Invalid),
        ({"code": "TAX_ACCOUNTING"}, Invalid),
        ({"text": "  "}, Invalid),
        ({"row_key": "999999999"}, Invalid),
        ({"column": "password_hash"}, Invalid),
        ({"table": "users; --"}, Invalid),
    ],
)
def test_nothing_is_left_out_without_a_reason_or_that_is_not_there(
    change: dict[str, str], error: type[Exception], approver: Actor, handler: Actor
) -> None:
    request = copies.checking(approver)
    key = access.rows(request, "platform", "users", 0, 1)[0]["key"]
    given = {
        "source": "platform",
        "table": "users",
        "row_key": key,
        "column": "phone",
        "code": "THIRD_PARTY",
        "text": REASON,
    }
    with pytest.raises(error):
        access.redact(request.pk, **{**given, **change}, actor=handler)
    assert not access.is_stale(request)


def test_only_handlers_redact_and_only_while_it_is_looked_through(approver: Actor, handler: Actor) -> None:
    request = copies.checking(approver)
    made = redacted(request, handler, "users", "phone")
    for actor in (drive.person_of_the_desk("auditor"), drive.person_of_the_desk("admin")):  # type: ignore[arg-type]
        with pytest.raises(Forbidden):
            redacted(request, actor, "users", "full_name")
        with pytest.raises(Forbidden):
            access.unredact(request.pk, made.pk, actor=actor)
    with pytest.raises(Invalid):
        redacted(request, handler, "users", "phone")
    drive.carry_out()
    control.hand_over(request.pk, actor=approver)
    with pytest.raises(Conflict):
        access.redact(request.pk, "platform", "users", "1", "phone", "THIRD_PARTY", REASON, actor=handler)
    with pytest.raises(Conflict):
        access.unredact(request.pk, made.pk, actor=handler)


def test_a_copy_that_is_sent_back_is_made_anew_and_keeps_what_was_redacted(approver: Actor, handler: Actor) -> None:
    request = copies.checking(approver)
    redacted(request, handler, "users", "phone")
    drive.carry_out()
    before = package.current(request)
    with pytest.raises(Invalid):
        control.send_back(request.pk, "", actor=handler)
    control.send_back(request.pk, "The newest invoice is missing.", actor=handler)
    assert not CopyPart.objects.filter(request=request).exists()
    assert package.current(request) is None
    assert before is not None and not package.storage().exists(before.name)
    drive.carry_out()
    request = drive.fresh(request.pk)
    assert request.state == State.CHECKING
    assert copies.of(request).rows("users")[0]["_left_out"] == ["phone"]
    assert audit.verify() == []


# --- on offer, and gone -------------------------------------------------------------------------------------------------


def offered(approver: Actor) -> tuple[PrivacyRequest, Package]:
    request = copies.checking(approver)
    request = control.hand_over(request.pk, actor=approver)
    made = package.current(request)
    assert made is not None
    return request, made


def test_handing_over_offers_it_and_clears_the_spool(approver: Actor, handler: Actor) -> None:
    request = copies.checking(approver)
    with pytest.raises(Forbidden):
        control.hand_over(request.pk, actor=handler)
    request = control.hand_over(request.pk, actor=approver)
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
    package.note_download(made)
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
    for table, number in rows_in_the_company(CAST.plain).items():
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
    redacted(request, handler, "users", "phone")
    write = package.write

    def slow(made: Package, fill: Any) -> None:
        write(made, fill)
        monkeypatch.setattr(package, "write", write)
        redacted(request, handler, "users", "full_name")

    monkeypatch.setattr(package, "write", slow)
    drive.carry_out()
    drive.carry_out()
    assert not package.is_stale(request)
    assert copies.of(request).rows("users")[0]["_left_out"] == ["full_name", "phone"]
    alive = Package.objects.filter(request=request).exclude(status=PackageStatus.GONE)
    assert [one.status for one in alive] == [PackageStatus.READY]
    _folders, files = package.storage().listdir("")
    assert files.count(alive[0].name) == 1
    for gone in Package.objects.filter(request=request, status=PackageStatus.GONE):
        assert gone.name not in files


def test_a_spool_that_lost_a_part_never_becomes_a_copy(approver: Actor, handler: Actor, settings: Any) -> None:
    settings.CHUNK_ROWS = 4
    request = copies.checking(approver)
    CopyPart.objects.filter(request=request, number=2).delete()
    redacted(request, handler, "users", "phone")
    drive.carry_out()
    step = request.steps.get(kind=StepKind.PACK)
    assert (step.status, step.reason) == (StepStatus.BLOCKED, StepReason.ERROR)
    with pytest.raises(Invalid):
        control.hand_over(request.pk, actor=approver)
