"""Mail to privacy@: by a pipe or a webhook into the same door; the sender is never trusted."""

import base64
import hashlib
import hmac
import subprocess
import sys
import time
import uuid
from email.message import EmailMessage
from email.utils import make_msgid

import httpx
import pytest
from django.conf import settings

from dsar.enums import Channel, IntakeStatus, Outcome, State
from dsar.models import Case, Intake, Message, PrivacyRequest
from dsar.notices import MessageStatus
from tests.house import CAST, ROOT, House, body_of, everything_of, mail_to, mails, rows, wait_for
from tests.journeys import scenes
from tests.journeys.people import Colleague, Visitor

PRIVACY = settings.PRIVACY_EMAIL
CLEAR = "Please delete my account and all my data."


def a_mail(
    sender: str, text: str = CLEAR, subject: str = "Please delete my account", to: str = PRIVACY, **headers: str
) -> bytes:
    """A mail as a person's program writes it."""
    mail = EmailMessage()
    mail["From"], mail["To"], mail["Subject"] = sender, to, subject
    mail["Message-ID"] = make_msgid(domain="mail.example.net")
    for name, value in headers.items():
        mail[name.replace("_", "-")] = value
    mail.set_content(text)
    return mail.as_bytes()


def piped(house: House, raw: bytes, *options: str) -> subprocess.CompletedProcess[bytes]:
    """What a mail server's pipe does."""
    return subprocess.run(
        [sys.executable, "manage.py", "receive_mail", *options], input=raw, env=house.environment(), cwd=ROOT,
        capture_output=True, check=False, timeout=60,
    )  # fmt: skip


def signed(key: str = "a-signing-key-for-tests", *, hours_ago: int = 0) -> dict[str, str]:
    """The provider's signature of one delivery."""
    stamp, token = str(int(time.time()) - hours_ago * 3600), uuid.uuid4().hex
    return {
        "timestamp": stamp, "token": token,
        "signature": hmac.new(key.encode(), f"{stamp}{token}".encode(), hashlib.sha256).hexdigest(),
    }  # fmt: skip


def delivered(
    house: House, raw: bytes, fields: dict[str, str] | None = None, secret: str = "inbound:a-secret-for-tests"
) -> int:
    """What the provider's webhook does; returns the status."""
    signature = signed() if fields is None else fields
    basic = base64.b64encode(secret.encode()).decode()
    parts: dict[str, tuple[None, str | bytes]] = {name: (None, value) for name, value in signature.items()}
    parts |= {"recipient": (None, PRIVACY), "body-mime": (None, raw)}
    headers = {"Authorization": f"Basic {basic}"} if secret else {}
    answer = httpx.post(f"{house.url}/inbound/mailgun/", timeout=60, headers=headers, files=parts)
    return answer.status_code


def only_intake() -> Intake:
    """The one item that came in, once it has been read."""
    wait_for(lambda: Intake.objects.exclude(status=IntakeStatus.STORED).count() == 1, what="the item to be read")
    return Intake.objects.get()


def only_request() -> PrivacyRequest:
    """The one request that there is."""
    wait_for(lambda: PrivacyRequest.objects.count() == 1, what="a request")
    return PrivacyRequest.objects.select_related("case").get()


def test_from_a_mail_to_the_letter(stack: House, visitor: Visitor, lead: Colleague) -> None:
    me = scenes.number_of(CAST.plain)
    others = scenes.company_without(me)
    done = piped(stack, a_mail(f"Adalin Merefield <{CAST.plain}>"), "--to", PRIVACY)
    assert done.returncode == 0, done.stderr
    assert b"Stored as incoming item" in done.stdout
    request = scenes.request_of(CAST.plain)
    assert request.case.channel == Channel.EMAIL
    visitor.prove(CAST.plain, "You want us to delete your account and your data.")
    visitor.sees("This cannot be undone", "Prompts and outputs")
    visitor.press("Delete my data")
    visitor.sees("Your deletion is confirmed")
    letter = scenes.carried_out(request, lead)
    assert "* Prompts and outputs: Deleted (5 records)" in letter
    assert rows("users", id=me) == []
    assert scenes.company_without(me) == others
    assert scenes.fresh(request).outcome == Outcome.GRANTED_IN_PART
    assert rows("refunds", user_id=me)[0]["request_ref"] == str(request.uid)


