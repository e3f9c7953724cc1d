"""What a law forbids to tell in one request is told by no other one of the same person unseen: somebody looks first."""

import json
from typing import Any

import pytest
from django.db import transaction
from django.urls import reverse
from django.utils import timezone

from accounts.models import Role
from dsar.desk import silence_verbs
from dsar.desk.catalogue import VERBS
from dsar.enums import DecisionKind, Outcome, Right, SilenceKind, State, StepKind
from dsar.fulfilment import control, later, locating, progress, runner, silence
from dsar.intake import submit
from dsar.models import Actor, Decision, Kept, Message, NonDisclosure, PrivacyRequest, Step
from dsar.models.non_disclosure import SILENT_ELSEWHERE
from dsar.notices import Notice
from dsar.notifications import kept_letter, letters, undisclosed
from dsar.review import decide, refusals
from dsar.workflow import Conflict
from tests import drive
from tests.desk import scenes
from tests.desk.pages import offered, url
from tests.drive import CAST, Route
from tests.fulfilment import copies
from tests.fulfilment.test_kept_later import erased, look, set_back, told
from tests.fulfilment.test_kept_later import user as user
from tests.notifications.test_letters import PLAN
from tests.portal.test_undisclosed import PLACE, bodies, day, not_told

pytestmark = pytest.mark.usefixtures("own_journal")

BODY = {**PLAN, "flags": []}
NOTHING = {"platform": {**PLAN["sources"]["platform"], "status": "none"}}
AUTOMATIC = frozenset({"know", "access", "portability"})
FLAG = [SILENT_ELSEWHERE]


def located(request: PrivacyRequest, **changed: Any) -> PrivacyRequest:
    """As the workers leave it, whose search ended with this plan."""
    with transaction.atomic():
        locating.store(request, {**BODY, **changed})
    locating.settle(request.pk)
    return drive.fresh(request.pk)


def asked(right: str, address: str = CAST.plain) -> PrivacyRequest:
    request = drive.a_request(address, right)
    drive.proven_by_link(request.case)
    return drive.fresh(request.pk)


def of_the_same_case(first: PrivacyRequest, right: str) -> PrivacyRequest:
    """As an upheld appeal begins it anew."""
    return submit.add_request(drive.fresh(first.pk).case, right, "Once more.", clear=True)


def test_law_06_what_one_request_does_not_tell_needs_a_person_in_every_later_one(db: None, settings: Any) -> None:
    settings.AUTOMATIC_APPROVAL = AUTOMATIC
    first = located(asked(Right.KNOW))
    assert (first.state, first.judgement) == (State.FULFILLING, [])
    not_told(first)
    at_once = {Right.DELETION: State.CONFIRMING, Right.CORRECTION: State.REVIEW}
    for right in (Right.KNOW, Right.ACCESS, Right.PORTABILITY, Right.DELETION, Right.CORRECTION):
        anew = of_the_same_case(first, right)
        # So many links a day and mailbox.
        for begun in (anew, asked(right)) if right in (Right.KNOW, Right.ACCESS) else (anew,):
            found = located(begun)
            assert (found.state, found.judgement) == (State.REVIEW, FLAG), right
        other = located(asked(right, f"{right}@stranger.example"))
        assert (other.state, other.judgement) == (at_once.get(right, State.FULFILLING), []), right
        # On their page it looks like whatever else a person has to look at.
        plain = located(asked(right, f"{right}@other.example"), flags=["staff"])
        assert progress.steps(found) == progress.steps(plain)
        assert progress.ball(found) == progress.ball(plain)
    # Where nothing is held, nothing is told, and nobody has to look.
    nothing = located(of_the_same_case(first, Right.KNOW), sources=NOTHING, items=[])
    assert (nothing.state, nothing.outcome) == (State.COMPLETED, Outcome.NOTHING_HELD)
    # What says nothing of what is held waits for nobody, and who proves nothing sets nothing off.
    assert located(of_the_same_case(first, Right.MARKETING_OPT_OUT)).judgement == []
    unproven = drive.a_request(CAST.plain, Right.KNOW)
    with transaction.atomic():
        assert not NonDisclosure.objects.elsewhere(unproven).exists()
    # Told again by two, it is nobody's question.
    NonDisclosure.objects.update(ended_at=timezone.now())
    assert located(of_the_same_case(first, Right.KNOW)).state == State.FULFILLING


