"""What the database did not take is not acknowledged to whoever sent it (law 1)."""

import hashlib
import hmac
import io
import sys
import time
from base64 import b64encode
from types import SimpleNamespace

import pytest
from django.core.management import CommandError, call_command
from django.test import Client
from django.urls import reverse

from dsar.intake import web
from dsar.models import Intake
from tests.house import CAST, full

pytestmark = pytest.mark.usefixtures("desk")
MAIL = f"From: {CAST.plain}\r\nSubject: Please delete my account\r\n\r\nPlease delete my account.\r\n".encode()


def by_pipe() -> int:
    """The exit code for a mail server."""
    try:
        call_command("receive_mail", stdout=io.StringIO())
    except CommandError as error:
        return error.returncode
    return 0


def by_webhook() -> int:
    """The status for a mail provider."""
    stamp, token = str(int(time.time())), "once"
    signature = hmac.new(b"a-signing-key-for-tests", f"{stamp}{token}".encode(), hashlib.sha256).hexdigest()
    answer = Client(raise_request_exception=False).post(
        reverse("inbound_mail"),
        {"timestamp": stamp, "token": token, "signature": signature, "body-mime": MAIL.decode(), "recipient": ""},
        headers={"Authorization": "Basic " + b64encode(b"inbound:a-secret-for-tests").decode()},
    )
    return answer.status_code


def by_form() -> int:
    """The status for somebody with a browser."""
    typed = {"number": web.new_number(), "email": CAST.plain, "country": "DE", "acts_as": "self"}
    return Client(raise_request_exception=False).post(reverse("ask", args=["deletion"]), typed).status_code


WAYS = {"pipe": (by_pipe, 75, 0), "webhook": (by_webhook, 500, 200), "form": (by_form, 500, 302)}


@pytest.mark.parametrize("way", WAYS)
def test_law_01_what_could_not_be_stored_is_not_acknowledged(way: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=io.BytesIO(MAIL)))
    send, refused, taken = WAYS[way]
    with full("dsar_intake"):
        assert send() == refused
    assert not Intake.objects.exists()
    sys.stdin.buffer.seek(0)
    assert send() == taken
    assert Intake.objects.count() == 1
