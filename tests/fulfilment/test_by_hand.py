"""What people do where no machine reaches: their copies go into the package, and what they cannot do is told."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.db.models import F

from accounts.models import Role
from dsar import audit, records
from dsar.connectors.base import SourceUnavailable
from dsar.connectors.sql import SqlConnector
from dsar.desk import bundle_facts
from dsar.enums import Outcome, OwnerTaskStatus, ProposalStatus, Right, State, StepKind
from dsar.fulfilment import access, by_hand, control, locating, owners
from dsar.models import Actor, Message, OwnerTask, PrivacyRequest
from dsar.notices import Notice
from dsar.notifications import compose, letters
from dsar.review import decide, refusals
from dsar.workflow import Conflict, Forbidden, Invalid
from tests import drive
from tests.fulfilment import copies
from tests.house import CAST
from tests.owners import with_paper


@pytest.fixture(autouse=True)
def paper(settings: Any, tmp_path: Path) -> None:
    settings.DATA_MAP = with_paper(tmp_path)


def test_law_09_what_a_person_copied_goes_into_the_package_and_is_looked_through(
    company: None, approver: Actor, handler: Actor
) -> None:
    request = copies.approved(approver)
    drive.carry_out()
    task = OwnerTask.objects.get(step__request=request, step__kind=StepKind.EXPORT)
    with pytest.raises(Invalid):
        owners.answer(task.pk, OwnerTaskStatus.DONE)
    owners.answer(task.pk, OwnerTaskStatus.DONE, file=b"from box 7", file_name="../../box 7.PDF")
    drive.carry_out()
    name = "by_hand/paper--1.pdf"
    copy = copies.of(drive.fresh(request.pk))
    assert copy.files[name] == b"from box 7"
    assert copy.manifest["copied_by_hand"] == [{"source": "paper", "label": "Paper files", "files": [name]}]
    assert f'href="{name}"' in copy.page
    access.open_to(request.pk, actor=handler)
    (row,) = access.rows(drive.fresh(request.pk), "paper", by_hand.FILES, 0, 10)
    assert row["task"] == task.pk
    given = ("THIRD_PARTY", "It names a neighbour.")
    with pytest.raises(Invalid):
        access.redact(request.pk, "paper", by_hand.FILES, row["key"], ["file"], *given, actor=handler)
    access.redact(request.pk, "paper", by_hand.FILES, row["key"], [access.WHOLE_ROW], *given, actor=handler)
    drive.carry_out()
    request = drive.fresh(request.pk)
    assert name not in copies.of(request).files
    assert [(one["label"], one["text"]) for one in letters.left_out(request)] == [("Paper files", given[1])]
    control.send_back(request.pk, "Another box.", actor=handler)
    drive.carry_out()
    assert OwnerTask.objects.open().filter(step__request=request).exists()
    assert by_hand.files(drive.fresh(request.pk)) == []


def test_the_desk_hands_in_a_copy_made_by_hand_or_says_that_there_was_nothing(
    company: None, approver: Actor, handler: Actor
) -> None:
    for address, given, files in (
        (CAST.plain, {"file": b"all of it", "file_name": "all"}, {"by_hand/paper--1": b"all of it"}),
        (CAST.org_owner, {"found": False}, {}),
    ):
        request = copies.approved(approver, address)
        drive.carry_out()
        step = request.steps.get(source="paper", kind=StepKind.EXPORT)
        with pytest.raises(Invalid):
            control.done_by_hand(request.pk, step.pk, actor=handler)
        control.done_by_hand(request.pk, step.pk, actor=handler, **given)
        drive.carry_out()
        copy = copies.of(drive.fresh(request.pk))
        assert {name: content for name, content in copy.files.items() if name.startswith("by_hand")} == files
        assert bool(copy.manifest["nothing_found_by_hand"]) == (not files)


def test_law_09_what_an_owner_cannot_do_is_told_as_not_done(company: None, approver: Actor, handler: Actor) -> None:
    request = drive.by_web(CAST.plain, Right.RESTRICTION)
    locating.drain()
    drive.proven_by_link(request.case)
    locating.drain()
    decide.approve(request.pk, actor=approver, ground="contested")
    drive.carry_out()
    task = OwnerTask.objects.get(step__request=request, step__kind=StepKind.RESTRICT)
    owners.answer(task.pk, OwnerTaskStatus.EXCEPTION, note="The box is lent out.")
    said = "The box is with a court."
    for actor, code, text, error in (
        (drive.person_of_the_desk("auditor"), "SYSTEM_CANNOT", said, Forbidden),  # type: ignore[arg-type]
        (handler, "SYSTEM_CANNOT", " ", Invalid),
        (handler, "THIRD_PARTY", said, Invalid),
        (handler, "DISPROPORTIONATE_EFFORT", said, Invalid),
    ):
        with pytest.raises(error):
            control.propose_not_done(request.pk, task.step_id, code, text, actor=actor)
    made = control.propose_not_done(request.pk, task.step_id, "NOT_IDENTIFIABLE", said, actor=approver)
    assert drive.fresh(request.pk).state == State.FULFILLING
    with pytest.raises(Conflict):
        control.propose_not_done(request.pk, task.step_id, "SYSTEM_CANNOT", said, actor=handler)
    for actor in (approver, handler):
        with pytest.raises(Forbidden):
            control.confirm_not_done(request.pk, actor=actor, seen=made.pk)
    other = drive.person_of_the_desk(Role.APPROVER, "other")
    with pytest.raises(Conflict):
        control.confirm_not_done(request.pk, actor=other, seen=made.pk + 1)
    ended = control.confirm_not_done(request.pk, actor=other, seen=made.pk)
    assert (ended.state, ended.outcome) == (State.COMPLETED, Outcome.GRANTED_IN_PART)
    text = compose.letter(Message.objects.get(notice=Notice.DONE_RESTRICTED))["text"]
    assert "could not be restricted" in text
    assert "Paper files" in text
    assert said in text
    assert "Cannot be told to be yours" in text
    assert "GDPR Art 11(2), 12(2)" in text
    assert "NOT_IDENTIFIABLE GDPR Art 11(2), 12(2)" in records.record_of(ended).basis
    (decision,) = bundle_facts.decisions(ended)[-1:]
    wanted = ("NOT_IDENTIFIABLE", "GDPR Art 11(2), 12(2)", "paper")
    assert (decision["code"], decision["citation"], decision["source"]) == wanted
    assert decision["second_by"]
    assert audit.verify() == []


def test_what_is_done_after_all_is_not_left_undone(company: None, approver: Actor, handler: Actor) -> None:
    request = asked_to_know(approver)
    task = OwnerTask.objects.get(step__request=request)
    owners.answer(task.pk, OwnerTaskStatus.EXCEPTION, note="Flooded.")
    step = task.step_id
    sent_back = control.propose_not_done(request.pk, step, "SYSTEM_CANNOT", "It is flooded.", actor=handler)
    refusals.send_back(request.pk, "Ask again.", actor=approver, seen=sent_back.pk)
    made = control.propose_not_done(request.pk, step, "SYSTEM_CANNOT", "The cellar is flooded.", actor=handler)
    control.done_by_hand(request.pk, step, actor=approver)
    made.refresh_from_db()
    assert (made.status, drive.fresh(request.pk).outcome) == (ProposalStatus.WITHDRAWN, Outcome.GRANTED)
    with pytest.raises(Conflict):
        control.confirm_not_done(request.pk, actor=approver, seen=made.pk)


def asked_to_know(approver: Actor) -> PrivacyRequest:
    """A request to know that was approved and laid out."""
    request = drive.by_web(CAST.plain, Right.KNOW)
    locating.drain()
    drive.proven_by_link(request.case)
    locating.drain()
    decide.approve(request.pk, actor=approver)
    drive.carry_out()
    return drive.fresh(request.pk)


@pytest.mark.parametrize("status", [OwnerTaskStatus.DONE, OwnerTaskStatus.NOTHING_FOUND])
def test_who_asks_what_is_held_is_told_of_paper_too(company: None, approver: Actor, status: OwnerTaskStatus) -> None:
    request = asked_to_know(approver)
    assert request.state == State.FULFILLING
    task = OwnerTask.objects.get(step__request=request)
    assert task.step.kind == StepKind.LOOK
    owners.answer(task.pk, status, note="One letter.")
    assert drive.fresh(request.pk).outcome == Outcome.GRANTED
    text = compose.letter(Message.objects.get(notice=Notice.DONE_KNOW))["text"]
    assert ("Paper files" in text) == (status == OwnerTaskStatus.DONE)
    assert "could not be searched" not in text


def test_where_nobody_can_look_it_is_said_and_why(company: None, approver: Actor) -> None:
    request = asked_to_know(approver)
    task = OwnerTask.objects.get(step__request=request)
    owners.answer(task.pk, OwnerTaskStatus.EXCEPTION, note="Flooded.")
    ended = drive.not_done(request.pk, task.step_id, "The cellar is flooded.", actor=approver)
    assert ended.outcome == Outcome.GRANTED_IN_PART
    text = compose.letter(Message.objects.get(notice=Notice.DONE_KNOW))["text"]
    assert "Paper files" in text
    assert "The cellar is flooded." in text


def test_a_source_that_was_down_at_the_search_is_asked_again(
    company: None, approver: Actor, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as down:

        def refuse(*_args: object) -> object:
            raise SourceUnavailable("unreachable")

        down.setattr(SqlConnector, "locate", refuse)
        request = drive.by_web(CAST.plain, Right.KNOW)
        for _round in range(settings.MAX_RETRIES + 1):
            PrivacyRequest.objects.update(entered_at=F("entered_at") - timedelta(hours=1))
            locating.drain()
        drive.proven_by_link(request.case)
        locating.drain()
    request = drive.fresh(request.pk)
    decide.approve(request.pk, actor=approver)
    drive.carry_out()
    owners.answer(OwnerTask.objects.get(step__request=request).pk, OwnerTaskStatus.NOTHING_FOUND)
    text = compose.letter(Message.objects.get(notice=Notice.DONE_KNOW))["text"]
    assert "could not be searched" not in text
    assert "Prompts and outputs" in text
    assert "10 years from the end of the financial year" in text


def test_that_nothing_is_held_is_said_of_what_was_searched(company: None) -> None:
    request = drive.by_web("nobody.at.all@example.com", Right.KNOW)
    locating.drain()
    drive.proven_by_link(request.case)
    locating.drain()
    assert drive.fresh(request.pk).outcome == Outcome.NOTHING_HELD
    text = compose.letter(Message.objects.get(notice=Notice.NOTHING_HELD))["text"]
    assert "were not searched: Paper files." in text
