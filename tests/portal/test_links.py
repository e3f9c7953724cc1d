"""Links and codes: what they open, for whom, how long, and what those that do not work say."""

from datetime import timedelta

import pytest
from django.conf import settings
from django.db import transaction
from django.utils import timezone
from pytest_django import Settings

from dsar.demo.cast import CAST
from dsar.desk import next_step
from dsar.enums import CheckKind, CheckStatus, Right, State, StepReason
from dsar.fulfilment import control
from dsar.intake import submit
from dsar.models import Case, IdentityCheck, Plan, PrivacyRequest
from dsar.notifications import outbox
from dsar.review import decide
from dsar.verification import confirmation, links
from tests import drive, house
from tests.desk import scenes
from tests.portal.conftest import Visitor, newest_link, only, tables, words, work


def lapse(visitor: Visitor) -> None:
    """What was proven in this browser does not count any more."""
    held = visitor.client.session
    past = timezone.now() - settings.PROOF_LIFETIME
    held["proven"] = dict.fromkeys(held["proven"], past.isoformat())
    held.save()


def test_links_that_do_not_work_explain_themselves_and_offer_a_new_one(visitor: Visitor) -> None:
    visitor.ask(CAST.plain)
    work()
    link = newest_link(CAST.plain)
    for forged in (f"/l/{'A' * 43}/", link[:-5] + "AAAA/", "/l/%00/", "/l/" + "x" * 500 + "/"):
        assert "We do not know this link" in words(Visitor().get(forged))
    check = IdentityCheck.objects.get(kind=CheckKind.MAILBOX)
    IdentityCheck.objects.filter(pk=check.pk).update(expires_at=timezone.now())
    other = Visitor()
    assert "This link is too old" in words(other.get(link))
    assert "on its way" in words(other.post("/new-link/"))
    work()
    fresh = newest_link(CAST.plain)
    assert fresh != link
    other.get(fresh)
    other.post("/proof/")
    assert only().state == State.CONFIRMING
    third = Visitor()
    assert "This link was used already" in words(third.get(fresh))
    assert third.post("/proof/", follow=False)["Location"] == "/new-link/"
    IdentityCheck.objects.filter(kind=CheckKind.MAILBOX).update(status="failed")
    assert "This link has ended" in words(third.get(fresh))


def test_the_link_in_hand_is_no_token_in_the_session(visitor: Visitor) -> None:
    visitor.ask(CAST.plain)
    work()
    before = visitor.client.cookies.get("sessionid")
    old = before.value if before else ""
    link = newest_link(CAST.plain)
    visitor.get(link)
    opened = visitor.client.cookies["sessionid"].value
    assert link.split("/")[2] not in repr(dict(visitor.client.session))
    assert CAST.plain not in repr(dict(visitor.client.session))
    assert opened != old, "whoever planted a session key before the link was opened holds nothing now"


def test_a_double_click_on_the_proof_goes_on_instead_of_complaining(visitor: Visitor) -> None:
    visitor.ask(CAST.plain)
    work()
    visitor.get(newest_link(CAST.plain))
    first = visitor.post("/proof/", follow=False)["Location"]
    assert visitor.post("/proof/", follow=False)["Location"] == "/new-link/"
    assert visitor.get("/new-link/", follow=False)["Location"] == first


def test_nobody_reaches_another_persons_case_by_its_number(visitor: Visitor) -> None:
    visitor.prove(CAST.plain)
    victim = only()
    thief = Visitor()
    thief.prove(CAST.unknown)
    before = tables()
    paths = [
        f"/case/{number}/{verb}/"
        for number in (victim.pk, 999999, 10**30)
        for verb in ("withdraw", "answer", "copy", "do-not-wait")
    ]
    for path in paths:
        for answer in (thief.post(path, {"text": "x"}), thief.get(path)):
            assert answer.status_code == 404
            assert "Please open your link first" in words(answer)
    posted = thief.post(
        "/confirm/", {"request": str(victim.pk), "answer": "delete", "plan": Plan.objects.get(request=victim).digest}
    )
    assert "Do you want to delete your data?" not in words(posted)
    assert tables() == before
    for path in (
        "/case/",
        "/confirm/",
        "/waiting/",
        "/confirm/second-factor/",
        "/follow/",
        "/follow/code/",
        "/not-me/",
    ):
        assert Visitor().get(path).status_code == 404


def test_a_proof_lasts_for_its_time_and_can_be_forgotten(visitor: Visitor) -> None:
    visitor.prove(CAST.plain)
    lapse(visitor)
    assert visitor.get("/confirm/").status_code == 404
    other = Visitor()
    other.ask(CAST.neighbour)
    work()
    other.get(newest_link(CAST.neighbour))
    other.post("/proof/")
    assert "has forgotten" in other.post("/leave/").content.decode()
    assert other.get("/case/").status_code == 404


def test_five_wrong_codes_end_a_code_and_not_the_way(visitor: Visitor) -> None:
    visitor.prove(CAST.unknown)
    work()
    later = Visitor()
    later.get(newest_link(CAST.unknown))
    assert "not valid" in words(later.post("/follow/code/", {"code": "00000000"}))
    later.post("/follow/")
    code = IdentityCheck.objects.filter(kind=CheckKind.CODE).latest("pk").code
    for _ in range(settings.WRONG_ATTEMPTS):
        assert "not the one" in words(later.post("/follow/code/", {"code": "1" + code}))
    assert "too many wrong attempts" in words(later.post("/follow/code/", {"code": code}))
    assert later.get("/case/").status_code == 404
    later.post("/follow/")
    code = IdentityCheck.objects.filter(kind=CheckKind.CODE).latest("pk").code
    assert "We hold nothing" in words(later.post("/follow/code/", {"code": code}))


