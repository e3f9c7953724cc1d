"""The confirmation: bound to what was shown, once, and only with the second factor of an account that has one."""

from datetime import timedelta

from allauth.mfa.totp.internal.auth import (
    TOTP,
    format_hotp_value,
    generate_totp_secret,
    hotp_value,
    yield_hotp_counters_from_time,
)
from django.conf import settings
from django.utils import timezone

from accounts.models import User
from dsar.demo.cast import CAST
from dsar.enums import CheckKind, State
from dsar.models import IdentityCheck, Plan, PrivacyRequest
from tests import house
from tests.portal.conftest import Visitor, only, page, words


def totp(secret: str) -> str:
    return format_hotp_value(hotp_value(secret, next(iter(yield_hotp_counters_from_time()))))


def test_a_plan_that_changed_is_shown_again_with_what_changed(visitor: Visitor) -> None:
    visitor.prove(CAST.plain)
    seen = visitor.fields("/confirm/")
    engine = house.company_engine()
    with engine.begin() as connected:
        connected.exec_driver_sql(_sql("DELETE FROM {}survey_answers"))
    Plan.objects.update(made_at=timezone.now() - timedelta(hours=1))
    answer = visitor.post("/confirm/", {**seen, "answer": "delete"})
    assert answer.status_code == 409
    assert "Something has changed" in words(answer)
    assert "surveys" in words(answer).split("Please read the page again")[0]
    assert not only().is_bound
    visitor.confirm()
    assert only().is_bound


def _sql(text: str) -> str:
    return text.format(f"{settings.COMPANY_DATABASE_SCHEMA}." if settings.COMPANY_DATABASE_SCHEMA else "")


def test_an_answer_that_is_neither_button_changes_nothing(visitor: Visitor) -> None:
    visitor.prove(CAST.plain)
    seen = visitor.fields("/confirm/")
    assert visitor.post("/confirm/", seen).status_code == 400
    assert visitor.post("/confirm/", {**seen, "answer": "delete", "plan": "0" * 64}).status_code == 409
    assert only().state == State.CONFIRMING


def test_confirming_twice_is_confirming_once(visitor: Visitor) -> None:
    visitor.prove(CAST.plain)
    seen = {**visitor.fields("/confirm/"), "answer": "delete"}
    visitor.post("/confirm/", seen)
    bound = only()
    assert "You confirmed the deletion" in words(visitor.post("/confirm/", seen))
    assert "You confirmed the deletion" in words(visitor.post("/confirm/", {**seen, "answer": "keep"}))
    visitor.post(f"/case/{bound.pk}/withdraw/")
    visitor.post(f"/case/{bound.pk}/copy/")
    after = only()
    assert (after.state, after.confirmed_at) == (bound.state, bound.confirmed_at)


def test_a_second_factor_is_asked_for_and_its_attempts_end(visitor: Visitor) -> None:
    number = house.user_id(CAST.mfa)
    user = User.objects.create_user(CAST.mfa, "a long password", external_id=str(number))
    secret = generate_totp_secret()
    TOTP.activate(user, secret)
    shown = visitor.prove(CAST.mfa)
    assert "Your account has a second factor" in words(shown)
    assert "Your second factor" in words(visitor.confirm())
    assert only().state == State.CONFIRMING
    for _ in range(settings.WRONG_ATTEMPTS):
        wrong = visitor.post("/confirm/second-factor/", {"code": "000000x"})
        assert "not valid" in words(wrong)
    ended = visitor.post("/confirm/second-factor/", {"code": totp(secret)})
    assert ended.status_code == 429
    assert "Too many wrong codes" in words(ended)
    assert "Your second factor" in words(visitor.confirm())
    IdentityCheck.objects.filter(kind=CheckKind.SECOND_FACTOR).update(expires_at=timezone.now())
    assert "You can confirm now" in words(visitor.post("/confirm/second-factor/", {"code": totp(secret)}))
    visitor.confirm()
    assert only().is_bound
    user.refresh_from_db()
    assert not user.is_active


def test_law_7_wrong_codes_are_counted_for_weeks_whatever_the_case(visitor: Visitor) -> None:
    user = User.objects.create_user(CAST.mfa, "a long password", external_id=str(house.user_id(CAST.mfa)))
    secret = generate_totp_secret()
    TOTP.activate(user, secret)
    visitor.prove(CAST.mfa)
    rounds, path = settings.PROOF_ATTEMPTS, "/confirm/second-factor/"
    for _ in range(rounds):
        for _ in range(settings.WRONG_ATTEMPTS):
            assert "not valid" in words(visitor.post(path, {"code": "000000x"}))
        IdentityCheck.objects.filter(kind=CheckKind.SECOND_FACTOR).update(expires_at=timezone.now())
    checks = IdentityCheck.objects.filter(kind=CheckKind.SECOND_FACTOR)
    assert checks.count() == rounds
    ended = visitor.post(path, {"code": totp(secret)})
    assert ended.status_code == 429
    assert "No more codes are taken here for some weeks" in words(ended)
    assert "/accounts/login/" in page(visitor.get(path)), "the account itself is left"
    assert checks.count() == rounds
    other = Visitor()
    other.prove(CAST.mfa)
    assert "No more codes are taken here" in words(other.post(path, {"code": totp(secret)})), (
        "a new case is no way around it"
    )
    checks.update(created_at=timezone.now() - timedelta(days=31))
    assert "You can confirm now" in words(other.post(path, {"code": totp(secret)}))


def test_whoever_is_proven_below_what_it_takes_is_led_to_the_proof_and_confirms_nothing(visitor: Visitor) -> None:
    visitor.prove(CAST.plain)
    held = only()
    assert held.state == State.CONFIRMING
    PrivacyRequest.objects.filter(pk=held.pk).update(tier_needed=3)
    for answer in (visitor.get("/confirm/"), visitor.confirm()):
        assert "Show that it is you" in words(answer)
    assert only().state == State.CONFIRMING


def test_a_sign_in_with_the_second_factor_counts(visitor: Visitor) -> None:
    user = User.objects.create_user(CAST.mfa, "a long password", external_id=str(house.user_id(CAST.mfa)))
    secret = generate_totp_secret()
    TOTP.activate(user, secret)
    visitor.prove(CAST.mfa)
    assert visitor.post("/confirm/second-factor/", {"signed_in": "yes"}).status_code == 200
    visitor.confirm()
    assert not only().is_bound
    visitor.post("/accounts/login/", {"login": CAST.mfa, "password": "a long password"})
    visitor.post("/accounts/2fa/authenticate/", {"code": totp(secret)})
    assert "showed your second factor" in words(visitor.get("/confirm/second-factor/"))
    visitor.post("/confirm/second-factor/", {"signed_in": "yes"})
    visitor.confirm()
    assert only().is_bound
