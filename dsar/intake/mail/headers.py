"""Header fields by hand: RFC 5322 and 2047 as far as they are safe, "not readable" for everything else.

The accessors of `email.policy.default` raise, recurse, take seconds on long fields or give back line breaks;
so fields are taken raw and read with patterns that are linear in their length.
"""

import base64
import binascii
import quopri
import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from email.message import Message
from email.utils import parsedate_tz
from typing import Final

from dsar.intake.mail import limits
from dsar.intake.mail.cleaning import clean_line, decode

_ENCODED_WORD: Final = re.compile(r"=\?([A-Za-z0-9_.:*+-]{1,60})\?([BbQq])\?([^?\s]{0,8192})\?=")
_BETWEEN_WORDS: Final = re.compile(r"(\?=)\s+(?==\?)")
_ATOM: Final = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~.\u0080-\uffff-]{1,64}"
_HOST: Final = r"[A-Za-z0-9\u0080-\uffff](?:[A-Za-z0-9.\u0080-\uffff-]{0,251}[A-Za-z0-9\u0080-\uffff])?"
_ADDRESS: Final = re.compile(rf"({_ATOM})@({_HOST})(?![A-Za-z0-9@])")
_COMMENT: Final = r"(?:\s*\([^()\\]{0,500}\))?"
_BARE: Final = re.compile(rf"\s*<?\s*({_ATOM}@{_HOST})\s*>?{_COMMENT}\s*")
_NAMED: Final = re.compile(rf"([^<>]{{0,4000}})<\s*({_ATOM}@{_HOST})\s*>{_COMMENT}\s*")
_QUOTED: Final = re.compile(r'"(?:[^"\\]|\\.){0,4000}"')
_MESSAGE_ID: Final = re.compile(r"<([^<>\s]{1,2000})>")


@dataclass(frozen=True, slots=True)
class Sender:
    """Who a mail says that it is from: a claim, never an identity. `address` is empty where it is not
    exactly one.
    """

    address: str = ""
    name: str = ""
    flags: tuple[str, ...] = ()


def raw_values(message: Message, name: str) -> list[str]:
    """Every value of a field, unfolded, 8-bit content decoded, at most the header limit long each."""
    values = []
    for key, value in message.raw_items():
        if key.lower() == name:
            data = str(value)[: limits.HEADER_BYTES].encode("utf-8", "surrogateescape")
            text, _ = decode(data)
            values.append(re.sub(r"[\r\n]+[ \t]*", " ", text).strip())
    return values


def first(message: Message, name: str) -> str:
    """The first value of a field, or an empty string."""
    values = raw_values(message, name)
    return values[0] if values else ""


def decode_words(value: str) -> str:
    """RFC 2047 encoded words decoded; what cannot be decoded stays as it stands. May contain line breaks."""
    value = _BETWEEN_WORDS.sub(r"\1", value)

    def word(match: re.Match[str]) -> str:
        charset, encoding, body = match.groups()
        raw = body.encode("utf-8", "replace")
        try:
            if encoding in "bB":
                data = base64.b64decode(raw + b"=" * (-len(raw) % 4))
            else:
                data = quopri.decodestring(raw, header=True)
        except (binascii.Error, ValueError):
            return match.group(0)
        return decode(data, charset.split("*", 1)[0])[0]

    return _ENCODED_WORD.sub(word, value)


def line(message: Message, name: str, limit: int) -> str:
    """A field as one clean line of at most `limit` characters."""
    return clean_line(decode_words(first(message, name)), limit)


def addresses(values: Iterable[str]) -> tuple[str, ...]:
    """Every address in some fields, without display names, in order, each once."""
    found: dict[str, None] = {}
    for value in values:
        for local, host in _ADDRESS.findall(_QUOTED.sub(" ", value)):
            found[_normal(f"{local}@{host}")] = None
    return tuple(found)


def count_addresses(values: Iterable[str]) -> int:
    """How many addresses some fields hold, repetitions counted."""
    return sum(value.count("@") for value in values)


