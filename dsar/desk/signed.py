"""Filing the page that a person without a mailbox signed to confirm a deletion."""

from datetime import date
from typing import Any

from django import forms
from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from dsar.desk import frame, request_page
from dsar.intake import filing, web
from dsar.verification import signed
from dsar.workflow import Conflict, Invalid


class SignedForm(web.SentOnce):
    """The day on which it came, the mark that the page names its plan by, and its scan."""

    came_on = forms.DateField(
        label=gettext_lazy("On which day did it come?"),
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
        error_messages={
            "required": gettext_lazy("Please enter the day on which it came."),
            "invalid": gettext_lazy("Please enter the day as year-month-day, for instance 2026-12-31."),
        },
    )
    mark = forms.CharField(
        label=gettext_lazy("The mark in brackets on the signed page"),
        help_text=gettext_lazy("It says which plan the person signed: twelve figures and letters."),
        max_length=64,
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
    )
    scan = forms.FileField(
        label=gettext_lazy("Scan of the signed page"),
        error_messages={
            "required": gettext_lazy("Please choose the scan: a second person has to see the signature."),
            "empty": gettext_lazy("This file is empty. Please choose another one."),
        },
    )

    def clean_came_on(self) -> date:
        """A day that has come."""
        day: date = self.cleaned_data["came_on"]
        if day > filing.today():
            raise forms.ValidationError(_("This day has not come yet. Please enter the day on which it came."))
        return day

    def clean_scan(self) -> Any:
        """A file of bounded size."""
        file = self.cleaned_data["scan"]
        if file.size > settings.EVIDENCE_BYTES:
            raise forms.ValidationError(
                _("Please choose a file of at most %(number)s MB.") % {"number": settings.EVIDENCE_BYTES // 1024**2}
            )
        return file


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def page(request: HttpRequest, pk: int) -> HttpResponse:
    """The form; a POST files the page. The deletion is confirmed only once an approver has agreed."""
    found, back = request_page.fetch(pk), reverse("desk_request", args=[pk])
    if not signed.may_file(found):
        return frame.moved_on(request, back)
    form, status = SignedForm(), 200
    if request.method == "POST":
        form, status = SignedForm(request.POST, request.FILES), 422
        if form.is_valid():
            typed, actor = form.cleaned_data, frame.actor_of(request)
            try:
                signed.plan_of(found, typed["mark"])
                intake = filing.signed_page(typed["number"], found, typed["came_on"], typed["scan"].read(), actor=actor)
                signed.file(pk, intake, typed["mark"], typed["came_on"], actor=actor)
            except Invalid as error:
                form.add_error("mark", str(error))
            except Conflict:
                return frame.moved_on(request, back)
            else:
                messages.success(request, _("Filed. An approver looks at the signature now."))
                return redirect("desk_request", pk=pk)
    return frame.page(request, "desk/signed.html", "queue", {"form": form, "reference": found.case.reference}, status)
