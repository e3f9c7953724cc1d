"""The log of requests (11 CCR 7101): one record for each end, with what the law asks for and nothing that finds a person."""

from datetime import date, timedelta
from typing import Any

import pytest
from django.db import transaction
from django.utils import timezone

from dsar import audit, records
from dsar.enums import Channel, CorrectionStatus, DecisionKind, Outcome, Right
from dsar.law import codes
from dsar.models import (
    REQUESTER,
    SYSTEM,
    Case,
    CaseKey,
    Correction,
    PastMeasure,
    PrivacyRequest,
    RequestRecord,
)  # fmt: skip
from dsar.models.own_data import OWN_DATA, Kind
from dsar.notifications import outbox
from dsar.review import decide, purge
from dsar.workflow import Because, move
from dsar.workflow import decide as write_down
from tests import drive
from tests.drive import Route
from tests.house import ROOT
from tests.situations import ENDS
from tests.test_audit import unguarded

pytestmark = pytest.mark.usefixtures("own_journal")


def record_of(request: PrivacyRequest) -> RequestRecord:
    return RequestRecord.objects.get(request_id=request.pk)


def received(request: PrivacyRequest, ago: int, due_in: int = 30) -> None:
    """Received some days ago, and due so many days after it."""
    at = drive.days_ago(ago)
    PrivacyRequest.objects.filter(pk=request.pk).update(received_at=at, due_on=at.date() + timedelta(days=due_in))


def a_record(**changed: Any) -> RequestRecord:
    """A record of a request that nobody remembers, as it may lie in the log."""
    given = {
        "request_id": 10**9 + RequestRecord.objects.count(), "regime": "eu_gdpr", "right": Right.ACCESS, "channel": Channel.WEB,
        "received_on": date(2020, 1, 31), "answered_on": date(2020, 2, 28), "outcome": Outcome.GRANTED, "days": 28,
        "keep_until": date(2023, 2, 28),
    }  # fmt: skip
    return RequestRecord.objects.create(**given | changed)


def test_a_record_holds_what_7101_names_and_nothing_that_finds_a_person() -> None:
    own = OWN_DATA["dsar.RequestRecord"]
    assert not set(own.values()) & {Kind.PERSONAL, Kind.SEALED, Kind.INDEX, Kind.CREDENTIAL}
    assert {name for name, kind in own.items() if kind == Kind.PSEUDONYM} == {"id", "request_id"}
    assert not [field for field in RequestRecord._meta.concrete_fields if field.is_relation]
    assert set(OWN_DATA["dsar.PastMeasure"].values()) == {Kind.NONE}


def test_nothing_else_uses_the_records() -> None:
    """11 CCR 7101(e): no other use. Whoever reads them stands here, with the reason."""
    users = {
        path.relative_to(ROOT / "dsar").as_posix()
        for path in (ROOT / "dsar").rglob("*.py")
        if "RequestRecord" in path.read_text() and "migrations" not in path.parts
    }
    assert users <= {
        "models/__init__.py", "models/request_record.py", "models/own_data.py", "models/keeping.py",
        "records.py",  # writes and ends them
        "measures.py",  # the measures of 11 CCR 7102
        "desk/bundle_facts.py",  # an authority that asks
    }  # fmt: skip


def test_a_refusal_is_recorded_with_its_code_and_article(route: Route) -> None:
    request = route.review(Right.ACCESS)
    received(request, ago=10)
    drive.refuse(request.pk, "OUT_OF_SCOPE", "A secret about somebody.", actor=route.approver)
    outbox.drain()
    found = record_of(request)
    article = codes.named("OUT_OF_SCOPE", "eu_gdpr").citation
    assert (found.right, found.outcome, found.basis) == (Right.ACCESS, Outcome.DENIED, f"OUT_OF_SCOPE {article}")
    assert (found.days, found.late, found.extended, found.channel) == (10, False, False, Channel.WEB)
    case = Case.objects.get(pk=request.case_id)
    assert (found.regime, found.regime_version) == (case.regime, case.regime_version)
    assert "secret" not in str(found.__dict__)


def test_late_and_extended(route: Route) -> None:
    request = route.extended()
    received(request, ago=40, due_in=39)
    move(request.pk, "withdraw", actor=REQUESTER)
    found = record_of(request)
    assert (found.days, found.late, found.extended, found.basis) == (40, True, True, "")
    on_the_day = route.review()
    received(on_the_day, ago=40, due_in=40)
    move(on_the_day.pk, "withdraw", actor=REQUESTER)
    assert record_of(on_the_day).late is False


def test_every_end_writes_one_record_and_nothing_else_does(route: Route) -> None:
    for name, end in ENDS.items():
        request = end.build(route)
        assert record_of(request).outcome == request.outcome, name
    for one in (route.triage(), route.review_unproven(), route.disputed(route.releasing()), route.checking()):
        assert not RequestRecord.objects.filter(request_id=one.pk).exists(), one.state
    ended = PrivacyRequest.objects.filter(ended_at__isnull=False)
    assert set(RequestRecord.objects.values_list("request_id", flat=True)) == set(ended.values_list("pk", flat=True))