def sender(message: Message) -> Sender:
    """The one address in the one From field (RFC 5322, 3.6.2); otherwise no address, and a flag that says why.

    The address is read before encoded words are decoded, so an encoded `@` or `>` in a name moves nothing.
    """
    values = raw_values(message, "from")
    if not values:
        return Sender(flags=("no_from",))
    if len(values) > 1:
        return Sender(flags=("two_from",))
    value = values[0]
    bare = _BARE.fullmatch(value)
    if bare is not None and value.count("<") == value.count(">"):
        return _sender(bare.group(1), "")
    named = _NAMED.fullmatch(value)
    if named is None:
        several = len(_ADDRESS.findall(_QUOTED.sub(" ", value))) > 1
        return Sender(flags=("several_from" if several else "from_unreadable",))
    phrase, address = named.group(1).strip(), named.group(2)
    unquoted = _QUOTED.sub("", phrase)
    if re.search(r'[,;@"]', unquoted) and phrase.casefold() != address.casefold():
        several = len(_ADDRESS.findall(_QUOTED.sub(" ", value))) > 1
        return Sender(flags=("several_from" if several else "from_unreadable",))
    return _sender(address, re.sub(r"\\(.)", r"\1", phrase.strip('" ')))


def _sender(address: str, name: str) -> Sender:
    address = _normal(address)
    local, _, host = address.rpartition("@")
    if len(address) > 254 or ".." in address or local.startswith(".") or local.endswith("."):
        return Sender(flags=("from_unreadable",))
    name = clean_line(decode_words(name), limits.NAME_CHARS)
    flags = []
    if "@" in name and name.casefold() != address.casefold():
        flags.append("name_has_address")
    if not address.isascii() or any(label.startswith("xn--") for label in host.split(".")):
        flags.append("international_address")
    if clean_line(address, 254) != address:
        return Sender(flags=("from_unreadable",))
    return Sender(address, name, tuple(flags))


def _normal(address: str) -> str:
    local, _, host = address.rpartition("@")
    return f"{local}@{host.lower()}"


def message_ids(values: Iterable[str]) -> tuple[str, ...]:
    """Message identifiers with their angle brackets, each once, the first fifty; overlong ones are left
    out.
    """
    found: dict[str, None] = {}
    for value in values:
        for inner in _MESSAGE_ID.findall(value):
            identifier = clean_line(f"<{inner}>", limits.HEADER_BYTES)
            if len(identifier) <= limits.MESSAGE_ID_CHARS:
                found[identifier] = None
    return tuple(found)[: limits.REFERENCES]


def sent_at(message: Message) -> str:
    """The Date field as ISO 8601 in UTC, or an empty string. The sender chose it: no period runs from it."""
    try:
        parts = parsedate_tz(first(message, "date")[:200])
        if parts is None:
            return ""
        moment = datetime(*parts[:6], tzinfo=UTC).timestamp() - (parts[9] or 0)
        return datetime.fromtimestamp(moment, UTC).isoformat(timespec="seconds")
    except (ValueError, OverflowError, TypeError, IndexError, OSError):
        return ""


def parameters(message: Message, name: str) -> dict[str, str]:
    """Parameters of a structured field (RFC 2045, RFC 2231), decoded with allow-listed character sets
    only.
    """
    try:
        pairs = message.get_params([], header=name) or []
    except (ValueError, TypeError, LookupError, UnicodeError, AttributeError, IndexError):
        return {}
    result: dict[str, str] = {}
    for pair in pairs[:50]:
        key, value = pair[0], pair[1]
        if isinstance(value, tuple):
            charset, _, text = value
            data = str(text).encode("latin-1", "replace")
            result.setdefault(str(key).lower(), decode(data, str(charset or "utf-8"))[0])
        else:
            data = str(value).encode("utf-8", "surrogateescape")
            result.setdefault(str(key).lower(), decode_words(decode(data)[0]))
    return result
