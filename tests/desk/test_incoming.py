"""Mail that did not become a case: kept, shown as plain text, adopted, put aside or read again."""

import pytest
from django.urls import reverse

from accounts.models import Role
from dsar.demo.cast import CAST
from dsar.desk import paging
from dsar.enums import IntakeStatus, State
from dsar.intake import email
from dsar.models import AuditEvent, Intake
from tests.desk import scenes

RAW = b"\x00\x01<script>alert(1)</script> this is no mail, write to somebody@example.com"


def unreadable(raw: bytes = RAW) -> Intake:
    intake, _ = email.receive(raw)
    email.process(intake)
    intake.refresh_from_db()
    assert intake.status == IntakeStatus.QUARANTINED
    return intake


def act(intake: Intake, role: str = Role.HANDLER, **data: str):
    return scenes.browser(role).post(reverse("desk_incoming_act", args=[intake.pk]), data)


def test_it_is_listed_with_its_reason_and_shown_as_text_that_cannot_run(desk):
    intake = unreadable()
    client = scenes.browser(Role.HANDLER)
    assert "this is no mail" in client.get("/desk/incoming/").content.decode().lower()
    shown = client.get(reverse("desk_incoming_item", args=[intake.pk])).content.decode()
    assert "&lt;script&gt;alert(1)" in shown
    assert "<script>alert" not in shown
    assert "Unread mail" in client.get("/desk/").content.decode()


def test_raw_text_is_for_those_who_decide_on_it_and_never_a_way_around_the_mask(company):
    intake = unreadable()
    shown = scenes.browser(Role.AUDITOR).get(reverse("desk_incoming_item", args=[intake.pk])).content.decode()
    assert "somebody@example.com" not in shown
    assert "Make it a case" not in shown
    opened = scenes.ask(CAST.plain).case.intakes.get()
    for role in (Role.HANDLER, Role.AUDITOR):
        assert (
            CAST.plain not in scenes.browser(role).get(reverse("desk_incoming_item", args=[opened.pk])).content.decode()
        )


def test_it_becomes_a_case_under_the_address_that_a_person_read(desk):
    intake = unreadable()
    response = act(intake, do="adopt", email=" somebody@example.com ")
    intake.refresh_from_db()
    assert intake.status == IntakeStatus.OPENED
    request = intake.case.requests.get()
    assert response["Location"] == reverse("desk_request", args=[request.pk])
    assert (request.state, intake.case.email, intake.case.is_proven) == (State.TRIAGE, "somebody@example.com", False)
    assert "this is no mail" in request.statement
    assert act(intake, do="adopt", email="other@example.com").status_code == 409
    assert AuditEvent.objects.filter(chain="house", what="intake_adopted").count() == 1


@pytest.mark.parametrize("address", ["", "nobody", "noreply@example.com", "a@b@c", "x" * 250 + "@example.com"])
def test_a_wrong_address_comes_back_with_its_error(desk, address):
    intake = unreadable()
    response = act(intake, do="adopt", email=address)
    assert response.status_code == 422
    assert address[:200] in response.content.decode()
    intake.refresh_from_db()
    assert intake.status == IntakeStatus.QUARANTINED


def test_it_is_put_aside_once(desk):
    intake = unreadable()
    assert act(intake, do="dismiss").status_code == 302
    intake.refresh_from_db()
    assert (intake.status, intake.handled_by) == (IntakeStatus.DISMISSED, scenes.person(Role.HANDLER))
    assert act(intake, do="dismiss").status_code == 409
    assert "Item" in scenes.browser(Role.HANDLER).get("/desk/incoming/?view=aside").content.decode()


def test_it_is_read_again(desk):
    intake = unreadable()
    assert act(intake, do="again").status_code == 302
    intake.refresh_from_db()
    assert (intake.status, intake.reason, intake.attempts) == (IntakeStatus.STORED, "", 0)


def test_other_roles_change_nothing(desk):
    intake = unreadable()
    for role in (Role.AUDITOR, Role.ADMIN, Role.NONE):
        assert act(intake, role, do="dismiss").status_code == 403
    assert act(intake, do="burn").status_code == 404
    assert scenes.browser(Role.HANDLER).get(reverse("desk_incoming_act", args=[intake.pk])).status_code == 405
    assert scenes.browser(Role.HANDLER).get("/desk/incoming/99999999999999999999/").status_code == 404
    intake.refresh_from_db()
    assert intake.status == IntakeStatus.QUARANTINED


def test_many_are_paged(desk, monkeypatch):
    for number in range(5):
        unreadable(RAW + str(number).encode())
    monkeypatch.setattr(paging.page, "__kwdefaults__", {"descending": False, "size": 2})
    first = scenes.browser(Role.HANDLER).get("/desk/incoming/").content.decode()
    assert 'rel="next"' in first
