"""The panel of a correction on its request's page, and the files that came with it."""

from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import reverse
from django.views.decorators.http import require_POST

from dsar.desk import frame
from dsar.desk.forms import VerbForm
from dsar.desk.right_forms import DecideCorrectionForm
from dsar.enums import Right
from dsar.models import Actor, Correction, Evidence, PrivacyRequest
from dsar.review import corrections
from dsar.workflow import Conflict, Forbidden

DECIDE = "decide-correction"


def panel(request: PrivacyRequest, actor: Actor, *, decide: bool, failed: VerbForm | None) -> dict[str, Any]:
    """Old beside new per field, a form for each that waits, and the files; empty for any other right."""
    if request.right != Right.CORRECTION:
        return {}
    lines = corrections.panel(request, open_values=actor.is_handler)
    for line in lines:
        one = line["correction"]
        if decide and not one.decided_at:
            bound = failed is not None and failed.data.get("correction") == str(one.pk)
            line["form"] = _bound(failed, one) if failed and bound else _form(request, one)
    files = sorted(request.evidence.all(), key=lambda one: one.pk) if actor.is_handler else []
    for one in files:
        one.request = request
    return {
        "corrections": lines,
        "files": files,
        "decide_url": reverse("desk_verb", args=[request.pk, DECIDE]),
    }


def _form(request: PrivacyRequest, one: Correction) -> DecideCorrectionForm:
    form = DecideCorrectionForm(request, f"{DECIDE}-{one.pk}")
    form.initial.update(correction=one.pk, seen=corrections.version_of(one))
    return form


def _bound(failed: VerbForm, one: Correction) -> VerbForm:
    """What was typed, for the wish that this page shows by now."""
    failed.data = failed.data.copy()  # type: ignore[attr-defined]
    failed.data["seen"] = corrections.version_of(one)  # type: ignore[index]
    return failed


@require_POST
def evidence(request: HttpRequest, pk: int) -> HttpResponse:
    """A file as a download: never shown by the browser, whatever it says that it is. Who opens it stands in the
    history."""
    try:
        found = corrections.open_evidence(pk, actor=frame.actor_of(request))
    except (Conflict, Evidence.DoesNotExist):
        raise Http404 from None
    except Forbidden:
        raise PermissionDenied from None
    return frame.attachment(found.body, f"{found.request.case.reference}-{found.pk}.bin")
