"""Where the small company lives: in PostgreSQL where DATABASE_URL names it, otherwise in SQLite."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from .shop import Shop, open_shop

POSTGRESQL = os.environ.get("DATABASE_URL", "").replace("postgres://", "postgresql://", 1)
BACKENDS = ["postgresql" if POSTGRESQL.startswith("postgresql:") else "sqlite"]


@pytest.fixture(scope="module", params=BACKENDS)
def company(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    """Tables, made once per module."""
    if request.param == "sqlite":
        path = tmp_path_factory.mktemp("company") / "shop.sqlite3"
        with open_shop(f"sqlite:///{path}", None) as shop:
            yield shop
    else:
        url = POSTGRESQL.replace("postgresql://", "postgresql+psycopg://", 1)
        with open_shop(url, f"contract_{os.getpid()}") as shop:
            yield shop


@pytest.fixture
def shop(company: Shop) -> Shop:
    """Two people with rows of every fate, and nothing else."""
    company.fill()
    return company
