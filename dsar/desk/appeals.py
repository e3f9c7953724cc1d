"""Looking again at the desk: which appeals, complaints and grievances are open, the page of one, and its verbs."""

from datetime import datetime
from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST, require_safe

from accounts.models import User
from dsar import deadlines, keys
from dsar.desk import frame, paging, rows, story, words
from dsar.desk.appeal_verbs import VERBS, AppealForm, AppealVerb
from dsar.enums import AppealKind, AppealOutcome
from dsar.models import Actor, Appeal, PrivacyRequest
from dsar.models.apart import apart_from
from dsar.models.case import with_keys
from dsar.models.law_days import TODAY, by_law
from dsar.review import deciders
from dsar.workflow import Conflict, Forbidden, Invalid

VIEWS: dict[str, Any] = {
    "open": gettext_lazy("Open"),
    "late": gettext_lazy("Overdue"),
    "ended": gettext_lazy("Answered"),
}


@require_safe
def listing(request: HttpRequest) -> HttpResponse:
    """The open ones, soonest legal date first; overdue; answered, newest first."""
    key = request.GET.get("view", "")
    view = key if key in VIEWS else "open"
    now = timezone.now()
    found = Appeal.objects.open() if view != "ended" else Appeal.objects.exclude(outcome=AppealOutcome.OPEN)
    if view == "late":
        found = found.filter(by_law(now, "regime", due_on__lt=TODAY))
    found = found.exclude(request__case__in=apart_from(frame.signed_in(request).pk))
    found = found.select_related("request__case", "assignee")
    order = "decided_at" if view == "ended" else "due_on"
    page = paging.page(found, request.GET, order, descending=view == "ended")
    with_keys(one.request.case for one in page.rows)
    barred = _names([one.request_id for one in page.rows])
    context = {
        "views": [{"url": f"?view={one}", "label": label, "current": one == view} for one, label in VIEWS.items()],
        "label": VIEWS[view],
        "lines": [{**_line(one, now), "not": barred[one.request_id]} for one in page.rows],
        "page": page,
    }
    return frame.page(request, "desk/appeals.html", "appeals", context)


def _line(appeal: Appeal, now: datetime) -> dict[str, Any]:
    request = appeal.request
    return {
        "row": appeal,
        "url": reverse("desk_appeal", args=[appeal.pk]),
        "reference": request.case.reference,
        "requester": rows.masked(request.case),
        "deadline": chip(appeal, now),
        "kind": appeal.get_kind_display(),
        "right": request.title,
        "law": appeal.law.text("short"),
        "assignee": story.name_of(appeal.assignee),
        "unread": request.unread_at is not None,
        "stuck": words.attention(appeal.attention) if appeal.attention else "",
    }


def chip(appeal: Appeal, now: datetime) -> dict[str, Any] | None:
    """What the deadline chip needs, by the day that it is under the law of the appeal; None once it has ended."""
    if not appeal.is_open:
        return None
    left = (appeal.due_on - appeal.day(now)).days
    state = "late" if left < 0 else "soon" if left <= rows.SOON_DAYS else "ok"
    return {"date": appeal.due_on, "days_left": left, "state": state}


def _names(requests: list[int]) -> dict[int, list[str]]:
    """Per request, who may not decide it now, since they decided it the first time. A fixed number of queries."""
    before = {pk: {by for by, _at in found} for pk, found in deciders.who_decided(requests).items()}
    people = User.objects.filter(pk__in=set().union(*before.values())).order_by("full_name", "pk")
    known = {user.pk: story.name_of(user) for user in people}
    return {pk: [name for by, name in known.items() if by in found] for pk, found in before.items()}


@require_safe
def page(request: HttpRequest, pk: int) -> HttpResponse:
    """One of them, for everybody who reads the desk."""
    return show(request, _fetch(pk))


def _fetch(pk: int) -> Appeal:
    known = Appeal.objects.select_related("request__case", "assignee", "decided_by", "filed_by", "opened", "message")
    found: Appeal = get_object_or_404(known, pk=pk)
    return found


