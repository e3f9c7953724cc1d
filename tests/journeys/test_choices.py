"""Opt-outs, consent, marketing: carried out at once, proven by nobody, confirmed by mail, taken back as easily."""

from datetime import date
from typing import Any

import httpx
import pytest

from dsar.enums import UNVERIFIED_RIGHTS, Outcome, Right, State
from dsar.intake import unsubscribe
from dsar.models import Choice, Message, PrivacyRequest
from dsar.notices import Notice
from tests.house import CAST, House, body_of, mail_to, mails, rows, wait_for
from tests.journeys import scenes
from tests.journeys.people import Visitor

FLAG = {
    Right.OPT_OUT_SALE: "sale_opt_out", Right.OPT_OUT_TARGETED: "targeted_ads_opt_out",
    Right.LIMIT_SENSITIVE: "sensitive_use_limited", Right.WITHDRAW_CONSENT: "consents_withdrawn",
}  # fmt: skip
SAID = {
    Right.MARKETING_OPT_OUT: ("no news and no offers", "Messages about your account"),
    Right.OPT_OUT_SALE: ("do not sell your data", "Companies that only work for us"),
    Right.OPT_OUT_TARGETED: ("to choose advertising for you", "the same for everybody"),
    Right.LIMIT_SENSITIVE: ("sensitive data about you only", "works as before"),
    Right.WITHDRAW_CONSENT: ("only because you had agreed", "stays lawful"),
}


def user(me: int) -> dict[str, Any]:
    """The person's own row at the company."""
    return rows("users", id=me)[0]


def done(address: str, right: str, number: int = 1) -> PrivacyRequest:
    """Wait until that many requests for a right have been carried out; returns the newest."""

    def found() -> list[PrivacyRequest]:
        of = PrivacyRequest.objects.filter(right=right, state=State.COMPLETED).select_related("case")
        return [one for one in of.order_by("pk") if one.case.email == address]

    wait_for(lambda: len(found()) == number, what=f"{right} of {address}")
    return found()[-1]


def ask(visitor: Visitor, right: str, address: str, country: str = "DE") -> None:
    """The web form, as anybody fills it."""
    visitor.open(f"/ask/{right}/")
    visitor.sees("Nothing needs to be proven for this.")
    more = {"statement": "All of it."} if right == Right.WITHDRAW_CONSENT else {}
    visitor.press("Send my request", email=address, country=country, **more)


def expected(right: str, me: int, before: dict[str, Any], consents: list[dict[str, Any]]) -> None:
    """At the company exactly what was chosen has changed."""
    flag = FLAG.get(Right(right))
    assert user(me) == {**before, **({flag: True} if flag else {})}
    after = rows("marketing_consents", user_id=me)
    if right in (Right.MARKETING_OPT_OUT, Right.WITHDRAW_CONSENT):
        assert not any(row["granted"] for row in after)
        assert all(row["withdrawn_at"] for row in after)
        assert [row for row in after if row["withdrawn_through"] == "account settings"] == [
            row for row in consents if not row["granted"]
        ]
    else:
        assert after == consents


@pytest.mark.parametrize("right", UNVERIFIED_RIGHTS)
def test_law_12_a_choice_by_web_form_is_carried_out_at_once_and_nobody_proves_anything(
    stack: House, visitor: Visitor, right: str
) -> None:
    me = scenes.number_of(CAST.plain)
    before, consents, others = user(me), rows("marketing_consents", user_id=me), scenes.company_without(me)
    assert any(row["granted"] for row in consents)
    ask(visitor, right, CAST.plain, "US-CA" if right == Right.OPT_OUT_SALE else "DE")
    visitor.sees("You need not prove anything.", "At the latest it is done by")
    if right == Right.OPT_OUT_SALE:
        visitor.sees("11 CCR 7026", "15 ")
    request = done(CAST.plain, right)
    assert request.outcome == Outcome.GRANTED
    expected(right, me, before, consents)
    assert scenes.company_without(me) == others

    letter = mail_to(CAST.plain, "Your choice is in force")
    words = " ".join(body_of(letter).split())
    for some in (*SAID[Right(right)], "In force since", "/choices/", request.case.reference):
        assert some in words, words
    scenes.post_is_out()
    assert len(mails(CAST.plain)) == 1, "one letter: it is done"
    assert not request.case.checks.filter(kind="mailbox").exists()
    [listed] = Choice.objects.all()
    assert (listed.kind, listed.taken_back_at, listed.request_id) == (right, None, request.pk)


