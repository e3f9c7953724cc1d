"""What we keep and how long, kind by kind, with setting, reason and what ends it: for auditors (GDPR Art 30(1)(f))."""

from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_safe

from dsar.desk import frame
from dsar.models.keeping import RULES


@require_safe
def page(request: HttpRequest) -> HttpResponse:
    """The table of the rules, as they are set in this house."""
    return frame.page(
        request, "desk/keeping.html", "audit" if frame.may(request, "desk_audit") else "keeping", {"rules": RULES}
    )
