"""`manage.py load_demo`: once per installation, with passwords of its own, and never outside development."""

from io import StringIO
from pathlib import Path

import pytest
import sqlalchemy as sa
from allauth.mfa.models import Authenticator
from django.core.management import CommandError, call_command
from pytest_django import Settings

from accounts.models import User
from dsar import keys
from dsar.demo import company, signins
from dsar.demo.cast import CAST
from dsar.enums import HoldStatus
from dsar.models import LegalHold
from dsar.verification import confirmation
from tests import drive

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def place(settings: Settings, tmp_path: Path) -> Path:
    settings.DEBUG = True
    # A slow hash is a virtue, but not a hundred times over.
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    var_dir = tmp_path / "var"
    settings.VAR_DIR = var_dir
    settings.COMPANY_DATABASE_URL = f"sqlite:///{var_dir / 'company.sqlite3'}"
    settings.COMPANY_DATABASE_SCHEMA = None
    return var_dir / "demo-signins.txt"


def load(*options: str) -> str:
    out = StringIO()
    call_command("load_demo", "--people", "40", *options, stdout=out)
    return out.getvalue()


def test_staff_and_requesters_can_sign_in_with_what_the_file_says(place: Path, settings: Settings) -> None:
    said = load()
    written = signins.read(place)
    assert set(written) == {email for email, _, _ in signins.STAFF} | set(signins.REQUESTERS)
    assert place.stat().st_mode & 0o777 == 0o600
    assert written[signins.APPROVER].password in said
    assert len({sign_in.password for sign_in in written.values()}) == len(written)
    engine = sa.create_engine(settings.COMPANY_DATABASE_URL)
    for email, sign_in in written.items():
        user = User.objects.get(email=email)
        assert user.check_password(sign_in.password)
        assert (user.role or "requester") == sign_in.role
        number = company.user_id(engine, None, email)
        assert user.external_id == (None if number is None else str(number))
    engine.dispose()


def test_law_3_whoever_confirms_shuts_their_own_account_and_nobody_elses(place: Path) -> None:
    load()
    for email in signins.REQUESTERS:
        own = User.objects.get(email=email)
        if not User.objects.filter(external_id=str(own.pk)).exists():
            User.objects.create_user(f"stranger-{own.pk}@example.com", external_id=str(own.pk))
        case = drive.a_case(email)
        found = {"platform": own.external_id or "", "accounts": str(own.pk)}
        body: dict[str, object] = {"sources": {source: {"ref": ref} for source, ref in found.items()}}
        assert confirmation.accounts_of(case, body) == [own]


def test_one_requester_has_a_second_factor(place: Path) -> None:
    load()
    [authenticator] = Authenticator.objects.all()
    assert authenticator.user.email == CAST.mfa
    assert {email for email, sign_in in signins.read(place).items() if sign_in.totp} == {CAST.mfa}
    assert signins.read(place)[CAST.mfa].totp == authenticator.data["secret"]


def test_one_person_is_under_a_hold(place: Path) -> None:
    load()
    load("--reset")
    [hold] = LegalHold.objects.all()
    assert (hold.email_index, hold.status) == (keys.email_index(CAST.on_hold), HoldStatus.ACTIVE)


def test_a_second_start_changes_nothing_and_a_reset_makes_new_passwords(place: Path) -> None:
    load("--if-empty")
    before = place.read_text()
    assert load("--if-empty") == ""
    assert place.read_text() == before
    with pytest.raises(CommandError, match="--reset"):
        load()
    load("--reset")
    after = signins.read(place)
    assert after[CAST.plain].password not in before
    assert User.objects.get(email=CAST.plain).check_password(after[CAST.plain].password)


def test_a_start_writes_no_password_to_its_output(place: Path) -> None:
    said = load("--if-empty")
    assert not any(sign_in.password in said for sign_in in signins.read(place).values())


def test_a_closed_account_stays_closed_through_a_reset(place: Path) -> None:
    load()
    User.objects.get(email=CAST.plain).close()
    load("--reset")
    assert CAST.plain not in signins.read(place)
    assert not User.objects.get(email=CAST.plain).is_active


def test_it_refuses_outside_development(settings: Settings, place: Path) -> None:
    settings.DEBUG = False
    with pytest.raises(CommandError, match="DEBUG"):
        load()
    assert not User.objects.exists() and not place.exists()


def test_it_refuses_a_database_that_is_somebody_elses(settings: Settings) -> None:
    settings.VAR_DIR.mkdir()
    engine = sa.create_engine(settings.COMPANY_DATABASE_URL)
    with engine.begin() as connection:
        connection.exec_driver_sql("CREATE TABLE users (id INTEGER PRIMARY KEY)")
    engine.dispose()
    for option in ("--if-empty", "--reset"):
        with pytest.raises(CommandError, match="COMPANY_DATABASE_URL"):
            load(option)
    assert not User.objects.exists()
