"""Search by reference or by address. An address is sent in a POST, turned into its keyed hash, and never stands in an
address bar, a log or a list: what the result page's address names is a random word of this session."""

import re
import secrets

from django.http import HttpRequest

from dsar import keys
from dsar.models import Case

KEPT = 10
SESSION = "desk_searches"
SHORTEST = 2


def reference_prefix(text: str) -> str:
    """A reference or its beginning, however it was typed or read aloud ("rd o1i2": "RD-0112"). Empty for none."""
    letters = re.sub(r"[^0-9A-Z]", "", text.upper())
    letters = letters.removeprefix("RD").translate(str.maketrans("OIL", "011"))
    if len(letters) < SHORTEST or len(letters) > 10:
        return ""
    return "RD-" + (letters if len(letters) <= 5 else f"{letters[:5]}-{letters[5:]}")


def remember(request: HttpRequest, index: str) -> str:
    """Keep a keyed hash in the session; returns the random word that names it in addresses."""
    known: dict[str, str] = request.session.get(SESSION, {})
    name = next((name for name, value in known.items() if value == index), "") or secrets.token_urlsafe(6)
    request.session[SESSION] = dict([*((n, v) for n, v in known.items() if n != name), (name, index)][-KEPT:])
    return name


def recall(request: HttpRequest, name: str) -> str:
    """The keyed hash of an earlier search of this session; empty where it is no longer known."""
    found: str = request.session.get(SESSION, {}).get(name, "")
    return found


def cases_of(prefix: str) -> list[int]:
    """Up to 50 cases whose reference begins so."""
    return list(
        Case.objects.filter(reference__startswith=prefix).order_by("reference").values_list("pk", flat=True)[:50]
    )


def index_of(text: str) -> str:
    """The keyed hash of an address; empty where the text is none."""
    return keys.email_index(text) if "@" in text else ""
