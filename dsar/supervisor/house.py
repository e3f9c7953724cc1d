"""The supervisor's loop: what is started in which order, what is restarted, and how everything ends."""

import errno
import fcntl
import os
import select
import signal
import socket
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType

from dsar.supervisor import broker
from dsar.supervisor.children import Child, in_words

# Ctrl-C or SIGTERM ends everything within the sum of these seconds. What is cut off loses nothing: every stage can be
# killed at any point and is redone.
GRACE = 3.4
KILL_GRACE = 0.6
BROKER_GRACE = 0.6
BROKER_STARTS_WITHIN = 20.0
FALSE_STARTS = 4  # the web process may fail this often before it has answered for the first time
TICK = 0.25


class CannotStart(Exception):
    """Why nothing was started, in one line."""


@dataclass(frozen=True)
class Plan:
    """What `manage.py up` was asked for. `port` 0 lets the system choose one; `broker_url` empty: the embedded one."""

    base_dir: Path
    var_dir: Path
    host: str
    port: int
    broker_url: str
    environment: Mapping[str, str]
    say: Callable[[str], None]
    welcome: Callable[[str], None]


@contextmanager
def sole_use(var_dir: Path) -> Iterator[int]:
    """Hold the state folder's lock and yield its descriptor, or raise CannotStart where another supervisor has it.

    The guardians of a supervisor that was killed a moment ago hold the lock until their processes are gone; that is
    waited for.
    """
    descriptor = os.open(var_dir / "up.lock", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        patience = time.monotonic() + 2.0
        while True:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if time.monotonic() > patience:
                    holder = os.pread(descriptor, 32, 0).decode()
                    raise CannotStart(
                        f"Already running on {var_dir} (process {holder}): stop it first, or set VAR_DIR."
                    ) from None
                time.sleep(0.05)
        os.truncate(descriptor, 0)
        os.pwrite(descriptor, str(os.getpid()).encode(), 0)
        yield descriptor
    finally:
        os.close(descriptor)


def listen(host: str, port: int) -> socket.socket:
    """The listening socket, opened here and handed down: nobody can take the port while the web process restarts."""
    if not 0 <= port <= 65535:
        raise CannotStart(f"Port {port} does not exist: ports go from 1 to 65535.")
    try:
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        return socket.create_server((host, port), family=family, backlog=512)
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            raise CannotStart(f"Port {port} on {host} is in use: choose another with PORT=… or --port.") from None
        raise CannotStart(
            f"Cannot listen on {host}, port {port}: {os.strerror(error.errno or errno.EINVAL)}."
        ) from None


@dataclass
class House:
    """Everything that runs for one `manage.py up`."""

    plan: Plan
    lock: int
    listening: socket.socket
    children: list[Child] = field(default_factory=list)
    broker_child: Child | None = None
    stopping: bool = False
    answered: bool = False
    probe: socket.socket | None = None

    def __post_init__(self) -> None:
        self.port: int = self.listening.getsockname()[1]
        # The links in mails lead here, unless the installation has an address of its own.
        self.environment = {"BASE_URL": f"http://localhost:{self.port}", **self.plan.environment}
        self.awake, self.wake = socket.socketpair()
        self.awake.setblocking(False)
        self.wake.setblocking(False)

    def run(self) -> int:
        """Start everything, keep it running until asked to stop, end everything; returns the exit code."""
        signal.set_wakeup_fd(self.wake.fileno(), warn_on_full_buffer=False)
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            signal.signal(number, self.ask_to_stop)
        signal.signal(signal.SIGCHLD, lambda _number, _frame: None)
        self.plan.say("starting …")
        try:
            self.start_broker()
            if self.prepare():
                self.start_web()
                while not self.stopping:
                    self.tick()
            return 0
        except (CannotStart, broker.NoBroker) as error:
            self.plan.say(str(error))
            return 1
        finally:
            self.end_all()

    def ask_to_stop(self, _number: int, _frame: FrameType | None) -> None:
        """Stop in good order; asked a second time, at once."""
        if self.stopping:
            for child in self.everyone():
                child.cut()
        self.stopping = True

    def everyone(self) -> list[Child]:
        """All children, the broker last."""
        return [*self.children, *([self.broker_child] if self.broker_child else [])]

    def child(self, name: str, command: list[str], *inherit: int) -> Child:
        """A child that logs to VAR_DIR/log/<name>.log and runs in the project's folder."""
        folder = self.plan.var_dir / "log"
        folder.mkdir(mode=0o700, exist_ok=True)
        return Child(name, command, folder / f"{name}.log", self.environment, self.plan.base_dir, self.lock, inherit)

    def start_broker(self) -> None:
        """The embedded broker, unless another is configured; returns once it answers."""
        if self.plan.broker_url:
            self.environment["REDIS_URL"] = self.plan.broker_url
            return
        path = broker.socket_path(self.plan.var_dir)
        self.environment["REDIS_URL"] = broker.url(path)
        child = self.child("broker", broker.command(path, self.plan.var_dir / "broker"))
        child.start()
        self.broker_child = child
        patience = time.monotonic() + BROKER_STARTS_WITHIN
        while not self.stopping and not broker.answers(path):
            code = child.ended()
            if code is not None or time.monotonic() > patience:
                self.show(child, child.last_lines())
                raise CannotStart(f"The broker did not start ({'time is up' if code is None else in_words(code)}).")
            self.pause(0.05)

    def prepare(self) -> bool:
        """Keys, migrations, static files and the demo; False where we were asked to stop meanwhile."""
        child = self.child("prepare", [sys.executable, "manage.py", "prepare"])
        self.start(child)
        while not self.stopping:
            code = child.ended()
            if code is None:
                self.pause(TICK)
                continue
            self.children.remove(child)
            if code != 0:
                self.show(child, child.last_lines())
                raise CannotStart(f"Could not be prepared ({in_words(code)}); the whole story: {child.log}")
            return True
        return False

    def start_web(self) -> None:
        """The pages come first and alone: on a small machine the others would only slow them down."""
        descriptor = self.listening.fileno()
        heartbeat = Path("/dev/shm") if Path("/dev/shm").is_dir() else self.plan.var_dir
        # No access log: the address of a link holds a secret until its first use.
        web = [sys.executable, "-m", "gunicorn", "config.wsgi", "--bind", f"fd://{descriptor}", "--workers", "2"]
        web += ["--worker-class", "gthread", "--threads", "4", "--graceful-timeout", "2", "--no-control-socket"]
        web += ["--worker-tmp-dir", str(heartbeat)]
        self.start(self.child("web", web, descriptor))

    def start_worker_and_beat(self) -> None:
        """Once the pages answer."""
        celery = [sys.executable, "-m", "celery", "-A", "config.celery"]
        schedule = self.plan.var_dir / "beat"
        schedule.mkdir(mode=0o700, exist_ok=True)
        worker = [*celery, "worker", "--pool", "prefork", "--concurrency", "2", "--loglevel", "INFO"]
        worker += ["--without-gossip", "--without-mingle", "--without-heartbeat"]
        self.start(self.child("worker", worker))
        self.start(
            self.child("beat", [*celery, "beat", "--schedule", str(schedule / "schedule"), "--loglevel", "INFO"])
        )

    def start(self, child: Child) -> None:
        """Start a child that is to be kept running."""
        self.children.append(child)
        child.start()

    def tick(self) -> None:
        """One turn: restart what has ended, and say so when the pages answer for the first time."""
        for child in self.everyone():
            code = child.ended()
            if code is not None and not self.stopping:
                self.restart(child, code)
            if child.restart_at is not None and time.monotonic() >= child.restart_at and not self.stopping:
                child.start()
        if not self.answered:
            self.look_for_answer()
        self.pause(TICK)

    def restart(self, child: Child, code: int) -> None:
        """Start a child again that has ended; a web process that never answered ends the whole start."""
        reason = in_words(code)
        lines = [] if "signal" in reason else child.last_lines()
        pause = child.plan_restart()
        if not pause:
            child.start()
        when = f"starting it again in {pause:g} s" if pause else "started again"
        self.plan.say(f"{child.name} ended ({reason}), {when}")
        self.show(child, lines)
        if child.name == "web" and not self.answered and child.failures >= FALSE_STARTS:
            raise CannotStart(f"The web process does not start; the whole story: {child.log}")

    def look_for_answer(self) -> None:
        """Ask for the front page once and notice the answer whenever it comes; greet when it does."""
        if self.probe is None:
            host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(self.plan.host, self.plan.host)
            self.probe = socket.create_connection((host, self.port), timeout=1.0)
            self.probe.sendall(b"GET / HTTP/1.0\r\nHost: localhost\r\n\r\n")
            self.probe.setblocking(False)
        try:
            status = self.probe.recv(16)
        except BlockingIOError:
            return
        except OSError:
            status = b""
        self.probe.close()
        self.probe = None
        if status.startswith(b"HTTP/"):
            self.answered = True
            self.start_worker_and_beat()
            shown = self.plan.host if ":" not in self.plan.host else f"[{self.plan.host}]"
            name = "localhost" if shown in {"127.0.0.1", "[::1]", "0.0.0.0", "[::]"} else shown
            self.plan.welcome(f"http://{name}:{self.port}")
            if status[9:10] == b"5":
                self.plan.say(f"the front page answers with an error; see {self.plan.var_dir / 'log' / 'web.log'}")

    def show(self, child: Child, lines: list[str]) -> None:
        """Lines of a child's log, each with its name."""
        for line in lines:
            self.plan.say(f"  {child.name} | {line}")

    def pause(self, seconds: float) -> None:
        """Wait, but no longer than until the next signal, ended child or answer of the front page."""
        watched = [self.awake, *([self.probe] if self.probe else [])]
        ready, _, _ = select.select(watched, [], [], seconds)
        if self.awake in ready:
            self.awake.recv(512)

    def end_all(self) -> None:
        """SIGTERM to all but the broker, then the lifelines are cut, then the same for the broker."""
        self.stopping = True
        if self.probe is not None:
            self.probe.close()
        self.listening.close()
        rounds = [(self.children, GRACE), ([self.broker_child] if self.broker_child else [], BROKER_GRACE)]
        for group, grace in rounds:
            until = time.monotonic() + grace
            for child in group:
                child.ask_to_end()
            in_time = [child.wait(until) for child in group]
            if not all(in_time):
                for child in group:
                    child.cut()
                until = time.monotonic() + KILL_GRACE / 2
                for child in group:
                    child.wait(until)
        signal.set_wakeup_fd(-1)
        self.awake.close()
        self.wake.close()


def run(plan: Plan) -> int:
    """Run everything as `plan` says until a signal ends it; returns the exit code for the command line."""
    try:
        with sole_use(plan.var_dir) as lock, listen(plan.host, plan.port) as listening:
            return House(plan, lock, listening).run()
    except CannotStart as error:
        plan.say(str(error))
        return 1
