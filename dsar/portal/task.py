"""A data owner's page: link, one-time code, then what to do and for whom. Nothing personal stands before the code."""

from collections.abc import Callable
from contextlib import suppress
from functools import partial, wraps
from typing import Any

from django import forms
from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from dsar.enums import CheckKind, OwnerTaskStatus, StepKind
from dsar.fulfilment import owners
from dsar.fulfilment.corrected import accepted
from dsar.models import OwnerTask
from dsar.models.apart import is_apart
from dsar.notifications import owner_letters
from dsar.portal import session
from dsar.portal.follow import PROBLEMS, CodeForm
from dsar.review import corrections
from dsar.verification import links
from dsar.workflow import Conflict, Invalid

View = Callable[[HttpRequest, OwnerTask], HttpResponse]


class AnswerForm(forms.Form):
    """A note and a file; which answer it is says the button."""

    answer = forms.ChoiceField(
        choices=[(status, status.label) for status in owners.ANSWERS], widget=forms.HiddenInput, required=True
    )
    note = forms.CharField(
        label=gettext_lazy("A note for the privacy team"),
        help_text=gettext_lazy("Needed where it cannot be done: what stands in the way, and until when?"),
        required=False,
        max_length=4000,
        widget=forms.Textarea(attrs={"rows": 3}),
    )
    file = forms.FileField(label=gettext_lazy("A file"), required=False, max_length=200)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        size = settings.FILE_BYTES // 1024 // 1024
        self.fields["file"].help_text = _("Up to %(size)s MB. It is encrypted before it is stored.") % {"size": size}


class ColleagueForm(forms.Form):
    """To whom a task goes."""

    email = forms.CharField(
        label=gettext_lazy("Your colleague's work address"),
        max_length=254,
        error_messages={"required": gettext_lazy("Please enter your colleague's address.")},
        widget=forms.EmailInput(attrs={"autocomplete": "off", "inputmode": "email"}),
    )


@never_cache
@require_safe
def link(request: HttpRequest, token: str) -> HttpResponse:
    """Swap a link for a session and go on at an address without the token. Changes nothing else (law 10)."""
    if request.method == "HEAD":
        return HttpResponse()
    look = links.look(token)
    check = look.check if look.check and look.check.kind == CheckKind.OWNER_LINK else None
    session.take_task(request, check)
    return redirect("task")


def needs_task(view: View, *, expired: bool = False) -> Callable[[HttpRequest], HttpResponse]:
    """Hand the open task of this browser's link to a view; otherwise say what became of it. `expired`: by a link that
    is too old as well."""

    @wraps(view)
    def guarded(request: HttpRequest) -> HttpResponse:
        check = session.task_in_hand(request)
        if check is None or check.task_id is None or check.case.purged_at:
            return render(request, "portal/task_ended.html", {"problem": "unknown"}, status=404)
        task = OwnerTask.objects.select_related("step__request__case").get(pk=check.task_id)
        facts = {"task": task, "reference": check.case.reference}
        if not task.is_open:
            return render(request, "portal/task_ended.html", {**facts, "problem": task.status})
        if is_apart(check.case, task.owner):
            return render(request, "portal/task_ended.html", {**facts, "problem": OwnerTaskStatus.NOT_NEEDED})
        if not expired and links.problem_of(check, timezone.now()):
            return render(request, "portal/task_ended.html", {**facts, "problem": "expired"})
        return view(request, task)

    return guarded


@never_cache
@require_safe
@needs_task
def task(request: HttpRequest, found: OwnerTask) -> HttpResponse:
    """The task, once the code was entered; before that the way to the code, and nothing about anybody."""
    if not session.is_owner(request, found):
        return _ask_for_code(request, found, CodeForm())
    return _show(request, found)


@never_cache
@require_POST
@needs_task
def send_code(request: HttpRequest, found: OwnerTask) -> HttpResponse:
    """Mail a code to the owner's address."""
    return _mailed(
        request, lambda: owners.send_code(found.pk), _("The code is on its way."),
        _("Too many codes were sent today. Please try again tomorrow, or write to us."),
    )  # fmt: skip


def _mailed(request: HttpRequest, work: Callable[[], bool], done: str, too_many: str) -> HttpResponse:
    # Where the task has ended meanwhile, its page says what became of it.
    with suppress(Conflict):
        if work():
            messages.success(request, done)
        else:
            messages.error(request, too_many)
    return redirect("task")


