"""How many erasures per second, at what cost, and how long a person waits in a backlog. One JSON object on stdout.

Run by `python -m tests.benchmarks` with the environment of `ground.settings`.
"""

from __future__ import annotations

import json
import os
import signal
import statistics
import sys
import time
from unittest.mock import patch

from tests.benchmarks import people
from tests.benchmarks.ground import Processes
from tests.benchmarks.mailbox import Mailbox
from tests.benchmarks.meters import Meter, spent

WARM_UP = 20
PATIENCE_SECONDS = 60


def main(backlogs: list[int]) -> None:
    """Measure each backlog in turn on one installation."""
    with Mailbox() as mailbox:
        os.environ["EMAIL_PORT"] = str(mailbox.port)
        import django

        django.setup()
        from django.conf import settings
        from django.db import connection

        total = WARM_UP + sum(backlogs)
        people.found_company(settings.COMPANY_DATABASE_URL, settings.COMPANY_DATABASE_SCHEMA, total)
        bounds = [1, 1 + WARM_UP]
        for backlog in backlogs:
            bounds.append(bounds[-1] + backlog)
        groups = [range(first, last) for first, last in zip(bounds, bounds[1:], strict=False)]
        requests = [people.confirmed(numbers) for numbers in groups]
        from dsar.notifications import outbox

        outbox.drain()
        with connection.cursor() as cursor:
            cursor.execute("ANALYZE")
        processes = Processes(dict(os.environ))
        processes.worker()
        processes.beat()
        try:
            measure(mailbox, processes, groups[0], requests[0])
            found = [measure(mailbox, processes, *each) for each in zip(groups[1:], requests[1:], strict=True)]
        except TimeoutError as error:
            raise SystemExit(f"{error}: {processes.said('worker')}") from None
        finally:
            processes.stop()
        print(json.dumps(found))


def measure(mailbox: Mailbox, processes: Processes, numbers: range, requests: list[int]) -> dict[str, object]:
    """Release these requests while nobody listens, ring the bell, and wait for the last letter."""
    from django.conf import settings
    from django.db import connection

    from accounts.models import Role, User
    from dsar import bell
    from dsar.enums import Lane, State
    from dsar.fulfilment import control
    from dsar.models import PrivacyRequest, staff

    approver, _ = User.objects.get_or_create(email="approver@desk.example.com", defaults={"role": Role.APPROVER})
    actor = staff(approver)
    dsn = os.environ["DATABASE_URL"] if connection.vendor == "postgresql" else ""
    meter = Meter(processes.pids(), dsn, settings.REDIS_URL)
    # The lanes are empty before and after: what another measurement left would be counted here.
    _wait(lambda: len(mailbox.arrivals) == _settled(mailbox), "quiet")
    already = len(mailbox.letters)
    at_first = {**meter.read(), "releasing": time.process_time()}
    # Beat sleeps meanwhile, too: a bell of its would start the work before the clock.
    beat = processes.running["beat"]
    beat.send_signal(signal.SIGSTOP)
    with patch.object(bell, "strike", lambda _lane: False):
        for pk in requests:
            control.release(pk, actor=actor)
    beat.send_signal(signal.SIGCONT)
    released = {**meter.read(), "releasing": time.process_time()}
    began = time.monotonic()
    bell.strike(Lane.FULFIL)
    _wait(lambda: len(mailbox.letters) >= already + len(requests), f"{len(requests)} letters")
    waits = sorted(moment - began for moment in mailbox.letters[already:])
    time.sleep(0.3)
    at_last = meter.read()
    done = PrivacyRequest.objects.filter(pk__in=requests, state=State.COMPLETED).count()
    left = people.rows_left(settings.COMPANY_DATABASE_URL, settings.COMPANY_DATABASE_SCHEMA, numbers)
    if done != len(requests) or left:
        raise TimeoutError(f"{done} of {len(requests)} done, {left} rows left")
    work = spent(released, at_last)
    release = spent(at_first, released)
    return {
        "erasures": len(requests),
        "seconds": waits[-1],
        "per_second": len(requests) / waits[-1],
        "cpu_ms": {name: 1000 * value / len(requests) for name, value in work.items()},
        "cpu_ms_each": 1000 * sum(work.values()) / len(requests),
        "release_cpu_ms": 1000 * sum(release.values()) / len(requests),
        "median_share": statistics.median(waits) / waits[-1],
    }


def _settled(mailbox: Mailbox) -> int:
    time.sleep(0.5)
    return len(mailbox.arrivals)


def _wait(condition: object, what: str) -> None:
    until = time.monotonic() + PATIENCE_SECONDS
    while not condition():  # type: ignore[operator]
        if time.monotonic() > until:
            raise TimeoutError(f"no {what} within {PATIENCE_SECONDS} s")
        time.sleep(0.02)


if __name__ == "__main__":
    main([int(number) for number in sys.argv[1:]])
