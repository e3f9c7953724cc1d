"""Who reads a bundle: what a law forbids to tell goes to an authority alone, an auditor reads it without names and addresses; and
it leaves out nothing that proves how a request was handled."""

import hashlib
import io
import json
import threading
from datetime import timedelta
from typing import Any

import pytest
from django.db import close_old_connections, connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from accounts.models import Role
from dsar.desk import bundle, bundle_records
from dsar.enums import BundleReason, CorrectionStatus, DecisionKind, FeeStatus, Outcome, Right, StepKind, StepStatus
from dsar.fulfilment import silence
from dsar.models import (
    REQUESTER,
    SYSTEM,
    Actor,
    Case,
    CategoryOutcome,
    Correction,
    Decision,
    Fee,
    Kept,
    LawChange,
    Message,
    PrivacyRequest,
    Redaction,
    Step,
)
from dsar.notices import Notice
from dsar.notifications import outbox
from dsar.review import dates, decide, purge, refusals
from dsar.workflow import move
from tests import drive
from tests.desk import scenes
from tests.desk.test_bundle import asked_for, made, unpacked
from tests.drive import CAST, Route
from tests.notifications.test_letters import PLAN
from tests.portal.test_undisclosed import PLACE, day

pytestmark = pytest.mark.usefixtures("own_journal")

LAW = "Money Laundering Act s.47"
OTHERS = (BundleReason.COURT, BundleReason.COMPLAINT, BundleReason.AUDIT)


def carried_out(route: Route, *, silent: bool) -> PrivacyRequest:
    """A deletion that kept invoices, in silence or not at all."""
    request = route.review()
    keeps = PLAN if silent else {**PLAN, "items": PLAN["items"][:1]}
    drive.freeze(request, keeps)
    if silent:
        one = silence.propose(request.pk, PLACE, LAW, "A report was made.", day(60), actor=route.approver)
        second = drive.person_of_the_desk(Role.APPROVER, "second")
        silence.judge(request.pk, one.pk, True, actor=second)
        request.plans.filter(frozen_at__isnull=True).update(frozen_at=timezone.now())
    decide.approve(request.pk, actor=route.approver)
    move(request.pk, "confirm", actor=REQUESTER, quiet=timedelta(0))
    move(request.pk, "release", actor=drive.person_of_the_desk(Role.APPROVER, "third"))
    tallies: list[dict[str, Any]] = [{"category": "prompts", "table": "prompts", "removed": 3}]
    if silent:
        tallies.append({"category": "invoices", "table": "invoices", "kept": 2, "code": "TAX_ACCOUNTING"})
        Kept.objects.create(
            request=request, source="platform", category="invoices", code="TAX_ACCOUNTING", until=day(99),
            email_index=request.case.email_index,
        )  # fmt: skip
    Step.objects.create(
        request=request, source="platform", kind=StepKind.ERASE, status=StepStatus.DONE, tallies=tallies,
        finished_at=timezone.now(),
    )  # fmt: skip
    Step.objects.create(
        request=request, source="platform", kind=StepKind.LATER, status=StepStatus.DONE, finished_at=timezone.now(),
        tallies=[{"category": "invoices", "table": "invoices", "removed": 1}] if silent else [],
    )  # fmt: skip
    return move(
        request.pk, "settle", actor=SYSTEM, outcome=Outcome.GRANTED_IN_PART if silent else Outcome.GRANTED
    )  # fmt: skip


