"""Who asks for somebody else, at the pages: the same for every address, nothing before the person's word, never the person."""

import re
from itertools import product
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import URLPattern, get_resolver, reverse
from django.utils import timezone

from accounts.models import Role
from dsar.enums import Right, State
from dsar.fulfilment import runner
from dsar.models import Actor, AuthorityPaper, Case, PrivacyRequest, Representation
from dsar.portal import urls as portal
from dsar.review import decide
from dsar.verification import representation
from tests import drive, house
from tests.fulfilment import copies
from tests.house import CAST
from tests.portal.conftest import Visitor, lasting, newest_link, page, words, work

OWN = "asks-for-others@example.net"
NAME = "Jorun Aske"


def ask_for(visitor: Visitor, email: str, right: str = "access", kind: str = "agent", **typed: str) -> Any:
    """Ask for somebody else by the form that is there for it."""
    path = f"/ask/{right}/for-somebody/"
    given = {"email": email, "country": "DE", "acts_as": kind, "own_name": NAME, "own_email": OWN, **typed}
    return visitor.post(path, {**visitor.fields(path), **given})


def enter(visitor: Visitor, link: str = "") -> Any:
    """Open a link that was sent to who asks for somebody else, with the code that goes to the same address."""
    visitor.get(link or newest_link(OWN))
    visitor.post("/for/send-code/")
    work()
    code = re.search(r"^(\d[\d -]+)$", house.body_of(house.mails(OWN)[-1]), re.MULTILINE)
    assert code
    return visitor.post("/for/code/", {"code": code[1]})


def proven(email: str = CAST.plain, answer: str = "", **ticked: str) -> Visitor:
    """The person opens their link, presses the button, and says what they say."""
    person = Visitor()
    person.get(newest_link(email))
    person.post("/proof/")
    if answer:
        person.post("/case/allow/", {"answer": answer, **ticked})
    return person


def offered(approver: Actor) -> PrivacyRequest:
    """The newest request for a copy, with its copy handed over."""
    work()
    request = PrivacyRequest.objects.get(right=Right.ACCESS)
    decide.approve(request.pk, actor=approver)
    runner.drain_fulfilling()
    copies.hand_over(request, drive.person_of_the_desk("approver"))
    work()
    return PrivacyRequest.objects.get(pk=request.pk)


@pytest.mark.parametrize("kind", ["agent", "guardian", "attorney", "estate"])
def test_law_10_pages_and_mails_are_the_same_for_every_address(visitor: Visitor, kind: str) -> None:
    shown, sent = [], []
    for email in (CAST.plain, CAST.unknown):
        stranger = Visitor()
        answer = page(ask_for(stranger, email, kind=kind)).replace(email, "•")
        work()
        own = page(enter(stranger))
        mails = [*house.mails(email), *house.mails(OWN)]
        reference = Case.objects.latest("pk").reference
        shown.append((lasting(answer, reference), lasting(own, reference)))
        sent.append(
            [
                lasting(re.sub(r"^\d[\d -]+$", "•", f"{mail['Subject']}\n{house.body_of(mail)}", flags=re.MULTILINE), reference)
                for mail in mails
            ]
        )  # fmt: skip
        house.wipe()
    assert shown[0] == shown[1]
    assert sent[0] == sent[1]
    assert len(sent[0]) == 3
    assert NAME in sent[0][0]
    assert NAME not in "".join(map(str, sent[0][0].splitlines()[:1])), "never in a subject"


@pytest.mark.parametrize(
    "typed",
    [
        {"own_name": "Win at evil.example"}, {"own_name": "<b>Me</b>"}, {"own_name": "see https://x"}, {"own_name": "a@b"},
        {"own_name": "x" * 81}, {"own_name": ""}, {"own_name": "a\u202eb"}, {"own_email": "nonsense"}, {"own_email": ""},
        {"own_email": CAST.plain.upper()}, {"acts_as": "king"}, {"acts_as": "self"}, {"acts_as": ""},
    ],
)  # fmt: skip
def test_a_malformed_form_for_somebody_else_says_so(visitor: Visitor, typed: dict[str, str]) -> None:
    assert "Please check what you entered" in words(ask_for(visitor, CAST.plain, **typed))
    assert not Case.objects.exists()


@pytest.mark.parametrize("name", ["J. R. Ødegård-Smith", "आदित्य शर्मा", "Nguyễn Thị Ánh", "O’Neill", "St. John"])
def test_names_of_people_are_accepted(visitor: Visitor, name: str) -> None:
    assert "We have your request" in words(ask_for(visitor, CAST.plain, own_name=name))
    standing = Representation.objects.get()
    assert standing.name == name


