"""The verbs of the desk over HTTP: what each does, and how it refuses."""

from datetime import timedelta

import pytest
from bs4 import BeautifulSoup
from django.test import RequestFactory
from django.urls import reverse
from django.utils import timezone

from accounts.models import Role
from dsar.demo.cast import CAST
from dsar.desk.catalogue import VERBS
from dsar.desk.request_page import plan_of
from dsar.enums import DecisionKind, Outcome, State, StepReason, StepStatus
from dsar.fulfilment import silence
from dsar.intake import filing
from dsar.models import AuditEvent, Message, PrivacyRequest, Recusal, Step
from dsar.notices import MessageStatus
from dsar.review import appeals
from dsar.workflow import Forbidden
from tests import drive
from tests.desk import scenes
from tests.desk.pages import offered, page_of, send, typed, url

PLAN_ITEM = "platform|prompts"


# verb: (a scene in which it exists, what is typed, the state afterwards)
HAPPY = {
    "classify": (scenes.triage, {"right": "access"}, State.VERIFYING),
    "split": (scenes.triage, {"rights": ["access", "marketing_opt_out"]}, State.TRIAGE),
    "review-again": (
        lambda: scenes.prove(scenes.ask(CAST.plain, "human_review")),
        {"what": "The credit limit.", "outcome": "upheld", "text": "It was right."},
        State.FULFILLING,
    ),
    "lift": (scenes.restricted, {"text": "The correction is done."}, State.COMPLETED),
    "keep-restriction": (scenes.lifting, {"text": "The claim goes on."}, State.COMPLETED),
    "propose-correction": (scenes.correction, {"field": "phone", "value": "+49 30 901820"}, State.REVIEW),
    "decide-correction": (
        scenes.correction,
        lambda request: scenes.seen(request) | {"decision": "accept"},
        State.REVIEW,
    ),
    "confirm-correction": (
        scenes.refused_by_two,
        lambda request: {"seen": scenes.corrections.to_confirm(request), "sure": "on"},
        State.REVIEW,
    ),
    "fall-back": (scenes.below_its_tier, {"sure": "on"}, State.LOCATING),
    "ask-proof": (scenes.below_its_tier, {"text": ""}, State.REVIEW),
    "ask": (scenes.triage, {"text": "What do you mean?"}, State.CLARIFYING),
    "approve": (scenes.review, {"text": ""}, State.CONFIRMING),
    "charge-fee": (
        lambda: drive.Route(scenes.actor(Role.HANDLER), scenes.actor()).review("access"),
        {
            "code": "FEE_EXCESSIVE",
            "amount": "12.50",
            "currency": "eur",
            "text": "The tenth.",
            "how": "By transfer.",
            "facts": "Ten.",
        },
        State.CLARIFYING,
    ),
    "fee-paid": (scenes.owing, {"text": ""}, State.REVIEW),
    "waive-fee": (scenes.owing, {"text": "A mistake of ours."}, State.REVIEW),
    "weigh": (
        scenes.unweighed,
        {"place": "platform|security|SECURITY_LOGS", "decision": "goes", "text": "Nobody needs them any more."},
        State.REVIEW,
    ),
    "refuse": (
        scenes.review,
        {"code": "MANIFESTLY_UNFOUNDED", "text": "Because.", "facts": "Ten in a day."},
        State.REVIEW,
    ),
    "confirm-refusal": (scenes.proposed, lambda request: {"seen": standing(request), "sure": "on"}, State.REFUSED),
    "return-refusal": (
        scenes.proposed,
        lambda request: {"seen": standing(request), "text": "Too short."},
        State.REVIEW,
    ),
    "refer": (scenes.triage, {"text": "Please ask Lantern."}, State.COMPLETED),
    "propose-referral": (scenes.review, {"text": "Please ask Lantern."}, State.REVIEW),
    "reject": (scenes.triage, {"sure": "on"}, State.REJECTED),
    "merge": (scenes.twin, {"sure": "on"}, State.COMPLETED),
    "lapse": (scenes.unproven, {"text": "Nobody proved it."}, State.LAPSED),
    "extend": (scenes.review, {"code": "COMPLEXITY", "text": "It is a lot."}, State.REVIEW),
    "reply": (scenes.review, {"text": "We are on it."}, State.REVIEW),
    "note": (scenes.review, {"text": "Called them."}, State.REVIEW),
    "look-again": (
        scenes.not_content,
        lambda request: {
            "message": "elsewhere",
            "channel": "telephone",
            "came_on": filing.today().isoformat(),
            "text": "They do not agree.",
        },
        State.REFUSED,
    ),
    "read": (scenes.answered, {}, State.REFUSED),
    "assign": (scenes.review, {}, State.REVIEW),
    "withdraw": (scenes.review, {"sure": "on"}, State.WITHDRAWN),
    "release": (scenes.releasing, typed, State.FULFILLING),
    "narrow": (
        scenes.releasing,
        {"keep": [PLAN_ITEM], "code": "EU_LEGAL_CLAIMS", "text": "A claim came in.", "weighed": "It is in court."},
        State.RELEASING,
    ),
    "retry": (scenes.stuck, {}, State.FULFILLING),
    "by-hand": (
        lambda: scenes.stuck(StepReason.NOT_SUPPORTED),
        lambda request: {"step": blocked(request).pk, "sure": "on"},
        State.FULFILLING,
    ),
    "surer-proof": (scenes.doubtful, {"text": "Please sign in to your account."}, State.REVIEW),
    "hand-over": (scenes.looked_through, typed, State.COMPLETED),
    "send-back": (scenes.looked_through, {"text": "The invoices are missing."}, State.FULFILLING),
    "go-on-without": (
        scenes.copy_stuck,
        lambda request: {
            "step": blocked(request).pk,
            "code": "SYSTEM_CANNOT",
            "text": "It has been switched off for good.",
        },
        State.FULFILLING,
    ),
    "not-done": (
        scenes.not_restricted,
        lambda request: {"step": blocked(request).pk, "code": "SYSTEM_CANNOT", "text": "That system cannot do it."},
        State.FULFILLING,
    ),
    "recipient": (
        lambda: scenes.untold("payments"),
        {"recipient": "payments", "status": "impossible", "text": "They are gone."},
        State.COMPLETED,
    ),
    "identity": (
        scenes.without_a_mailbox,
        {
            "method": "data_points_3_declared",
            "seen": "Day and sum of two payments.",
            "compared": ["name", "other:payment", "other:use"],
            "signed_by": "Ann Example",
            "signed_on": "2026-01-02",
        },
        State.VERIFYING,
    ),
    "ask-paper": (scenes.below_its_tier, {"why": "A doubt.", "text": "Your passport, please."}, State.REVIEW),
    "paper-not-enough": (scenes.paper_asked, {"sure": "on"}, State.REVIEW),
    "ask-permission": (scenes.by_an_agent, {"text": ""}, State.VERIFYING),
    "identity-second": (scenes.seen_by_one, {"agrees": "yes"}, State.VERIFYING),
    "signature": (scenes.signed_page, lambda request: {"agrees": "yes", **typed(request)}, State.RELEASING),
    "not-me": (scenes.without_a_mailbox, {"sure": "on"}, State.REVIEW),
    "name-account": (scenes.without_an_account, {"email": CAST.plain}, State.VERIFYING),
    "nothing-found": (scenes.looked_for_by_hand, {"text": "In the archive of letters."}, State.COMPLETED),
    "kept": (
        scenes.to_review,
        lambda request: {"kept": request.kept.get(code="REFUND_DUE").pk, "decision": "goes", "text": "Paid by hand."},
        State.COMPLETED,
    ),
    "answer": (scenes.clarifying, {"text": "I mean all of it."}, State.TRIAGE),
    "post-instead": (scenes.unreached, {}, State.VERIFYING),
    "answered": (
        scenes.answered,
        lambda request: {"on": request.ended_at.date().isoformat(), "text": "Read to them on the telephone."},
        State.REFUSED,
    ),
    "name-representative": (
        scenes.review,
        {"kind": "estate", "name": "Jorun Aske", "email": "stands-for-them@example.net"},
        State.REVIEW,
    ),
    "lost-mailbox": (scenes.review, {"email": "new-mailbox@example.net"}, State.REVIEW),
    "authority-seen": (scenes.claimed, {"text": "The order of the court."}, State.VERIFYING),
    "authority-refused": (scenes.claimed, {"text": "It is not signed."}, State.VERIFYING),
    "authority-ended": (scenes.standing, {"text": "The child is grown up."}, State.VERIFYING),
    "silence": (
        scenes.review,
        lambda request: {
            "place": silence.found(request)[0][0],
            "citation": "A law",
            "text": "An order.",
            "review_on": timezone.localdate() + timedelta(days=90),
        },
        State.REVIEW,
    ),
    "silence-judge": (
        scenes.silent,
        lambda request: {"which": request.non_disclosures.get().pk, "agrees": "yes"},
        State.REVIEW,
    ),
    "silence-again": (
        lambda: scenes.silent(confirmed=True),
        lambda request: {"which": request.non_disclosures.get().pk, "decision": "told"},
        State.REVIEW,
    ),
    "step-aside": (
        scenes.review,
        lambda request: {"colleagues": [scenes.person(Role.HANDLER, 5).pk]},
        State.REVIEW,
    ),
    "let-in": (scenes.kept_apart, lambda request: {"recusal": request.case.recusals.get().pk}, State.REVIEW),
    "law": (scenes.review, {"law": "uk_gdpr", "text": "You live in Leeds."}, State.REVIEW),
    "law-said": (scenes.lives_elsewhere, {"answer": "stays", "text": "You wrote from Berlin."}, State.REVIEW),
    "dispute": (scenes.disputed, {"founded": "unfounded", "text": "Called back."}, State.RELEASING),
}


