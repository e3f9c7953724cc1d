"""Outcomes per category: what the sum does not say, written as the request ends; nothing gone is a denial."""

from typing import Any

import pytest
from django.db import transaction
from django.utils import timezone

from dsar.enums import CorrectionStatus, Outcome, Right, State
from dsar.fulfilment import control, finish
from dsar.models import (
    REQUESTER,
    Actor,
    CategoryOutcome,
    Correction,
    Message,
    PrivacyRequest,
    Proposal,
    Redaction,
    Step,
)
from dsar.notices import Notice
from dsar.notifications import paper
from dsar.workflow import Forbidden, Inside, lock, move
from tests import drive
from tests.drive import Route
from tests.notifications import test_fates
from tests.notifications.test_fates import item

pytestmark = pytest.mark.usefixtures("own_journal")

SOURCES = {key: {**found, "orders": []} for key, found in test_fates.SOURCES.items()}
KEPT: dict[str, Any] = {"code": "TAX_ACCOUNTING", "citation": "GDPR Art 17(3)(b)", "until": "2036-12-31"}


def rows(request: PrivacyRequest) -> set[tuple[str, str, str]]:
    return set(CategoryOutcome.objects.filter(request=request).values_list("category", "outcome", "code"))


def released(route: Route, *items: dict[str, Any]) -> PrivacyRequest:
    """A deletion by this plan, released; no source has steps."""
    request = route.confirming()
    drive.freeze(request, {**drive.PLAN_BODY, "sources": SOURCES, "items": list(items)})
    move(request.pk, "confirm", actor=REQUESTER, quiet=drive.timedelta(0))
    return move(request.pk, "release", actor=route.approver)


def settled(pk: int) -> PrivacyRequest:
    with transaction.atomic():
        request = lock(pk)
        plan = request.plans.newest()
        assert plan is not None
        assert finish.settle_if_done(Inside(request), plan.body())
    return drive.fresh(pk)


def test_a_deletion_notes_what_went_what_stays_and_why(route: Route) -> None:
    request = settled(
        released(
            route, item("shop", "profile", "erase"), item("shop", "invoices", "erase"), item("desk", "notes", "refer"),
            item("shop", "invoices", "keep", **KEPT), item("tapes", "profile", "backup", None),
        ).pk
    )  # fmt: skip
    assert request.outcome == Outcome.GRANTED_IN_PART
    assert rows(request) == {
        ("profile", "granted", ""), ("invoices", "granted", ""), ("invoices", "denied", "TAX_ACCOUNTING"),
        ("notes", "referred", ""),
    }  # fmt: skip
    kept = CategoryOutcome.objects.get(code="TAX_ACCOUNTING")
    assert str(kept.until) == "2036-12-31"


@pytest.mark.parametrize("how", ["everything had to be kept", "narrowed to nothing"])
def test_law_15_a_plan_that_leaves_everything_is_a_denial_in_outcome_letter_and_categories(
    route: Route, how: str
) -> None:
    if how == "narrowed to nothing":
        request = released(route, item("shop", "invoices", "erase"), item("tapes", "invoices", "backup", None))
        pairs = {("shop", "invoices"), ("tapes", "invoices")}
        drive.narrow(request.pk, pairs, "TAX_ACCOUNTING", "They are all needed.", actor=route.approver)
        request, code = drive.fresh(request.pk), "TAX_ACCOUNTING"
    else:
        request = settled(
            released(route, item("shop", "invoices", "keep", **KEPT), item("tapes", "invoices", "backup", None)).pk
        )
        code = "TAX_ACCOUNTING"
    assert (request.state, request.outcome) == (State.COMPLETED, Outcome.DENIED)
    assert rows(request) == {("invoices", "denied", code)}
    message = Message.objects.get(request=request, notice=Notice.REFUSED)
    said = paper.text(message)
    assert "We have to decline it" in said
    assert "Invoices: Kept" in said
    assert "Tax and accounting law makes us keep" in said
    assert "Article 77" in said


def test_a_copy_notes_what_is_left_out_and_which_source_is_missing(route: Route) -> None:
    request = route.carrying_out(Right.ACCESS)
    drive.freeze(
        request,
        {**drive.PLAN_BODY, "sources": SOURCES,
         "items": [item("platform", "prompts", "erase"), item("shop", "profile", "erase"), item("desk", "notes", "erase")]},
    )  # fmt: skip
    Redaction.objects.create(
        request=request,
        source="platform",
        table="prompts",
        code="THIRD_PARTY",
        decided_by_id=route.handler.user_id or 0,
    )
    Step.objects.create(
        request=request, source="desk", kind="export", status="done", tallies=[{"category": "", "failed": 1}]
    )
    move(request.pk, "packed", actor=drive.SYSTEM)
    move(request.pk, "hand_over", actor=route.approver, outcome=Outcome.GRANTED_IN_PART)
    assert rows(request) == {
        ("prompts", "granted_in_part", "THIRD_PARTY"), ("profile", "granted", ""), ("notes", "denied", "GO_ON_WITHOUT"),
    }  # fmt: skip


