"""The page of somebody who cannot read their mail any more: the same for everybody, filed for a person."""

import pytest

from dsar.enums import Right, State, StepReason
from dsar.models import Case, LostMailbox, PrivacyRequest
from dsar.verification import lost_mailbox
from tests import drive, house
from tests.house import CAST
from tests.portal.conftest import Visitor, lasting, page, words, work

NEW = "new-mailbox@example.net"


def ask(visitor: Visitor, email: str, **typed: str) -> str:
    """Fill and send the form."""
    given = {"wish": "access", "email": email, "new_email": NEW, "country": "DE", "statement": "It is gone.", **typed}
    return page(visitor.post("/lost-mailbox/", {**visitor.fields("/lost-mailbox/"), **given}))


def test_law_10_the_page_and_its_mails_are_the_same_for_every_address(visitor: Visitor) -> None:
    shown, sent = [], []
    for email in (CAST.plain, CAST.unknown):
        shown.append(ask(Visitor(), email))
        work()
        reference = Case.objects.latest("pk").reference
        said = [f"{mail['Subject']}\n{house.body_of(mail)}" for mail in (*house.mails(email), *house.mails(NEW))]
        sent.append([lasting(one, reference) for one in said])
        request = PrivacyRequest.objects.get()
        assert (request.right, request.state) == (Right.ACCESS, State.TRIAGE), "a person reads it"
        assert LostMailbox.objects.get().address == NEW
        house.wipe()
    assert shown[0] == shown[1]
    assert sent[0] == sent[1]
    assert len(sent[0]) == 2
    assert CAST.plain not in "".join(sent[0])


@pytest.mark.parametrize("typed", [{"new_email": CAST.plain}, {"new_email": "x"}, {"wish": "king"}, {"wish": ""}])
def test_a_malformed_one_says_so(visitor: Visitor, typed: dict[str, str]) -> None:
    assert "Please check what you entered" in ask(visitor, CAST.plain, **typed)
    assert not Case.objects.exists()


def test_the_link_in_the_notice_stops_it_and_is_not_used_up_before(
    visitor: Visitor, monkeypatch: pytest.MonkeyPatch
) -> None:
    ask(visitor, CAST.plain)
    request = PrivacyRequest.objects.get()
    drive.shown_by_hand(request.pk, "data_points_3_declared", "Compared.", actor=drive.person_of_the_desk("handler"))
    lost_mailbox.sweep()
    work()
    notice = next(mail for mail in house.mails(CAST.plain) if "still yours" in str(mail["Subject"]))
    assert "account" not in house.body_of(notice)
    assert NEW not in house.body_of(notice)
    owner = Visitor()
    assert "Was this not you?" in words(owner.get(house.link_in(notice)))
    assert LostMailbox.objects.open().exists()
    with monkeypatch.context() as once:
        once.setattr(lost_mailbox, "_end_checks", lambda *_args: 1 / 0)
        said = owner.post("/objection/")
    assert (said.status_code, "press the button once more" in words(said)) == (503, True)
    assert LostMailbox.objects.open().exists()
    assert PrivacyRequest.objects.get().attention == StepReason.ERROR
    assert "It is stopped" in words(owner.post("/objection/"))
    assert not LostMailbox.objects.open().exists()
