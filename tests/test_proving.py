"""What shows who somebody is, and how far it reaches: links, codes, sign-ins."""

from datetime import datetime, time, timedelta

import pytest
from allauth.mfa.totp.internal.auth import (
    TOTP,
    format_hotp_value,
    generate_totp_secret,
    hotp_value,
    yield_hotp_counters_from_time,
)
from django.conf import settings
from django.db import IntegrityError, transaction
from django.utils import timezone

from accounts.models import User
from dsar.enums import CheckKind, CheckStatus, ClockEventKind, DecisionKind, Right, State
from dsar.intake import submit
from dsar.models import REQUESTER, AuditEvent, Case, IdentityCheck, Message, PrivacyRequest
from dsar.notices import Notice
from dsar.notifications import compose, outbox
from dsar.review import clock, corrections
from dsar.verification import asking, confirmation, data_points, links, papers, second_factor, sign_in
from dsar.workflow import Conflict, Forbidden, Invalid, move
from tests import drive
from tests.drive import Route

pytestmark = pytest.mark.usefixtures("own_journal")

PASSWORD = ["sign_in_fresh"]


def check_of(case: Case, kind: CheckKind) -> IdentityCheck:
    """The newest check of a kind."""
    return case.checks.filter(kind=kind).order_by("-pk")[0]


def code_of(secret: str) -> str:
    """What an authenticator app shows now."""
    return format_hotp_value(hotp_value(secret, next(iter(yield_hotp_counters_from_time()))))


def test_a_fresh_sign_in_takes_the_case_as_far_as_the_law_lets_it(route: Route) -> None:
    request = route.review_below_its_tier()
    asked = asking.missing(request.case)
    assert asked is not None
    assert (asked.tier, asked.first) == (3, request)
    sign_in.accept(request.case, ["signed_in", "sign_in_fresh"])
    held = drive.fresh(request.pk)
    assert (held.state, held.judgement, held.case.proven_tier) == (State.LOCATING, [], 3)
    check = check_of(held.case, CheckKind.SIGN_IN)
    assert (check.method, check.tier, check.status) == ("sign_in_fresh", 3, CheckStatus.PASSED)
    assert check.valid_until is not None
    assert timezone.now() < check.valid_until <= timezone.now() + settings.PROOF_LIFETIME
    assert asking.missing(held.case) is None
    assert AuditEvent.objects.get(what="signed_in").details == {"method": "sign_in_fresh", "tier": 3}


def test_how_long_a_sign_in_is_fresh() -> None:
    now = timezone.now()

    def ago(method: str, age: timedelta) -> dict[str, object]:
        return {"method": method, "at": (now - age).timestamp()}

    minutes = timedelta(seconds=settings.ACCOUNT_REAUTHENTICATION_TIMEOUT)
    assert sign_in.methods_of([ago("password", minutes / 2)], now) == ["sign_in_fresh"]
    assert sign_in.methods_of([ago("password", minutes * 2), ago("code", minutes / 2)], now) == []
    fresh = [ago("mfa", settings.PROOF_LIFETIME / 2), ago("socialaccount", settings.PROOF_LIFETIME / 2)]
    assert sign_in.methods_of(fresh, now) == ["mfa", "oidc"]
    assert sign_in.methods_of([ago("mfa", settings.PROOF_LIFETIME * 2)], now) == []


def test_only_the_account_of_this_address_counts(db: None) -> None:
    case = drive.a_case("own@example.com")
    own = User.objects.create_user("Own@example.com")
    assert sign_in.is_account_of(case, own)
    assert not sign_in.is_account_of(case, User.objects.create_user("other@example.com", external_id="7"))
    own.close()
    assert not sign_in.is_account_of(case, own)
    case.email_index = ""
    assert not sign_in.is_account_of(case, User(email=""))


