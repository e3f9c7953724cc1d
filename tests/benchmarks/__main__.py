"""`make bench`: erasures and copies on PostgreSQL, web intake on PostgreSQL and SQLite; prints one table, with the machine.

Nothing is asserted. Set DATABASE_URL and REDIS_URL to servers of your own (default: those of this machine); the database
is called `rd_bench` and is made anew. Nothing leaves this machine.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import psycopg

from tests.benchmarks import ground, people
from tests.benchmarks.meters import machine, pace

Row = tuple[str, str, str, str]


def run(module: str, vendor: str, *arguments: str) -> Any:
    """Run one measurement in a process of its own on a fresh installation; returns what it found."""
    with ground.settings(vendor) as env:
        prepare = [sys.executable, "manage.py", "prepare"]
        subprocess.run(prepare, env=env, cwd=ground.ROOT, check=True, stdout=subprocess.DEVNULL)
        command = [sys.executable, "-m", f"tests.benchmarks.{module}", *arguments]
        done = subprocess.run(command, env=env, cwd=ground.ROOT, stdout=subprocess.PIPE, text=True, check=False)
        if done.returncode:
            raise ground.Cannot(f"The measurement of {module} on {vendor} did not end well.")
        return json.loads(done.stdout.splitlines()[-1])


def erasure_rows(backlogs: list[int]) -> list[Row]:
    """What the erasures came to, a few rows per backlog."""
    rows: list[Row] = []
    for found in run("erasures", "postgresql", *map(str, backlogs)):
        name = f"Erasures, backlog of {found['erasures']}"
        parts = ", ".join(f"{part} {value:.1f}" for part, value in found["cpu_ms"].items())
        share = f"{100 * found['median_share']:.0f} % of the whole"
        rows += [
            (f"{name}: per second", f"{found['per_second']:.1f}", "at least 30", f"{found['seconds']:.1f} s in all"),
            (f"{name}: CPU each", f"{found['cpu_ms_each']:.1f} ms", "at most 40 ms (stretch 25)", parts),
            (f"{name}: median wait", share, "at most 55 %", "from the release of all to this person's letter"),
        ]
        rows.append(
            (f"{name}: CPU of releasing", f"{found['release_cpu_ms']:.1f} ms", "", "by the approver, not in the above")
        )
    return rows


def intake_rows(vendor: str, count: int, target: str) -> list[Row]:
    """What the web intake came to on one database, alone and with the worker running."""
    rows: list[Row] = []
    for name, found in run("intake", vendor, str(count)).items():
        cpu = ", ".join(f"{part} {value:.1f}" for part, value in found["cpu_ms"].items())
        rows.append(
            (
                f"Web intake, {vendor}, {name}: per second", f"{found['per_second']:.0f}",
                target if name == "alone" else "",
                f"p50 {found['p50_ms']:.0f} ms, p95 {found['p95_ms']:.0f} ms; CPU in ms: {cpu}",
            )
        )  # fmt: skip
    return rows


def export_rows(count: int, big: int) -> list[Row]:
    """What the copies came to, in rate, cost and memory."""
    found = run("exports", "postgresql", str(count), str(big))
    parts = ", ".join(f"{part} {value:.1f}" for part, value in found["cpu_ms"].items())
    large, mega = found["big"], 1024 * 1024
    return [
        (
            f"Copies of {people.ROWS_EACH} rows: per second", f"{found['per_second']:.1f}", "at least 30",
            f"{found['exports']} in {found['seconds']:.1f} s, from the approval of all to the desk that looks through them",
        ),
        ("Copies: CPU each", f"{found['cpu_ms_each']:.1f} ms", "", parts),
        (
            f"Copy of {large['rows']} rows: most memory", f"{large['peak'] / mega:.0f} MB", "less than 200 MB",
            f"{large['at_first'] / mega:.0f} MB before; {large['seconds']:.0f} s; zip of {large['zip_bytes'] / mega:.0f} MB",
        ),
    ]  # fmt: skip


def facts(paces: tuple[float, float]) -> list[str]:
    """The machine and the versions, one line each, and how fast it was at the beginning and the end."""
    found = machine()
    with psycopg.connect(ground.postgresql_url().replace(f"/{ground.DATABASE}", "/postgres")) as connection:
        server = connection.info.server_version
    return [
        f"{found['cores']} cores, {found['processor']}",
        f"Python {found['python']}, PostgreSQL {server // 10000}.{server % 10000}",
        "one worker with two processes, gunicorn with two workers, eight clients, all on this machine",
        "ten million turns of an empty loop: {:.0f} ms of CPU before, {:.0f} ms after".format(*paces),
    ]


def table(rows: list[Row]) -> str:
    """The figures in Markdown."""
    lines = ["| What | Measured | Meant | Details |", "|---|---|---|---|"]
    return "\n".join(lines + [f"| {' | '.join(row)} |" for row in rows])


def main() -> None:
    """Measure what was asked for, print it, and write it where --markdown says."""
    parser = argparse.ArgumentParser(prog="make bench", description=__doc__)
    parser.add_argument(
        "what", nargs="*", choices=["erasures", "exports", "intake", "intake-sqlite", []], help="default: all"
    )
    parser.add_argument("--backlogs", default="200,400", help="how many erasures wait, one measurement each")
    parser.add_argument("--forms", type=int, default=1000, help="how many forms are sent")
    parser.add_argument("--copies", type=int, default=200, help="how many copies are made")
    parser.add_argument("--big", type=int, default=1_000_000, help="how many rows the large copy has")
    parser.add_argument("--markdown", type=Path, help="also write the table to this file")
    given = parser.parse_args()
    wanted = given.what or ["erasures", "exports", "intake", "intake-sqlite"]
    rows: list[Row] = []
    at_first = pace()
    try:
        if "erasures" in wanted:
            rows += erasure_rows([int(number) for number in given.backlogs.split(",")])
        if "exports" in wanted:
            rows += export_rows(given.copies, given.big)
        if "intake" in wanted:
            rows += intake_rows("postgresql", given.forms, "at least 100")
        if "intake-sqlite" in wanted:
            rows += intake_rows("sqlite", given.forms, "at least 60")
        told = "\n".join(f"- {fact}" for fact in facts((at_first, pace()))) + "\n\n" + table(rows)
    except (ground.Cannot, subprocess.CalledProcessError) as error:
        raise SystemExit(str(error)) from None
    print(told)
    if given.markdown:
        given.markdown.write_text(told + "\n")


if __name__ == "__main__":
    main()
