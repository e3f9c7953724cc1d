"""Keys: a key for each case, derived keys for each purpose, and what happens without them."""

import base64
import os
import stat
from pathlib import Path

import pytest
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.core.management import call_command
from hypothesis import given
from hypothesis import strategies as st

from dsar import checks, keys
from dsar.models import Case, CaseKey
from tests import drive

OLD, NEW = base64.b64encode(b"o" * 32).decode(), base64.b64encode(b"n" * 32).decode()
ROOT = base64.b64encode(b"r" * 32).decode()


@pytest.fixture
def ring_of(settings: object, monkeypatch: pytest.MonkeyPatch) -> object:
    """Sets the master keys of this process, and puts the old ones back."""

    def use(masters: str, root: str = ROOT) -> None:
        settings.MASTER_KEYS, settings.ROOT_KEY = masters, root  # type: ignore[attr-defined]
        keys.ring.cache_clear()
        keys.derived.cache_clear()

    yield use
    keys.ring.cache_clear()
    keys.derived.cache_clear()


@pytest.fixture(autouse=True)
def _forget_keys_afterwards(ring_of: object) -> None:
    """Every test begins and ends with the keys of the settings."""


# --- without keys nothing starts --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("masters", "root", "named"),
    [
        ("", ROOT, "RIGHTSDESK_MASTER_KEYS is missing"),
        (f"k1:{OLD}", "", "RIGHTSDESK_ROOT_KEY is missing"),
        (OLD, ROOT, "RIGHTSDESK_MASTER_KEYS must be"),
        (f":{OLD}", ROOT, "RIGHTSDESK_MASTER_KEYS must be"),
        ("k1:c2hvcnQ=", ROOT, "RIGHTSDESK_MASTER_KEYS must be"),
        ("k1:no base64!", ROOT, "RIGHTSDESK_MASTER_KEYS must be"),
        (f"k1:{OLD},k2:short", ROOT, "RIGHTSDESK_MASTER_KEYS must be"),
        (f"k1:{OLD}", "c2hvcnQ=", "RIGHTSDESK_ROOT_KEY must be"),
        (f"k1:{OLD}", "no base64!", "RIGHTSDESK_ROOT_KEY must be"),
    ],
)
def test_a_missing_or_malformed_key_is_named_and_nothing_starts(
    ring_of: object, masters: str, root: str, named: str
) -> None:
    ring_of(masters, root)  # type: ignore[operator]
    with pytest.raises(ImproperlyConfigured, match=named):
        keys.ring()
    with pytest.raises(ImproperlyConfigured, match=named):
        checks.require_all()
    assert [named in str(error) for error in checks.check_keys()] == [True]
    # The message names the setting and never shows what was in it.
    with pytest.raises(ImproperlyConfigured) as caught:
        keys.ring()
    assert OLD not in str(caught.value)


def test_the_secret_key_of_django_is_never_a_key_of_ours(settings: object) -> None:
    before = keys.email_index("a@example.com"), keys.token("x", 1)
    settings.SECRET_KEY = "another one, rotated at will"  # type: ignore[attr-defined]
    keys.ring.cache_clear()
    keys.derived.cache_clear()
    assert (keys.email_index("a@example.com"), keys.token("x", 1)) == before


def test_keys_can_come_from_a_file(ring_of: object, settings: object, tmp_path: Path) -> None:
    path = tmp_path / "keys.env"
    path.write_text(f"# keys\n{keys.fresh_lines('filed')}")
    settings.KEYS_FILE = str(path)  # type: ignore[attr-defined]
    ring_of("", "")  # type: ignore[operator]
    assert keys.ring().active == "filed"


