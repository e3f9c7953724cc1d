"""Deciding a correction: what is accepted is what the approver read, whoever writes at the same time (GDPR Art 16)."""

from threading import Thread
from typing import Any

import pytest
from django.db import connection

from dsar.connectors.sql import SqlConnector
from dsar.datamap import loader
from dsar.enums import CorrectionStatus, State
from dsar.models import REQUESTER, Actor, Correction, PrivacyRequest
from dsar.review import corrections, decide
from dsar.workflow import Conflict, Invalid
from tests import drive
from tests.desk import scenes

pytestmark = pytest.mark.usefixtures("company")
OTHER = "Mallory Ashgrove"


def judge(request: PrivacyRequest, seen: str, actor: Actor, accept: bool = True) -> Correction:
    known = request.corrections.get(field="name")
    code, text = ("", "") if accept else ("ACCURATE_AS_HELD", "It is right.")
    return corrections.decide(request.pk, known.pk, accept, code, text, seen=seen, actor=actor)


def seen_now(request: PrivacyRequest) -> str:
    return corrections.version_of(request.corrections.get(field="name"))


@pytest.mark.parametrize("accept", [True, False])
def test_a_wish_that_came_while_the_sources_were_asked_is_neither_decided_nor_lost(
    approver: Actor, monkeypatch: pytest.MonkeyPatch, accept: bool
) -> None:
    request = scenes.correction()
    ask = SqlConnector.current

    def slow(self: SqlConnector, *given: Any) -> Any:
        corrections.propose(request.pk, "name", OTHER, actor=REQUESTER)
        return ask(self, *given)

    monkeypatch.setattr(SqlConnector, "current", slow)
    with pytest.raises(Invalid, match="changed meanwhile"):
        judge(request, seen_now(request), approver, accept)
    known = scenes.fresh(request).corrections.get(field="name")
    assert (known.new, known.status, known.old_sealed) == (OTHER, CorrectionStatus.PROPOSED, None)


def test_a_field_is_decided_once(approver: Actor, second_approver: Actor) -> None:
    request = scenes.correction()
    seen = seen_now(request)
    judge(request, seen, approver)
    with pytest.raises(Conflict):
        judge(request, seen, second_approver, accept=False)
    assert request.corrections.get().status == CorrectionStatus.ACCEPTED


def test_a_field_that_the_map_no_longer_names_can_only_be_refused(
    approver: Actor, monkeypatch: pytest.MonkeyPatch
) -> None:
    request = scenes.correction()
    monkeypatch.delitem(loader.current().fields, "name")
    with pytest.raises(Invalid, match="data map"):
        judge(request, seen_now(request), approver)
    assert judge(request, seen_now(request), approver, accept=False).status == CorrectionStatus.REFUSED


def test_law_15_a_field_named_while_the_request_is_approved_is_carried_out_or_comes_too_late(
    approver: Actor, monkeypatch: pytest.MonkeyPatch
) -> None:
    request = scenes.correction()
    judge(request, seen_now(request), approver)
    check, refused = corrections.check_ready, []

    def propose() -> None:
        try:
            corrections.propose(request.pk, "phone", "+49 30 901820", actor=REQUESTER)
        except Conflict:
            refused.append("too late")
        finally:
            connection.close()

    person = Thread(target=propose)

    def checked(held: PrivacyRequest) -> None:
        check(held)
        person.start()
        person.join(0.3)

    monkeypatch.setattr(corrections, "check_ready", checked)
    decide.approve(request.pk, actor=approver)
    person.join()
    assert drive.fresh(request.pk).state == State.FULFILLING
    assert refused == ["too late"]
    assert not corrections.undecided(request)
