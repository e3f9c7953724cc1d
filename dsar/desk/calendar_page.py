"""The dates of the desk in a colleague's calendar: the address to subscribe to, and what a calendar program fetches."""

from collections.abc import Iterator
from typing import Final

from django.conf import settings
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone, translation
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from accounts.models import User
from dsar.desk import frame, ics
from dsar.models import Appeal, CalendarFeed, PrivacyRequest
from dsar.models.apart import apart_from
from dsar.review import calendars

MOST: Final = 2000


@never_cache
@require_safe
def page(request: HttpRequest) -> HttpResponse:
    """Whether there is a calendar, and how to have one."""
    return _page(request)


@never_cache
@require_POST
def renew(request: HttpRequest) -> HttpResponse:
    """Make an address, which is shown on this very page and never again; an older one ends."""
    token = calendars.renew(actor=frame.actor_of(request))
    return _page(request, settings.BASE_URL + reverse("desk_calendar_feed", args=[token]))


@require_POST
def end(request: HttpRequest) -> HttpResponse:
    """End it: the address opens nothing any more."""
    calendars.end(actor=frame.actor_of(request))
    messages.success(request, _("Your calendar address is ended."))
    return redirect("desk_calendar")


def _page(request: HttpRequest, address: str = "") -> HttpResponse:
    known = CalendarFeed.objects.of(frame.signed_in(request).pk).first()
    return frame.page(request, "desk/calendar.html", "calendar", {"feed": known, "address": address})


@never_cache
@require_safe
def feed(request: HttpRequest, token: str) -> HttpResponse:
    """The calendar itself. Whatever is wrong with the address, the answer is the same: there is nothing here."""
    found = CalendarFeed.objects.of_token(token)
    if found is None:
        raise Http404
    with translation.override(found.user.language or settings.LANGUAGE_CODE):
        name = str(_("Privacy requests of %(company)s")) % {"company": settings.COMPANY_NAME}
        text = ics.calendar(name, _days(found.user), timezone.now())
    answer = HttpResponse(text, content_type="text/calendar; charset=utf-8")
    answer["Content-Disposition"] = 'inline; filename="rightsdesk.ics"'
    return answer


def _days(user: User) -> Iterator[ics.Day]:
    """Our target and the law's date of each open request of this colleague's work: reference, right, and a link."""
    found = PrivacyRequest.objects.worked_on_by(user).without(apart_from(user.pk)).select_related("case")
    domain = settings.PRIVACY_EMAIL.rpartition("@")[2]
    for one in found[:MOST]:
        link = settings.BASE_URL + reverse("desk_request", args=[one.pk])
        kinds = [("target", _("our target"), one.target_on), ("legal", _("answer due"), one.legal_date)]
        for kind, label, day in kinds:
            if day is not None:
                summary = f"{one.case.reference} · {one.title}: {label}"
                said = "\n".join([f"{one.get_state_display()} · {label}: {date_format(day)}", link])
                yield ics.Day(f"{one.uid}-{kind}@{domain}", day, summary, said, link)
    yield from _days_of_appeals(user, domain)


def _days_of_appeals(user: User, domain: str) -> Iterator[ics.Day]:
    """The same of what is looked at again."""
    found = (
        Appeal.objects.worked_on_by(user).exclude(request__case__in=apart_from(user.pk)).select_related("request__case")
    )
    for one in found[:MOST]:
        link = settings.BASE_URL + reverse("desk_appeal", args=[one.pk])
        for kind, label, day in (("target", _("our target"), one.target_on), ("legal", _("answer due"), one.due_on)):
            summary = f"{one.request.case.reference} · {one.get_kind_display()}: {label}"
            said = "\n".join([f"{label}: {date_format(day)}", link])
            yield ics.Day(f"{one.request.uid}-appeal-{one.pk}-{kind}@{domain}", day, summary, said, link)
