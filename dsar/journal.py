"""What must survive a restore of our own database: an append-only file of JSON lines beside it.

Confirmations and tombstones (keyed hashes only) and the audit checkpoints. Each line carries a MAC. Put the file
on another disk or ship it away; after a restore, `manage.py replay_journal` says what the database has forgotten.
"""

import fcntl
import json
import os
from collections.abc import Iterator
from typing import Any

from django.conf import settings
from django.utils import timezone

from dsar import keys


def write(kind: str, **fields: Any) -> None:
    """Append one line and force it to disk. Raises OSError where that is not possible: better no deletion than a
    deletion that a restore forgets."""
    line: dict[str, Any] = {"kind": kind, "written": timezone.now().isoformat(), **fields}
    line["mac"] = keys.mac("journal", json.dumps(line, sort_keys=True)).hex()
    path = settings.JOURNAL_FILE
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600)
    with os.fdopen(descriptor, "r+b", buffering=0) as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        size = file.seek(0, os.SEEK_END)
        # A line that a power cut tore must not swallow this one.
        torn = size > 0 and os.pread(file.fileno(), 1, size - 1) != b"\n"
        left = memoryview(("\n" * torn + json.dumps(line, sort_keys=True) + "\n").encode())
        while left:
            left = left[file.write(left) :]
        os.fdatasync(file.fileno())


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
