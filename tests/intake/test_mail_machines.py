"""Who wrote a mail, what our server says about it, what needs a person; and that no bytes ever raise."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dsar.intake.mail import child
from dsar.intake.mail import parse as door
from dsar.intake.mail.parse import REASONS, ParsedMail, Quarantined, parse

FROM = b"From: Ana <ana@example.org>\r\n"
HEAD = FROM + b"To: privacy@example.com\r\nMessage-ID: <1@example.org>\r\n"


def mail(body: bytes = b"Please delete my account.", *fields: bytes, head: bytes = HEAD) -> bytes:
    return head + b"".join(field + b"\r\n" for field in fields) + b"\r\n" + body


def read(raw: bytes) -> ParsedMail:
    result = parse(raw)
    assert isinstance(result, ParsedMail), result
    return result


def multipart(kind: bytes, *parts: bytes, head: bytes = HEAD) -> bytes:
    body = b"".join(b"--frontier\r\n" + part + b"\r\n" for part in parts) + b"--frontier--\r\n"
    return mail(body, b"MIME-Version: 1.0", b"Content-Type: multipart/" + kind + b"; boundary=frontier", head=head)


DSN = b"Content-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; x\r\n\r\nAction: failed\r\nStatus: 5.1.1\r\n"
ORIGINAL = b"Content-Type: message/rfc822\r\n\r\nMessage-ID: <ours@example.com>\r\n\r\nhello"


@pytest.mark.parametrize(
    ("raw", "kind"),
    [
        (multipart(b"report; report-type=delivery-status", b"\r\nfailed", DSN, ORIGINAL), "bounce"),
        (multipart(b"report; report-type=feedback-report", b"\r\nspam"), "complaint"),
        (multipart(b"report; report-type=disposition-notification", b"\r\nread"), "receipt"),
        (mail(b"I am away", b"Auto-Submitted: auto-replied"), "auto_reply"),
        (mail(b"I am away", b"Subject: Automatische Antwort: Ihre Anfrage"), "auto_reply"),
        (mail(b"I am away", b"Subject: Out of office until Monday"), "auto_reply"),
        (mail(b"Please delete my account", b"Auto-Submitted: no"), "person"),
        (mail(b"Please delete my account", b"Return-Path: <>"), "person"),
        (mail(b"Please delete my account", head=b"From: postmaster@example.org\r\n"), "person"),
        (mail(b"News", b"List-Unsubscribe: <mailto:x@example.org>"), "list"),
        (
            mail(
                b"The mail could not be delivered: user unknown",
                b"Subject: Undelivered Mail",
                head=b"From: MAILER-DAEMON\r\n",
            ),
            "bounce",
        ),
    ],
)
def test_machines_are_told_from_people(raw, kind):
    assert read(raw).kind == kind


def test_a_delivery_report_names_the_mail_it_is_about():
    report = read(multipart(b"report; report-type=delivery-status", b"\r\nfailed", DSN, ORIGINAL)).report
    assert report == {"action": "failed", "status": "5.1.1", "original_message_id": "<ours@example.com>"}


def test_a_vacation_notice_without_headers_is_a_hint():
    result = read(mail(b"I am out of the office until Monday."))
    assert result.kind == "person"
    assert "sounds_automatic" in result.flags


def test_our_own_loop_field_is_reported_with_the_kind_that_holds_without_it():
    result = read(mail(b"hello", b"X-Rightsdesk-Loop: 1:abc"))
    assert (result.kind, result.kind_otherwise, result.loop_token) == ("own_loop", "person", "1:abc")
    own = parse(mail(b"hello"), own_addresses=("ANA@example.org",))
    assert isinstance(own, ParsedMail)
    assert "from_own_address" in own.flags


def test_message_ids_missing_overlong_or_doubled_are_not_used():
    assert "no_message_id" in read(FROM + b"\r\nhello").flags
    assert read(FROM + b"Message-ID: <" + b"a" * 4096 + b"@x>\r\n\r\nhello").message_id == ""
    doubled = read(mail(b"x", b"Message-ID: <2@example.org>"))
    assert doubled.message_id == ""
    assert "two_message_ids" in doubled.flags
    threaded = read(mail(b"x", b"In-Reply-To: <a@b>", b"References: <c@d>\r\n <a@b> junk"))
    assert (threaded.in_reply_to, threaded.references) == ("<a@b>", ("<c@d>", "<a@b>"))


def results(*values: bytes, own: str = "mx.example.com") -> ParsedMail:
    result = parse(mail(b"x", *[b"Authentication-Results: " + value for value in values]), own_authserv_id=own)
    assert isinstance(result, ParsedMail)
    return result


def test_only_our_own_servers_word_is_evidence():
    good = (
        b"mx.example.com; spf=pass smtp.mailfrom=a@example.org; dkim=pass header.d=example.org; "
        b"dmarc=pass (p=none) header.from=example.org"
    )
    assert results(good).authenticity == {
        "spf": "pass", "spf_domain": "example.org", "dkim": "pass", "dkim_domain": "example.org",
        "dmarc": "pass", "dmarc_domain": "example.org",
    }  # fmt: skip
    assert results(good, own="").authenticity == {}
    assert results(b"mx.evil.net; dmarc=pass").authenticity == {}
    forged = results(b"mx.evil.net; dmarc=fail", good)
    assert forged.authenticity == {}
    assert "auth_results_repeated" in forged.flags
    assert results(b"mx.example.com; dmarc=fail", good).authenticity == {"dmarc": "fail"}
    assert "auth_results_repeated" in results(b"mx.example.com; dmarc=fail", good).flags
    assert results(b"mx.example.com; spf=pass; spf=fail").authenticity["spf"] == "conflict"
    assert results(b"(mx.example.com;) mx.evil.net; dmarc=pass").authenticity == {}


@pytest.mark.parametrize(
    ("raw", "flag"),
    [
        (mail(b"x", b"Content-Type: application/pkcs7-mime; smime-type=enveloped-data"), "smime"),
        (mail(b"x", b"Content-Type: application/pkcs7-mime; smime-type=enveloped-data"), "encrypted"),
        (multipart(b"encrypted", b"Content-Type: application/pgp-encrypted\r\n\r\nVersion: 1"), "encrypted"),
        (mail(b"-----BEGIN PGP MESSAGE-----\r\nabc"), "encrypted"),
        (multipart(b"mixed", b"Content-Type: application/ms-tnef; name=winmail.dat\r\n\r\nx"), "tnef"),
        (multipart(b"mixed", b"Content-Type: text/calendar\r\n\r\nBEGIN:VCALENDAR"), "calendar"),
        (
            multipart(
                b"mixed",
                b"Content-Type: message/external-body; access-type=URL\r\n\r\nContent-Type: text/plain\r\n",
            ),
            "external_body",
        ),
        (mail(b"hi", b"Subject: WG: Anfrage"), "forwarded"),
        (mail(b""), "empty_text"),
    ],
)
def test_what_needs_a_person_is_flagged(raw, flag):
    assert flag in read(raw).flags


def test_the_child_starts_without_django_and_within_its_limits():
    script = (
        'import sys, runpy; sys.argv = [\'child\', \'{"own_authserv_id": "", "own_addresses": []}\'];'
        f"runpy.run_path({str(Path(child.__file__))!r}, run_name='__main__');"
        "import resource; assert 'django' not in sys.modules and 'celery' not in sys.modules;"
        "assert resource.getrlimit(resource.RLIMIT_FSIZE)[0] == 0;"
        "assert resource.getrlimit(resource.RLIMIT_AS)[0] <= 512 * 1024 * 1024;"
        "assert resource.getrlimit(resource.RLIMIT_CPU)[0] <= 20"
    )
    done = subprocess.run([sys.executable, "-I", "-c", script], input=mail(), capture_output=True, check=False)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["mail"]["from_address"] == "ana@example.org"


@pytest.mark.parametrize(
    ("code", "output", "reason"),
    [
        (-9, b"", "too_slow"),
        (-24, b"", "too_slow"),
        (1, b"", "parser_failed"),
        (0, b"", "parser_failed"),
        (0, b"[]", "parser_failed"),
        (0, b'{"mail": {}}', "parser_failed"),
        (0, b'{"quarantined": "invented"}', "parser_failed"),
        (0, b'{"quarantined": "too_much_memory"}', "too_much_memory"),
    ],
)
def test_whatever_the_child_says_or_does_not_say_has_a_reason(code, output, reason):
    assert door._answer(code, output) == Quarantined(reason)


OPTIONS = {"own_authserv_id": "mx.example.com", "own_addresses": []}
FIELDS = [
    b"From",
    b"To",
    b"Subject",
    b"Content-Type",
    b"Content-Disposition",
    b"Content-Transfer-Encoding",
    b"Date",
    b"Message-ID",
    b"Authentication-Results",
    b"Reply-To",
    b"References",
    b"Return-Path",
]
PIECES = [
    b"a@b.org",
    b"<",
    b">",
    b'"',
    b"(",
    b")",
    b";",
    b",",
    b"=",
    b"boundary=x",
    b"multipart/mixed",
    b"message/rfc822",
    b"charset=utf-7",
    b"=?utf-8?q?=0a?=",
    b"=?x?b?!?=",
    b"\xff\xfe",
    b"\x00",
    b"base64",
    b"quoted-printable",
    b"filename*0*=utf-8''%ff",
    b" ",
    b"text/html",
    b"99999",
    b"Mon, 99 Jan 99999",
    b"mx.example.com; spf=",
    b"\r\n ",
    b"x-uuencode",
]


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    fields=st.lists(st.tuples(st.sampled_from(FIELDS), st.lists(st.sampled_from(PIECES), max_size=8)), max_size=8),
    body=st.one_of(
        st.binary(max_size=400),
        st.lists(st.sampled_from([*PIECES, b"--x\r\n", b"--x--", b"\r\n\r\n", *FIELDS, b": "])).map(b"".join),
    ),
)
def test_no_arrangement_of_bytes_raises(fields, body):
    raw = b"".join(name + b": " + b"".join(pieces) + b"\r\n" for name, pieces in fields) + b"\r\n" + body
    result = child.answer(raw, OPTIONS)
    if "mail" in result:
        parsed = ParsedMail.from_json(json.loads(json.dumps(result["mail"])))
        text = json.dumps(parsed.as_json(), ensure_ascii=False)
        text.encode("utf-8")
        assert "\x00" not in text
        assert not set("\r\n") & set(parsed.subject + parsed.from_address + parsed.from_name + parsed.message_id)
    else:
        assert result["quarantined"] in REASONS


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.binary(max_size=2000))
def test_random_bytes_through_the_whole_door_never_raise(raw):
    assert isinstance(parse(raw), ParsedMail | Quarantined)