def standing(request: PrivacyRequest) -> int:
    """The proposal that the page shows."""
    return request.proposals.standing().get().pk


def blocked(request: PrivacyRequest) -> Step:
    return request.steps.get(status=StepStatus.BLOCKED)


def test_every_verb_of_the_desk_has_its_test():
    assert set(HAPPY) == set(VERBS)


@pytest.mark.parametrize("verb", sorted(HAPPY))
def test_a_verb_is_refused_without_its_role_and_does_its_work_for_one_that_has_it(company, verb):
    scene, data, state = HAPPY[verb]
    request = scene()
    data = data(request) if callable(data) else data
    refused_to_others(request, verb, data)
    assert verb in offered(scenes.browser(Role.APPROVER).get(page_of(request, verb)))
    response = send(request, verb, **data)
    assert (response.status_code, response.get("Location")) == (302, url(request)), response.content.decode()[-3000:]
    assert scenes.fresh(request).state == state
    page = scenes.browser(Role.APPROVER).get(url(request))
    assert page.status_code == 200


def refused_to_others(request: PrivacyRequest, verb: str, data: dict[str, object]) -> None:
    """Nobody without the role, and nobody close to the person, may it, and nothing is changed."""
    before = scenes.fresh(request).state
    events = AuditEvent.objects.count()
    for role in (Role.NONE, Role.HANDLER, Role.AUDITOR, Role.ADMIN):
        if role in VERBS[verb].roles:
            continue
        assert send(request, verb, role, **data).status_code == 403
        if role == Role.HANDLER:
            assert verb not in offered(scenes.browser(role).get(page_of(request, verb)))
    # Whoever is close to the person may nothing either: at the door of the desk, and at the verb itself.
    close = scenes.person(Role.APPROVER, 9)
    Recusal.objects.create(case=request.case, user=close, named_by=close)
    wanted, post = VERBS[verb], RequestFactory().post("/", data).POST
    form = wanted.form(scenes.fresh(request), verb, post, plan=plan_of(scenes.fresh(request))[1])
    assert form.is_valid(), form.errors
    with pytest.raises(Forbidden):
        wanted.run(request.pk, form.cleaned_data, scenes.actor(number=9))
    assert send(request, verb, number=9, **data).status_code == 403
    assert scenes.fresh(request).state == before
    assert AuditEvent.objects.count() == events


