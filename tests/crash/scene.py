"""One person's deletion on a stage where processes die, and everything there is to compare at its end."""

import re
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from typing import Any
from unittest import mock

import sqlalchemy as sa

from accounts.models import Role, User
from dsar import audit, journal
from dsar.demo.schema import metadata
from dsar.enums import State, StepKind, StepStatus
from dsar.fulfilment import control, locating, runner
from dsar.models import Message, PrivacyRequest, Step, Tombstone
from dsar.notices import MessageStatus, Notice
from dsar.notifications import letters, outbox
from dsar.verification import confirmation
from tests import drive, house
from tests.house import CAST, Person, wait_for

Company = dict[str, list[dict[str, Any]]]
UID = uuid.UUID("5f1d7c1e-9a54-4c6e-8f4e-0c0ffee0d417")
ACCOUNT = 740_001
# Set to the time of day, or numbered by a sequence that counts rolled-back rows too.
DIFFERENT = {("refunds", "created_at"), ("api_keys", "revoked_at"), ("users", "closed_at"), ("refunds", "id")}


@dataclass(frozen=True)
class End:
    """What is left of a deletion: everywhere, and in the letter. Equal for two runs that did the same."""

    state: str
    outcome: str
    attention: str
    steps: list[tuple[str, str, str, str]]
    erased: dict[str, list[dict[str, Any]]]
    items: list[dict[str, Any]]
    letter: list[str]
    tombstones: list[tuple[str, str]]
    marks: dict[str, str]
    account: tuple[Any, ...]
    company: Company


@dataclass
class Scene:
    """A deletion under way."""

    pk: int
    neighbour: Company = field(default_factory=dict)

    @property
    def request(self) -> PrivacyRequest:
        """As the database has it now."""
        return PrivacyRequest.objects.select_related("case").get(pk=self.pk)

    def step(self, kind: StepKind = StepKind.ERASE, source: str = "platform") -> Step:
        """A step, as the database has it now."""
        return Step.objects.get(request_id=self.pk, kind=kind, source=source)

    def confirm(self) -> None:
        """The person confirms the plan that stands."""
        plan = confirmation.current_plan(self.request)
        assert plan is not None
        confirmation.confirm(self.pk, plan.digest)

    def closed(self) -> None:
        """Confirmed, closed everywhere, and no mail on its way."""
        self.confirm()
        runner.drain_closing()
        wait_for(lambda: not self.open_steps(StepKind.CLOSE), what="closing")
        self.post_is_out()

    def open_steps(self, *kinds: StepKind) -> list[tuple[str, ...]]:
        """Steps that have not ended, with what they wait for."""
        found = Step.objects.filter(request_id=self.pk).exclude(status=StepStatus.DONE)
        if kinds:
            found = found.filter(kind__in=kinds)
        return list(found.values_list("kind", "source", "status", "reason"))

    def release(self) -> None:
        """An approver lets the workers begin."""
        control.release(self.pk, actor=drive.person_of_the_desk(Role.APPROVER))

    def post_is_out(self) -> None:
        """Every mail has been handed over."""
        outbox.drain()
        waiting = Message.objects.exclude(status__in=[MessageStatus.SENT, MessageStatus.FAILED])
        wait_for(lambda: not waiting.exists(), what="the outbox")

    def finished(self, seconds: float = 45) -> None:
        """The person has the letter."""
        try:
            wait_for(lambda: self.request.state == State.COMPLETED, seconds, "the end")
        except AssertionError as error:
            error.add_note(f"still open: {self.open_steps()}")
            raise
        # Recipients are told after the letter.
        wait_for(lambda: not self.open_steps(StepKind.NOTIFY), what="the telling of recipients")
        waiting = Message.objects.filter(case=self.request.case).exclude(status=MessageStatus.SENT)
        wait_for(lambda: not waiting.exists(), what="the letter")

    def letters_sent(self) -> list[Any]:
        """The mails that bring the last letter."""
        (row,) = Message.objects.filter(request_id=self.pk, notice=Notice.DONE_ERASED)
        assert row.status == MessageStatus.SENT
        identity = _message_id(row)
        return [mail for mail in house.mails(self.request.case.email) if mail["Message-ID"] == identity]

    def end(self, *, letters_expected: int = 1) -> End:
        """Check what must hold at every end, and return what must be the same at each."""
        assert audit.verify() == []
        assert of(_id(CAST.neighbour), company_rows()) == self.neighbour
        sent = self.letters_sent()
        assert len(sent) == letters_expected
        assert len({house.body_of(mail) for mail in sent}) == 1
        journaled = [line for line in journal.lines("erased") if line["request"] == str(UID)]
        assert journaled
        assert all(line["marks"] == journaled[0]["marks"] for line in journaled)
        request = self.request
        user = User.objects.get(pk=ACCOUNT)
        return End(
            state=request.state,
            outcome=request.outcome,
            attention=request.attention,
            steps=list(
                Step.objects.filter(request_id=self.pk)
                .order_by("position", "source")
                .values_list("kind", "source", "status", "reason")
            ),
            erased={step.source: step.tallies for step in Step.objects.filter(request_id=self.pk, kind=StepKind.ERASE)},
            items=letters.items(request),
            letter=_plain(house.body_of(sent[0]), request.case.reference),
            tombstones=sorted(Tombstone.objects.values_list("source", "index")),
            marks=journaled[0]["marks"],
            account=(user.email, user.full_name, user.is_active, user.external_id, user.closed_at is not None),
            company=whole_company(),
        )


