"""Data points: what a person states is compared by a worker, and nothing that anybody sees says more than that."""

from datetime import timedelta

import pytest
from django.utils import timezone
from pytest_django import Settings

from accounts.models import Role
from dsar.connectors import registry
from dsar.datamap import loader
from dsar.datamap.tables import FieldMap
from dsar.enums import CheckKind, CheckStatus, State
from dsar.models import AuditEvent, IdentityCheck, Message, PrivacyRequest, Source
from dsar.notices import Notice
from dsar.review import decide
from dsar.verification import data_points, points
from tests import house
from tests.drive import person_of_the_desk
from tests.house import CAST
from tests.portal.conftest import Visitor, lasting, newest_link, only, page, words, work

PROVE, POINTS = "/case/prove/", "/case/prove/points/"


def in_california(visitor: Visitor, email: str = CAST.neighbour) -> PrivacyRequest:
    """A copy, asked for under a law that wants more than the mailbox, and the mailbox proven in this browser."""
    visitor.ask(email, "access", country="US-CA")
    work()
    visitor.get(newest_link(email))
    visitor.post("/proof/")
    work()
    return PrivacyRequest.objects.latest("pk")


def facts(email: str = CAST.neighbour) -> dict[str, str]:
    """What the demo company holds about somebody, as they would write it."""
    [user] = house.rows("users", email=email)
    invoice = house.rows("invoices", user_id=user["id"])[-1]
    return {
        "name": f" {str(user['full_name']).upper()} ", "phone": str(user["phone"]).replace(" ", "-"),
        "invoice_number": str(invoice["number"]).lower(),
    }  # fmt: skip


def typed(stated: dict[str, str], **other: str) -> dict[str, str]:
    """The form, filled in."""
    values = {f"value{number}": value for number, value in enumerate(stated.values())}
    return {**values, "name": "Jorun Hazelbank", "on": timezone.localdate().isoformat(), **other}


def check() -> IdentityCheck:
    return IdentityCheck.objects.select_related("case").get(kind=CheckKind.DATA_POINTS)


@pytest.mark.parametrize(
    ("kind", "stated", "known", "same"),
    [
        ("text", " jorun  HAZELBANK", "Jorun Hazelbank", True),
        ("text", "SW1A1AA", "sw1a 1aa", True),
        ("text", "RE/2025-07", "re 2025 07", True),
        ("text", "straße", "STRASSE", True),
        ("text", "10115", "10117", False),
        ("text", "-", "--", False),
        ("text", "", "", False),
        ("phone", "+49 (0)30 / 901-820", "0049 30 901820", True),
        ("phone", "030 901820", "+49 30 901820", True),
        ("phone", "901820", "+49 30 901820", False),
        ("phone", "+44 30 901820", "+49 30 901820", False),
        ("phone", "030 901821", "030 901820", False),
        ("phone", "", "", False),
        ("date", "31.12.1990", "1990-12-31 00:00:00+00:00", True),
        ("date", "1990-12-30", "1990-12-31", False),
        ("date", "12/31/1990", "1990-12-31", True),
        ("date", "1990/12/31", "1990-12-31T08:00:00Z", True),
        ("date", "1990-04-05", "05/04/1990", True),
        ("date", "soon", "soon", False),
        ("phone", "1 212 555 0100", "212-555-0100", True),
        ("phone", "(212) 555-0100", "12125550100", True),
        ("phone", "0049 30 901820", "030 901820", True),
        ("phone", "49 30 901820", "030 901820", True),
        ("phone", "212 555 0100", "1 212 555 0101", False),
        ("phone", "555 0100", "212 555 0100", False),
        ("phone", "2 555 01000", "12 2 555 01000", False),
        ("country", " de", "DE", True),
    ],
)
def test_the_same_written_differently_is_the_same(kind: str, stated: str, known: str, same: bool) -> None:
    assert points.same(kind, stated, ["something else", known]) is same


@pytest.mark.parametrize(
    ("stated", "clear"),
    [
        ("1990-12-31", True),
        ("31.12.1990", True),
        ("31/12/1990", True),
        ("12/31/1990", True),
        ("05/05/1990", True),
        ("05/04/1990", False),
        ("5.4.1990", False),
        ("1990-31-12", False),
        ("1990-02-30", False),
        ("31/12/90", False),
        ("31 December 1990", False),
        ("", False),
    ],
)
def test_a_day_that_may_be_two_days_or_none_is_asked_for_again(stated: str, clear: bool) -> None:
    assert points.problem(FieldMap(label="Date of birth", kind="date"), stated) is not clear


