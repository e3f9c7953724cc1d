"""Looking through a copy before it leaves the house: every row, what is taken out of it and why, handing it over.

A copy is personal data from end to end, so opening it is a deed: by a button, once a day and person, and it stands in
the audit trail.
"""

import json
from contextlib import suppress
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from dsar.desk import barred, forms, frame, progress, request_page, silence_verbs, story, words, work_forms
from dsar.desk.catalogue import VERBS
from dsar.enums import COPY_RIGHTS, State, StepStatus
from dsar.fulfilment import access, manifest, package
from dsar.models import Actor, PrivacyRequest
from dsar.models.request_conditions import copy_needs_second_person, look_at_copy
from dsar.workflow import Conflict, Forbidden, Invalid

PAGE = 20
FOLD = 240
LOG = 50
STATES = (State.FULFILLING, State.CHECKING)


@dataclass(frozen=True)
class Place:
    """Where in a copy one looks: a table of a source, from a row on."""

    source: str
    table: str
    start: int

    def query(self, start: int | None = None) -> str:
        """As a query string."""
        begin = self.start if start is None else start
        return urlencode({"source": self.source, "table": self.table, **({"start": begin} if begin else {})})


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def copy(request: HttpRequest, pk: int) -> HttpResponse:
    """The copy of a request. GET shows it to whoever has opened it today; POST opens it, and notes who did (law 10)."""
    held = _fetch(pk)
    if held.state not in STATES:
        return frame.moved_on(request, reverse("desk_request", args=[pk]))
    if request.method == "POST":
        # What is still being put together shows how far it is, and nothing of anybody.
        with suppress(Conflict):
            access.open_to(pk, actor=frame.actor_of(request))
        return redirect(_here(held, _place(request.GET)))
    return _show(request, held)


def refused(request: HttpRequest, held: PrivacyRequest, form: forms.VerbForm, verb: str) -> HttpResponse:
    """The page again after a verb of it that could not be carried out, with what was typed."""
    return _show(request, held, refused=form, verb=verb, status=422)


@require_POST
def take_out(request: HttpRequest, pk: int) -> HttpResponse:
    """Take a row, or some columns of it, out of the copy. 409 where it is no longer looked through, 422 with errors."""
    held = _checked(pk)
    actor = frame.actor_of(request)
    place = _place(request.GET)
    if held is None:
        return frame.moved_on(request, reverse("desk_request", args=[pk]))
    if not access.is_open_to(held, actor):
        return redirect(_here(held, place))
    form = _form(held, request.POST.get("row", ""), sorted(set(request.POST.getlist("columns"))), request.POST)
    if form.is_valid():
        data = form.cleaned_data
        try:
            access.redact(
                pk, place.source, place.table, data["row"], [access.WHOLE_ROW] if data["whole"] else data["columns"],
                data["code"], data["text"], start=place.start, actor=actor,
            )  # fmt: skip
        except Invalid as error:
            form.add_error(None, str(error))
        except Conflict:
            return frame.moved_on(request, reverse("desk_request", args=[pk]))
        except Forbidden:
            raise PermissionDenied from None
        else:
            messages.success(request, _("Taken out. The copy is put together again without it."))
            return redirect(_here(held, place))
    return _show(request, held, failed=form, status=422)


@require_POST
def put_back(request: HttpRequest, pk: int, number: int) -> HttpResponse:
    """Put back what was taken out. 409 where it is no longer looked through."""
    held = _checked(pk)
    actor = frame.actor_of(request)
    if held is None:
        return frame.moved_on(request, reverse("desk_request", args=[pk]))
    if not access.is_open_to(held, actor):
        return redirect(_here(held, _place(request.GET)))
    try:
        access.unredact(pk, number, actor=actor)
    except (Conflict, Invalid):
        return frame.moved_on(request, reverse("desk_copy", args=[pk]))
    except Forbidden:
        raise PermissionDenied from None
    messages.success(request, _("Put back. The copy is put together again with it."))
    return redirect(_here(held, _place(request.GET)))


# --- the page ---------------------------------------------------------------------------------------------------------


