"""The measures of the previous calendar year for everybody to read (11 CCR 7102(a)), where the company switched that on.

True numbers, by right and outcome and no finer: nothing here says anything about a single request that whoever made it
has not been told.
"""

from datetime import date
from typing import Any, Final

from django.conf import settings
from django.core.cache import cache
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from dsar import measures
from dsar.enums import Right
from dsar.law import counted, regimes
from dsar.measures import Line

# Anybody may ask as often as they like: it is counted once in so many seconds.
KEPT_SECONDS: Final = 3600
SHOWN: Final = (
    "received", "complied_in_whole", "complied_in_part", "denied", "nothing_held", "referred", "withdrawn", "unanswered",
    "overtaken", "open", "mean_days", "median_days",
)  # fmt: skip
NOT_SORTED: Final = Line(Right.UNCLEAR).name
OTHERWISE: Final = ("nothing_held", "referred", "withdrawn", "unanswered", "overtaken")


@require_safe
def page(request: HttpRequest) -> HttpResponse:
    """The numbers as a page; 404 where they are not published."""
    found = _published()
    for law in found["laws"]:
        law["name"] = regimes.load(law["law"]).name
        for line in law["rights"]:
            line["label"] = Right("" if line["right"] == NOT_SORTED else line["right"]).label
            line["otherwise"] = sum(line[name] for name in OTHERWISE)
        labels = {group.key: group.label for group in counted.groups(law["law"])}
        for line in law["groups"]:
            line["label"] = labels[line["group"]]
            line["otherwise"] = sum(line[name] for name in OTHERWISE)
    return render(request, "portal/privacy_measures.html", found)


@require_safe
def as_json(_request: HttpRequest) -> HttpResponse:
    """The same for a machine; 404 where they are not published."""
    return JsonResponse(_published(), json_dumps_params={"indent": 1})


def _published() -> dict[str, Any]:
    """Year, moment of counting, and per law that is switched on a line for each of its rights."""
    wanted = [one for one in settings.PUBLISH_MEASURES if one in regimes.all_ids()]
    if not wanted:
        raise Http404
    year = timezone.localdate().year - 1
    name = f"measures:2:{year}:{','.join(wanted)}"
    found: dict[str, Any] | None = cache.get(name)
    if found is None:
        found = {
            "company": settings.COMPANY_NAME, "year": year, "counted_at": timezone.now().isoformat(timespec="seconds"),
            "laws": [{"law": one, **_counted(one, year)} for one in wanted],
        }  # fmt: skip
        cache.set(name, found, KEPT_SECONDS)
    return found


def _counted(regime_id: str, year: int) -> dict[str, Any]:
    """A line for each right of a law and for what nobody has sorted yet, and one for what the law counts together."""
    report = measures.report(date(year, 1, 1), date(year, 12, 31), [regime_id])
    known = {line.right: line for line in report.lines}
    # A right that nobody used is a number too.
    rights = dict.fromkeys([*regimes.load(regime_id).rights, *(right for right in known if right is not None)])
    lines = [known.get(right) or Line(right) for right in rights]
    return {
        "rights": [{"right": line.name, **_shown(line)} for line in lines],
        "groups": [
            {"group": line.group.key, "rights": list(line.group.rights), **_shown(line)}
            for line in report.groups if line.group
        ],
    }  # fmt: skip


def _shown(line: Line) -> dict[str, Any]:
    numbers = line.numbers()
    return {name: numbers[name] for name in SHOWN}
