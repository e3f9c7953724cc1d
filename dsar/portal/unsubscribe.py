"""The page behind a newsletter's unsubscribe link, and the one click of a mail program (RFC 8058)."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from dsar import keys
from dsar.intake import unsubscribe as intake


@csrf_exempt
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def unsubscribe(request: HttpRequest, token: str) -> HttpResponse:
    """GET shows one button and changes nothing: mail scanners open links. POST unsubscribes, with no cookie, no sign-in
    and no redirect, as mail programs send it (RFC 8058, section 3.2). Whether we know the address shows nowhere.

    Without protection against forged forms: whoever has the token may do just this, and doing it twice does nothing.
    """
    address = intake.address_in(token)
    if not address:
        return render(request, "portal/unsubscribe_unknown.html", status=404)
    facts = {"masked": keys.masked(address)}
    if request.method != "POST":
        return render(request, "portal/unsubscribe.html", facts)
    if request.POST.get("List-Unsubscribe") != "One-Click":
        return render(request, "portal/unsubscribe.html", facts, status=400)
    intake.file(token, address)
    return render(request, "portal/unsubscribed.html", facts)