@pytest.mark.parametrize("verb", sorted(HAPPY))
def test_an_ended_request_answers_that_it_has_moved_on(company, verb):
    _scene, data, _state = HAPPY[verb]
    request = scenes.ask(CAST.plain)
    scenes.decide.withdraw_for(request.pk, actor=scenes.actor())
    data = {} if callable(data) else data
    response = send(request, verb, **data)
    if verb in ("reply", "note", "step-aside"):
        assert response.status_code == (422 if verb == "step-aside" else 302)
        return
    assert response.status_code == 409
    assert url(request) in response.content.decode()
    assert scenes.fresh(request).state == State.WITHDRAWN


def test_what_stays_undone_in_a_source_is_shown_to_a_second_approver_who_confirms_it(company):
    request = scenes.not_restricted()
    words = {"step": blocked(request).pk, "code": "SYSTEM_CANNOT", "text": "That system cannot do it."}
    assert send(request, "not-done", Role.HANDLER, **words).status_code == 302
    page = scenes.browser(Role.APPROVER).get(url(request)).content.decode()
    for said in ("Leave it undone in a source", "A system could not do it", "GDPR Art 12(3), 12(4)", words["text"]):
        assert said in page
    assert "To leave it undone in a source is proposed" in page
    assert "not-done" not in offered(scenes.browser(Role.APPROVER).get(page_of(request, "not-done")))
    data = {"seen": standing(request), "sure": "on"}
    assert send(request, "confirm-refusal", Role.HANDLER, **data).status_code == 403
    assert send(request, "confirm-refusal", **data).status_code == 302
    assert scenes.fresh(request).state == State.COMPLETED


