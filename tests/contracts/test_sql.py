"""The sql connector keeps the contract."""

from __future__ import annotations

from datetime import datetime

import pytest
import sqlalchemy as sa

from dsar.connectors.base import NotSupported, Outcome
from dsar.connectors.sql import SqlConnector

from .backends import company, shop
from .shop import Shop
from .suite import ConnectorContract, ref_of

__all__ = ["company", "shop"]


class TestContract(ConnectorContract):
    @pytest.fixture
    def world(self, shop: Shop) -> Shop:
        return shop


def test_what_derives_from_a_corrected_field_is_left_to_be_made_anew(shop: Shop) -> None:
    ref = ref_of(shop, shop.people[0])
    shop.connector().rectify(ref, {"name": "Ann Nowcorrect"})
    assert {(row.author, row.comment) for row in shop.rows("ratings") if row.user_id == int(ref)} == {
        ("Ann Nowcorrect", None)
    }


def test_what_was_made_anew_meanwhile_survives_a_repeat(shop: Shop) -> None:
    ref = ref_of(shop, shop.people[0])
    shop.connector().rectify(ref, {"name": "Ann Nowcorrect"})
    table = shop.table("ratings")
    shop.run(sa.update(table).where(table.c.user_id == int(ref)).values(comment="made anew"))
    shop.connector().rectify(ref, {"name": "Ann Nowcorrect"})
    assert {row.comment for row in shop.rows("ratings") if row.user_id == int(ref)} == {"made anew"}


def test_a_mark_that_the_company_made_for_itself_stays_where_a_restriction_is_lifted(shop: Shop) -> None:
    ref = ref_of(shop, shop.people[0])
    table = shop.table("users")
    theirs = (
        sa.update(table).where(table.c.id == int(ref)).values(watched=False, contact_changed_at=datetime(2026, 1, 1))
    )
    shop.run(theirs)
    before = shop.snapshot()
    assert shop.connector().lift(ref) == Outcome()
    assert shop.snapshot() == before


def test_without_marks_in_the_map_a_person_must_restrict(shop: Shop) -> None:
    bare = SqlConnector("shop", shop.source.model_copy(update={"restrict": ()}), shop.url, shop.schema)
    for verb in (bare.restrict, bare.lift):
        with pytest.raises(NotSupported):
            verb(ref_of(shop, shop.people[0]))