def same(found: End, expected: End) -> None:
    """Compare part by part, so that a difference has a name."""
    ours, theirs = asdict(found), asdict(expected)
    for table, rows in theirs.pop("company").items():
        assert ours["company"][table] == rows
    for name, value in theirs.items():
        assert {name: ours[name]} == {name: value}


@contextmanager
def known_number() -> Iterator[None]:
    """Requests opened here carry UID: masks derive from it, and two runs are to be compared."""
    with mock.patch.object(PrivacyRequest._meta.get_field("uid"), "_get_default", lambda: UID):
        yield


def begin() -> Scene:
    """A fresh company, a person who signs in here, and their deletion as it waits for the confirmation."""
    before = a_person()
    with known_number():
        request = drive.by_web(CAST.plain, language="en-gb")
    locating.drain()
    drive.proven_by_link(request.case)
    locating.drain()
    return Scene(request.pk, before)


def a_person() -> Company:
    """A fresh company, and a person of it who signs in here. Returns what belongs to the neighbour."""
    house.fresh_company()
    number = str(_id(CAST.plain))
    User.objects.create_user(CAST.plain, id=ACCOUNT, external_id=number, full_name="Adalin Merefield")
    return of(_id(CAST.neighbour), company_rows())


def ask(person: Person) -> None:
    """The form, filled and sent."""
    person.open("/ask/deletion/")
    person.send("", email=CAST.plain, country="DE")


def begin_in_a_browser(person: Person) -> Scene:
    """The same over HTTP, from the form to the page that asks for the confirmation."""
    before = a_person()
    ask(person)
    person.open(house.link_in(house.mail_to(CAST.plain)))
    person.send("proof")
    wait_for(lambda: person.open("/confirm/").url.path == "/confirm/", what="the confirmation page")
    return Scene(PrivacyRequest.objects.get().pk, before)


def company_rows() -> Company:
    """Every row of every table of the company, as it is."""
    with house.company_engine().connect() as connected:
        return {
            name: [dict(row._mapping) for row in connected.execute(sa.select(table).order_by(table.c.id))]
            for name, table in sorted(metadata.tables.items())
        }


def of(person: int, rows: Company) -> Company:
    """What belongs to one person."""
    found = {name: [row for row in table if row.get("user_id") == person] for name, table in rows.items()}
    held = {key["id"] for key in found["api_keys"]}
    found["users"] = [row for row in rows["users"] if row["id"] == person]
    found["activity_logs"] = [row for row in rows["activity_logs"] if row["api_key_id"] in held]
    return found


def whole_company() -> Company:
    """Every row, to compare two runs: what differs from run to run only says that it is there."""
    return {
        name: [
            {
                column: "there" if (name, column) in DIFFERENT and value is not None else value
                for column, value in row.items()
            }
            for row in rows
        ]
        for name, rows in company_rows().items()
    }


def _id(email: str) -> int:
    found = house.user_id(email)
    assert found is not None
    return found


def _message_id(row: Message) -> str:
    from dsar.notifications import compose

    return str(compose.mail(row).extra_headers["Message-ID"])


def _plain(text: str, reference: str) -> list[str]:
    return re.sub(r"https?://\S+", "<link>", text).replace(reference, "<reference>").splitlines()
