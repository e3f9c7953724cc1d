"""The requester's pages, from the first card to the letter; workers' rounds are made in this process."""

import re
from datetime import timedelta

import pytest
from allauth.mfa.totp.internal.auth import (
    TOTP,
    format_hotp_value,
    generate_totp_secret,
    hotp_value,
    yield_hotp_counters_from_time,
)
from django.conf import settings
from django.test import Client
from django.utils import timezone

from accounts.models import User
from dsar.demo.cast import CAST
from dsar.enums import CheckKind, Outcome, Right, State
from dsar.fulfilment import control, runner
from dsar.models import Actor, Case, IdentityCheck, Intake, Plan, PrivacyRequest
from dsar.notifications import outbox
from dsar.review import decide
from tests import house
from tests.portal.conftest import Visitor, newest_link, page, tables, words, work

PUBLIC = [
    "/", "/received/", "/proof/", "/waiting/", "/confirm/", "/confirm/second-factor/", "/case/", "/follow/",
    "/follow/code/", "/not-me/", "/new-link/", "/new-link/?sent=1", "/health/", "/l/x/", f"/l/{'x' * 43}/",
]  # fmt: skip


def only() -> PrivacyRequest:
    return PrivacyRequest.objects.select_related("case").get()


def again(request: PrivacyRequest) -> PrivacyRequest:
    return PrivacyRequest.objects.select_related("case").get(pk=request.pk)


def totp(secret: str) -> str:
    return format_hotp_value(hotp_value(secret, next(iter(yield_hotp_counters_from_time()))))


def test_from_the_first_card_to_the_letter(visitor: Visitor, approver: Actor) -> None:
    assert "/ask/deletion/" in visitor.get("/").content.decode()
    answer = visitor.ask(CAST.plain)
    assert "We have your request" in words(answer)
    assert only().state == State.VERIFYING
    work()
    opened = visitor.get(newest_link(CAST.plain))
    assert opened.redirect_chain == [("/proof/", 302)]  # type: ignore[attr-defined]
    assert only().state == State.VERIFYING
    shown = visitor.post("/proof/")
    text = words(shown)
    assert "Do you want to delete your data?" in text
    for needed in (
        "This cannot be undone",
        "Delete my data",
        "Keep my data",
        "Get a copy first",
        "Invoices",
        "31 December",
    ):
        assert needed in text, needed
    assert "EUR" in text
    assert "switched off when you confirm" in text
    done = visitor.confirm()
    assert "closing" in words(done)
    request = only()
    assert request.is_bound
    assert request.state == State.RELEASING
    work()
    assert "closing" not in words(visitor.get("/case/"))
    control.release(request.pk, actor=approver)
    runner.drain_fulfilling()
    outbox.drain()
    ended = words(visitor.get("/case/"))
    assert "What happened" in ended
    assert "made anonymous" in ended or "deleted" in ended
    assert again(request).outcome in (Outcome.GRANTED, Outcome.GRANTED_IN_PART)
    later = Visitor()
    later.get(newest_link(CAST.plain))
    assert "We send a code" in words(later.get("/follow/"))
    later.post("/follow/")
    outbox.drain()
    code = IdentityCheck.objects.filter(kind=CheckKind.CODE).latest("pk").code
    assert code in house.body_of(house.mails(CAST.plain)[-1])
    assert "What happened" in words(later.post("/follow/code/", {"code": f"{code[:4]} {code[4:]}"}))


def test_nothing_held_is_said_after_the_proof(visitor: Visitor) -> None:
    assert "We hold nothing under this address" in words(visitor.prove(CAST.unknown))


def test_slow_search_shows_a_page_that_looks_again(visitor: Visitor) -> None:
    visitor.ask(CAST.plain)
    outbox.drain()
    visitor.get(newest_link(CAST.plain))
    waiting = visitor.post("/proof/")
    assert "We are looking for your data" in words(waiting)
    assert waiting["Refresh"]
    work()
    assert "Do you want to delete your data?" in words(visitor.get("/waiting/"))


def test_reading_changes_nothing(visitor: Visitor) -> None:
    visitor.ask(CAST.plain)
    work()
    link = newest_link(CAST.plain)
    paths = [*PUBLIC, "/ask/deletion/", "/ask/something-else/", "/ask/nonsense/", link]
    before = tables()
    for path in paths:
        visitor.get(path)
        visitor.client.head(path)
    assert tables() == before
    visitor.get(link)
    visitor.post("/proof/")
    pk = only().pk
    old = Plan.objects.get()
    Plan.objects.filter(pk=old.pk).update(made_at=timezone.now() - timedelta(hours=1))
    numbers = [f"/case/{pk}/withdraw/", f"/case/{pk}/answer/", f"/case/{pk}/copy/", f"/case/{pk}/do-not-wait/"]
    before = tables()
    for path in [*paths, *numbers]:
        visitor.get(path)
        visitor.client.head(path)
    assert tables() == before


