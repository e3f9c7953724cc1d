"""The promises every connector keeps. Inherit ConnectorContract and give it a world."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, fields
from typing import Any, Protocol

import pytest

from dsar.connectors.base import Connector, Identity, Intent, NotSupported, Outcome, TableOrder, Tally

KEY = b"step key of the contract suite.."

Snapshot = dict[str, list[tuple[Any, ...]]]


class World(Protocol):
    """A filled source. Every person in `people` holds the same kinds and numbers of rows."""

    people: tuple[str, ...]  # e-mail addresses as they are stored
    secrets: dict[str, tuple[str, ...]]  # per address: personal values that no export may show after an erasure
    orders: tuple[TableOrder, ...]
    name_rows: int  # how many rows of each person say the field "name"
    choice: str  # a choice that the data map describes, not made by anybody yet
    proves: str  # a field that a column only proves, and that says three different things and more of each

    def connector(self, *, fresh: bool = False) -> Connector:
        """Return the connector: with `fresh`, one that remembers nothing, as in a process just started."""

    def snapshot(self, *, without: str = "") -> Snapshot:
        """Return every row of the source, without those of one person."""


@dataclass
class Totals:
    removed: int = 0
    anonymised: int = 0
    kept: int = 0
    absent: int = 0
    failed: int = 0
    changed: int = 0

    def add(self, tallies: Iterable[Tally]) -> Totals:
        for tally in tallies:
            for field in fields(self):
                setattr(self, field.name, getattr(self, field.name) + getattr(tally, field.name))
        return self

    @property
    def done(self) -> int:
        return self.removed + self.anonymised


def ref_of(world: World, email: str) -> str:
    located = world.connector().locate(Identity(email), world.orders)
    assert located.status == "one"
    return located.ref


def intents(world: World, ref: str, limit: int = 100) -> list[Intent]:
    """The chunks as they are named while nothing is erased."""
    found = [world.connector().next_chunk(ref, world.orders, "", limit)]
    while not found[-1].last:
        found.append(world.connector().next_chunk(ref, world.orders, found[-1].cursor, limit))
    return found


def erase_all(world: World, ref: str, *, limit: int = 100, fresh: bool = False) -> Totals:
    connector, cursor, totals = world.connector(), "", Totals()
    while True:
        if fresh:
            connector = world.connector(fresh=True)
        intent = connector.next_chunk(ref, world.orders, cursor, limit)
        assert sum(len(operation.keys) for operation in intent.operations) <= limit
        totals.add(connector.erase(ref, world.orders, intent, KEY, False).tallies)
        cursor = intent.cursor
        if intent.last:
            return totals


class ConnectorContract:
    """Subclasses provide the fixture `world`."""

    @pytest.fixture
    def world(self) -> World:
        raise NotImplementedError

    def test_it_answers_a_ping(self, world: World) -> None:
        world.connector().ping()

    def test_a_stranger_is_nowhere(self, world: World) -> None:
        before = world.snapshot()
        assert world.connector().locate(Identity("stranger@example.com"), world.orders).status == "none"
        assert world.snapshot() == before

    @pytest.mark.parametrize("email", ["", " ", "unknown@example.com", "NoReply@example.com", "n/a", "none", "@", "a@"])
    def test_an_identity_that_names_nobody_matches_nothing(self, world: World, email: str) -> None:
        located = world.connector().locate(Identity(email), world.orders)
        assert (located.status, located.ref, located.holdings) == ("none", "", ())

    @pytest.mark.parametrize("ref", ["", " ", "None", "null", "0", "-1", "1 OR 1=1", "999999999"])
    def test_a_ref_that_names_nobody_touches_nothing(self, world: World, ref: str) -> None:
        before, connector = world.snapshot(), world.connector()
        for intent in (
            connector.next_chunk(ref, world.orders, "", 100),
            *intents(world, ref_of(world, world.people[0])),
        ):
            assert Totals().add(connector.erase(ref, world.orders, intent, KEY, False).tallies).done == 0
        assert connector.close(ref) == Outcome()
        assert connector.apply(ref, world.choice, on=True) == connector.apply(ref, world.choice, on=False) == Outcome()
        assert connector.verify(ref, world.orders, KEY).left == ()
        assert connector.export(ref, "", 100).rows == ()
        assert world.snapshot() == before

    def test_the_address_matches_whatever_its_case(self, world: World) -> None:
        ref = ref_of(world, world.people[0])
        located = world.connector().locate(Identity(f"  {world.people[0].upper()}\n"), world.orders)
        assert (located.status, located.ref) == ("one", ref)

    def test_reading_changes_nothing(self, world: World) -> None:
        ref, before, connector = ref_of(world, world.people[0]), world.snapshot(), world.connector()
        connector.next_chunk(ref, world.orders, "", 3)
        connector.verify(ref, world.orders, KEY)
        connector.export(ref, "", 3)
        assert world.snapshot() == before

    def test_living_accounts_are_listed_once_and_erased_ones_never(self, world: World) -> None:
        connector, before = world.connector(), world.snapshot()
        ref, neighbour = ref_of(world, world.people[0]), ref_of(world, world.people[1])
        found = connector.account(ref)
        assert found is not None
        assert (found.ref, Identity(found.email)) == (ref, Identity(world.people[0]))
        everyone = [account.ref for account in connector.accounts("", 1000)]
        paged, after = [], ""
        while page := connector.accounts(after, 2):
            assert len(page) <= 2
            paged += [account.ref for account in page]
            after = page[-1].ref
        assert paged == everyone
        assert len(everyone) == len(set(everyone))
        assert {ref, neighbour} <= set(everyone)
        assert world.snapshot() == before
        erase_all(world, ref)
        assert connector.account(ref) is None
        assert ref not in [account.ref for account in connector.accounts("", 1000)]
        assert connector.account("") is None

    def test_it_erases_what_it_forecast(self, world: World) -> None:
        located = world.connector().locate(Identity(world.people[0]), world.orders)
        own = [holding for holding in located.holdings if holding.owner == "own"]
        totals = erase_all(world, located.ref)
        assert totals == Totals(
            removed=sum(holding.erase for holding in own),
            anonymised=sum(holding.mask for holding in own),
            kept=sum(holding.keep + holding.indeterminate for holding in own),
        )
        assert totals.done > 0

    def test_after_erasing_nothing_is_left_and_nobody_is_found(self, world: World) -> None:
        ref = ref_of(world, world.people[0])
        assert world.connector().verify(ref, world.orders, KEY).left
        erase_all(world, ref)
        assert world.connector().verify(ref, world.orders, KEY).left == ()
        assert world.connector().locate(Identity(world.people[0]), world.orders).status == "none"

    def test_a_mask_of_another_step_does_not_count_as_verified_by_accident(self, world: World) -> None:
        ref = ref_of(world, world.people[0])
        erase_all(world, ref)
        first = world.snapshot()
        erase_all(world, ref)
        assert world.snapshot() == first

    def test_a_second_erasure_finds_it_already_absent(self, world: World) -> None:
        ref = ref_of(world, world.people[0])
        chunks = intents(world, ref)
        first = erase_all(world, ref)
        state, again = world.snapshot(), Totals()
        for intent in chunks:
            again.add(world.connector().erase(ref, world.orders, intent, KEY, False).tallies)
        assert again == Totals(kept=first.kept, absent=first.done)
        assert erase_all(world, ref).done == 0
        assert world.snapshot() == state

    def test_a_redo_after_the_commit_counts_the_same(self, world: World) -> None:
        ref = ref_of(world, world.people[0])
        for intent in intents(world, ref, limit=4):
            first = world.connector().erase(ref, world.orders, intent, KEY, False)
            state = world.snapshot()
            again = world.connector().erase(ref, world.orders, intent, KEY, True)
            assert Totals().add(again.tallies) == Totals().add(first.tallies)
            assert world.snapshot() == state

    def test_a_redo_of_what_never_happened_does_it(self, world: World) -> None:
        ref = ref_of(world, world.people[0])
        expected = erase_all(world, ref_of(world, world.people[1]))
        totals = Totals()
        for intent in intents(world, ref, limit=4):
            totals.add(world.connector().erase(ref, world.orders, intent, KEY, True).tallies)
        assert totals == expected

    def test_an_erasure_that_is_stopped_before_its_commit_leaves_no_trace(self, world: World) -> None:
        class PastItsLease(Exception):
            pass

        def stop() -> None:
            raise PastItsLease

        ref, before = ref_of(world, world.people[0]), world.snapshot()
        for intent in intents(world, ref):
            with pytest.raises(PastItsLease):
                world.connector().erase(ref, world.orders, intent, KEY, False, before_commit=stop)
        assert world.snapshot() == before
        assert erase_all(world, ref).done > 0

    @pytest.mark.parametrize("limit", [1, 2, 5])
    def test_killed_between_chunks_it_ends_the_same(self, world: World, limit: int) -> None:
        undisturbed = erase_all(world, ref_of(world, world.people[1]))
        ref = ref_of(world, world.people[0])
        assert erase_all(world, ref, limit=limit, fresh=True) == undisturbed
        assert world.connector().verify(ref, world.orders, KEY).left == ()

    def test_a_neighbours_rows_stay_byte_equal(self, world: World) -> None:
        email = world.people[0]
        before, ref = world.snapshot(without=email), ref_of(world, email)
        world.connector().close(ref)
        erase_all(world, ref)
        assert world.snapshot(without=ref) == before

    def test_another_persons_intent_touches_nobody(self, world: World) -> None:
        first, second = (ref_of(world, email) for email in world.people[:2])
        before = world.snapshot()
        for intent in intents(world, first):
            assert Totals().add(world.connector().erase(second, world.orders, intent, KEY, False).tallies).done == 0
        assert world.snapshot() == before

    def test_closing_twice_changes_no_more(self, world: World) -> None:
        ref = ref_of(world, world.people[0])
        assert world.connector().close(ref).tallies
        state = world.snapshot()
        assert world.connector().close(ref) == Outcome()
        assert world.snapshot() == state

    def test_a_choice_is_carried_out_once_and_counted(self, world: World) -> None:
        ref, before = ref_of(world, world.people[0]), world.snapshot()
        done = world.connector().apply(ref, world.choice, on=True)
        assert done.tallies
        assert all(tally.changed for tally in done.tallies)
        state = world.snapshot()
        assert state != before
        assert world.connector(fresh=True).apply(ref, world.choice, on=True) == Outcome()
        assert world.snapshot() == state

    def test_a_choice_is_taken_back_as_if_it_had_never_been_made(self, world: World) -> None:
        ref, before = ref_of(world, world.people[0]), world.snapshot()
        done = world.connector().apply(ref, world.choice, on=True)
        assert world.connector().apply(ref, world.choice, on=False) == done
        assert world.snapshot() == before
        assert world.connector().apply(ref, world.choice, on=False) == Outcome()

    def test_a_choice_touches_nobody_else(self, world: World) -> None:
        ref = ref_of(world, world.people[0])
        before = world.snapshot(without=ref)
        for on in (True, False):
            world.connector().apply(ref, world.choice, on=on)
            assert world.snapshot(without=ref) == before

    def test_a_choice_that_nobody_described_is_a_persons_task(self, world: World) -> None:
        ref, before = ref_of(world, world.people[0]), world.snapshot()
        with pytest.raises(NotSupported):
            world.connector().apply(ref, "no such choice", on=True)
        assert world.snapshot() == before

    @pytest.mark.parametrize("limit", [1, 3, 100])
    def test_an_export_pages_through_every_row_once(self, world: World, limit: int) -> None:
        ref, rows, cursor, last = ref_of(world, world.people[0]), [], "", False
        while not last:
            page = world.connector().export(ref, cursor, limit)
            assert len(page.rows) <= limit
            rows += [
                (row.table, tuple(sorted((key, str(value)) for key, value in row.values.items()))) for row in page.rows
            ]
            cursor, last = page.cursor, page.last
        whole = world.connector().export(ref, "", 1000).rows
        assert len(rows) == len(set(rows)) == len(whole) > 0

    def test_an_export_after_an_erasure_shows_only_what_was_kept(self, world: World) -> None:
        email = world.people[0]
        ref = ref_of(world, email)
        erase_all(world, ref)
        shown = repr(world.connector().export(ref, "", 1000).rows)
        assert [secret for secret in world.secrets[email] if secret in shown] == []

    def test_a_foreign_cursor_is_refused(self, world: World) -> None:
        from dsar.connectors.base import SourceBroken

        ref = ref_of(world, world.people[0])
        for cursor in ("nowhere:1", "no cursor", ":", "nowhere"):
            with pytest.raises(SourceBroken, match="bad_cursor"):
                world.connector().next_chunk(ref, world.orders, cursor, 5)

    # --- correcting, restricting ---------------------------------------------------------------------------------------

    def test_a_correction_is_written_everywhere_the_field_stands(self, world: World) -> None:
        ref = ref_of(world, world.people[0])
        outcome = world.connector().rectify(ref, {"name": "Ann Nowcorrect"})
        assert Totals().add(outcome.tallies) == Totals(changed=world.name_rows)
        assert world.connector().current(ref, ("name",)) == {"name": ("Ann Nowcorrect",)}

    def test_corrected_again_nothing_changes_and_every_row_counts_as_right_already(self, world: World) -> None:
        ref = ref_of(world, world.people[0])
        world.connector().rectify(ref, {"name": "Ann Nowcorrect"})
        state = world.snapshot()
        again = world.connector(fresh=True).rectify(ref, {"name": "Ann Nowcorrect"})
        assert Totals().add(again.tallies) == Totals(absent=world.name_rows)
        assert world.snapshot() == state

    def test_a_correction_leaves_the_neighbours_rows_byte_equal(self, world: World) -> None:
        email = world.people[0]
        ref = ref_of(world, email)
        before = world.snapshot(without=ref)
        world.connector().rectify(ref, {"name": "Ann Nowcorrect"})
        assert world.snapshot(without=ref) == before

    def test_what_a_column_proves_is_said_of_its_person_alone_and_no_more_of_it_than_is_asked_for(
        self, world: World
    ) -> None:
        before = world.snapshot()
        said = [world.connector().locate(Identity(email), ()).ref for email in world.people[:2]]
        values = [world.connector().current(ref, (world.proves,), 500)[world.proves] for ref in said]
        assert len(values[0]) == len(values[1]) >= 3
        assert set(values[0]).isdisjoint(values[1])
        assert len(world.connector(fresh=True).current(said[0], (world.proves,), 2)[world.proves]) == 2
        assert world.snapshot() == before

    def test_what_a_column_only_proves_is_never_corrected(self, world: World) -> None:
        from dsar.connectors.base import SourceBroken

        ref, before = ref_of(world, world.people[0]), world.snapshot()
        with pytest.raises(SourceBroken, match="bad_value"):
            world.connector().rectify(ref, {world.proves: "something else"})
        assert world.snapshot() == before

    def test_looking_at_what_it_says_changes_nothing(self, world: World) -> None:
        ref, before = ref_of(world, world.people[0]), world.snapshot()
        assert list(world.connector().current(ref, ("name", "no such field"))) == ["name"]
        assert world.snapshot() == before

    @pytest.mark.parametrize(
        "changes",
        [{}, {"shoe_size": "44"}, {"name": "Ann", "shoe_size": "44"}, {"name": "x" * 5000}],
        ids=["nothing", "unknown", "one unknown", "too long"],
    )
    def test_what_it_does_not_know_or_cannot_hold_is_refused_and_nothing_written(
        self, world: World, changes: dict[str, str]
    ) -> None:
        from dsar.connectors.base import SourceBroken

        ref, before = ref_of(world, world.people[0]), world.snapshot()
        with pytest.raises(SourceBroken, match="bad_value"):
            world.connector().rectify(ref, changes)
        assert world.snapshot() == before

    def test_restricted_twice_and_lifted_twice_it_is_as_before(self, world: World) -> None:
        ref, before = ref_of(world, world.people[0]), world.snapshot()
        others = world.snapshot(without=ref)
        assert Totals().add(world.connector().restrict(ref).tallies) == Totals(changed=1)
        state = world.snapshot()
        assert state != before
        assert world.connector().restrict(ref) == Outcome()
        assert world.snapshot() == state
        assert world.snapshot(without=ref) == others
        assert Totals().add(world.connector().lift(ref).tallies) == Totals(changed=1)
        assert world.snapshot() == before
        assert world.connector().lift(ref) == Outcome()

    @pytest.mark.parametrize("ref", ["", " ", "None", "null", "0", "-1", "1 OR 1=1", "999999999"])
    def test_a_ref_that_names_nobody_is_neither_corrected_nor_restricted(self, world: World, ref: str) -> None:
        before, connector = world.snapshot(), world.connector()
        assert Totals().add(connector.rectify(ref, {"name": "Nobody"}).tallies) == Totals()
        assert connector.restrict(ref) == connector.lift(ref) == Outcome()
        assert not any(connector.current(ref, ("name", world.proves)).values())
        assert world.snapshot() == before