@pytest.mark.once
def test_the_webhook_takes_signed_mail_and_no_other(stack: House) -> None:
    raw = a_mail(CAST.plain)
    forged = {**signed(), "signature": "0" * 64}
    assert delivered(stack, raw, {}) == 400
    assert delivered(stack, raw, forged) == 400
    assert delivered(stack, raw, signed("another key")) == 400
    assert delivered(stack, raw, signed(hours_ago=25)) == 400
    assert delivered(stack, raw, {**signed(), "token": "ä"}) == 400
    assert delivered(stack, raw, {**signed(), "timestamp": "soon"}) == 400
    assert delivered(stack, raw, secret="inbound:guessed") == 400
    assert delivered(stack, raw, secret="") == 400
    assert not Intake.objects.exists()
    assert delivered(stack, raw) == 200
    assert only_request().state == State.VERIFYING


@pytest.mark.once
def test_the_same_delivery_again_makes_no_second_case(stack: House) -> None:
    raw, fields = a_mail(CAST.plain), signed()
    assert [delivered(stack, raw, fields) for _ in range(3)] == [200, 200, 200]
    done = piped(stack, raw, "--to", PRIVACY)
    assert b"Already stored" in done.stdout
    only_request()
    scenes.post_is_out()
    assert len(mails(CAST.plain)) == 1
    assert Intake.objects.count() == 1


@pytest.mark.once
def test_a_large_mail_in_any_charset_comes_through_whole(stack: House, visitor: Visitor) -> None:
    raw = a_mail(CAST.plain, f"{CLEAR}\n\nGrüße, Ada\n" + "\n".join(["> quoted, and quoted again"] * 12000))
    assert len(raw) > 300_000
    assert delivered(stack, raw) == 200
    assert only_intake().size == len(raw)
    assert only_request().case.email == CAST.plain


@pytest.mark.once
@pytest.mark.parametrize(
    "text",
    [
        "Please do not delete my account, I only want to know which data you hold.",
        "Please send me a copy of my data and then delete my account.",
        "What happens if I close my account?",
    ],
    ids=["negated", "two wishes", "a question"],
)
def test_what_is_unclear_is_sorted_by_a_person(stack: House, visitor: Visitor, clerk: Colleague, text: str) -> None:
    assert delivered(stack, a_mail(CAST.plain, text, "A question about my account")) == 200
    request = only_request()
    assert (request.state, request.right) == (State.TRIAGE, "")
    assert "A person will read your message" in body_of(mail_to(CAST.plain, "We have received your message"))
    assert scenes.link_mails(CAST.plain) == 0

    clerk.open("/desk/")
    clerk.sees(request.case.reference)
    clerk.look_at(request)
    clerk.sees(text)
    clerk.act(request, "classify", right="deletion")
    visitor.prove(CAST.plain, "Please confirm that this request is yours")
    visitor.sees("Do you want to delete your data?")
    assert scenes.fresh(request).state == State.CONFIRMING


@pytest.mark.once
def test_a_mail_for_another_right_waits_in_review_with_its_clock(
    stack: House, visitor: Visitor, clerk: Colleague, lead: Colleague
) -> None:
    text = "Please send me a copy of all the personal data that you hold about me."
    assert delivered(stack, a_mail(CAST.plain, text, "Copy of my data")) == 200
    request = only_request()
    if request.state == State.TRIAGE:
        clerk.act(request, "classify", right="access")
    visitor.prove(CAST.plain, "Please confirm that this request is yours")
    held = scenes.reaches(request, State.REVIEW)
    visitor.open("/case/")
    visitor.sees("A person here looks at it and decides.")
    assert held.right == "access"
    assert held.due_on is not None
    assert not clerk.offers(request, "refer")
    clerk.act(request, "propose-referral", text="Please write to your organisation, which holds these data.")
    lead.confirms(request)
    assert "Please write to your organisation" in body_of(mail_to(CAST.plain, "Who can help you"))
    assert scenes.fresh(request).outcome == Outcome.REFERRED