def test_known_and_unknown_addresses_look_the_same(visitor: Visitor) -> None:
    seen = []
    for address in (CAST.plain, CAST.unknown, CAST.on_hold):
        person = Visitor()
        pages = [page(person.ask(address)), page(person.get("/received/"))]
        outbox.drain()
        pages.append(page(person.get(newest_link(address))))
        pages.append(page(person.post("/new-link/", {"email": address})))
        case = Case.objects.latest("pk")
        seen.append([one.replace(address, "ADDRESS").replace(case.reference, "REF") for one in pages])
    assert seen[0] == seen[1] == seen[2]
    stranger = page(Visitor().post("/new-link/", {"email": "nobody.at.all@example.org"}))
    assert stranger == seen[0][-1]


def test_the_fourth_mail_of_a_day_is_not_sent_and_nothing_shows_it(visitor: Visitor) -> None:
    pages = [page(visitor.ask(CAST.unknown)) for _ in range(settings.LINK_MAILS_PER_DAY + 1)]
    work()
    assert len(set(pages)) == 1
    assert len(house.mails(CAST.unknown)) == settings.LINK_MAILS_PER_DAY
    assert Case.objects.count() == settings.LINK_MAILS_PER_DAY + 1
    sent = [page(visitor.post("/new-link/", {"email": CAST.unknown})) for _ in range(2)]
    work()
    assert sent[0] == sent[1]
    assert len(house.mails(CAST.unknown)) == settings.LINK_MAILS_PER_DAY


def test_sending_twice_makes_one_case(visitor: Visitor) -> None:
    typed = {**visitor.fields("/ask/deletion/"), "email": CAST.plain, "country": "DE", "acts_as": "self"}
    first, second = visitor.post("/ask/deletion/", typed), visitor.post("/ask/deletion/", typed)
    assert page(first) == page(second)
    assert Case.objects.count() == Intake.objects.count() == 1


@pytest.mark.parametrize(
    "typed",
    [
        {"email": "nonsense"}, {"email": ""}, {"email": "noreply@example.com"}, {"country": "XX"}, {"acts_as": "king"},
        {"email": "a\x00@example.com"}, {"number": "forged"}, {"number": ""}, {"email": "x" * 300 + "@example.com"},
    ],
)  # fmt: skip
def test_a_malformed_form_says_so_and_keeps_what_was_typed(visitor: Visitor, typed: dict[str, str]) -> None:
    sent = {"email": "whoever@example.com", "statement": "My name is <b>wrong</b>", **typed}
    answer = visitor.ask(right="correction", **sent)
    assert "Please check what you entered" in words(answer)
    assert "My name is &lt;b&gt;wrong&lt;/b&gt;" in answer.content.decode()
    assert Intake.objects.count() == 0
    if "number" in typed:
        kept = {"email": "whoever@example.com", "country": "DE", "acts_as": "self", "statement": "wrong"}
        number = re.search(r'name="number" value="([^"]+)"', answer.content.decode())
        assert number
        assert "We have your request" in words(visitor.post("/ask/correction/", {**kept, "number": number[1]}))


def test_what_is_too_large_is_refused_with_words(visitor: Visitor) -> None:
    too_long = visitor.ask("whoever@example.com", "correction", statement="a" * 4001)
    assert "Please check what you entered" in words(too_long)
    too_big = visitor.ask("whoever@example.com", "correction", statement="a" * (settings.FORM_BYTES + 1))
    assert too_big.status_code == 413
    assert "too much at once" in words(too_big)
    many = visitor.post("/ask/deletion/", {f"field{number}": "x" for number in range(100)})
    assert many.status_code == 413
    assert Intake.objects.count() == 0


def test_links_that_do_not_work_explain_themselves_and_offer_a_new_one(visitor: Visitor) -> None:
    visitor.ask(CAST.plain)
    work()
    link = newest_link(CAST.plain)
    for forged in (f"/l/{'A' * 43}/", link[:-5] + "AAAA/", "/l/%00/", "/l/" + "x" * 500 + "/"):
        assert "We do not know this link" in words(Visitor().get(forged))
    check = IdentityCheck.objects.get(kind=CheckKind.MAILBOX)
    IdentityCheck.objects.filter(pk=check.pk).update(expires_at=timezone.now())
    other = Visitor()
    assert "This link is too old" in words(other.get(link))
    assert "on its way" in words(other.post("/new-link/"))
    work()
    fresh = newest_link(CAST.plain)
    assert fresh != link
    other.get(fresh)
    other.post("/proof/")
    assert only().state == State.CONFIRMING
    third = Visitor()
    assert "This link was used already" in words(third.get(fresh))
    assert third.post("/proof/", follow=False)["Location"] == "/new-link/"
    IdentityCheck.objects.filter(kind=CheckKind.MAILBOX).update(status="failed")
    assert "This link has ended" in words(third.get(fresh))


