"""Guardians, attorneys, estates: two approvers, every known address told, and the person's word against it."""

import random
from itertools import pairwise
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.models import Role
from dsar import audit
from dsar.enums import ContactBy, RepresentativeKind, Right, State, StepReason
from dsar.fulfilment import locating, runner
from dsar.models import REQUESTER, Actor, AuditEvent, AuthorityPaper, Case, Message, PrivacyRequest, Representation
from dsar.notices import Notice
from dsar.notifications import outbox
from dsar.portal import present
from dsar.review import decide
from dsar.verification import confirmation, links, representation
from dsar.workflow import Conflict, Forbidden, Invalid
from tests import drive
from tests.fulfilment import copies
from tests.house import CAST
from tests.locks import TABLES, locked

pytestmark = pytest.mark.usefixtures("own_journal")

OWN = "stands-for-them@example.net"
WORDS = "The order of the court, with its seal, checked by telephone."


def asked(kind: str = "guardian", right: str = Right.DELETION, address: str = CAST.plain) -> PrivacyRequest:
    """Somebody asks for somebody else by the web form."""
    return drive.by_web(address, right, acts_as=kind, own_name="Jorun Aske", own_email=OWN)


def case_of(request: PrivacyRequest) -> Case:
    """As the database has it now."""
    return Case.objects.get(pk=request.case_id)


def seen_by(request: PrivacyRequest, *people: Actor) -> Representation:
    """These people say that they saw the authority."""
    for one in people:
        representation.seen(case_of(request), WORDS, actor=one)
    held = representation.of(case_of(request))
    assert held is not None
    return held


def test_two_different_approvers_have_to_see_it(
    company: None, handler: Actor, approver: Actor, second_approver: Actor
) -> None:
    request = asked()
    with pytest.raises(Forbidden):
        seen_by(request, handler)
    with pytest.raises(Invalid):
        representation.seen(case_of(request), "  ", actor=approver)
    assert not seen_by(request, approver).stands
    with pytest.raises(Invalid, match="second approver"):
        seen_by(request, approver)
    assert case_of(request).contact == CAST.plain
    assert seen_by(request, second_approver).stands
    assert case_of(request).contact == OWN
    with pytest.raises(Conflict):
        seen_by(request, approver)
    assert audit.verify() == []


@pytest.mark.parametrize(
    "changed",
    [
        {"second_seen_by": "first", "second_seen_at": "now"}, {"second_seen_by": "other", "second_seen_at": None},
        {"first_seen_by": None, "first_seen_at": None, "second_seen_by": "other", "second_seen_at": "now"},
        {"may_follow": True}, {"may_receive": True},
        {"kind": "agent", "second_seen_by": "other", "second_seen_at": "now"},
        {"second_seen_by": "other", "second_seen_at": "now", "refused_at": "now"},
    ],
)  # fmt: skip
def test_the_database_itself_knows_the_rule(
    company: None, approver: Actor, second_approver: Actor, changed: dict[str, Any]
) -> None:
    request = asked()
    seen_by(request, approver)
    values = {"first": approver.user_id, "other": second_approver.user_id, "now": timezone.now()}
    named = {
        f"{name}_id" if name.endswith("_by") else name: values.get(value, value) for name, value in changed.items()
    }
    with pytest.raises(IntegrityError), transaction.atomic():
        Representation.objects.filter(case=request.case).update(**named)
    with pytest.raises(IntegrityError), transaction.atomic():
        Case.objects.filter(pk=request.case_id).update(contact_sealed=b"x")
    with pytest.raises(IntegrityError), transaction.atomic():
        Case.objects.filter(pk=request.case_id).update(contact_by=ContactBy.REPRESENTATIVE)


