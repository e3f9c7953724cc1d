"""Data owners' tasks: who has which, since when, until when; sent again, handed over, their files."""

from typing import Any

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet, prefetch_related_objects
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST, require_safe

from dsar.desk import frame, paging
from dsar.desk.roles import MAY
from dsar.enums import OwnerTaskStatus, Right, State
from dsar.fulfilment import owners
from dsar.models import Actor, OwnerTask, PrivacyRequest
from dsar.models.apart import apart_from
from dsar.models.case import with_keys
from dsar.notifications import owner_letters
from dsar.workflow import Conflict, Forbidden, Invalid

# How much of an owner's keyed hash names them in an address.
PREFIX = 16
BALL = gettext_lazy("the data owner")
VIEWS: dict[str, Any] = {
    "open": gettext_lazy("Open"),
    "late": gettext_lazy("Overdue"),
    "answered": gettext_lazy("Answered"),
}


class FilterForm(forms.Form):
    """One owner's tasks. Who it is travels as the beginning of a keyed hash: no address stands in an address."""

    view = forms.CharField(widget=forms.HiddenInput, required=False)
    owner = forms.ChoiceField(label=gettext_lazy("Data owner"), required=False)


class ColleagueForm(forms.Form):
    """To whom a task goes."""

    email = forms.CharField(
        label=gettext_lazy("Work address of the colleague who takes it"),
        max_length=254,
        widget=forms.EmailInput(attrs={"autocomplete": "off"}),
    )


def of_request(request: PrivacyRequest, actor: Actor) -> dict[int, dict[str, Any]]:
    """The newest task of each step of a request, in words for this role, by the step's number."""
    made = {}
    for task in _tasks(request):
        if task.status == OwnerTaskStatus.HANDED_OVER:
            continue
        task.step.request = request
        made[task.step_id] = _words(task, opens=actor.role in MAY["desk_task_file"])
    return made


def ball(request: PrivacyRequest) -> Any:
    """The data owner, where nothing but their answer is waited for; None elsewhere."""
    if request.state != State.FULFILLING or request.named_reason or request.unread_at:
        return None
    return BALL if any(task.is_open for task in _tasks(request)) else None


def _tasks(request: PrivacyRequest) -> list[OwnerTask]:
    steps = list(request.steps.all())
    prefetch_related_objects(steps, "owner_tasks")
    return sorted((task for step in steps for task in step.owner_tasks.all()), key=lambda task: task.pk)


def _words(task: OwnerTask, *, opens: bool) -> dict[str, Any]:
    return {
        "row": task,
        "what": owner_letters.what(task),
        "late": task.is_late(timezone.localdate()),
        "note": task.note,
        "file_name": task.file_name,
        "file_url": reverse("desk_task_file", args=[task.pk]) if task.file_size and opens else "",
    }


@require_safe
def listing(request: HttpRequest) -> HttpResponse:
    """Open tasks, soonest day first; overdue; answered ones, newest first."""
    return _show(request)


def _show(request: HttpRequest, failed: tuple[int, ColleagueForm] | None = None, status: int = 200) -> HttpResponse:
    key = request.GET.get("view", "")
    view = key if key in VIEWS else "open"
    found, order = _rows(view)
    found = found.exclude(step__request__case__in=apart_from(frame.signed_in(request).pk))
    known = found.exclude(owner="").order_by("owner").values_list("owner_index", "owner").distinct()
    form = FilterForm({"view": view, "owner": request.GET.get("owner", "")}, auto_id="filter_%s")
    form.fields["owner"].choices = [("", _("Everybody"))] + [(index[:PREFIX], owner) for index, owner in known]  # type: ignore[attr-defined]
    # Somebody who is not to be chosen has no tasks here: everybody's under their name would be a lie.
    found = found.filter(owner_index__startswith=form.cleaned_data["owner"]) if form.is_valid() else found.none()
    page = paging.page(
        found.select_related("step__request__case"), request.GET, order, descending=order == "answered_at"
    )
    with_keys(task.step.request.case for task in page.rows)
    may_act, opens = frame.may(request, "desk_task_act"), frame.may(request, "desk_task_file")
    here = request.GET.urlencode()
    lines = []
    for task in page.rows:
        asked = task.step.request
        lines.append(
            {
                **_words(task, opens=opens),
                "reference": asked.case.reference,
                "url": reverse("desk_request", args=[asked.pk]),
                "right": Right(asked.right).label,
                "source": owner_letters.source_label(task),
                "act_url": f"{reverse('desk_task_act', args=[task.pk])}?{here}" if may_act and task.is_open else "",
                "form": failed[1] if failed and failed[0] == task.pk else ColleagueForm(auto_id=f"task_{task.pk}_%s"),
                "failed": bool(failed and failed[0] == task.pk),
            }
        )
    views = [{"url": f"?view={name}", "label": label, "current": name == view} for name, label in VIEWS.items()]
    context = {"views": views, "form": form, "lines": lines, "page": page, "label": VIEWS[view], "failed": failed}
    return frame.page(request, "desk/tasks.html", "tasks", context, status)


def _rows(view: str) -> tuple[QuerySet[OwnerTask], str]:
    """The tasks of a view, and the column that orders them."""
    if view == "answered":
        return OwnerTask.objects.filter(status__in=owners.ANSWERS), "answered_at"
    if view == "late":
        return OwnerTask.objects.late(timezone.localdate()), "due_on"
    return OwnerTask.objects.open(), "due_on"


@require_POST
def act(request: HttpRequest, pk: int) -> HttpResponse:
    """`do`: resend (the link, to its owner) or hand_over (to `email`). 409 where the task has ended meanwhile."""
    get_object_or_404(OwnerTask, pk=pk)
    wanted, actor = request.POST.get("do", ""), frame.actor_of(request)
    form = ColleagueForm(request.POST, auto_id=f"task_{pk}_%s")
    try:
        if wanted == "resend":
            if owners.resend(pk, actor=actor):
                messages.success(request, _("The link is on its way again."))
            else:
                messages.error(request, _("Too many mails went to this address today."))
        elif wanted == "hand_over":
            if not form.is_valid():
                return _show(request, (pk, form), 422)
            owners.hand_over(pk, form.cleaned_data["email"], actor=actor)
            messages.success(request, _("Handed over. The new owner has a link."))
        else:
            raise Http404
    except Invalid as error:
        form.add_error("email", str(error))
        return _show(request, (pk, form), 422)
    except Conflict:
        return frame.moved_on(request, reverse("desk_tasks"), "tasks")
    except Forbidden:
        raise PermissionDenied from None
    return redirect(f"{reverse('desk_tasks')}?{request.GET.urlencode()}")


@require_POST
def file(request: HttpRequest, pk: int) -> HttpResponse:
    """What an owner sent along, as a download that no browser runs. Who opens it stands in the history."""
    try:
        task = owners.open_file(pk, actor=frame.actor_of(request))
    except (Conflict, OwnerTask.DoesNotExist):
        raise Http404 from None
    except Forbidden:
        raise PermissionDenied from None
    return frame.attachment(task.file(), task.file_name or "file")
