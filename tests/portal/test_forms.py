"""The web form: every right has one, a bad one says so and keeps what was typed, and nobody learns who has an account."""

import re

import pytest
from django.conf import settings
from django.test import Client

from dsar.demo.cast import CAST
from dsar.enums import Right
from dsar.models import Case, Intake, PrivacyRequest
from dsar.notifications import outbox
from tests import house
from tests.portal.conftest import Visitor, newest_link, page, words, work


def test_known_and_unknown_addresses_look_the_same(visitor: Visitor) -> None:
    seen = []
    for address in (CAST.plain, CAST.unknown, CAST.on_hold):
        person = Visitor()
        pages = [page(person.ask(address)), page(person.get("/received/"))]
        outbox.drain()
        pages.append(page(person.get(newest_link(address))))
        pages.append(page(person.post("/new-link/", {"email": address})))
        case = Case.objects.latest("pk")
        seen.append([one.replace(address, "ADDRESS").replace(case.reference, "REF") for one in pages])
    assert seen[0] == seen[1] == seen[2]
    stranger = page(Visitor().post("/new-link/", {"email": "nobody.at.all@example.org"}))
    assert stranger == seen[0][-1]


def test_the_fourth_mail_of_a_day_is_not_sent_and_nothing_shows_it(visitor: Visitor) -> None:
    pages = [page(visitor.ask(CAST.unknown)) for _ in range(settings.LINK_MAILS_PER_DAY + 1)]
    work()
    assert len(set(pages)) == 1
    assert len(house.mails(CAST.unknown)) == settings.LINK_MAILS_PER_DAY
    assert Case.objects.count() == settings.LINK_MAILS_PER_DAY + 1
    sent = [page(visitor.post("/new-link/", {"email": CAST.unknown})) for _ in range(2)]
    work()
    assert sent[0] == sent[1]
    assert len(house.mails(CAST.unknown)) == settings.LINK_MAILS_PER_DAY


def test_sending_twice_makes_one_case(visitor: Visitor) -> None:
    typed = {**visitor.fields("/ask/deletion/"), "email": CAST.plain, "country": "DE", "acts_as": "self"}
    first, second = visitor.post("/ask/deletion/", typed), visitor.post("/ask/deletion/", typed)
    assert page(first) == page(second)
    assert Case.objects.count() == Intake.objects.count() == 1


@pytest.mark.parametrize(
    "typed",
    [
        {"email": "nonsense"}, {"email": ""}, {"email": "noreply@example.com"}, {"country": "XX"},
        {"email": "a\x00@example.com"}, {"number": "forged"}, {"number": ""}, {"email": "x" * 300 + "@example.com"},
    ],
)  # fmt: skip
def test_a_malformed_form_says_so_and_keeps_what_was_typed(visitor: Visitor, typed: dict[str, str]) -> None:
    sent = {"email": "whoever@example.com", "statement": "My name is <b>wrong</b>", **typed}
    answer = visitor.ask(right="correction", **sent)
    assert "Please check what you entered" in words(answer)
    assert "My name is &lt;b&gt;wrong&lt;/b&gt;" in answer.content.decode()
    assert Intake.objects.count() == 0
    if "number" in typed:
        kept = {"email": "whoever@example.com", "country": "DE", "acts_as": "self", "statement": "wrong"}
        number = re.search(r'name="number" value="([^"]+)"', answer.content.decode())
        assert number
        assert "We have your request" in words(visitor.post("/ask/correction/", {**kept, "number": number[1]}))


def test_what_is_too_large_is_refused_with_words(visitor: Visitor) -> None:
    too_long = visitor.ask("whoever@example.com", "correction", statement="a" * 4001)
    assert "Please check what you entered" in words(too_long)
    too_big = visitor.ask("whoever@example.com", "correction", statement="a" * (settings.FORM_BYTES + 1))
    assert too_big.status_code == 413
    assert "too much at once" in words(too_big)
    many = visitor.post("/ask/deletion/", {f"field{number}": "x" for number in range(100)})
    assert many.status_code == 413
    assert Intake.objects.count() == 0


def test_forms_from_elsewhere_are_refused(company: None) -> None:
    client = Client(enforce_csrf_checks=True)
    assert client.post("/ask/deletion/", {"email": CAST.plain, "country": "DE", "acts_as": "self"}).status_code == 403
    assert client.post("/proof/").status_code == 403
    assert Intake.objects.count() == 0


def test_every_right_has_its_form(visitor: Visitor) -> None:
    home = visitor.get("/").content.decode()
    for right in Right:
        slug = right.value or "something-else"
        assert f"/ask/{slug}/" in home
        answer = visitor.ask(f"{slug}@person.example.com", slug, statement="Please look at it.")
        assert "We have your request" in words(answer), slug
    assert PrivacyRequest.objects.count() == len(Right)