def test_a_bundle_of_what_is_purged_says_no_more_and_no_less_of_what_may_not_be_told(route: Route) -> None:
    """It was granted, for all who may not know; and the same deletion without a silence reads alike."""
    request, plain = carried_out(route, silent=True), carried_out(route, silent=False)
    assert purge.purge(request.case_id)
    assert purge.purge(plain.case_id)
    for reason in BundleReason:
        told = Outcome.GRANTED_IN_PART if reason == BundleReason.AUTHORITY else Outcome.GRANTED
        for one, outcome in ((request, told), (plain, Outcome.GRANTED)):
            files = made(one, reason)
            assert json.loads(files["request.json"])["outcome"] == outcome, reason
            assert json.loads(files["record.json"])["outcome"] == outcome, reason
            said = b"".join(files.values()).decode(errors="replace")
            assert ("TAX_ACCOUNTING" in said) == (told == outcome == Outcome.GRANTED_IN_PART), (reason, one.pk)
    CategoryOutcome.objects.create(request=request, category="invoices", outcome=Outcome.DENIED, code="LEGAL_CLAIMS")
    assert json.loads(made(request, BundleReason.COURT)["request.json"])["outcome"] == Outcome.GRANTED_IN_PART


def test_what_may_not_be_told_goes_to_an_authority_alone_with_what_proves_that_silence_was_right(route: Route) -> None:
    request, plain = carried_out(route, silent=True), carried_out(route, silent=False)
    files = made(request)
    (one,) = json.loads(files["silences.json"])
    assert (one["law"], one["code"], one["why"]) == (LAW, "TAX_ACCOUNTING", "A report was made.")
    assert one["first_by"] and one["second_by"] and one["first_by"] != one["second_by"]
    assert one["in_force_since"] and one["looked_at_again_on"]
    assert "For the authority alone" in files["index.html"].decode()
    assert b"TAX_ACCOUNTING" in files["plan.json"]
    assert json.loads(made(plain)["silences.json"]) == []
    assert "For the authority alone" not in made(plain)["index.html"].decode()

    for why in OTHERS:
        files, like = made(request, why), made(plain, why)
        for name, content in files.items():
            said = content.decode().lower()
            for word in ("tax_accounting", "invoices", "forbids", "silence", "money laundering", "a report was made"):
                assert word not in said or word in like[name].decode().lower(), (why, name, word)
        assert list(files) == list(like), "nothing shows by what is missing"
        assert json.loads(files["request.json"])["outcome"] == Outcome.GRANTED
        assert (json.loads(files["record.json"])["outcome"], json.loads(files["record.json"])["basis"]) == (
            "granted",
            "",
        )
        shapes = [[sorted(one) for one in json.loads(found["timeline.json"])] for found in (files, like)]
        assert shapes[0] == shapes[1]
        # What is not told in full is held by its hash: it cannot be another event later.
        lines = [json.loads(line) for line in files["audit/chain.jsonl"].splitlines()]
        whole = [json.loads(line) for line in made(request)["audit/chain.jsonl"].splitlines()]
        assert [line["hash"] for line in lines] == [line["hash"] for line in whole]
        assert {"silence_proposed", "silence_confirmed"} <= {json.loads(line["canonical"])[5] for line in whole}
        assert any("canonical" in line for line in lines)
        assert all("canonical" in line or sorted(line) == ["hash", "number"] for line in lines)
        for plan in json.loads(files["plan.json"]):
            assert hashlib.sha256(plan["material"].encode()).hexdigest() == plan["digest"] or not plan["material"]


def test_the_reason_of_a_refusal_that_may_not_be_told(route: Route) -> None:
    request = route.review(Right.ACCESS)
    drive.refuse(request.pk, "OUT_OF_SCOPE", "It names a witness.", actor=route.approver)
    second = drive.person_of_the_desk(Role.APPROVER, "second")
    request.non_disclosures.create(
        kind="refusal", code="OUT_OF_SCOPE", citation=LAW, first_by_id=route.approver.user_id,
        decision=request.decisions.get(kind="refuse"),
        second_by_id=second.user_id, second_at=timezone.now(), since=day(0), review_on=day(80),
    )  # fmt: skip
    assert b"It names a witness" in made(request)["decisions.json"]
    for why in OTHERS:
        for name, content in made(request, why).items():
            if not name.startswith("letters/"):
                assert b"OUT_OF_SCOPE" not in content and b"witness" not in content, (why, name)