def test_how_to_write_it_stands_beside_what_may_be_chosen_and_an_unclear_day_costs_no_try(
    visitor: Visitor, monkeypatch: pytest.MonkeyPatch
) -> None:
    described = loader.current()
    birthday = FieldMap(label="Date of birth", kind="date", identify=True)
    fields = {**described.fields, "country": birthday}
    monkeypatch.setattr(loader, "current", lambda: described.model_copy(update={"fields": fields}))
    request = in_california(visitor)
    shown = words(visitor.get(PROVE))
    assert "Date of birth: As year-month-day, for instance 1990-12-31." in shown
    assert "Telephone number: With or without the country." in shown
    chosen = {f"field{number}": key for number, key in enumerate(("name", "phone", "country"))}
    unclear = {**typed({**facts(), "invoice_number": "05/04/1990"}), **chosen}
    answer = visitor.post(POINTS, unclear)
    assert answer.status_code == 422
    assert "“Date of birth” does not look right. Please check it. As year-month-day" in words(answer)
    assert data_points.attempts_left(request.case) == 3
    visitor.post(POINTS, {**unclear, "value2": "12/31/1990"})
    assert check().asked == ["name", "phone", "country"]


def test_three_things_and_a_declaration_are_enough_and_nothing_of_them_stays(visitor: Visitor) -> None:
    request = in_california(visitor)
    shown = words(visitor.get(PROVE))
    assert "State 3 things" in shown
    assert "under penalty of perjury" in shown
    answer = visitor.post(POINTS, typed(facts()))
    assert "We compare what you stated" in words(answer)
    assert answer["Refresh"]
    stated = check()
    assert (stated.status, stated.asked) == (CheckStatus.PENDING, ["name", "phone", "invoice_number"])
    assert stated.case.unseal(stated.stated_sealed, "stated")
    data_points.drain()
    held = only()
    assert (held.state, held.case.proven_tier, held.judgement) == (State.LOCATING, 3, [])
    done = check()
    assert (done.status, done.method, done.tier) == (CheckStatus.PASSED, "data_points_3_declared", 3)
    assert done.stated_sealed is None
    assert "Jorun Hazelbank" in done.declaration
    assert "penalty of perjury" in done.declaration
    trail = repr(list(AuditEvent.objects.filter(chain=request.case.chain).values_list("what", "details")))
    assert "data_points_matched" in trail
    for value in facts().values():
        assert value.strip().lower() not in trail.lower()


def mail_of(email: str, reference: str) -> str:
    """The newest mail, less what differs between any two."""
    return lasting(house.body_of(house.mails(email)[-1]), reference)


def test_law_10_neither_page_nor_mail_says_which_point_failed_or_whether_we_know_them(
    visitor: Visitor, monkeypatch: pytest.MonkeyPatch
) -> None:
    right = facts()
    wrong = {"name": "Somebody Else", "phone": "+1 212 555 0100", "invoice_number": "X-1"}
    tries = [
        (CAST.neighbour, wrong), (CAST.unknown, right), (CAST.neighbour, {**right, "phone": wrong["phone"]}),
    ]  # fmt: skip
    seen, pages = [], []
    for email, stated in tries:
        one = Visitor()
        request = in_california(one, email)
        reference = request.case.reference
        with monkeypatch.context() as here:
            here.setattr(registry, "connector", None)
            here.setattr(data_points, "connector", None)
            asked = page(one.post(POINTS, typed(stated)))
        data_points.drain()
        work()
        found = page(one.get(PROVE))
        pages.append(lasting(asked + found, reference).replace(f"/case/{request.pk}/", "•"))
        seen.append(mail_of(email, reference))
        assert PrivacyRequest.objects.get(pk=request.pk).state == State.REVIEW
        assert "You can try this 2 times" in " ".join(found.split())
    assert pages[0] == pages[1] == pages[2]
    assert seen[0] == seen[1] == seen[2]
    assert "They do not fit what we hold in every point" in " ".join(seen[0].split())