def show(
    http: HttpRequest, appeal: Appeal, failed: AppealForm | None = None, verb: str = "", status: int = 200
) -> HttpResponse:
    """Render the page; `failed` takes the place of the form that could not be carried out."""
    actor, request = frame.actor_of(http), appeal.request
    context: dict[str, Any] = {
        "item": appeal,
        "held": request,
        "reference": request.case.reference,
        "request_url": reverse("desk_request", args=[request.pk]),
        "opened_url": reverse("desk_request", args=[appeal.opened_id]) if appeal.opened_id else "",
        "deadline": _deadline(appeal),
        "law_name": appeal.law.name,
        "who_may_not": _names([request.pk])[request.pk],
        "barred": VERBS["decide"].bar(appeal, actor) if appeal.is_open and VERBS["decide"].allows(actor) else None,
        "filed_by": story.name_of(appeal.filed_by),
        "assignee": story.name_of(appeal.assignee),
        "decided_by": story.name_of(appeal.decided_by),
        "stuck": words.attention(appeal.attention) if appeal.attention else "",
        "readable": _readable(request),
    }
    if context["readable"]:
        made = _forms(appeal, actor)
        if failed is not None:
            made[verb] = failed
        context |= {
            "decisions": story.decisions(request, list(request.decisions.select_related("decided_by").order_by("pk"))),
            "conversation": story.conversation(request),
            "first": _shown(appeal, "decide", made.pop("decide", None)),
            "actions": [{**_shown(appeal, slug, form), "open": slug == verb} for slug, form in made.items()],
            "failed": failed,
        }
    return frame.page(http, "desk/appeal.html", "appeals", context, status)


def _shown(appeal: Appeal, slug: str, form: AppealForm | None) -> dict[str, Any]:
    return {"verb": VERBS[slug], "form": form, "url": reverse("desk_appeal_act", args=[appeal.pk, slug])}


def _readable(request: PrivacyRequest) -> bool:
    try:
        return request.case.purged_at is None and bool(request.case.key())
    except keys.Unreadable:
        return False


def _deadline(appeal: Appeal) -> dict[str, Any] | None:
    shown = chip(appeal, timezone.now())
    if shown is None:
        return None
    due = deadlines.appeal_dates(
        appeal.law,
        AppealKind(appeal.kind),
        appeal.received_at,
        extended=appeal.extended_at is not None,
    ).due
    return {**shown, "steps": due.explain(), "rule": str(due.rule), "citation": due.citation}


def _forms(appeal: Appeal, actor: Actor) -> dict[str, AppealForm]:
    """Only what exists now for this person."""
    return {
        slug: verb.form(appeal, slug)
        for slug, verb in VERBS.items()
        if verb.allows(actor) and verb.exists(appeal) and not verb.bar(appeal, actor)
    }


@require_POST
def act(request: HttpRequest, pk: int, verb: str) -> HttpResponse:
    """Carry out one verb: 404 unknown, 403 not for this role or person, 409 not any more, 422 with errors, or back."""
    wanted: AppealVerb | None = VERBS.get(verb)
    if wanted is None:
        raise Http404
    actor = frame.actor_of(request)
    if not wanted.allows(actor):
        raise PermissionDenied
    found = _fetch(pk)
    back = reverse("desk_appeal", args=[pk])
    if not wanted.exists(found) or not _readable(found.request):
        return frame.moved_on(request, back, "appeals")
    if barred := wanted.bar(found, actor):
        return frame.not_yours(request, barred, back, _("Back to the appeal"))
    form = wanted.form(found, verb, request.POST)
    if form.is_valid():
        try:
            wanted.run(pk, form.cleaned_data, actor)
        except Invalid as error:
            form.add_error(None, str(error))
        except Conflict:
            return frame.moved_on(request, back, "appeals")
        except Forbidden:
            raise PermissionDenied from None
        else:
            messages.success(request, wanted.done)
            return redirect(back)
    return show(request, found, form, verb, 422)


def of_request(request: PrivacyRequest) -> dict[str, Any]:
    """What the page of a request shows: what was looked at again about it, and which appeal it was begun by."""
    found = sorted(request.appeals.all(), key=lambda one: one.pk, reverse=True)
    begun: Appeal | None = getattr(request, "opened_by", None)
    return {
        "appeals": [
            {"row": one, "url": reverse("desk_appeal", args=[one.pk]), "deadline": chip(one, timezone.now())}
            for one in found
        ],
        "begun_by": {"row": begun, "url": reverse("desk_appeal", args=[begun.pk])} if begun else None,
    }