def test_a_sign_in_stands_beside_the_proof_of_the_mailbox_and_not_in_its_place(db: None) -> None:
    tiers = []
    for age in (timedelta(0), settings.PROOF_LIFETIME * 2):
        request = drive.a_request(right=Right.ACCESS, country="US-CA")
        sign_in.accept(request.case, PASSWORD)
        assert (drive.fresh(request.pk).state, asking.missing(request.case)) == (State.VERIFYING, None)
        held = request.case.checks.filter(kind=CheckKind.SIGN_IN)
        held.update(valid_until=timezone.now() + settings.PROOF_LIFETIME - age)
        tiers.append(drive.proven_by_link(request.case).proven_tier)
    assert tiers == [3, 2]


def test_nothing_fresh_shows_nothing(route: Route) -> None:
    request = route.review_below_its_tier()
    with pytest.raises(Conflict):
        sign_in.accept(request.case, [])
    assert not request.case.checks.filter(kind=CheckKind.SIGN_IN).exists()


def test_a_second_factor_moves_what_waits_beside_the_deletion(route: Route) -> None:
    copy = route.review_below_its_tier()
    second_factor.accept(copy.case, User.objects.create_user(copy.case.email))
    assert drive.fresh(copy.pk).state == State.LOCATING
    assert check_of(copy.case, CheckKind.SECOND_FACTOR).method == "mfa"


def test_the_second_factor_of_an_account_that_is_only_joined_lets_the_deletion_go_and_shows_nothing_else(
    route: Route,
) -> None:
    copy = route.review_below_its_tier()
    joined = User.objects.create_user("an-older-address@example.com", external_id="7")
    secret = generate_totp_secret()
    TOTP.activate(joined, secret)
    second_factor.check_code(copy.case, [joined], code_of(secret))
    assert second_factor.passed(copy.case)
    held = drive.fresh(copy.pk)
    assert (held.state, held.case.proven_tier) == (State.REVIEW, 2)
    assert check_of(copy.case, CheckKind.SECOND_FACTOR).tier == 0
    assert sign_in.tier_of(held.case, timezone.now()) == 0


def test_a_code_proves_the_mailbox_as_a_link_does(route: Route) -> None:
    request = route.verifying()
    check = links.send_code(request.case)
    assert check is not None
    links.open_with_code(request.case, check.code)
    held = drive.fresh(request.pk)
    assert (held.state, held.case.is_proven) == (State.LOCATING, True)
    assert check_of(held.case, CheckKind.CODE).method == "email_code"
    assert drive.proven_by_link(held.case).proven_tier == held.case.proven_tier


@pytest.mark.parametrize("right", [Right.MARKETING_OPT_OUT, Right.OPT_OUT_SALE, Right.WITHDRAW_CONSENT])
def test_law_12_nobody_is_asked_for_more_over_a_choice(route: Route, right: Right) -> None:
    request = drive.a_request(right=right, country="US-CA")
    drive.proven_by_link(drive.a_case(request.case.email, Right.KNOW))
    Case.objects.filter(pk=request.case_id).update(email_proven_at=timezone.now())
    request.tier_needed = 3
    request.save(update_fields=["tier_needed"])
    assert asking.missing(Case.objects.get(pk=request.case_id)) is None


# --- what a person states ---------------------------------------------------------------------------------------------

FIELDS = ("name", "phone", "invoice_number")
STATED = {"name": "A", "phone": "+49 30 901820", "invoice_number": "7"}


def signed() -> data_points.Signature:
    return data_points.Signature("Ann Example", timezone.localdate())


def test_law_12_a_field_that_is_to_be_corrected_proves_nobody(route: Route) -> None:
    case = route.review_below_its_tier().case
    assert data_points.usable(case, FIELDS) == FIELDS
    wish = submit.add_request(case, Right.CORRECTION, "It is wrong.")
    assert data_points.usable(case, FIELDS) == (), "nobody knows yet which field it is"
    corrections.propose(wish.pk, "phone", "+49 30 111111", actor=REQUESTER)
    assert data_points.usable(case, FIELDS) == ("name", "invoice_number")
    with pytest.raises(Conflict):
        data_points.state(case, STATED, signed())


