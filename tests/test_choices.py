"""Choices: the list holds at once, the sources follow it, a purge leaves the hash, links cannot be forged."""

from collections.abc import Callable
from datetime import timedelta
from io import StringIO
from typing import Any

import pytest
import sqlalchemy as sa
from django.conf import settings
from django.core.management import CommandError, call_command
from django.db import IntegrityError, transaction
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st

from dsar import audit, keys
from dsar.connectors.base import Outcome
from dsar.connectors.registry import connector
from dsar.demo.schema import users
from dsar.desk import catalogue
from dsar.enums import Channel, Right, State, StepKind, StepReason, StepStatus
from dsar.fulfilment import control, locating, runner
from dsar.intake import choices, submit, unsubscribe
from dsar.law import regimes
from dsar.models import Actor, Choice, Intake, Message, PrivacyRequest, Source, Step
from dsar.notices import MessageStatus, Notice
from dsar.review import clock, decide
from tests import drive
from tests.house import CAST, company_engine, rows, user_id

pytestmark = pytest.mark.usefixtures("own_journal")
SALE = Right.OPT_OUT_SALE


def carried_out() -> None:
    """Workers look once at everything."""
    locating.drain()
    runner.drain_fulfilling()


def flag(address: str = CAST.plain) -> Any:
    """What the company's database says."""
    return rows("users", id=user_id(address))[0]["sale_opt_out"]


def again(request: PrivacyRequest) -> None:
    """The waiting time of its step is over."""
    Step.objects.filter(request=request).update(due_at=timezone.now())


