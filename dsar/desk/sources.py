"""The sources: do they answer, what waits for them, and the switches: one for each, and the kill switch for all."""

from collections import defaultdict
from typing import Any

from django.contrib import messages
from django.db.models import Count
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from dsar.datamap import loader
from dsar.desk import frame, story, words
from dsar.desk.holds import SureForm
from dsar.enums import StepStatus
from dsar.fulfilment import control
from dsar.models import AuditEvent, House, Source, Step

SWITCHES = ("kill_switch_on", "kill_switch_off")


def listing(request: HttpRequest) -> HttpResponse:
    """Every source of the data map, and the kill switch with who last touched it."""
    return _show(request)


@require_POST
def switch(request: HttpRequest, key: str) -> HttpResponse:
    """Switch one source on or off (`on` is "1" or "0"), ticked."""
    if key not in loader.current().sources or request.POST.get("on") not in ("0", "1"):
        raise Http404
    if not SureForm(request.POST).is_valid():
        messages.error(request, _("Please tick “I mean it”. Nothing was switched."))
        return redirect("desk_sources")
    on = request.POST["on"] == "1"
    control.switch_source(key, on, actor=frame.actor_of(request))
    messages.success(
        request, _("Switched on. What waited goes on.") if on else _("Switched off. Its steps wait; nothing is lost.")
    )
    return redirect("desk_sources")


@require_POST
def kill_switch(request: HttpRequest) -> HttpResponse:
    """Stop or resume all erasing (`on` is "1" or "0"), ticked."""
    if request.POST.get("on") not in ("0", "1"):
        raise Http404
    if not SureForm(request.POST).is_valid():
        messages.error(request, _("Please tick “I mean it”. Nothing was switched."))
        return redirect("desk_sources")
    on = request.POST["on"] == "1"
    control.kill_switch(on, actor=frame.actor_of(request))
    messages.success(
        request,
        _("All erasing stops before its next chunk. The clocks go on.")
        if on
        else _("Erasing goes on where it stopped."),
    )
    return redirect("desk_sources")


def _show(request: HttpRequest) -> HttpResponse:
    known = {source.key: source for source in Source.objects.all()}
    waiting = _waiting()
    may_switch = frame.may(request, "desk_source_switch")
    lines = []
    for key, described in loader.current().sources.items():
        source = known.get(key) or Source(key=key)
        lines.append(
            {
                "key": key,
                "label": described.label,
                "connector": described.connector,
                "source": source,
                "failure": words.attention(source.last_error) if source.last_error else "",
                "waiting": waiting.get(key, {}),
                "form": SureForm(auto_id=f"switch_{key}_%s") if may_switch else None,
            }
        )
    house = House.objects.filter(pk=1).first()
    last = AuditEvent.objects.filter(chain="house", what__in=SWITCHES).order_by("-number").first()
    context: dict[str, Any] = {
        "lines": lines,
        "killed": bool(house and house.kill_switch),
        "last": story.told(last, story.names([last])) if last else None,
        "kill_form": SureForm(auto_id="kill_%s") if frame.may(request, "desk_kill_switch") else None,
    }
    return frame.page(request, "desk/sources.html", "sources", context)


def _waiting() -> dict[str, dict[str, Any]]:
    """Open and blocked steps per source with the named reasons, in one query over the steps that are not done."""
    found: dict[str, dict[str, Any]] = defaultdict(lambda: {"open": 0, "blocked": 0, "reasons": []})
    grouped = Step.objects.filter(status__in=[StepStatus.QUEUED, StepStatus.LEASED, StepStatus.BLOCKED])
    for row in grouped.values("source", "status", "reason").annotate(number=Count("pk")).order_by("source", "-number"):
        entry = found[row["source"]]
        entry["blocked" if row["status"] == StepStatus.BLOCKED else "open"] += row["number"]
        if row["reason"]:
            entry["reasons"].append({"words": words.attention(row["reason"]), "number": row["number"]})
    return found