def test_only_as_much_is_asked_as_the_right_needs(route: Route) -> None:
    case = route.review_below_its_tier().case
    for stated in ({"name": "A", "phone": "+49 30 901820"}, {**STATED, "country": "DE", "name": ""}, {}):
        with pytest.raises(Invalid):
            data_points.state(case, stated, signed())
    with pytest.raises(Invalid, match="sign"):
        data_points.state(case, STATED)
    check = data_points.state(case, {**STATED, "country": "DE"}, signed())
    assert check.asked == list(STATED)
    with pytest.raises(Conflict):
        data_points.state(case, STATED, signed())
    sign_in.accept(case, PASSWORD)
    with pytest.raises(Conflict):
        data_points.state(case, STATED, signed())
    assert data_points.compare(check.pk)
    check.refresh_from_db()
    assert (check.status, check.stated_sealed) == (CheckStatus.SUPERSEDED, None), "nobody needs it any more"


def test_this_was_not_me_ends_what_was_stated(route: Route) -> None:
    case = route.review_below_its_tier().case
    check = data_points.state(case, STATED, signed())
    confirmation.not_me(case)
    check.refresh_from_db()
    assert (check.status, check.stated_sealed) == (CheckStatus.FAILED, None)


def test_law_12_the_database_keeps_nothing_that_was_stated_once_it_is_decided(route: Route) -> None:
    case = route.review_below_its_tier().case
    data_points.state(case, STATED, signed())
    with pytest.raises(IntegrityError), transaction.atomic():
        case.checks.filter(kind=CheckKind.DATA_POINTS).update(status="passed", decided_at=timezone.now())


# --- asking for it, and doing with less -------------------------------------------------------------------------------


def kinds(request: PrivacyRequest) -> list[str]:
    """What the clock of a request has read, in order."""
    return list(request.clock_events.in_order().values_list("kind", flat=True))


def test_staff_ask_for_a_proof_and_the_clock_reads_both_ends(route: Route) -> None:
    request = route.review_below_its_tier()
    outbox.drain()
    assert asking.may_ask(request)
    with pytest.raises(Forbidden):
        asking.ask(request.pk, "", actor=REQUESTER)
    asking.ask(request.pk, "Your signature is enough.", actor=route.handler)
    with pytest.raises(Conflict):
        asking.ask(request.pk, "", actor=route.handler)
    message = Message.objects.get(notice=Notice.PROOF_ASKED)
    message.request = request
    said = " ".join(str(compose.mail(message).body).split())
    assert "The law asks us to check who you are before we show" in said
    assert "11 CCR 7060-7062" in said
    assert "Your signature is enough." in said
    assert "/l/" in said
    assert "Know what is held and why" in said
    before = kinds(request)
    outbox.drain()
    assert kinds(request) == [*before, ClockEventKind.IDENTITY_REQUESTED]
    sign_in.accept(request.case, PASSWORD)
    assert kinds(request)[-1] == ClockEventKind.IDENTITY_RECEIVED
    assert not asking.may_ask(drive.fresh(request.pk))


def test_a_proof_starts_the_clock_of_what_is_asked_about_meanwhile(route: Route) -> None:
    request = route.review_below_its_tier()
    asking.ask(request.pk, "", actor=route.handler)
    outbox.drain()
    route.clarifying(request)
    sign_in.accept(request.case, PASSWORD)
    assert ClockEventKind.IDENTITY_RECEIVED in kinds(request)
    assert drive.fresh(request.pk).state == State.CLARIFYING
    back = move(request.pk, "answer", actor=REQUESTER)
    assert (back.state, back.judgement) == (State.REVIEW, []), "nobody is asked again"


def on_target(request: PrivacyRequest) -> datetime:
    """The day on which we meant to have answered."""
    assert request.target_on is not None
    return timezone.make_aware(datetime.combine(request.target_on, time(12)))


