"""Settings > Security: a deletion is asked for with a fresh password, or a fresh sign-in."""

from allauth.mfa.totp.internal.auth import (
    TOTP,
    generate_totp_secret,
)
from django.conf import settings

from accounts.models import User
from dsar.demo.cast import CAST
from dsar.models import Intake
from tests import house
from tests.portal.conftest import Visitor, newest_link, only, words, work


def test_the_settings_want_the_password(visitor: Visitor) -> None:
    user = User.objects.create_user(CAST.neighbour, "a long password", external_id=str(house.user_id(CAST.neighbour)))
    assert visitor.get("/settings/security/", follow=False).status_code == 302
    visitor.client.force_login(user)
    assert CAST.neighbour in words(visitor.get("/settings/security/"))
    form = visitor.fields("/settings/security/delete/")
    assert "not your current password" in words(
        visitor.post("/settings/security/delete/", {**form, "password": "guess"})
    )
    assert Intake.objects.count() == 0
    for _ in range(2):
        done = visitor.post("/settings/security/delete/", {**form, "password": "a long password"})
        assert "We have your request" in words(done)
    assert only().case.channel == "settings"
    work()
    visitor.get(newest_link(CAST.neighbour))
    visitor.post("/proof/")
    visitor.confirm()
    assert only().is_bound
    assert visitor.get("/settings/security/", follow=False).status_code == 302


def test_wrong_passwords_end_the_session(visitor: Visitor) -> None:
    user = User.objects.create_user(CAST.neighbour, "a long password")
    visitor.client.force_login(user)
    form = visitor.fields("/settings/security/delete/")
    for _ in range(settings.WRONG_ATTEMPTS):
        visitor.post("/settings/security/delete/", {**form, "password": "guess"})
    visitor.post("/settings/security/delete/", {**form, "password": "a long password"})
    assert Intake.objects.count() == 0
    assert visitor.get("/settings/security/", follow=False).status_code == 302


def test_without_a_password_a_fresh_sign_in_is_needed(visitor: Visitor) -> None:
    user = User.objects.create_user(CAST.neighbour)
    TOTP.activate(user, generate_totp_secret())
    visitor.client.force_login(user)
    assert "reauthenticate" in visitor.get("/settings/security/delete/", follow=False)["Location"]
    assert "reauthenticate" in visitor.post("/settings/security/delete/", {}, follow=False)["Location"]
    assert Intake.objects.count() == 0
