"""Nobody handles their own request, or that of somebody whom they are close to."""

import pytest
from django.db import transaction

from accounts.models import Role, User
from dsar import audit
from dsar.enums import Apart, Right
from dsar.models import Actor, LostMailbox, PrivacyRequest, Recusal, Representation, staff
from dsar.models.apart import apart_from, is_apart
from dsar.review import decide, holds, recuse
from dsar.workflow import Conflict, Forbidden, Invalid, move
from tests import drive
from tests.drive import Route

pytestmark = pytest.mark.usefixtures("own_journal")

ME = "ada.works.here@example.com"


@pytest.fixture
def me(db: None) -> Actor:
    return staff(User.objects.create_user(ME, role=Role.APPROVER))


def test_a_case_is_ones_own_by_its_mailbox_by_whoever_asks_and_by_the_new_address_of_a_lost_one(me: Actor) -> None:
    assert apart_from(me.user_id) == {}
    own = drive.a_case(ME.upper())
    asked_for = drive.a_case()
    held = Representation(case=asked_for, kind="agent")
    held.email_index = own.email_index
    held.save()
    lost = drive.a_case()
    LostMailbox.named(lost, ME, None).save(force_insert=True)
    stranger = drive.a_case()
    assert apart_from(me.user_id) == dict.fromkeys((own.pk, asked_for.pk, lost.pk), Apart.OWN)
    assert apart_from(None) == {}
    for case in (own, asked_for):
        assert is_apart(case, ME)
        assert not is_apart(case, "somebody@example.com")
    assert not is_apart(stranger, "")


def test_who_is_named_in_one_case_is_kept_apart_from_every_case_of_the_person(me: Actor, route: Route) -> None:
    address = "a.friend@example.com"
    known = drive.a_case(address)
    drive.proven_by_link(known)
    recuse.name(known.requests.get().pk, [me.user_id or 0], actor=route.approver)
    later = drive.a_request(address, Right.ACCESS)
    nobodys = PrivacyRequest.objects.due_for(User.objects.get(pk=me.user_id), drive.later(999).date())
    assert not nobodys.filter(case__in=[known, later.case]).exists()
    assert apart_from(me.user_id) == dict.fromkeys((known.pk, later.case_id), Apart.NAMED)
    with pytest.raises(Forbidden, match="named"):
        move(later.pk, "withdraw", actor=me)
    with pytest.raises(Forbidden):
        holds.place(address, "EU_LEGAL_CLAIMS", drive.later(30).date(), actor=me)
    assert len(recuse.standing(known.requests.get())) == 1
    recuse.end(known.requests.get().pk, Recusal.objects.get().pk, actor=route.approver)
    assert apart_from(me.user_id) == {}
    assert move(later.pk, "withdraw", actor=me).outcome == "withdrawn"


def test_the_trail_of_a_case_takes_no_deed_of_whoever_is_kept_apart(me: Actor) -> None:
    case = drive.a_case(ME)
    before = case.audit_length
    with pytest.raises(Forbidden, match="own"), transaction.atomic():
        audit.record(case, audit.Entry("anything_at_all", me))
    with transaction.atomic():
        audit.note_opening(drive.a_case(), "evidence_opened", me, None, 1)
    with pytest.raises(Forbidden), transaction.atomic():
        audit.note_opening(case, "evidence_opened", me, None, 1)
    # Writing down what came in loses nothing that was received (law 1).
    with transaction.atomic():
        audit.record(case, audit.Entry("filed", me))
    case.refresh_from_db()
    assert case.audit_length == before + 1
    assert audit.verify() == []


def test_oneself_one_may_always_name_and_others_while_somebody_is_left_to_decide(me: Actor, route: Route) -> None:
    request = route.review()
    for nobody in ([], [drive.person_of_the_desk(Role.ADMIN).user_id or 0], [0]):
        with pytest.raises(Invalid, match="at least one"):
            recuse.name(request.pk, nobody, actor=route.handler)
    approvers = [route.approver.user_id or 0, me.user_id or 0]
    with pytest.raises(Invalid, match="no approver is left"):
        recuse.name(request.pk, approvers, actor=route.handler)
    recuse.name(request.pk, approvers[:1], actor=route.handler)
    with pytest.raises(Forbidden):
        decide.approve(request.pk, actor=route.approver)
    recuse.name(request.pk, approvers[1:], actor=me)
    with pytest.raises(Forbidden):
        recuse.end(request.pk, Recusal.objects.get(user=me.user_id).pk, actor=me)
    third = drive.person_of_the_desk(Role.APPROVER)
    with pytest.raises(Conflict):
        recuse.end(request.pk, 0, actor=third)
    with pytest.raises(Forbidden):
        recuse.end(request.pk, Recusal.objects.get(user=me.user_id).pk, actor=route.handler)
    recuse.end(request.pk, Recusal.objects.get(user=me.user_id).pk, actor=third)
    assert decide.approve(request.pk, actor=me).state == "confirming"
    assert {one.user_id: one.named_by_id for one in Recusal.objects.all()} == {
        route.approver.user_id: route.handler.user_id, me.user_id: me.user_id,
    }  # fmt: skip
