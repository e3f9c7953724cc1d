"""Every page in light and dark, wide and narrow: WCAG 2.2 AA as far as a machine can judge, and nothing beyond the edge."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from allauth.mfa.totp.internal.auth import TOTP, generate_totp_secret
from django.utils import timezone

from dsar import keys
from dsar.enums import HoldStatus, IntakeStatus, State, StepReason, StepStatus
from dsar.fulfilment import control, package
from dsar.intake import email, unsubscribe
from dsar.law import codes
from dsar.models import REQUESTER, Actor, Intake, LegalHold, Step
from dsar.review import corrections, decide
from dsar.verification import links, signed
from dsar.workflow import move
from tests import drive
from tests.browser.judge import Judge
from tests.browser.window import Window
from tests.desk import scenes as desk_scenes
from tests.house import CAST, House, at_rest, body_of, mail_to, wait_for
from tests.journeys import scenes
from tests.journeys.people import PASSWORD

pytestmark = pytest.mark.once
Opener = Callable[..., Window]


def at(state: State, address: str, **given: str) -> Any:
    """A request by web form whose mailbox is proven, once the workers have brought it to a state."""
    request = drive.by_web(address, **given)
    links.prove_mailbox(drive.token_of(request.case))
    return scenes.reaches(request, state)


def test_the_pages_of_whoever_asks(judge: Judge) -> None:
    window = judge.window
    judge.open("/", "What would you like to do?")
    judge.open("/ask/something-else/", "Something else")
    judge.press("Send my request", "Something else")
    judge.open("/case/", "Please open your link first", 404)
    judge.open("/l/forged/", "We do not know this link")
    judge.press("Send me a new link", "We do not know this link")
    judge.open("/new-link/?sent=1", "")
    judge.open("/ask/deletion/", "Delete my data")
    window.ask(CAST.neighbour)
    judge.look("received")
    window.open_mail(CAST.neighbour, "Please confirm that this request is yours")
    judge.look("a mail")
    judge.open("/dev/mail/", "Outgoing mail")

    TOTP.activate(scenes.an_account(CAST.mfa), generate_totp_secret())
    with at_rest():
        request = drive.by_web(CAST.mfa)
        judge.open(f"/l/{drive.token_of(request.case)}/", "Is this your mailbox?")
        judge.press("Yes, this is my mailbox", "We are looking for your data")
    window.page.wait_for_url("**/confirm/")
    judge.look("confirm, second factor needed")
    window.press("Delete my data")
    window.titled("")
    judge.look("second factor")
    window.page.locator("input[name=code]").fill("000000")
    window.press("Continue")
    window.sees("This code is not valid")
    judge.look("second factor, wrong")
    assert judge.wrong == []


def test_the_pages_of_choices(judge: Judge) -> None:
    window = judge.window
    judge.open("/choices/", "My choices")
    judge.open("/ask/opt_out_sale/", "Do not sell or share my data")
    window.page.locator("input[name=email]").fill(CAST.neighbour)
    window.page.locator("select[name=country]").select_option("US-CA")
    judge.press("Send my request", "We have your request")
    window.open_mail(CAST.neighbour, "Your choice is in force")
    judge.look("a letter about a choice")
    token = unsubscribe.token_for(CAST.plain)
    judge.open(f"/u/{token}/", "Stop our marketing mails")
    judge.press("Unsubscribe", "You are unsubscribed")
    judge.open("/u/forged/", "We do not know this link", 404)
    scenes.an_account(CAST.neighbour)
    window.context.set_extra_http_headers({"Sec-GPC": "1"})
    judge.open("/", "What would you like to do?")
    window.sign_in(CAST.neighbour, PASSWORD)
    judge.open("/choices/", "My choices")
    judge.press("Apply it to my account", "My choices")
    judge.open("/settings/security/", "Security")
    assert judge.wrong == []


def test_the_pages_after_the_proof(judge: Judge, open_window: Opener, approver: Actor) -> None:
    window = judge.window
    window.ask(CAST.plain)
    window.prove(CAST.plain)
    window.press("Get a copy first")
    window.sees("You have asked for a copy")
    judge.look("confirm, with a copy")
    window.press("Do not wait for the copy")
    judge.look("confirm, not waiting for the copy")
    request = scenes.request_of(CAST.plain)
    window.page.locator("input[name=plan]").evaluate("one => one.value = 'of another page'")
    judge.press("Delete my data", "Do you want to delete your data?", 409)
    window.press("Delete my data")
    window.sees("Your deletion is confirmed")
    judge.look("case, confirmed")
    judge.open("/not-me/", "Was this not you?")

    sole = at(State.REVIEW, CAST.sole_owner)
    decide.ask(sole.pk, "Who shall own the organisation when you are gone?", actor=approver)
    asked = Judge(open_window(axe=True))
    asked.window.follow_mail(CAST.sole_owner, "question")
    asked.window.titled("")
    if asked.window.page.url.endswith("/follow/"):
        asked.look("follow")
        asked.window.press("Send me a code")
        asked.window.titled("Enter your code")
        asked.window.press("Open my request")
        asked.look("code, missing")
        asked.window.page.get_by_label("Code").fill(scenes.code_in(body_of(mail_to(CAST.sole_owner, "Your code"))))
        asked.window.press("Open my request")
    elif asked.window.page.url.endswith("/proof/"):
        asked.window.press("Yes, this is my mailbox")
    asked.window.sees("Who shall own the organisation")
    asked.look("case, asked")

    # The erasure waits for the copy that is still being made; its person does without.
    move(scenes.request_of(CAST.plain, "access").pk, "withdraw", actor=REQUESTER)
    control.release(request.pk, actor=approver)
    scenes.reaches(request, State.COMPLETED)
    judge.open("/case/", "My request")
    assert judge.wrong + asked.wrong == []


def test_the_pages_of_an_account(judge: Judge) -> None:
    window = judge.window
    judge.open("/accounts/login/", "Sign in")
    window.page.locator("input[name=login]").fill("nobody@example.com")
    window.page.locator("input[name=password]").fill("wrong")
    judge.press("Sign in", "Sign in")
    user = scenes.an_account(CAST.neighbour)
    user.set_password("a long password")
    user.save()
    window.sign_in(CAST.neighbour)
    judge.open("/settings/security/", "Security")
    judge.open("/settings/security/delete/", "Delete my account")
    judge.press("Send me the link", "Delete my account")
    judge.open("/accounts/2fa/", "")
    judge.open("/accounts/2fa/totp/activate/", "")
    judge.open("/accounts/2fa/webauthn/", "")
    judge.open("/accounts/2fa/webauthn/add/", "")
    judge.open("/accounts/password/change/", "")
    judge.open("/accounts/logout/", "Sign out")
    judge.open("/accounts/reauthenticate/", "")
    judge.open("/desk/", "", 403)
    assert judge.wrong == []


@pytest.fixture
def busy_desk(stack: House, approver: Actor, second_approver: Actor) -> dict[str, Any]:
    """A request at every place where its page looks different, and some more for the queue."""
    drive.by_web(CAST.crypto)
    at(State.CONFIRMING, CAST.refund_due)
    LegalHold.objects.create(
        email_index=keys.email_index(CAST.on_hold), code="EU_LEGAL_CLAIMS", status=HoldStatus.ACTIVE,
        review_on=timezone.localdate(),
    )  # fmt: skip
    held = at(State.REVIEW, CAST.on_hold)
    decide.note(held.pk, "The other side has written again.", actor=approver)
    refused = at(State.REVIEW, CAST.security_flag)
    reason = codes.refusals(refused.case.regime, refused.right)[0].code
    drive.refuse(refused.pk, reason, "The investigation needs it.", facts="Ten in a day.", actor=approver)
    done = drive.confirmed(CAST.shared_phone[0])
    control.release(done.pk, actor=approver)
    email.receive(b"\x00\x01 not a mail", "")
    return {
        "triage": drive.by_web(CAST.org_owner, "", statement="Please do something about my data, and stop the mails."),
        "review": held, "refused": refused, "releasing": drive.confirmed(CAST.plain),
        "completed": scenes.reaches(done, State.COMPLETED),
    }  # fmt: skip


def test_the_pages_of_the_desk(judge: Judge, busy_desk: dict[str, Any], approver: Actor) -> None:
    window = judge.window
    window.sign_in("approver@desk.example.com")
    wait_for(lambda: Intake.objects.filter(status=IntakeStatus.QUARANTINED).exists(), what="the unreadable item")
    for view in ("", "?view=release&state=lapsed"):
        judge.open(f"/desk/{view}", "")
    window.open("/desk/")
    window.page.get_by_role("searchbox").fill(CAST.plain)
    window.press("Search")
    window.sees("the address you entered")
    judge.look("search")
    for name, request in busy_desk.items():
        window.open(f"/desk/requests/{request.pk}/")
        window.titled(request.case.reference)
        window.page.locator("details").evaluate_all("all => all.forEach(one => { one.open = true })")
        judge.look(f"request, {name}")

    release = busy_desk["releasing"]
    window.open(f"/desk/requests/{release.pk}/")
    judge.press("Release for erasure", release.case.reference, 422)
    for path, heading in (
        ("incoming/", "Incoming"), ("holds/", "Legal holds"), ("sources/", "Sources"), ("audit/", "Audit trail"),
    ):  # fmt: skip
        judge.open(f"/desk/{path}", heading)
    window.open("/desk/incoming/")
    window.page.get_by_role("rowheader").get_by_role("link").first.click()
    window.titled("Item ")
    judge.look("incoming item")
    window.open("/desk/holds/")
    judge.press("Place the hold", "Legal holds", 422)

    window.open(f"/desk/requests/{release.pk}/")
    window.page.get_by_label("Type the reference").fill(release.case.reference)
    control.release(release.pk, actor=approver)
    judge.press("Release for erasure", "", 409)
    scenes.reaches(release, State.COMPLETED)
    assert judge.wrong == []


def test_the_pages_for_what_comes_and_goes_on_paper(judge: Judge, stack: House, approver: Actor) -> None:
    with at_rest():
        request = desk_scenes.signed_page()
    window = judge.window
    window.sign_in("approver@desk.example.com")
    judge.open("/desk/file/", "File a request")
    judge.press("File it", "File a request", 422)
    judge.open("/desk/post/", "Letters to post")
    judge.press("Posted", "Letters to post", 422)
    judge.open(f"/desk/requests/{request.pk}/", request.case.reference)
    signed.decide(request.pk, False, actor=approver)
    judge.open(f"/desk/requests/{request.pk}/signed/", "File the signed page")
    judge.press("File it", "File the signed page", 422)
    assert judge.wrong == []


def test_a_step_that_needs_a_person(judge: Judge, stack: House, approver: Actor) -> None:
    request = drive.confirmed(CAST.plain)
    Step.objects.filter(request=request, kind="erase", source="platform").update(
        status=StepStatus.BLOCKED, reason=StepReason.SCHEMA_CHANGED, finished_at=timezone.now()
    )
    judge.window.sign_in("approver@desk.example.com")
    judge.open(f"/desk/requests/{request.pk}/", request.case.reference)
    judge.open("/desk/sources/", "Sources")
    assert judge.wrong == []


def test_the_pages_of_a_correction_and_what_stands_beside_it(
    judge: Judge, open_window: Opener, approver: Actor
) -> None:
    request = at(State.REVIEW, CAST.plain, right="correction", statement="My name is wrong.")
    for field, value in (("name", "Adelina Ashgrove"), ("phone", "+49 30 901820")):
        corrections.propose(request.pk, field, value, actor=REQUESTER)
    corrections.attach(request.pk, "birth certificate.pdf", b"%PDF", actor=REQUESTER)
    window = judge.window
    window.sign_in("approver@desk.example.com")
    judge.open(f"/desk/requests/{request.pk}/", request.case.reference)
    window.page.locator("details").evaluate_all("all => all.forEach(one => { one.open = true })")
    judge.look("a correction at the desk")
    window.page.get_by_label("Refuse: it stays as it is").first.check()
    with window.refusal(422):
        window.page.get_by_role("button", name="Decide").first.click()
        window.sees("Please give the reason")
    judge.look("a correction at the desk, refused")
    person = Judge(open_window(axe=True))
    asks = drive.by_web(CAST.refund_due, "correction", statement="My name is wrong.")
    person.window.open(f"/l/{drive.token_of(asks.case)}/")
    person.window.press("Yes, this is my mailbox")
    scenes.reaches(asks, State.REVIEW)
    person.window.open("/case/")
    person.window.sees("Say what is wrong")
    person.window.page.locator("details").evaluate_all("all => all.forEach(one => { one.open = true })")
    person.look("a correction, the person's page")
    with person.window.refusal(422):
        person.window.press("Add this")
        person.window.sees("Please write what it should say.")
    person.look("a correction, the person's page, refused")

    for right in ("objection", "human_review"):
        other = at(State.REVIEW, CAST.neighbour, right=right)
        judge.open(f"/desk/requests/{other.pk}/", other.case.reference)
    assert judge.wrong + person.wrong == []


def test_a_copy_at_the_desk_and_in_the_hands_of_its_person(
    judge: Judge, open_window: Opener, approver: Actor, second_approver: Actor, tmp_path: Path
) -> None:
    desk, author = judge.window, CAST.third_person_author
    request = at(State.REVIEW, author, right="access")
    desk.sign_in("approver@desk.example.com")
    judge.open(f"/desk/requests/{request.pk}/", request.case.reference)
    decide.approve(request.pk, actor=approver)
    request = scenes.reaches(request, State.CHECKING)
    judge.open(f"/desk/requests/{request.pk}/copy/", "The copy is closed")
    judge.press("Open the copy", "Look through the copy")
    desk.page.get_by_role("navigation").get_by_role("link", name="prompts").click()
    desk.sees(CAST.third_person)
    row = desk.page.get_by_role("article").filter(has_text=CAST.third_person)
    row.get_by_text("Take something out").click()
    judge.look("copy, a row opened")
    with desk.refusal(422), desk.page.expect_navigation():
        row.get_by_role("button", name="Take it out").click()
    desk.sees("Please tick the whole row")
    judge.look("copy, nothing ticked")
    row.get_by_label("prompt").check()
    row.get_by_role("button", name="Take it out").click()
    desk.sees("Taken out. The copy is put together again without it.")
    judge.look("copy, something taken out")
    wait_for(lambda: package.whole(request), what="the copy, put together again")
    desk.page.reload()
    judge.look("copy, which somebody else hands over")
    assert not desk.page.get_by_label("Type the reference").count(), (
        "who took something out does not hand it over alone"
    )
    other = open_window()
    other.sign_in("approver2@desk.example.com")
    other.open(f"/desk/requests/{request.pk}/copy/")
    other.press("Open the copy")
    other.page.get_by_label("Type the reference").fill(request.case.reference)
    other.press("Hand the copy over")
    other.sees("Handed over.")
    judge.open(f"/desk/requests/{request.pk}/", request.case.reference)

    person = Judge(open_window(axe=True))
    person.window.follow_mail(author, "Your copy is ready")
    person.window.press("Send me a code")
    person.window.page.get_by_label("Code").fill(scenes.code_in(body_of(mail_to(author, "Your code"))))
    person.window.press("Open my request")
    person.window.sees("Your copy is ready")
    person.window.page.locator("details").evaluate_all("all => all.forEach(one => { one.open = true })")
    person.look("case, with a copy")
    with person.window.page.expect_download() as coming:
        person.window.page.get_by_role("button", name="Download my copy").click()
    coming.value.save_as(tmp_path / coming.value.suggested_filename)
    size = (tmp_path / f"copy-{request.case.reference}.zip").stat().st_size
    assert size == request.packages.get(status="offered").size
    request.packages.update(expires_at=timezone.now())
    person.open("/case/", "My request")
    person.window.sees("Your copy is not here any more")
    assert judge.wrong + person.wrong == []
