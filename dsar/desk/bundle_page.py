"""One click: the bundle for an authority. For approvers and auditors, with a reason, and never without a line in the trail."""

from tempfile import TemporaryFile
from typing import Any

from django import forms
from django.db import transaction
from django.http import FileResponse, HttpRequest, HttpResponseBase
from django.utils.translation import gettext_lazy as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from dsar import audit
from dsar.desk import bundle, frame, request_page, story
from dsar.desk.bundle_reader import has_silence
from dsar.enums import BundleReason
from dsar.workflow import lock_case


class BundleForm(forms.Form):
    """Why it leaves the house, and that whoever asks for it knows what is in it."""

    why = forms.ChoiceField(
        label=_("Who wants it, and why"),
        choices=[("", _("Please choose")), *BundleReason.choices],
        error_messages={
            "required": _("Please say why: it stands in the history."),
            "invalid_choice": _("Please choose one of the reasons."),
        },
    )
    sure = forms.BooleanField(
        label=_("I know that it holds the person's name, address and letters, readable for whoever has the file"),
        error_messages={"required": _("Please tick this first.")},
    )

    def __init__(self, data: Any = None, *, masked: bool = False) -> None:
        super().__init__(data)
        if masked:
            self.fields["sure"].label = _(
                "I know that it holds what the person wrote, readable for whoever has the file"
            )


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def page(request: HttpRequest, pk: int) -> HttpResponseBase:
    """GET says what is in it and asks why; POST writes it, notes it in the trail, and hands it over."""
    found = request_page.fetch(pk)
    # An auditor checks the work, not the person.
    masked = not frame.actor_of(request).is_handler
    form = BundleForm(request.POST if request.method == "POST" else None, masked=masked)
    if not form.is_valid():
        context: dict[str, Any] = {
            "form": form, "item": found, "reference": found.case.reference, "masked": masked, "silent": has_silence(found),
        }  # fmt: skip
        return frame.page(request, "desk/bundle.html", "queue", context, status=422 if form.is_bound else 200)
    why = BundleReason(form.cleaned_data["why"])
    # Without a name on any disk, and gone with the answer.
    file = TemporaryFile()  # noqa: SIM115 (the answer closes it)
    try:
        made = bundle.write(file, pk, why, story.name_of(frame.signed_in(request)), masked=masked)
        with transaction.atomic():
            details = {"why": why.value, "files": made.files, "sha256": made.digest}
            entry = audit.Entry("bundle_made", frame.actor_of(request), pk, details=details)
            audit.record(lock_case(found.case_id), entry)
    except BaseException:
        file.close()
        raise
    file.seek(0)
    name = f"{found.case.reference}-{pk}.zip"
    return FileResponse(file, as_attachment=True, filename=name, content_type="application/zip")
