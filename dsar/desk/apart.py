"""Before a page of a case opens: is the colleague kept apart from it? One table says whose case an address is about."""

from collections.abc import Callable, Mapping
from typing import Any, Final

from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.translation import gettext as _

from dsar.desk import frame
from dsar.desk.barred import Barred
from dsar.models import (
    Appeal,
    AuthorityPaper,
    Case,
    Evidence,
    IdentityPaper,
    Intake,
    LegalHold,
    Message,
    OwnerTask,
    PrivacyRequest,
)
from dsar.models.apart import apart_from

Cases = QuerySet[Any, int | None]


def _of_request(pk: int) -> Cases:
    return PrivacyRequest.objects.filter(pk=pk).values_list("case_id", flat=True)


def _of_message(pk: int) -> Cases:
    return Message.objects.filter(pk=pk).values_list("case_id", flat=True)


def _of_item(pk: int) -> Cases:
    return Intake.objects.filter(pk=pk).values_list("case_id", flat=True)


def _of_task(pk: int) -> Cases:
    return OwnerTask.objects.filter(pk=pk).values_list("step__request__case_id", flat=True)


def _of_appeal(pk: int) -> Cases:
    return Appeal.objects.filter(pk=pk).values_list("request__case_id", flat=True)


def _of_hold(pk: int) -> Cases:
    held = LegalHold.objects.filter(pk=pk).exclude(email_index="").values("email_index")
    return Case.objects.filter(email_index__in=held).values_list("pk", flat=True)


# Every address of the desk that names something by its key; tests/test_access_control.py holds that none is missing.
CASES_OF: Final[Mapping[str, Callable[[int], Cases]]] = {
    **dict.fromkeys(
        ("desk_request", "desk_copy", "desk_copy_take_out", "desk_copy_put_back", "desk_authority_add", "desk_signed",
         "desk_identity_paper_add", "desk_bundle", "desk_verb"),
        _of_request,
    ),
    **dict.fromkeys(("desk_letter", "desk_letter_text", "desk_letter_pdf", "desk_enclosure"), _of_message),
    **dict.fromkeys(("desk_scan", "desk_scan_destroy", "desk_incoming_item", "desk_incoming_act"), _of_item),
    **dict.fromkeys(("desk_task_act", "desk_task_file"), _of_task),
    **dict.fromkeys(("desk_appeal", "desk_appeal_act"), _of_appeal),
    "desk_evidence": lambda pk: Evidence.objects.filter(pk=pk).values_list("request__case_id", flat=True),
    "desk_identity_paper": lambda pk: IdentityPaper.objects.filter(pk=pk).values_list("check_ref__case_id", flat=True),
    "desk_authority_paper": lambda pk: AuthorityPaper.objects.filter(pk=pk).values_list(
        "representation__case_id", flat=True
    ),
    "desk_hold_lift": _of_hold,
}  # fmt: skip


def refused(request: HttpRequest, name: str, named: Mapping[str, Any]) -> HttpResponse | None:
    """403 with its reason where the address `name` (with the words `named` in it) is about a case that this colleague
    handles nothing of; None lets the page open."""
    find = CASES_OF.get(name)
    if find is None:
        return None
    reader = frame.signed_in(request)
    apart = apart_from(reader.pk, reader.email)
    # Nearly everybody is kept apart from nothing.
    why = next((apart[case] for case in find(named["pk"]) if case in apart), None) if apart else None
    if why is None:
        return None
    return frame.not_yours(request, Barred(str(why.label)), reverse("desk_queue"), _("Back to the queue"))