@pytest.mark.parametrize(
    ("right", "kind"), [(Right.RESTRICTION, "restrict"), (Right.OBJECTION, "restrict"), (Right.CORRECTION, "rectify")]
)
@pytest.mark.parametrize("everywhere", [True, False])
def test_law_15_what_was_left_undone_in_every_source_is_a_denial_in_letter_and_measures(
    route: Route, right: Right, kind: str, everywhere: bool
) -> None:
    request = route.carrying_out(right)
    drive.freeze(request, {**drive.PLAN_BODY, "sources": SOURCES, "items": [item("desk", "notes", "erase")]})
    PrivacyRequest.objects.filter(pk=request.pk).update(begun_at=timezone.now())
    if not everywhere:
        Step.objects.create(
            request=request, source="shop", kind=kind, status="done", tallies=[{"category": "", "changed": 1}]
        )
    step = Step.objects.create(request=request, source="desk", kind=kind, status="blocked", reason="not_supported")
    done = drive.not_done(request.pk, step.pk, "The box is with a court.", actor=route.approver)
    assert done.outcome == (Outcome.DENIED if everywhere else Outcome.GRANTED_IN_PART)
    if right != Right.CORRECTION:
        assert rows(done) == {("notes", "denied", "SYSTEM_CANNOT")}
    letter = Message.objects.filter(request=done, notice=Notice.REFUSED).first()
    assert (letter is not None) is everywhere
    if letter:
        said = paper.text(letter)
        assert "We have to decline it" in said
        assert "It could not be done" in said
        assert "does not oblige us" not in said
        for words in ("A system could not do it", "The box is with a court.", "GDPR Art 12(3), 12(4)"):
            assert words in said
        assert "Article 77" in said


def test_a_team_of_one_leaves_it_undone_on_a_later_day_and_the_letter_says_so(route: Route, settings: object) -> None:
    settings.TEAM_OF_ONE = True  # type: ignore[attr-defined]
    request = route.carrying_out(Right.RESTRICTION)
    drive.freeze(request, {**drive.PLAN_BODY, "sources": SOURCES, "items": [item("desk", "notes", "erase")]})
    PrivacyRequest.objects.filter(pk=request.pk).update(begun_at=timezone.now())
    step = Step.objects.create(request=request, source="desk", kind="restrict", status="blocked")
    me = Actor(route.approver.kind, route.approver.user_id, route.approver.role, timezone.now())
    yesterday = Proposal.objects.create(
        request=request, kind="not_done", code="SYSTEM_CANNOT", proposed_by_id=me.user_id or 0, step=step,
        text_sealed=request.case.seal("It cannot.", "proposal"), proposed_at=timezone.now() - drive.timedelta(days=1),
    )  # fmt: skip
    with pytest.raises(Forbidden):
        control.confirm_not_done(request.pk, actor=route.approver, seen=yesterday.pk)
    done = control.confirm_not_done(request.pk, actor=me, seen=yesterday.pk)
    assert done.decisions.get(kind="not_done").same_person
    assert Proposal.objects.get(pk=yesterday.pk).same_person
    assert "by the same person, on different days" in paper.text(
        Message.objects.get(request=done, notice=Notice.REFUSED)
    )


def test_what_is_tried_again_is_not_proposed_to_be_left_undone_any_more(route: Route) -> None:
    request = route.carrying_out(Right.RESTRICTION)
    step = Step.objects.create(request=request, source="desk", kind="restrict", status="blocked", reason="permission")
    made = control.propose_not_done(request.pk, step.pk, "SYSTEM_CANNOT", "It cannot.", actor=route.handler)
    assert control.retry(request.pk, actor=route.handler) == 1
    assert not Proposal.objects.standing().filter(pk=made.pk).exists()


def test_a_correction_notes_each_field_and_a_refusal_its_reason(route: Route) -> None:
    request = route.carrying_out(Right.CORRECTION)
    for field, status, code in (
        ("name", CorrectionStatus.ACCEPTED, ""),
        ("phone", CorrectionStatus.REFUSED, "NOT_SHOWN"),
    ):
        Correction.objects.create(request=request, field=field, status=status, code=code, decided_at=timezone.now())
    move(request.pk, "settle", actor=drive.SYSTEM, outcome=Outcome.GRANTED_IN_PART)
    assert rows(request) == {("name", "granted", ""), ("phone", "denied", "NOT_SHOWN")}

    refused = route.review(Right.ACCESS)
    drive.freeze(refused, {**drive.PLAN_BODY, "sources": SOURCES, "items": [item("shop", "profile", "erase")]})
    drive.refuse(refused.pk, "OUT_OF_SCOPE", "No.", actor=route.approver)
    assert rows(refused) == {("profile", "denied", "OUT_OF_SCOPE")}


def test_what_nobody_decided_has_no_categories(route: Route) -> None:
    for request in (route.lapsed(), move(route.confirming().pk, "withdraw", actor=REQUESTER)):
        assert not rows(request)
