"""What a proven person adds to a correction: what a field should say, a file that shows it, a statement afterwards.

Nothing that we hold is shown here: whoever reads a mailbox learns no value from it.
"""

from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext_lazy as _

from dsar.models import REQUESTER, PrivacyRequest
from dsar.portal import case, session
from dsar.portal.correction_forms import FieldForm, FileForm, StatementForm
from dsar.review import corrections

CLOSED = _("This is decided already. To tell us more, please answer our last e-mail.")


@session.needs_request
def correct(request: HttpRequest, held: PrivacyRequest) -> HttpResponse:
    """Name a field and what it should say."""
    return case.send(
        request, held, "field_form", FieldForm(request.POST, prefix=f"f{held.pk}"),
        lambda data: corrections.propose(held.pk, data["field"], data["value"], actor=REQUESTER),
        closed=CLOSED, done=_("Thank you. A person looks at it."),
    )  # fmt: skip


@session.needs_request
def evidence(request: HttpRequest, held: PrivacyRequest) -> HttpResponse:
    """Send a file."""
    return case.send(
        request, held, "file_form", FileForm(request.POST, request.FILES, prefix=f"e{held.pk}"),
        lambda data: corrections.attach(held.pk, data["file"].name, data["file"].read(), actor=REQUESTER),
        closed=CLOSED, done=_("Thank you. We have your file; it is used for this correction alone."),
    )  # fmt: skip


@session.needs_request
def statement(request: HttpRequest, held: PrivacyRequest) -> HttpResponse:
    """Attach a statement to what was not corrected."""
    return case.send(
        request, held, "statement_form", StatementForm(request.POST, prefix=f"s{held.pk}"),
        lambda data: corrections.state(held.pk, data["text"], actor=REQUESTER),
        closed=CLOSED, done=_("Thank you. Your statement is kept with the record of this request."),
    )  # fmt: skip
