"""A colleague in the archive gets "please delete this by Friday" and answers from a link."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any

import pytest
from django.conf import settings
from django.utils import timezone

from dsar.enums import CheckKind, OwnerTaskStatus, State, StepReason
from dsar.models import Actor, AuditEvent, IdentityCheck, OwnerTask, PrivacyRequest
from tests import house
from tests.house import CAST, House, at_rest, body_of, mail_to, mails, wait_for
from tests.journeys import scenes
from tests.journeys.people import Colleague, Visitor
from tests.owners import COLLEAGUE, OWNER, with_paper

pytestmark = pytest.mark.once


@pytest.fixture(scope="module")
def archive(running_house: House, tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """The house of a company that also keeps paper files."""
    made = with_paper(tmp_path_factory.mktemp("map"))
    with at_rest(), house.running(DATA_MAP=str(made)) as running:
        yield running


def link_of(mail: Any) -> str:
    """The path of the link in an owner's mail."""
    (found,) = {word.removeprefix(settings.BASE_URL) for word in body_of(mail).split() if "/task/" in word}
    return str(found)[str(found).index("/task/") :]


def asked(archive: House, approver: Actor) -> PrivacyRequest:
    """Everything is erased but what lies in the archive."""
    request = scenes.confirmed(Visitor(archive.url), CAST.plain)
    Colleague(archive.url, approver).release(request)
    wait_for(lambda: OwnerTask.objects.filter(step__request=request).exists(), what="the owner's task")
    return scenes.fresh(request)


def opened(archive: House, address: str = OWNER) -> Visitor:
    """The owner's browser, past the code."""
    owner = Visitor(archive.url)
    owner.open(link_of(mail_to(address, "privacy task")))
    before = len(mails(address))
    owner.press("Send me a code")
    owner.press("Open the task", code=scenes.code_in(body_of(mail_to(address, "Your code", after=before))))
    return owner


def test_a_data_owner_deletes_and_says_so(stack: House, archive: House, approver: Actor) -> None:
    request = asked(archive, approver)
    mail = mail_to(OWNER, "privacy task")
    assert CAST.plain not in mail.as_string() + body_of(mail)
    lead = Colleague(archive.url, approver)
    lead.look_at(request)
    lead.sees("Ball with the data owner", OWNER, "A data owner has been asked")
    owner = Visitor(archive.url)
    for _twice in range(2):
        owner.open(link_of(mail))
        assert owner.path == "/task/"
        owner.sees("Please delete", "Paper files", request.case.reference)
        assert CAST.plain not in owner.page.text  # type: ignore[union-attr]
    assert owner.post("/task/answer/", answer="done") == 200
    assert OwnerTask.objects.get().status == OwnerTaskStatus.OPEN
    owner.open(link_of(mail))
    owner.press("Send me a code")
    owner.press("Open the task", code="00000000")
    owner.sees("This code is not the one that we sent", status=422)
    code = scenes.code_in(body_of(mail_to(OWNER, "Your code")))
    owner.press("Open the task", code=code)
    owner.sees("For whom", CAST.plain, "The law makes us keep", "Art 17(3)(b)")
    owner.press("It cannot be done")
    owner.sees("Please write why it cannot be done", status=422)
    owner.press("It is done", note="Shredded, box 7.")
    owner.sees("Thank you, we have your answer")
    scenes.reaches(request, State.COMPLETED)
    mail_to(CAST.plain, "has been carried out")
    lead.look_at(request)
    lead.sees("Shredded, box 7.", "the data owner")
    owner.open(link_of(mail))
    owner.sees("Thank you, we have your answer")
    assert CAST.plain not in owner.page.text  # type: ignore[union-attr]


def test_fifty_answers_at_once_make_one(stack: House, archive: House, approver: Actor) -> None:
    request = asked(archive, approver)
    owner = opened(archive)
    browsers = [Visitor(archive.url) for _ in range(50)]
    for browser in browsers:
        browser.client.cookies.update(owner.client.cookies)
        browser.page = owner.page
    gate = Barrier(50)

    def one(browser: Visitor) -> int:
        gate.wait()
        browser.press("I found nothing")
        assert browser.page is not None
        return browser.page.status_code

    with ThreadPoolExecutor(50) as pool:
        assert set(pool.map(one, browsers)) == {200}
    scenes.reaches(request, State.COMPLETED)
    assert AuditEvent.objects.filter(chain=request.case.chain, what="owner_nothing_found").count() == 1
    scenes.post_is_out()
    assert sum("has been carried out" in str(mail["Subject"]) for mail in mails(CAST.plain)) == 1


def test_an_exception_after_a_hand_over_is_decided_by_an_approver(
    stack: House, archive: House, approver: Actor, handler: Actor
) -> None:
    request = asked(archive, approver)
    owner = opened(archive)
    owner.press("Hand it over", email="somebody@elsewhere.example.org")
    owner.sees("This must be a colleague's work address", status=422)
    owner.press("Hand it over", email=COLLEAGUE)
    owner.sees("A colleague has this task now")
    assert CAST.plain not in owner.page.text  # type: ignore[union-attr]
    other = opened(archive, COLLEAGUE)
    other.press("It cannot be done", note="The court has the box until May.")
    other.sees("Thank you, we have your answer")
    assert scenes.fresh(request).attention == StepReason.OWNER_EXCEPTION
    clerk, lead = Colleague(archive.url, handler), Colleague(archive.url, approver)
    clerk.look_at(request)
    clerk.sees("The court has the box until May.", "A data owner says that it cannot be done")
    assert not clerk.offers(request, "by-hand")
    step = OwnerTask.objects.filter(step__request=request)[0].step_id
    assert clerk.post(f"/desk/requests/{request.pk}/by-hand/", step=str(step), sure="on") == 403
    lead.act(request, "by-hand", sure="on")
    scenes.reaches(request, State.COMPLETED)


def test_the_desk_sees_every_task_and_can_send_it_again(
    stack: House, archive: House, approver: Actor, handler: Actor
) -> None:
    request = asked(archive, approver)
    clerk = Colleague(archive.url, handler)
    clerk.open("/desk/tasks/")
    clerk.sees(request.case.reference, OWNER, "Paper files")
    clerk.open("/desk/tasks/?view=late")
    clerk.sees("No tasks here")
    clerk.open("/desk/tasks/")
    before = len(mails(OWNER))
    clerk.press("Send the link again")
    clerk.sees("The link is on its way again")
    mail_to(OWNER, "privacy task", after=before)
    clerk.press("Hand it over", email=COLLEAGUE)
    clerk.sees("Handed over", COLLEAGUE)
    gone = Visitor(archive.url)
    gone.open("/task/" + "x" * 43 + "/")
    gone.sees("We do not know this link", status=404)


def test_a_link_that_is_too_old_says_so_and_offers_a_new_one(stack: House, archive: House, approver: Actor) -> None:
    asked(archive, approver)
    mail = mail_to(OWNER, "privacy task")
    IdentityCheck.objects.filter(kind=CheckKind.OWNER_LINK).update(expires_at=timezone.now())
    owner = Visitor(archive.url)
    owner.open(link_of(mail))
    owner.sees("This link is too old")
    before = len(mails(OWNER))
    owner.press("Send me a new link")
    newer = mail_to(OWNER, "privacy task", after=before)
    assert link_of(newer) != link_of(mail)
    owner.open(link_of(mail))
    owner.sees("This link is too old")
    owner.open(link_of(newer))
    owner.sees("Please delete", "Send me a code")
