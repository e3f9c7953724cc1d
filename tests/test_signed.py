"""A deletion that is confirmed on paper: the person's own signature, one who files it, another who agrees, and no way
around either of them (law 3)."""

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import IntegrityError, transaction
from django.urls import reverse
from django.utils import timezone

from accounts.models import Role
from dsar import audit
from dsar.enums import CheckStatus, State
from dsar.fulfilment import locating
from dsar.intake import filing, submit, sweep, web
from dsar.models import Intake, Message, Plan, SignedConfirmation
from dsar.notices import MessageStatus, Notice
from dsar.notifications import paper
from dsar.verification import confirmation, signed
from dsar.workflow import Conflict, Forbidden, Invalid
from tests import drive
from tests.desk import scenes

pytestmark = pytest.mark.usefixtures("own_journal")
SCAN = b"%PDF the signed page"


def mark_of(request) -> str:
    return confirmation.current_plan(request).digest[:12]


def send(request, role=Role.HANDLER, **given):
    typed = {
        "number": web.new_number(), "came_on": filing.today().isoformat(), "mark": mark_of(request),
        "scan": SimpleUploadedFile("a.pdf", SCAN), **given,
    }  # fmt: skip
    return scenes.browser(role).post(reverse("desk_signed", args=[request.pk]), typed)


def agree(request, role=Role.APPROVER, **given):
    typed = {"agrees": "yes", "reference": request.case.reference, **given}
    return scenes.browser(role).post(reverse("desk_verb", args=[request.pk, "signature"]), typed)


def test_printed_signed_filed_agreed_and_confirmed(company):
    request = scenes.to_sign()
    assert request.state == State.CONFIRMING
    letter = Message.objects.get(request=request, notice=Notice.CONFIRM_READY)
    assert letter.status == MessageStatus.TO_POST
    said = paper.text(paper.find(request.case, letter.pk))
    for some in (
        "Prompts and outputs: deleted",
        "Invoices: kept",
        "This cannot be undone",
        mark_of(request),
        "signature",
    ):
        assert some in said
    assert send(request, mark=f"({mark_of(request).upper()})").status_code == 302
    assert scenes.fresh(request).state == State.CONFIRMING
    page = scenes.browser(Role.APPROVER).get(reverse("desk_request", args=[request.pk])).content.decode()
    assert mark_of(request) in page
    held = SignedConfirmation.objects.get()
    assert scenes.browser(Role.APPROVER).post(reverse("desk_scan", args=[held.intake_id])).content == SCAN
    assert scenes.browser(Role.HANDLER).post(reverse("desk_scan_destroy", args=[held.intake_id])).status_code == 404
    assert agree(request).status_code == 302
    request = scenes.fresh(request)
    assert (request.state, request.is_bound) == (State.RELEASING, True)
    assert request.plans.get(digest=held.plan.digest).frozen_at is not None
    assert Message.objects.get(request=request, notice=Notice.CONFIRMED).status == MessageStatus.TO_POST
    assert agree(request).status_code == 409
    assert audit.verify() == []


def test_nothing_leads_past_the_signature_and_the_two_people(company):
    request = scenes.to_sign()
    with pytest.raises(Conflict):
        confirmation.confirm(request.pk, confirmation.current_plan(request).digest)
    assert agree(request).status_code == 409
    lead, other = drive.person_of_the_desk(Role.APPROVER), drive.person_of_the_desk(Role.APPROVER)
    assert send(request, role=Role.AUDITOR).status_code == 403
    page = filing.signed_page("one", request, filing.today(), SCAN, actor=lead)
    signed.file(request.pk, page, mark_of(request), filing.today(), actor=lead)
    with pytest.raises(Conflict):
        signed.file(request.pk, page, mark_of(request), filing.today(), actor=other)
    with pytest.raises(Invalid):
        signed.decide(request.pk, True, actor=lead)
    with pytest.raises(Forbidden):
        signed.decide(request.pk, True, actor=drive.person_of_the_desk(Role.HANDLER))
    for changes in ({"decided_by": lead.user_id}, {}):
        with pytest.raises(IntegrityError), transaction.atomic():
            SignedConfirmation.objects.update(status=CheckStatus.PASSED, decided_at=timezone.now(), **changes)
    assert scenes.fresh(request).state == State.CONFIRMING
    signed.decide(request.pk, False, actor=other)
    assert scenes.fresh(request).state == State.CONFIRMING
    again = filing.signed_page("two", request, filing.today(), SCAN, actor=lead)
    signed.file(request.pk, again, mark_of(request), filing.today(), actor=lead)
    assert signed.decide(request.pk, True, actor=other).state == State.RELEASING


def test_a_plan_that_changed_since_it_was_printed_is_not_confirmed(company):
    request = scenes.signed_page()
    printed = mark_of(request)
    plan = confirmation.current_plan(request)
    body = plan.body()
    body["items"] = body["items"][1:]
    with transaction.atomic():
        Plan.objects.filter(pk=plan.pk).update(version=7)
        locating.store(request, body)
    with pytest.raises(Invalid, match="changed"):
        signed.decide(request.pk, True, actor=scenes.actor())
    assert scenes.fresh(request).state == State.CONFIRMING
    assert SignedConfirmation.objects.get().status == CheckStatus.PENDING
    with pytest.raises(Invalid, match="changed"):
        signed.plan_of(request, printed)


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"mark": "abc"}, "whole mark"), ({"mark": "0" * 12}, "No plan"), ({"came_on": "2999-01-01"}, "has not come yet"),
        ({"scan": ""}, "choose the scan"), ({"number": "forged"}, "send it again"), ({"came_on": ""}, "day on which it came"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_said_and_nothing_is_filed(company, wrong, said):
    request = scenes.to_sign()
    answer = send(request, **wrong)
    assert answer.status_code == 422
    assert said in answer.content.decode()
    assert not SignedConfirmation.objects.exists()


def test_a_page_that_was_stored_and_not_filed_stands_with_its_case(company):
    request = scenes.to_sign()
    raw = filing.pack({"signed_for": request.case_id, "filed_by": scenes.person(Role.HANDLER).pk}, SCAN)
    submit.receive("post", raw, "signed:crashed")
    sweep.drain()
    assert Intake.objects.get(dedupe="signed:crashed").case_id == request.case_id
    assert request.case.requests.count() == 1


def test_whoever_says_by_letter_that_it_was_not_them_stops_the_steps(company):
    request = scenes.signed_page()
    agree(request)
    answer = scenes.browser(Role.HANDLER).post(reverse("desk_verb", args=[request.pk, "not-me"]), {"sure": "on"})
    assert answer.status_code == 302
    assert scenes.fresh(request).disputed_at is not None