@pytest.mark.parametrize("kind", RepresentativeKind.values)
def test_who_stands_confirms_as_what_they_are_and_an_agent_never_does(
    company: None, approver: Actor, second_approver: Actor, kind: str
) -> None:
    request = asked(kind)
    old = drive.token_of(request.case)
    representation.attach(case_of(request), "order.pdf", b"%PDF-1.7 a paper", actor=REQUESTER)
    held = seen_by(request, approver, second_approver)
    paper = AuthorityPaper.objects.get()
    assert (paper.body, paper.destroyed_at) == (b"%PDF-1.7 a paper", None), "it stays for as long as the case"
    assert held.first_seen_at
    if kind == RepresentativeKind.AGENT:
        assert not held.stands
        assert case_of(request).contact == CAST.plain
        return
    assert held.case.unseal(held.first_words_sealed, "authority-first") == WORDS
    told = Message.objects.filter(case=request.case, notice=Notice.STANDS_FOR_YOU)
    assert [one.to for one in told] == [CAST.plain]
    with pytest.raises(links.Refused):
        links.prove_mailbox(old)
    locating.drain()
    verify = Message.objects.filter(case=request.case, notice=Notice.RECEIVED_VERIFY).latest("pk")
    assert verify.to == OWN
    drive.proven_by_link(case_of(request))
    locating.drain()
    decide.approve(request.pk, actor=approver)
    plan = drive.fresh(request.pk).plans.latest("version")
    confirmed = confirmation.confirm(request.pk, plan.digest)
    assert confirmed.state == State.RELEASING
    trail = AuditEvent.objects.filter(chain=request.case.chain)
    assert trail.get(what="confirm").details["as"] == kind
    assert trail.get(what="mailbox_proven").details["as"] == kind
    assert OWN not in str(list(trail.values_list("details", flat=True)))


def standing(approver: Actor, second_approver: Actor, right: str = Right.DELETION) -> PrivacyRequest:
    """A guardian who stands, with the mailbox proven and the data located."""
    request = asked(right=right)
    seen_by(request, approver, second_approver)
    drive.proven_by_link(case_of(request))
    locating.drain()
    return drive.fresh(request.pk)


def test_an_objection_ends_it_at_once_and_brings_it_to_two_people(
    company: None, approver: Actor, second_approver: Actor
) -> None:
    request = standing(approver, second_approver)
    decide.approve(request.pk, actor=approver)
    confirmation.confirm(request.pk, drive.fresh(request.pk).plans.latest("version").digest)
    with CaptureQueriesContext(connection) as queries:
        assert representation.object_to(case_of(request))
    if connection.vendor == "postgresql":
        assert locked(queries)[:3] == list(TABLES[:3]), "law 2: the person before the case"
    now = drive.fresh(request.pk)
    assert now.disputed_at is not None
    assert (now.case.contact, now.case.is_proven) == (CAST.plain, False)
    assert not representation.object_to(case_of(request)), "repeatable"
    other = asked(address=CAST.neighbour)
    seen_by(other, approver, second_approver)
    representation.object_to(case_of(other))
    assert drive.fresh(other.pk).attention == StepReason.AUTHORITY
    assert not seen_by(other, approver).stands, "two look afresh: what was seen before the objection counts no more"
    assert seen_by(other, second_approver).stands


def test_a_refusal_is_told_with_its_reason_and_new_papers_are_looked_at_by_two(
    company: None, approver: Actor, second_approver: Actor
) -> None:
    request = asked("attorney")
    representation.attach(case_of(request), "a.pdf", b"a paper", actor=REQUESTER)
    assert drive.fresh(request.pk).attention == StepReason.AUTHORITY
    seen_by(request, approver)
    representation.refuse(case_of(request), "It is not signed.", actor=second_approver)
    assert drive.fresh(request.pk).attention == ""
    assert not AuthorityPaper.objects.filter(destroyed_at__isnull=True).exists()
    letter = Message.objects.get(notice=Notice.REP_REFUSED)
    assert (letter.to, letter.text) == (OWN, "It is not signed.")
    assert not seen_by(request, approver).stands
    assert seen_by(request, second_approver).stands
    representation.end(case_of(request), "The power was withdrawn.", actor=approver)
    assert case_of(request).contact == CAST.plain


