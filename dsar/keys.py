"""Keys: a key for each case, wrapped by a master key; separate derived keys for index, tombstone, audit and tokens.

Where they come from: RIGHTSDESK_MASTER_KEYS ("id:base64,id:base64", the first one wraps, all can unwrap) and
RIGHTSDESK_ROOT_KEY (base64, at least 32 bytes, never rotated: blind indexes and tombstones derive from it), or a
file with these two lines. Never SECRET_KEY, which may be rotated at will.
"""

import base64
import hashlib
import hmac
import os
import re
import secrets
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDFExpand
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

PLACEHOLDERS = frozenset({
    "-", "anonymous", "customer", "do-not-reply", "donotreply", "email", "example", "n/a", "na", "nil", "no-reply",
    "nobody", "noemail", "none", "noreply", "null", "placeholder", "undefined", "unknown",
})  # fmt: skip


AROUND = re.compile(r'[\s<>,;"()]')
# RFC 5321 4.1.2: a local part in quotation marks may hold anything.
QUOTED = re.compile(r'"[^"]+"')


class Unreadable(Exception):
    """A sealed value cannot be opened: the key is gone (purged) or the bytes were changed."""


@dataclass(frozen=True)
class KeyRing:
    """The master keys by id (the first wraps) and the root of the derived keys."""

    active: str
    masters: dict[str, bytes]
    root: bytes


def parse(masters: str, root: str) -> KeyRing:
    """Read the two settings; raises ImproperlyConfigured that says which one is missing or malformed."""
    if not masters:
        raise ImproperlyConfigured(
            "RIGHTSDESK_MASTER_KEYS is missing: case data cannot be encrypted. Run `manage.py make_keys`."
        )
    if not root:
        raise ImproperlyConfigured(
            "RIGHTSDESK_ROOT_KEY is missing: requests cannot be indexed. Run `manage.py make_keys`."
        )
    found: dict[str, bytes] = {}
    for pair in masters.split(","):
        key_id, _, encoded = pair.strip().partition(":")
        try:
            found[key_id] = base64.b64decode(encoded, validate=True)
        except ValueError:
            found[key_id] = b""
        if not key_id or len(found[key_id]) != 32:
            raise ImproperlyConfigured("RIGHTSDESK_MASTER_KEYS must be id:base64 of 32 bytes, separated by commas.")
    try:
        root_bytes = base64.b64decode(root, validate=True)
    except ValueError:
        root_bytes = b""
    if len(root_bytes) < 32:
        raise ImproperlyConfigured("RIGHTSDESK_ROOT_KEY must be base64 of at least 32 bytes.")
    return KeyRing(next(iter(found)), found, root_bytes)


def read_file(path: str) -> dict[str, str]:
    """The NAME=value lines of a keys file; empty where there is none."""
    if not path or not Path(path).exists():
        return {}
    lines = (line.strip() for line in Path(path).read_text().splitlines())
    return dict(line.split("=", 1) for line in lines if "=" in line and not line.startswith("#"))


@lru_cache(maxsize=1)
def ring() -> KeyRing:
    """The key ring of this process."""
    held = read_file(settings.KEYS_FILE)
    return parse(
        settings.MASTER_KEYS or held.get("RIGHTSDESK_MASTER_KEYS", ""),
        settings.ROOT_KEY or held.get("RIGHTSDESK_ROOT_KEY", ""),
    )


def fresh_lines(key_id: str = "k1") -> str:
    """Two new lines for a keys file or an environment."""
    return (
        f"RIGHTSDESK_MASTER_KEYS={key_id}:{base64.b64encode(secrets.token_bytes(32)).decode()}\n"
        f"RIGHTSDESK_ROOT_KEY={base64.b64encode(secrets.token_bytes(32)).decode()}\n"
    )


def ensure_development_keys() -> None:
    """Write a keys file (mode 0600) where settings name one and it is not there yet. Only for DEBUG."""
    if not settings.DEBUG or not settings.KEYS_FILE or settings.MASTER_KEYS:
        return
    path = Path(settings.KEYS_FILE)
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w") as file:
            file.write(fresh_lines())
    ring.cache_clear()
    derived.cache_clear()


@lru_cache(maxsize=16)
def derived(purpose: str) -> bytes:
    """A key of its own for each purpose (RFC 5869, expand step; the root is already uniform)."""
    return HKDFExpand(algorithm=SHA256(), length=32, info=b"rightsdesk:" + purpose.encode()).derive(ring().root)


def mac(purpose: str, *parts: str | bytes) -> bytes:
    """HMAC-SHA256 over length-prefixed parts, so that no two lists of parts collide."""
    message = b"".join(
        len(raw).to_bytes(4, "big") + raw
        for raw in (part.encode() if isinstance(part, str) else part for part in parts)
    )
    return hmac.new(derived(purpose), message, hashlib.sha256).digest()


