"""Hostile and ordinary mails: each becomes a ParsedMail or a Quarantined within the limits, never an
exception.
"""

import base64
import json

import pytest

from dsar.intake.mail.parse import ParsedMail, Quarantined, parse
from dsar.intake.mail.quotes import split

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


def test_an_ordinary_mail_survives_a_round_trip_through_json():
    result = read(
        mail(
            b"Please delete my account.\r\n\r\n-- \r\nAna",
            b"Subject: Hello",
            b"Date: Mon, 5 Jan 2026 10:00:00 +0100",
        )
    )
    assert (result.from_address, result.from_name, result.subject) == ("ana@example.org", "Ana", "Hello")
    assert result.new_text == "Please delete my account."
    assert result.text.endswith("Ana")
    assert result.date == "2026-01-05T09:00:00+00:00"
    assert result.to == ("privacy@example.com",)
    assert result.message_id == "<1@example.org>"
    assert (result.kind, result.language) == ("person", "en")
    assert ParsedMail.from_json(json.loads(json.dumps(result.as_json()))) == result


@pytest.mark.parametrize(
    ("head", "flag"),
    [
        (b"To: x@example.com\r\n", "no_from"),
        (FROM + b"From: eve@example.net\r\n", "two_from"),
        (b"From: ana@example.org, eve@example.net\r\n", "several_from"),
        (b"From: ana@example.org <eve@example.net>, x <y@example.net>\r\n", "several_from"),
        (b"From: MAILER-DAEMON\r\n", "from_unreadable"),
        (b"From: friends: ana@example.org;\r\n", "from_unreadable"),
        (b"From: " + b"(" * 500 + b"a" + b")" * 500 + b" ana@example.org\r\n", "from_unreadable"),
        (b"From: <ana@example.org\r\n", "from_unreadable"),
        (b"From: <>\r\n", "from_unreadable"),
    ],
)
def test_anything_but_one_from_with_one_address_names_nobody(head, flag):
    result = read(head + b"Subject: x\r\n\r\nhello")
    assert result.from_address == ""
    assert flag in result.flags
    assert result.sender_unclear


@pytest.mark.parametrize(
    "value",
    [
        b'"victim@example.org" <eve@example.net>',
        b"=?utf-8?q?victim=40example.org=3E?= <eve@example.net>",
        b"=?utf-8?b?" + base64.b64encode(b"victim@example.org <") + b"?= <eve@example.net>",
    ],
)
def test_a_display_name_never_becomes_the_address(value):
    result = read(b"From: " + value + b"\r\n\r\nhello")
    assert result.from_address == "eve@example.net"
    assert "name_has_address" in result.flags


def test_reply_to_and_lookalike_domains_are_flagged_not_followed():
    result = read(mail(b"hi", b"Reply-To: victim@example.org"))
    assert result.from_address == "ana@example.org"
    assert "reply_to_differs" in result.flags
    assert "international_address" in read(b"From: ana@xn--exmple-cua.org\r\n\r\nhi").flags
    assert "international_address" in read("From: ana@exаmple.org\r\n\r\nhi".encode()).flags


def test_encoded_line_breaks_do_not_make_headers():
    result = read(mail(b"x", b"Subject: =?utf-8?q?hi=0D=0ABcc:=20eve=40example.net=00?="))
    assert result.subject == "hi Bcc: eve@example.net"


@pytest.mark.parametrize(
    "charset", [b"punycode", b"unicode_escape", b"raw_unicode_escape", b"idna", b"rot13", b"zlib", b"no-such"]
)
def test_codecs_outside_the_list_are_never_used(charset):
    result = read(mail(b"caf\\ud800 " * 20, b"Content-Type: text/plain; charset=" + charset))
    assert "\\ud800" in result.text
    assert "charset_guessed" in result.flags
    word = b"Subject: =?" + charset + b"?q?a=5Cud800?="
    assert read(mail(b"x", word)).subject == "a\\ud800"


def test_a_large_body_in_a_quadratic_codec_costs_nothing():
    result = read(mail(b"a-b" * 1_600_000, b"Content-Type: text/plain; charset=punycode"))
    assert "text_truncated" in result.flags


def test_wrongly_labelled_text_is_still_read():
    text = "请删除我的帐户和所有个人数据，谢谢。我不再使用你们的服务。"
    result = read(
        mail(
            text.encode("gb2312"),
            b"Content-Type: text/plain; charset=utf-8",
            b"Content-Transfer-Encoding: 8bit",
        )
    )
    assert "删除" in result.text
    assert read(mail("Löschen".encode("cp1252"), b"Content-Type: text/plain; charset=iso-8859-1")).text == "Löschen"


