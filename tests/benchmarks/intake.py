"""How many deletion forms per second the web takes in over real HTTP. One JSON object on stdout.

Run by `python -m tests.benchmarks` with the environment of `ground.settings`. Each client keeps one connection, asks
for the form once and sends it again and again, with a one-time number and an address of its own each time.
"""

from __future__ import annotations

import asyncio
import json
import os
import re
import statistics
import sys
import time
from urllib.parse import urlencode

from tests.benchmarks import people
from tests.benchmarks.ground import Processes, free_port
from tests.benchmarks.mailbox import Mailbox
from tests.benchmarks.meters import Meter, spent

CLIENTS = 8
WARM_UP = 40


class Client:
    """One visitor: HTTP/1.1 over a bare connection, so that little is spent on asking."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.cookies: dict[str, str] = {}
        self.token = ""

    async def open(self, path: str) -> None:
        """Connect, and fetch the form for its token and cookie."""
        self.reader, self.writer = await asyncio.open_connection("127.0.0.1", self.port)
        _status, page = await self.ask(b"GET", path, b"")
        found = re.search(rb'name="csrfmiddlewaretoken" value="([^"]+)"', page)
        if not found:
            raise RuntimeError(f"no form at {path}: {page[:300]!r}")
        self.token = found[1].decode()

    async def ask(self, method: bytes, path: str, body: bytes) -> tuple[int, bytes]:
        """One request and its answer. Cookies are kept; the form's own session is not, each person is a new one."""
        cookies = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        head = (
            f"{method.decode()} {path} HTTP/1.1\r\nHost: 127.0.0.1:{self.port}\r\nCookie: {cookies}\r\n"
            f"Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {len(body)}\r\n\r\n"
        )
        self.writer.write(head.encode() + body)
        lines = (await self.reader.readuntil(b"\r\n\r\n")).split(b"\r\n")
        headers = [line.partition(b":") for line in lines[1:]]
        for name, _colon, value in headers:
            if name.lower() == b"set-cookie" and value.strip().startswith(b"csrftoken="):
                self.cookies["csrftoken"] = value.strip()[10:].split(b";")[0].decode()
        known = {name.lower(): value.strip() for name, _colon, value in headers}
        if known.get(b"transfer-encoding", b"").lower() == b"chunked":
            page = b""
            while size := int((await self.reader.readline()).strip(), 16):
                page += (await self.reader.readexactly(size + 2))[:-2]
            await self.reader.readline()
        else:
            page = await self.reader.readexactly(int(known.get(b"content-length", b"0")))
        if known.get(b"connection", b"").lower() == b"close":
            self.writer.close()
            self.reader, self.writer = await asyncio.open_connection("127.0.0.1", self.port)
        return int(lines[0].split()[1]), page


async def send_all(port: int, path: str, forms: list[dict[str, str]]) -> list[float]:
    """Send every form, CLIENTS at a time; returns the seconds each took. Raises RuntimeError for one not accepted."""
    waiting = list(reversed(forms))
    took: list[float] = []

    async def visitor() -> None:
        client = Client(port)
        await client.open(path)
        while waiting:
            body = urlencode({**waiting.pop(), "csrfmiddlewaretoken": client.token}).encode()
            began = time.perf_counter()
            status, page = await client.ask(b"POST", path, body)
            took.append(time.perf_counter() - began)
            if status != 302:
                raise RuntimeError(f"{status}: {page[:500]!r}")
        client.writer.close()

    await asyncio.gather(*(visitor() for _ in range(CLIENTS)))
    return took


def main(count: int) -> None:
    """Measure with nobody else at work, then with worker and beat running."""
    with Mailbox() as mailbox:
        os.environ["EMAIL_PORT"] = str(mailbox.port)
        import django

        django.setup()
        from django.conf import settings
        from django.db import connection
        from django.urls import reverse

        from dsar.intake.web import new_number
        from dsar.models import PrivacyRequest

        people.found_company(settings.COMPANY_DATABASE_URL, settings.COMPANY_DATABASE_SCHEMA, 200)
        path = reverse("ask", args=["deletion"])

        def forms(first: int, number: int) -> list[dict[str, str]]:
            return [
                {"number": new_number(), "email": people.address(first + n), "country": "DE", "acts_as": "self"}
                for n in range(number)
            ]

        processes = Processes(dict(os.environ))
        port = free_port()
        processes.web(port)
        dsn = os.environ["DATABASE_URL"] if connection.vendor == "postgresql" else ""
        found = {}
        try:
            asyncio.run(send_all(port, path, forms(1, WARM_UP)))
            first = 1 + WARM_UP
            for name in ("alone", "with the worker"):
                if name != "alone":
                    processes.worker()
                    processes.beat()
                    time.sleep(4)
                batch = forms(first, count)
                first += count
                meter = Meter({"web": processes.pids()["web"]}, dsn, settings.REDIS_URL)
                before, began = meter.read(), time.perf_counter()
                took = asyncio.run(send_all(port, path, batch))
                seconds = time.perf_counter() - began
                used = spent(before, meter.read())
                took.sort()
                found[name] = {
                    "requests": count, "per_second": count / seconds, "p50_ms": 1000 * statistics.median(took),
                    "p95_ms": 1000 * took[int(len(took) * 0.95)],
                    "cpu_ms": {part: 1000 * value / count for part, value in used.items()},
                }  # fmt: skip
        finally:
            processes.stop()
        if PrivacyRequest.objects.count() != WARM_UP + 2 * count:
            raise SystemExit("some forms made no case")
        print(json.dumps(found))


if __name__ == "__main__":
    main(int(sys.argv[1]))