def test_a_copy_goes_to_no_address_that_no_rule_has_passed(
    company: None, approver: Actor, second_approver: Actor
) -> None:
    request = standing(approver, second_approver, Right.ACCESS)
    decide.approve(request.pk, actor=approver)
    runner.drain_fulfilling()
    now, another = drive.fresh(request.pk), drive.person_of_the_desk(Role.APPROVER)
    assert now.state == State.CHECKING
    Representation.objects.filter(case=request.case).update(revoked_at=timezone.now())
    with pytest.raises(Conflict):
        copies.hand_over(drive.fresh(request.pk), another)
    Representation.objects.filter(case=request.case).update(revoked_at=None)
    copies.hand_over(drive.fresh(request.pk), another)
    assert present.offered(drive.fresh(request.pk)) is not None
    Representation.objects.filter(case=request.case).update(revoked_at=timezone.now())
    assert present.offered(drive.fresh(request.pk)) is None


def test_papers_of_a_case_with_nothing_left_to_decide_are_destroyed(company: None, approver: Actor) -> None:
    request = asked()
    representation.attach(case_of(request), "a.pdf", b"a paper", actor=REQUESTER)
    assert representation.sweep() == 0
    representation.not_wanted(case_of(request))
    assert representation.sweep() == 1
    assert AuthorityPaper.objects.get().body_sealed is None
    for many in range(representation.PAPERS):
        representation.attach(case_of(request), f"{many}", b"x", actor=REQUESTER)
    with pytest.raises(Invalid):
        representation.attach(case_of(request), "one more", b"x", actor=REQUESTER)


def test_a_case_that_came_by_mail_gets_its_representative_at_the_desk(
    company: None, handler: Actor, approver: Actor, second_approver: Actor
) -> None:
    request = drive.by_web(CAST.plain)
    with pytest.raises(Invalid):
        representation.name_one(request.case, "guardian", "Jorun Aske", CAST.plain.upper(), actor=handler)
    representation.name_one(request.case, "guardian", "Jorun Aske", OWN, actor=handler)
    with pytest.raises(Conflict):
        representation.name_one(request.case, "guardian", "Jorun Aske", OWN, actor=handler)
    assert Message.objects.get(notice=Notice.REP_ASKED).to == OWN
    assert seen_by(request, approver, second_approver).stands


@pytest.mark.parametrize("seed", range(6))
def test_whatever_happens_who_stands_was_seen_by_two_since_anybody_last_said_no(company: None, seed: int) -> None:
    chance = random.Random(seed)
    people = [drive.person_of_the_desk(Role.APPROVER) for _ in range(3)]
    request = asked(chance.choice(RepresentativeKind.values))
    acts: list[Any] = [
        *[lambda one=one: representation.seen(case_of(request), WORDS, actor=one) for one in people],
        lambda: representation.refuse(case_of(request), "No.", actor=people[0]),
        lambda: representation.end(case_of(request), "No.", actor=people[1]),
        lambda: representation.object_to(case_of(request)),
        lambda: representation.allow(case_of(request), follow=True, receive=True),
        lambda: representation.take_back(case_of(request)),
        lambda: drive.proven_by_link(case_of(request)),
    ]
    looks: list[int] = []
    for number in (chance.randrange(len(acts)) for _ in range(40)):
        try:
            done = acts[number]()
        except (Conflict, Invalid, links.Refused):
            continue
        if number < len(people):
            looks.append(number)
        elif number in (3, 4) or (number == 5 and done):
            looks.clear()
        held = representation.of(case_of(request))
        assert held is not None
        case = case_of(request)
        assert held.stands == (case.contact_by == ContactBy.REPRESENTATIVE) == (case.contact == OWN)
        if held.stands:
            assert len(looks) >= 2
            assert looks[-1] != looks[-2], list(pairwise(looks))
            assert held.kind != RepresentativeKind.AGENT
    outbox.drain()
    assert audit.verify() == []