def test_development_makes_a_keys_file_for_its_owner_alone_and_production_makes_none(
    ring_of: object, settings: object, tmp_path: Path
) -> None:
    path = tmp_path / "state" / "keys.env"
    settings.KEYS_FILE = str(path)  # type: ignore[attr-defined]
    ring_of("", "")  # type: ignore[operator]
    keys.ensure_development_keys()
    assert not path.exists()
    settings.DEBUG = True  # type: ignore[attr-defined]
    keys.ensure_development_keys()
    first = path.read_text()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    keys.ensure_development_keys()
    assert path.read_text() == first
    assert keys.ring().active == "k1"


# --- sealing ----------------------------------------------------------------------------------------------------------


@given(st.binary(max_size=200), st.text(max_size=20))
def test_what_is_sealed_is_read_with_the_same_key_and_place_alone(raw: bytes, place: str) -> None:
    key = b"k" * 32
    sealed = keys.seal(key, raw, place)
    assert keys.unseal(key, sealed, place) == raw
    for wrong_key, wrong_place in ((b"x" * 32, place), (key, place + "!")):
        with pytest.raises(keys.Unreadable):
            keys.unseal(wrong_key, sealed, wrong_place)
    changed = bytes([sealed[-1] ^ 1])
    with pytest.raises(keys.Unreadable):
        keys.unseal(key, sealed[:-1] + changed, place)


def test_the_same_words_are_sealed_differently_each_time() -> None:
    assert keys.seal(b"k" * 32, "the same", "here") != keys.seal(b"k" * 32, "the same", "here")


def test_no_value_can_be_put_into_another_field_or_another_case(db: None) -> None:
    one, other = drive.a_case("one@example.com"), drive.a_case("other@example.com")
    with pytest.raises(keys.Unreadable):
        one.unseal(one.email_sealed, "name")
    with pytest.raises(keys.Unreadable):
        other.unseal(one.email_sealed, "email")


def test_law_11_nothing_personal_of_a_case_is_readable_in_its_rows(db: None) -> None:
    case = drive.a_case("readable.person@example.com", statement="My very own words.", name="Readable Person")
    request = case.requests.get()
    stored = b" ".join(
        str(value).encode() if not isinstance(value, bytes | memoryview) else bytes(value)
        for row in (case, request, *case.messages.all(), *case.intakes.all(), *case.checks.all())
        for value in row.__dict__.values()
    )
    assert b"eadable" not in stored
    assert b"very own" not in stored
    again = Case.objects.get(pk=case.pk)
    assert (again.email, again.name) == ("readable.person@example.com", "Readable Person")
    assert request.statement == "My very own words."


def test_law_11_destroying_the_key_makes_the_case_unreadable(db: None) -> None:
    case = drive.a_case("purged@example.com")
    CaseKey.objects.filter(pk=case.uid).delete()
    with pytest.raises(keys.Unreadable):
        _ = Case.objects.get(pk=case.pk).email


# --- rotation ---------------------------------------------------------------------------------------------------------


def test_rotation_wraps_anew_and_what_was_sealed_stays_readable(db: None, ring_of: object) -> None:
    ring_of(f"old:{OLD}")  # type: ignore[operator]
    case = drive.a_case("rotated@example.com")
    ring_of(f"new:{NEW},old:{OLD}")  # type: ignore[operator]
    assert Case.objects.get(pk=case.pk).email == "rotated@example.com"
    call_command("rotate_keys", verbosity=0)
    assert CaseKey.objects.get(pk=case.uid).key_id == "new"
    ring_of(f"new:{NEW}")  # type: ignore[operator]
    assert Case.objects.get(pk=case.pk).email == "rotated@example.com"
    assert Case.objects.of_email("rotated@example.com").get() == case


def test_without_the_old_master_key_an_unrotated_case_says_which_one_is_missing(db: None, ring_of: object) -> None:
    ring_of(f"old:{OLD}")  # type: ignore[operator]
    case = drive.a_case("forgotten@example.com")
    ring_of(f"new:{NEW}")  # type: ignore[operator]
    with pytest.raises(keys.Unreadable, match="master key old is not in the ring"):
        _ = Case.objects.get(pk=case.pk).email


