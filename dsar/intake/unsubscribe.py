"""One-click unsubscribe (RFC 8058): links that the company's own mailer puts into its newsletters.

The token is the address itself, encrypted and authenticated (AES-GCM) under a key that derives from the root key, which
is never rotated: the link of a ten-year-old newsletter still works, nothing is stored until somebody presses it, and no
table of addresses exists. It lets its holder do one thing, stop marketing to that address; a forged one opens nothing.
Each link is made with a fresh nonce, so that two of them cannot be told to be the same person's.
"""

import base64

from django.conf import settings
from django.urls import reverse
from django.utils import timezone

from dsar import keys
from dsar.enums import Channel, Right
from dsar.intake import choices, web

PURPOSE = "unsubscribe"
LONGEST = 1024


def token_for(address: str) -> str:
    """The token of an address, URL-safe. Raises ValueError for a placeholder or what is no address."""
    address = keys.normalise_email(address)
    if not address:
        raise ValueError("no usable address")
    return _encoded(keys.seal(keys.derived(PURPOSE), address, PURPOSE))


def link_for(address: str) -> str:
    """The whole link for the header List-Unsubscribe, and for the foot of the mail. Raises ValueError."""
    return settings.BASE_URL + reverse("unsubscribe", args=[token_for(address)])


def headers_for(link: str) -> tuple[tuple[str, str], ...]:
    """The two header fields that a newsletter carries (RFC 8058, section 3.1)."""
    return ("List-Unsubscribe", f"<{link}>"), ("List-Unsubscribe-Post", "List-Unsubscribe=One-Click")


def address_in(token: str) -> str:
    """The address of a token; empty for one that is not ours."""
    try:
        sealed = (
            base64.b64decode(token + "=" * (-len(token) % 4), b"-_", validate=True) if len(token) < LONGEST else b""
        )
        # One spelling per token: a repeat must be seen to be one.
        if not sealed or _encoded(sealed) != token:
            return ""
        return keys.unseal(keys.derived(PURPOSE), sealed, PURPOSE).decode()
    except (ValueError, keys.Unreadable):
        return ""


def _encoded(sealed: bytes) -> str:
    return base64.urlsafe_b64encode(sealed).decode().rstrip("=")


def file(token: str, address: str) -> None:
    """File the marketing opt-out of a token and the address in it, committed before the answer.

    Pressed again on the same day it files nothing new, unless the choice was taken back in between. No account is
    looked up, and the answer is the same for every address.
    """
    kind = Right.MARKETING_OPT_OUT
    last = choices.last_turn(keys.email_index(address), (kind,), take_back=False)
    dedupe = f"unsubscribe:{keys.token_hash(token)[:32]}:{timezone.now():%Y%m%d}:{last}"
    web.take_in(Channel.WEB, dedupe, email=address, rights=(kind,))