@never_cache
@require_POST
@needs_task
def enter_code(request: HttpRequest, found: OwnerTask) -> HttpResponse:
    """Spend the code. Five wrong ones end it; a new one is a button away. A note that was written before the code had to
    be renewed is still there after it."""
    form, note = CodeForm(request.POST), request.POST.get("note", "")
    if form.is_valid():
        try:
            links.spend_code(found.newest(CheckKind.OWNER_CODE), form.cleaned_data["code"])
        except links.Refused as refused:
            form.add_error("code", PROBLEMS[refused.problem])
        else:
            session.prove_owner(request, found)
            return _show(request, found, form=AnswerForm(initial={"note": note})) if note else redirect("task")
    return _ask_for_code(request, found, form, 422, note)


@never_cache
@require_POST
@needs_task
def answer(request: HttpRequest, found: OwnerTask) -> HttpResponse:
    """Done, nothing found, or it cannot be done."""
    if not session.is_owner(request, found):
        return _renew(request, found, request.POST.get("note", ""))
    form = AnswerForm(request.POST, request.FILES)
    if not form.is_valid():
        return _show(request, found, form=form, status=422)
    file = form.cleaned_data["file"]
    try:
        owners.answer(
            found.pk,
            OwnerTaskStatus(form.cleaned_data["answer"]),
            note=form.cleaned_data["note"],
            file=file.read() if file else b"",
            file_name=file.name if file else "",
        )
    except Invalid as error:
        form.add_error(None, str(error))
        return _show(request, found, form=form, status=422)
    except Conflict:
        pass
    return redirect("task")


@never_cache
@require_POST
@needs_task
def hand_over(request: HttpRequest, found: OwnerTask) -> HttpResponse:
    """Give it to a colleague, who gets a link of their own."""
    if not session.is_owner(request, found):
        return _renew(request, found)
    form = ColleagueForm(request.POST)
    if form.is_valid():
        try:
            owners.hand_over(found.pk, form.cleaned_data["email"])
        except Invalid as error:
            form.add_error("email", str(error))
        except Conflict:
            return redirect("task")
        else:
            return redirect("task")
    return _show(request, found, colleague=form, status=422)


@never_cache
@require_POST
@partial(needs_task, expired=True)
def new_link(request: HttpRequest, found: OwnerTask) -> HttpResponse:
    """A new link, to the owner's address and no other."""
    return _mailed(
        request, lambda: owners.resend(found.pk), _("A new link is on its way to the address that has the task."),
        _("Too many mails were sent today. Please try again tomorrow, or write to us."),
    )  # fmt: skip


def _renew(request: HttpRequest, found: OwnerTask, note: str = "") -> HttpResponse:
    """Whoever took longer than a code counts gets a fresh one, and keeps their words; anybody else is asked for one."""
    if not session.was_owner(request, found):
        return redirect("task")
    try:
        sent = owners.send_code(found.pk)
    except Conflict:
        return redirect("task")
    again = _("This was not taken: you entered your code too long ago. Please enter a fresh one, then send it again.")
    messages.warning(request, again)
    if sent:
        messages.info(request, _("A fresh code is on its way."))
    return _ask_for_code(request, found, CodeForm(), 403, note)


def _changes(found: OwnerTask) -> list[dict[str, str]]:
    """What a correction that was decided says, field by field; nothing for any other work."""
    if found.step.kind != StepKind.RECTIFY:
        return []
    said = accepted(found.step.request)
    return [{"label": corrections.label_of(field), "value": value} for field, value in said.items()]


def _ask_for_code(
    request: HttpRequest, found: OwnerTask, form: CodeForm, status: int = 200, note: str = ""
) -> HttpResponse:
    facts = {
        "form": form,
        "note": note,
        "line": owner_letters.line(found),
        "sent": found.newest(CheckKind.OWNER_CODE) is not None,
        "minutes": int(settings.CODE_LIFETIME.total_seconds() // 60),
    }
    return render(request, "portal/task_code.html", facts, status=status)


def _show(
    request: HttpRequest,
    found: OwnerTask,
    *,
    form: AnswerForm | None = None,
    colleague: ColleagueForm | None = None,
    status: int = 200,
) -> HttpResponse:
    asked = found.step.request
    facts = {
        "task": found,
        "line": owner_letters.line(found),
        "kept": owner_letters.kept(found),
        "person": asked.case.email,
        "changes": _changes(found),
        "wait": owners.stopped(found.step),
        "late": found.is_late(timezone.localdate()),
        "form": form or AnswerForm(),
        "colleague": colleague or ColleagueForm(auto_id="colleague_%s"),
    }
    return render(request, "portal/task.html", facts, status=status)