def test_nothing_unprintable_is_kept():
    body = "a\x00b\x1b[31m \u202egnp.exe \u2066x\u2069 \ufeffz\u200b".encode()
    result = read(mail(body, b"Content-Type: text/plain; charset=utf-8"))
    assert result.text == "ab[31m gnp.exe x z"
    surrogate = b"+2AA-"
    assert "\ud800" not in read(mail(surrogate, b"Content-Type: text/plain; charset=utf-7")).text


@pytest.mark.parametrize(
    ("raw", "reason"),
    [
        (b"", "empty"),
        (b"\r\n\r\n", "empty"),
        (mail(b"x" * (25 * 1024 * 1024)), "mail_too_large"),
        (mail(b"x", b"Subject: " + b"a" * 5_000_000), "headers_too_large"),
        (mail(b"x", b"Subject: " + b"a" * 9000), "header_too_large"),
        (mail(b"x", b"Subject: a\r\n" + b" b\r\n" * 4000 + b" c"), "header_too_large"),
        (mail(b"x", *[b"X-%d: y" % n for n in range(40_000)]), "headers_too_large"),
        (
            mail(b"x", b"Cc: " + b",\r\n ".join(b"p%d@example.org" % n for n in range(101))),
            "too_many_addresses",
        ),
        (multipart(b"mixed", *[b"\r\n"] * 100_000), "too_many_parts"),
        (multipart(b"mixed", *[b"Content-Type: text/plain\r\n\r\nx"] * 201), "too_many_parts"),
    ],
    ids=[
        "nothing",
        "blank",
        "25MB",
        "5MB-subject",
        "9KB-subject",
        "folded",
        "fields",
        "addresses",
        "100k-parts",
        "201-parts",
    ],
)
def test_what_is_beyond_a_limit_is_quarantined_with_its_reason(raw, reason):
    assert parse(raw) == Quarantined(reason)


def nested(level: int) -> bytes:
    inner = b"Content-Type: text/plain\r\n\r\nx\r\n"
    for number in range(level):
        mark = b"b%d" % number
        inner = (
            b"Content-Type: multipart/mixed; boundary="
            + mark
            + b"\r\n\r\n--"
            + mark
            + b"\r\n"
            + inner
            + b"--"
            + mark
            + b"--\r\n"
        )
    return HEAD + b"MIME-Version: 1.0\r\n" + inner


@pytest.mark.parametrize("level", [25, 150, 1000])
def test_nesting_is_bounded(level):
    result = parse(nested(level))
    assert isinstance(result, Quarantined)
    assert result.reason in {"too_deep", "too_many_parts"}
    attached = parse(
        mail(
            b"Content-Type: message/rfc822\r\n\r\n" * level + b"Subject: x\r\n\r\ny",
            b"Content-Type: message/rfc822",
        )
    )
    assert isinstance(attached, Quarantined)
    assert attached.reason in {"too_deep", "too_many_parts"}


def test_moderate_nesting_is_read():
    assert read(nested(10)).text == "x"


def test_file_names_are_made_harmless():
    names = [
        b'"../../etc/passwd"', b'"..\\\\..\\\\boot.ini"', b'"a\x00b.pdf"', b'"in=?utf-8?q?=0D=0A?=voice.pdf"',
        b"\"=?utf-8?q?ann=E2=80=AEgpj.exe?=\"", b'"' + b"x" * 900 + b'.pdf"', b'"<script>.html"', b'""',
    ]  # fmt: skip
    parts = [
        b"Content-Type: application/pdf\r\nContent-Disposition: attachment; filename=" + name + b"\r\n\r\n%PDF-1.7"
        for name in names
    ]
    result = read(multipart(b"mixed", b"Content-Type: text/plain\r\n\r\nsee attached", *parts))
    shown = [item.name for item in result.attachments]
    assert shown[:6] == ["passwd", "boot.ini", "ab.pdf", "in voice.pdf", "anngpj.exe", shown[5]]
    assert len(shown[5]) <= 120
    assert all(not set(name) & set("/\\<>\x00\r\n\u202e") and name for name in shown)


