"""The spool of a copy: what was read from each source, chunk by chunk, sealed, until the package is handed over.

Rows lie in the desk's own database, so that a chunk and the cursor after it are one transaction.
"""

import json
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from dsar.connectors.base import Row, SourceBroken
from dsar.connectors.registry import source_map
from dsar.models import CopyPart, PrivacyRequest


@dataclass(frozen=True)
class Line:
    """One copied row. `key` is its key in its table, as text: with source and table it names the row."""

    source: str
    table: str
    key: str
    values: dict[str, Any]


@dataclass
class Table:
    """What the spool holds of one table: `rows` in number, `columns` in the order of the data map, `size` an upper bound
    in bytes."""

    source: str
    table: str
    category: str
    rows: int
    columns: list[str]
    size: int


@dataclass
class Memory:
    """What a packer reads again and again: which parts a source has, and the part that was opened last."""

    parts: dict[str, list[tuple[int, list[dict[str, Any]]]]] = field(default_factory=dict)
    opened: int = 0
    texts: list[bytes] = field(default_factory=list)


def remember(request: PrivacyRequest) -> None:
    """From here on keep on this object what is read. For whoever reads a spool that nobody writes to any more."""
    request.__dict__["_spool"] = Memory()


def part_of(request: PrivacyRequest, source: str, number: int, rows: Sequence[Row]) -> CopyPart:
    """One chunk, sealed and not saved. `rows` are grouped by table, as connectors give them."""
    tables: list[dict[str, Any]] = []
    lines = []
    for row in rows:
        if not tables or tables[-1]["table"] != row.table:
            tables.append({"table": row.table, "category": row.category, "rows": 0, "columns": []})
        tables[-1]["rows"] += 1
        tables[-1]["columns"] += [name for name in row.values if name not in tables[-1]["columns"]]
        lines.append(json.dumps(row.values, separators=(",", ":"), allow_nan=False))
    text = "\n".join(lines).encode()
    return CopyPart(
        request=request, source=source, number=number, tables=tables, rows=len(rows), size=len(text),
        body_sealed=request.case.seal(zlib.compress(text, 3), _place(request, source, number)),
    )  # fmt: skip


def _place(request: PrivacyRequest, source: str, number: int) -> str:
    return f"copy:{request.uid}:{source}:{number}"


def tables(request: PrivacyRequest) -> list[Table]:
    """Every table that something was copied of, in the order in which it was copied."""
    found: dict[tuple[str, str], Table] = {}
    parts = CopyPart.objects.filter(request=request).order_by("source", "number")
    for source, held, size in parts.values_list("source", "tables", "size").iterator():
        for one in held:
            table = found.setdefault(
                (source, one["table"]), Table(source, one["table"], one["category"], 0, [], 0)
            )  # fmt: skip
            table.rows += one["rows"]
            table.columns += [name for name in one["columns"] if name not in table.columns]
            table.size += size
    return list(found.values())


def lines(request: PrivacyRequest, source: str, table: str, start: int = 0) -> Iterator[Line]:
    """The rows of one table from the `start`th on, one part in memory at a time.

    Raises keys.Unreadable after a purge.
    """
    key = key_column(source, table)
    place = 0
    for pk, held in _parts(request, source):
        inside = 0
        for one in held:
            if one["table"] == table:
                if place + one["rows"] > start:
                    first = max(0, start - place)
                    yield from _read(
                        request, pk, source, table, key, inside + first, inside + one["rows"], place + first
                    )
                place += one["rows"]
            inside += one["rows"]


def _parts(request: PrivacyRequest, source: str) -> list[tuple[int, list[dict[str, Any]]]]:
    memory: Memory | None = request.__dict__.get("_spool")
    if memory and source in memory.parts:
        return memory.parts[source]
    parts = CopyPart.objects.filter(request=request, source=source).order_by("number")
    found = list(parts.values_list("pk", "tables"))
    if memory:
        memory.parts[source] = found
    return found


def _texts(request: PrivacyRequest, pk: int, source: str) -> list[bytes]:
    """The rows of one part, as they were sealed."""
    memory: Memory | None = request.__dict__.get("_spool")
    if memory and memory.opened == pk:
        return memory.texts
    part = CopyPart.objects.get(pk=pk)
    sealed = request.case.unseal_bytes(part.body_sealed, _place(request, source, part.number))
    texts = zlib.decompress(sealed).split(b"\n")
    if memory:
        memory.opened, memory.texts = pk, texts
    return texts


def _read(
    request: PrivacyRequest, pk: int, source: str, table: str, key: str, first: int, end: int, number: int
) -> Iterator[Line]:  # fmt: skip
    for offset, line in enumerate(_texts(request, pk, source)[first:end]):
        values = json.loads(line)
        # A row whose key is no column of the copy is named by its place: the spool does not change.
        yield Line(source, table, str(values[key]) if key in values else f"#{number + offset}", values)


def key_column(source: str, table: str) -> str:
    """The column that names a row of a table; empty where the data map does not know it (any more)."""
    try:
        described = source_map(source).tables.get(table)
    except SourceBroken:
        return ""
    return described.key if described else ""


def clear(request_pk: int) -> None:
    """Throw everything away that was copied for a request. In the caller's transaction."""
    CopyPart.objects.filter(request_id=request_pk).delete()
