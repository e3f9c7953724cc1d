"""What was refused is there while its refusal can be reviewed: a deletion that comes meanwhile is a person's to look at."""

from datetime import datetime, time, timedelta
from html import unescape

import pytest
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format

from accounts.models import Role
from dsar import clock_book, clock_events
from dsar.enums import Outcome, Right, State
from dsar.fulfilment import control, locating, recourse
from dsar.law import regimes
from dsar.models import PrivacyRequest
from dsar.review import holds
from dsar.workflow import Invalid
from tests import drive
from tests.desk import scenes
from tests.drive import CAST
from tests.remedies import under

pytestmark = pytest.mark.usefixtures("company", "own_journal")


def refused(law: str, address: str = CAST.plain) -> PrivacyRequest:
    """A copy that was refused under a law."""
    request = under(drive.by_web(address, Right.ACCESS), law)
    drive.proven_by_link(request.case)
    locating.drain()
    approver = drive.person_of_the_desk(Role.APPROVER)
    drive.refuse(request.pk, "OUT_OF_SCOPE", "It is not about you.", actor=approver)
    return drive.fresh(request.pk)


def wanted(address: str = CAST.plain) -> PrivacyRequest:
    """A deletion in a case of its own, proven and located."""
    request = drive.by_web(address)
    drive.proven_by_link(request.case)
    locating.drain()
    return drive.fresh(request.pk)


@pytest.mark.parametrize(
    ("law", "stays", "for_days"),
    [("sg_pdpa", True, 30), ("ca_pipeda", True, 0), ("ca_qc_law25", True, 0), ("eu_gdpr", False, 0)],
)
def test_a_deletion_does_not_destroy_what_a_review_is_about(law: str, stays: bool, for_days: int) -> None:
    copy = refused(law)
    request = wanted()
    assert (request.state, recourse.REFUSED_BEFORE in request.judgement) == (
        (State.REVIEW, True) if stays else (State.CONFIRMING, False)
    )
    page = unescape(scenes.browser(Role.APPROVER).get(reverse("desk_request", args=[request.pk])).content.decode())
    assert ("Refused before" in page) == stays
    assert not stays or (copy.case.reference in page and regimes.load(law).records.citation in page)
    dates = {one.kind: one.date for one in clock_book.of(copy).entries}
    assert bool(dates.get("refused_copy")) == bool(for_days)
    if last := dates.get("refused_copy"):
        assert f"kept until {date_format(last)}" in page
        assert (last - clock_events.today(copy, copy.ended_at)).days >= for_days
    for days, there in ((for_days, stays), (for_days + 5, stays and not for_days)):
        assert bool(recourse.standing(request, timezone.now() + timedelta(days=days))) == there, days
    assert wanted(CAST.neighbour).judgement == [], "nobody else's"


def test_what_was_refused_after_the_confirmation_is_named_before_anything_goes() -> None:
    request = drive.confirmed()
    refused("sg_pdpa")
    second = drive.person_of_the_desk(Role.APPROVER, "second")
    with pytest.raises(Invalid, match=r"kept until .* \(PDPA, PDPA s.22A"):
        control.release(request.pk, actor=second)
    stopped = drive.fresh(request.pk)
    assert (stopped.state, stopped.judgement) == (State.RELEASING, [recourse.REFUSED_BEFORE])
    holds.place(CAST.plain, "EU_LEGAL_OBLIGATION", timezone.localdate() + timedelta(days=30), actor=second)
    assert control.release(request.pk, actor=second).state == State.FULFILLING


def test_what_a_law_asks_besides_the_answer_stands_among_the_dates(db: None) -> None:
    """Not to be asked to opt in again for twelve months (California); passed on within ten working days (New Zealand)."""
    choice = drive.a_request(right=Right.OPT_OUT_SALE, country="US", region="CA")
    assert "reoffer" not in {one.kind for one in clock_book.of(choice).entries}
    choice.outcome, choice.ended_at = (
        Outcome.GRANTED,
        timezone.make_aware(datetime.combine(timezone.localdate(), time(12))),
    )
    [again] = [one for one in clock_book.of(choice).entries if one.kind == "reoffer"]
    assert again.date is not None and again.date > choice.ended_at.date() + timedelta(days=364)
    assert again.citation == "Cal. Civ. Code 1798.135(c)(4)"
    request = under(drive.a_request(right=Right.ACCESS), "nz_privacy")
    [passed_on] = [one for one in clock_book.of(request).entries if one.kind == "transfer"]
    assert passed_on.citation == "Privacy Act 2020 s.43" and passed_on.remark
    assert "transfer" not in {one.kind for one in clock_book.of(under(request, "eu_gdpr")).entries}