def test_the_link_in_hand_is_no_token_in_the_session(visitor: Visitor) -> None:
    visitor.ask(CAST.plain)
    work()
    before = visitor.client.cookies.get("sessionid")
    old = before.value if before else ""
    link = newest_link(CAST.plain)
    visitor.get(link)
    opened = visitor.client.cookies["sessionid"].value
    assert link.split("/")[2] not in repr(dict(visitor.client.session))
    assert CAST.plain not in repr(dict(visitor.client.session))
    assert opened != old, "whoever planted a session key before the link was opened holds nothing now"


def test_a_double_click_on_the_proof_goes_on_instead_of_complaining(visitor: Visitor) -> None:
    visitor.ask(CAST.plain)
    work()
    visitor.get(newest_link(CAST.plain))
    first = visitor.post("/proof/", follow=False)["Location"]
    assert visitor.post("/proof/", follow=False)["Location"] == "/new-link/"
    assert visitor.get("/new-link/", follow=False)["Location"] == first


def test_nobody_reaches_another_persons_case_by_its_number(visitor: Visitor) -> None:
    visitor.prove(CAST.plain)
    victim = only()
    thief = Visitor()
    thief.prove(CAST.unknown)
    before = tables()
    paths = [
        f"/case/{number}/{verb}/"
        for number in (victim.pk, 999999, 10**30)
        for verb in ("withdraw", "answer", "copy", "do-not-wait")
    ]
    for path in paths:
        for answer in (thief.post(path, {"text": "x"}), thief.get(path)):
            assert answer.status_code == 404
            assert "Please open your link first" in words(answer)
    posted = thief.post(
        "/confirm/", {"request": str(victim.pk), "answer": "delete", "plan": Plan.objects.get(request=victim).digest}
    )
    assert "Do you want to delete your data?" not in words(posted)
    assert tables() == before
    for path in (
        "/case/",
        "/confirm/",
        "/waiting/",
        "/confirm/second-factor/",
        "/follow/",
        "/follow/code/",
        "/not-me/",
    ):
        assert Visitor().get(path).status_code == 404


def test_a_proof_lasts_for_its_time_and_can_be_forgotten(visitor: Visitor) -> None:
    visitor.prove(CAST.plain)
    session = visitor.client.session
    past = timezone.now() - settings.PROOF_LIFETIME
    session["proven"] = dict.fromkeys(session["proven"], past.isoformat())
    session.save()
    assert visitor.get("/confirm/").status_code == 404
    other = Visitor()
    other.ask(CAST.neighbour)
    work()
    other.get(newest_link(CAST.neighbour))
    other.post("/proof/")
    assert "has forgotten" in other.post("/leave/").content.decode()
    assert other.get("/case/").status_code == 404


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


def test_keeping_the_data_withdraws(visitor: Visitor) -> None:
    visitor.prove(CAST.plain)
    kept = visitor.post("/confirm/", {**visitor.fields("/confirm/"), "answer": "keep"})
    assert "We keep your data" in words(kept)
    assert only().state == State.WITHDRAWN


def test_a_copy_is_filed_once_beside_the_deletion(visitor: Visitor) -> None:
    visitor.prove(CAST.plain)
    pk = only().pk
    for _ in range(3):
        assert "You have asked for a copy" in words(visitor.post(f"/case/{pk}/copy/"))
    copies = PrivacyRequest.objects.filter(right=Right.ACCESS)
    assert copies.count() == 1
    assert PrivacyRequest.objects.get(pk=pk).state == State.CONFIRMING
    visitor.post(f"/case/{copies.get().pk}/withdraw/")
    assert copies.get().state == State.WITHDRAWN


def test_a_question_is_answered_on_the_page(visitor: Visitor, handler: Actor) -> None:
    visitor.prove(CAST.plain, "access")
    request = only()
    decide.ask(request.pk, "Which of your two accounts?", actor=handler)
    decide.note(request.pk, "Sounds angry.", actor=handler)
    shown = visitor.get("/case/")
    assert "Which of your two accounts?" in words(shown)
    assert "Sounds angry" not in shown.content.decode()
    field = f"r{request.pk}-text"
    empty = visitor.post(f"/case/{request.pk}/answer/", {field: " "})
    assert "Please check what you entered" in words(empty)
    long = visitor.post(f"/case/{request.pk}/answer/", {field: "b" * 8001})
    assert "b" * 8001 in long.content.decode()
    assert only().state == State.CLARIFYING
    done = visitor.post(f"/case/{request.pk}/answer/", {field: "The <older> one."})
    assert "The &lt;older&gt; one." in done.content.decode()
    assert only().state == State.REVIEW
    assert "This question is closed" in words(visitor.post(f"/case/{request.pk}/answer/", {field: "Again"}))


