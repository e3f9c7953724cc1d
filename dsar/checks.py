"""System checks: what is missing or misconfigured is said before anything starts."""

from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error
from django.core.checks import register as register_check
from django.core.exceptions import ImproperlyConfigured

from dsar import guards, keys


def check_keys(**_: Any) -> list[CheckMessage]:
    """The key ring can be read."""
    try:
        keys.ensure_development_keys()
        keys.ring()
    except ImproperlyConfigured as error:
        return [Error(str(error), id="rightsdesk.E001")]
    return []


def check_webhook_secret(**_: Any) -> list[CheckMessage]:
    """The inbound webhook is only there with a secret."""
    secret = settings.ANYMAIL.get("WEBHOOK_SECRET", "")
    if secret and ":" not in secret:
        return [
            Error("ANYMAIL_WEBHOOK_SECRET must be user:password (HTTP basic authentication).", id="rightsdesk.E002")
        ]
    return []


def register() -> None:
    """Called once when the app is ready."""
    register_check(check_keys)
    register_check(check_webhook_secret)


def require_all() -> None:
    """What web and workers call before they begin: keys and guards, or ImproperlyConfigured that says which is missing."""
    keys.ensure_development_keys()
    keys.ring()
    guards.require()
