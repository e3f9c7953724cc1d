"""The sql connector keeps the contract."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from dsar.connectors.base import NotSupported
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


def test_without_marks_in_the_map_a_person_must_restrict(shop: Shop) -> None:
    bare = SqlConnector("shop", shop.source.model_copy(update={"restrict": ()}), shop.url, shop.schema)
    for verb in (bare.restrict, bare.lift):
        with pytest.raises(NotSupported):
            verb(ref_of(shop, shop.people[0]))
