"""`manage.py up` with real processes: it answers, mends itself, refuses clearly, ends fully, and keeps the data."""

import os
import signal
import socket
import sqlite3
import stat
import subprocess
import sys
import threading
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import psutil
import pytest
import redis

from dsar.supervisor import broker, children, house

pytestmark = pytest.mark.once

BASE_DIR = Path(__file__).resolve().parents[2]
HANGS_AFTER = 60  # seconds; only keeps a broken supervisor from blocking the whole run
NAMES = {"broker": "valkey-server", "web": "gunicorn", "worker": " worker ", "beat": " beat "}


class Up:
    """A running `manage.py up` with a state folder of its own."""

    def __init__(self, var_dir: Path, port: int = 0) -> None:
        kept = ("PATH", "HOME", "LANG", "LC_ALL", "TMPDIR")
        environment = {name: os.environ[name] for name in kept if name in os.environ}
        environment |= {"DEBUG": "1", "VAR_DIR": str(var_dir)}
        self.process = subprocess.Popen(
            [sys.executable, "manage.py", "up", "--port", str(port)],
            cwd=BASE_DIR,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        self.lines: list[str] = []
        self.guard = threading.Timer(HANGS_AFTER, self.process.kill)
        self.guard.start()

    def until(self, text: str) -> str:
        """The next line of output that contains `text`."""
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.lines.append(line)
            if text in line:
                return line
        raise AssertionError(f"no line with {text!r} in:\n{''.join(self.lines)}")

    def ready(self) -> str:
        """The address, once the pages answer."""
        address = self.until("Public form").split()[-1].rstrip("/")
        self.until("Ctrl-C")
        return address

    def descendants(self) -> list[psutil.Process]:
        """Every process below the supervisor."""
        found: list[psutil.Process] = psutil.Process(self.process.pid).children(recursive=True)
        return found

    def guarded(self, name: str) -> psutil.Process:
        """The process that runs the command called `name`, below its guardian."""
        for guardian in psutil.Process(self.process.pid).children():
            if NAMES[name] in " ".join(guardian.cmdline()[5:]):
                return guardian.children()[0]
        raise AssertionError(f"{name} is not running")

    def output(self) -> str:
        """All output of a supervisor that is ending, with its exit code left in `process.returncode`."""
        rest, _ = self.process.communicate(timeout=HANGS_AFTER)
        return "".join(self.lines) + rest

    def close(self) -> None:
        """End the supervisor however the test went."""
        self.process.send_signal(signal.SIGTERM)
        self.process.communicate(timeout=HANGS_AFTER)
        self.guard.cancel()


Starter = Callable[..., Up]


@pytest.fixture
def start() -> Iterator[Starter]:
    """Start a supervisor that ends with the test."""
    running: list[Up] = []

    def starter(var_dir: Path, port: int = 0) -> Up:
        running.append(Up(var_dir, port))
        return running[-1]

    yield starter
    for up in running:
        up.close()


def page(address: str) -> int:
    """The status of the front page; waits for a web process that is just being restarted."""
    with urllib.request.urlopen(f"{address}/", timeout=HANGS_AFTER) as response:
        status: int = response.status
        return status


def broker_of(var_dir: Path) -> redis.Redis:
    """A client of the embedded broker."""
    return redis.Redis(unix_socket_path=str(broker.socket_path(var_dir)))


def accounts_in(var_dir: Path) -> list[tuple[object, ...]]:
    """The people who can sign in, with their password hashes."""
    with closing(sqlite3.connect(var_dir / "rightsdesk.sqlite3")) as database:
        rows: list[tuple[object, ...]] = database.execute("SELECT * FROM accounts_user ORDER BY id").fetchall()
        return rows


def still_there(processes: list[psutil.Process]) -> list[psutil.Process]:
    """Those that have not ended (a process that only waits to be reaped has)."""
    _, alive = psutil.wait_procs(processes, timeout=HANGS_AFTER / 4)
    return [process for process in alive if process.status() != psutil.STATUS_ZOMBIE]


def test_everything_from_start_to_end(tmp_path: Path, start: Starter) -> None:
    """Answers; each killed process comes back; a killed supervisor leaves nothing; the next one finds the data."""
    var_dir = tmp_path / "var"
    up = start(var_dir)
    address = up.ready()
    assert page(address) == 200
    assert stat.S_IMODE(var_dir.stat().st_mode) == 0o700
    assert stat.S_IMODE((var_dir / "keys.env").stat().st_mode) == 0o600

    # A second one on the same folder, and one on the same port, say so in one line.
    port = int(address.rsplit(":", 1)[1])
    second, third = start(var_dir), start(tmp_path / "other", port)
    for refused, reason in ((second, "Already running"), (third, f"Port {port} on 127.0.0.1 is in use")):
        lines = refused.output().splitlines()
        assert len(lines) == 1 and reason in lines[0]
        assert refused.process.returncode == 1

    broker_of(var_dir).set("kept", "yes")
    for name in NAMES:
        before = up.guarded(name)
        family = [before, *before.children(recursive=True)]
        before.send_signal(signal.SIGKILL)
        up.until(f"{name} ended (signal 9), started again")
        assert not still_there(family)
    assert page(address) == 200

    # The guardian itself may be killed too.
    guardian = up.guarded("beat").parent()
    assert guardian is not None
    beat = guardian.children()
    guardian.send_signal(signal.SIGKILL)
    up.until("beat ended (signal 9)")
    assert not still_there(beat)

    people, family = accounts_in(var_dir), up.descendants()
    assert people
    assert len(family) >= 2 * len(NAMES)
    up.process.kill()
    up.process.wait(timeout=HANGS_AFTER)
    assert not still_there(family)

    again = start(var_dir)
    address = again.ready()
    assert page(address) == 200
    assert accounts_in(var_dir) == people
    assert broker_of(var_dir).get("kept") == b"yes"

    family = again.descendants()
    again.process.send_signal(signal.SIGTERM)
    again.output()
    assert again.process.returncode == 0
    assert not still_there(family)


def test_a_supervisor_that_dies_while_it_starts_something() -> None:
    """The lifeline may close before the command has its own process group, or has begun at all."""
    with Path(os.devnull).open() as lock:
        command = [sys.executable, "-I", "-S", str(children.GUARDIAN), str(lock.fileno()), "sleep", "600"]
        for _ in range(20):
            guardian = subprocess.Popen(command, stdin=subprocess.DEVNULL, pass_fds=(lock.fileno(),))
            assert guardian.wait(timeout=HANGS_AFTER) == 128 + signal.SIGKILL


@pytest.mark.parametrize(("script", "code"), [("exit 3", 3), ("kill -9 $$", 137), ("sleep 600 & exit 0", 0)])
def test_a_guardian_passes_the_exit_code_on(script: str, code: int) -> None:
    """And leaves nothing of the command's group behind."""
    with Path(os.devnull).open() as lock:
        command = [sys.executable, "-I", "-S", str(children.GUARDIAN), str(lock.fileno()), "sh", "-c", script]
        guardian = subprocess.Popen(command, stdin=subprocess.PIPE, pass_fds=(lock.fileno(),))
        with guardian:
            assert guardian.wait(timeout=HANGS_AFTER) == code


def test_ends_within_five_seconds() -> None:
    """What the loop allows at most, by its own constants: grace, kill, broker, kill."""
    assert house.GRACE + house.BROKER_GRACE + house.KILL_GRACE <= 5


def test_a_port_in_use_is_one_line() -> None:
    """Without any process: the reason names the port and the way out."""
    with closing(socket.create_server(("127.0.0.1", 0))) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(house.CannotStart, match=rf"Port {port} on 127\.0\.0\.1 is in use: choose another"):
            house.listen("127.0.0.1", port)


@pytest.mark.parametrize(("host", "port"), [("127.0.0.1", 70000), ("203.0.113.7", 8000), ("not a host", 8000)])
def test_a_wrong_address_is_one_line(host: str, port: int) -> None:
    """A port that cannot exist, an address that is not ours, a name that means nothing."""
    with pytest.raises(house.CannotStart) as refused:
        house.listen(host, port)
    assert "\n" not in str(refused.value)


def test_a_long_folder_gets_a_short_socket(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A unix socket's path is limited to about a hundred bytes; the broker then listens in a private folder."""
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    path = broker.socket_path(tmp_path / ("long" * 40))
    assert len(os.fsencode(path.name)) <= broker.LONGEST_SOCKET_PATH
    assert path != tmp_path / ("long" * 40) / "broker.sock"
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    path.parent.chmod(0o755)
    with pytest.raises(broker.NoBroker):
        broker.socket_path(tmp_path / ("long" * 40))
