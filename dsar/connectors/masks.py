"""Values that stand in for personal data: the same for the same step, table, row and column, and without meaning."""

from __future__ import annotations

import datetime as dt
import decimal
import hashlib
import hmac
import uuid
from typing import Any

from dsar.connectors.base import MASKED_DOMAIN, SourceBroken
from dsar.datamap.tables import MaskKind

_EMPTY: dict[type, Any] = {
    str: "", int: 0, float: 0.0, bool: False, bytes: b"", decimal.Decimal: decimal.Decimal(0), dict: {}, list: [],
    dt.date: dt.date(1970, 1, 1), dt.datetime: dt.datetime(1970, 1, 1), dt.time: dt.time(0),
    dt.timedelta: dt.timedelta(0), uuid.UUID: uuid.UUID(int=0),
}  # fmt: skip


def mask_value(
    kind: MaskKind | None, *, step_key: bytes, table: str, key: str, column: str, type_: type,
    nullable: bool, unique: bool = False, length: int | None = None, aware: bool = False,
) -> Any:  # fmt: skip
    """Return the value that replaces a personal one.

    Without a kind: NULL where allowed, else the empty value of the type, or a keyed pseudonym where values must
    differ. Raises SourceBroken("bad_map") where the type has no such value.
    """
    if kind is None:
        kind = "null" if nullable else "hash" if unique and type_ in (str, uuid.UUID) else "zero"
    if kind == "null":
        return None
    if kind == "address":
        return f"closed-{key}{MASKED_DOMAIN}"
    if kind == "zero":
        if type_ not in _EMPTY:
            raise SourceBroken("bad_map")
        empty = _EMPTY[type_]
        return empty.replace(tzinfo=dt.UTC) if aware and isinstance(empty, dt.datetime) else empty
    message = "\x1f".join((table, key, column)).encode()
    digest = hmac.new(step_key, message, hashlib.sha256).hexdigest()
    if kind == "password":
        return f"!{digest[:40]}"
    if type_ is uuid.UUID:
        return uuid.UUID(digest[:32])
    if type_ is not str:
        raise SourceBroken("bad_map")
    value = f"masked-{digest[:24]}"
    return value if length is None or length >= len(value) else digest[:length]
