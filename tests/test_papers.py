"""Identity papers: asked for by a person with a reason, seen by few and each time on the record, destroyed when decided; and
by what right somebody asks for somebody else, under every law."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import IntegrityError, transaction

from accounts.models import Role
from dsar import audit, records
from dsar.enums import UNVERIFIED_RIGHTS, CheckStatus, RepresentativeKind, Right, Risk, State, StepReason
from dsar.fulfilment import risk
from dsar.law import regimes, representing, tiers
from dsar.models import REQUESTER, SYSTEM, AuditEvent, Case, IdentityPaper, Message, PrivacyRequest
from dsar.models.own_data import OWN_DATA, Kind
from dsar.notices import Notice
from dsar.notifications import compose
from dsar.review import decide, purge
from dsar.verification import by_hand, papers, representation
from dsar.workflow import Conflict, Forbidden, Invalid, move
from tests import drive
from tests.drive import Route

pytestmark = pytest.mark.usefixtures("own_journal")

DOUBT, WORDS = "The address was changed twice last week.", "Your passport: we need the name and the date of birth."
BODY = b"%PDF-1.7 a covered passport of somebody"


def asked(route: Route) -> PrivacyRequest:
    """A copy under a law that wants more than a mailbox, and a colleague who has asked for a paper."""
    request = route.review_below_its_tier()
    papers.ask(request.pk, DOUBT, WORDS, actor=route.handler)
    return drive.fresh(request.pk)


def sent(route: Route) -> tuple[PrivacyRequest, IdentityPaper]:
    """The person has sent it."""
    request = asked(route)
    papers.keep(request.case, "passport.pdf", BODY, actor=REQUESTER)
    return drive.fresh(request.pk), IdentityPaper.objects.get()


def test_a_paper_is_asked_for_with_a_reason_and_advice_and_never_of_whoever_need_show_nothing(route: Route) -> None:
    request = route.review_below_its_tier()
    for why, text in ((" ", WORDS), (DOUBT, " ")):
        with pytest.raises(Invalid):
            papers.ask(request.pk, why, text, actor=route.handler)
    with pytest.raises(Forbidden):
        papers.ask(request.pk, DOUBT, WORDS, actor=drive.person_of_the_desk(Role.AUDITOR))
    with pytest.raises(Conflict):
        papers.keep(request.case, "passport.pdf", BODY, actor=REQUESTER)
    papers.ask(request.pk, DOUBT, WORDS, actor=route.handler)
    with pytest.raises(Conflict):
        papers.ask(request.pk, DOUBT, WORDS, actor=route.handler)
    mail = str(compose.mail(Message.objects.get(notice=Notice.PAPER_ASKED)).body)
    for said in (WORDS, "cover everything", "destroyed as soon as it is decided", "You need not do it"):
        assert said in " ".join(mail.split())
    assert DOUBT not in mail
    for one in (route.locating(Right.OPT_OUT_SALE), route.verifying(), route.review(), route.fulfilling()):
        assert not papers.may_ask(drive.fresh(one.pk)), one.state
        with pytest.raises(Conflict):
            papers.ask(one.pk, DOUBT, WORDS, actor=route.handler)


def test_each_opening_stands_in_the_trail_with_who_and_why_and_nothing_of_the_paper_does(route: Route) -> None:
    request, paper = sent(route)
    assert request.attention == StepReason.PAPER
    assert request in PrivacyRequest.objects.needing_staff()
    assert BODY not in bytes(paper.body_sealed or b"")
    for role in (Role.AUDITOR, Role.ADMIN, Role.NONE):
        with pytest.raises(Forbidden):
            papers.open_one(paper.pk, "decide", actor=drive.person_of_the_desk(role))
    with pytest.raises(Invalid):
        papers.open_one(paper.pk, "curious", actor=route.handler)
    for actor in (route.handler, route.handler, route.approver):
        assert papers.open_one(paper.pk, "decide", actor=actor).body == BODY
    seen = AuditEvent.objects.filter(what="identity_paper_seen").order_by("number")
    assert [one.actor_id for one in seen] == [route.handler.user_id, route.handler.user_id, route.approver.user_id]
    assert seen[0].details == {"file": paper.pk, "reason": "decide"}
    trail = str(list(AuditEvent.objects.values_list("details", flat=True)))
    assert "passport" not in trail
    assert DOUBT not in trail


def decided(route: Route, request: PrivacyRequest) -> None:
    drive.shown_by_hand(
        request.pk, "data_points_3_declared", "The passport shows the name on the account.", actor=route.handler
    )


def not_convinced(route: Route, request: PrivacyRequest) -> None:
    papers.decline(request.pk, actor=route.handler)


def withdrawn(route: Route, request: PrivacyRequest) -> None:
    move(request.pk, "withdraw", actor=REQUESTER)
    papers.sweep()


def lapsed(route: Route, request: PrivacyRequest) -> None:
    with pytest.raises(Invalid):
        decide.lapse(request.pk, "They sent what we asked for.", actor=route.approver)
    drive.refuse(request.pk, "IDENTITY_NOT_PROVEN", "We could not be sure.", actor=route.approver)
    papers.sweep()


def fallen_back(route: Route, request: PrivacyRequest) -> None:
    decide.fall_back(request.pk, actor=route.handler)
    papers.sweep()


def purged(route: Route, request: PrivacyRequest) -> None:
    move(request.pk, "withdraw", actor=REQUESTER)
    assert purge.purge(request.case_id)


@pytest.mark.parametrize("ending", [decided, not_convinced, withdrawn, lapsed, fallen_back, purged])
def test_law_12_an_identity_paper_is_destroyed_as_soon_as_its_check_is_decided(route: Route, ending: Any) -> None:
    request, paper = sent(route)
    papers.open_one(paper.pk, "decide", actor=route.handler)
    assert papers.sweep() == 0, "not before"
    ending(route, request)
    paper.refresh_from_db()
    assert (paper.body_sealed, paper.name_sealed) == (None, None)
    assert paper.destroyed_at
    with pytest.raises(Conflict):
        papers.open_one(paper.pk, "decide", actor=route.handler)
    assert papers.asked(Case.objects.get(pk=request.case_id)) is None
    assert drive.fresh(request.pk).attention == ""
    # What stays: seen, by whom, when.
    assert AuditEvent.objects.get(what="identity_paper_seen").actor_id == route.handler.user_id
    with pytest.raises(IntegrityError), transaction.atomic():
        IdentityPaper.objects.filter(pk=paper.pk).update(body_sealed=b"back")
    assert audit.verify() == []


def test_a_colleague_adds_one_that_came_unasked_and_a_second_look_destroys_it_whatever_it_finds(route: Route) -> None:
    request = route.review_below_its_tier()
    papers.keep(request.case, "from the letter.png", BODY, actor=route.handler)
    with pytest.raises(Invalid):
        papers.keep(request.case, "too large", b"x" * (11 * 1024 * 1024), actor=route.handler)
    check = drive.shown_by_hand(request.pk, "data_points_3_declared", "Seen.", actor=route.handler)
    assert check.status == CheckStatus.PASSED
    assert not IdentityPaper.objects.exclude(body_sealed=None).exists()
    assert drive.fresh(request.pk).state == State.LOCATING
    fields = OWN_DATA["dsar.IdentityPaper"]
    assert {name for name, kind in fields.items() if kind == Kind.SEALED} == {"name_sealed", "body_sealed"}


def test_an_authority_that_was_seen_stays_with_its_case_and_says_until_when(route: Route) -> None:
    case = drive.a_case(right=Right.DELETION, acts_as="attorney", own_name="Jorun Aske", own_email="asks@example.net")
    paper = representation.attach(case, "power.pdf", BODY, actor=REQUESTER)
    for one in (route.approver, drive.person_of_the_desk(Role.APPROVER)):
        representation.seen(case, "The power, signed and dated.", actor=one)
    assert purge.kept_until(case) is None, "as long as anything is open"
    move(case.requests.get().pk, "withdraw", actor=REQUESTER)
    representation.sweep()
    paper.refresh_from_db()
    assert paper.body_sealed is not None
    ended = drive.fresh(case.requests.get().pk).ended_at
    until = purge.kept_until(case)
    assert ended is not None and until is not None
    # As long as the log of requests under this law, which is longer than a case file as shipped.
    assert until == records.last_day(case) + timedelta(days=1) > (ended + purge.period()).date()
    purge.purge(case.pk)
    paper.refresh_from_db()
    assert (paper.body_sealed, bool(paper.destroyed_at)) == (None, True)


# --- who asks for somebody else, under every law ----------------------------------------------------------------------


LAWS = list(regimes.all_ids())


def test_law_12_a_choice_is_never_verified_in_any_law(route: Route, settings: Any) -> None:
    """Whoever asks and whatever speaks against them: no tier, no way to prove it, no paper, no flag, no refusal."""
    assert len(LAWS) == 33
    settings.RISK_REQUESTS = settings.RISK_HOUSE_REQUESTS = 1
    settings.DISPOSABLE_DOMAINS = frozenset({"example.com"})
    for law in LAWS:
        regime = regimes.load(law)
        for right in UNVERIFIED_RIGHTS:
            assert (tiers.needed(regime, right), tiers.methods(regime, right), tiers.by_hand(regime, right)) == (
                0,
                (),
                (),
            )
            for kind in ("self", RepresentativeKind.AGENT):
                wanted = representing.demand(regime, kind, right)
                assert (wanted.may, wanted.direct, wanted.authority) == (True, False, False), (law, right)
    for right in UNVERIFIED_RIGHTS:
        for given in ({}, {"acts_as": "agent", "own_name": "Jorun Aske", "own_email": "asks@example.net"}):
            request = drive.a_request(right=right, **given)
            assert (request.state, request.tier_needed, request.case.is_proven) == (State.LOCATING, 0, False)
            assert risk.of(request.case, request.received_at), "there is something to look at, and nobody asks"
            flags = [*Risk.values, "representative", "unverified", "staff", "hold", "not_me"]
            done = move(request.pk, "located", actor=SYSTEM, nothing_held=False, judgement=flags)
            assert (done.state, done.judgement) == (State.FULFILLING, [])
            assert not papers.may_ask(done)
            assert by_hand.methods(done.case) == []


@pytest.mark.parametrize("law", LAWS)
def test_no_law_lets_us_ask_an_agent_for_more_than_it_says(law: str) -> None:
    regime = regimes.load(law)
    for right in (right for right in Right if right):
        assert representing.demand(regime, "self", right) == representing.Demand()
        agent = representing.demand(regime, "agent", right)
        assert not agent.authority, "a power of attorney is never demanded"
        for kind in ("guardian", "attorney", "estate"):
            assert representing.demand(regime, kind, right) == representing.Demand(authority=True)
        if regime.agents.opt_out_only and right not in UNVERIFIED_RIGHTS:
            assert agent == representing.Demand(may=False, direct=True), "the person is asked themselves"
    if law == "us_ca_ccpa":
        for right in (Right.KNOW, Right.ACCESS, Right.DELETION, Right.CORRECTION):
            assert representing.demand(regime, "agent", right) == representing.Demand(permission=True, direct=True)
        for right in (Right.OPT_OUT_SALE, Right.LIMIT_SENSITIVE):
            assert representing.demand(regime, "agent", right) == representing.Demand(permission=True)
        assert (regime.agents.attorney_exempt, regime.guardian_below) == (True, 13)
    if law in ("eu_gdpr", "uk_gdpr"):
        assert representing.demand(regime, "agent", Right.ACCESS) == representing.Demand(permission=True)
        assert regime.guardian_below == 0, "whoever understands asks alone"


@pytest.mark.parametrize(("law", "asks"), [("us_ca_ccpa", True), ("us_co_cpa", False), ("eu_gdpr", True)])
def test_an_agent_is_asked_for_the_permission_where_the_law_lets_us_and_for_nothing_else(
    route: Route, law: str, asks: bool
) -> None:
    made = drive.a_request(right=Right.KNOW, acts_as="agent", own_name="Jorun Aske", own_email="asks@example.net")
    Case.objects.filter(pk=made.case_id).update(regime=law, regime_version="")
    request = drive.fresh(made.pk)
    assert representation.may_ask_permission(request) is asks
    if not asks:
        with pytest.raises(Conflict):
            representation.ask_permission(request.pk, "", actor=route.handler)
        return
    message = representation.ask_permission(request.pk, "With the date, please.", actor=route.handler)
    assert message is not None
    assert message.to == "asks@example.net"
    said = " ".join(str(compose.mail(message).body).split())
    assert "no power of attorney, no notary" in said
    assert "With the date, please." in said
    assert request.case.email not in said
    assert representation.ask_permission(request.pk, "", actor=route.handler) is None, "once a day"
    representation.attach(request.case, "permission.png", BODY, actor=REQUESTER)
    held = representation.seen(request.case, "Signed by the person on 3 May.", actor=route.approver)
    assert not held.stands
    assert not representation.may_ask_permission(drive.fresh(request.pk))
    assert held.papers.get().body_sealed is not None, "kept for the record"
