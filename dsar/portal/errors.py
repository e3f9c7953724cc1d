"""Errors that explain themselves."""

from django.core.exceptions import RequestDataTooBig, TooManyFieldsSent, TooManyFilesSent
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache

TOO_BIG = (RequestDataTooBig, TooManyFieldsSent, TooManyFilesSent)


@never_cache
def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Malformed (400) or too large (413, RFC 9110 15.5.14); nothing was changed."""
    too_big = isinstance(exception, TOO_BIG)
    return render(request, "portal/too_big.html" if too_big else "400.html", status=413 if too_big else 400)


@never_cache
def forbidden(request: HttpRequest, exception: Exception) -> HttpResponse:
    """This person's role does not include the page."""
    return render(request, "403.html", status=403)


@never_cache
def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    """No such page, or none for this person."""
    return render(request, "404.html", status=404)


@never_cache
def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """The form's protection did not match: the page was open too long, or cookies are off."""
    return render(request, "403_csrf.html", status=403)
