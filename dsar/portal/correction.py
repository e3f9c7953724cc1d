"""What a proven person adds to a correction: what a field should say, a file that shows it, a statement afterwards.

Nothing that we hold is shown here: whoever reads a mailbox learns no value from it.
"""

from collections.abc import Callable
from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext_lazy as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from dsar.intake import beside
from dsar.models import REQUESTER, PrivacyRequest
from dsar.portal import case, session
from dsar.portal.correction_forms import FieldForm, FileForm, StatementForm
from dsar.review import corrections
from dsar.workflow import Conflict, Invalid


def _post(
    request: HttpRequest,
    held: PrivacyRequest,
    name: str,
    form: forms.Form,
    work: Callable[[dict[str, Any]], object],
    done: Any,
) -> HttpResponse:
    session.choose(request, held.case)
    if request.method != "POST":
        return redirect("case")
    if form.is_valid():
        try:
            work(form.cleaned_data)
        except Invalid as error:
            form.add_error(None, str(error))
        except Conflict:
            messages.warning(request, _("This is decided already. To tell us more, please answer our last e-mail."))
            return redirect("case")
        else:
            messages.success(request, done)
            return redirect("case")
    return case.page(request, held.case, {(held.pk, name): form})


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
@session.needs_request
def correct(request: HttpRequest, held: PrivacyRequest) -> HttpResponse:
    """Name a field and what it should say."""
    form = FieldForm(request.POST or None, prefix=f"f{held.pk}")
    return _post(
        request, held, "field_form", form,
        lambda data: corrections.propose(held.pk, data["field"], data["value"], actor=REQUESTER),
        _("Thank you. A person looks at it."),
    )  # fmt: skip


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
@session.needs_request
def evidence(request: HttpRequest, held: PrivacyRequest) -> HttpResponse:
    """Send a file."""
    form = FileForm(request.POST or None, request.FILES or None, prefix=f"e{held.pk}")
    return _post(
        request, held, "file_form", form,
        lambda data: corrections.attach(held.pk, data["file"].name, data["file"].read(), actor=REQUESTER),
        _("Thank you. We have your file; it is used for this correction alone."),
    )  # fmt: skip


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
@session.needs_request
def statement(request: HttpRequest, held: PrivacyRequest) -> HttpResponse:
    """Attach a statement to what was not corrected."""
    form = StatementForm(request.POST or None, prefix=f"s{held.pk}")
    return _post(
        request, held, "statement_form", form,
        lambda data: corrections.state(held.pk, data["text"], actor=REQUESTER),
        _("Thank you. Your statement is kept with the record of this request."),
    )  # fmt: skip


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
@session.needs_request
def restrict(request: HttpRequest, held: PrivacyRequest) -> HttpResponse:
    """Ask that the data are kept and not used while the correction is looked at."""
    session.choose(request, held.case)
    if request.method == "POST":
        try:
            beside.restrict_meanwhile(held.pk)
        except Conflict:
            messages.warning(request, _("This cannot be asked for (any more)."))
        else:
            messages.success(request, _("We have noted that you want your data kept and not used meanwhile."))
    return redirect("case")
