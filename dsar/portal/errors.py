"""Errors that explain themselves."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """The form's protection did not match: the page was open too long, or cookies are off."""
    return render(request, "403_csrf.html", status=403)