@pytest.mark.parametrize("right", [Right.MARKETING_OPT_OUT, Right.OPT_OUT_SALE])
def test_a_choice_is_taken_back_from_the_letter_as_easily_and_the_sources_are_told(
    stack: House, visitor: Visitor, right: str
) -> None:
    me = scenes.number_of(CAST.plain)
    before = (user(me), rows("marketing_consents", user_id=me))
    ask(visitor, right, CAST.plain)
    done(CAST.plain, right)
    letter = mail_to(CAST.plain, "Your choice is in force")
    scenes.open_by_code(visitor, letter)
    visitor.follow("See my choices")
    visitor.sees("in force", "not chosen")
    held = visitor.page
    visitor.press("Take it back")
    visitor.sees("Your choice is being taken back.")
    request = done(CAST.plain, right, 2)
    assert (request.take_back, request.outcome) == (True, Outcome.GRANTED)
    assert (user(me), rows("marketing_consents", user_id=me)) == before
    assert "You have taken back your choice" in body_of(mail_to(CAST.plain, "Your choice is taken back"))
    assert Choice.objects.get().taken_back_at is not None

    # Pressed again on the page that was left open: nothing is left to take back.
    visitor.page = held
    visitor.press("Take it back")
    scenes.post_is_out()
    assert PrivacyRequest.objects.count() == 2
    visitor.sees("not chosen")


def test_an_address_that_nobody_knows_goes_on_the_list_and_hears_the_same(stack: House, visitor: Visitor) -> None:
    ask(visitor, Right.MARKETING_OPT_OUT, "nobody.here@example.com")
    ask(visitor, Right.MARKETING_OPT_OUT, CAST.plain)
    for address in ("nobody.here@example.com", CAST.plain):
        assert done(address, Right.MARKETING_OPT_OUT).outcome == Outcome.GRANTED
        mail_to(address, "Your choice is in force")
    texts = [
        [line for line in body_of(mail_to(address)).splitlines() if "RD-" not in line and "/l/" not in line]
        for address in ("nobody.here@example.com", CAST.plain)
    ]
    assert texts[0] == texts[1]
    assert Choice.objects.standing().count() == 2


def test_somebody_who_is_signed_in_makes_and_takes_back_choices(stack: House, visitor: Visitor) -> None:
    me = scenes.number_of(CAST.plain)
    scenes.an_account(CAST.plain)
    visitor.sign_in(CAST.plain)
    visitor.open("/ask/opt_out_sale/")
    assert visitor.soup.find("input", {"name": "email"})["value"] == CAST.plain
    visitor.open("/settings/security/")
    visitor.follow("See my choices")
    visitor.sees(CAST.plain, "not chosen")
    form = next(form for form in visitor.soup.find_all("form") if form.find("input", {"value": "limit_sensitive"}))
    page = visitor.page
    visitor.submit(form, form.find("button"))
    visitor.sees("Done: your choice holds.")
    visitor.page = page
    visitor.submit(form, form.find("button"))
    done(CAST.plain, Right.LIMIT_SENSITIVE)
    assert user(me)["sensitive_use_limited"] is True
    assert PrivacyRequest.objects.count() == 1, "a double click is one choice"
    visitor.open("/choices/")
    visitor.press("Take it back")
    done(CAST.plain, Right.LIMIT_SENSITIVE, 2)
    assert user(me)["sensitive_use_limited"] is False