def test_a_row_that_was_left_out_in_silence(route: Route) -> None:
    request = route.checking()
    given: dict[str, Any] = {"request": request, "source": "platform", "decided_by_id": route.approver.user_id}
    told = Redaction.objects.create(table="prompts", code="RIGHTS_OF_OTHERS", **given)
    hidden = Redaction.objects.create(table="secret_table", code="AML_KYC", **given)
    request.non_disclosures.create(
        kind="row",
        redaction=hidden,
        code="AML_KYC",
        citation=LAW,
        first_by_id=route.approver.user_id,
        review_on=day(80),
    )
    numbers = [one["number"] for one in json.loads(made(request)["redactions.json"])]
    assert numbers == [told.pk, hidden.pk]
    files = made(request, BundleReason.COURT)
    assert [one["number"] for one in json.loads(files["redactions.json"])] == [told.pk]
    assert not [name for name, content in files.items() if b"AML_KYC" in content or b"secret_table" in content]


def test_an_auditor_gets_it_without_names_and_addresses(company: None) -> None:
    request = scenes.completed()
    case = request.case
    Case.objects.filter(pk=case.pk).update(
        name_sealed=case.seal("Róisín O'Plain", "name"), postal_sealed=case.seal("Lindenweg 4\n10115 Berlin", "postal")
    )
    case = Case.objects.get(pk=case.pk)
    Message.objects.create(
        case=case, status="received", text_sealed=case.seal("I am Róisín, mail me: " + CAST.plain, "message")
    )
    while outbox.drain():
        pass
    page = scenes.browser(Role.AUDITOR).get(reverse("desk_bundle", args=[request.pk])).content.decode()
    assert "Without name and address" in page
    files = unpacked(asked_for(scenes.browser(Role.AUDITOR), request).file)
    words = (CAST.plain, "O'Plain", "O&#x27;Plain", "Róisín", "Lindenweg", "10115 Berlin")
    for name, content in files.items():
        for word in words:
            assert word.lower() not in content.decode().lower(), (name, word)
    person = json.loads(files["request.json"])["person"]
    assert person["email"] == case.email_masked
    assert person["name"] == "R•••"
    index = json.loads(files["index.json"])
    assert index["masked"] is True
    for one in index["files"]:
        assert hashlib.sha256(files[one["file"]]).hexdigest() == one["sha256"]
    assert not [name for name in files if name.endswith(".pdf")]
    assert [name for name in files if name.startswith("letters/")]
    for plan in json.loads(files["plan.json"]):
        assert hashlib.sha256(plan["material"].encode()).hexdigest() == plan["digest"]
    # Whoever decides about the person has them in it.
    whole = unpacked(asked_for(scenes.browser(Role.APPROVER), request).file)
    assert json.loads(whole["request.json"])["person"]["name"] == "Róisín O'Plain"
    assert CAST.plain in whole["conversation.json"].decode()


def test_everything_that_hangs_on_a_request_is_read_or_left_out_for_a_reason(route: Route) -> None:
    """A table that comes later stands in a file of the bundle, or says here why in none."""
    request = route.review(Right.ACCESS)
    Case.objects.filter(pk=request.case_id).update(acts_as="agent")
    with CaptureQueriesContext(
        connection,
    ) as asked:
        files = made(request)
    read = " ".join(one["sql"] for one in asked.captured_queries)
    hanging = {
        relation.get_accessor_name(): relation.related_model._meta.db_table
        for model in (PrivacyRequest, Case)
        for relation in model._meta.related_objects
    }
    known = {*bundle_records.WHERE, *bundle_records.NOWHERE}
    assert set(hanging) == known
    assert not set(bundle_records.WHERE) & set(bundle_records.NOWHERE)
    for name, table in hanging.items():
        if name in bundle_records.WHERE:
            assert f'"{table}"' in read, name
            assert f"{bundle_records.WHERE[name]}.json" in files, name
    assert f'"{hanging["copy_parts"]}"' not in read, "never the data of a copy"


