"""Runs one command and makes sure that none of its processes outlives the supervisor.

Started by file name in isolated mode (`python -I -S guardian.py LOCK_FD command…`), so it uses the standard library
alone and is up in a few milliseconds. Its standard input is the reading end of a pipe whose other end only the
supervisor holds: when the supervisor dies, however it dies, the pipe closes and the whole process group is killed.
A killed guardian takes the command along (PR_SET_PDEATHSIG); forked grandchildren that change their parent are
adopted (PR_SET_CHILD_SUBREAPER), so they are found and reaped too.

Ends with the command's exit code, or 128 + the number of the signal that ended it.
"""

import contextlib
import ctypes
import os
import select
import signal
import sys
from types import FrameType

PR_SET_PDEATHSIG = 1
PR_SET_CHILD_SUBREAPER = 36
LIFELINE = 0


def set_process_option(option: int, value: int) -> None:
    """prctl(2) where the system has it (Linux); elsewhere the pipe alone has to do."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(option, value, 0, 0, 0)


def die_with_parent(parent: int, number: int = signal.SIGKILL) -> None:
    """Have the kernel send us signal `number` when process `parent` dies; ends at once if it is already gone."""
    set_process_option(PR_SET_PDEATHSIG, number)
    if os.getppid() != parent:
        os._exit(1)


def end_with_parent() -> None:
    """SIGTERM to this process when the one that started it dies (for `make run`, which may be killed)."""
    die_with_parent(os.getppid(), signal.SIGTERM)


def run_command(command: list[str], guardian: int) -> None:
    """In the forked process: its own group, no lifeline, default signals, then the command. Never returns."""
    os.setpgid(0, 0)
    die_with_parent(guardian)
    os.dup2(os.open(os.devnull, os.O_RDONLY), LIFELINE)
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGCHLD):
        signal.signal(number, signal.SIG_DFL)
    try:
        os.execvp(command[0], command)
    except OSError as error:
        os.write(2, f"{command[0]}: {error.strerror}\n".encode())
        os._exit(127)


def kill_group(child: int) -> None:
    """SIGKILL to whatever is left of the command's group."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(child, signal.SIGKILL)


def reap(child: int, *, block: bool) -> int | None:
    """Collect ended processes, adopted ones included; the exit code once `child` itself is among them.

    With `block`, waits until none is left (they have been killed before).
    """
    code = None
    while True:
        try:
            pid, status = os.waitpid(-1, 0 if block else os.WNOHANG)
        except ChildProcessError:
            return code
        if pid == 0:
            return code
        if pid == child:
            ended = os.waitstatus_to_exitcode(status)
            code = ended if ended >= 0 else 128 - ended


def guard(command: list[str]) -> int:
    """Run `command` until it ends or the lifeline closes; returns the exit code for ourselves."""
    set_process_option(PR_SET_CHILD_SUBREAPER, 1)
    awake, wake = os.pipe()
    os.set_blocking(awake, False)
    os.set_blocking(wake, False)
    signal.set_wakeup_fd(wake, warn_on_full_buffer=False)
    guardian = os.getpid()
    asked_to_stop = False

    def ask_to_stop(_number: int, _frame: FrameType | None) -> None:
        nonlocal asked_to_stop
        asked_to_stop = True

    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, ask_to_stop)
    signal.signal(signal.SIGCHLD, lambda _number, _frame: None)

    child = os.fork()
    if child == 0:
        run_command(command, guardian)
    # On both sides of the fork: whichever comes first, the group exists before anyone may have to kill it. It is too
    # late (EACCES) once the command runs, and pointless (ESRCH) once it has ended.
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.setpgid(child, child)
    code = None
    while code is None:
        ready, _, _ = select.select([LIFELINE, awake], [], [])
        if awake in ready:
            os.read(awake, 512)
        if LIFELINE in ready:
            break
        if asked_to_stop:
            asked_to_stop = False
            with contextlib.suppress(ProcessLookupError):
                os.kill(child, signal.SIGTERM)
        code = reap(child, block=False)
    # Whatever the command forked must be gone before we end: its successor uses the same port and files.
    kill_group(child)
    last = reap(child, block=True)
    return code if code is not None else last if last is not None else 1


if __name__ == "__main__":
    # The lock of the state folder is held by every guardian too, so that a new supervisor waits for the last process
    # of a killed one; the command itself must not hold it.
    os.set_inheritable(int(sys.argv[1]), False)
    sys.exit(guard(sys.argv[2:]))