def test_the_grounds_of_a_denial_in_part(route: Route) -> None:
    """A deletion that left something: the plan's reason, the workers' reason, what a person kept; nothing of it twice."""
    request = route.confirming()
    item = {"action": "keep", "source": "a", "category": "c", "code": "TAX_ACCOUNTING"}
    drive.freeze(request, {**drive.PLAN_BODY, "items": [item, {**item, "action": "refer", "code": ""}]})
    request = move(request.pk, "confirm", actor=REQUESTER, quiet=timedelta(0))
    move(request.pk, "release", actor=route.approver)
    tally = {"kept": 2, "removed": 1, "code": "SECURITY_LOGS", "category": "c", "table": "t"}
    request.steps.create(source="a", kind="erase", tallies=[tally, {**tally, "kept": 0, "code": "AML_KYC"}])
    because = Because(DecisionKind.NOT_DONE, "SYSTEM_CANNOT", "GDPR Art 12(4)", "It is down.", source="the-source")
    with transaction.atomic():
        write_down(drive.fresh(request.pk), route.approver, because)
    move(request.pk, "settle", actor=SYSTEM, outcome=Outcome.GRANTED_IN_PART)
    cited = {
        code: codes.named(code, "eu_gdpr").citation
        for code in ("NOT_OUR_CONTROLLER", "SECURITY_LOGS", "TAX_ACCOUNTING")
    }
    assert record_of(request).basis.split("\n") == [
        "NOT_OUR_CONTROLLER " + cited["NOT_OUR_CONTROLLER"],
        "SECURITY_LOGS " + cited["SECURITY_LOGS"],
        "SYSTEM_CANNOT GDPR Art 12(4)",
        "TAX_ACCOUNTING " + cited["TAX_ACCOUNTING"],
    ]


def test_what_was_asked_is_recorded_where_a_lesser_right_was_answered(route: Route) -> None:
    request = route.review_below_its_tier()
    decide.fall_back(request.pk, actor=route.handler)
    move(request.pk, "located", actor=SYSTEM, nothing_held=False, judgement=["staff"])
    move(request.pk, "approve", actor=route.approver)
    move(request.pk, "settle", actor=SYSTEM, outcome=Outcome.GRANTED_IN_PART)
    found = record_of(request)
    assert (found.right, found.basis) == (Right.ACCESS, "FALL_BACK 11 CCR 7060-7062")


def test_a_correction_refused_in_one_field(route: Route) -> None:
    request = route.carrying_out(Right.CORRECTION)
    Correction.objects.create(
        request=request, field="name", status=CorrectionStatus.REFUSED, code="ACCURATE_AS_HELD", citation="GDPR Art 16",
        decided_at=timezone.now(),
    )  # fmt: skip
    move(request.pk, "settle", actor=SYSTEM, outcome=Outcome.GRANTED_IN_PART)
    article = codes.named("ACCURATE_AS_HELD", "eu_gdpr").citation
    assert record_of(request).basis == f"ACCURATE_AS_HELD {article}"


def test_the_period_of_the_law_runs_from_the_answer(route: Route) -> None:
    for country, months in (("DE", 36), ("US-CA", 24)):
        request = drive.a_request(right=Right.ACCESS, country=country)
        received(request, ago=400)
        move(request.pk, "withdraw", actor=REQUESTER)
        found = record_of(request)
        whole = (found.keep_until.year - found.answered_on.year) * 12 + found.keep_until.month - found.answered_on.month
        assert abs((found.keep_until - found.answered_on).days - months * 30.44) < 3, (country, whole)
        assert found.keep_until >= found.answered_on.replace(
            year=found.answered_on.year + months // 12, day=min(28, found.answered_on.day)
        )


def test_law_11_the_record_outlives_the_purge_and_the_chain_still_verifies(route: Route) -> None:
    request = route.review(Right.ACCESS)
    drive.refuse(request.pk, "OUT_OF_SCOPE", "Of somebody else.", actor=route.approver)
    before = RequestRecord.objects.filter(request_id=request.pk).values().get()
    assert purge.purge(request.case_id)
    assert RequestRecord.objects.filter(request_id=request.pk).values().get() == before
    case = Case.objects.get(pk=request.case_id)
    assert (case.country, case.region) == ("", "")
    assert not CaseKey.objects.filter(pk=case.uid).exists()
    assert audit.verify() == []


def test_the_purge_records_what_nobody_recorded_and_not_what_is_over(route: Route) -> None:
    """As for requests that ended before there was a log. What its period has taken does not come back."""
    request, old = route.lapsed(), route.lapsed()
    with transaction.atomic():
        with unguarded():
            RequestRecord.objects.all().delete()
            long_ago = timezone.now() - timedelta(days=1200)
            PrivacyRequest.objects.filter(pk=old.pk).update(received_at=long_ago, ended_at=long_ago)
        purge.purge(request.case_id)
        purge.purge(old.case_id)
        assert list(RequestRecord.objects.values_list("request_id", "outcome")) == [(request.pk, Outcome.NOT_PROVEN)]
        assert record_of(request).basis.startswith("IDENTITY_NOT_PROVEN GDPR")


def test_records_whose_period_is_over_become_counts(db: None) -> None:
    for day, channel in ((1, Channel.WEB), (31, Channel.POST)):
        a_record(received_on=date(2020, 1, day), channel=channel)
    a_record(outcome=Outcome.DENIED, basis="EXEMPT GDPR Art 17(3)", late=True)
    a_record(keep_until=timezone.now().date() + timedelta(days=1))
    assert records.expired() == 3
    assert records.forget_expired() == 3
    assert records.forget_expired() == 0
    assert sorted(PastMeasure.objects.values_list("month", "outcome", "basis", "late", "number")) == [
        (date(2020, 1, 1), "denied", "EXEMPT GDPR Art 17(3)", True, 1),
        (date(2020, 1, 1), "granted", "", False, 2),
    ]