def normalise_email(value: str) -> str:
    """Trimmed and in small letters; empty for what is no usable address (a placeholder reaches nobody, and an address
    with a name or anything else around it is not one).

    Not case-folded: that would make two people of "straße@" and "strasse@" one. A foreign letter whose small form
    is a plain ASCII one (the Kelvin sign) stays as it is, so that proving one mailbox never opens another.
    """
    kept = (char if not char.isascii() and char.lower().isascii() else char.lower() for char in value or "")
    address = "".join(kept).strip()
    local, at, domain = address.rpartition("@")
    if not (at and local and domain) or address.endswith(("@invalid", ".invalid")):
        return ""
    # A name, a list or a line of a table around an address is none: it would match nobody, in silence.
    if AROUND.search(domain) or (AROUND.search(local) and not QUOTED.fullmatch(local)):
        return ""
    return "" if local.split("+")[0] in PLACEHOLDERS or domain in PLACEHOLDERS else address


def masked(address: str | None) -> str:
    """Enough of an address to recognise it, not enough to write to: "a•••@e•••.com"."""
    local, at, domain = (address or "").strip().rpartition("@")
    if not (local and at and domain):
        return "•••"
    name, dot, ending = domain.rpartition(".")
    return f"{local[0]}•••@{name[0]}•••.{ending}" if name and dot else f"{local[0]}•••@•••"


def blind_index(kind: str, value: str) -> str:
    """A keyed hash to find a value by, without storing it. Empty for an empty value: that never matches."""
    return mac("index", kind, value).hex() if value else ""


def email_index(address: str) -> str:
    """The blind index of an e-mail address, however it is written."""
    return blind_index("email", normalise_email(address))


def tombstone_index(source: str, value: str) -> str:
    """The keyed hash under which an erased identity is remembered."""
    return mac("tombstone", source, value).hex() if value else ""


def new_case_key() -> tuple[str, bytes, bytes]:
    """A fresh data key: (id of the wrapping key, wrapped bytes, plain key)."""
    plain = secrets.token_bytes(32)
    key_ring = ring()
    nonce = secrets.token_bytes(12)
    return key_ring.active, nonce + AESGCM(key_ring.masters[key_ring.active]).encrypt(nonce, plain, b"case-key"), plain


def unwrap(key_id: str, wrapped: bytes) -> bytes:
    """The plain case key; raises Unreadable where the master key is not (or no longer) here."""
    master = ring().masters.get(key_id)
    if master is None:
        raise Unreadable(f"master key {key_id} is not in the ring")
    try:
        return AESGCM(master).decrypt(bytes(wrapped[:12]), bytes(wrapped[12:]), b"case-key")
    except InvalidTag:
        raise Unreadable("the wrapped key does not fit the master key") from None


def rewrap(key_id: str, wrapped: bytes) -> tuple[str, bytes]:
    """The same case key under the active master key (rotation)."""
    plain = unwrap(key_id, wrapped)
    key_ring = ring()
    nonce = secrets.token_bytes(12)
    return key_ring.active, nonce + AESGCM(key_ring.masters[key_ring.active]).encrypt(nonce, plain, b"case-key")


def seal(key: bytes, text: str | bytes, place: str) -> bytes:
    """Encrypt under a case key; `place` (which field of which row) is authenticated, so values cannot be swapped."""
    nonce = secrets.token_bytes(12)
    raw = text.encode("utf-8", "replace") if isinstance(text, str) else text
    return nonce + AESGCM(key).encrypt(nonce, raw, place.encode())


def unseal(key: bytes, sealed: bytes, place: str) -> bytes:
    """Decrypt; raises Unreadable where key, bytes or place do not fit."""
    try:
        return AESGCM(key).decrypt(bytes(sealed[:12]), bytes(sealed[12:]), place.encode())
    except InvalidTag:
        raise Unreadable("the sealed value does not fit its key or place") from None


def under(key: bytes, purpose: str) -> bytes:
    """A key derived from a case's key for one purpose: gone as soon as the case's key is (RFC 5869, expand step)."""
    return HKDFExpand(algorithm=SHA256(), length=32, info=b"rightsdesk:" + purpose.encode()).derive(key)


def token(challenge: str, attempt: int) -> str:
    """The secret of a link, recomputed when the mail is made and never stored: 43 URL-safe characters."""
    return base64.urlsafe_b64encode(mac("token", challenge, str(attempt))).decode().rstrip("=")


def code(challenge: str, attempt: int) -> str:
    """The eight digits of a one-time code, recomputed when the mail is made."""
    return f"{int.from_bytes(mac('code', challenge, str(attempt))[:8], 'big') % 10**8:08d}"


def token_hash(value: str) -> str:
    """What is stored of a token or code."""
    return hashlib.sha256(value.encode("utf-8", "replace")).hexdigest()


def same(one: str, other: str) -> bool:
    """Compare in constant time."""
    return hmac.compare_digest(one.encode(), other.encode())
