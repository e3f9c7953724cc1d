"""Oversized, malformed, hostile, repeated: a clear error, nothing half done. A failing source stops only itself."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import timedelta
from threading import Barrier

import httpx
import pytest
import sqlalchemy as sa
from django.conf import settings
from django.utils import timezone

from dsar.connectors import sql_engine
from dsar.enums import CheckKind, CheckStatus, Outcome, State, StepStatus
from dsar.models import AuditEvent, Case, IdentityCheck, Intake, PrivacyRequest, Step
from tests.house import CAST, House, body_of, link_in, mail_to, mails, rows, wait_for
from tests.journeys import scenes
from tests.journeys.people import Colleague, Visitor

pytestmark = pytest.mark.once

HUGE = "9" * 30


def together(browsers: list[Visitor], words: str) -> list[int]:
    """Everybody presses a button at the same moment; returns what each got."""
    gate = Barrier(len(browsers))

    def one(browser: Visitor) -> int:
        gate.wait()
        browser.press(words)
        assert browser.page is not None
        return browser.page.status_code

    with ThreadPoolExecutor(len(browsers)) as pool:
        return list(pool.map(one, browsers))


def test_fifty_uses_of_one_link_at_once_make_one_transition(stack: House, visitor: Visitor) -> None:
    visitor.ask(CAST.plain)
    link = link_in(mail_to(CAST.plain))
    browsers = [Visitor(stack.url) for _ in range(50)]
    for browser in browsers:
        browser.open(link)
    assert set(together(browsers, "Yes, this is my mailbox")) == {200}
    request = scenes.reaches(scenes.request_of(CAST.plain), State.CONFIRMING)
    assert AuditEvent.objects.filter(chain=request.case.chain, what="verify").count() == 1
    assert AuditEvent.objects.filter(chain=request.case.chain, what="mailbox_proven").count() == 1
    inside = [browser for browser in browsers if browser.path in ("/confirm/", "/waiting/")]
    assert len(inside) == 1
    assert {browser.path for browser in browsers if browser not in inside} == {"/new-link/"}


def test_a_form_sent_ten_times_at_once_makes_one_case(stack: House, visitor: Visitor) -> None:
    visitor.open("/ask/deletion/")
    form, _button = visitor.button("Send my request") or (None, None)
    assert form is not None
    data = {str(one["name"]): str(one.get("value", "")) for one in form.find_all("input", {"type": "hidden"})}
    data |= {"email": CAST.plain, "country": "DE", "acts_as": "self"}
    gate = Barrier(10)

    def send(_number: int) -> int:
        gate.wait()
        cookies = dict(visitor.client.cookies)
        answer = httpx.post(
            f"{stack.url}/ask/deletion/", data=data, cookies=cookies, headers={"Referer": stack.url}, timeout=20
        )
        return answer.status_code

    with ThreadPoolExecutor(10) as pool:
        assert set(pool.map(send, range(10))) == {302}
    assert Intake.objects.count() == Case.objects.count() == PrivacyRequest.objects.count() == 1
    scenes.post_is_out()
    assert len(mails(CAST.plain)) == 1


def test_two_confirmations_at_once_confirm_once(stack: House, visitor: Visitor) -> None:
    visitor.reach(CAST.plain)
    second = Visitor(stack.url)
    second.client.cookies.update(visitor.client.cookies)
    second.page = visitor.page
    assert set(together([visitor, second], "Delete my data")) == {200}
    request = scenes.reaches(scenes.request_of(CAST.plain), State.RELEASING)
    assert AuditEvent.objects.filter(chain=request.case.chain, what="confirm").count() == 1
    mail_to(CAST.plain, "You have confirmed the deletion")
    scenes.post_is_out()
    assert sum("You have confirmed the deletion" in str(mail["Subject"]) for mail in mails(CAST.plain)) == 1


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"status": CheckStatus.PASSED}, "This link was used already"),
        ({"status": CheckStatus.SUPERSEDED}, "This link was used already"),
        ({"expires_at": None}, "This link is too old"),
        ({"wrong_attempts": 5}, "This link has ended"),
    ],
    ids=["spent", "replaced", "expired", "exhausted"],
)
def test_a_link_that_does_not_work_explains_itself_and_offers_a_new_one(
    visitor: Visitor, change: dict[str, object], words: str
) -> None:
    visitor.ask(CAST.plain)
    link = link_in(mail_to(CAST.plain))
    moment = timezone.now()
    given = {name: moment if value is None else value for name, value in change.items()}
    IdentityCheck.objects.filter(kind=CheckKind.MAILBOX).update(decided_at=moment, **given)
    visitor.open(link)
    visitor.sees(words)
    visitor.press("Send me a new link")
    visitor.sees("Please look into your mailbox")
    visitor.prove(CAST.plain, after=1)
    visitor.sees("Do you want to delete your data?")


def test_a_forged_link_says_nothing_and_helps_whoever_has_a_request(visitor: Visitor) -> None:
    visitor.ask(CAST.plain)
    link = link_in(mail_to(CAST.plain))
    for token in (link.split("/")[2][:-1] + "!", "A" * 43, "x", "%00", "%F0%9F%92%A9" * 5, "A" * 3000):
        visitor.open(f"/l/{token}/")
        visitor.sees("We do not know this link")
    for address in (CAST.plain, CAST.unknown):
        visitor.open(f"/l/{'A' * 43}/")
        visitor.press("Send me a new link", email=address)
        visitor.sees("If a request is open under this address, a new link is on its way.")
    mail_to(CAST.plain, after=1)
    scenes.post_is_out()
    assert mails(CAST.unknown) == []
    assert not IdentityCheck.objects.filter(status=CheckStatus.PASSED).exists()


def test_five_wrong_codes_end_a_code_and_not_the_way(stack: House, visitor: Visitor) -> None:
    visitor.reach(CAST.unknown)
    letter = mail_to(CAST.unknown, "We hold nothing")
    other = Visitor(stack.url)
    other.open(link_in(letter))
    other.press("Send me a code")
    code = scenes.code_in(body_of(mail_to(CAST.unknown, "Your code")))
    other.press("Open my request", code="")
    for _ in range(5):
        other.press("Open my request", code="".join("0" if one != "0" else "1" for one in code))
        other.sees("This code is not the one that we sent.")
    other.press("Open my request", code=code)
    other.sees("There were too many wrong attempts, so this code has ended.")
    before = len(mails(CAST.unknown))
    other.press("Send me a new code")
    code = scenes.code_in(body_of(mail_to(CAST.unknown, "Your code", after=before)))
    other.press("Open my request", code=f" {code} ")
    other.sees("My request", "We hold nothing under this address.")


def test_four_forms_for_one_address_send_three_links_and_look_the_same(stack: House) -> None:
    screens = set()
    for _ in range(4):
        browser = Visitor(stack.url)
        browser.ask(CAST.plain)
        browser.sees("We have your request")
        screens.add(browser.text)
    assert len(screens) == 1
    wait_for(lambda: PrivacyRequest.objects.count() == 4, what="every request")
    scenes.post_is_out()
    assert scenes.link_mails(CAST.plain) == 3


def test_oversized_and_malformed_forms_are_told_so_and_leave_nothing(stack: House, visitor: Visitor) -> None:
    visitor.open("/ask/something-else/")
    given = {"email": CAST.plain, "country": "DE"}
    visitor.press("Send my request", **given, statement="x" * 300_000)
    visitor.sees("That was too much at once", status=413)
    for wrong in (
        {"statement": "x" * 5000},
        {"statement": "a\x00b"},
        {"email": "nobody\x00@example.com"},
        {"email": "not an address"},
        {"email": "unknown@" + "a" * 300 + ".example"},
        {"country": "ZZ-ZZ"},
        {"number": "forged"},
    ):
        visitor.open("/ask/something-else/")
        visitor.press("Send my request", **{**given, "statement": "Hello.", **wrong})
        visitor.sees("Please check what you entered")
        assert visitor.path == "/ask/something-else/"
    visitor.open("/ask/deletion/")
    assert visitor.page is not None
    cookies = {"Cookie": "; ".join(f"{name}={value}" for name, value in visitor.client.cookies.items())}
    for content, kind in (
        (b"email=%00%ff&country=%zz", "application/x-www-form-urlencoded"),
        (b"--x\r\nbroken", "multipart/form-data; boundary=x"),
        (b"--x", "multipart/form-data"),
        (b"\xff\xfe\x00", "application/json"),
        (b"&".join(b"a%d=1" % number for number in range(200)), "application/x-www-form-urlencoded"),
    ):
        answer = httpx.post(f"{stack.url}/ask/deletion/", content=content, headers={"Content-Type": kind, **cookies})
        assert 400 <= answer.status_code < 500, (content[:20], answer.status_code)
    assert not Intake.objects.exists()
    assert not Case.objects.exists()


def test_hostile_addresses_and_headers_never_break_it(stack: House, visitor: Visitor, lead: Colleague) -> None:
    visitor.reach(CAST.staff)
    for path in (
        "/ask/%00/", "/ask/no-such-right/", "/ask/%E2%98%83/", f"/case/{HUGE}/withdraw/", "/case/-1/withdraw/",
        "/case/0/copy/", f"/case/{HUGE}/answer/", f"/case/{HUGE}/copy/", "/%2e%2e/%2e%2e/etc/passwd",
        "/static/../config/settings.py", "/case/%D9%A1/withdraw/", "/desk/requests/%00/", "/new-link/?sent=%00",
        "/language/", "/accounts/signup/",
    ):  # fmt: skip
        assert visitor.client.get(path).status_code < 500, path
        assert visitor.post(path) < 500, path
    for path in (
        f"/desk/requests/{HUGE}/", "/desk/requests/-1/", "/desk/requests/0/", "/desk/requests/%F0%9F%92%A9/",
        f"/desk/incoming/{HUGE}/", "/desk/incoming/0/", f"/desk/requests/{HUGE}/release/", "/desk/requests/1/%00/",
        "/desk/requests/1/no-such-verb/", f"/desk/holds/{HUGE}/lift/", f"/desk/incoming/{HUGE}/act/",
        "/desk/sources/%00/switch/", "/desk/sources/no-such-source/switch/",
    ):  # fmt: skip
        assert lead.client.get(path).status_code in (400, 404, 405), path
        assert lead.post(path, on="1", sure="on") in (400, 404, 405), path
    for query in (
        "view=%00", "ref=%00", "who=%00", f"after={HUGE}", "after=%00", "before=%F0%9F%92%A9", "state=%00",
        "assignee=%00", f"assignee={HUGE}", "due_before=99999-99-99", "law=%00", "page=-1", "right=%27%3B--",
    ):  # fmt: skip
        for place in ("/desk/", "/desk/incoming/", "/desk/audit/", "/desk/holds/"):
            status = lead.client.get(f"{place}?{query}").status_code
            assert status in (200, 400, 404), (place, query, status)
    assert lead.post("/desk/", words="a\x00b@example.com") == 200
    assert lead.post("/desk/", words="RD-\x00") == 200
    for headers in (
        {"X-Big": "x" * 20_000}, {"Cookie": "sessionid=%00; csrftoken=" + "y" * 500}, {"Host": "evil.example"},
        {"Accept-Language": "x" * 5000}, {"X-Forwarded-Host": "evil.example"},
    ):  # fmt: skip
        assert httpx.get(f"{stack.url}/", headers=headers).status_code < 500, headers
    assert httpx.get(f"{stack.url}/", headers={"Host": "evil.example"}).status_code == 400
    assert scenes.request_of(CAST.staff).state == State.REVIEW


@contextmanager
def out_of_reach() -> Iterator[None]:
    """The company's tables are not where they were."""
    url = sa.make_url(settings.COMPANY_DATABASE_URL)
    schema = settings.COMPANY_DATABASE_SCHEMA
    here, away = "users", "users_away"
    rename = "ALTER TABLE {} RENAME TO {}"
    if url.get_backend_name() == "postgresql":
        here, away = schema, f"{schema}_away"
        rename = "ALTER SCHEMA {} RENAME TO {}"
    sql_engine.forget(settings.COMPANY_DATABASE_URL)
    engine = sa.create_engine(url, poolclass=sa.NullPool)
    with engine.begin() as connection:
        connection.execute(sa.text(rename.format(here, away)))
    yield
    with engine.begin() as connection:
        connection.execute(sa.text(rename.format(away, here)))


