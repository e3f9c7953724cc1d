"""The queue: saved views, filters, search, keyset paging. A fixed number of queries, however many rows there are."""

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from dsar.desk import frame, paging, rows, search, views
from dsar.desk.filters import QueueFilter
from dsar.enums import IntakeStatus
from dsar.models import Appeal, Intake, PrivacyRequest
from dsar.models.apart import apart_from
from dsar.models.law_days import TODAY, by_law
from dsar.models.request_queues import PrivacyRequestQuerySet
from dsar.notifications import post


class SearchForm(forms.Form):
    """One box for a reference or an address."""

    words = forms.CharField(
        label=gettext_lazy("Reference or e-mail address"),
        max_length=254,
        required=False,
        widget=forms.TextInput(attrs={"type": "search", "autocomplete": "off", "spellcheck": "false"}),
    )


def queue(request: HttpRequest) -> HttpResponse:
    """The list; a POST searches, so that an address never stands in an address bar."""
    if request.method == "POST":
        return _search(request)
    now = timezone.now()
    view = views.BY_KEY.get(request.GET.get("view", ""), views.VIEWS[0])
    found, searched = _searched(request)
    reader = frame.signed_in(request)
    apart = apart_from(reader.pk, reader.email)
    base: PrivacyRequestQuerySet = (view.rows(now) if found is None else found).without(apart)
    asked = QueueFilter(request.GET, queryset=base.select_related("case", "assignee"))
    order, descending = (view.order, view.descending) if found is None else ("due_on", True)
    page = paging.page(asked.qs, request.GET, order, descending=descending)
    counts = views.counts(now, reader, apart)
    saved = [
        {
            "url": f"?view={one.key}",
            "label": one.label,
            "current": found is None and one is view,
            "count": views.shown(counts[one.key]) if one.counted else "",
        }
        for one in views.VIEWS
    ]
    unread = Intake.objects.filter(status=IntakeStatus.QUARANTINED)[: views.COUNT_TO]
    appeals = Appeal.objects.open().exclude(request__case__in=apart)
    context = {
        "views": saved,
        "view": view,
        "filter": asked,
        "lines": rows.lines(page.rows),
        "page": page,
        "searched": searched,
        "search": SearchForm(auto_id="search_%s"),
        "incoming": views.shown(unread.count()),
        "appeals": views.shown(appeals[: views.COUNT_TO].count()),
        "late_appeals": Appeal.objects.open()
        .exclude(request__case__in=apart)
        .filter(by_law(now, "regime", due_on__lt=TODAY))
        .exists(),
        "to_post": views.shown(post.waiting().exclude(case__in=apart)[: views.COUNT_TO].count()),
        "clear_url": f"?{urlencode({'view': view.key})}",
    }
    return frame.page(request, "desk/queue.html", "queue", context)


def _search(request: HttpRequest) -> HttpResponse:
    form = SearchForm(request.POST)
    text = form.cleaned_data["words"].strip() if form.is_valid() else ""
    back = reverse("desk_queue")
    index = search.index_of(text)
    if index:
        return redirect(f"{back}?{urlencode({'who': search.remember(request, index)})}")
    prefix = search.reference_prefix(text)
    if not prefix:
        if text:
            messages.warning(request, _("Please enter a reference (RD-…) or a whole e-mail address."))
        return redirect(back)
    only = PrivacyRequest.objects.filter(case__in=search.cases_of(prefix)).values_list("pk", flat=True)[:2]
    if len(only) == 1:
        return redirect("desk_request", pk=only[0])
    return redirect(f"{back}?{urlencode({'ref': prefix})}")


def _searched(request: HttpRequest) -> tuple[PrivacyRequestQuerySet | None, str]:
    """The rows that a search names, and its words for the page; None where nothing was searched for."""
    if prefix := search.reference_prefix(request.GET.get("ref", "")):
        return PrivacyRequest.objects.filter(case__in=search.cases_of(prefix)), prefix
    if name := request.GET.get("who", ""):
        index = search.recall(request, name)
        if not index:
            return PrivacyRequest.objects.none(), _("an address that is no longer remembered; please search again")
        return PrivacyRequest.objects.filter(case__email_index=index), _("the address you entered")
    return None, ""