def test_five_wrong_codes_end_a_code_and_not_the_way(visitor: Visitor) -> None:
    visitor.prove(CAST.unknown)
    work()
    later = Visitor()
    later.get(newest_link(CAST.unknown))
    assert "not valid" in words(later.post("/follow/code/", {"code": "00000000"}))
    later.post("/follow/")
    code = IdentityCheck.objects.filter(kind=CheckKind.CODE).latest("pk").code
    for _ in range(settings.WRONG_ATTEMPTS):
        assert "not the one" in words(later.post("/follow/code/", {"code": "1" + code}))
    assert "too many wrong attempts" in words(later.post("/follow/code/", {"code": code}))
    assert later.get("/case/").status_code == 404
    later.post("/follow/")
    code = IdentityCheck.objects.filter(kind=CheckKind.CODE).latest("pk").code
    assert "We hold nothing" in words(later.post("/follow/code/", {"code": code}))
    sent = [page(Visitor().get("/new-link/?sent=1")), page(later.post("/follow/"))]
    assert sent[1]


def test_this_was_not_me_needs_no_code_and_stops_the_work(visitor: Visitor) -> None:
    visitor.prove(CAST.plain)
    visitor.confirm()
    outbox.drain()
    victim = Visitor()
    shown = victim.get(newest_link(CAST.plain))
    assert "We stop the deletion at once" in words(shown)
    assert only().disputed_at is None
    noted = victim.post("/not-me/")
    assert "The deletion is stopped" in words(noted)
    assert only().disputed_at is not None
    victim.post("/not-me/")
    assert "Two people are looking into it" in words(visitor.get("/case/"))


def test_not_me_before_the_confirmation_withdraws(visitor: Visitor) -> None:
    visitor.prove(CAST.plain)
    assert "The request is withdrawn" in words(visitor.post("/not-me/"))
    assert only().state == State.WITHDRAWN


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


def test_nothing_personal_is_cached(visitor: Visitor) -> None:
    visitor.prove(CAST.plain)
    for path in (
        "/",
        "/ask/deletion/",
        "/received/",
        "/confirm/",
        "/case/",
        "/not-me/",
        "/new-link/",
        "/nowhere/",
        "/health/",
    ):
        assert "no-store" in visitor.get(path)["Cache-Control"], path


def test_forms_from_elsewhere_are_refused(company: None) -> None:
    client = Client(enforce_csrf_checks=True)
    assert client.post("/ask/deletion/", {"email": CAST.plain, "country": "DE", "acts_as": "self"}).status_code == 403
    assert client.post("/proof/").status_code == 403
    assert Intake.objects.count() == 0


def test_every_right_has_its_form(visitor: Visitor) -> None:
    home = visitor.get("/").content.decode()
    for right in Right:
        slug = right.value or "something-else"
        assert f"/ask/{slug}/" in home
        answer = visitor.ask(f"{slug}@person.example.com", slug, statement="Please look at it.")
        assert "We have your request" in words(answer), slug
    assert PrivacyRequest.objects.count() == len(Right)


def test_health_names_what_is_wrong(visitor: Visitor, monkeypatch: pytest.MonkeyPatch) -> None:
    answer = visitor.get("/health/")
    assert answer.status_code == 200
    facts = answer.json()  # type: ignore[attr-defined]
    assert {name: facts["checks"][name] for name in ("database", "guards", "keys", "outbox")} == dict.fromkeys(
        ("database", "guards", "keys", "outbox"), "ok"
    )
    monkeypatch.setattr("dsar.guards.missing", lambda using="default": ["request_bound"])
    broken = visitor.get("/health/")
    assert broken.status_code == 503
    assert "guards" in broken.json()["problems"]  # type: ignore[attr-defined]
    assert "request_bound" in broken.json()["checks"]["guards"]  # type: ignore[attr-defined]


@pytest.mark.urls("tests.portal.dev_urls")
def test_development_shows_the_mails(visitor: Visitor) -> None:
    visitor.ask(CAST.plain)
    outbox.drain()
    listing = visitor.get("/dev/mail/")
    found = re.search(r'href="(/dev/mail/[^"]+)"', listing.content.decode().split("<tbody")[1])
    assert found
    shown = visitor.get(found[1]).content.decode()
    assert f'href="{newest_link(CAST.plain)}"' in shown
    assert "sandbox srcdoc=" in shown
    for name in ("../keys.env", "..%2f..%2fkeys", "1", "x.eml", "0" * 19 + "-deadbeef"):
        assert visitor.get(f"/dev/mail/{name}/").status_code == 404


def test_development_pages_are_not_there_otherwise(visitor: Visitor) -> None:
    assert visitor.get("/dev/mail/").status_code == 404