def test_on_the_target_date_a_copy_becomes_what_the_proof_reaches(route: Route) -> None:
    """11 CCR 7024(a)."""
    request = route.review_below_its_tier()
    asking.ask(request.pk, "", actor=route.handler)
    outbox.drain()
    clock.sweep(on_target(request) - timedelta(days=1))
    assert drive.fresh(request.pk).right == Right.ACCESS
    check = data_points.state(request.case, STATED, signed())
    clock.sweep(on_target(request))
    assert drive.fresh(request.pk).right == Right.ACCESS, "not while it is compared"
    IdentityCheck.objects.filter(pk=check.pk).update(status="failed", decided_at=timezone.now(), stated_sealed=None)
    clock.sweep(on_target(request))
    held = drive.fresh(request.pk)
    assert (held.right, held.state, held.tier_needed, held.due_on) == (Right.KNOW, State.LOCATING, 2, request.due_on)
    decision = held.decisions.get(kind=DecisionKind.FALL_BACK)
    assert (decision.decided_by, decision.code) == (None, Right.ACCESS)
    assert kinds(held)[-1] == ClockEventKind.IDENTITY_LAPSED
    clock.sweep(on_target(request))


def test_law_12_a_paper_that_came_in_time_is_looked_at_before_the_copy_becomes_anything_less(route: Route) -> None:
    request = route.review_below_its_tier()
    papers.ask(request.pk, "The address was changed.", "Your passport.", actor=route.handler)
    papers.keep(request.case, "passport.pdf", b"%PDF-1.7 covered", actor=REQUESTER)
    for sweep in (clock.sweep, lambda _moment: papers.sweep()):
        sweep(on_target(request))
        assert drive.fresh(request.pk).right == Right.ACCESS
        assert papers.held(request.case).count() == 1, "nobody has opened it"
    papers.decline(request.pk, actor=route.handler)
    papers.ask(request.pk, "Still in doubt.", "Your passport.", actor=route.handler)
    clock.sweep(on_target(request))
    assert drive.fresh(request.pk).right == Right.KNOW, "a question alone holds nothing up"


def test_what_comes_while_the_clock_looks_is_looked_at_first(route: Route, monkeypatch: pytest.MonkeyPatch) -> None:
    request = route.review_below_its_tier()
    papers.ask(request.pk, "The address was changed.", "Your passport.", actor=route.handler)
    plain = clock.lock

    def late(pk: int) -> PrivacyRequest:
        if not papers.held(request.case).exists():
            papers.keep(request.case, "passport.pdf", b"%PDF-1.7 covered", actor=REQUESTER)
        return plain(pk)

    monkeypatch.setattr(clock, "lock", late)
    clock.sweep(on_target(request))
    assert drive.fresh(request.pk).right == Right.ACCESS


def test_where_not_even_the_mailbox_is_proven_nothing_falls_back(route: Route) -> None:
    request = drive.a_request(right=Right.ACCESS, country="US-CA")
    for _ in range(2):
        clock.sweep(on_target(request))
    held = drive.fresh(request.pk)
    assert (held.right, held.state, held.judgement) == (Right.ACCESS, State.REVIEW, ["not_proven"])


def test_law_12_what_has_shown_who_asks_is_not_corrected_on_the_strength_of_that(route: Route) -> None:
    case = route.review_below_its_tier().case
    check = data_points.state(case, STATED, signed())
    IdentityCheck.objects.filter(pk=check.pk).update(status="passed", decided_at=timezone.now(), stated_sealed=None)
    wish = submit.add_request(Case.objects.get(pk=case.pk), Right.CORRECTION, "It is wrong.")
    PrivacyRequest.objects.filter(pk=wish.pk).update(tier_needed=3)
    Case.objects.filter(pk=case.pk).update(proven_tier=3)
    with pytest.raises(Invalid, match="another way"):
        corrections.propose(wish.pk, "phone", "+49 30 111111", actor=REQUESTER)
    corrections.propose(wish.pk, "country", "FR", actor=REQUESTER)
    sign_in.accept(case, PASSWORD)
    corrections.propose(wish.pk, "phone", "+49 30 111111", actor=REQUESTER)
