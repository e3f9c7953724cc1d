"""My choices: every button is a wish of its own, and none that was acknowledged is lost."""

import pytest

from accounts.models import User
from dsar.enums import Right
from dsar.fulfilment import runner
from dsar.intake import submit, sweep
from dsar.models import Intake, PrivacyRequest
from tests.house import CAST
from tests.portal.conftest import Visitor, words, work

MARKETING, SALE = Right.MARKETING_OPT_OUT, Right.OPT_OUT_SALE


@pytest.fixture
def signed_in(visitor: Visitor) -> Visitor:
    """Somebody with an account, at /choices/."""
    visitor.client.force_login(User.objects.create_user(CAST.plain, "a long password"))
    return visitor


def buttons(visitor: Visitor) -> dict[str, dict[str, str]]:
    """What each form of the page sends, by the choice it is about."""
    return {form["kind"]: form for form in visitor.forms("/choices/") if "kind" in form}


def carried_out() -> None:
    """Workers look once at everything."""
    work()
    runner.drain_fulfilling()


def asked() -> list[tuple[str, bool]]:
    """What was filed, in order."""
    return list(PrivacyRequest.objects.order_by("pk").values_list("right", "take_back"))


def test_law_01_two_buttons_of_one_page_make_two_choices(signed_in: Visitor) -> None:
    page = buttons(signed_in)
    for kind in (MARKETING, SALE, SALE):
        assert "Done: your choice holds." in words(signed_in.post("/choices/", page[kind]))
    assert asked() == [(MARKETING, False), (SALE, False)], "and a double click is one choice"


def test_law_01_what_could_not_be_opened_is_opened_as_it_was_asked(
    signed_in: Visitor, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = buttons(signed_in)

    def fails(*_: object) -> None:
        raise RuntimeError

    with monkeypatch.context() as patch:
        patch.setattr(submit, "open_case", fails)
        assert "Done: your choice holds." in words(signed_in.post("/choices/", page[MARKETING]))
    signed_in.post("/choices/", {**page[SALE], "number": page[MARKETING]["number"]})
    assert asked() == [(MARKETING, False)], "a repeat opens what was stored, not what it brings along"
    signed_in.post("/choices/", page[SALE])
    sweep.drain()
    assert asked() == [(MARKETING, False), (SALE, False)]


def test_a_choice_that_was_taken_back_elsewhere_is_made_again_by_the_old_page(signed_in: Visitor) -> None:
    old = buttons(signed_in)
    signed_in.post("/choices/", old[SALE])
    carried_out()
    signed_in.post("/choices/", buttons(signed_in)[SALE])
    carried_out()
    signed_in.post("/choices/", old[SALE])
    assert asked() == [(SALE, False), (SALE, True), (SALE, False)]


def test_a_form_that_names_no_choice_says_so(signed_in: Visitor) -> None:
    number = buttons(signed_in)[SALE]["number"]
    refused = signed_in.post("/choices/", {"act": "make", "number": number})
    assert refused.status_code == 422
    assert "Please press one of the buttons." in words(refused)
    assert not Intake.objects.exists()
