"""Is the house in order? For load balancers and monitoring; nothing personal."""

from collections.abc import Callable
from typing import Any

import redis
from django.core.exceptions import ImproperlyConfigured
from django.db import DatabaseError, connection
from django.http import HttpRequest, JsonResponse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from dsar import bell, guards, keys
from dsar.checks import missing_press
from dsar.models import Message
from dsar.notices import MessageStatus

OUTBOX_LATE_SECONDS = 15 * 60


def _database() -> str:
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
    return ""


def _guards() -> str:
    absent = guards.missing()
    return f"missing: {', '.join(absent)}" if absent else ""


def _keys() -> str:
    try:
        keys.ring()
    except ImproperlyConfigured:
        return "missing or malformed"
    return ""


def _broker() -> str:
    try:
        bell.client().ping()
    except (redis.RedisError, OSError):
        return "unreachable"
    return ""


# Without these nothing may be taken in or carried out. The broker only rings the bell: without it, requests are
# still received, so a web server stays in service and says what is wrong.
VITAL: dict[str, Callable[[], str]] = {"database": _database, "guards": _guards, "keys": _keys}


@never_cache
@require_safe
def health(request: HttpRequest) -> JsonResponse:
    """200 with "ok" or "degraded" (broker, late mail, no PDFs), 503 with "failing" where the house must not work."""
    checks: dict[str, str] = {}
    for name, check in VITAL.items():
        try:
            checks[name] = check() or "ok"
        except DatabaseError as error:
            checks[name] = type(error).__name__
    failing = any(answer != "ok" for answer in checks.values())
    checks["broker"] = _broker() or "ok"
    missing = missing_press()
    checks["paper"] = f"missing: {missing}" if missing else "ok"
    facts: dict[str, Any] = {"checks": checks}
    try:
        age = _oldest_due_seconds()
    except DatabaseError as error:
        checks["outbox"] = type(error).__name__
    else:
        facts["outbox_oldest_due_seconds"] = age
        checks["outbox"] = "late" if age > OUTBOX_LATE_SECONDS else "ok"
    facts["problems"] = sorted(name for name, answer in checks.items() if answer != "ok")
    facts["status"] = "failing" if failing else "degraded" if facts["problems"] else "ok"
    return JsonResponse(facts, status=503 if failing else 200)


def _oldest_due_seconds() -> int:
    """How long the message that waits longest has been due, in seconds; 0 where none is."""
    now = timezone.now()
    oldest = (
        Message.objects.filter(status=MessageStatus.QUEUED, due_at__lte=now)
        .order_by("due_at")
        .values_list("due_at", flat=True)
        .first()
    )
    return int((now - oldest).total_seconds()) if oldest else 0