def test_each_record_that_proves_it_stands_in_its_file(route: Route) -> None:
    request = route.review(Right.CORRECTION)
    case, by, now = request.case, route.approver.user_id, timezone.now()
    Correction.objects.create(
        request=request, field="name", status=CorrectionStatus.REFUSED, code="ACCURATE_AS_HELD", citation="GDPR Art 16",
        text_sealed=case.seal("It is right as it stands.", "correction-text"), decided_by_id=by, decided_at=now,
        new_sealed=case.seal("A new secret value", "correction-new"),
    )  # fmt: skip
    asked = Decision.objects.create(request=request, kind=DecisionKind.FEE_ASKED, decided_by_id=by)
    Fee.objects.create(
        request=request, decision=asked, amount=1250, currency="EUR", code="MANIFESTLY_EXCESSIVE",
        citation="GDPR Art 12(5)", status=FeeStatus.WAIVED, answer_by=now, settled_at=now, settled_by_id=by,
    )  # fmt: skip
    LawChange.objects.create(
        case=case,
        country="FR",
        before="us_ca_ccpa",
        after="eu_gdpr",
        status="applied",
        decided_at=now,
        decided_by_id=by,
    )
    made_by = refusals.propose(request.pk, "ACCURATE_AS_HELD", "It names a neighbour.", actor=route.handler)
    refusals.send_back(request.pk, "Which neighbour?", actor=route.approver, seen=made_by.pk)
    files = made(request)
    said = {name.removesuffix(".json"): json.loads(text) for name, text in files.items() if name.endswith(".json")}
    (field,) = said["corrections"]["fields"]
    assert (field["field"], field["code"], field["text"]) == ("name", "ACCURATE_AS_HELD", "It is right as it stands.")
    assert field["decided_by"]["role"] == "Approver"
    assert not any(b"A new secret value" in content for content in files.values())
    (fee,) = said["fees"]
    assert (fee["amount"], fee["currency"], fee["status"], fee["decision"]) == (1250, "EUR", "waived", asked.pk)
    (law,) = said["law"]
    assert (law["before"], law["after"], law["said_by"]) == ("us_ca_ccpa", "eu_gdpr", "the person")
    (proposal,) = said["proposals"]
    assert (proposal["status"], proposal["text"]) == ("sent_back", "It names a neighbour.")
    assert proposal["sent_back_because"] == "Which neighbour?"


def test_the_mail_of_the_day_to_a_colleague_is_nobodys_conversation(route: Route) -> None:
    request = route.review()
    PrivacyRequest.objects.filter(pk=request.pk).update(due_on=timezone.localdate())
    dates.sweep(timezone.localtime().replace(hour=12))
    assert Message.objects.filter(case=request.case_id, notice=Notice.STAFF_DIGEST).exists()
    files = made(request)
    assert not [name for name, content in files.items() if b"staff_digest" in content or b"due at the desk" in content]


@pytest.mark.only_postgresql  # With one writer at a time there is one moment anyway.
def test_a_bundle_shows_one_moment(approver: Actor) -> None:
    """Withdrawn while the file is being written: trail and request still say the same."""
    request = Route(drive.person_of_the_desk(Role.HANDLER), approver).review(Right.ACCESS)
    decide.reply(request.pk, "We are at it.", actor=approver)
    while outbox.drain():
        pass

    class Sink(io.BytesIO):
        begun = False

        def write(self, content: Any) -> int:
            if not self.begun:
                self.begun = True
                other = threading.Thread(target=withdraw)
                other.start()
                other.join()
            return super().write(content)

    def withdraw() -> None:
        close_old_connections()
        move(request.pk, "withdraw", actor=REQUESTER)
        connection.close()

    sink = Sink()
    bundle.write(sink, request.pk, BundleReason.AUTHORITY, "Somebody")
    assert drive.fresh(request.pk).state == "withdrawn"
    files = unpacked(sink.getvalue())
    assert [name for name in files if name.startswith("letters/")], "something was written before the rest was read"
    assert json.loads(files["request.json"])["state"] == "review"
    assert b"Withdrawn" not in files["timeline.json"]
    # These are read after the first letter was written.
    assert json.loads(files["record.json"]) is None
    assert json.loads(files["audit/result.json"])["faults"] == []
