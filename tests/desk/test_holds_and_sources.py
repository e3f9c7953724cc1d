"""Holds, sources, the kill switch and the house's audit trail."""

from datetime import timedelta

import pytest
from django.db import connection
from django.urls import reverse
from django.utils import timezone

from accounts.models import Role
from dsar import audit, guards
from dsar.demo.cast import CAST
from dsar.enums import HoldStatus, StepReason
from dsar.fulfilment import runner
from dsar.models import AuditEvent, House, LegalHold, Source
from tests.desk import scenes


def in_future(days: int = 90) -> str:
    return (timezone.localdate() + timedelta(days=days)).isoformat()


def place(role: str = Role.APPROVER, **data: object):
    given = {"email": CAST.plain, "code": "EU_LEGAL_CLAIMS", "review_on": in_future(), "weighed": "So.", **data}
    return scenes.browser(role).post(reverse("desk_hold_place"), given)


def test_a_hold_is_placed_seen_and_lifted(company):
    request = scenes.prove(scenes.ask(CAST.plain))
    assert place(sources=["platform"]).status_code == 302
    hold = LegalHold.objects.get()
    assert (hold.status, hold.sources) == (HoldStatus.ACTIVE, ["platform"])
    shown = scenes.browser(Role.AUDITOR).get("/desk/holds/").content.decode()
    assert "GDPR Art 17(3)(e)" in shown
    assert request.case.reference in shown
    assert CAST.plain not in shown
    assert "Lift" not in shown
    lift = reverse("desk_hold_lift", args=[hold.pk])
    scenes.browser(Role.APPROVER).post(lift)
    hold.refresh_from_db()
    assert hold.status == HoldStatus.ACTIVE
    assert scenes.browser(Role.HANDLER).post(lift, {"sure": "on"}).status_code == 403
    assert scenes.browser(Role.APPROVER).post(lift, {"sure": "on"}).status_code == 302
    hold.refresh_from_db()
    assert hold.status == HoldStatus.LIFTED


@pytest.mark.parametrize(
    "wrong",
    [
        {"email": "nobody"}, {"email": ""}, {"code": "LEGAL_HOLD"}, {"code": "BUSINESS_NECESSITY"}, {"code": ""},
        {"review_on": "2020-01-01"}, {"review_on": "soon"}, {"weighed": ""}, {"sources": ["elsewhere"]},
    ],
)  # fmt: skip
def test_a_hold_without_a_basis_comes_back_with_what_was_typed(company, wrong):
    response = place(**wrong)
    assert response.status_code == 422
    assert not LegalHold.objects.exists()
    if "email" not in wrong:
        assert CAST.plain in response.content.decode()


def test_only_approvers_place_holds(company):
    for role in (Role.HANDLER, Role.AUDITOR, Role.ADMIN, Role.NONE):
        assert place(role).status_code == 403
    assert not LegalHold.objects.exists()


def test_the_kill_switch_needs_a_tick_says_who_and_stops_the_work(company, settings):
    settings.RETRY_AFTER = timedelta(hours=1)
    client = scenes.browser(Role.ADMIN)
    switch = reverse("desk_kill_switch")
    client.post(switch, {"on": "1"})
    assert not House.objects.get().kill_switch
    client.post(switch, {"on": "1", "sure": "on"})
    assert House.objects.get().kill_switch
    shown = client.get("/desk/sources/").content.decode()
    assert "nothing is erased" in shown
    assert "Admin 0" in shown
    request = scenes.fulfilling()
    runner.drain_fulfilling()
    assert scenes.fresh(request).attention == StepReason.KILL_SWITCH
    assert "The kill switch is on" in scenes.browser(Role.HANDLER).get("/desk/sources/").content.decode()
    client.post(switch, {"on": "0", "sure": "on"})
    assert not House.objects.get().kill_switch
    for role in (Role.HANDLER, Role.AUDITOR, Role.NONE):
        assert scenes.browser(role).post(switch, {"on": "1", "sure": "on"}).status_code == 403
    assert client.post(switch, {"on": "maybe", "sure": "on"}).status_code == 404


def test_a_source_is_switched_off_and_on(company):
    client = scenes.browser(Role.APPROVER)
    switch = reverse("desk_source_switch", args=["platform"])
    client.post(switch, {"on": "0"})
    assert not Source.objects.filter(key="platform", enabled=False).exists()
    client.post(switch, {"on": "0", "sure": "on"})
    assert Source.objects.filter(key="platform", enabled=False).exists()
    assert "Switched off" in client.get("/desk/sources/").content.decode()
    client.post(switch, {"on": "1", "sure": "on"})
    assert Source.objects.filter(key="platform", enabled=True).exists()
    assert client.post(reverse("desk_source_switch", args=["elsewhere"]), {"on": "0", "sure": "on"}).status_code == 404
    assert scenes.browser(Role.HANDLER).post(switch, {"on": "0", "sure": "on"}).status_code == 403


def test_the_trail_of_the_house_verifies_page_by_page(company):
    place()
    audit.checkpoint()
    client = scenes.browser(Role.AUDITOR)
    shown = client.get("/desk/audit/").content.decode()
    assert "Legal hold placed" in shown
    assert "Signature holds" in shown
    assert "are unchanged and follow each other" in shown


def test_a_changed_event_shows(company):
    place()
    with connection.cursor() as cursor:
        for guard in guards.guards():
            if guard.table == AuditEvent._meta.db_table and connection.vendor == "sqlite":
                cursor.execute(f"DROP TRIGGER IF EXISTS {guard.trigger}")
        if connection.vendor == "postgresql":
            cursor.execute("SET session_replication_role = replica")
        cursor.execute("UPDATE dsar_auditevent SET what = 'hold_lifted' WHERE chain = 'house'")
        if connection.vendor == "postgresql":
            cursor.execute("SET session_replication_role = DEFAULT")
    assert "does not verify" in scenes.browser(Role.AUDITOR).get("/desk/audit/").content.decode()
