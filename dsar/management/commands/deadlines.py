"""`manage.py deadlines --vectors FILE.csv`: do our dates agree with a table of worked examples?"""

from __future__ import annotations

import csv
import sys
from argparse import ArgumentParser
from collections import Counter
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from dsar.law import vectors


class Command(BaseCommand):
    """Runs every row and prints pass or fail with both dates, and why a row could not be computed; ends with 1 if a row
    fails."""

    help = "Check the legal dates against a file of worked examples (see dsar/law/vectors.py for its columns)."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--vectors", required=True, type=Path, metavar="FILE.csv", help="the examples")

    def handle(self, *args: Any, **options: Any) -> None:
        path: Path = options["vectors"]
        try:
            with path.open(encoding="utf-8-sig", newline="") as lines:
                rows = vectors.read(lines)
        except (OSError, UnicodeDecodeError) as error:
            raise CommandError(f"{path.name} cannot be read: {error.__class__.__name__}") from error
        except (ValueError, csv.Error) as error:
            raise CommandError(f"{path.name}: {error}") from error
        counts: Counter[str] = Counter()
        for row in rows:
            result = vectors.check(row)
            counts[result.outcome] += 1
            self.stdout.write(_line(result))
        self.stdout.write(", ".join(f"{counts[name]} {name}" for name in ("pass", "fail")))
        if counts["fail"]:
            sys.exit(1)


def _line(result: vectors.Result) -> str:
    """One row of output: id, regime, outcome, then due and safe date as expected and as found."""
    due, _at, safe, status = result.expected
    line = f"{result.outcome:<4} {result.vector_id:<6} {result.regime:<12}"
    found_due, found_at, found_safe, found_status = result.found
    line = (
        f"{line} expected {due or '-':<10} found {found_due or '-':<10}"
        f" safe {safe or '-':<10} found {found_safe or '-':<10}"
    )
    if result.outcome == "fail":
        line += f" | at {result.expected[1]} found {found_at} | {status} found {found_status} {result.note}"
    return line.rstrip()
