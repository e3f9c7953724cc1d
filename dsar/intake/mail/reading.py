"""One mail read into plain values. Runs in the child process; see `parse` for the door.

Every part is looked at once and in order, without recursion. Attached mails are attachments: neither their
text nor their sender is taken for that of the mail.
"""

import hashlib
import re
from dataclasses import dataclass, field
from email.errors import MessageError
from email.message import Message
from email.parser import BytesParser
from email.policy import compat32
from typing import Any, Final

from dsar.intake.mail import authenticity, headers, html, kinds, language, limits, quotes, sniff
from dsar.intake.mail.cleaning import clean_file_name, clean_line, clean_text, decode

_BOUNDARY: Final = re.compile(rb"boundary\s*\*?0?\*?=\s*(?:\"([^\"\r\n]{1,200})\"|([^\s;\"]{1,200}))", re.IGNORECASE)
_INNER_MAIL: Final = re.compile(rb"^content-type:\s*message/(?:rfc822|global)\b", re.IGNORECASE | re.MULTILINE)
_WORD: Final = re.compile(r"\w{2,}")
_FORWARD_SUBJECT: Final = re.compile(
    r"^\W*(fwd?|wg|tr|rv|videresend|i|enc|doorst|vs|vl|vb|pd|vidarebef|továbbítás|trs|fs|rv|fwd?\[\d\]|转发|"
    r"ilt|пересл)\s?:",
    re.IGNORECASE,
)
_TNEF: Final = ("application/ms-tnef", "application/vnd.ms-tnef")
_SMIME: Final = ("application/pkcs7-mime", "application/x-pkcs7-mime")
_SIGNATURES: Final = (
    "application/pkcs7-signature",
    "application/x-pkcs7-signature",
    "application/pgp-signature",
)