@pytest.mark.parametrize(
    ("verb", "wrong", "kept"),
    [
        ("ask", {"text": " "}, ""),
        ("refuse", {"code": "", "text": "My careful words"}, "My careful words"),
        ("refuse", {"code": "ACCURATE_AS_HELD", "text": "My careful words"}, "My careful words"),
        ("extend", {"code": "SEARCH_TAKES_LONGER", "text": "My careful words"}, "My careful words"),
        ("propose-referral", {"text": ""}, ""),
        ("approve", {"text": "x" * 9000}, "xxx"),
        ("withdraw", {}, ""),
        ("note", {"text": "\x00"}, ""),
    ],
)
def test_a_failed_form_comes_back_with_its_errors_and_what_was_typed(company, verb, wrong, kept):
    request = scenes.review()
    response = send(request, verb, **wrong)
    soup = BeautifulSoup(response.content, "html.parser")
    assert response.status_code == 422
    assert soup.select_one(".error-summary")
    assert kept in soup.get_text()
    assert soup.title is not None
    assert soup.title.get_text().startswith("Error:")
    assert scenes.fresh(request).state == State.REVIEW


def test_a_release_needs_the_reference_of_this_request(company):
    request = scenes.releasing()
    for wrong in ("", "RD-00000-00000", "yes"):
        assert send(request, "release", reference=wrong).status_code == 422
    assert scenes.fresh(request).state == State.RELEASING
    assert send(request, "release", reference=f" {request.case.reference.lower()} ").status_code == 302


def test_a_double_submit_does_one_thing(company):
    request = scenes.review()
    assert send(request, "approve", text="").status_code == 302
    assert send(request, "approve", text="").status_code == 409
    assert request.decisions.filter(kind=DecisionKind.APPROVE).count() == 1


