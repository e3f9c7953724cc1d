"""What must survive a restore of our own database: an append-only file of JSON lines beside it.

Confirmations and tombstones (keyed hashes only, taken out after TOMBSTONE_PERIOD) and the audit checkpoints. Each line
carries a MAC. Put the file on another disk or ship it away; after a restore, `manage.py replay_journal` says what the
database has forgotten.
"""

import fcntl
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from io import FileIO
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import IO, Any

from django.conf import settings
from django.utils import timezone

from dsar import keys

# Keyed hashes by which a person is found again: they last as long as a tombstone.
OF_PEOPLE = {"subject", "marks"}


def write(kind: str, **fields: Any) -> None:
    """Append one line and force it to disk. Raises OSError where that is not possible: better no deletion than a
    deletion that a restore forgets."""
    line: dict[str, Any] = {"kind": kind, "written": timezone.now().isoformat(), **fields}
    with _locked() as file:
        size = file.seek(0, os.SEEK_END)
        # A line that a power cut tore must not swallow this one.
        torn = size > 0 and os.pread(file.fileno(), 1, size - 1) != b"\n"
        left = memoryview(("\n" * torn + _signed(line) + "\n").encode())
        while left:
            left = left[file.write(left) :]
        os.fdatasync(file.fileno())


def forget(before: datetime) -> int:
    """Take the keyed hashes of people out of lines written before this moment; returns how many lines had some.

    What was confirmed and erased, and when, stays. The file is replaced as a whole; nobody who writes waits for longer
    than the copying of what was written meanwhile.
    """
    path = settings.JOURNAL_FILE
    if not path.exists():
        return 0
    with path.open("rb") as old, NamedTemporaryFile(dir=path.parent, delete=False) as new:
        try:
            changed = _copy(old, new, before)
            if not changed:
                return 0
            with _locked() as file:
                if not os.path.samestat(os.fstat(file.fileno()), os.fstat(old.fileno())):
                    return 0
                file.seek(old.tell())
                new.write(file.read())
                new.flush()
                os.fsync(new.fileno())
                Path(new.name).replace(path)
        finally:
            Path(new.name).unlink(missing_ok=True)
    return changed


def marked(before: datetime) -> int:
    """How many lines written before this moment still have keyed hashes of people."""
    if not settings.JOURNAL_FILE.exists():
        return 0
    with settings.JOURNAL_FILE.open(errors="replace") as file:
        return sum(_is_marked(_read(text), before) for text in file)


def _is_marked(line: dict[str, Any] | None, before: datetime) -> bool:
    return line is not None and bool(line.keys() & OF_PEOPLE) and datetime.fromisoformat(line["written"]) < before


def _copy(old: IO[bytes], new: IO[bytes], before: datetime) -> int:
    """Copy whole lines, the older ones without what leads to people; stops before a line that is being written."""
    changed, place = 0, 0
    while (raw := old.readline()).endswith(b"\n"):
        place += len(raw)
        line = _read(raw.decode(errors="replace"))
        if line and _is_marked(line, before):
            changed += 1
            raw = _signed({name: value for name, value in line.items() if name not in OF_PEOPLE}).encode() + b"\n"
        new.write(raw)
    old.seek(place)
    return changed


@contextmanager
def _locked() -> Iterator[FileIO]:
    """The file that is the journal now, for one writer. Raises OSError where it cannot be opened."""
    path = settings.JOURNAL_FILE
    path.parent.mkdir(parents=True, exist_ok=True)
    while True:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600)
        with os.fdopen(descriptor, "r+b", buffering=0) as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            # Replaced while we waited: what is written to the old file is written to nowhere.
            if path.exists() and os.path.samestat(os.fstat(file.fileno()), path.stat()):
                yield file
                return


def _signed(line: dict[str, Any]) -> str:
    mac = keys.mac("journal", json.dumps(line, sort_keys=True)).hex()
    return json.dumps({**line, "mac": mac}, sort_keys=True)


def lines(*kinds: str) -> Iterator[dict[str, Any]]:
    """The lines of these kinds whose MAC fits, oldest first; what is torn, changed or made up is passed over."""
    if not settings.JOURNAL_FILE.exists():
        return
    with settings.JOURNAL_FILE.open(errors="replace") as file:
        for text in file:
            line = _read(text)
            if line and line.get("kind") in kinds:
                yield line


def _read(text: str) -> dict[str, Any] | None:
    try:
        line = json.loads(text)
    except ValueError:
        return None
    if not isinstance(line, dict):
        return None
    stated = line.pop("mac", None)
    fits = isinstance(stated, str) and keys.same(stated, keys.mac("journal", json.dumps(line, sort_keys=True)).hex())
    return line if fits else None