def test_law_06_what_is_open_already_is_flagged_too_as_soon_as_something_is_not_told(
    route: Route, settings: Any
) -> None:
    second = drive.person_of_the_desk(Role.APPROVER)
    copy, know, stranger = asked(Right.ACCESS), asked(Right.KNOW), asked(Right.KNOW, CAST.neighbour)
    first, copy, know, stranger = (located(one, flags=["staff"]) for one in (asked(Right.KNOW), copy, know, stranger))
    copy = drive.fresh(decide.approve(copy.pk, actor=route.approver).pk)
    assert copy.state == State.FULFILLING
    silence.propose(first.pk, PLACE, "A law", "Why.", day(60), actor=second)
    flagged = {one.pk: SILENT_ELSEWHERE in drive.fresh(one.pk).judgement for one in (first, copy, know, stranger)}
    assert flagged == {first.pk: False, copy.pk: True, know.pk: True, stranger.pk: False}
    # A reason that is not told from its confirmation on does so as well.
    other = located(asked(Right.ACCESS, CAST.neighbour), flags=["staff"])
    made = refusals.propose(
        stranger.pk, "EXCESSIVE", "Why.", actor=second, facts="Ten.", forbidden_by="A law", forbidden_until=day(60)
    )
    assert SILENT_ELSEWHERE not in drive.fresh(other.pk).judgement
    refusals.confirm(stranger.pk, actor=route.approver, seen=made.pk)
    assert SILENT_ELSEWHERE in drive.fresh(other.pk).judgement


def test_law_06_an_approver_sees_what_is_silent_and_says_the_same_here_before_the_letter_leaves(
    route: Route,
) -> None:
    first = located(asked(Right.DELETION), flags=["staff"])
    second = drive.person_of_the_desk(Role.APPROVER)
    old = silence.propose(first.pk, PLACE, "A law", "A report was made.", day(30), actor=route.approver)
    silence.judge(first.pk, old.pk, True, actor=second)
    again = located(asked(Right.KNOW))
    assert again.case_id != first.case_id
    (line,) = silence_verbs.panel(again)["not_told_elsewhere"]
    assert (line["reference"], line["row"].review_on) == (first.case.reference, day(30))
    assert silence_verbs.panel(first)["not_told_elsewhere"] == []
    form = VERBS["silence"].form(again, "silence", plan={})
    given = {name: form.initial.get(name) for name in ("place", "citation", "text", "review_on")}
    assert given == {"place": PLACE, "citation": old.citation, "text": "A report was made.", "review_on": day(30)}
    assert first.case.reference in str(form.fields["place"].choices)
    for role, may in ((Role.APPROVER, True), (Role.HANDLER, False)):
        page = scenes.browser(role).get(url(again))
        text = page.content.decode()
        assert text.count("Not told in another request") > 1, role
        assert first.case.reference in text
        assert ("silence" in offered(page), "A report was made." in text) == (may, may)
    made = silence.propose(again.pk, **given, actor=route.approver)
    with pytest.raises(Conflict):
        decide.approve(again.pk, actor=second)
    silence.judge(again.pk, made.pk, True, actor=second)
    done = decide.approve(again.pk, actor=second)
    assert PLACE.split("|")[1] not in {item["category"] for item in undisclosed.visible(done, BODY)["items"]}
    assert silence.same(drive.fresh(again.pk)) == {}