def test_verbs_are_posts_and_nothing_else(company):
    request = scenes.review()
    client = scenes.browser(Role.APPROVER)
    for verb in VERBS:
        assert client.get(url(request, verb)).status_code == 405
        assert client.put(url(request, verb)).status_code == 405
    assert client.post(url(request, "settle")).status_code == 404
    assert client.post(url(request, "confirm")).status_code == 404
    assert client.post("/desk/requests/999999999999/approve/").status_code == 404
    assert client.get("/desk/requests/99999999999999999999999999/").status_code == 404


def test_split_opens_the_others_with_the_same_receipt(company):
    request = scenes.ask(CAST.plain, "", days=9, statement="all of it")
    send(request, "split", Role.HANDLER, rights=["access", "correction"])
    others = request.case.requests.exclude(pk=request.pk).order_by("pk")
    assert [(one.right, one.state, one.statement) for one in others] == [
        ("access", State.TRIAGE, "all of it"),
        ("correction", State.TRIAGE, "all of it"),
    ]
    assert {one.received_at for one in others} == {request.received_at}
    assert send(request, "split", Role.HANDLER, rights=["access"]).status_code == 422


def test_a_note_is_never_sent_and_a_reply_is(company):
    request = scenes.review()
    send(request, "note", Role.HANDLER, text="for us alone")
    send(request, "reply", Role.HANDLER, text="for the person")
    found = {
        message.text: message.status
        for message in Message.objects.filter(case=request.case, to_sealed=None)
        if message.text
    }
    assert found == {"for us alone": MessageStatus.NOTE, "for the person": MessageStatus.QUEUED}
    page = BeautifulSoup(scenes.browser(Role.AUDITOR).get(url(request)).content, "html.parser")
    assert "for us alone" in page.select_one(".msg.note").get_text()
    assert "for the person" in page.select(".msg.out")[-1].get_text()


def test_an_answer_shows_in_the_queue_and_a_newer_one_is_not_read_with_it(company):
    request = scenes.answered()
    browser = scenes.browser(Role.HANDLER)
    assert "Answer to read" in browser.get(reverse("desk_queue")).content.decode()
    page = BeautifulSoup(browser.get(url(request)).content, "html.parser")
    form = page.select_one(f"form[action='{url(request, 'reply')}']")
    seen = form.select_one("input[name=seen]")["value"]
    Message.objects.create(case=request.case, status=MessageStatus.RECEIVED)
    assert send(request, "reply", Role.HANDLER, text="Thank you.", seen=seen).status_code == 302
    assert scenes.fresh(request).unread_at is not None
    assert send(request, "reply", Role.HANDLER, text="Thank you.", seen=int(seen) + 1).status_code == 302
    assert scenes.fresh(request).unread_at is None


def test_two_people_decide_a_dispute(company):
    request = scenes.disputed()
    answer = {"founded": "founded", "text": "It was somebody else."}
    assert send(request, "dispute", number=0, **answer).status_code == 302
    assert "A second person has to decide" in scenes.browser(Role.APPROVER).get(url(request)).content.decode()
    assert send(request, "dispute", number=0, **answer).status_code == 422
    assert scenes.fresh(request).state == State.RELEASING
    assert send(request, "dispute", number=1, **answer).status_code == 302
    assert scenes.fresh(request).outcome == Outcome.DENIED


def test_a_source_that_needs_hands_is_ticked_off(company):
    request = scenes.stuck(StepReason.NOT_SUPPORTED)
    step = blocked(request)
    assert send(request, "by-hand", Role.HANDLER, step=step.pk).status_code == 422
    assert send(request, "by-hand", Role.HANDLER, step=step.pk + 999, sure="on").status_code == 422
    assert send(request, "by-hand", Role.HANDLER, step=step.pk, sure="on").status_code == 302
    step.refresh_from_db()
    assert step.status == StepStatus.DONE


