"""What a colleague types who files a letter or a call."""

from datetime import timedelta
from typing import Any

from django.urls import reverse

from accounts.models import Role
from dsar.demo.cast import CAST
from dsar.intake import filing, web
from dsar.models import PrivacyRequest
from tests.desk import scenes

POSTAL = "Adalin Merefield\nLindenweg 4\n10115 Berlin"
SAID = "I have no computer. Please tell me in writing what you know about me."


def typed(days: int = 3, **given: Any) -> dict[str, Any]:
    """The form of a letter from somebody without a mailbox, which came some days ago."""
    came_on = (filing.today() - timedelta(days=days)).isoformat()
    return {
        "number": web.new_number(), "channel": "post", "came_on": came_on, "rights": ["know"], "statement": SAID,
        "acts_as": "self", "own_name": "", "own_email": "", "name": "Adalin Merefield", "email": CAST.plain, "answer": "post", "postal": POSTAL,
        "country": "DE", "language": "en-gb", **given,
    }  # fmt: skip


def send(role: str = Role.HANDLER, **given: Any) -> Any:
    """Over HTTP, as that role."""
    return scenes.browser(role).post(reverse("desk_file"), typed(**given))


def a_letter(**given: Any) -> PrivacyRequest:
    """Filed; returns its (first) request."""
    response = send(**given)
    assert response.status_code == 302, response.context["form"].errors
    return PrivacyRequest.objects.select_related("case").get(pk=int(response.url.rstrip("/").rpartition("/")[2]))