def test_this_was_not_me_needs_no_code_and_stops_the_work(visitor: Visitor) -> None:
    visitor.prove(CAST.plain)
    visitor.confirm()
    outbox.drain()
    victim = Visitor()
    shown = victim.get(newest_link(CAST.plain))
    assert "We stop the deletion at once" in words(shown)
    assert only().disputed_at is None
    noted = victim.post("/not-me/")
    assert "The deletion is stopped" in words(noted)
    assert only().disputed_at is not None
    victim.post("/not-me/")
    assert "Two people are looking into it" in words(visitor.get("/case/"))


@pytest.mark.parametrize("broken", ["move", "_take_back"])
def test_law_09_not_me_is_not_used_up_before_it_has_taken_effect(
    visitor: Visitor, monkeypatch: pytest.MonkeyPatch, broken: str
) -> None:
    visitor.prove(CAST.plain)
    visitor.confirm()
    outbox.drain()
    victim = Visitor()
    victim.get(newest_link(CAST.plain))
    with monkeypatch.context() as once:
        once.setattr(confirmation, broken, lambda *_args, **_given: 1 / 0)
        said = victim.post("/not-me/")
    assert (said.status_code, "press the button once more" in words(said)) == (503, True)
    assert "We have noted it" not in words(victim.get("/not-me/")), "nothing is promised that is not so"
    assert only().attention in (
        (StepReason.ERROR, StepReason.DISPUTED) if broken == "_take_back" else (StepReason.ERROR,)
    )
    assert "The deletion is stopped" in words(victim.post("/not-me/"))
    assert (only().disputed_at is not None, only().attention) == (True, StepReason.DISPUTED)
    assert IdentityCheck.objects.filter(kind=CheckKind.NOT_ME, status=CheckStatus.PASSED).count() == 1


def test_law_09_the_page_says_of_not_me_what_is_so(visitor: Visitor, settings: Settings) -> None:
    settings.QUIET_PERIOD = timedelta(0)
    visitor.prove(CAST.plain)
    visitor.confirm()
    outbox.drain()
    link = newest_link(CAST.plain)
    control.release(only().pk, actor=scenes.actor())
    drive.carry_out()
    assert only().state == State.COMPLETED
    with transaction.atomic():
        submit.add_request(only().case, Right.OPT_OUT_SALE, "And sell nothing.")
    victim = Visitor()
    before = words(victim.get(link))
    assert "The deletion has ended already and cannot be brought back. A person will look into it." in before
    assert "A choice, such as an opt-out, is not stopped by it" in before
    assert "goes no further" not in before
    after = words(victim.post("/not-me/"))
    assert "The deletion has ended already and cannot be brought back." in after
    assert "Our team has been told and looks into it." in after
    assert "goes no further" not in after
    erased = PrivacyRequest.objects.get(right=Right.DELETION)
    assert erased in PrivacyRequest.objects.stuck().filter(attention=StepReason.DISPUTED)
    step = next_step.next_step(erased, scenes.actor())
    assert (step.verb, "72 hours" in step.text) == ("retry", True)
    # Nothing is left, and nothing is promised.
    other = Visitor()
    other.prove(CAST.neighbour, "access")
    other.post(f"/case/{PrivacyRequest.objects.latest('pk').pk}/withdraw/")
    assert "There was nothing (more) to stop." in words(other.post("/not-me/"))


def test_not_me_before_the_confirmation_brings_it_to_a_person_once(visitor: Visitor) -> None:
    visitor.prove(CAST.plain)
    outbox.drain()
    somebody = Visitor()
    link = house.link_in(house.mail_to(CAST.plain, "Was this you?"))
    assert "goes no further before a person" in words(somebody.get(link))
    assert only().state == State.CONFIRMING, "law 10: looking changes nothing"
    assert "It goes no further before a person" in words(somebody.post("/not-me/"))
    assert (only().state, only().judgement) == (State.REVIEW, ["not_me"])
    # A spent link explains itself, and stops nothing a second time.
    decide.approve(only().pk, actor=scenes.actor())
    assert "We have noted it" in words(Visitor().get(link))
    somebody.post("/not-me/")
    assert only().state == State.CONFIRMING


def test_a_code_leads_back_to_where_it_was_asked_for_and_nowhere_after_that(visitor: Visitor) -> None:
    visitor.prove(CAST.plain, "access")
    first = only()
    lapse(visitor)
    visitor.prove(CAST.unknown)
    # Another case was proven meanwhile: the first one is still known, and asked for a fresh code.
    assert visitor.post(f"/case/{first.pk}/download/", follow=False)["Location"] == "/follow/"
    # The code was never entered. A link that is opened later leads where it leads.
    visitor.ask(CAST.neighbour)
    work()
    visitor.get(newest_link(CAST.neighbour))
    visitor.post("/proof/")
    lapse(visitor)
    links.send_code(Case.objects.latest("pk"))
    follow = links.way_back(Case.objects.latest("pk"))
    visitor.get(f"/l/{follow.token}/")
    code = IdentityCheck.objects.filter(kind=CheckKind.CODE).latest("pk").code
    assert visitor.post("/follow/code/", {"code": code}, follow=False)["Location"] == "/confirm/"
