"""The interim answer: true in every state, with the reason, and without a word about what is not agreed yet."""

from datetime import timedelta

import pytest

from accounts.models import Role
from dsar.enums import Right, State, StepReason, StepStatus
from dsar.models import REQUESTER, Message, PrivacyRequest, Step
from dsar.notices import Notice
from dsar.notifications import compose, outbox
from dsar.workflow import move
from tests import drive
from tests.drive import Route
from tests.notifications.test_letters import PLAN

pytestmark = pytest.mark.usefixtures("own_journal")

MONEY = {
    "currency": "EUR", "balance_cents": 1250, "refund_cents": 1250, "lost_cents": 0, "refund_by_days": 30,
    "auto_topup": True,
}  # fmt: skip
FULL = {
    **PLAN,
    "money": MONEY,
    "items": [
        *PLAN["items"],
        {"source": "backups", "category": "backups", "label": "Backups", "action": "backup", "count": None, "code": "",
         "citation": "", "until": "2027-03-01", "review_on": None},
    ],
}  # fmt: skip
# What only a confirmation agrees on.
AGREED = ("credit", "top-up", "Kept", "Still to come", "Deleted", "refund", "Invoices", "Prompts")


@pytest.fixture
def route(db: None) -> Route:
    return Route(drive.person_of_the_desk(Role.HANDLER), drive.person_of_the_desk(Role.APPROVER))


def interim(request: PrivacyRequest) -> str:
    """The text of the letter that would go out now."""
    held = drive.fresh(request.pk)
    message = outbox.queue(held, Notice.INTERIM)
    assert message is not None
    message.request = held
    return " ".join(str(compose.mail(message).body).split())


BEFORE = {
    "triage": "find out which of your rights",
    "verifying": "could not make sure yet",
    "locating": "still looking for what we hold",
    "review": "has to look at your request and to decide it",
    "review_unproven": "could not make sure yet",
    "confirming": "waited for your confirmation since",
    "confirming_after_a_copy": "You asked for a copy before the deletion",
    "extended": "has to look at your request and to decide it",
    "checking": "has to look through it",
}


@pytest.mark.parametrize("state", BEFORE)
def test_before_the_confirmation_nothing_is_said_of_data_or_money(route: Route, state: str) -> None:
    request = getattr(route, state)()
    if request.right == Right.DELETION:
        drive.freeze(request, FULL)
    said = interim(request)
    assert BEFORE[state] in said
    for words in AGREED:
        assert words not in said, words
    assert "If you do not agree" in said
    assert request.case.reference in said


def test_a_question_that_is_open_is_named(route: Route) -> None:
    assert "wait for your answer" in interim(route.clarifying(route.review()))


def test_after_the_confirmation_it_lists_what_is_done_open_and_kept(route: Route) -> None:
    request = route.confirming()
    drive.freeze(request, FULL)
    request = move(request.pk, "confirm", actor=REQUESTER, quiet=timedelta(0))
    said = interim(request)
    assert "A person still has to look at the deletion once more" in said
    assert "Prompts and outputs: Still to come" in said
    assert "Invoices: Kept" in said
    assert "12.50 EUR" in said
    assert "Deleted" not in said
    request = move(request.pk, "release", actor=route.approver)
    Step.objects.create(
        request=request, source="platform", kind="erase", status=StepStatus.DONE,
        tallies=[{"category": "prompts", "table": "prompts", "removed": 3}],
    )  # fmt: skip
    said = interim(request)
    assert "Prompts and outputs: Deleted (3 records)" in said
    assert "Prompts and outputs: Still to come" not in said
    assert "Backups: Still to come" in said


@pytest.mark.parametrize(
    ("reason", "words"),
    [
        (StepReason.UNREACHABLE, "does not answer as it should"),
        (StepReason.WITH_OWNER, "reached by a colleague"),
        (StepReason.HOLD, "a person has to decide"),
        (StepReason.NONE, "not every system of ours has finished"),
    ],
)
def test_at_work_it_says_what_keeps_it(route: Route, reason: StepReason, words: str) -> None:
    request = route.fulfilling()
    Step.objects.create(request=request, source="platform", kind="erase", reason=reason)
    assert request.state == State.FULFILLING
    assert words in interim(request)


def test_a_dispute_is_why_it_stands_still(route: Route) -> None:
    said = interim(route.disputed(route.fulfilling()))
    assert "this was not you" in said
    assert Message.objects.filter(notice=Notice.INTERIM).count() == 1


def test_law_14_the_interim_answer_about_a_copy_says_which_categories_are_done_and_by_when_the_rest_comes(
    route: Route,
) -> None:
    request = route.carrying_out(Right.ACCESS)
    item = {"action": "erase", "count": 1, "code": "", "citation": "", "until": None, "review_on": None}
    body = {**PLAN, "items": [
        {**item, "source": "shop", "category": "orders", "label": "Orders"},
        {**item, "source": "shop", "category": "profile", "label": "Profile"},
        {**item, "source": "desk", "category": "profile", "label": "Profile"},
    ]}  # fmt: skip
    drive.freeze(request, body)
    Step.objects.create(request=request, source="shop", kind="export", status=StepStatus.DONE)
    Step.objects.create(request=request, source="desk", kind="export", status=StepStatus.BLOCKED)
    said = interim(request)
    assert "Done: Orders Still open: Profile" in said
    due = drive.fresh(request.pk).due_on
    assert due is not None
    assert f"about the open parts by {due.day} {due:%B %Y}" in said
