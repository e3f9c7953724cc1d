"""How many copies per second, at what cost, and how much memory a copy with very many rows takes. One JSON object on stdout.

Run by `python -m tests.benchmarks` with the environment of `ground.settings`.
"""

from __future__ import annotations

import json
import os
import resource
import signal
import sys
import threading
import time
from unittest.mock import patch

from tests.benchmarks import people
from tests.benchmarks.ground import Processes
from tests.benchmarks.mailbox import Mailbox
from tests.benchmarks.meters import Meter, spent

WARM_UP = 10
PATIENCE_SECONDS = 120


def main(count: int, big: int) -> None:
    """Measure `count` copies of seven rows, then one of `big` rows in this process."""
    with Mailbox() as mailbox:
        os.environ["EMAIL_PORT"] = str(mailbox.port)
        import django

        django.setup()
        from django.conf import settings

        total = WARM_UP + count + 1
        people.found_company(settings.COMPANY_DATABASE_URL, settings.COMPANY_DATABASE_SCHEMA, total)
        requests = [people.to_copy(number) for number in range(1, total)]
        from dsar.notifications import outbox

        outbox.drain()
        processes = Processes(dict(os.environ))
        processes.worker()
        processes.beat()
        try:
            measure(processes, requests[:WARM_UP])
            found = measure(processes, requests[WARM_UP:])
        except TimeoutError as error:
            raise SystemExit(f"{error}: {processes.said('worker')}") from None
        finally:
            processes.stop()
        print(json.dumps({**found, "big": one_with_many_rows(total, big)}))


def measure(processes: Processes, requests: list[int]) -> dict[str, object]:
    """Approve these requests while nobody listens, ring the bell, and wait until each can be looked through."""
    from django.conf import settings
    from django.db import connection

    from accounts.models import Role, User
    from dsar import bell
    from dsar.enums import Lane, State
    from dsar.models import PrivacyRequest, staff
    from dsar.review import decide

    approver, _ = User.objects.get_or_create(email="approver@desk.example.com", defaults={"role": Role.APPROVER})
    dsn = os.environ["DATABASE_URL"] if connection.vendor == "postgresql" else ""
    # Beat sleeps meanwhile: a bell of its would start the work before the clock.
    beat = processes.running["beat"]
    beat.send_signal(signal.SIGSTOP)
    with patch.object(bell, "strike", lambda _lane: False):
        for pk in requests:
            decide.approve(pk, actor=staff(approver))
    beat.send_signal(signal.SIGCONT)
    meter = Meter(processes.pids(), dsn, settings.REDIS_URL)
    before, began = meter.read(), time.monotonic()
    bell.strike(Lane.FULFIL)
    waiting = PrivacyRequest.objects.filter(pk__in=requests).exclude(state=State.CHECKING)
    while waiting.exists():
        if time.monotonic() - began > PATIENCE_SECONDS:
            raise TimeoutError(f"{waiting.count()} of {len(requests)} copies are not ready")
        time.sleep(0.02)
    seconds = time.monotonic() - began
    work = spent(before, meter.read())
    return {
        "exports": len(requests), "seconds": seconds, "per_second": len(requests) / seconds,
        "cpu_ms": {name: 1000 * value / len(requests) for name, value in work.items()},
        "cpu_ms_each": 1000 * sum(work.values()) / len(requests),
    }  # fmt: skip


def one_with_many_rows(number: int, rows: int) -> dict[str, object]:
    """Copy one person with that many rows in this process; the peak of its memory, before and after, in bytes."""
    from django.conf import settings

    from accounts.models import Role, User
    from dsar.enums import State
    from dsar.fulfilment import package, runner
    from dsar.models import PrivacyRequest, staff
    from dsar.review import decide

    people.many_calls(settings.COMPANY_DATABASE_URL, settings.COMPANY_DATABASE_SCHEMA, number, rows)
    pk = people.to_copy(number)
    decide.approve(pk, actor=staff(User.objects.get(role=Role.APPROVER)))
    at_first, peak = resident(), Peak()
    began = time.monotonic()
    with peak:
        while PrivacyRequest.objects.get(pk=pk).state != State.CHECKING:
            if time.monotonic() - began > 20 * PATIENCE_SECONDS or not runner.drain_fulfilling():
                raise SystemExit("the big copy did not end")
    made = package.current(PrivacyRequest.objects.get(pk=pk))
    if made is None or made.rows < rows:
        raise SystemExit("the big copy is not whole")
    return {
        "rows": made.rows, "zip_bytes": made.size, "seconds": time.monotonic() - began, "at_first": at_first,
        "peak": peak.bytes, "ever": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024,
    }  # fmt: skip


def resident() -> int:
    """The memory of this process, in bytes."""
    import psutil

    return int(psutil.Process().memory_info().rss)


class Peak:
    """The most memory this process held within the block, looked at fifty times a second."""

    def __init__(self) -> None:
        self.bytes = 0
        self._over = threading.Event()
        self._watch = threading.Thread(target=self._look, daemon=True)

    def _look(self) -> None:
        while not self._over.wait(0.02):
            self.bytes = max(self.bytes, resident())

    def __enter__(self) -> None:
        self._watch.start()

    def __exit__(self, *exception: object) -> None:
        self._over.set()
        self._watch.join()


if __name__ == "__main__":
    main(*[int(number) for number in sys.argv[1:]])