def test_types_are_sniffed_and_archives_left_alone():
    zipped = b"PK\x03\x04" + bytes(30)
    parts = [
        b"Content-Type: image/png; name=photo.png\r\nContent-Transfer-Encoding: base64\r\n\r\n"
        + base64.b64encode(b"MZ\x90\x00"),
        b"Content-Type: text/plain; name=a.txt\r\nContent-Transfer-Encoding: base64\r\n\r\n" + base64.b64encode(zipped),
        b"Content-Type: image/svg+xml; name=a.svg\r\n\r\n<svg onload='x()'></svg>",
    ]
    result = read(multipart(b"mixed", b"Content-Type: text/plain\r\n\r\nhi", *parts))
    assert [item.sniffed_type for item in result.attachments] == [
        "application/x-msdownload",
        "application/zip",
        "image/svg+xml",
    ]
    assert result.attachments[1].size == len(zipped)
    assert len(result.attachments[1].sha256) == 64


def test_broken_structure_is_read_as_far_as_it_goes():
    assert read(mail(b"hello", b"Content-Type: multipart/mixed")).from_address == "ana@example.org"
    twice = read(mail(b"--a\r\n\r\nx\r\n--a\r\n\r\ny", b"Content-Type: multipart/mixed; boundary=a; boundary=a"))
    assert "defects" in twice.flags
    junk = read(mail(b"aGVs*bG8=!!!", b"Content-Transfer-Encoding: base64"))
    assert isinstance(junk.text, str)


def test_deep_html_is_read_and_flagged():
    body = b"<div>" * 50_000 + b"Please delete my account" + b"</div>" * 50_000
    result = read(mail(body, b"Content-Type: text/html"))
    assert result.text == "Please delete my account"
    assert {"html_only", "html_simplified"} <= set(result.flags)


def test_html_becomes_plain_words():
    body = b"<html><head><style>p{}</style></head><body><p>Delete <b>my</b> account</p><script>x()</script><img src=http://t/></body></html>"
    result = read(mail(body, b"Content-Type: text/html"))
    assert result.text == "Delete my account"


def test_alternatives_that_disagree_are_flagged():
    plain = b"Content-Type: text/plain\r\n\r\nPlease send me access to my data"
    same = b"Content-Type: text/html\r\n\r\n<p>Please send me access to my data</p>"
    other = b"Content-Type: text/html\r\n\r\n<p>Delete everything you hold about me now</p>"
    assert "alternatives_differ" in read(multipart(b"alternative", plain, other)).flags
    assert "alternatives_differ" not in read(multipart(b"alternative", plain, same)).flags


def test_an_instruction_that_is_only_quoted_is_not_the_writers():
    result = read(mail(b"> Please delete my account and all my data\r\n> Thanks"))
    assert result.new_text == ""
    assert "only_quoted" in result.flags
    assert "delete my account" in result.text


@pytest.mark.parametrize(
    "quote",
    [
        "On Mon, 5 Jan 2026 at 10:00, Desk <privacy@example.com> wrote:\n> delete it",
        "On Mon, 5 Jan 2026 at 10:00,\nDesk <privacy@example.com> wrote:\n\ndelete it",
        "Am 05.01.2026 um 10:00 schrieb Desk:\n> löschen",
        "Le lun. 5 janv. 2026 à 10:00, Desk a écrit :\n> supprimer",
        "-----Original Message-----\nFrom: Desk\ndelete it",
        "From: Desk <privacy@example.com>\nSent: Monday\nTo: Ana\nSubject: x\n\ndelete it",
        "Von: Desk\nGesendet: Montag\nAn: Ana\nBetreff: x\n\nlöschen",
        "---------- Forwarded message ---------\nFrom: Eve\ndelete it",
        "-- \nAna\nDelete Street 1",
    ],
)
def test_quotes_and_signatures_come_off(quote):
    assert split(f"Thank you.\n\n{quote}").new == "Thank you."


def test_quote_stripping_is_bounded():
    long = split("On Mon, somebody with an address\n" * 20_000)
    assert len(long.new) <= 16 * 1024
    assert len(split("> x\n" * 500_000).new) == 0


def test_an_attached_mail_is_an_attachment_and_lends_neither_text_nor_sender():
    inner = b"Content-Type: message/rfc822\r\n\r\nFrom: victim@example.net\r\nSubject: delete\r\n\r\nDelete my account"
    result = read(multipart(b"mixed", b"Content-Type: text/plain\r\n\r\nsee below", inner))
    assert result.from_address == "ana@example.org"
    assert result.text == "see below"
    assert {"attached_mail", "forwarded"} <= set(result.flags)
    assert read(mail(inner.split(b"\r\n\r\n", 1)[1], b"Content-Type: message/rfc822")).text == ""
