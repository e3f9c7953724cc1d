"""The zip of a copy: data per category as JSON and CSV, a manifest, a page to read offline. Written in one go.

Names of entries are made from the data map's categories and sources, never from data. Whatever a row holds ends as text: formulas
are disarmed in CSV, everything is escaped in the page, and the page may load and run nothing.
"""

import base64
import codecs
import csv
import hashlib
import io
import json
import re
import zipfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import IO, Any, cast

from django.template.loader import render_to_string
from django.utils import timezone
from django.utils.safestring import mark_safe
from django.utils.text import slugify
from django.utils.translation import gettext as _

from dsar.fulfilment import spool
from dsar.fulfilment.by_hand import CopiedFile
from dsar.models import PrivacyRequest

SHOWN_ROWS = 200
SHOWN_CHARACTERS = 2000
LINES_FROM = 10_000
BIG = 512 * 1024 * 1024
LEFT_OUT = "[left out]"
FORMULA = re.compile(r"^\s*[=+\-@\t\r\n\x00\uff1d\uff0b\uff0d\uff20]")
NUMBER = re.compile(r"^-?[0-9]+(\.[0-9]+)?$", re.ASCII)
Redacted = dict[tuple[str, str], dict[str, set[str]]]


@dataclass
class Entry:
    """One table of the copy: what is in the package of it, and under which names."""

    table: spool.Table
    stem: str
    as_lines: bool
    given: int = 0
    left_out: int = 0

    @property
    def json_name(self) -> str:
        """One array, or one object per line where there are many rows."""
        return f"data/{self.stem}.{'jsonl' if self.as_lines else 'json'}"

    @property
    def csv_name(self) -> str:
        """The same as a table."""
        return f"data/{self.stem}.csv"


@dataclass
class Content:
    """What goes into the package of a request. `manifest` gets the entries' counts once the data are written."""

    request: PrivacyRequest
    entries: list[Entry]
    redacted: Redacted
    manifest: Callable[[list[Entry]], dict[str, Any]]
    still_ours: Callable[[], None]
    files: Sequence[CopiedFile] = ()
    readable: bool = True


def entries_of(tables: list[spool.Table]) -> list[Entry]:
    """Name the files: by category, numbered where a category has more than one table."""
    taken: dict[str, int] = {}
    found = []
    for table in sorted(tables, key=lambda one: (one.category, one.source, one.table)):
        stem = slugify(table.category) or "data"
        taken[stem] = taken.get(stem, 0) + 1
        # Two hyphens: a slug never has them, so that no category's own name can be met.
        name = stem if taken[stem] == 1 else f"{stem}--{taken[stem]}"
        found.append(Entry(table, name, table.rows > LINES_FROM))
    return found


def build(sink: Any, content: Content) -> int:
    """Write the zip to `sink`, which needs no way back; returns how many rows are in it. Memory does not grow with them."""
    with zipfile.ZipFile(cast(IO[bytes], sink), "w", zipfile.ZIP_DEFLATED, compresslevel=6) as archive:
        for entry in content.entries:
            _write_json(archive, content, entry)
            _write_csv(archive, content, entry)
        for one in content.files:
            content.still_ours()
            with _entry(archive, one.name, one.size) as file:
                file.write(one.content())
        manifest = content.manifest(content.entries)
        with _entry(archive, "manifest.json") as file:
            file.write(json.dumps(manifest, indent=2, ensure_ascii=False).encode("utf-8", "replace"))
        with _entry(archive, "index.html") as file:
            for piece in _page(content, manifest):
                file.write(piece.encode("utf-8", "replace"))
    return sum(entry.given for entry in content.entries)


def _entry(archive: zipfile.ZipFile, name: str, size: int = 0) -> IO[bytes]:
    info = zipfile.ZipInfo(name, date_time=timezone.localtime().timetuple()[:6])
    info.compress_type = zipfile.ZIP_DEFLATED
    info.external_attr = 0o600 << 16
    # The length is not known beforehand; from here on it may not fit into 32 bits.
    return archive.open(info, "w", force_zip64=size > BIG)


def rows(content: Content, entry: Entry) -> Iterator[tuple[dict[str, Any], set[str]]]:
    """What is given of each row of a table, with the names of the columns that are left out; whole rows are gone."""
    table = entry.table
    redacted = content.redacted.get((table.source, table.table), {})
    for number, line in enumerate(spool.lines(content.request, table.source, table.table)):
        if number % 500 == 0:
            content.still_ours()
        without = redacted.get(line.key, set())
        if "" in without:
            continue
        yield {name: None if name in without else value for name, value in line.values.items()}, without


