"""Reads one mail in a process of its own: raw bytes on standard input, JSON on standard output.

Started by `parse` with an address space of 512 MB and 20 s of processor time; it writes no file, opens no
connection and knows no secret. It must start fast: no Django, and third-party parts only when needed.
"""

import json
import resource
import sys
from pathlib import Path
from typing import Any


def confine(memory: int, seconds: int) -> None:
    """Lowers this process's limits: bytes of address space, seconds of processor time, no files, no core
    dump.
    """
    for name, value in (
        (resource.RLIMIT_AS, memory),
        (resource.RLIMIT_CPU, seconds),
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_CORE, 0),
    ):
        _, hard = resource.getrlimit(name)
        limit = value if hard == resource.RLIM_INFINITY else min(value, hard)
        resource.setrlimit(name, (limit, limit))


def answer(raw: bytes, options: dict[str, Any]) -> dict[str, Any]:
    """`{"mail": fields}` or `{"quarantined": reason}`; an error of the parser itself ends the process."""
    from dsar.intake.mail import reading

    try:
        return {"mail": reading.read(raw, options["own_authserv_id"], tuple(options["own_addresses"]))}
    except reading.Refused as refused:
        return {"quarantined": refused.reason}
    except RecursionError:
        return {"quarantined": "too_deep"}
    except MemoryError:
        return {"quarantined": "too_much_memory"}


def main() -> None:
    """Entry point of the process; the options come as one JSON argument."""
    from dsar.intake.mail import limits

    confine(limits.MEMORY_BYTES, limits.CPU_SECONDS)
    raw = sys.stdin.buffer.read(limits.MAIL_BYTES + 1)
    result = answer(raw, json.loads(sys.argv[1]))
    sys.stdout.write(json.dumps(result))


if __name__ == "__main__":
    # Isolated mode leaves the project off the path, and keeps the mail's folder and the user's packages out
    # of it.
    sys.path.insert(0, str(Path(__file__).resolve().parents[3]))
    main()
