"""The data map: what it accepts, what it says about the live database."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
import yaml

from dsar.datamap import loader
from dsar.datamap.check import check, diff, warnings
from dsar.datamap.discover import LiveTable, live_tables
from dsar.datamap.loader import DataMapError
from dsar.enums import UNVERIFIED_RIGHTS

GOOD: dict[str, Any] = {
    "version": 1,
    "user_ids": "shop",
    "sources": {
        "shop": {
            "connector": "sql",
            "label": "Shop",
            "identity": {"table": "users"},
            "tables": {
                "users": {
                    "key": "id", "person": "id", "category": "account",
                    "columns": {"id": {}, "email": {"personal": True}},
                },
                "orders": {
                    "key": "id", "person": "user_id", "category": "orders",
                    "columns": {"id": {}, "user_id": {}, "at": {}, "note": {"personal": True, "mask": "null"}},
                    "retention": [{"code": "TAX_ACCOUNTING", "anchor": "at", "years": 10}],
                },
                "items": {
                    "key": "id", "via": {"column": "order_id", "table": "orders"}, "category": "orders",
                    "columns": {"id": {}, "order_id": {}},
                },
            },
        }
    },
    "categories": {"account": {"label": "Account"}, "orders": {"label": "Orders"}},
}  # fmt: skip


def changed(path: str, value: object) -> str:
    """The good map as YAML, with one place set (a list or dict replaces, None removes)."""
    data = yaml.safe_load(yaml.safe_dump(GOOD, sort_keys=False))
    place = data
    *way, last = path.split(".")
    for name in way:
        place = place[name]
    if value is None:
        del place[last]
    else:
        place[last] = value
    return yaml.safe_dump(data, sort_keys=False)


def test_what_an_answer_would_lack_is_warned_of() -> None:
    lacking = {**GOOD, "recipients": {"post": {"label": "Post office", "tells": ["deletion"]}}}
    lacking["categories"] = {
        "account": {"label": "Account", "purpose": "p", "basis": "b", "source": "s", "recipients": ["post"]},
        "orders": {"label": "Orders", "basis": "b"},
    }
    assert warnings(loader.parse(yaml.safe_dump(lacking))) == [
        "category orders: no purpose, no source",
        "recipient post has no contact: telling them is a person's task",
        "no source says how these choices are carried out there, so our list alone: " + ", ".join(UNVERIFIED_RIGHTS),
        "source shop: no identity.created_at, so a person looks at each account that comes back",
    ]


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"label": "X", "kind": "third_party", "identifier": "email"}, "gets no identifier"),
        ({"label": "X", "contact": "a@x.example, b@x.example"}, "one mail address"),
        ({"label": "X", "tells": ["know"]}, "tells"),
    ],
)
def test_a_recipient_that_could_not_be_told_rightly_is_refused(given: dict[str, Any], said: str) -> None:
    with pytest.raises(DataMapError, match=said):
        loader.parse(yaml.safe_dump({**GOOD, "recipients": {"x": given}}))


def test_a_good_map_is_read() -> None:
    data_map = loader.parse(yaml.safe_dump(GOOD, sort_keys=False))
    source = data_map.sources["shop"]
    assert source.used_categories == ("account", "orders")
    assert source.tables["orders"].personal == ("note",)
    assert source.cycle_from("items") == ()


@pytest.mark.parametrize(
    "path, value, message",
    [
        ("version", 2, "version 1"),
        ("sources.shop.identity", None, "without an identity"),
        ("sources.shop.identity.email", "mail", "users.mail is not classified"),
        ("sources.shop.tables.orders.person", None, "either person or via"),
        ("sources.shop.tables.orders.key", "nr", "not under columns: nr"),
        ("sources.shop.tables.orders.organisation", "org", "not under columns: org"),
        ("sources.shop.tables.orders.category", "unheard", "not under categories: unheard"),
        ("sources.shop.tables.orders.disposal", "shred", "disposal"),
        ("sources.shop.tables.users.disposal", "keep", "needs a retention rule"),
        ("sources.shop.tables.orders.columns.note", {"personal": True, "mask": "blur"}, "mask"),
        ("sources.shop.tables.orders.columns.note", {"private": True}, "Extra inputs"),
        ("sources.shop.tables.orders.retention", [{"code": "X", "anchor": "at"}], "needs a period"),
        ("sources.shop.tables.orders.retention", [{"code": "X", "years": 3}], "needs an anchor"),
        ("sources.shop.tables.orders.retention", [{"code": "X", "when": {"gone": 1}}], "not under columns: gone"),
        ("sources.shop.tables.items.via.table", "nowhere", "nowhere is not under tables"),
        ("sources.shop.financial_year_end", "13-01", "month"),
        ("sources.shop.financial_year_end", "end of March", "MM-DD"),
        ("sources.shop.close", [{"table": "users"}], "either delete or set"),
        ("sources.shop.close", [{"table": "orders", "set": {"x": 1}}], "orders.x is not classified"),
        ("sources.shop.close", [{"table": "gone", "delete": True}], "gone is not under tables"),
    ],
)
def test_a_faulty_map_says_what_is_wrong(path: str, value: object, message: str) -> None:
    with pytest.raises(DataMapError) as caught:
        loader.parse(changed(path, value))
    assert message in " ".join(caught.value.messages)


def test_a_circle_of_paths_is_refused() -> None:
    data = yaml.safe_load(yaml.safe_dump(GOOD, sort_keys=False))
    orders = data["sources"]["shop"]["tables"]["orders"]
    del orders["person"]
    orders["via"] = {"column": "user_id", "table": "items", "key": "id"}
    with pytest.raises(DataMapError, match="circle"):
        loader.parse(yaml.safe_dump(data, sort_keys=False))


@pytest.mark.parametrize("text", ["", "a: [", "- 1", "version: 1", "\x00", "a: &x [*x]"])
def test_what_is_no_map_is_refused(text: str) -> None:
    with pytest.raises(DataMapError):
        loader.parse(text)


def test_the_financial_year_of_the_source_reaches_its_rules() -> None:
    data_map = loader.parse(changed("sources.shop.financial_year_end", "03-31"))
    period = data_map.sources["shop"].tables["orders"].retention[0].period
    assert period is not None and period.financial_year_end == "03-31"


def test_the_file_is_read_again_only_when_it_has_changed(tmp_path: Path) -> None:
    path = tmp_path / "map.yaml"
    path.write_text(yaml.safe_dump(GOOD, sort_keys=False))
    first = loader.load(path)
    assert loader.load(path) is first
    path.write_text(changed("sources.shop.label", "Another shop"))
    os.utime(path, ns=(1, 1))
    assert loader.load(path).sources["shop"].label == "Another shop"
    with pytest.raises(DataMapError, match=r"absent\.yaml"):
        loader.load(tmp_path / "absent.yaml")


@pytest.fixture
def live(tmp_path: Path) -> dict[str, LiveTable]:
    engine = sa.create_engine(f"sqlite:///{tmp_path / 'live.sqlite3'}", poolclass=sa.NullPool)
    with engine.begin() as connection:
        for statement in (
            "CREATE TABLE users (id INTEGER PRIMARY KEY, email TEXT)",
            "CREATE TABLE orders (id INTEGER PRIMARY KEY, user_id INTEGER REFERENCES users (id), at DATE, note TEXT)",
            "CREATE TABLE items (id INTEGER PRIMARY KEY, order_id INTEGER)",
        ):
            connection.exec_driver_sql(statement)
    return live_tables(engine)


def messages(text: str, live: dict[str, LiveTable], known: bool = True) -> list[str]:
    return check(loader.parse(text), {"shop": live}, lambda code: known)


class TestCheck:
    def test_a_map_that_fits_raises_nothing(self, live: dict[str, LiveTable]) -> None:
        assert messages(yaml.safe_dump(GOOD, sort_keys=False), live) == []
        assert live["orders"].refers_to == ("users",)

    def test_a_table_nobody_named_is_reported_until_it_is_ignored(self, live: dict[str, LiveTable]) -> None:
        live["letters"] = LiveTable("letters", (), (), ())
        assert diff(loader.parse(yaml.safe_dump(GOOD, sort_keys=False)).sources["shop"], live) == ["letters"]
        assert "letters is not named" in messages(yaml.safe_dump(GOOD, sort_keys=False), live)[0]
        assert messages(changed("sources.shop.ignored_tables", ["letters"]), live) == []

    def test_an_unclassified_column_is_reported(self, live: dict[str, LiveTable]) -> None:
        assert messages(changed("sources.shop.tables.orders.columns.note", None), live) == [
            "shop: orders: column note is unclassified"
        ]

    def test_what_the_database_has_lost_is_reported(self, live: dict[str, LiveTable]) -> None:
        del live["items"]
        found = messages(changed("sources.shop.tables.orders.columns.extra", {}), live)
        assert found == [
            "shop: orders: column extra is not in the database",
            "shop: table items is not in the database",
        ]

    def test_an_unknown_code_is_reported(self, live: dict[str, LiveTable]) -> None:
        assert "TAX_ACCOUNTING is unknown" in messages(yaml.safe_dump(GOOD, sort_keys=False), live, known=False)[0]

    def test_a_key_that_is_not_the_key_is_reported(self, live: dict[str, LiveTable]) -> None:
        assert "not the primary key (id)" in messages(changed("sources.shop.tables.orders.key", "user_id"), live)[0]

    def test_an_anchor_that_is_no_date_is_reported(self, live: dict[str, LiveTable]) -> None:
        rule = [{"code": "X", "anchor": "user_id", "days": 1}]
        assert "anchor user_id is no date" in messages(changed("sources.shop.tables.orders.retention", rule), live)[0]

    def test_an_unused_category_is_reported(self, live: dict[str, LiveTable]) -> None:
        assert "category spare" in messages(changed("categories.spare", {"label": "Spare"}), live)[0]

    def test_organisations_are_looked_up_too(self, live: dict[str, LiveTable]) -> None:
        members = {"table": "members", "person": "user_id", "organisation": "org_id"}
        assert len(messages(changed("sources.shop.organisations", members), live)) == 2


def test_a_field_that_no_words_fit_into_is_reported(live: dict[str, LiveTable]) -> None:
    columns = live["orders"].columns
    live["orders"] = replace(live["orders"], columns=(*columns[:-1], replace(columns[-1], kind="bool")))
    given = yaml.safe_load(changed("fields", {"note": {"label": "Note"}}))
    given["sources"]["shop"]["tables"]["orders"]["columns"]["note"]["correct"] = "note"
    assert "note cannot be corrected" in messages(yaml.safe_dump(given), live)[0]


CHOICE: dict[str, Any] = {"table": "orders", "set": {"note": "no"}, "undo": {"note": None}}


@pytest.mark.parametrize(
    "kind, given, says",
    [
        ("opt_out_everything", {}, "is none of"),
        ("opt_out_sale", {"undo": {}}, "could not be taken back"),
        ("opt_out_sale", {"undo": {"note": None, "at": "now"}}, "undo sets at, which the choice does not"),
        ("opt_out_sale", {"set": {"user_id": 1}, "undo": {"user_id": 2}}, "user_id joins the row to its person"),
        ("opt_out_sale", {"set": {"note": "now"}}, "nothing else tells which rows to take back"),
        ("opt_out_sale", {}, ""),
    ],
)
def test_a_choice_is_one_that_can_be_made_and_taken_back(kind: str, given: dict[str, Any], says: str) -> None:
    found = loader.parse(changed("sources.shop.choices", {kind: [{**CHOICE, **given}]}))
    messages = [message for message in check(found, {}, lambda _code: True) if "choices" in message]
    assert bool(messages) == bool(says)
    assert says in " ".join(messages)


def test_a_mark_of_a_restriction_can_be_taken_back_too() -> None:
    found = loader.parse(changed("sources.shop.restrict", [{**CHOICE, "undo": {}}]))
    messages = [message for message in check(found, {}, lambda _code: True) if "restrict" in message]
    assert "could not be taken back" in " ".join(messages)
    with pytest.raises(DataMapError, match=r"restrict: orders.paid is not classified"):
        loader.parse(changed("sources.shop.restrict", [{**CHOICE, "set": {"paid": True}}]))


def test_a_choice_names_columns_that_are_classified() -> None:
    with pytest.raises(DataMapError, match=r"orders.paid is not classified"):
        loader.parse(changed("sources.shop.choices", {"opt_out_sale": [{**CHOICE, "only": {"paid": True}}]}))
