"""What the person is told when another law applies to their case, or when it stays: in plain words, with every date."""

from typing import Any

from dsar import clock_events
from dsar.enums import Right, State
from dsar.law import countries
from dsar.models import Case, PrivacyRequest


def context(case: Case) -> dict[str, Any]:
    """`law_name`, `place` (empty where nobody said), `lines`: title and legal_date (or our promise) of each open request, and
    whether that day is over (`late`), and `asks_again`: whether what a deletion would take away is worked out anew before
    the person confirms it."""
    found = list(case.requests.open().order_by("pk"))
    for one in found:
        one.case = case
    return {
        "law_name": case.law.name,
        "place": countries.described(case.country, case.region),
        "lines": [
            {"title": one.title, "legal_date": clock_events.told_on(one), "late": _is_late(one)} for one in found
        ],
        "asks_again": any(one.right == Right.DELETION and one.state in (State.LOCATING, State.REVIEW) for one in found),
    }


def _is_late(request: PrivacyRequest) -> bool:
    return request.legal_date is not None and request.legal_date < clock_events.today(request)
