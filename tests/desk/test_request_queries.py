"""A request on which much hangs: its page asks each set once, however many rows it has, and decides nothing by what it read."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.models import Role
from dsar.desk.catalogue import VERBS
from dsar.enums import OwnerTaskStatus, Right
from dsar.models import (
    Appeal,
    ClockEvent,
    Correction,
    Decision,
    Fee,
    IdentityCheck,
    LawChange,
    NonDisclosure,
    OwnerTask,
    PrivacyRequest,
    Proposal,
    RecipientNotice,
    Recusal,
    Step,
)
from dsar.models.once import once
from dsar.models.shown import whole
from dsar.review import laws, recuse, refusals
from tests.desk import scenes
from tests.desk.pages import send, url


def in_dispute() -> PrivacyRequest:
    """A deletion in review: something may not be told, a refusal is proposed, a colleague is kept apart, and the person says
    that they live elsewhere."""
    request = scenes.silent(confirmed=True)
    refusals.propose(
        request.pk, "MANIFESTLY_UNFOUNDED", "Because.", actor=scenes.actor(number=7), facts="Ten in a day."
    )
    recuse.name(request.pk, [scenes.person(Role.HANDLER, 5).pk], actor=scenes.actor())
    laws.say(request.case_id, "US", "VA")
    return scenes.fresh(request)


BUSY = {
    "in dispute": in_dispute,
    "a copy that a source keeps failing": scenes.copy_stuck,
    "a copy that is looked through": scenes.looked_through,
    "an identity paper came": scenes.paper_asked,
    "a recipient was not told": lambda: scenes.untold("payments"),
    "answered, and the person wrote again": scenes.not_content,
}


def heap(request: PrivacyRequest, turn: int) -> None:
    """One more row of everything that can hang on a request."""
    now, today, me = timezone.now(), timezone.localdate(), scenes.person(Role.APPROVER)
    case, other = request.case, scenes.person(Role.HANDLER, 10 + turn)
    sealed = case.seal("words", "any")
    decided = Decision.objects.create(request=request, kind="fee_asked", decided_by=me)
    shared = {"request": request, "code": "FEE_EXCESSIVE", "citation": "an article"}
    settled = {"status": "waived", "settled_at": now, "settled_by": me, "answer_by": now}
    Fee.objects.create(**shared, **settled, decision=decided, amount=1, currency="EUR")
    back = {"proposed_by": other, "status": "sent_back", "decided_by": me, "decided_at": now}
    Proposal.objects.create(**shared, **back, kind="refuse")
    found = {"review_on": today + timedelta(days=9), "first_by": other, "second_by": me, "second_at": now}
    NonDisclosure.objects.create(**shared, **found, kind="kept", source="platform", category="c", since=today)
    Appeal.objects.create(
        request=request, kind="complaint", channel="web", received_at=now, regime=case.regime, due_on=today,
        regime_version=case.regime_version, target_on=today, outcome="dismissed", decided_at=now, decided_by=me,
        reasons_sealed=sealed,
    )  # fmt: skip
    Correction.objects.create(request=request, field=f"field {turn}")
    ClockEvent.objects.create(request=request, kind="extension_notice_sent", on=today, decision=decided)
    RecipientNotice.objects.create(request=request, recipient=f"recipient {turn}")
    step = Step.objects.create(request=request, source=f"source {turn}", kind="export", status="blocked")
    OwnerTask.objects.create(step=step, status=OwnerTaskStatus.DONE, due_on=today, answered_at=now)
    IdentityCheck.objects.create(
        case=case, kind="by_hand", expires_at=now, status="failed", decided_at=now, recorded_by=other
    )
    Recusal.objects.create(case=case, user=other, named_by=me)
    LawChange.objects.create(case=case, before="eu_gdpr", after="eu_gdpr", status="refused", decided_at=now)
    PrivacyRequest.objects.create(
        case=case, right=Right.KNOW, state="review", received_at=now, due_on=today, tier_needed=request.tier_needed
    )
    send(request, "note", Role.HANDLER, text=f"note {turn}")


@pytest.mark.parametrize("busy", BUSY)
def test_a_busy_page_asks_a_bounded_number_of_times_however_many_rows_there_are(company, busy):
    request = BUSY[busy]()
    client = scenes.browser(Role.APPROVER)

    def queries() -> int:
        with CaptureQueriesContext(connection) as captured:
            assert client.get(url(request)).status_code == 200
        return len(captured)

    heap(request, 0)
    few = queries()
    for turn in range(1, 5):
        heap(request, turn)
    assert queries() == few <= 32


@pytest.mark.parametrize("busy", BUSY)
def test_what_is_read_at_once_offers_what_a_fresh_look_offers(company, busy):
    """The page and the POST of a verb ask the same: the one of what was read together, the other of the database."""
    request = BUSY[busy]()
    heap(request, 0)
    shown, plain, actor = whole(request.pk), scenes.fresh(request), scenes.actor(number=7)
    for slug, verb in VERBS.items():
        assert verb.is_there(shown) == verb.is_there(plain), slug
        if verb.is_there(plain):
            assert verb.bar(shown, actor) == verb.bar(plain, actor), slug


def test_a_question_is_asked_once_of_what_is_shown_and_each_time_where_something_is_decided(company):
    request = scenes.review()
    shown, asked = whole(request.pk), []
    for held in (shown, shown, shown.case, request, request):
        assert once(held, "a question", lambda held=held: asked.append(held) or len(asked))
    assert asked == [shown, shown.case, request, request]
    with pytest.raises(PrivacyRequest.DoesNotExist):
        whole(0)
