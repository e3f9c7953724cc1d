"""A system no machine reaches: the data map says what it holds, a person does the work."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date

from dsar.connectors.base import (
    ByHand,
    Holding,
    Identity,
    Intent,
    Located,
    NotSupported,
    Outcome,
    Page,
    Residual,
    TableOrder,
)
from dsar.datamap.schema import SourceMap


class ManualConnector(ByHand):
    """Answers at once with the categories of the data map; every other operation is a task for its owner."""

    def __init__(self, key: str, source: SourceMap) -> None:
        self.key = key
        self.label = source.label
        self.source = source

    def ping(self) -> None:
        """There is nothing to reach."""

    def locate(self, identity: Identity, orders: tuple[TableOrder, ...]) -> Located:
        """Return the categories the map names, with no counts. Never waits for anybody."""
        named = {order.category for order in orders} or set(self.source.used_categories)
        categories = [name for name in self.source.used_categories if name in named]
        return Located("unknown", holdings=tuple(Holding(category, "") for category in categories))

    def close(self, ref: str) -> Outcome:
        """Raise NotSupported."""
        raise NotSupported(f"{self.label}: close the account by hand.")

    def settle(self, ref: str, request_ref: str, today: date) -> Outcome:
        """Raise NotSupported."""
        raise NotSupported(f"{self.label}: pay a refund that is due by hand.")

    def next_chunk(self, ref: str, orders: tuple[TableOrder, ...], cursor: str, limit: int) -> Intent:
        """Raise NotSupported."""
        raise NotSupported(f"{self.label}: erase by hand what the plan names.")

    def erase(
        self,
        ref: str,
        orders: tuple[TableOrder, ...],
        intent: Intent,
        step_key: bytes,
        redo: bool,
        before_commit: Callable[[], None] | None = None,
    ) -> Outcome:
        """Raise NotSupported."""
        raise NotSupported(f"{self.label}: erase by hand what the plan names.")

    def verify(self, ref: str, orders: tuple[TableOrder, ...], step_key: bytes) -> Residual:
        """Raise NotSupported."""
        raise NotSupported(f"{self.label}: look by hand whether everything is gone.")

    def export(self, ref: str, cursor: str, limit: int) -> Page:
        """Raise NotSupported."""
        raise NotSupported(f"{self.label}: copy these data by hand.")