def _fetch(pk: int) -> PrivacyRequest:
    held = request_page.fetch(pk)
    if held.right not in COPY_RIGHTS:
        raise Http404
    return held


def _checked(pk: int) -> PrivacyRequest | None:
    held = _fetch(pk)
    return held if held.state == State.CHECKING else None


def _here(held: PrivacyRequest, place: Place) -> str:
    query = f"?{place.query()}" if place.source else ""
    return reverse("desk_copy", args=[held.pk]) + query


def _place(asked: Any) -> Place:
    return Place(asked.get("source", "")[:40], asked.get("table", "")[:128], _number(asked.get("start", "")))


def _number(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else 0


def _form(
    held: PrivacyRequest, row: str, columns: list[str], data: Any = None, *, name: str = "take-out"
) -> work_forms.TakeOutForm:
    form = work_forms.TakeOutForm(held, name, data)
    form.offer("columns", [(column, column) for column in columns])
    form.initial["row"] = row
    return form


def _show(
    http: HttpRequest,
    held: PrivacyRequest,
    *,
    failed: work_forms.TakeOutForm | None = None,
    refused: forms.VerbForm | None = None,
    verb: str = "",
    status: int = 200,
) -> HttpResponse:
    actor = frame.actor_of(http)
    context: dict[str, Any] = {"item": held, "case": held.case, "failed": failed, "refused": refused}
    if held.state == State.CHECKING and not access.is_open_to(held, actor):
        return frame.page(http, "desk/copy_closed.html", "queue", context, status=status)
    context["how"] = _how(held)
    if held.state == State.CHECKING:
        context |= _contents(http, held, failed)
        context |= _verbs(held, actor, refused, verb)
    else:
        context["work"] = progress.sources(request_page.plan_of(held)[1], list(held.steps.order_by("pk")))
    return frame.page(http, "desk/copy.html", "queue", context, status=status)


def _how(held: PrivacyRequest) -> dict[str, Any]:
    """How far the copy is: `kind` is whole, again (something was changed since) or coming."""
    if held.state == State.FULFILLING:
        done = [step.status == StepStatus.DONE for step in held.steps.all()]
        return {"kind": "coming", "done": sum(done), "all": len(done), "stuck": bool(held.attention)}
    made = package.whole(held)
    if made is None:
        return {"kind": "again", "stuck": bool(held.attention)}
    return {"kind": "whole", "made_at": made.made_at, "size": made.size, "rows": made.rows}


def _contents(http: HttpRequest, held: PrivacyRequest, failed: work_forms.TakeOutForm | None) -> dict[str, Any]:
    tables = access.categories(held)
    place = _place(http.GET)
    here = next((one for one in tables if (one["source"], one["table"]) == (place.source, place.table)), None)
    if here is None and tables:
        here = tables[0]
        place = Place(here["source"], here["table"], 0)
    found = access.rows(held, place.source, place.table, place.start, PAGE) if here else []
    more = here is not None and bool(found) and place.start + len(found) < here["rows"]
    beside = {(one.source, one.table) for one in manifest.tables_given(held)[1]}
    for one in tables:
        one["beside"] = (one["source"], one["table"]) in beside
        one["url"] = f"?{Place(one['source'], one['table'], 0).query()}"
        one["here"] = one is here
    return {
        "tables": _grouped(tables),
        "here": here,
        "first": place.start + 1,
        "last": place.start + len(found),
        "lines": [_line(held, number, row, failed) for number, row in enumerate(found)],
        "take_out_url": f"{reverse('desk_copy_take_out', args=[held.pk])}?{place.query()}",
        "next_url": f"?{place.query(place.start + PAGE)}" if more else "",
        "previous_url": f"?{place.query(max(0, place.start - PAGE))}" if place.start else "",
        "next_table": _after(tables, here) if not more else None,
        **_log(http, held, tables, place),
    }


def _after(tables: list[dict[str, Any]], here: dict[str, Any] | None) -> dict[str, Any] | None:
    """The table to go on with, in the order of the navigation, once this one has been looked through."""
    order = [one for group in _grouped(tables) for one in group["tables"]]
    at = next((number for number, one in enumerate(order) if one is here), len(order))
    return order[at + 1] if at + 1 < len(order) else None


def _grouped(tables: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The tables under their categories, in the order in which they come."""
    groups: dict[tuple[str, str], dict[str, Any]] = {}
    for one in tables:
        group = groups.setdefault((one["source"], one["label"]), {"label": one["label"], "tables": []})
        group["tables"].append(one)
    return list(groups.values())


def _line(
    held: PrivacyRequest, number: int, row: dict[str, Any], failed: work_forms.TakeOutForm | None
) -> dict[str, Any]:
    """One row: its cells as text, and the form that takes something out of it."""
    out = row["redacted"]
    cells = [{"column": column, **_cell(value), "out": column in out} for column, value in row["values"].items()]
    # A file goes as a whole.
    left = [cell["column"] for cell in cells if not cell["out"] and not row["task"]]
    bound = failed is not None and failed.data.get("row") == row["key"]
    if bound and failed is not None:
        form = failed
        form.offer("columns", [(column, column) for column in left])
    else:
        form = _form(held, row["key"], left, name=f"row{number}")
    file = reverse("desk_task_file", args=[row["task"]]) if row["task"] else ""
    return {
        "file_url": file,
        "key": row["key"],
        "cells": cells,
        "out": "" in out,
        "form": None if "" in out else form,
        "open": bound,
    }


def _cell(value: Any) -> dict[str, Any]:
    """A value as text; `begin` is what stands before the fold of a long one."""
    if value is None or value == "":
        return {"text": "", "begin": ""}
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, indent=1)
    begin = f"{text[:FOLD].rstrip()}…" if len(text) > FOLD or text.count("\n") > 5 else ""
    return {"text": text, "begin": begin}


def _log(http: HttpRequest, held: PrivacyRequest, tables: list[dict[str, Any]], place: Place) -> dict[str, Any]:
    """A page of what was taken out, newest first: what, why, by whom, and the address that puts it back."""
    labels = {(one["source"], one["table"]): one["label"] for one in tables}
    begin = _number(http.GET.get("log", ""))
    found = list(held.redactions.select_related("decided_by").order_by("-decided_at", "-pk")[begin : begin + LOG + 1])
    lines = [
        {
            "label": labels.get((one.source, one.table), one.table),
            "table": one.table,
            "row": held.case.unseal(one.row_sealed, "redaction"),
            "column": one.column,
            "reason": story.code_label(one.code),
            "text": held.case.unseal(one.text_sealed, "redaction_text"),
            "who": story.name_of(one.decided_by),
            "at": one.decided_at,
            "put_back_url": f"{reverse('desk_copy_put_back', args=[held.pk, one.pk])}?{place.query()}",
        }
        for one in found[:LOG]
    ]
    return {
        "log": lines,
        "log_next": f"?{place.query()}&log={begin + LOG}" if len(found) > LOG else "",
        "log_previous": f"?{place.query()}&log={max(0, begin - LOG)}" if begin else "",
    }


def _verbs(held: PrivacyRequest, actor: Actor, refused: forms.VerbForm | None, failed: str) -> dict[str, Any]:
    """The ways on from here, as the catalogue has them."""
    made: dict[str, Any] = {
        "may_hand_over": VERBS["hand-over"].allows(actor), "needs_another": copy_needs_second_person(held),
        "is_another": look_at_copy(held, actor).counts, "barred": barred.from_handing_over(held, actor),
        "flags": [dict(zip(("label", "check"), words.flag(code), strict=True)) for code in held.judgement],
        **silence_verbs.elsewhere(held),
    }  # fmt: skip
    for name, slug in (("hand_over", "hand-over"), ("send_back", "send-back")):
        verb = VERBS[slug]
        if verb.allows(actor) and verb.is_there(held) and not verb.bar(held, actor):
            url = reverse("desk_verb", args=[held.pk, slug])
            form = refused if refused and slug == failed else verb.form(held, slug)
            made[name] = {"verb": verb.fitted(held), "form": form, "url": url}
    return made