def test_a_stranger_sees_no_choices_and_takes_none_back(stack: House, visitor: Visitor) -> None:
    ask(visitor, Right.OPT_OUT_SALE, CAST.plain)
    done(CAST.plain, Right.OPT_OUT_SALE)
    stranger = Visitor(stack.url)
    stranger.open("/choices/")
    stranger.sees("you need not prove anything", "See or take back what you chose")
    assert stranger.button("Take it back") is None
    assert stranger.post("/choices/", act="take_back", kind="opt_out_sale", number="x") == 404
    stranger.sees("Please open your link first", status=404)
    assert Choice.objects.standing().count() == 1


def test_one_click_of_a_mail_program_needs_no_cookie_and_is_done_once(stack: House) -> None:
    me = scenes.number_of(CAST.plain)
    link = f"{stack.url}/u/{unsubscribe.token_for(CAST.plain)}/"
    with httpx.Client() as robot:
        for _look in range(2):
            page = robot.get(link)
            assert (page.status_code, "Nothing has happened yet." in page.text) == (200, True)
        assert robot.head(link).status_code == 200
    assert not PrivacyRequest.objects.exists(), "looking changes nothing"
    for _click in range(3):
        answer = httpx.post(link, data={"List-Unsubscribe": "One-Click"})
        assert (answer.status_code, "You are unsubscribed" in answer.text) == (200, True)
        assert "set-cookie" not in answer.headers
    done(CAST.plain, Right.MARKETING_OPT_OUT)
    assert not any(row["granted"] for row in rows("marketing_consents", user_id=me))
    scenes.post_is_out()
    assert [str(mail["Subject"]).startswith("Your choice is in force") for mail in mails(CAST.plain)] == [True]

    same = f"{stack.url}/u/{unsubscribe.token_for('nobody.here@example.com')}/"
    other = httpx.post(same, data={"List-Unsubscribe": "One-Click"})
    assert (other.status_code, other.text.replace("n•••@", "a•••@")) == (200, answer.text)


def test_the_button_of_the_page_unsubscribes_and_a_forged_link_explains_itself(stack: House, visitor: Visitor) -> None:
    token = unsubscribe.token_for(CAST.plain)
    visitor.open(f"/u/{token}/")
    visitor.press("Unsubscribe")
    visitor.sees("You are unsubscribed", "a•••@e•••.com")
    done(CAST.plain, Right.MARKETING_OPT_OUT)
    visitor.open(f"/u/{'A' if token[0] != 'A' else 'B'}{token[1:]}/")
    visitor.sees("We do not know this link", "Nothing has been changed.", status=404)
    visitor.follow("No more marketing")
    visitor.sees("No more marketing")
    for body in ({}, {"List-Unsubscribe": "Two-Clicks"}):
        assert httpx.post(f"{stack.url}/u/{token}/", data=body).status_code == 400
    assert PrivacyRequest.objects.count() == 1


def test_global_privacy_control_is_seen_and_applied_with_one_click(stack: House, visitor: Visitor) -> None:
    assert date.fromisoformat(httpx.get(f"{stack.url}/.well-known/gpc.json").json()["lastUpdate"])
    visitor.open("/")
    assert "Your browser asks us not to sell" not in visitor.text
    visitor.client.headers["Sec-GPC"] = "1"
    visitor.open("/")
    visitor.sees("Your browser asks us not to sell or share your data", "Tell us my address")
    me = scenes.number_of(CAST.plain)
    scenes.an_account(CAST.plain)
    visitor.sign_in(CAST.plain)
    visitor.open("/choices/")
    assert not PrivacyRequest.objects.exists(), "looking changes nothing"
    visitor.press("Apply it to my account")
    visitor.sees("the signal of your browser now counts", "it counts for your account too")
    done(CAST.plain, Right.OPT_OUT_SALE)
    done(CAST.plain, Right.OPT_OUT_TARGETED)
    assert (user(me)["sale_opt_out"], user(me)["targeted_ads_opt_out"]) == (True, True)
    visitor.open("/")
    visitor.sees("it counts for your account too")
    assert visitor.button("Apply it to my account") is None
    assert PrivacyRequest.objects.count() == 2
    assert not Message.objects.filter(notice=Notice.RECEIVED_TRIAGE).exists()