def test_law_06_a_deletion_refused_in_silence_marks_each_reason_of_a_later_request(route: Route) -> None:
    first = located(asked(Right.DELETION), flags=["staff"])
    decision = Decision.objects.create(request=first, kind=DecisionKind.REFUSE, decided_by_id=route.approver.user_id)
    not_told(first, kind=SilenceKind.REFUSAL, source="", category="", code="EXEMPT", decision=decision)
    again = located(asked(Right.KNOW))
    assert list(silence.same(again)) == [PLACE]


def test_law_06_a_row_left_out_in_silence_is_named_to_whoever_checks_the_next_copy(
    company: None, approver: Actor, second_approver: Actor
) -> None:
    def without_a_row(request: PrivacyRequest) -> str:
        copies.access.open_to(request.pk, actor=approver)
        row = copies.access.rows(request, "platform", "prompts", 0, 1)[0]
        (made,) = copies.access.redact(
            request.pk, "platform", "prompts", row["key"], [""], "THIRD_PARTY", "A report.", actor=approver
        )
        return str(made.pk)

    first = copies.checking(approver)
    one = silence.propose(first.pk, without_a_row(first), "A law", "Tipping off.", day(60), actor=approver)
    silence.judge(first.pk, one.pk, True, actor=second_approver)
    runner.drain_fulfilling()
    control.hand_over(first.pk, actor=second_approver)
    again = copies.checking(approver)
    assert SILENT_ELSEWHERE in again.judgement
    assert [line["what"] for line in silence_verbs.elsewhere(again)["not_told_elsewhere"]] == ["A row of prompts"]
    assert silence.same(again) == {}
    copies.access.open_to(again.pk, actor=scenes.actor())
    page = scenes.browser(Role.APPROVER).get(reverse("desk_copy", args=[again.pk])).content.decode()
    assert "A row of prompts" in page
    made = without_a_row(again)
    assert list(silence.same(drive.fresh(again.pk))) == [made]


# --- a reason that is found later -------------------------------------------------------------------------------------


def otherwise(said: Any) -> Any:
    """The same, with another reason for what the tax law keeps."""
    return json.loads(json.dumps(said).replace("TAX_ACCOUNTING", "AML_KYC"))


def test_law_06_a_new_reason_for_what_is_kept_in_silence_is_not_told_while_the_silence_stands(
    user: int, approver: Actor, second_approver: Actor
) -> None:
    request = erased(approver)
    # It was kept by a reason that may not be told; the look finds that the tax law keeps it as well.
    Kept.objects.filter(request=request, code="TAX_ACCOUNTING").update(code="AML_KYC", review_on=day(90), until=None)
    for step in request.steps.filter(kind=StepKind.ERASE):
        Step.objects.filter(pk=step.pk).update(tallies=otherwise(step.tallies))
    plan = request.plans.newest()
    assert plan is not None
    with transaction.atomic():
        locating.store(request, otherwise(plan.body()), frozen_at=timezone.now())
    one = not_told(request, code="AML_KYC")
    look(request)
    new = Kept.objects.get(request=request, code="TAX_ACCOUNTING")
    assert (new.category, new.found_later) == ("invoices", True)

    def said() -> str:
        letter = Message.objects.create(case=request.case, request=drive.fresh(request.pk), notice=Notice.KEPT_ERASED)
        return " ".join(bodies(letter))

    assert "Invoices" not in str(kept_letter.standing(Kept.objects.filter(request=request)))
    assert "Invoices" not in said()
    later.keep_on(request.pk, new.pk, day(90), "It stays.", actor=approver)
    assert told(request, Notice.KEPT_ON) == []
    # It goes in silence too; only what was told is told again.
    assert letters.items(drive.fresh(request.pk))
    set_back(user, 11)
    look(request)
    assert not Kept.objects.filter(request=request, category="security_logs").exists()
    for letter in told(request, Notice.KEPT_ERASED):
        assert "Invoices" not in " ".join(bodies(letter))
    assert one.is_standing