def test_nothing_is_shown_before_the_person_has_answered_and_nothing_after_they_took_it_back(
    visitor: Visitor, approver: Actor
) -> None:
    ask_for(visitor, CAST.plain)
    work()
    assert "nothing that we may show you" in words(enter(visitor))
    person = proven(answer="allow", follow="on", receive="on")
    request = offered(approver)
    assert f"/for/{request.pk}/download/" in page(visitor.get("/for/"))
    file = visitor.post(f"/for/{request.pk}/download/")
    assert file["Content-Type"] == "application/zip"
    address = file.redirect_chain[-1][0]  # type: ignore[attr-defined]
    file.close()
    assert "Who asks in your name" in words(person.get("/case/"))
    person.post("/case/allow/", {"answer": "alone"})
    assert "nothing that we may show you" in words(visitor.get("/for/"))
    assert visitor.post(f"/for/{request.pk}/download/").status_code == 404
    assert visitor.get(address).status_code == 404, "an address that was given away is worth nothing either"
    last = len(house.mails(OWN))
    decide.reply(request.pk, "Something else.", actor=approver)
    work()
    assert len(house.mails(OWN)) == last


def test_a_person_who_wants_none_of_it_has_it_withdrawn(visitor: Visitor) -> None:
    ask_for(visitor, CAST.plain, "deletion")
    work()
    person = proven()
    assert NAME in words(person.get("/case/allow/"))
    assert "checked" not in page(person.get("/case/allow/")), "nothing is ticked for them"
    assert "choose one of the answers" in words(person.post("/case/allow/", {}))
    person.post("/case/allow/", {"answer": "no"})
    assert PrivacyRequest.objects.get().state == State.WITHDRAWN
    work()
    assert "withdrawn" in words(person.get("/case/")).lower()


def test_an_opt_out_by_an_agent_asks_for_no_proof_and_tells_the_person(visitor: Visitor) -> None:
    ask_for(visitor, CAST.plain, "marketing_opt_out")
    work()
    runner.drain_fulfilling()
    work()
    assert PrivacyRequest.objects.get().state == State.COMPLETED
    assert NAME in house.body_of(house.mails(CAST.plain)[-1])
    assert "nobody proves anything" in house.body_of(house.mails(OWN)[0])


def test_mails_to_who_asks_for_others_are_limited(visitor: Visitor, settings: Any) -> None:
    settings.AGENT_MAILS_PER_DAY = 2
    pages = {page(ask_for(visitor, f"person{number}@example.com")) for number in range(3)}
    work()
    assert len(pages) == 3, "they differ in the address alone"
    assert len(house.mails(OWN)) == 2
    assert Case.objects.count() == 3


# --- every address of the portal × who somebody has proven to be -----------------------------------------------------

ROLES = ("person", "standing", "nobody", "not allowed", "follow", "receive")
NAMES = {one.name: one for one in get_resolver(portal.__name__).url_patterns if isinstance(one, URLPattern)}
# Open to everybody, or behind another proof (an account, a data owner's code, a signed token): nothing of a case on them.
OF_NO_CASE = {
    "home", "ask", "ask_for", "lost_mailbox", "received", "link", "new_link", "leave", "choices", "unsubscribe", "gpc_support", "health",
    "privacy_measures", "privacy_measures_json",
    "proof", "follow", "follow_code", "settings_security", "settings_delete",
    *(name for name in NAMES if str(name).startswith("task")),
}  # fmt: skip
THEIRS = {
    "represent", "represent_send_code", "represent_code", "represent_download", "represent_papers", "objection",
}  # fmt: skip
OF_THE_PERSON = set(NAMES) - OF_NO_CASE - THEIRS


def seen_by(role: str, agent: Visitor, approver: Actor) -> tuple[Visitor, PrivacyRequest]:
    """A browser that has proven to be somebody, and a copy on offer."""
    ask_for(agent, CAST.plain, kind="guardian" if role == "standing" else "agent")
    work()
    link = newest_link(OWN)
    if role == "standing":
        case = Case.objects.get()
        for one in (approver, drive.person_of_the_desk(Role.APPROVER)):
            representation.seen(case, "The order of the court.", actor=one)
        work()
        agent.get(newest_link(OWN))
        agent.post("/proof/")
        return agent, offered(approver)
    ticked = {name: "on" for name in ("follow", "receive") if name == role}
    person = proven(answer="" if role == "not allowed" else "allow", **ticked)
    request = offered(approver)
    if role == "person":
        return person, request
    if role != "nobody":
        enter(agent, link)
    return agent, request


