"""From a source of the data map to the connector that speaks with it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from django.conf import settings

from dsar.connectors.base import Connector, SourceBroken
from dsar.connectors.django_orm import DjangoConnector, accounts_map
from dsar.connectors.manual import ManualConnector
from dsar.connectors.sql import SqlConnector
from dsar.datamap import loader
from dsar.datamap.schema import SourceMap


def _sql(key: str, source: SourceMap) -> Connector:
    url = getattr(settings, source.url_setting or "COMPANY_DATABASE_URL", "")
    if not url:
        raise SourceBroken("no_address")
    schema = source.schema_ or getattr(settings, "COMPANY_DATABASE_SCHEMA", None)
    return SqlConnector(key, source, str(url), schema)


CONNECTORS: dict[str, Callable[[str, SourceMap], Connector]] = {
    "sql": _sql,
    "django_orm": DjangoConnector,
    "manual": ManualConnector,
}

_made: dict[tuple[Path, str], tuple[SourceMap, Connector]] = {}


def connector(source_key: str) -> Connector:
    """Return the connector of a source, the same one until the data map changes.

    Raises SourceBroken("bad_map") for a source the map does not name or a kind of connector that does not exist,
    SourceBroken("no_address") where the setting with its address is empty, DataMapError for a map nobody can read.
    """
    source = loader.current().sources.get(source_key)
    if source is None or source.connector not in CONNECTORS:
        raise SourceBroken("bad_map")
    place = (Path(settings.DATA_MAP), source_key)
    known = _made.get(place)
    if known and known[0] is source:
        return known[1]
    made = CONNECTORS[source.connector](source_key, source)
    _made[place] = (source, made)
    return made


def source_keys() -> tuple[str, ...]:
    """Return every source of the data map, in its order."""
    return tuple(loader.current().sources)


def source_map(source_key: str) -> SourceMap:
    """Return a source's entry as its connector reads it. Raises SourceBroken("bad_map") for one that is not there."""
    source = loader.current().sources.get(source_key)
    if source is None:
        raise SourceBroken("bad_map")
    return accounts_map(source) if source.connector == "django_orm" and not source.tables else source
