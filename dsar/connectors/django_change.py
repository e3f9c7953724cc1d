"""Correcting, restricting and choosing in the models that the data map names."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from django.core.exceptions import ValidationError
from django.db.models import Q

from dsar.connectors.base import VALUES_SHOWN, NotSupported, Outcome, SourceBroken, Tally
from dsar.connectors.django_rows import ModelRows, equal_to
from dsar.datamap.schema import Setting


class ModelChanges(ModelRows):
    """Writes single columns of the person's own rows, in one transaction of Django's own database."""

    def current(self, ref: str, fields: tuple[str, ...], most: int = VALUES_SHOWN) -> dict[str, tuple[str, ...]]:
        """See Connector.current."""
        found: dict[str, dict[str, None]] = {}
        with self._work():
            if (native := self._ref(ref)) is None:
                return {}
            for name, table_map in self.source.tables.items():
                rows = self._all(name).filter(self._belongs(name, native, own=True))
                for column, classified in table_map.columns.items():
                    field = classified.says
                    if field is not None and field in fields and not classified.secret:
                        values = rows.values_list(column, flat=True).distinct()[:most]
                        said = found.setdefault(field, {})
                        said.update(dict.fromkeys(str(value) for value in values if value not in (None, "")))
        return {field: tuple(sorted(values)) for field, values in found.items()}

    def fits(self, changes: dict[str, str]) -> bool:
        """See Connector.fits."""
        try:
            for name in self.source.tables:
                self._written(name, changes)
        except SourceBroken:
            return False
        return True

    def rectify(self, ref: str, changes: dict[str, str]) -> Outcome:
        """See Connector.rectify."""
        tallies = []
        with self._work(write=True):
            if (native := self._ref(ref)) is None:
                return Outcome()
            if not changes or set(changes) - self.source.correctable:
                raise SourceBroken("bad_value")
            for name, table_map in self.source.tables.items():
                written = self._written(name, changes)
                if not written:
                    continue
                rows = self._all(name).filter(self._belongs(name, native, own=True))
                emptied = {c: None for c, classified in table_map.columns.items() if classified.derived_from in changes}
                total = rows.count()
                changed = rows.exclude(Q(**written)).update(**written, **emptied)
                if total:
                    tallies.append(Tally(table_map.category, name, changed=changed, absent=total - changed))
        return Outcome(tuple(tallies))

    def _written(self, name: str, changes: dict[str, str]) -> dict[str, Any]:
        """Column -> what it shall say, of one table."""
        return {
            column: self._clean(name, column, changes[classified.correct])
            for column, classified in self._map(name).columns.items()
            if classified.correct in changes and classified.correct is not None
        }

    def _clean(self, name: str, column: str, value: str) -> Any:
        try:
            return self._field(name, column).clean(value, None)
        except ValidationError as error:
            raise SourceBroken("bad_value") from error

    def apply(self, ref: str, choice: str, *, on: bool) -> Outcome:
        """See Connector.apply."""
        if choice not in self.source.choices:
            raise NotSupported(f"{self.label}: record this choice by hand.")
        return self._set(ref, self.source.choices[choice], on=on)

    def restrict(self, ref: str) -> Outcome:
        """See Connector.restrict."""
        return self._mark(ref, on=True)

    def lift(self, ref: str) -> Outcome:
        """See Connector.lift."""
        return self._mark(ref, on=False)

    def _mark(self, ref: str, *, on: bool) -> Outcome:
        marks = self.source.restrict
        if not marks or not (on or all(mark.undo for mark in marks)):
            raise NotSupported(f"{self.label}: it has no mark for a restriction.")
        return self._set(ref, marks, on=on)

    def _set(self, ref: str, settings: Sequence[Setting], *, on: bool) -> Outcome:
        """Set what the data map says, in its order, or take it back where it is as `set` left it. Repeatable."""
        now, tallies = datetime.now(UTC), []
        with self._work(write=True):
            if (native := self._ref(ref)) is None:
                return Outcome()
            for setting in settings:
                wanted = setting.set if on else setting.undo
                if not wanted:
                    continue
                left = {name: value for name, value in setting.set.items() if value != "now"}
                rows = self._all(setting.table).filter(self._belongs(setting.table, native, own=True))
                rows = rows.filter(equal_to(setting.only if on else left))
                # What is wanted to hold the moment is only wanted to hold something: a repeat changes nothing.
                values = {name: now if value == "now" else value for name, value in wanted.items()}
                held = [name for name, value in wanted.items() if value == "now"]
                there = equal_to({name: value for name, value in wanted.items() if value != "now"}) & Q(
                    **{f"{name}__isnull": False for name in held}
                )
                done = rows.exclude(pk__in=rows.filter(there).values("pk")).update(**values)
                tallies.append(Tally(self._map(setting.table).category, setting.table, changed=done))
        return Outcome(tuple(tally for tally in tallies if tally.changed))
