"""Looking through a copy: what is shown, what is left out and why, and sending it back."""

from typing import Any

import pytest

from dsar import audit
from dsar.enums import Outcome, PackageStatus, State
from dsar.fulfilment import access, control, package, spool
from dsar.models import Actor, AuditEvent, CopyPart, Message, PrivacyRequest, RequestRecord
from dsar.models.request_conditions import look_at_copy
from dsar.notices import Notice
from dsar.notifications import compose
from dsar.workflow import Conflict, Forbidden, Invalid, move
from tests import drive
from tests.fulfilment import copies

pytestmark = pytest.mark.usefixtures("company")
REASON = "It names somebody else."


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
    made = copies.redacted(request, handler, "prompts", "prompt")
    copies.redacted(request, handler, "searches", "")
    assert package.whole(request) is None
    with pytest.raises(Invalid):
        control.hand_over(request.pk, actor=approver)
    drive.carry_out()
    second = package.current(request)
    assert first is not None and second is not None
    assert second.version > first.version
    assert package.whole(request)
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
    assert told.details == {"source": "platform", "table": "prompts", "code": "THIRD_PARTY", "columns": ["prompt"]}
    access.unredact(request.pk, made.pk, actor=handler)
    drive.carry_out()
    assert {one["what"] for one in copies.of(request).manifest["left_out"]} == {"row"}
    assert copies.hand_over(request, approver).outcome == Outcome.GRANTED_IN_PART
    assert audit.verify() == []


@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({"code": "BUSINESS_NECESSITY"}, Invalid),
        ({"code": "TAX_ACCOUNTING"}, Invalid),
        ({"text": "  "}, Invalid),
        ({"row_key": "999999999"}, Invalid),
        ({"columns": ["password_hash"]}, Invalid),
        ({"columns": ["phone", "password_hash"]}, Invalid),
        ({"columns": ["", "phone"]}, Invalid),
        ({"columns": []}, Invalid),
        ({"table": "users; --"}, Invalid),
    ],
)
def test_nothing_is_left_out_without_a_reason_or_that_is_not_there(
    change: dict[str, Any], error: type[Exception], approver: Actor, handler: Actor
) -> None:
    request = copies.checking(approver)
    key = access.rows(request, "platform", "users", 0, 1)[0]["key"]
    access.open_to(request.pk, actor=handler)
    given = {
        "source": "platform",
        "table": "users",
        "row_key": key,
        "columns": ["phone"],
        "code": "THIRD_PARTY",
        "text": REASON,
    }
    with pytest.raises(error):
        access.redact(request.pk, **{**given, **change}, actor=handler)
    assert package.whole(request)


def test_only_handlers_redact_and_only_while_it_is_looked_through(approver: Actor, handler: Actor) -> None:
    request = copies.checking(approver)
    made = copies.redacted(request, handler, "users", "phone")
    for actor in (drive.person_of_the_desk("auditor"), drive.person_of_the_desk("admin")):  # type: ignore[arg-type]
        with pytest.raises(Forbidden):
            copies.redacted(request, actor, "users", "full_name")
        with pytest.raises(Forbidden):
            access.unredact(request.pk, made.pk, actor=actor)
    with pytest.raises(Invalid):
        copies.redacted(request, handler, "users", "phone")
    drive.carry_out()
    copies.hand_over(request, approver)
    with pytest.raises(Conflict):
        access.redact(request.pk, "platform", "users", "1", ["phone"], "THIRD_PARTY", REASON, actor=handler)
    with pytest.raises(Conflict):
        access.unredact(request.pk, made.pk, actor=handler)


def test_a_copy_is_handed_over_only_once_somebody_has_looked_at_what_was_copied(
    approver: Actor, handler: Actor
) -> None:
    request = copies.checking(approver)
    with pytest.raises(Invalid, match="looked through"):
        control.hand_over(request.pk, actor=approver)
    with pytest.raises(Conflict):
        access.redact(request.pk, "platform", "users", "1", ["phone"], "THIRD_PARTY", REASON, actor=handler)
    access.open_to(request.pk, actor=handler)
    control.send_back(request.pk, "The newest invoice is missing.", actor=handler)
    with pytest.raises(Conflict):
        access.open_to(request.pk, actor=handler)
    drive.carry_out()
    assert not access.is_open_to(drive.fresh(request.pk), handler), "what was copied since, nobody has seen"
    with pytest.raises(Invalid, match="looked through"):
        control.hand_over(request.pk, actor=approver)
    assert copies.hand_over(request, approver).state == State.COMPLETED


