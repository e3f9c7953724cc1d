"""What every page knows."""

from typing import Any

from django.conf import settings
from django.http import HttpRequest


def company(_request: HttpRequest) -> dict[str, Any]:
    """The company's name and privacy address, and whether this is a development machine."""
    return {"company": settings.COMPANY_NAME, "privacy_email": settings.PRIVACY_EMAIL, "development": settings.DEBUG}
