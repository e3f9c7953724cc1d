"""What the desk shows where a second person has to look: why a button is missing, and who can."""

from datetime import timedelta

from bs4 import BeautifulSoup
from django.utils import timezone

from accounts.models import Role
from dsar.enums import DecisionKind, State
from dsar.models import Decision, PrivacyRequest
from tests.desk import scenes
from tests.desk.pages import offered, send, typed, url


def approved_by(number: int, days_ago: int = 0) -> PrivacyRequest:
    """A deletion that one approver let pass in review, confirmed since."""
    request = scenes.releasing()
    at = timezone.now() - timedelta(days=days_ago)
    Decision.objects.create(
        request=request, kind=DecisionKind.APPROVE, decided_by_id=scenes.actor(number=number).user_id, decided_at=at
    )
    return request


def panel(request: PrivacyRequest, number: int) -> str:
    """What stands under the next step for this approver."""
    page = scenes.browser(Role.APPROVER, number).get(url(request))
    return str(BeautifulSoup(page.content, "html.parser").select_one("section.next"))


def test_who_approved_it_reads_why_they_cannot_release_it_and_who_can(company: None) -> None:
    request = approved_by(0)
    assert "an administrator to add one" in panel(request, 0)
    scenes.person(Role.APPROVER, 1)
    assert "Somebody else has to take this one. They can: Approver 1." in panel(request, 0)
    assert "release" not in offered(scenes.browser(Role.APPROVER, 0).get(url(request)))
    refused = send(request, "release", number=0, **typed(request))
    assert (refused.status_code, scenes.fresh(request).state) == (403, State.RELEASING)
    assert "They can: Approver 1." in refused.content.decode()
    assert send(request, "release", number=1, **typed(request)).status_code == 302
    assert scenes.fresh(request).state == State.FULFILLING


def test_a_team_of_one_gives_the_password_anew_and_releases_the_next_day(company: None, settings: object) -> None:
    settings.TEAM_OF_ONE = True  # type: ignore[attr-defined]
    assert "from tomorrow on" in panel(approved_by(0), 0)
    request = approved_by(0, days_ago=1)
    again = BeautifulSoup(panel(request, 0), "html.parser").select_one("a")
    assert again is not None
    assert again["href"] == f"/accounts/reauthenticate/?next=%2Fdesk%2Frequests%2F{request.pk}%2F"
    client, user = scenes.browser(Role.APPROVER, 0), scenes.person(Role.APPROVER, 0)
    user.set_password("a long password for today")
    user.save()
    client.force_login(user, "allauth.account.auth_backends.AuthenticationBackend")
    wrong = client.post(str(again["href"]), {"password": "another one altogether", "next": url(request)})
    assert wrong.status_code == 200
    assert "release" not in offered(client.get(url(request)))
    assert client.post(str(again["href"]), {"password": "a long password for today", "next": url(request)})[
        "Location"
    ] == url(request)
    assert "release" in offered(client.get(url(request)))
    assert client.post(url(request, "release"), typed(request)).status_code == 302
    assert scenes.fresh(request).state == State.FULFILLING