def test_narrowing_to_nothing_is_a_denial(company):
    request = scenes.releasing()
    page = BeautifulSoup(scenes.browser(Role.APPROVER).get(url(request)).content, "html.parser")
    everything = [box["value"] for box in page.select("input[name=keep]")]
    assert PLAN_ITEM in everything
    send(request, "narrow", keep=everything, code="EU_LEGAL_CLAIMS", text="All of it is needed.", weighed="So.")
    browser = scenes.browser(Role.APPROVER, 1)
    shown = BeautifulSoup(browser.get(url(request)).content, "html.parser").select_one("section.next").get_text()
    assert "All of it is needed." in shown
    assert "Prompts and outputs" in shown
    assert scenes.fresh(request).state == State.RELEASING
    assert "confirm-refusal" not in offered(scenes.browser(Role.APPROVER).get(url(request)))
    assert "Since then" not in shown
    assert send(request, "confirm-refusal", seen=standing(request), sure="on").status_code == 403
    appeals.take(request.pk, "Please hurry.")
    read = {"seen": standing(request), "sure": "on"}
    assert send(request, "confirm-refusal", number=1, **read, heard=0).status_code == 409, "newer words are read first"
    page = BeautifulSoup(browser.get(url(request)).content, "html.parser")
    assert "Since then" in page.get_text()
    form = page.select_one(f"form[action='{url(request, 'confirm-refusal')}']")
    read["heard"] = form.select_one("input[name=heard]")["value"]
    assert send(request, "confirm-refusal", number=1, **read).status_code == 302
    assert (scenes.fresh(request).state, scenes.fresh(request).outcome) == (State.COMPLETED, Outcome.DENIED)


def test_what_was_written_anew_is_read_before_it_is_decided(company):
    request = scenes.correction()
    read = scenes.seen(request)
    scenes.corrections.propose(request.pk, "name", "Mallory Ashgrove", actor=scenes.REQUESTER)
    answer = send(request, "decide-correction", **read, decision="accept")
    assert answer.status_code == 422
    page = BeautifulSoup(answer.content, "html.parser")
    panel = page.select_one("section[aria-labelledby=corrections-title]")
    assert "changed meanwhile" in panel.get_text()
    assert "Mallory Ashgrove" in panel.get_text()
    assert request.corrections.get().status == "proposed"
    again = {field["name"]: field["value"] for field in panel.select("form input[type=hidden]")}
    assert send(request, "decide-correction", **again, decision="accept").status_code == 302
    assert scenes.fresh(request).corrections.get().new == "Mallory Ashgrove"
    scenes.corrections.propose(request.pk, "phone", "+49 30 901820", actor=scenes.REQUESTER)
    panel = BeautifulSoup(scenes.browser(Role.APPROVER).get(url(request)).content, "html.parser").select_one(
        "section[aria-labelledby=corrections-title]"
    )
    assert len(panel.select("form")) == 1, "what is decided is not decided again"


def test_law_14_more_time_is_offered_only_while_its_notice_would_count(company):
    request = scenes.review()
    assert "extend" in offered(scenes.browser(Role.HANDLER).get(url(request)))
    PrivacyRequest.objects.filter(pk=request.pk).update(received_at=request.received_at - timedelta(days=40))
    assert "extend" not in offered(scenes.browser(Role.HANDLER).get(url(request)))
    assert send(request, "extend", Role.HANDLER, code="COMPLEXITY", text="It is a lot.").status_code == 409


def test_what_the_company_approves_by_itself_waits_for_nobody(company, settings):
    assert scenes.prove(scenes.ask(CAST.plain, "know")).state == State.REVIEW
    settings.AUTOMATIC_APPROVAL = frozenset({"know"})
    assert scenes.prove(scenes.ask(CAST.neighbour, "know")).state == State.FULFILLING
    assert scenes.prove(scenes.ask(CAST.org_member, "know")).state == State.REVIEW, "something has to be weighed"