@pytest.mark.parametrize("role", ROLES)
def test_every_address_of_a_case_knows_the_person_and_nobody_else(visitor: Visitor, approver: Actor, role: str) -> None:
    browser, request = seen_by(role, visitor, approver)
    letter = request.case.messages.get(notice="done_copy").pk
    before = (request.case.audit_length, request.state)
    for name, method in product(sorted(map(str, OF_THE_PERSON)), ("get", "post")):
        samples: dict[str, Any] = {"pk": letter if "letter" in name else request.pk, "token": "t" * 43}
        wanted = NAMES[name].pattern.converters  # type: ignore[attr-defined]
        path = reverse(name, kwargs={word: samples[word] for word in wanted})
        if role in ("person", "standing"):
            if method == "get" and "token" not in wanted:
                assert getattr(browser, method)(path).status_code in (200, 405), (name, method)
            continue
        answer = getattr(browser, method)(path)
        # Some addresses lead who only opens them to the page of the case, which is shut too.
        assert answer.status_code in (404, 405), (name, method, answer.status_code)
    if role not in ("person", "standing"):
        case = Case.objects.get(pk=request.case_id)
        assert (case.audit_length, case.requests.get().state) == before
        choice = browser.post("/choices/", {**browser.fields("/choices/"), "act": "make", "kind": "marketing_opt_out"})
        assert choice.status_code == 404


@pytest.mark.parametrize("role", ROLES)
def test_what_a_representative_sees_is_what_the_person_ticked(visitor: Visitor, approver: Actor, role: str) -> None:
    browser, request = seen_by(role, visitor, approver)
    shown, file = browser.get("/for/"), browser.post(f"/for/{request.pk}/download/")
    if role in ("person", "standing", "nobody"):
        assert "download" not in page(shown)
        assert file["Content-Type"].startswith("text/html")
        own = browser.post(f"/case/{request.pk}/download/")
        assert ("application/zip" in own["Content-Type"]) == (role != "nobody")
        own.close()
        return
    assert ("Get a copy" in words(shown)) == (role != "not allowed")
    assert (f"/for/{request.pk}/download/" in page(shown)) == (role == "receive")
    assert ("application/zip" in file["Content-Type"]) == (role == "receive")
    assert (file.status_code == 404) == (role != "receive")
    for secret in (CAST.plain, "conversation", "Messages", "Who asks in your name"):
        assert secret not in page(shown)
    news = [mail for mail in house.mails(OWN) if "News" in str(mail["Subject"])]
    assert bool(news) == (role != "not allowed")
    file.close()


def test_a_proof_of_the_person_dies_when_the_case_is_written_to_elsewhere(visitor: Visitor) -> None:
    person = Visitor()
    person.prove(CAST.plain, "know")
    assert "My request" in words(person.get("/case/"))
    case = Case.objects.get()
    Case.objects.filter(pk=case.pk).update(
        contact_sealed=case.seal(OWN, "contact"), contact_by="representative", contact_at=timezone.now()
    )
    assert person.get("/case/").status_code == 404
    assert representation.of(case) is None


def test_papers_are_sent_after_the_code_and_nothing_is_shown_before_two_have_seen_them(visitor: Visitor) -> None:
    ask_for(visitor, CAST.plain, kind="attorney")
    work()
    link = newest_link(OWN)
    visitor.get(link)
    file = {"file": SimpleUploadedFile("power.pdf", b"%PDF-1.7 a paper")}
    visitor.client.post("/for/papers/", file)
    assert not AuthorityPaper.objects.exists(), "not before the code"
    enter(visitor, link)
    assert "Please choose a file" in words(visitor.post("/for/papers/", {}))
    file = {"file": SimpleUploadedFile("power.pdf", b"%PDF-1.7 a paper")}
    answer = visitor.client.post("/for/papers/", file, follow=True)
    assert "You have sent 1 paper" in words(answer)  # type: ignore[arg-type]
    assert "If it is enough, it stays with the record of this request" in words(answer)  # type: ignore[arg-type]
    assert "then destroyed" not in words(answer)  # type: ignore[arg-type]
    assert "nothing that we may show you" in words(answer)  # type: ignore[arg-type]
    too_large = {"file": SimpleUploadedFile("big.pdf", b"x" * (6 * 1024**2))}
    assert visitor.client.post("/for/papers/", too_large).status_code == 413


def test_the_link_in_the_notice_stops_it_without_a_code(visitor: Visitor, approver: Actor) -> None:
    browser, request = seen_by("standing", visitor, approver)
    assert browser.get("/case/").status_code == 200
    notice = next(mail for mail in house.mails(CAST.plain) if "stands for you" in str(mail["Subject"]))
    assert NAME in house.body_of(notice)
    person = Visitor()
    assert "Was this not you?" in words(person.get(house.link_in(notice)))
    assert representation.of(request.case).stands  # type: ignore[union-attr]
    assert "It is stopped" in words(person.post("/objection/"))
    assert browser.get("/case/").status_code == 404
    assert browser.post(f"/case/{request.pk}/download/").status_code == 404
