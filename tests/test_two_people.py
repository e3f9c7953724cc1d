"""What takes two people: the rule of the second person, and where it stands."""

from datetime import UTC, datetime, timedelta

import pytest
from django.utils import timezone

from accounts.models import Role
from dsar.enums import DecisionKind, SecondLook, State
from dsar.fulfilment import control
from dsar.models import REQUESTER, Actor, AuditEvent, Decision, Message, PrivacyRequest
from dsar.models.two_people import second_look
from dsar.notices import Notice
from dsar.notifications import compose
from dsar.workflow import Forbidden, move
from tests import drive
from tests.drive import Route

pytestmark = pytest.mark.usefixtures("own_journal")


def texts_of(message: Message) -> list[str]:
    """A letter in every form in which it leaves or is read again."""
    mail = compose.mail(message)
    return [str(mail.body), str(mail.alternatives[0][0]), *mail.letter.values()]


def again(actor: Actor, fresh_at: datetime | None) -> Actor:
    """The same colleague, signed in (again) at a moment."""
    return Actor(actor.kind, actor.user_id, actor.role, fresh_at)


def test_the_second_person_is_another_one_or_the_same_freshly_on_a_later_day(route: Route, settings: object) -> None:
    now = timezone.now()
    me, fresh = again(route.approver, None), again(route.approver, now - timedelta(minutes=1))
    stale = again(route.approver, now - timedelta(hours=1))
    mine, theirs = (me.user_id, now - timedelta(days=1)), (route.handler.user_id, now)
    assert second_look([], me) == second_look([theirs], me) == second_look([(None, now)], me) == SecondLook.ANOTHER
    # As shipped a day and a password change nothing.
    assert settings.TEAM_OF_ONE is False  # type: ignore[attr-defined]
    assert {second_look([mine, theirs], who) for who in (me, fresh, stale)} == {SecondLook.SOMEBODY_ELSE}
    settings.TEAM_OF_ONE = True  # type: ignore[attr-defined]
    assert second_look([mine], fresh) == SecondLook.ALONE
    assert second_look([mine, (me.user_id, now)], fresh) == SecondLook.TOO_SOON, "the last of my decisions counts"
    assert second_look([mine], me) == second_look([mine], stale) == SecondLook.STALE
    assert [look for look in SecondLook if look.counts] == [SecondLook.ANOTHER, SecondLook.ALONE]


def test_the_next_day_begins_in_the_zone_of_the_company(route: Route, settings: object, monkeypatch: object) -> None:
    settings.TEAM_OF_ONE = True  # type: ignore[attr-defined]
    now = datetime(2026, 3, 2, 0, 30, tzinfo=UTC)
    monkeypatch.setattr("dsar.models.two_people.timezone.now", lambda: now)  # type: ignore[attr-defined]
    me, before = again(route.approver, now), [(route.approver.user_id, now - timedelta(hours=2))]
    for zone, look in (
        ("UTC", SecondLook.ALONE),
        ("America/New_York", SecondLook.TOO_SOON),
        ("Asia/Tokyo", SecondLook.TOO_SOON),
    ):
        with timezone.override(zone):
            assert second_look(before, me) == look, zone


def approved(route: Route, at: datetime) -> PrivacyRequest:
    """A deletion that this approver approved in review at a moment, and that its person has confirmed since."""
    request = route.review()
    move(request.pk, "approve", actor=route.approver)
    Decision.objects.create(
        request=request, kind=DecisionKind.APPROVE, decided_by_id=route.approver.user_id, decided_at=at
    )
    drive.freeze(request)
    return move(request.pk, "confirm", actor=REQUESTER, quiet=timedelta(0))


def test_law_04_who_approved_a_deletion_does_not_release_it(route: Route) -> None:
    request = approved(route, timezone.now() - timedelta(days=3))
    for release in (
        lambda: control.release(request.pk, actor=route.approver),
        lambda: move(request.pk, "release", actor=route.approver),
    ):
        with pytest.raises(Forbidden):
            release()
    assert drive.fresh(request.pk).state == State.RELEASING
    other = drive.person_of_the_desk(Role.APPROVER)
    assert control.release(request.pk, actor=other).state == State.FULFILLING
    assert not request.decisions.filter(same_person=True).exists()


def test_a_team_of_one_releases_on_a_later_day_and_letter_and_trail_say_so(route: Route, settings: object) -> None:
    settings.TEAM_OF_ONE = True  # type: ignore[attr-defined]
    fresh = again(route.approver, timezone.now())
    today = approved(route, timezone.now())
    with pytest.raises(Forbidden):
        control.release(today.pk, actor=fresh)
    request = approved(route, timezone.now() - timedelta(days=1))
    with pytest.raises(Forbidden):
        control.release(request.pk, actor=route.approver)
    control.release(request.pk, actor=fresh)
    assert request.decisions.get(kind=DecisionKind.RELEASE).same_person
    event = AuditEvent.objects.get(chain=request.case.chain, what="release")
    assert event.details["same_person"] is True
    for one, said in ((request, True), (today, False)):
        held = drive.fresh(one.pk)
        letter = Message.objects.create(case=held.case, request=held, notice=Notice.DONE_ERASED)
        found = ["by the same person, on different days" in text for text in texts_of(letter)]
        assert found == [said, said, False, said, said], "in all but the subject"
