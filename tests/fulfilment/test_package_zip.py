"""The zip: cells that are no formulas, names that no data make, pieces that never gather in memory."""

import csv
import io
import json
import tracemalloc
import zipfile
from collections.abc import Iterator
from typing import Any
from unittest import mock

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dsar.fulfilment import package_zip, spool
from dsar.fulfilment.package_zip import Content, cell, disarmed, entries_of
from dsar.models import Case, PrivacyRequest

DANGEROUS = "=+-@\t\r\n\x00＝＋－＠"
TEXTS = st.text(max_size=30) | st.builds(str.__add__, st.sampled_from(list(DANGEROUS)), st.text(max_size=20))


@given(text=TEXTS)
def test_no_text_becomes_a_formula(text: str) -> None:
    made = cell(text)
    bare = made.lstrip()
    assert not bare[:1] or bare[0] not in "=+@＝＋－＠"
    if made[:1] in DANGEROUS and made:
        assert package_zip.NUMBER.match(made)
    assert made in (text, f"'{text}")


@given(number=st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.decimals(allow_nan=False, allow_infinity=False, places=2).map(str))  # fmt: skip
def test_numbers_stay_numbers(number: object) -> None:
    assert cell(number) == str(number)


@given(rows=st.lists(st.lists(TEXTS, min_size=2, max_size=2), max_size=10))
def test_every_cell_comes_back_from_the_file_as_it_was_written(rows: list[list[str]]) -> None:
    file = io.StringIO(newline="")
    csv.writer(file).writerows([[cell(value) for value in row] for row in rows])
    back = list(csv.reader(io.StringIO(file.getvalue(), newline="")))
    assert [row for row in back if row] == [[cell(value) for value in row] for row in rows]


@pytest.mark.parametrize(
    "value",
    ["=1+1", "+491234567", "-1+1", "@SUM(A1)", "\t=1", "\r=1", "  =1", '=HYPERLINK("http://evil.example")', "--1"],
)
def test_what_begins_like_a_formula_gets_an_apostrophe(value: str) -> None:
    assert disarmed(value) == f"'{value}"


@given(names=st.lists(st.text(min_size=1, max_size=12), min_size=1, max_size=8))
def test_names_of_entries_are_plain_and_differ(names: list[str]) -> None:
    found = entries_of([spool.Table("s", f"t{number}", name, 1, ["id"], 1) for number, name in enumerate(names)])
    made = [name for entry in found for name in (entry.json_name, entry.csv_name)]
    assert len(set(made)) == len(made)
    for name in made:
        assert name.startswith("data/")
        assert all(char.isascii() and (char.isalnum() or char in "-_.") for char in name.removeprefix("data/"))
        assert ".." not in name


class Counting:
    """A sink that keeps nothing."""

    def __init__(self) -> None:
        self.size = 0

    def write(self, data: bytes) -> int:
        self.size += len(data)
        return len(data)

    def flush(self) -> None:
        pass


def content(number: int, redacted: dict[str, set[str]] | None = None) -> Content:
    table = spool.Table("platform", "prompts", "prompts", number, ["id", "prompt"], number * 300)
    request = PrivacyRequest(case=Case(regime="eu_gdpr"))
    return Content(
        request=request, entries=entries_of([table]), redacted={("platform", "prompts"): redacted or {}},
        manifest=lambda entries: {
            "categories": [{"key": "prompts", "label": "Prompts", "rows": entries[0].given, "tables": []}],
        },
        still_ours=lambda: None,
    )  # fmt: skip


def made_up(number: int) -> Any:
    def lines(_request: object, source: str, table: str, start: int = 0) -> Iterator[spool.Line]:
        for one in range(start, number):
            yield spool.Line(source, table, str(one), {"id": one, "prompt": f"{one} " + "word " * 40})

    return mock.patch.object(spool, "lines", lines)


def test_memory_does_not_grow_with_the_rows() -> None:
    peaks = []
    for number in (2_000, 40_000):
        with made_up(number):
            tracemalloc.start()
            assert package_zip.build(Counting(), content(number)) == number
            peaks.append(tracemalloc.get_traced_memory()[1])
            tracemalloc.stop()
    assert peaks[1] < peaks[0] + 1024 * 1024


def test_many_rows_become_lines_and_the_page_shows_the_first_of_them() -> None:
    number = package_zip.LINES_FROM + 1
    sink = io.BytesIO()
    with made_up(number):
        package_zip.build(sink, content(number, {"0": {""}, "1": {"prompt"}}))
    with zipfile.ZipFile(sink) as archive:
        assert archive.testzip() is None
        lines = archive.read("data/prompts.jsonl").decode().splitlines()
        page = archive.read("index.html").decode()
    assert len(lines) == number - 1
    assert json.loads(lines[0]) == {"id": 1, "prompt": None, "_left_out": ["prompt"]}
    assert page.count("<tr>") == package_zip.SHOWN_ROWS + 1
    assert "The first 200 rows are shown here." in page
    assert "data/prompts.jsonl" in page
