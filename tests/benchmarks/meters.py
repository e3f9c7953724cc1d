"""CPU time of everything that works: process trees, PostgreSQL with its backends, Redis."""

from __future__ import annotations

import os
import platform
import time

import psutil
import psycopg
import redis


def of_tree(pid: int) -> float:
    """CPU seconds (user and system) of a process, its living descendants, and those it has buried."""
    try:
        root = psutil.Process(pid)
        spent = _own(root) + _buried(root)
        for child in root.children(recursive=True):
            try:
                spent += _own(child) + _buried(child)
            except psutil.NoSuchProcess:
                continue
    except psutil.NoSuchProcess:
        return 0.0
    return spent


def _own(process: psutil.Process) -> float:
    times = process.cpu_times()
    return float(times.user + times.system)


def _buried(process: psutil.Process) -> float:
    times = process.cpu_times()
    return float(times.children_user + times.children_system)


def postmaster(dsn: str) -> int | None:
    """The process id of the PostgreSQL server behind an address, or None where it runs on another machine.

    All its backends are counted, those of other databases too: the figure can only be too high.
    """
    with psycopg.connect(dsn) as connection:
        pid = connection.info.backend_pid
        try:
            parent = psutil.Process(pid).ppid()
            return parent if "postgres" in psutil.Process(parent).name() else None
        except psutil.NoSuchProcess:
            return None


def of_redis(url: str) -> float:
    """CPU seconds that a Redis or Valkey server says it has spent."""
    with redis.Redis.from_url(url) as client:
        told = client.info("cpu")
    return float(told["used_cpu_user"]) + float(told["used_cpu_sys"])


class Meter:
    """Reads the CPU seconds of named process trees, of PostgreSQL and of the broker."""

    def __init__(self, trees: dict[str, int], dsn: str, redis_url: str) -> None:
        self.trees = dict(trees)
        server = postmaster(dsn) if dsn else None
        if server:
            self.trees["postgresql"] = server
        self.redis_url = redis_url

    def read(self) -> dict[str, float]:
        """CPU seconds by name, since each of them started."""
        return {**{name: of_tree(pid) for name, pid in self.trees.items()}, "broker": of_redis(self.redis_url)}


def spent(before: dict[str, float], after: dict[str, float]) -> dict[str, float]:
    """What was spent between two readings, by those in both."""
    return {name: after[name] - before[name] for name in after if name in before}


def pace() -> float:
    """CPU milliseconds of ten million turns of an empty loop. What a shared machine gives us changes within an hour, and every
    figure with it: compare figures by this."""
    began = time.process_time()
    for _ in range(10_000_000):
        pass
    return 1000 * (time.process_time() - began)


def machine() -> dict[str, str]:
    """What the figures were measured on."""
    model = ""
    if os.path.exists("/proc/cpuinfo"):
        with open("/proc/cpuinfo") as file:
            model = next((line.partition(":")[2].strip() for line in file if line.startswith("model name")), "")
    return {
        "cores": str(len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()),
        "processor": model or platform.machine(),
        "python": platform.python_version(),
    }
