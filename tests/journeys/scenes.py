"""What the company and the desk know at a moment of a journey."""

import re
from datetime import timedelta
from typing import Any

from django.utils import timezone

from accounts.models import User
from dsar.demo.schema import metadata
from dsar.enums import State, StepKind, StepStatus
from dsar.models import Case, Message, PrivacyRequest, Step
from dsar.notices import MessageStatus
from tests.house import body_of, link_in, mail_to, mails, rows, user_id, wait_for
from tests.journeys.people import PASSWORD, Colleague, Visitor

Table = list[dict[str, Any]]
CODE = r"^\s*([0-9A-Z][0-9A-Z -]{4,})\s*$"


def number_of(address: str) -> int:
    """The company's number of a person."""
    found = user_id(address)
    assert found is not None
    return found


def an_account(address: str) -> User:
    """Their sign-in here, joined to the company's account."""
    return User.objects.create_user(
        address, PASSWORD, external_id=str(number_of(address)), full_name=address.partition("@")[0]
    )


def request_of(address: str, right: str = "deletion") -> PrivacyRequest:
    """The newest request from an address; comes as soon as it is filed."""

    def newest() -> PrivacyRequest | None:
        found = PrivacyRequest.objects.filter(case__in=Case.objects.of_email(address), right=right)
        return found.select_related("case").order_by("-pk").first()

    return wait_for(newest, what=f"a request from {address}")  # type: ignore[return-value]


def fresh(request: PrivacyRequest) -> PrivacyRequest:
    """As the database has it now."""
    return PrivacyRequest.objects.select_related("case").get(pk=request.pk)


def reaches(request: PrivacyRequest, state: State, seconds: float = 20) -> PrivacyRequest:
    """Wait until a request is in a state."""
    wait_for(lambda: fresh(request).state == state, seconds, f"{state} (it is {fresh(request).state})")
    return fresh(request)


def closed(request: PrivacyRequest) -> None:
    """Wait until every system has shut the account."""
    wait_for(
        lambda: not Step.objects.filter(request=request, kind=StepKind.CLOSE).exclude(status=StepStatus.DONE).exists(),
        what="the closing of the account",
    )


def post_is_out() -> None:
    """Wait until nothing is left in the outbox."""
    waiting = Message.objects.filter(status__in=[MessageStatus.QUEUED, MessageStatus.CLAIMED])
    wait_for(lambda: not waiting.exists(), what="the outbox")


def company_without(identity: int) -> dict[str, Table]:
    """Every row of the company that does not belong to one person."""
    keys = {row["id"] for row in rows("api_keys", user_id=identity)}
    found: dict[str, Table] = {}
    for name, table in metadata.tables.items():
        lines: Table = rows(name)
        if name == "users":
            lines = [line for line in lines if line["id"] != identity]
        elif "user_id" in table.c:
            lines = [line for line in lines if line["user_id"] != identity]
        elif "api_key_id" in table.c:
            lines = [line for line in lines if line["api_key_id"] not in keys]
        found[name] = lines
    return found


def calls_of(identity: int) -> Table:
    """A person's log of API calls, reached through the keys."""
    keys = {row["id"] for row in rows("api_keys", user_id=identity)}
    return [row for row in rows("activity_logs") if row["api_key_id"] in keys]


def confirmed(visitor: Visitor, address: str) -> PrivacyRequest:
    """A deletion that was asked for, proven and confirmed by its person."""
    visitor.reach(address)
    visitor.press("Delete my data")
    visitor.sees("Your deletion is confirmed")
    return reaches(request_of(address), State.RELEASING)


def carried_out(request: PrivacyRequest, lead: Colleague) -> str:
    """Released by an approver, done by the workers; returns the letter."""
    lead.release(request)
    reaches(request, State.COMPLETED)
    return body_of(mail_to(request.case.email, "has been carried out"))


def code_in(text: str) -> str:
    """The one-time code of a mail: the line that is nothing else."""
    found = re.findall(CODE, text, re.MULTILINE)
    assert len(found) == 1, text
    return str(found[0]).strip()


def open_by_code(visitor: Visitor, letter: Any) -> None:
    """From the link of a letter, by a code that is sent anew, to the case."""
    address = str(letter["To"])
    before = len(mails(address))
    visitor.open(link_in(letter))
    visitor.press("Send me a code")
    code = code_in(body_of(mail_to(address, "Your code", after=before)))
    visitor.press("Open my request", code=code)


def days_ago(request: PrivacyRequest, days: float) -> None:
    """Let a request have come to its state earlier."""
    ago = timezone.now() - timedelta(days=days)
    PrivacyRequest.objects.filter(pk=request.pk).update(entered_at=ago)
    PrivacyRequest.objects.filter(pk=request.pk, reminded_at__isnull=False).update(reminded_at=ago)


def link_mails(address: str) -> int:
    """How many mails with a way in went to an address."""
    return sum("Please confirm that this request is yours" in str(mail["Subject"]) for mail in mails(address))
