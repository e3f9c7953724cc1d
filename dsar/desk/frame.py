"""What all pages of the desk share: the navigation for a role, who acts, and how a refusal looks."""

import re
from datetime import UTC, datetime
from typing import Any

from allauth.account.authentication import get_authentication_records
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.http import content_disposition_header
from django.utils.translation import gettext as _

from accounts.models import User
from dsar.desk.barred import Barred
from dsar.desk.roles import MAY
from dsar.models import Actor, staff

PLACES = {"queue": "desk_queue", "holds": "desk_holds", "sources": "desk_sources", "audit": "desk_audit"}


def signed_in(request: HttpRequest) -> User:
    """The person of the desk. The access middleware lets nobody else through; PermissionDenied if it ever did."""
    if not isinstance(request.user, User):
        raise PermissionDenied
    return request.user


def actor_of(request: HttpRequest) -> Actor:
    """Who acts, as workflow and audit trail know them."""
    user = signed_in(request)
    proven = [record["at"] for record in get_authentication_records(request, user)]
    return staff(user, datetime.fromtimestamp(max(proven), UTC) if proven else None)


def may(request: HttpRequest, url_name: str) -> bool:
    """Whether this person's role opens an address."""
    return signed_in(request).role in MAY[url_name]


def navigation(request: HttpRequest) -> dict[str, Any]:
    """The links of the head, as far as this role may follow them."""
    places: dict[str, Any] = {key: reverse(name) for key, name in PLACES.items() if may(request, name)}
    places["more"] = []
    if may(request, "desk_file"):
        places["more"].append({"key": "file", "label": _("File a request"), "url": reverse("desk_file")})
    if may(request, "desk_appeals"):
        places["more"].append({"key": "appeals", "label": _("Appeals"), "url": reverse("desk_appeals")})
    if may(request, "desk_incoming"):
        places["more"].append({"key": "incoming", "label": _("Incoming"), "url": reverse("desk_incoming")})
    if may(request, "desk_post"):
        places["more"].append({"key": "post", "label": _("Letters to post"), "url": reverse("desk_post")})
    if may(request, "desk_tasks"):
        places["more"].append({"key": "tasks", "label": _("Owners' tasks"), "url": reverse("desk_tasks")})
    if may(request, "desk_calendar"):
        places["more"].append({"key": "calendar", "label": _("Calendar"), "url": reverse("desk_calendar")})
    if may(request, "desk_measures"):
        places["more"].append({"key": "measures", "label": _("Measures"), "url": reverse("desk_measures")})
    if may(request, "desk_laws"):
        places["more"].append({"key": "laws", "label": _("Laws"), "url": reverse("desk_laws")})
    if may(request, "desk_keeping") and not may(request, "desk_audit"):
        places["more"].append({"key": "keeping", "label": _("What we keep"), "url": reverse("desk_keeping")})
    if signed_in(request).is_staff:
        places["more"].append({"key": "accounts", "label": _("Accounts"), "url": reverse("admin:index")})
    return places


def page(request: HttpRequest, template: str, section: str, context: dict[str, Any], status: int = 200) -> HttpResponse:
    """Render a page of the desk inside its frame."""
    framed = {**context, "nav": navigation(request), "section": section}
    return render(request, template, framed, status=status)


def attachment(content: bytes, name: str) -> HttpResponse:
    """A file that came from outside, as a download that no browser runs or keeps. What may mean something to a file
    system is taken out of its `name`."""
    answer = HttpResponse(content, content_type="application/octet-stream")
    answer["Content-Disposition"] = content_disposition_header(True, re.sub(r"[^\w. -]", "_", name)) or ""
    answer["Content-Security-Policy"] = "default-src 'none'; sandbox"
    answer["Cache-Control"] = "no-store"
    return answer


def moved_on(request: HttpRequest, back: str, section: str = "queue") -> HttpResponse:
    """409: what was clicked no longer exists in the state that the thing has by now; nothing was done."""
    return page(request, "desk/moved_on.html", section, {"back": back}, status=409)


def not_yours(request: HttpRequest, barred: Barred, back: str, back_label: str) -> HttpResponse:
    """403: the role includes it, this person may not all the same; the page says why, and who can."""
    context = {"barred": barred, "back": back, "back_label": back_label}
    return page(request, "desk/not_yours.html", "queue", context, status=403)
