"""The sql connector keeps the contract."""

from __future__ import annotations

import pytest

from .backends import company, shop
from .shop import Shop
from .suite import ConnectorContract

__all__ = ["company", "shop"]


class TestContract(ConnectorContract):
    @pytest.fixture
    def world(self, shop: Shop) -> Shop:
        return shop