@pytest.mark.once
def test_a_mail_that_cannot_be_read_is_kept_shown_and_adopted(stack: House, visitor: Visitor, clerk: Colleague) -> None:
    raw = b"\x00\x01\x02" * 200 + b"\nplease delete adalin\n"
    assert delivered(stack, raw) == 200
    item = only_intake()
    assert item.status == IntakeStatus.QUARANTINED
    assert item.reason
    assert not Case.objects.exists()

    clerk.open("/desk/incoming/")
    clerk.open(f"/desk/incoming/{item.pk}/")
    clerk.sees("please delete adalin")
    form = next(form for form in clerk.soup.find_all("form") if form.find("input", {"name": "email"}))
    clerk.submit(form, form.find("button"), email=CAST.plain)
    clerk.sees("It is a case now.")
    request = only_request()
    assert request.state == State.TRIAGE
    clerk.act(request, "classify", right="deletion")
    visitor.prove(CAST.plain, "Please confirm that this request is yours")
    visitor.sees("Do you want to delete your data?")


@pytest.mark.once
def test_a_reply_to_our_mail_answers_the_question(stack: House, visitor: Visitor, clerk: Colleague) -> None:
    delivered(stack, a_mail(CAST.plain, "Something about my data, please.", "My data"))
    request = only_request()
    clerk.act(request, "ask", text="Do you want a copy, or shall we delete everything?")
    question = mail_to(CAST.plain, "We have a question about your request")
    assert "Do you want a copy, or shall we delete everything?" in body_of(question)
    reply = a_mail(
        CAST.plain, "Delete everything, please.\n\n> Do you want a copy?", f"Re: {question['Subject']}",
        to=str(question["Reply-To"]), In_Reply_To=str(question["Message-ID"]),
    )  # fmt: skip

    # Somebody else who knows the reply address is not this correspondent: a message of their own, a case of its own.
    stranger = a_mail(CAST.neighbour, "Delete everything, please.", "Re: question", to=str(question["Reply-To"]))
    assert delivered(stack, stranger) == 200
    wait_for(lambda: Case.objects.count() == 2, what="a case of its own")
    assert scenes.fresh(request).state == State.CLARIFYING

    assert delivered(stack, reply) == 200
    scenes.reaches(request, State.TRIAGE)
    mail_to(CAST.plain, "We have your answer")
    received = Message.objects.get(case=request.case, status=MessageStatus.RECEIVED)
    assert received.text.startswith("Delete everything, please.")
    assert Case.objects.count() == 2
    clerk.look_at(request)
    clerk.sees("Delete everything, please.")


@pytest.mark.once
def test_machines_get_no_answer(stack: House, visitor: Visitor) -> None:
    visitor.ask(CAST.plain)
    ours = mail_to(CAST.plain)
    away = a_mail(CAST.plain, "I am away until Monday.", "Automatic reply", Auto_Submitted="auto-replied")
    assert delivered(stack, away) == 200
    assert delivered(stack, ours.as_bytes()) == 200
    wait_for(lambda: Intake.objects.filter(status=IntakeStatus.NOTED).count() == 2, what="two notes")
    assert set(Intake.objects.filter(status=IntakeStatus.NOTED).values_list("reason", flat=True)) == {
        "auto_reply",
        "own_loop",
    }
    scenes.post_is_out()
    assert Case.objects.count() == 1
    assert len(mails()) == 1


@pytest.mark.once
def test_a_forged_sender_moves_nothing(stack: House, lead: Colleague) -> None:
    victim = scenes.number_of(CAST.plain)
    account = scenes.an_account(CAST.plain)
    before = everything_of(victim)
    raw = a_mail(
        f"Adalin <{CAST.plain}>", Sender="mallory@evil.example", Reply_To="mallory@evil.example",
        Authentication_Results="mx.example.com; dkim=pass header.d=example.com; spf=pass",
    )  # fmt: skip
    assert delivered(stack, raw) == 200
    request = only_request()
    mail_to(CAST.plain, "Please confirm that this request is yours")
    wait_for(lambda: scenes.fresh(request).located_at, what="the search")
    scenes.post_is_out()
    assert {str(mail["To"]) for mail in mails()} <= {CAST.plain}
    assert scenes.fresh(request).state in (State.VERIFYING, State.TRIAGE)
    assert everything_of(victim) == before
    account.refresh_from_db()
    assert account.is_active
    assert not lead.offers(request, "release")
    assert not lead.offers(request, "approve")