class Refused(Exception):
    """The mail is beyond a limit; `reason` is one of `parse.REASONS`."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(slots=True)
class _Found:
    """What walking over the parts gathers."""

    plain: list[str] = field(default_factory=list)
    rich: list[str] = field(default_factory=list)
    attachments: list[dict[str, Any]] = field(default_factory=list)
    report: dict[str, str] = field(default_factory=dict)
    flags: dict[str, None] = field(default_factory=dict)
    outer_types: set[str] = field(default_factory=set)

    def flag(self, *names: str) -> None:
        self.flags.update(dict.fromkeys(names))


def preflight(raw: bytes) -> None:
    """Refuses what is beyond the limits before anything is parsed. Linear in the size of the mail."""
    if len(raw) > limits.MAIL_BYTES:
        raise Refused("mail_too_large")
    if not raw.strip():
        raise Refused("empty")
    end = min(
        (at for at in (raw.find(b"\n\n"), raw.find(b"\r\n\r\n"), raw.find(b"\r\r")) if at >= 0),
        default=len(raw),
    )
    if end > limits.HEADER_BLOCK_BYTES:
        raise Refused("headers_too_large")
    size = 0
    for line in raw[:end].splitlines(keepends=True):
        size = size + len(line) if line[:1] in b" \t" and line[:1] else len(line)
        if size > limits.HEADER_BYTES:
            raise Refused("header_too_large")
    boundaries = {first or second for first, second in _BOUNDARY.findall(raw)}
    if len(boundaries) > limits.PARTS or len(_INNER_MAIL.findall(raw)) > limits.PARTS:
        raise Refused("too_many_parts")
    if boundaries and _delimiters(raw, boundaries) > limits.PARTS + len(boundaries):
        raise Refused("too_many_parts")


def _delimiters(raw: bytes, boundaries: set[bytes]) -> int:
    """How many parts the boundaries open. Only lines that start with two dashes are compared."""
    count = 0
    for match in re.finditer(rb"^--[^\r\n]{1,202}", raw, re.MULTILINE):
        if match.group(0)[2:].rstrip() in boundaries:
            count += 1
            if count > limits.PARTS * 3:
                break
    return count


def read(raw: bytes, own_authserv_id: str = "", own_addresses: tuple[str, ...] = ()) -> dict[str, Any]:
    """The fields of a `ParsedMail`. Raises `Refused`; RecursionError and MemoryError mean the same as a
    limit.
    """
    preflight(raw)
    try:
        message = BytesParser(policy=compat32).parsebytes(raw)
    except RecursionError:
        raise Refused("too_deep") from None
    except (MessageError, ValueError, LookupError, TypeError, AttributeError, IndexError, AssertionError):
        raise Refused("unreadable") from None
    if not message.keys():
        raise Refused("no_headers")
    everyone = [value for name in ("from", "to", "cc", "reply-to") for value in headers.raw_values(message, name)]
    if headers.count_addresses(everyone) > limits.ADDRESSES:
        raise Refused("too_many_addresses")

    found = _Found()
    _walk(message, found)
    sender = headers.sender(message)
    found.flag(*sender.flags)
    subject = headers.line(message, "subject", limits.SUBJECT_CHARS)
    text = _text(found)
    parts = quotes.split(text)
    verdict, auth_flags = authenticity.evidence(message, own_authserv_id)
    found.flag(*auth_flags)
    otherwise = kinds.kind_of(message, frozenset(found.outer_types), subject, text)
    loop = clean_line(headers.first(message, "x-rightsdesk-loop"), 300)
    _judge(message, found, parts, address=sender.address, subject=subject, text=text, own=own_addresses)
    own_ids = headers.message_ids(headers.raw_values(message, "message-id"))
    if not own_ids:
        found.flag("no_message_id")
    return {
        "from_address": sender.address,
        "from_name": sender.name,
        "subject": subject,
        "message_id": own_ids[0] if len(own_ids) == 1 else "",
        "in_reply_to": next(iter(headers.message_ids(headers.raw_values(message, "in-reply-to"))), ""),
        "references": headers.message_ids(headers.raw_values(message, "references")),
        "date": headers.sent_at(message),
        "to": headers.addresses(
            value
            for name in ("to", "cc", "delivered-to", "x-original-to")
            for value in headers.raw_values(message, name)
        ),
        "text": text,
        "new_text": parts.new,
        "language": language.likely(parts.new or text),
        "kind": "own_loop" if loop else otherwise,
        "kind_otherwise": otherwise,
        "loop_token": loop,
        "attachments": found.attachments,
        "authenticity": verdict,
        "report": found.report,
        "flags": list(found.flags),
    }


def _judge(
    message: Message,
    found: _Found,
    parts: quotes.Split,
    *,
    address: str,
    subject: str,
    text: str,
    own: tuple[str, ...],
) -> None:
    """The flags that need more than one value."""
    reply_to = headers.addresses(headers.raw_values(message, "reply-to"))
    if reply_to and reply_to != (address,):
        found.flag("reply_to_differs")
    if address and address.casefold() in {other.strip().casefold() for other in own}:
        found.flag("from_own_address")
    if kinds.null_sender(message):
        found.flag("null_sender")
    if len(headers.raw_values(message, "message-id")) > 1:
        found.flag("two_message_ids")
    if parts.quoted:
        found.flag("quoted")
    if parts.forwarded or _FORWARD_SUBJECT.match(subject) or "attached_mail" in found.flags:
        found.flag("forwarded")
    if not text.strip():
        found.flag("empty_text")
    elif not parts.new:
        found.flag("only_quoted")
    if kinds.sounds_automatic(text):
        found.flag("sounds_automatic")
    if "multipart/encrypted" in found.outer_types or "-----BEGIN PGP MESSAGE-----" in text:
        found.flag("encrypted")


def _walk(message: Message, found: _Found) -> None:
    """Visits every part once, outermost first, without recursion."""
    stack: list[tuple[Message, int, bool]] = [(message, 0, False)]
    visited = 0
    while stack:
        part, level, inside = stack.pop()
        visited += 1
        if visited > limits.PARTS:
            raise Refused("too_many_parts")
        if level > limits.DEPTH:
            raise Refused("too_deep")
        kind = _content_type(part)
        if part.defects:
            found.flag("defects")
        children = part.get_payload() if part.is_multipart() else None
        within = inside or kind.startswith("message/")
        if not inside:
            found.outer_types.add(kind)
            _take(part, kind, found, visited - 1, level)
        elif not found.report.get("original_message_id") and kind not in ("message/rfc822", "message/global"):
            found.report.update(_original(part))
        if isinstance(children, list):
            stack.extend((child, level + 1, within) for child in reversed(children) if isinstance(child, Message))


def _content_type(part: Message) -> str:
    try:
        return clean_line(str(part.get_content_type()), 100).lower()
    except (ValueError, TypeError, LookupError, AttributeError, UnicodeError):
        return "application/octet-stream"


def _original(part: Message) -> dict[str, str]:
    """The identifier of the mail that a report or a forward carries. What a stranger encloses is only a
    hint.
    """
    ids = headers.message_ids(headers.raw_values(part, "message-id"))
    return {"original_message_id": ids[0]} if ids else {}


def _take(part: Message, kind: str, found: _Found, index: int, level: int) -> None:
    """Puts one outer part where it belongs: report, attachment, text, or nowhere for a mere container."""
    if kind in ("message/delivery-status", "message/global-delivery-status"):
        found.report.update(_delivery_status(part))
    elif kind in ("message/rfc822", "message/global"):
        found.flag("attached_mail")
        found.attachments.append(_attachment(part, kind, b"", index))
    elif kind == "message/external-body":
        found.flag("external_body")
    elif not part.is_multipart():
        _take_leaf(part, kind, found, index, level)


def _take_leaf(part: Message, kind: str, found: _Found, index: int, level: int) -> None:
    data = _payload(part)
    disposition = headers.first(part, "content-disposition").split(";")[0].strip().lower()
    name = _file_name(part)
    if kind == "text/rfc822-headers":
        match = re.search(rb"^message-id:\s*(<[^<>\s]{1,250}>)", data, re.IGNORECASE | re.MULTILINE)
        if match:
            found.report.setdefault("original_message_id", clean_line(match.group(1).decode("ascii", "replace"), 255))
        return
    found.flag(*_special(part, kind))
    if disposition != "attachment" and not name and kind in ("text/plain", "text/html", "text/enriched"):
        label = headers.parameters(part, "content-type").get("charset", "")
        text, guessed = decode(data, label[:60])
        if guessed:
            found.flag("charset_guessed")
        (found.rich if kind == "text/html" else found.plain).append(text)
    elif data or name or level:
        found.attachments.append(_attachment(part, kind, data, index))


def _special(part: Message, kind: str) -> tuple[str, ...]:
    """Flags for content that needs other programs to read, or must not act by itself."""
    if kind in _SMIME:
        signed = "signed-data" in headers.first(part, "content-type").lower()
        return ("smime", "signed" if signed else "encrypted")
    if kind in _SIGNATURES:
        return ("signed",)
    if kind in _TNEF:
        return ("tnef",)
    return ("calendar",) if kind == "text/calendar" else ()


def _payload(part: Message) -> bytes:
    """Bytes of a leaf. Its Content-Type goes first: the library would look a codec up by the label in it."""
    label = part.get("content-type")
    if label is not None:
        del part["content-type"]
    try:
        data = part.get_payload(decode=True)
    except (ValueError, TypeError, LookupError, UnicodeError, AssertionError, AttributeError, IndexError):
        data = str(part.get_payload()).encode("utf-8", "surrogateescape")
    finally:
        if label is not None:
            part["content-type"] = label
    return data if isinstance(data, bytes) else b""


def _file_name(part: Message) -> str:
    name = headers.parameters(part, "content-disposition").get("filename") or headers.parameters(
        part, "content-type"
    ).get("name")
    return clean_file_name(name) if name else ""


def _attachment(part: Message, kind: str, data: bytes, index: int) -> dict[str, Any]:
    return {
        "index": index,
        "name": _file_name(part) or f"part-{index}",
        "declared_type": kind,
        "sniffed_type": "message/rfc822" if kind in ("message/rfc822", "message/global") else sniff.content_type(data),
        "size": len(data),
        "sha256": hashlib.sha256(data).hexdigest() if data else "",
    }


def _delivery_status(part: Message) -> dict[str, str]:
    """Action and status of the first recipient of a delivery report (RFC 3464, section 2.3)."""
    children = part.get_payload()
    if not isinstance(children, list):
        return {}
    for block in children[:20]:
        if isinstance(block, Message) and headers.first(block, "status"):
            return {
                "action": clean_line(headers.first(block, "action"), 40).lower(),
                "status": clean_line(headers.first(block, "status"), 40).split(" ")[0],
            }
    return {}


def _text(found: _Found) -> str:
    """The text of the mail: its plain parts, else its HTML as text."""
    plain = clean_text("\n\n".join(found.plain))
    rich = ""
    if found.rich:
        converted, html_flags = html.to_text("\n".join(found.rich))
        rich = clean_text(converted)
        found.flag(*html_flags)
    if plain.strip() and rich.strip() and _differ(plain, rich):
        found.flag("alternatives_differ")
    if not plain.strip() and found.rich:
        found.flag("html_only")
    text = plain if plain.strip() else rich
    if len(text) > limits.TEXT_CHARS:
        found.flag("text_truncated")
    return text[: limits.TEXT_CHARS].strip()


def _differ(plain: str, rich: str) -> bool:
    """Whether the two alternatives say different things: either has many words that the other lacks."""
    ours, theirs = ({word.casefold() for word in _WORD.findall(text[:65536])} for text in (plain, rich))
    if not ours or not theirs:
        return ours != theirs
    shared = len(ours & theirs)
    return (
        len(theirs) - shared > max(2, len(theirs) // 3)
        or len(ours) - shared > max(2, len(ours) // 3)
        or (shared * 2 < min(len(ours), len(theirs)))
    )
