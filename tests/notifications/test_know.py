"""What is held about a person, and why: complete, true, and without a single value of any record."""

import re

import pytest

from dsar.datamap import loader
from dsar.enums import Outcome, Right, State
from dsar.fulfilment import begin, locating
from dsar.law import regimes
from dsar.models import Actor, Message, PrivacyRequest, Tombstone
from dsar.notices import Notice
from dsar.notifications import compose, report
from dsar.workflow import move
from tests import drive
from tests.house import CAST, everything_of, user_id

pytestmark = pytest.mark.usefixtures("company", "own_journal")


def known(address: str, approver: Actor, **given: str) -> PrivacyRequest:
    """Asked for, proven, approved, settled."""
    request = in_review(address, **given)
    if request.state == State.REVIEW:
        move(request.pk, "approve", actor=approver)
        assert begin.drain() == 1
    return drive.fresh(request.pk)


def in_review(address: str, **given: str) -> PrivacyRequest:
    request = drive.by_web(address, Right.KNOW, **given)
    locating.drain()
    drive.proven_by_link(request.case)
    locating.drain()
    return drive.fresh(request.pk)


def letter(request: PrivacyRequest, notice: Notice) -> str:
    message = Message.objects.get(request=request, notice=notice)
    return str(compose.mail(message).body)


def test_the_letter_tells_what_the_law_asks_for(approver: Actor) -> None:
    request = known(CAST.plain, approver)
    assert (request.state, request.outcome) == (State.COMPLETED, Outcome.GRANTED)
    text = letter(request, Notice.DONE_KNOW)
    for some in (
        "Prompts and outputs", "To show earlier conversations", "Contract, GDPR Art. 6(1)(b)", "The account holder",
        "Providers of the models called", "standard contractual clauses", "10 years from the end of the financial year",
        "GDPR Art. 6(1)(c)", "Encrypted backups", "overwritten by", "may ask that a person looks at it",
        "Analytics provider", "dpo@example.com", "Get a copy", "Article 77 GDPR", "Musterstraße 1",
    ):  # fmt: skip
        assert some in text, (some, text)
    assert "Deleted" not in text


def test_what_must_be_kept_says_why_and_until_when(approver: Actor) -> None:
    request = known(CAST.plain, approver)
    plan = request.plans.get()
    plan.request = request
    kept = [item for item in plan.body()["items"] if item["action"] == "keep"]
    assert kept
    lines = {line["label"]: line for line in report.of_plan(plan.body(), regimes.load("eu_gdpr"))["lines"]}
    for item in kept:
        must = [one for one in lines[item["label"]]["must"] if one["citation"] == item["citation"]]
        assert must
        assert must[0]["reason"]
        assert must[0]["until"]


def test_only_what_is_held_is_named(approver: Actor) -> None:
    request = known(CAST.neighbour, approver)
    mine = everything_of(user_id(CAST.neighbour) or 0)
    text = letter(request, Notice.DONE_KNOW)
    for table, label in (("survey_answers", "Answers to surveys"), ("searches", "Searches on the site")):
        assert (label in text) == bool(mine[table]), label


def test_no_value_of_any_record_stands_in_it(approver: Actor) -> None:
    request = known(CAST.plain, approver)
    mail = compose.mail(Message.objects.get(request=request, notice=Notice.DONE_KNOW))
    said = f"{mail.subject} {mail.body} {mail.alternatives[0][0]}"
    for table, lines in everything_of(user_id(CAST.plain) or 0).items():
        for line in lines:
            for name, value in line.items():
                if isinstance(value, str) and len(value) > 11 and name not in ("status", "method", "withdrawn_through"):
                    assert value not in said, (table, name)
    assert CAST.plain not in said


def test_under_californian_law_it_says_what_is_sold_or_shared(approver: Actor) -> None:
    request = known(CAST.plain, approver, country="US-CA")
    assert request.case.regime == "us_ca_ccpa"
    text = letter(request, Notice.DONE_KNOW)
    assert "We do not sell personal data" in text
    assert "California Privacy Protection Agency" in text
    assert "Article 77" not in text


def test_after_the_deletion_it_tells_what_is_left_and_of_the_mark(approver: Actor) -> None:
    drive.released(approver, CAST.plain)
    drive.carry_out()
    erased = PrivacyRequest.objects.get(right=Right.DELETION)
    assert erased.state == State.COMPLETED
    request = in_review(CAST.plain)
    assert (request.state, request.outcome) == (State.COMPLETED, Outcome.NOTHING_HELD)
    text = letter(request, Notice.NOTHING_HELD)
    assert "Invoices" in text
    assert re.search(r"Until \d", text)
    mark = Tombstone.objects.filter(source="email").get().expires_on
    assert f"{mark.day} {mark:%B %Y}" in text
    assert "coded mark" in text


def test_somebody_unknown_hears_of_no_mark_and_of_nobody_else(approver: Actor) -> None:
    drive.released(approver, CAST.plain)
    drive.carry_out()
    request = in_review("nobody.at.all@example.com")
    assert request.outcome == Outcome.NOTHING_HELD
    text = letter(request, Notice.NOTHING_HELD)
    assert "coded mark" not in text
    assert "Invoices" not in text


def test_every_category_of_the_demo_is_described() -> None:
    for name, category in loader.current().categories.items():
        assert all((category.purpose, category.basis, category.source, category.kept, category.recipients)), name
