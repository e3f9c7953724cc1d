"""Every Celery task. Each body is one call; messages carry a lane's name and no ids."""

from collections.abc import Callable

from celery import shared_task

from dsar import audit, bell, housekeeping
from dsar.enums import Lane
from dsar.fulfilment import locating, owner_clock, restored, runner, silence
from dsar.intake import sweep as intake
from dsar.notifications import outbox
from dsar.review import clock, dates
from dsar.verification import by_hand, data_points, lost_mailbox, quiz
from dsar.workflow import each

LANES: dict[str, Callable[[bell.Turn], int]] = {
    Lane.INTAKE: intake.drain,
    Lane.LOCATE: locating.drain,
    Lane.CLOSE: runner.drain_closing,
    Lane.FULFIL: runner.drain_fulfilling,
    Lane.MAIL: outbox.drain,
    Lane.PROVE: lambda turn: data_points.drain(turn) + quiz.drain(turn),
}


SWEEPS: dict[str, Callable[[], int]] = {
    "clock": clock.sweep,
    "lost mailboxes": lost_mailbox.sweep,
    "checks": by_hand.sweep,
    "owners": owner_clock.sweep,
    "silence": silence.sweep,
    "housekeeping": housekeeping.sweep,
}


@shared_task(name="dsar.drain")
def drain(lane: str) -> int:
    """Work a lane until it is empty or this turn is over. The bell is taken down first, so that a ring meanwhile is
    heard again."""
    bell.answer(Lane(lane))
    return LANES[lane](bell.Turn(Lane(lane)))


@shared_task(name="dsar.ring_all")
def ring_all() -> None:
    """Ring every lane: a lost bell costs seconds."""
    for lane in Lane:
        bell.strike(lane)


@shared_task(name="dsar.sweep")
def sweep() -> int:
    """Raise what the clock says is due, and let go what has had its time. Returns how many parts found something."""
    return each(SWEEPS, lambda part: SWEEPS[part](), "a part of the sweep failed")


@shared_task(name="dsar.watch_dates")
def watch_dates() -> int:
    """Raise legal dates that are near, notices that did not leave, and send the mails of the day."""
    return dates.sweep()


@shared_task(name="dsar.checkpoint")
def checkpoint() -> str:
    """Sign the heads of all audit chains; the statement also leaves the database."""
    return audit.checkpoint().signature


@shared_task(name="dsar.look_for_restored")
def look_for_restored() -> int:
    """Once a day, whenever somebody is up: forget the marks whose period is over, and erase again what came back."""
    return restored.daily()