def test_a_master_key_with_the_same_name_and_other_bytes_opens_nothing(db: None, ring_of: object) -> None:
    ring_of(f"k:{OLD}")  # type: ignore[operator]
    case = drive.a_case("mixed@example.com")
    ring_of(f"k:{NEW}")  # type: ignore[operator]
    with pytest.raises(keys.Unreadable, match="does not fit"):
        _ = Case.objects.get(pk=case.pk).email


# --- indexes, tokens, codes -------------------------------------------------------------------------------------------


def test_each_purpose_has_a_key_of_its_own() -> None:
    purposes = ("index", "tombstone", "audit", "token", "code", "journal", "checkpoint", "mask", "reply")
    assert len({keys.derived(purpose) for purpose in purposes}) == len(purposes)
    assert keys.email_index("a@example.com") != keys.tombstone_index("email", "a@example.com")


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("Ann@Example.COM", "ann@example.com"),
        ("  ann@example.com\n", "ann@example.com"),
        ("ann+news@example.com", "ann+news@example.com"),
        ("a.n.n@example.com", "a.n.n@example.com"),
        ('"Ann, of old"@example.com', '"ann, of old"@example.com'),
    ],
)
def test_an_address_is_found_however_it_is_written(written: str, read: str) -> None:
    assert keys.normalise_email(written) == read
    assert keys.email_index(written) == keys.email_index(read)


@pytest.mark.parametrize(
    "nobody",
    ["", " ", "nobody", "@example.com", "ann@", "noreply@example.com", "no-reply+x@example.com", "unknown@example.com",
     "N/A@example.com", "null@example.com", "ann@none", "x@host.invalid", "gone@invalid", None,
     "Ann <ann@example.com>", "<ann@example.com>", '"ann@example.com",Ann', "Ann, ann@example.com", "a b@example.com",
     "ann@example.com (work)", "ann@example.com;bob@example.com", '"Ann" ann@example.com'],
)  # fmt: skip
def test_law_05_a_placeholder_matches_nothing(db: None, nobody: str | None) -> None:
    assert keys.normalise_email(nobody) == ""
    assert keys.email_index(nobody or "") == ""
    drive.a_case("")
    assert not Case.objects.of_email(nobody or "").exists()


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("straße@example.com", "strasse@example.com"),
        ("\u212a@example.com", "k@example.com"),
        ("ı@example.com", "i@example.com"),
    ],
)
def test_two_mailboxes_that_look_alike_are_two_people(one: str, other: str) -> None:
    assert keys.email_index(one) != keys.email_index(other)


def test_tokens_and_codes_are_derived_and_stored_as_hashes_alone(db: None) -> None:
    case = drive.a_case()
    check = case.checks.get()
    assert len(check.token) == 43
    assert check.token_hash == keys.token_hash(check.token)
    assert check.token not in str(check.__dict__)
    assert keys.token("a", 1) != keys.token("a", 2) != keys.token("b", 1)
    assert len({keys.code(str(number), 1) for number in range(500)}) > 490
    assert all(len(keys.code(str(number), 1)) == 8 for number in range(500))


@given(st.text(max_size=60))
def test_whatever_comes_as_a_token_is_hashed_without_complaint(token: str) -> None:
    assert len(keys.token_hash(token)) == 64


def test_the_settings_of_a_test_run_hold_keys_and_no_file() -> None:
    assert settings.MASTER_KEYS.startswith("test:")
    assert not settings.KEYS_FILE
    assert os.environ["RIGHTSDESK_ROOT_KEY"] == ROOT


@pytest.mark.parametrize(
    ("address", "shown"),
    [("ann@example.com", "a•••@e•••.com"), ("a@b", "a•••@•••"), ("", "•••"), (None, "•••"), ("x@.com", "x•••@•••")],
)
def test_a_masked_address_shows_first_letters_only(address: str | None, shown: str) -> None:
    assert keys.masked(address) == shown
