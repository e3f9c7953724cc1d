"""Which e-mail addresses the company's own systems hold for an account, so that their owner hears of what is done in it."""

from collections.abc import Mapping
from typing import Any

import structlog

from dsar import keys
from dsar.connectors.base import NotSupported, SourceError
from dsar.connectors.registry import connector
from dsar.datamap import loader

log = structlog.get_logger(__name__)


def on_file(sources: Mapping[str, Mapping[str, Any]]) -> tuple[list[str], bool]:
    """The addresses, where the data map names such a field, of the accounts that a search found (`sources` of a plan's
    body: key, with `ref`), and whether every source answered. Asks them: never inside a transaction."""
    described = loader.current()
    fields = tuple(key for key, field in described.fields.items() if field.kind == "email")
    found: list[str] = []
    whole = True
    for name, held in sources.items():
        source = described.sources.get(name)
        here = tuple(key for key in fields if source and key in source.correctable)
        if not here or not held["ref"]:
            continue
        try:
            said = connector(name).current(held["ref"], here) or {}
        except NotSupported:
            continue
        except SourceError as error:
            log.warning("a source could not say which addresses it knows", source=name, error=error.code)
            whole = False
            continue
        found += [keys.normalise_email(value) for values in said.values() for value in values]
    return list(dict.fromkeys(filter(None, found))), whole
