"""Letters to post: what waits for a printer and an envelope, the oldest first, and what went out."""

from datetime import date
from typing import Any

from django import forms
from django.contrib import messages
from django.http import FileResponse, Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from dsar import keys
from dsar.desk import frame, rows
from dsar.fulfilment import package
from dsar.models import Message
from dsar.models.apart import apart_from
from dsar.models.case import with_keys
from dsar.notices import Notice
from dsar.notifications import compose, post

SHOWN = 100


class PostedForm(forms.Form):
    """Which letters went into the post, and on which day."""

    letter = forms.TypedMultipleChoiceField(
        coerce=int, error_messages={"required": gettext_lazy("Please tick the letters that went into the post.")}
    )
    day = forms.DateField(
        label=gettext_lazy("Posted on"),
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
        error_messages={
            "required": gettext_lazy("Please enter the day."),
            "invalid": gettext_lazy("Please enter the day."),
        },
    )

    def __init__(self, found: list[Message], data: Any = None) -> None:
        super().__init__(data, auto_id="posted_%s", initial={"day": timezone.localdate()})
        self.fields["letter"].choices = [(row.pk, row.pk) for row in found]  # type: ignore[attr-defined]

    def clean_day(self) -> date:
        """A day that has come."""
        day: date = self.cleaned_data["day"]
        if day > timezone.localdate():
            raise forms.ValidationError(_("This day has not come yet. Please enter the day on which you posted them."))
        return day


@never_cache
@require_safe
def listing(request: HttpRequest) -> HttpResponse:
    """What is to be printed and posted. Opening the page changes nothing; a letter is printed from its PDF."""
    found = _rows(request)
    return _page(request, found, PostedForm(found))


@require_POST
def posted(request: HttpRequest) -> HttpResponse:
    """Note that the ticked letters went into the post."""
    found = _rows(request)
    form = PostedForm(found, request.POST)
    if not form.is_valid():
        return _page(request, found, form, 422)
    done = post.posted(form.cleaned_data["letter"], form.cleaned_data["day"], actor=frame.actor_of(request))
    messages.success(request, ngettext("%(n)s letter posted.", "%(n)s letters posted.", done) % {"n": done})
    return redirect("desk_post")


@require_POST
def enclosure(request: HttpRequest, pk: int) -> HttpResponseBase:
    """The copy that goes into the envelope, for whoever prints it or puts it on a data carrier; noted in the trail."""
    found = get_object_or_404(post.waiting().select_related("case", "request"), pk=pk)
    held = package.current(found.request) if found.request and found.notice == Notice.DONE_COPY else None
    if held is None:
        raise Http404
    try:
        content = package.open_for_download(held)
    except (package.NotThere, keys.Unreadable):
        messages.error(request, _("This copy is no longer there. Write to the person, and make a new one."))
        return redirect("desk_post")
    post.note_enclosed(found, actor=frame.actor_of(request))
    return FileResponse(content, as_attachment=True, filename=f"copy-{found.case.reference}.zip")


def _rows(request: HttpRequest) -> list[Message]:
    waiting = post.waiting().exclude(case__in=apart_from(frame.signed_in(request).pk))
    found = list(waiting.select_related("case", "request")[:SHOWN])
    with_keys(row.case for row in found)
    return found


def _page(request: HttpRequest, found: list[Message], form: PostedForm, status: int = 200) -> HttpResponse:
    handles = frame.may(request, "desk_posted")
    today = timezone.localdate()
    ticked = set(form.data.getlist("letter")) if form.is_bound else set()  # type: ignore[attr-defined]
    lines = []
    for row in found:
        case, about = row.case, row.request
        if about:
            about.case = case
        lines.append(
            {
                "row": row,
                "reference": case.reference,
                "url": reverse("desk_request", args=[about.pk]) if about else "",
                "right": about.title if about else "",
                "what": row.get_notice_display(),
                "who": case.postal.partition("\n")[0] if handles else "•••",
                "deadline": rows.deadline(about, today) if about else None,
                "pdf_url": reverse("desk_letter_pdf", args=[row.pk]) if handles else "",
                "read_url": reverse("desk_letter", args=[row.pk]),
                "enclose": post.ON_PAPER[Notice(row.notice)] == post.Paper.ENCLOSE,
                "copy_url": reverse("desk_enclosure", args=[row.pk]) if handles else "",
                "ticked": str(row.pk) in ticked,
            }
        )
    context = {"lines": lines, "form": form, "handles": handles, "own_address": compose.own_address()}
    return frame.page(request, "desk/post.html", "post", context, status)