def _write_json(archive: zipfile.ZipFile, content: Content, entry: Entry) -> None:
    with _entry(archive, entry.json_name, entry.table.size) as raw, io.BufferedWriter(_raw(raw), 65536) as file:
        for number, (values, without) in enumerate(rows(content, entry)):
            given = {**values, "_left_out": sorted(without)} if without else values
            text = json.dumps(given, ensure_ascii=False, separators=(",", ":"))
            before = "" if entry.as_lines else ("[\n" if number == 0 else ",\n")
            file.write(f"{before}{text}{chr(10) if entry.as_lines else ''}".encode("utf-8", "replace"))
            entry.given = number + 1
        if not entry.as_lines:
            file.write(b"\n]\n" if entry.given else b"[]\n")
    entry.left_out = entry.table.rows - entry.given


def _write_csv(archive: zipfile.ZipFile, content: Content, entry: Entry) -> None:
    with _entry(archive, entry.csv_name, entry.table.size) as raw, io.BufferedWriter(_raw(raw), 65536) as file:
        # The mark by which spreadsheets know the encoding.
        file.write(codecs.BOM_UTF8)
        with io.TextIOWrapper(file, "utf-8", "replace", newline="", write_through=True) as text:
            table = csv.writer(text)
            table.writerow([disarmed(name) for name in entry.table.columns])
            for values, without in rows(content, entry):
                table.writerow(
                    [LEFT_OUT if name in without else cell(values.get(name)) for name in entry.table.columns]
                )  # fmt: skip


class _Raw(io.RawIOBase):
    """An open entry of the zip, as io wants it."""

    def __init__(self, entry: IO[bytes]) -> None:
        self._to = entry

    def writable(self) -> bool:
        return True

    def write(self, data: Any, /) -> int:
        return self._to.write(bytes(data))


def _raw(entry: IO[bytes]) -> io.RawIOBase:
    return _Raw(entry)


def cell(value: Any) -> str:
    """A value as a cell of a CSV file: numbers as they are, texts disarmed, what has parts as JSON."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return str(value)
    if isinstance(value, dict | list):
        return disarmed(json.dumps(value, ensure_ascii=False))
    return disarmed(str(value))


def disarmed(text: str) -> str:
    """A text that no spreadsheet takes for a formula: one that begins like one gets an apostrophe in front."""
    return f"'{text}" if FORMULA.match(text) and not NUMBER.match(text) else text


# --- the page ---------------------------------------------------------------------------------------------------------


def _page(content: Content, manifest: dict[str, Any]) -> Iterator[str]:
    """index.html in pieces, one table at a time."""
    style = render_to_string("copy/style.css")
    shared = {"manifest": manifest, "request": content.request, "readable": content.readable}
    allowed = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    # Ours, and no data in it; the page's policy names it by its hash.
    yield render_to_string("copy/head.html", {**shared, "style": mark_safe(style), "style_hash": allowed})  # noqa: S308
    described = {one["key"]: one for one in manifest["categories"]}
    before = ""
    for entry in content.entries if content.readable else ():
        category = described[entry.table.category]
        yield render_to_string(
            "copy/table.html",
            {
                "category": category, "first": entry.table.category != before, "entry": entry,
                "columns": entry.table.columns, "rows": list(_shown(content, entry)), "more": entry.given > SHOWN_ROWS,
                "shown": SHOWN_ROWS,
            },
        )  # fmt: skip
        before = entry.table.category
    yield render_to_string("copy/foot.html", shared)


def _shown(content: Content, entry: Entry) -> Iterator[list[dict[str, Any]]]:
    """The first rows, as cells for the page."""
    for values, without in islice(rows(content, entry), SHOWN_ROWS):
        yield [_cell_shown(values.get(name), left_out=name in without) for name in entry.table.columns]


def _cell_shown(value: Any, *, left_out: bool) -> dict[str, Any]:
    if left_out:
        return {"text": _("left out"), "left_out": True}
    text = "" if value is None else cell(value).removeprefix("'") if not isinstance(value, str) else value
    return {"text": text[:SHOWN_CHARACTERS], "cut": len(text) > SHOWN_CHARACTERS}