@pytest.fixture
def down(company: None, monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """The company's database cannot be reached, until the returned function is called."""
    monkeypatch.setattr(connector("platform"), "url", f"sqlite:///{settings.VAR_DIR / 'gone.sqlite3'}")
    return monkeypatch.undo


def test_a_choice_holds_while_a_source_is_down_and_is_told_for_as_long_as_it_takes(down: Callable[[], None]) -> None:
    request = drive.by_web(CAST.plain, SALE)
    carried_out()
    assert Choice.objects.of(request.case.email_index).standing().get().kind == SALE
    step = Step.objects.get(request=request, kind=StepKind.APPLY)
    assert (step.status, step.reason) == (StepStatus.QUEUED, StepReason.UNREACHABLE)
    assert drive.fresh(request.pk).attention == StepReason.UNREACHABLE
    assert PrivacyRequest.objects.stuck().filter(pk=request.pk).exists()
    for _try in range(settings.MAX_RETRIES + 2):
        again(request)
        runner.drain_fulfilling()
    step.refresh_from_db()
    assert (step.status, step.retries) == (StepStatus.QUEUED, settings.MAX_RETRIES + 3)

    # Whoever waits hears once that it is noted.
    assert clock.sweep(timezone.now() + clock.SLOW_CHOICE + timedelta(seconds=1)) == 1
    assert clock.sweep(timezone.now() + clock.SLOW_CHOICE + timedelta(seconds=2)) == 0
    assert list(Message.objects.filter(request=request).values_list("notice", flat=True)) == [Notice.CHOICE_NOTED]

    down()
    again(request)
    runner.drain_fulfilling()
    assert drive.fresh(request.pk).state == State.COMPLETED
    assert (flag(), drive.fresh(request.pk).attention) == (True, "")
    assert audit.verify() == []


def test_a_source_that_hears_late_is_told_what_holds_by_then(down: Callable[[], None]) -> None:
    first = drive.by_web(CAST.plain, SALE)
    carried_out()
    [second] = choices.in_case(first.case, [SALE], take_back=True)
    carried_out()
    assert not Choice.objects.standing().exists()
    down()
    # The taking back is heard first; the choice, which has waited longer, must not undo it.
    again(second)
    runner.drain_fulfilling()
    again(first)
    runner.drain_fulfilling()
    assert {drive.fresh(one.pk).state for one in (first, second)} == {State.COMPLETED}
    assert flag() is False


def test_what_another_choice_forbids_stays_forbidden_when_one_is_taken_back(company: None) -> None:
    consent = drive.by_web(CAST.plain, Right.WITHDRAW_CONSENT)
    carried_out()
    drive.by_web(CAST.plain, Right.MARKETING_OPT_OUT)
    carried_out()
    choices.in_case(consent.case, [Right.WITHDRAW_CONSENT], take_back=True)
    carried_out()
    assert not any(row["granted"] for row in rows("marketing_consents", user_id=user_id(CAST.plain)))
    choices.in_case(consent.case, [Right.MARKETING_OPT_OUT], take_back=True)
    carried_out()
    granted = {row["channel"]: row["granted"] for row in rows("marketing_consents", user_id=user_id(CAST.plain))}
    assert granted == {"email": True, "push": False}, "what the person had stopped before stays stopped"


def test_the_list_changes_while_a_source_is_being_told(company: None, monkeypatch: pytest.MonkeyPatch) -> None:
    request = drive.by_web(CAST.plain, SALE)
    source, told = connector("platform"), []
    real = source.apply

    def taken_back_meanwhile(ref: str, choice: str, *, on: bool) -> Outcome:
        told.append(on)
        if len(told) == 1:
            Choice.objects.update(taken_back_at=timezone.now())
        return real(ref, choice, on=on)

    monkeypatch.setattr(source, "apply", taken_back_meanwhile)
    carried_out()
    assert (told, flag()) == ([True, False], False)
    assert drive.fresh(request.pk).state == State.COMPLETED


def test_a_switched_off_source_waits_by_name_and_goes_on(company: None, approver: Actor) -> None:
    control.switch_source("platform", False, actor=approver)
    request = drive.by_web(CAST.plain, SALE)
    carried_out()
    assert Step.objects.get(request=request).reason == StepReason.SOURCE_OFF
    assert Choice.objects.standing().count() == 1
    control.switch_source("platform", True, actor=approver)
    runner.drain_fulfilling()
    assert (drive.fresh(request.pk).state, flag()) == (State.COMPLETED, True)
    assert Source.objects.get(key="platform").enabled


def test_an_address_that_reaches_two_accounts_is_set_by_a_person(company: None, handler: Actor) -> None:
    with company_engine().begin() as connected:
        found = sa.update(users).where(users.c.email == CAST.shared_phone[0])
        connected.execute(found.values(email=CAST.plain.upper()))
    request = drive.by_web(CAST.plain, SALE)
    carried_out()
    step = Step.objects.get(request=request)
    assert (step.status, step.reason) == (StepStatus.BLOCKED, StepReason.NOT_SUPPORTED)
    assert flag() is False
    control.done_by_hand(request.pk, step.pk, actor=handler)
    assert drive.fresh(request.pk).state == State.COMPLETED


def test_one_who_asks_twice_is_listed_once_since_the_first_time(company: None) -> None:
    drive.by_web(CAST.plain, SALE)
    carried_out()
    since = Choice.objects.get().since
    drive.by_web(CAST.plain.upper(), SALE)
    carried_out()
    assert Choice.objects.get().since == since
    assert PrivacyRequest.objects.filter(state=State.COMPLETED).count() == 2


def test_law_13_the_list_outlives_the_case_by_its_hash_alone(company: None) -> None:
    kept = drive.by_web(CAST.plain, SALE)
    drive.by_web(CAST.plain, Right.LIMIT_SENSITIVE)
    carried_out()
    choices.in_case(kept.case, [Right.LIMIT_SENSITIVE], take_back=True)
    carried_out()
    clock.sweep(timezone.now() + drive.BEYOND_THE_LOG)
    assert drive.fresh(kept.pk).case.purged_at is not None
    [left] = Choice.objects.all()
    assert (left.kind, left.case_id, left.request_id) == (SALE, None, None)
    assert left.email_index == keys.email_index(CAST.plain)
    # And it can still be taken back, in a case of its own.
    choices.from_account(CAST.plain, [SALE], "n1", take_back=True)
    carried_out()
    assert (Choice.objects.standing().count(), flag()) == (0, False)
    assert audit.verify() == []


def test_only_choices_can_be_taken_back_and_only_by_somebody_known(company: None) -> None:
    request = drive.by_web(CAST.plain)
    with pytest.raises(IntegrityError), transaction.atomic():
        PrivacyRequest.objects.filter(pk=request.pk).update(take_back=True)
    with pytest.raises(IntegrityError), transaction.atomic():
        Choice.objects.create(kind=Right.DELETION, email_index="x", since=timezone.now())
    # A form that says so does not take anything back: the field is not read from what a stranger sends.
    drive.by_web(CAST.plain, SALE)
    carried_out()
    client_sent = drive.by_web(CAST.plain, SALE, statement='{"take_back": true}')
    assert client_sent.take_back is False


def test_the_same_wish_is_not_filed_twice(company: None) -> None:
    first = drive.by_web(CAST.plain, SALE)
    assert choices.in_case(first.case, [SALE]) == [], "it is under way"
    carried_out()
    assert choices.in_case(first.case, [SALE]) == [], "it holds"
    assert len(choices.in_case(first.case, [SALE], take_back=True)) == 1
    assert choices.in_case(first.case, [SALE], take_back=True) == []
    assert len(choices.in_case(first.case, [SALE])) == 1, "a mind is changed once more"
    carried_out()
    assert (Choice.objects.standing().count(), flag()) == (1, True)


@pytest.mark.parametrize("regime", regimes.all_ids())
def test_law_12_no_choice_needs_a_proof_in_any_regime(regime: str) -> None:
    loaded = regimes.load(regime)
    from dsar.enums import UNVERIFIED_RIGHTS
    from dsar.law import tiers

    assert {tiers.needed(loaded, right.value) for right in UNVERIFIED_RIGHTS} == {0}


def test_law_12_a_choice_that_was_asked_about_is_granted_without_a_proof(
    company: None, handler: Actor, approver: Actor
) -> None:
    message = drive.by_web(CAST.plain, "")
    catalogue.split(message.pk, [SALE], actor=handler)
    request = PrivacyRequest.objects.get(right=SALE)
    decide.ask(request.pk, "Do you mean the shop?", actor=handler)
    clock.sweep(timezone.now() + settings.ANSWER_WITHIN + timedelta(minutes=1))
    assert drive.fresh(request.pk).state == State.REVIEW
    locating.drain()
    decide.approve(request.pk, actor=approver)
    runner.drain_fulfilling()
    assert (drive.fresh(request.pk).state, flag()) == (State.COMPLETED, True)


# --- one-click unsubscribe -------------------------------------------------------------------------------------------

ADDRESSES = st.builds(
    "{}@{}.example".format, st.text(st.characters(codec="utf-8", exclude_categories=["Cs", "Cc", "Z"]), min_size=1, max_size=60),
    st.from_regex(r"[a-z][a-z0-9-]{0,20}", fullmatch=True),
)  # fmt: skip


@given(ADDRESSES)
def test_a_token_carries_its_address_and_shows_nothing_of_it(address: str) -> None:
    usable = keys.normalise_email(address)
    if not usable:
        with pytest.raises(ValueError, match="address"):
            unsubscribe.token_for(address)
        return
    token = unsubscribe.token_for(address)
    assert unsubscribe.address_in(token) == usable
    assert token != unsubscribe.token_for(address), "two links cannot be told to be the same person's"
    assert token.isascii()
    assert usable.partition("@")[0] not in token or len(usable.partition("@")[0]) < 4


@given(st.text(max_size=200), st.integers(min_value=0))
def test_a_forged_token_opens_nothing(text: str, at: int) -> None:
    assert unsubscribe.address_in(text) == ""
    real = unsubscribe.token_for("ann@example.com")
    place = at % len(real)
    other = "A" if real[place] != "A" else "B"
    assert unsubscribe.address_in(real[:place] + other + real[place + 1 :]) == ""
    assert unsubscribe.address_in(real[:place]) == ""
    assert unsubscribe.address_in(real + "=") == ""


def test_a_link_can_be_pressed_again_after_the_choice_was_taken_back(company: None) -> None:
    token = unsubscribe.token_for(CAST.plain)
    for _click in range(3):
        unsubscribe.file(token, CAST.plain)
    carried_out()
    assert PrivacyRequest.objects.count() == 1
    choices.from_account(CAST.plain, [Right.MARKETING_OPT_OUT], "n1", take_back=True)
    carried_out()
    assert not Choice.objects.standing().exists()
    unsubscribe.file(token, CAST.plain)
    carried_out()
    assert Choice.objects.standing().count() == 1

    # Taken back and pressed again before any worker has looked: the last word counts.
    choices.from_account(CAST.plain, [Right.MARKETING_OPT_OUT], "n2", take_back=True)
    for _click in range(2):
        unsubscribe.file(token, CAST.plain)
    carried_out()
    assert Choice.objects.standing().count() == 1
    assert PrivacyRequest.objects.count() == 5


def test_what_could_not_be_opened_at_once_is_opened_by_the_sweep(
    company: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(*_: Any) -> None:
        raise RuntimeError

    with monkeypatch.context() as patch:
        patch.setattr(submit, "open_case", fails)
        unsubscribe.file(unsubscribe.token_for(CAST.plain), CAST.plain)
    assert Intake.objects.get().channel == Channel.WEB
    from dsar.intake import sweep

    sweep.drain()
    assert PrivacyRequest.objects.get().right == Right.MARKETING_OPT_OUT


# --- commands --------------------------------------------------------------------------------------------------------


def run(monkeypatch: pytest.MonkeyPatch, given: str, *command: str, out: StringIO | None = None) -> str:
    """A management command with this on its standard input."""
    out = out or StringIO()
    monkeypatch.setattr("sys.stdin", StringIO(given))
    call_command(*command, stdout=out)
    return out.getvalue()


def test_the_list_answers_for_addresses_and_prints_none_of_its_own(
    company: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    drive.by_web(CAST.plain, Right.MARKETING_OPT_OUT)
    drive.by_web("nobody.here@example.com", Right.MARKETING_OPT_OUT)
    drive.by_web(CAST.neighbour, SALE)
    carried_out()
    asked = f"{CAST.neighbour}\n{CAST.plain.upper()}\n\nother@example.com\n" + "x@example.com\n" * 600
    listed = run(monkeypatch, asked, "suppression", "--kind", "marketing_opt_out")
    assert listed.split() == [CAST.plain.upper()]
    # What cannot be read is passed over by nobody: whoever it means might be on the list.
    out = StringIO()
    with pytest.raises(CommandError, match="line 1, 4"):
        run(
            monkeypatch,
            f"none\n\n{CAST.plain}\nAnn <{CAST.plain}>\n",
            "suppression",
            "--kind",
            "marketing_opt_out",
            out=out,
        )
    assert out.getvalue().split() == [CAST.plain]
    assert run(monkeypatch, "", "suppression", "--kind", "marketing_opt_out") == ""


def test_the_mailer_is_given_link_and_headers(monkeypatch: pytest.MonkeyPatch) -> None:
    link, header, post = run(monkeypatch, " Ann@Example.com \n", "unsubscribe_link").splitlines()
    assert (header, post) == (f"List-Unsubscribe: <{link}>", "List-Unsubscribe-Post: List-Unsubscribe=One-Click")
    assert link.startswith(settings.BASE_URL + "/u/")
    assert unsubscribe.address_in(link.rstrip("/").rpartition("/")[2]) == "ann@example.com"
    with pytest.raises(CommandError, match="line 2, 3"):
        run(monkeypatch, "ann@example.com\nnone\nAnn <ann@example.com>\n", "unsubscribe_link")


def test_no_letter_says_that_a_choice_was_received_before_it_is_done(company: None) -> None:
    drive.by_web(CAST.plain, SALE)
    assert not Message.objects.exists()
    carried_out()
    message = Message.objects.exclude(notice=Notice.TELL_RECIPIENT).get()
    assert (message.notice, message.status) == (Notice.DONE_CHOICE, MessageStatus.SENT)
