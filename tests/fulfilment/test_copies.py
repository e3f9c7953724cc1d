"""A copy from approval to the end: what is in it, what is not and why, who is kept out of it, how it goes."""

from collections.abc import Callable
from typing import Any

import pytest

from dsar import audit
from dsar.connectors.base import NotSupported, SourceBroken
from dsar.connectors.sql import SqlConnector
from dsar.datamap import loader
from dsar.enums import Outcome, PackageStatus, Right, State, StepKind, StepReason, StepStatus
from dsar.fulfilment import control, package
from dsar.models import Actor, CopyPart, Message, PrivacyRequest, RequestRecord, Step
from dsar.notices import Notice
from dsar.notifications import compose, report
from dsar.workflow import Forbidden, Invalid
from tests import drive, house
from tests.fulfilment import copies
from tests.house import CAST

pytestmark = pytest.mark.usefixtures("company")


# --- what is in it ----------------------------------------------------------------------------------------------------


def test_a_copy_holds_every_row_of_the_person_once(approver: Actor, settings: Any) -> None:
    settings.CHUNK_ROWS = 3
    request = copies.checking(approver)
    copy = copies.of(request)
    expected = copies.rows_in_the_company(CAST.plain)
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


def test_law_15_a_copy_without_a_failing_source_shows_it_and_without_any_source_is_denied(
    approver: Actor, handler: Actor, refusing: Callable[..., None]
) -> None:
    refusing(SourceBroken("permission"))
    request = copies.approved(approver)
    drive.carry_out()
    step = blocked_step(request, StepReason.PERMISSION)
    with pytest.raises(Forbidden):
        control.go_on_without(request.pk, step.pk, "SYSTEM_CANNOT", "No.", actor=drive.person_of_the_desk("auditor"))  # type: ignore[arg-type]
    of_no_use = ("THIRD_PARTY", "DISPROPORTIONATE_EFFORT", "")
    for code, text in (("SYSTEM_CANNOT", " "), *((code, "No.") for code in of_no_use)):
        with pytest.raises(Invalid):
            control.go_on_without(request.pk, step.pk, code, text, actor=handler)
    control.go_on_without(request.pk, step.pk, "NOT_IDENTIFIABLE", "They do not answer.", actor=handler)
    drive.carry_out()
    request = drive.fresh(request.pk)
    assert (request.state, request.attention) == (State.CHECKING, "")
    copy = copies.of(request)
    (failed,) = copy.manifest["sources_that_failed"]
    assert (failed["label"], failed["code"]) == ("Platform database", StepReason.PERMISSION)
    assert "Platform database: The source refuses our sign-in" in copy.page
    assert {one.source for one in request.steps.filter(kind=StepKind.EXPORT)} == {"platform"}
    done = copies.hand_over(request, approver)
    assert (done.state, done.outcome) == (State.COMPLETED, Outcome.DENIED)
    assert not done.packages.exclude(status=PackageStatus.GONE).exists()
    assert set(done.category_outcomes.values_list("outcome", "code")) == {(Outcome.DENIED, "NOT_IDENTIFIABLE")}
    assert RequestRecord.objects.get(request_id=done.pk).basis == "NOT_IDENTIFIABLE GDPR Art 11(2), 12(2)"
    said = compose.letter(Message.objects.get(request=done, notice=Notice.REFUSED))["text"]
    for words in ("It could not be copied", "Cannot be told to be yours", "They do not answer.", "GDPR Art 11(2)"):
        assert words in said
    assert "does not oblige us" not in said
    assert audit.verify() == []


def test_what_no_machine_can_copy_is_a_persons_task_and_named(
    approver: Actor, handler: Actor, refusing: Callable[..., None]
) -> None:
    refusing(NotSupported("by hand"))
    request = copies.approved(approver)
    drive.carry_out()
    step = blocked_step(request, StepReason.NOT_SUPPORTED)
    control.done_by_hand(request.pk, step.pk, file=b"all of it", file_name="all.csv", actor=handler)
    drive.carry_out()
    (told,) = copies.of(drive.fresh(request.pk)).manifest["copied_by_hand"]
    assert (told["source"], told["files"]) == ("platform", ["by_hand/platform--1.csv"])


def test_only_a_blocked_copy_can_be_gone_on_without(approver: Actor, handler: Actor) -> None:
    request = copies.checking(approver)
    step = request.steps.get(source="platform", kind=StepKind.EXPORT)
    with pytest.raises(Invalid):
        control.go_on_without(request.pk, step.pk, "SYSTEM_CANNOT", "Why not.", actor=handler)
