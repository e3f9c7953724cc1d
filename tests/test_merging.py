"""Merging what was asked twice: one request answers both, in the time that the earlier one had (law 14)."""

from datetime import timedelta

import pytest
from django.utils import timezone

from dsar import audit, deadlines
from dsar.enums import Outcome, Right, State
from dsar.models import REQUESTER, Case, PrivacyRequest
from dsar.review import decide
from dsar.workflow import Conflict, move
from tests import drive

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("own_journal")]
ADDRESS = "twice@example.com"


def asked(days_ago: int, right: str = Right.ACCESS, *, proven: bool) -> PrivacyRequest:
    """A request of ADDRESS that came some days ago; unsorted ones stand in TRIAGE."""
    case = drive.a_case(ADDRESS, right)
    if proven:
        case = drive.proven_by_link(case)
    request = Case.objects.get(pk=case.pk).requests.get()
    at = timezone.now() - timedelta(days=days_ago)
    dates = deadlines.dates(case.regime, request.right, at)
    PrivacyRequest.objects.filter(pk=request.pk).update(
        received_at=at, due_on=dates.due_on, target_on=dates.target_on
    )  # fmt: skip
    return drive.fresh(request.pk)


@pytest.mark.parametrize("extended", [False, True])
def test_law_14_a_merger_keeps_the_earlier_date(db: None, extended: bool) -> None:
    handler = drive.person_of_the_desk("handler")  # type: ignore[arg-type]
    mail, form = asked(20, "", proven=False), asked(1, proven=True)
    if extended:
        dates = deadlines.dates(form.case.regime, form.right, form.received_at, extended=True)
        PrivacyRequest.objects.filter(pk=form.pk).update(
            extended_at=timezone.now(), original_due_on=form.due_on, due_on=dates.due_on, target_on=dates.target_on
        )
    assert decide.merge(mail.pk, actor=handler).outcome == Outcome.MERGED
    kept = drive.fresh(form.pk)
    expected = deadlines.dates(form.case.regime, form.right, mail.received_at, extended=extended)
    assert (kept.received_at, kept.due_on, kept.target_on) == (mail.received_at, expected.due_on, expected.target_on)
    if extended:
        assert kept.original_due_on == deadlines.dates(form.case.regime, form.right, mail.received_at).due_on
    assert not kept.is_ended
    assert audit.verify() == []


def test_law_14_a_merger_into_what_came_first_changes_no_date(db: None) -> None:
    form, mail = asked(20, proven=True), asked(1, "", proven=False)
    decide.merge(mail.pk, actor=drive.person_of_the_desk("handler"))  # type: ignore[arg-type]
    kept = drive.fresh(form.pk)
    assert (kept.received_at, kept.due_on) == (form.received_at, form.due_on)


def test_law_15_what_ends_meanwhile_answers_nobody_else(db: None, monkeypatch: pytest.MonkeyPatch) -> None:
    form, mail = asked(3, proven=True), asked(1, "", proven=False)
    pick = decide.twin_of

    def picked(request: PrivacyRequest) -> PrivacyRequest | None:
        found = pick(request)
        move(form.pk, "withdraw", actor=REQUESTER)
        return found

    monkeypatch.setattr(decide, "twin_of", picked)
    with pytest.raises(Conflict):
        decide.merge(mail.pk, actor=drive.person_of_the_desk("handler"))  # type: ignore[arg-type]
    assert drive.fresh(mail.pk).state == State.TRIAGE
