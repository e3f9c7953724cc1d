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
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        os.write(descriptor, (json.dumps(line, sort_keys=True) + "\n").encode())
        os.fdatasync(descriptor)
    finally:
        os.close(descriptor)


def lines(*kinds: str) -> Iterator[dict[str, Any]]:
    """The lines of these kinds whose MAC fits, oldest first; a torn last line is passed over."""
    if not settings.JOURNAL_FILE.exists():
        return
    with settings.JOURNAL_FILE.open() as file:
        for text in file:
            try:
                line: dict[str, Any] = json.loads(text)
                stated = line.pop("mac")
            except (ValueError, KeyError):
                continue
            if line["kind"] in kinds and keys.same(stated, keys.mac("journal", json.dumps(line, sort_keys=True)).hex()):
                yield line
