"""An exception that must be weighed holds only once a person has: until then nobody approves a plan that rests on it."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
import yaml
from django.conf import settings as configured
from django.utils import timezone

from accounts.models import Role
from dsar.desk.keeping_forms import WeighForm
from dsar.enums import DecisionKind, State
from dsar.fulfilment import control, locating, runner, weighing
from dsar.models import Actor, AuditEvent, PrivacyRequest, Weighing
from dsar.review import decide, holds, laws
from dsar.verification import confirmation
from dsar.workflow import Conflict, Forbidden, Invalid
from tests import drive, house
from tests.drive import CAST
from tests.fulfilment.released import body_of, soon

pytestmark = pytest.mark.usefixtures("company", "own_journal")

PLACE = ("platform", "security", "SECURITY_LOGS")


@pytest.fixture
def unweighed_map(settings: object, tmp_path: Path) -> Iterator[None]:
    """The company has not weighed why it keeps its security logs."""
    data = yaml.safe_load(Path(configured.DATA_MAP).read_text())
    del data["sources"]["platform"]["tables"]["security_logs"]["retention"][0]["weighed"]
    path = tmp_path / "map.yaml"
    path.write_text(yaml.safe_dump(data))
    settings.DATA_MAP = path  # type: ignore[attr-defined]
    yield


def in_review(address: str = CAST.plain) -> PrivacyRequest:
    request = drive.by_web(address)
    drive.proven_by_link(request.case)
    locating.drain()
    found = drive.fresh(request.pk)
    assert (found.state, found.judgement) == (State.REVIEW, ["weigh"])
    return found


def carried_out(request: PrivacyRequest, approver: Actor) -> PrivacyRequest:
    plan = confirmation.current_plan(request)
    assert plan is not None
    confirmation.confirm(request.pk, plan.digest)
    runner.drain_closing()
    control.release(request.pk, actor=drive.person_of_the_desk(Role.APPROVER, "second"))
    drive.carry_out()
    done = drive.fresh(request.pk)
    assert done.state == State.COMPLETED, (done.state, done.attention)
    return done


def test_law_06_what_must_be_weighed_keeps_nothing_before_a_person_has_weighed_it(
    unweighed_map: None, approver: Actor, handler: Actor
) -> None:
    request = in_review()
    [item] = weighing.open_places(request)
    assert (item["source"], item["category"], item["code"], item["citation"]) == (*PLACE, "")
    for verb in (lambda: decide.approve(request.pk, actor=approver), lambda: drive.refuse(
        request.pk, "EXEMPT", "All of it is exempt.", actor=approver
    )):  # fmt: skip
        with pytest.raises(Invalid, match="nobody has weighed"):
            verb()
    said = {"holds": True, "code": "SECURITY_LOGS", "review_on": soon(), "text": "Attacks are traced by them."}
    with pytest.raises(Forbidden):
        weighing.weigh(request.pk, PLACE, **said, actor=handler)  # type: ignore[arg-type]
    for wrong in ({"text": " "}, {"code": "CA_SECURITY"}, {"review_on": None}, {"review_on": timezone.localdate()}):
        with pytest.raises(Invalid):
            weighing.weigh(request.pk, PLACE, **{**said, **wrong}, actor=approver)  # type: ignore[arg-type]
    with pytest.raises(Conflict):
        weighing.weigh(request.pk, ("platform", "prompts", ""), **said, actor=approver)  # type: ignore[arg-type]
    assert not Weighing.objects.exists()

    weighing.weigh(request.pk, PLACE, **said, actor=approver)  # type: ignore[arg-type]

    weighed = drive.fresh(request.pk)
    assert weighed.judgement == []
    [kept] = [item for item in body_of(weighed)["items"] if item["category"] == "security" and item["action"] == "keep"]
    row = Weighing.objects.get()
    assert (kept["code"], kept["citation"]) == ("SECURITY_LOGS", row.citation) == (row.code, "GDPR Art 17(1)(a), Art 6(1)(f), Recital 49")  # fmt: skip
    assert kept["until"], "its own period still ends it"
    assert (row.decision.kind, row.decision.decided_by_id) == (DecisionKind.WEIGHED, approver.user_id)
    assert weighed.case.unseal(row.decision.text_sealed, "decision") == "Attacks are traced by them."
    event = AuditEvent.objects.get(what="weighed")
    assert event.details == {"code": "SECURITY_LOGS", "source": "platform", "category": "security", "holds": True}
    assert decide.approve(request.pk, actor=approver).state == State.CONFIRMING
    # What was weighed stands when the workers look afresh before they erase.
    request = carried_out(weighed, approver)
    assert [line.code for line in request.kept.filter(category="security")] == ["SECURITY_LOGS"]


def test_a_reason_that_does_not_hold_keeps_nothing(unweighed_map: None, approver: Actor) -> None:
    request = in_review()
    user = house.user_id(CAST.plain)
    assert house.rows("security_logs", user_id=user)
    weighing.weigh(request.pk, PLACE, holds=False, code="", review_on=None, text="Nobody needs them.", actor=approver)
    decide.approve(request.pk, actor=approver)
    done = carried_out(drive.fresh(request.pk), approver)
    assert not house.rows("security_logs", user_id=user)
    assert not done.kept.filter(category="security").exists()


def test_a_hold_and_a_narrowing_by_such_a_ground_need_the_weighing_too(approver: Actor) -> None:
    review = timezone.localdate() + timedelta(days=90)
    with pytest.raises(Invalid, match="only once it was weighed"):
        holds.place(CAST.plain, "EU_EXPRESSION", review, actor=approver)
    hold = holds.place(CAST.plain, "EU_EXPRESSION", review, actor=approver, weighed="A newspaper quotes them.")
    assert b"newspaper" not in bytes(hold.note_sealed or b"")
    assert holds.weighing_of(hold) == "A newspaper quotes them."
    holds.lift(hold.pk, actor=approver)

    request = drive.confirmed()
    keep = {("platform", "prompts")}
    with pytest.raises(Invalid, match="only once it was weighed"):
        drive.narrow(request.pk, keep, "EU_EXPRESSION", "A newspaper quotes it.", actor=approver)
    drive.narrow(
        request.pk,
        keep,
        "EU_EXPRESSION",
        "A newspaper quotes it.",
        weighed="Against …",
        review_on=review,
        actor=approver,
    )
    row = Weighing.objects.get()
    assert (row.source, row.category, row.code, row.review_on) == ("platform", "prompts", "EU_EXPRESSION", review)
    assert row.decision.second_by_id == approver.user_id
    assert row.decision.decided_by_id not in (None, approver.user_id)


def test_law_06_what_was_weighed_under_another_law_is_weighed_anew(
    settings: object, tmp_path: Path, approver: Actor, handler: Actor
) -> None:
    """A security exception that California knows is none in the EU: once the EU's law applies, nobody approves by it, and
    the page says why it is asked anew."""
    data = yaml.safe_load(Path(configured.DATA_MAP).read_text())
    [rule] = data["sources"]["platform"]["tables"]["security_logs"]["retention"]
    rule["code"] = "BR_ART16"
    path = tmp_path / "map.yaml"
    path.write_text(yaml.safe_dump(data))
    settings.DATA_MAP = path  # type: ignore[attr-defined]
    request, place = in_review(), ("platform", "security", "BR_ART16")
    laws.change(request.pk, "us_ca_ccpa", "You live in California.", actor=handler)
    locating.drain()
    said = {"holds": True, "review_on": soon(), "text": "Nobody is harmed by it.", "actor": approver}
    weighing.weigh(request.pk, place, code="CA_INTERNAL_EXPECTED", **said)  # type: ignore[arg-type]
    assert weighing.open_places(drive.fresh(request.pk)) == []

    laws.change(request.pk, "eu_gdpr", "You live in Germany.", actor=handler)
    locating.drain()
    again = drive.fresh(request.pk)
    assert (again.state, "weigh" in again.judgement) == (State.REVIEW, True)
    [item] = weighing.open_places(again)
    assert (item["source"], item["category"], item["code"], item["citation"]) == (*place, "")
    with pytest.raises(Invalid, match="nobody has weighed"):
        decide.approve(request.pk, actor=approver)
    [(_value, words)] = WeighForm(again, "weigh", plan=body_of(again)).fields["place"].choices  # type: ignore[attr-defined]
    assert "Expected internal use" in words and "GDPR does not know" in words
    weighing.weigh(request.pk, place, code="SECURITY_LOGS", **said)  # type: ignore[arg-type]
    assert decide.approve(request.pk, actor=approver).state == State.CONFIRMING