def test_a_failing_source_stops_only_its_own_steps_and_is_retried_from_the_desk(
    visitor: Visitor, clerk: Colleague, lead: Colleague
) -> None:
    me = scenes.number_of(CAST.plain)
    account = scenes.an_account(CAST.plain)
    request = scenes.confirmed(visitor, CAST.plain)
    scenes.closed(request)
    with out_of_reach():
        lead.release(request)
        stopped = Step.objects.filter(request=request, source="platform", status=StepStatus.BLOCKED)
        wait_for(stopped.exists, what="a named stop")
        others = Step.objects.filter(request=request).exclude(source="platform").exclude(status=StepStatus.DONE)
        wait_for(lambda: not others.exists(), what="the other sources")
        account.refresh_from_db()
        assert CAST.plain not in account.email
        reason = stopped.get().get_reason_display()
        clerk.open("/desk/?view=stuck")
        clerk.sees(request.case.reference)
        clerk.look_at(request)
        clerk.sees(str(reason))
        clerk.open("/desk/sources/")
        clerk.sees(str(reason))
        assert scenes.fresh(request).state == State.FULFILLING
    clerk.act(request, "retry")
    held = scenes.reaches(request, State.COMPLETED)
    assert (held.outcome, held.attention) == (Outcome.GRANTED_IN_PART, "")
    assert "* Prompts and outputs: Deleted (5 records)" in body_of(mail_to(CAST.plain, "has been carried out"))
    assert rows("users", id=me) == []


def test_a_source_that_cannot_be_asked_does_not_keep_the_person_waiting(
    visitor: Visitor, clerk: Colleague, lead: Colleague
) -> None:
    me = scenes.number_of(CAST.plain)
    with out_of_reach():
        visitor.reach(CAST.plain)
        visitor.sees("Do you want to delete your data?", "Prompts and outputs")
        visitor.press("Delete my data")
        visitor.sees("Your deletion is confirmed", "closing")
        request = scenes.reaches(scenes.request_of(CAST.plain), State.RELEASING)
        stopped = Step.objects.filter(request=request, source="platform", status=StepStatus.BLOCKED)
        wait_for(stopped.exists, what="the stop, by name")
        assert scenes.fresh(request).attention
    clerk.act(request, "retry")
    scenes.closed(request)
    assert rows("users", id=me)[0]["status"] == "closed"
    scenes.carried_out(request, lead)
    assert rows("users", id=me) == []
    assert timezone.now() - request.received_at < timedelta(minutes=5)
