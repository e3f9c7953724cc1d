"""How many requests came and what became of them (11 CCR 7102), for any law and period: as a page, CSV and JSON."""

import csv
from datetime import date
from io import StringIO
from typing import Any, Final

from django import forms
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils import timezone
from django.utils.http import urlencode
from django.utils.translation import gettext_lazy as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from dsar import measures
from dsar.desk import frame, story
from dsar.desk.filters import laws
from dsar.enums import DecisionKind, Right
from dsar.measures import Line, Report
from dsar.models.apart import apart_from

OLDEST: Final = date(2000, 1, 1)
# The pieces of a bar, in order: class and number.
PIECES: Final = (
    ("ok", "complied_in_whole"), ("info", "complied_in_part"), ("danger", "denied"), ("mask", "otherwise"), ("warn", "open"),
)  # fmt: skip
WHOLE_YEAR: Final = _(
    "You are kept apart from a case, and two reports that differ in little could tell you of it. Please choose one calendar year"
    " that is over, and all laws."
)


class PeriodForm(forms.Form):
    """Which law, from which day to which. All of it stands in the address, so that it can be kept and sent."""

    law = forms.ChoiceField(label=_("Law"), required=False)
    first = forms.DateField(
        label=_("Received from"),
        widget=forms.DateInput(attrs={"type": "date"}),
        error_messages={
            "required": _("Please enter the first day of the period."),
            "invalid": _("Please enter the first day as a date, like 2026-01-31."),
        },
    )
    last = forms.DateField(
        label=_("Received until"),
        widget=forms.DateInput(attrs={"type": "date"}),
        error_messages={
            "required": _("Please enter the last day of the period."),
            "invalid": _("Please enter the last day as a date, like 2026-12-31."),
        },
    )

    def __init__(self, *args: Any, coarse: bool = False, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.coarse = coarse
        law: Any = self.fields["law"]
        law.choices = [("", _("All laws")), *laws()]
        law.error_messages["invalid_choice"] = _("We do not know this law. Please choose one from the list.")
        if coarse:
            law.choices = [("", _("All laws"))]
            law.error_messages["invalid_choice"] = WHOLE_YEAR

    def clean(self) -> dict[str, Any]:
        """A period begins before it ends, and in this century."""
        found: dict[str, Any] = super().clean() or self.cleaned_data
        first, last = found.get("first"), found.get("last")
        if first and last and last < first:
            self.add_error("last", _("The last day lies before the first one. Please change one of them."))
        if (first and first < OLDEST) or (last and last.year > 9000):
            self.add_error(None, _("Please choose days between 2000 and 9000."))
        elif first and last and self.coarse and not _is_a_year_over(first, last):
            self.add_error(None, WHOLE_YEAR)
        return found


def _is_a_year_over(first: date, last: date) -> bool:
    """Whether a period is one calendar year before this one: no two of these share a day, so nothing is told by what one has
    more than another."""
    begin = date(first.year, 1, 1)
    return (first, last) == (begin, date(first.year, 12, 31)) and first.year < timezone.localdate().year


def _asked(request: HttpRequest) -> tuple[PeriodForm, Report | None]:
    """The form as it was sent (this year where nothing was) and the report; no report where the form has errors. Whoever is
    kept apart from a case sees whole years that are over, of all laws, and no more than `coarse` leaves."""
    reader = frame.signed_in(request)
    coarse = bool(apart_from(reader.pk, reader.email))
    last = timezone.localdate()
    if coarse:
        last = date(last.year - 1, 12, 31)
    shown = {"law": "", "first": last.replace(month=1, day=1).isoformat(), "last": last.isoformat()}
    form = PeriodForm({name: request.GET.get(name, value) for name, value in shown.items()}, coarse=coarse)
    if not form.is_valid():
        return form, None
    law = form.cleaned_data["law"]
    found = measures.report(form.cleaned_data["first"], form.cleaned_data["last"], [law] if law else [])
    return form, found.coarse() if coarse else found


@never_cache
@require_safe
def page(request: HttpRequest) -> HttpResponse:
    """The measures of a period, the current year unless another is asked for; 400 with what to change for a bad one."""
    form, report = _asked(request)
    context: dict[str, Any] = {"form": form, "report": report, "years": _years(form)}
    if report is None:
        return frame.page(request, "desk/measures.html", "measures", context, status=400)
    query = urlencode({name: form.data[name] for name in ("law", "first", "last")})
    context |= {"lines": [_shown(line) for line in report.lines],
                "groups": [_shown(line) for line in report.groups if line],
                "left_out": [str(Right(right).label) for right in report.left_out], "total": _shown(report.total), "query": query,
                "grounds": _grounds(report)}  # fmt: skip
    return frame.page(request, "desk/measures.html", "measures", context)


@never_cache
@require_safe
def as_csv(request: HttpRequest) -> HttpResponse:
    """The same as a table: one row per right and per group of rights that the law counts together, one column per ground."""
    form, report = _asked(request)
    if report is None:
        return _refused(form)
    out = StringIO()
    grounds = sorted(report.total.reasons)
    names = list(report.total.numbers())
    writer = csv.writer(out)
    writer.writerow(["from", "to", "law", "right", *names, *(f"ground_{code}" for code in grounds)])
    for line in (*report.lines, *(line for line in report.groups if line), report.total):
        numbers = line.numbers()
        writer.writerow(
            [
                report.first.isoformat(), report.last.isoformat(), " ".join(report.regimes) or "all",
                line.name,
                *("" if numbers[name] is None else numbers[name] for name in names),
                *(line.reasons[code] for code in grounds),
            ]
        )  # fmt: skip
    return _file(out.getvalue(), "text/csv; charset=utf-8", report, "csv")


@never_cache
@require_safe
def as_json(request: HttpRequest) -> HttpResponse:
    """The same for a machine."""
    form, report = _asked(request)
    if report is None:
        return _refused(form)
    answer = JsonResponse(report.as_json(), json_dumps_params={"indent": 1})
    answer["Content-Disposition"] = _disposition(report, "json")
    return answer


def _refused(form: PeriodForm) -> HttpResponse:
    said = "\n".join(str(error) for errors in form.errors.values() for error in errors)
    return HttpResponse(said, status=400, content_type="text/plain; charset=utf-8")


def _file(text: str, kind: str, report: Report, suffix: str) -> HttpResponse:
    return HttpResponse(text, content_type=kind, headers={"Content-Disposition": _disposition(report, suffix)})


def _disposition(report: Report, suffix: str) -> str:
    return f'attachment; filename="measures-{report.first}-{report.last}.{suffix}"'


def _years(form: PeriodForm) -> list[dict[str, Any]]:
    """The years that are asked for most: this one, and the two before it; only those that are over for whoever may read no
    others."""
    today, law = timezone.localdate(), form.data["law"]
    this = today.year - form.coarse
    found = []
    for year in (this, this - 1, this - 2):
        asked = {"law": law, "first": f"{year}-01-01", "last": f"{year}-12-31"}
        # The page opens with the year as far as it has come.
        so_far = {**asked, "last": min(asked["last"], today.isoformat())}
        found.append({"year": str(year), "query": urlencode(asked), "current": dict(form.data) in (asked, so_far)})
    return found


def _shown(line: Line) -> dict[str, Any]:
    """The numbers of a line with its bar: pieces from the left, each with its class, where it begins and its width."""
    numbers = line.numbers()
    numbers["otherwise"] = numbers["received"] - sum(numbers[name] for _kind, name in PIECES if name != "otherwise")
    pieces, begins = [], 0
    for kind, name in PIECES:
        if numbers[name]:
            pieces.append({"kind": kind, "x": begins, "width": numbers[name]})
            begins += numbers[name]
    return {**numbers, "label": line.label, "others": line.others, "pieces": pieces}


def _grounds(report: Report) -> list[dict[str, Any]]:
    """Every ground with the rights that it was given for, the most frequent first."""
    found = []
    for code, number in report.total.reasons.most_common():
        rights = [(line.label, line.reasons[code]) for line in report.lines if line.reasons[code]]
        found.append({"code": code, "label": _ground(code), "number": number, "rights": rights})
    return found


def _ground(code: str) -> str:
    kind = code.lower()
    return str(DecisionKind(kind).label) if kind in DecisionKind.values else story.code_label(code)