def test_a_row_of_the_page_is_found_where_it_stands(
    approver: Actor, handler: Actor, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.CHUNK_ROWS = 1
    request = copies.checking(approver)
    last = next(one for one in access.categories(request) if one["table"] == "prompts")["rows"] - 1
    assert last > 0
    row = access.rows(request, "platform", "prompts", last, 1)[0]
    access.open_to(request.pk, actor=handler)
    read, texts = [], spool._texts

    def counted(held: PrivacyRequest, pk: int, source: str) -> list[bytes]:
        read.append(pk)
        return texts(held, pk, source)

    monkeypatch.setattr(spool, "_texts", counted)
    made = access.redact(
        request.pk, "platform", "prompts", row["key"], ["prompt", "output"], "THIRD_PARTY", REASON, start=last,
        actor=handler,
    )  # fmt: skip
    assert (len(made), len(read)) == (2, 1)


def test_a_copy_that_is_sent_back_is_made_anew_and_keeps_what_was_redacted(approver: Actor, handler: Actor) -> None:
    request = copies.checking(approver)
    copies.redacted(request, handler, "users", "phone")
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


def taken_out(request: PrivacyRequest, actor: Actor, tables: list[dict[str, Any]]) -> None:
    """Every row of these tables is left out."""
    access.open_to(request.pk, actor=actor)
    for one in tables:
        for row in access.rows(request, one["source"], one["table"], 0, 1000):
            # A row whose every value is gone is gone as well.
            columns = list(row["values"]) if one["table"] == "searches" else [access.WHOLE_ROW]
            access.redact(
                request.pk, one["source"], one["table"], row["key"], columns, "THIRD_PARTY", REASON, actor=actor
            )
    drive.carry_out()


def test_law_15_a_copy_of_which_nothing_is_left_is_denied_and_never_by_one(
    approver: Actor, second_approver: Actor
) -> None:
    """GDPR Art 12(4), 15(4): in letter, measures and record it is a refusal with its reasons, and nothing is offered."""
    request = copies.checking(approver)
    first, *rest = access.categories(request)
    taken_out(request, second_approver, [first])
    assert not access.nothing_left(drive.fresh(request.pk))
    taken_out(request, approver, rest)
    with pytest.raises(Invalid, match="the last to leave"):
        control.hand_over(request.pk, actor=approver)
    with pytest.raises(Forbidden):
        move(request.pk, "hand_over", actor=approver, outcome=Outcome.GRANTED_IN_PART)
    done = control.hand_over(request.pk, actor=second_approver)
    assert (done.state, done.outcome) == (State.COMPLETED, Outcome.DENIED)
    assert not done.packages.exclude(status=PackageStatus.GONE).exists()
    notices = Message.objects.filter(request=done).values_list("notice", flat=True)
    assert Notice.REFUSED in notices
    assert Notice.DONE_COPY not in notices
    said = compose.letter(Message.objects.get(request=done, notice=Notice.REFUSED))["text"]
    for words in (REASON, "GDPR Art 15(4), Art 20(4)", "Nothing is left of it"):
        assert words in said
    lines = set(done.category_outcomes.values_list("outcome", "code"))
    assert lines == {(Outcome.DENIED, "THIRD_PARTY")}
    assert RequestRecord.objects.get(request_id=done.pk).basis == "THIRD_PARTY GDPR Art 15(4), Art 20(4)"
    assert audit.verify() == []


def test_who_left_something_out_alone_does_not_hand_it_over_alone(
    approver: Actor, second_approver: Actor, handler: Actor
) -> None:
    request = copies.checking(approver)
    copies.redacted(request, handler, "prompts", "prompt")
    drive.carry_out()
    assert look_at_copy(drive.fresh(request.pk), approver).counts, "a handler leaves out, an approver hands over"
    copies.redacted(request, approver, "searches", "")
    drive.carry_out()
    assert not look_at_copy(drive.fresh(request.pk), approver).counts
    assert control.hand_over(request.pk, actor=second_approver).outcome == Outcome.GRANTED_IN_PART
