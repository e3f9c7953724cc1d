"""One process under supervision: started through its guardian, logged to a file, restarted with a growing pause."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

GUARDIAN = Path(__file__).with_name("guardian.py")
FIRST_PAUSE = 1.0  # seconds before the second restart (the first comes at once); doubled for each further one
LONGEST_PAUSE = 30.0
STEADY_AFTER = 30.0  # seconds after which a process counts as having run well
LOG_BYTES = 5 * 1024 * 1024


@dataclass
class Child:
    """A command that should be running. `inherit` are descriptors that it may use (the listening socket)."""

    name: str
    command: list[str]
    log: Path
    environment: Mapping[str, str]
    folder: Path
    lock: int
    inherit: tuple[int, ...] = ()
    process: subprocess.Popen[bytes] | None = field(default=None, init=False)
    restart_at: float | None = field(default=None, init=False)
    failures: int = field(default=0, init=False)
    started_at: float = field(default=0.0, init=False)
    log_from: int = field(default=0, init=False)

    def start(self) -> None:
        """Start the command; its output is appended to the log, which is set aside once it has grown large."""
        if self.log.exists() and self.log.stat().st_size > LOG_BYTES:
            self.log.replace(self.log.with_suffix(".log.1"))
        with self.log.open("ab") as output:
            self.log_from = output.tell()
            self.process = subprocess.Popen(
                [sys.executable, "-I", "-S", str(GUARDIAN), str(self.lock), *self.command],
                stdin=subprocess.PIPE,
                stdout=output,
                stderr=subprocess.STDOUT,
                env=dict(self.environment),
                cwd=self.folder,
                pass_fds=(self.lock, *self.inherit),
                process_group=0,
            )
        self.started_at = time.monotonic()
        self.restart_at = None

    def ended(self) -> int | None:
        """The exit code of a process that has just ended (128 + n or -n for signal n); None while it runs.

        Reports an end once; afterwards the child is without a process until `start`.
        """
        if self.process is None:
            return None
        code = self.process.poll()
        if code is not None:
            self.cut()
            self.process = None
        return code

    def plan_restart(self) -> float:
        """Set the time of the next start and return the pause before it, in seconds; 0 after a steady run."""
        steady = time.monotonic() - self.started_at >= STEADY_AFTER
        self.failures = 1 if steady else self.failures + 1
        # The exponent is bounded too: a process that fails for days must not overflow it.
        pause = min(FIRST_PAUSE * 2.0 ** min(self.failures - 2, 8), LONGEST_PAUSE) if self.failures > 1 else 0.0
        self.restart_at = time.monotonic() + pause
        return pause

    def ask_to_end(self) -> None:
        """SIGTERM to the command, by way of its guardian."""
        self.restart_at = None
        if self.process is not None and self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)

    def cut(self) -> None:
        """Close the lifeline: the guardian kills the whole group and ends."""
        if self.process is not None and self.process.stdin is not None:
            self.process.stdin.close()

    def wait(self, until: float) -> bool:
        """Whether the process has ended by `until` (monotonic clock)."""
        if self.process is None:
            return True
        try:
            self.process.wait(max(0.0, until - time.monotonic()))
        except subprocess.TimeoutExpired:
            return False
        return True

    def last_lines(self, count: int = 15) -> list[str]:
        """The last lines that this run of the command has written."""
        with self.log.open("rb") as file:
            size = file.seek(0, os.SEEK_END)
            file.seek(max(self.log_from, size - 16384))
            return file.read().decode(errors="replace").splitlines()[-count:]


def in_words(code: int) -> str:
    """An exit code for people: `signal 9` or `exit code 1`."""
    number = -code if code < 0 else code - 128 if code > 128 else 0
    return f"signal {number}" if number else f"exit code {code}"
