"""Identities, hints, masks, the registry, and the source that only people reach."""

from __future__ import annotations

import json
from datetime import date, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dsar.connectors import registry
from dsar.connectors.base import Holding, Identity, Intent, NotSupported, Outcome, SourceBroken, Tally
from dsar.connectors.django_orm import DjangoConnector
from dsar.connectors.manual import ManualConnector
from dsar.connectors.masks import mask_value
from dsar.connectors.sql import SqlConnector
from dsar.connectors.sql_read import plain
from dsar.datamap.schema import SourceMap

MANUAL = SourceMap.model_validate(
    {"connector": "manual", "label": "Paper files", "categories": ["letters", "contracts"], "owner": "Archive"}
)


class TestIdentity:
    @pytest.mark.parametrize("email", ["Ann@Example.com", " ann@example.com\n", "ANN@EXAMPLE.COM"])
    def test_it_is_normalised(self, email: str) -> None:
        assert Identity(email).email == "ann@example.com"
        assert Identity(email).usable

    @pytest.mark.parametrize(
        "email",
        ["", " ", "none", "NULL", "n/a", "unknown@example.com", "no-reply@example.com", "noreply+1@example.com", "@b.c",
         "a@", "closed-7@invalid", "x@erased.invalid", "none@none"],
    )  # fmt: skip
    def test_a_placeholder_names_nobody(self, email: str) -> None:
        assert not Identity(email).usable

    @given(st.text())
    def test_any_text_is_taken(self, email: str) -> None:
        again = Identity(Identity(email).email)
        assert again.email == again.email.strip()
        assert isinstance(again.usable, bool)


class TestMasks:
    base: dict[str, Any] = {"step_key": b"k", "table": "t", "key": "1", "column": "c", "type_": str, "nullable": False}

    @pytest.mark.parametrize(
        "change", [{"step_key": b"l"}, {"table": "u"}, {"key": "2"}, {"column": "d"}, {"table": "t1", "key": ""}]
    )
    def test_a_pseudonym_depends_on_all_it_is_made_of(self, change: dict[str, Any]) -> None:
        value = mask_value("hash", **self.base)
        assert value == mask_value("hash", **self.base)
        assert value.startswith("masked-")
        assert value != mask_value("hash", **{**self.base, **change})

    def test_what_stands_in_where_the_map_does_not_say(self) -> None:
        assert mask_value(None, **{**self.base, "nullable": True}) is None
        assert mask_value(None, **self.base) == ""
        assert mask_value(None, **self.base, unique=True).startswith("masked-")
        assert mask_value(None, **{**self.base, "type_": int}) == 0
        assert mask_value("zero", **{**self.base, "type_": date}) == date(1970, 1, 1)
        assert mask_value("zero", **{**self.base, "type_": datetime}, aware=True).tzinfo is not None

    def test_special_columns(self) -> None:
        assert mask_value("address", **self.base) == "closed-1@invalid"
        assert mask_value("password", **self.base).startswith("!")
        assert len(mask_value("hash", **self.base, length=8)) == 8

    @pytest.mark.parametrize("kind, type_", [("hash", int), ("zero", object)])
    def test_a_mask_that_does_not_fit_its_column_is_refused(self, kind: Any, type_: type) -> None:
        with pytest.raises(SourceBroken, match="bad_map"):
            mask_value(kind, **{**self.base, "type_": type_})


def test_what_is_stored_comes_back() -> None:
    outcome = Outcome((Tally("c", "t", kept=2, code="X", citation="Art 1", until=date(2030, 1, 1)),), "note")
    assert Outcome.from_json(outcome.as_json()) == outcome
    with pytest.raises(TypeError):
        Holding.from_json({"category": "c", "table": "t", "surprise": 1})


class TestManual:
    def test_it_answers_at_once_with_the_categories_of_the_map(self) -> None:
        connector = ManualConnector("paper", MANUAL)
        connector.ping()
        located = connector.locate(Identity("ann@example.com"), ())
        assert (located.status, located.ref) == ("unknown", "")
        assert located.holdings == (Holding("letters", ""), Holding("contracts", ""))

    def test_everything_else_is_a_persons_task_with_a_reason(self) -> None:
        connector = ManualConnector("paper", MANUAL)
        calls = [
            lambda: connector.close("1"),
            lambda: connector.settle("1", "R", date(2026, 1, 1)),
            lambda: connector.next_chunk("1", (), "", 1),
            lambda: connector.erase("1", (), Intent((), "", True), b"", False),
            lambda: connector.verify("1", (), b""),
            lambda: connector.export("1", "", 1),
            lambda: connector.rectify("1", {}),
            lambda: connector.restrict("1"),
            lambda: connector.apply("1", "out", on=True),
        ]
        for call in calls:
            with pytest.raises(NotSupported) as caught:
                call()
            assert caught.value.reason.startswith("Paper files: ")


class TestRegistry:
    @pytest.fixture
    def data_map(self, tmp_path: Path, settings: Any) -> Path:
        path = tmp_path / "map.yaml"
        path.write_text(
            """
version: 1
sources:
  shop: {connector: sql, label: Shop, url_setting: COMPANY_DATABASE_URL, identity: {table: users}, tables: {
    users: {key: id, person: id, category: account, columns: {id: {}, email: {personal: true}}}}}
  accounts: {connector: django_orm, label: Sign-in, categories: [account]}
  paper: {connector: manual, label: Paper files, categories: [account]}
  odd: {connector: telepathy, label: Odd, categories: [account]}
categories: {account: {label: Account}}
"""
        )
        settings.DATA_MAP = path
        settings.COMPANY_DATABASE_URL = f"sqlite:///{tmp_path / 'company.sqlite3'}"
        return path

    def test_each_source_has_its_connector_and_keeps_it(self, data_map: Path) -> None:
        kinds = {"shop": SqlConnector, "accounts": DjangoConnector, "paper": ManualConnector}
        for key, kind in kinds.items():
            assert isinstance(registry.connector(key), kind)
            assert registry.connector(key) is registry.connector(key)
        assert registry.source_keys() == ("shop", "accounts", "paper", "odd")

    def test_a_changed_map_makes_new_connectors(self, data_map: Path) -> None:
        first = registry.connector("shop")
        data_map.write_text(data_map.read_text().replace("label: Shop", "label: The new shop"))
        assert registry.connector("shop") is not first
        assert registry.connector("shop").label == "The new shop"

    @pytest.mark.parametrize("key", ["nowhere", "odd", ""])
    def test_an_unknown_source_or_kind_is_a_persons_task(self, data_map: Path, key: str) -> None:
        with pytest.raises(SourceBroken, match="bad_map"):
            registry.connector(key)

    def test_an_empty_address_is_a_persons_task(self, data_map: Path, settings: Any) -> None:
        settings.COMPANY_DATABASE_URL = ""
        with pytest.raises(SourceBroken, match="no_address"):
            registry.connector("shop")

    def test_the_accounts_source_names_its_tables(self, data_map: Path) -> None:
        assert "accounts.User" in registry.source_map("accounts").tables
        assert registry.source_map("shop").tables.keys() == {"users"}


def test_numbers_that_json_does_not_know_become_words() -> None:
    given = {"scores": [1.5, float("nan"), float("-inf")]}
    assert json.dumps(plain(given), allow_nan=False) == '{"scores": [1.5, "nan", "-inf"]}'