def test_law_7_the_tries_are_counted_in_the_database_and_then_this_way_is_closed(
    visitor: Visitor, settings: Settings
) -> None:
    settings.PROOF_ATTEMPTS = 2
    in_california(visitor)
    wrong = {**facts(), "phone": "+1 212 555 0100"}
    for left in ("once more", "too many tries"):
        visitor.post(POINTS, typed(wrong))
        again = words(visitor.post(POINTS, typed(facts())))
        assert "We compare" in again, "one at a time"
        data_points.drain()
        assert left in words(visitor.get(PROVE))
    visitor.post(POINTS, typed(facts()))
    assert data_points.drain() == 0
    assert only().case.proven_tier == 2
    settings.PROOF_ATTEMPTS_PER_ADDRESS = 3
    other = in_california(Visitor())
    assert data_points.attempts_left(other.case) == 1, "another case of the same address"


def test_what_was_typed_wrongly_is_said_and_costs_no_try(visitor: Visitor) -> None:
    in_california(visitor)
    good = typed(facts())
    for bad, said in (
        ({"value1": ""}, "Please enter it"),
        ({"value1": "12"}, "does not look right"),
        ({"name": " "}, "sign with your full name"),
        ({"on": "2020-01-01"}, "the day of today"),
        ({"on": "tomorrow"}, "year-month-day"),
    ):
        answer = visitor.post(POINTS, {**good, **bad})
        assert answer.status_code == 422
        assert said in words(answer)
        assert good["value0"].strip() in answer.content.decode(), "nothing typed is lost"
    assert not IdentityCheck.objects.filter(kind=CheckKind.DATA_POINTS).exists()


def test_a_source_that_is_down_delays_and_does_not_fail(visitor: Visitor) -> None:
    in_california(visitor)
    Source.objects.update_or_create(key="platform", defaults={"enabled": False})
    visitor.post(POINTS, typed(facts()))
    assert data_points.drain() == 0
    assert check().status == CheckStatus.PENDING
    IdentityCheck.objects.filter(kind=CheckKind.DATA_POINTS).update(expires_at=timezone.now() - timedelta(seconds=1))
    assert data_points.drain() == 1
    assert (check().status, check().stated_sealed) == (CheckStatus.SUPERSEDED, None)
    assert data_points.attempts_left(only().case) == 3
    assert "could not be compared" in words(visitor.get(PROVE))
    work()
    assert "does not count as a try" in house.body_of(house.mails(CAST.neighbour)[-1])
    Source.objects.update(enabled=True)
    visitor.post(POINTS, typed(facts()))
    data_points.drain()
    assert only().case.proven_tier == 3


def test_whoever_cannot_show_it_may_have_the_categories(visitor: Visitor) -> None:
    """11 CCR 7024(a)."""
    request = in_california(visitor)
    path = f"/case/{request.pk}/fall-back/"
    assert "Instead of what you asked (Get a copy)" in words(visitor.get(PROVE))
    assert Visitor().post(path).status_code == 404
    visitor.get(path)
    assert only().right == "access", "looking changes nothing"
    assert "You get the list of what we hold" in words(visitor.post(path))
    work()
    assert (only().right, only().tier_needed) == ("know", 2)
    assert "not to be had" in words(visitor.post(path))
    assert "Show that it is you" not in words(visitor.get("/case/"))


def test_law_10_the_letter_that_nothing_was_proven_is_the_same_whether_or_not_anybody_is_known(
    visitor: Visitor,
) -> None:
    said = []
    approver = person_of_the_desk(Role.APPROVER)
    for email in (CAST.neighbour, CAST.unknown):
        one = Visitor()
        request = in_california(one, email)
        one.post(POINTS, typed({**facts(), "phone": "+1 212 555 0100"}))
        data_points.drain()
        PrivacyRequest.objects.filter(pk=request.pk).update(target_on=timezone.localdate())
        decide.lapse(request.pk, "A signed declaration that fits never came.", actor=approver)
        work()
        reference = request.case.reference
        mails = [f"{one['Subject']}\n{house.body_of(one)}" for one in house.mails(email)]
        letter = Message.objects.get(request=request, notice=Notice.NOT_PROVEN)
        pages = page(one.get(f"/case/letters/{letter.pk}/"))
        made = [*mails, pages.replace(f"/letters/{letter.pk}/", "•")]
        said.append([lasting(one, reference) for one in made])
    assert said[0] == said[1]
    assert "A signed declaration that fits never came." in said[0][-1]
