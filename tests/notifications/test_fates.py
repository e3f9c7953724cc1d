"""What a letter says of each category: true for every source, with the reason, and with dates that mean what they say."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from accounts.models import Role
from dsar.enums import DecisionKind, Outcome, Right, StepKind, StepStatus
from dsar.fulfilment import plan as plans
from dsar.models import Decision, Kept, PrivacyRequest, Step
from dsar.notices import Notice
from dsar.notifications import compose, kept_letter, letters, outbox
from dsar.review import holds
from dsar.workflow import GRANTED, Invalid
from tests import drive

SOURCES = {
    "shop": {"label": "Shop", "status": "one", "ref": "1", "failure": ""},
    "desk": {"label": "Support desk", "status": "one", "ref": "2", "failure": ""},
    "paper": {"label": "Paper files", "status": "unknown", "ref": "", "failure": ""},
    "tapes": {"label": "Backups", "status": "unknown", "ref": "", "failure": "", "rotation_days": 30},
}


def item(source: str, category: str, action: str, count: int | None = 1, **given: Any) -> dict[str, Any]:
    return {
        "source": source, "category": category, "label": category.title(), "action": action, "count": count, "code": "",
        "citation": "", "until": None, "review_on": None, **given,
    }  # fmt: skip


def deletion(*items: dict[str, Any]) -> PrivacyRequest:
    """A deletion that has ended, by its plan; no source is asked."""
    request = drive.a_request()
    drive.proven_by_link(request.case)
    drive.freeze(request, {**drive.PLAN_BODY, "sources": SOURCES, "items": list(items)})
    request = drive.fresh(request.pk)
    request.outcome, request.ended_at = Outcome.GRANTED_IN_PART, timezone.now()
    return request


def worked(request: PrivacyRequest, source: str, *tallies: dict[str, Any]) -> None:
    Step.objects.create(
        request=request, source=source, kind=StepKind.ERASE, status=StepStatus.DONE, tallies=list(tallies),
        finished_at=timezone.now(),
    )  # fmt: skip


def said(request: PrivacyRequest) -> dict[str, dict[str, Any]]:
    return {line["label"]: line for line in letters.items(request)}


def test_law_06_what_no_code_of_this_law_keeps_is_not_said_to_be_an_organisations(db: None) -> None:
    kept = said(
        deletion(
            item("shop", "logs", "keep", 4, code="CA_DEBUG", review_on="2030-01-01"), item("shop", "rows", "refer", 2)
        )
    )
    assert "organisation" not in kept["Logs"]["reason"]
    assert "decided" in kept["Logs"]["reason"]
    assert "organisation" in kept["Rows"]["reason"]


def test_two_sources_that_keep_the_same_are_both_counted(db: None) -> None:
    tax = {"code": "TAX_ACCOUNTING", "citation": "GDPR Art 17(3)(b)", "until": "2036-12-31"}
    request = deletion(item("shop", "invoices", "keep", 3, **tax), item("desk", "invoices", "keep", 2, **tax))
    assert said(request)["Invoices"]["count"] == 5
    worked(request, "shop", {"category": "invoices", "table": "invoice", "kept": 4, **tax})
    assert said(drive.fresh(request.pk))["Invoices"]["count"] == 6


def test_a_day_on_which_we_look_again_is_no_end(db: None) -> None:
    past = (timezone.localdate() - timedelta(days=1)).isoformat()
    body_of = {"code": "EU_LEGAL_CLAIMS", "citation": "GDPR Art 17(3)(e)"}
    request = deletion(item("shop", "claims", "keep", 1, review_on="2030-05-01", **body_of))
    line = said(request)["Claims"]
    assert (line["until"], str(line["review_on"])) == (None, "2030-05-01")
    request.outcome = Outcome.GRANTED_IN_PART
    text = compose.letter(outbox.queue(request, Notice.DONE_ERASED))["text"]  # type: ignore[arg-type]
    assert "We look at this again by 1 May 2030." in text
    assert "Until 1 May 2030" not in text
    plan = plans.summary(
        {**drive.PLAN_BODY, "sources": SOURCES, "items": [item("shop", "claims", "keep", review_on=past)]}
    )
    assert plan["items"][0]["until"] is None


def test_what_was_looked_at_again_is_not_forgotten(db: None) -> None:
    request, past = drive.a_request(), timezone.localdate() - timedelta(days=1)
    Kept.objects.create(
        request=request, source="shop", category="invoices", code="EU_LEGAL_CLAIMS", review_on=past,
        email_index=request.case.email_index,
    )  # fmt: skip
    (line,) = kept_letter.after_deletion(drive.a_request(request.case.email).case)["items"]
    assert (line["label"], line["until"], line["review_on"]) == ("Invoices", None, past)


def test_backups_are_counted_from_the_deletion(db: None) -> None:
    request = deletion(item("tapes", "backups", "backup", None, until="2020-01-01"))
    line = said(request)["Backups"]
    assert line["until"] == timezone.localdate(request.ended_at) + timedelta(days=30)
    request.ended_at = None
    line = said(request)["Backups"]
    assert line["until"] is None
    assert "within 30 days of the deletion" in line["reason"]


@pytest.mark.parametrize(("found", "words"), [(1, "Deleted by a person"), (0, "A person looked and found nothing")])
def test_what_a_person_did_by_hand_stands_in_the_letter(db: None, found: int, words: str) -> None:
    request = deletion(item("paper", "letters", "erase", None), item("shop", "letters", "erase", 3))
    worked(request, "paper", {"category": "letters", "table": "", "by_hand": found})
    worked(request, "shop", {"category": "letters", "table": "letter", "removed": 3})
    text = compose.letter(outbox.queue(request, Notice.DONE_ERASED))["text"]  # type: ignore[arg-type]
    assert f"Letters (Paper files): {words}" in text
    assert "Letters: Deleted (3 records)" in text


def test_a_hold_needs_a_basis_in_the_law_of_each_open_case(db: None) -> None:
    approver = drive.person_of_the_desk(Role.APPROVER)
    request, day = drive.a_request(), timezone.localdate() + timedelta(days=90)
    with pytest.raises(Invalid):
        holds.place(request.case.email, "CA_DEBUG", day, actor=approver)
    holds.place(request.case.email, "EU_LEGAL_CLAIMS", day, actor=approver, weighed="So.")


RIGHTS = [Right.KNOW, Right.ACCESS, Right.CORRECTION, Right.OBJECTION, Right.RESTRICTION, Right.MARKETING_OPT_OUT]


@pytest.mark.parametrize("right", RIGHTS)
def test_law_15_what_an_approver_writes_for_the_person_is_in_the_letter(db: None, right: Right) -> None:
    request = drive.a_request(right=right)
    if right != Right.MARKETING_OPT_OUT:
        drive.proven_by_link(request.case)
    request = drive.fresh(request.pk)
    Decision.objects.create(
        request=request, kind=DecisionKind.APPROVE, text_sealed=request.case.seal("You are right.", "decision")
    )
    message = outbox.queue(request, GRANTED[right])
    assert message is not None
    mail = compose.mail(message)
    for text in (str(mail.body), mail.letter["text"], mail.letter["page"]):
        assert "You are right." in text


def test_law_15_what_an_approver_writes_about_a_deletion_is_in_the_mail_that_asks_to_confirm(db: None) -> None:
    request = drive.a_request()
    decision = Decision.objects.create(
        request=request, kind=DecisionKind.APPROVE, text_sealed=request.case.seal("We looked twice.", "decision")
    )
    for given in (decision, None):
        message = outbox.queue(request, Notice.CONFIRM_READY, decision=given)
        assert message is not None
        mail = compose.mail(message)
        assert "We looked twice." in str(mail.body)
        assert "We looked twice." in str(mail.alternatives[0][0])


@pytest.mark.parametrize(("hour", "day"), [(22, "21 November 2026"), (23, "22 November 2026")])
def test_law_14_the_day_of_receipt_is_the_one_that_is_counted_from(db: None, hour: int, day: str) -> None:
    request = drive.a_request()
    PrivacyRequest.objects.filter(pk=request.pk).update(
        received_at=timezone.datetime(2026, 11, 21, hour, 30, tzinfo=timezone.get_fixed_timezone(0))  # type: ignore[attr-defined]
    )
    message = outbox.queue(drive.fresh(request.pk), Notice.EXTENDED)
    assert message is not None
    text = compose.letter(message)["text"]
    assert f"Received: {day}" in text
    assert f"on {day}" in text
