"""A data owner's page: link, one-time code, then what to do and for whom. Nothing personal stands before the code."""

from collections.abc import Callable
from functools import wraps
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

from dsar.datamap import loader
from dsar.enums import CheckKind, OwnerTaskStatus, StepKind
from dsar.fulfilment import owners
from dsar.fulfilment.corrected import accepted
from dsar.models import OwnerTask
from dsar.notifications import owner_letters
from dsar.portal import session
from dsar.portal.follow import PROBLEMS, CodeForm
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

    def clean_file(self) -> Any:
        """Within the limit."""
        file = self.cleaned_data["file"]
        if file and file.size > settings.FILE_BYTES:
            raise forms.ValidationError(_("This file is too large. Please send it in a smaller form."))
        return file


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


def needs_task(view: View) -> Callable[[HttpRequest], HttpResponse]:
    """Hand the open task of this browser's link to a view; otherwise say what became of it."""

    @wraps(view)
    def guarded(request: HttpRequest) -> HttpResponse:
        check = session.task_in_hand(request)
        if check is None or check.task_id is None or check.case.purged_at:
            return render(request, "portal/task_ended.html", {"problem": "unknown"}, status=404)
        task = OwnerTask.objects.select_related("step__request__case").get(pk=check.task_id)
        problem = links.problem_of(check, timezone.now())
        if not task.is_open:
            facts = {"task": task, "reference": check.case.reference, "problem": task.status}
            return render(request, "portal/task_ended.html", facts)
        if problem and request.resolver_match and request.resolver_match.url_name != "task_new_link":
            facts = {"task": task, "reference": check.case.reference, "problem": "expired"}
            return render(request, "portal/task_ended.html", facts)
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
    if owners.send_code(found.pk):
        messages.success(request, _("The code is on its way."))
    else:
        messages.error(request, _("Too many codes were sent today. Please try again tomorrow, or write to us."))
    return redirect("task")


@never_cache
@require_POST
@needs_task
def enter_code(request: HttpRequest, found: OwnerTask) -> HttpResponse:
    """Spend the code. Five wrong ones end it; a new one is a button away."""
    form = CodeForm(request.POST)
    if form.is_valid():
        try:
            links.spend_code(found.newest(CheckKind.OWNER_CODE), form.cleaned_data["code"])
        except links.Refused as refused:
            form.add_error("code", PROBLEMS[refused.problem])
        else:
            session.prove_owner(request, found)
            return redirect("task")
    return _ask_for_code(request, found, form, 422)


@never_cache
@require_POST
@needs_task
def answer(request: HttpRequest, found: OwnerTask) -> HttpResponse:
    """Done, nothing found, or it cannot be done."""
    if not session.is_owner(request, found):
        return redirect("task")
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
        form.add_error("note", str(error))
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
        return redirect("task")
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
@needs_task
def new_link(request: HttpRequest, found: OwnerTask) -> HttpResponse:
    """A new link, to the owner's address and no other."""
    if owners.resend(found.pk):
        messages.success(request, _("A new link is on its way to the address that has the task."))
    else:
        messages.error(request, _("Too many mails were sent today. Please try again tomorrow, or write to us."))
    return redirect("task")


def _changes(found: OwnerTask) -> list[dict[str, str]]:
    """What a correction that was decided says, field by field; nothing for any other work."""
    if found.step.kind != StepKind.RECTIFY:
        return []
    known = loader.current().fields
    return [
        {"label": _(known[field].label) if field in known else field, "value": value}
        for field, value in accepted(found.step.request).items()
    ]


def _ask_for_code(request: HttpRequest, found: OwnerTask, form: CodeForm, status: int = 200) -> HttpResponse:
    facts = {
        "form": form,
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
