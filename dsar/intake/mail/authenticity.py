"""What our own mail server says about a mail (RFC 8601). Evidence for staff; a pass is never an identity."""

import re
from email.message import Message
from typing import Final

from dsar.intake.mail.cleaning import clean_line
from dsar.intake.mail.headers import raw_values

_RESULT: Final = re.compile(r"\s*(spf|dkim|dmarc)\s*=\s*([a-z]{1,12})\b", re.IGNORECASE)
_DOMAIN: Final = re.compile(
    r"\b(smtp\.mailfrom|header\.d|header\.i|header\.from)\s*=\s*\"?([^\s;\"]{1,255})", re.IGNORECASE
)


def evidence(message: Message, own_authserv_id: str) -> tuple[dict[str, str], tuple[str, ...]]:
    """SPF, DKIM and DMARC results with their domains, and flags.

    Only the topmost Authentication-Results field counts, and only if it bears `own_authserv_id`: the mail
    server adds it above all others and removes inbound copies of its own name. Without an own identifier
    there is no evidence.
    """
    values = raw_values(message, "authentication-results")
    if not own_authserv_id or not values:
        return {}, ()
    wanted = own_authserv_id.strip().casefold()
    bearing = [index for index, value in enumerate(values) if _server(value) == wanted]
    flags = ("auth_results_repeated",) if bearing and bearing != [0] else ()
    if not bearing or bearing[0] != 0:
        return {}, flags
    found: dict[str, str] = {}
    for statement in _without_comments(values[0]).split(";")[1:]:
        match = _RESULT.match(statement)
        if match is None:
            continue
        method, result = match.group(1).lower(), match.group(2).lower()
        earlier = found.get(method)
        for _, value in _DOMAIN.findall(statement)[:1]:
            if earlier is None or (result == "pass" and earlier != "pass"):
                found[f"{method}_domain"] = clean_line(value.rpartition("@")[2], 255).lower()
        if earlier is not None and earlier != result:
            # Several DKIM signatures are normal and one good one is enough; the others must not contradict.
            result = "pass" if method == "dkim" and "pass" in (earlier, result) else "conflict"
        found[method] = result
    return found, flags


def _server(value: str) -> str:
    words = _without_comments(value).split(";", 1)[0].split()
    return words[0].strip('"').casefold() if words else ""


def _without_comments(value: str) -> str:
    out, depth = [], 0
    for character in value:
        if character == "(":
            depth += 1
        elif character == ")" and depth:
            depth -= 1
        elif not depth:
            out.append(character)
    return "".join(out)
