"""The saved views of the queue: which rows, in which order, and how many there are without counting them all.

Each view's condition has a partial index of the same words (models/privacy_request.py), so that a page costs the
same in a queue of ten and of a million.
"""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db.models import IntegerField, Subquery
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from dsar.models import PrivacyRequest
from dsar.models.law_days import TODAY, by_law
from dsar.models.request_queues import PrivacyRequestQuerySet

COUNT_TO = 500
SOON = timedelta(days=5)


@dataclass(frozen=True)
class View:
    """One saved view. `order` is the column of the keyset beside the id; `counted`: whether its link has a number."""

    key: str
    label: Any
    rows: Callable[[datetime], PrivacyRequestQuerySet]
    empty: Any
    order: str = "due_on"
    descending: bool = False
    counted: bool = True


def _open() -> PrivacyRequestQuerySet:
    return PrivacyRequest.objects.filter(ended_at__isnull=True)


def _soon(now: datetime) -> PrivacyRequestQuerySet:
    return _open().filter(by_law(now, "case__regime", due_on__gte=TODAY, due_on__lte=SOON), paused_reason="")


def _overdue(now: datetime) -> PrivacyRequestQuerySet:
    return _open().filter(by_law(now, "case__regime", due_on__lt=TODAY), paused_reason="")


VIEWS: tuple[View, ...] = (
    View(
        "needs-us",
        _("Needs us"),
        lambda _now: PrivacyRequest.objects.needing_staff(),
        _("Nothing needs you now. Well done."),
    ),
    View(
        "requester",
        _("Waiting on requester"),
        lambda _now: PrivacyRequest.objects.waiting_on_requester(),
        _("Nobody has to answer us."),
    ),
    View(
        "release",
        _("Ready to release"),
        PrivacyRequest.objects.ready_to_release,
        _("No confirmed deletion waits for its release."),
    ),
    View(
        "confirm",
        _("To be confirmed"),
        lambda _now: PrivacyRequest.objects.to_confirm(),
        _("No refusal waits for its second person."),
    ),
    View("stuck", _("Stuck"), lambda _now: PrivacyRequest.objects.stuck(), _("Nothing is stuck.")),
    View("soon", _("Due in 5 days"), _soon, _("Nothing is due in the next five days.")),
    View("overdue", _("Overdue"), _overdue, _("Nothing is overdue.")),
    View(
        "all",
        _("All"),
        lambda _now: PrivacyRequest.objects.all(),
        _("No requests yet."),
        descending=True,
        counted=False,
    ),
    View(
        "ended",
        _("Ended"),
        lambda _now: PrivacyRequest.objects.filter(ended_at__isnull=False),
        _("Nothing has ended yet."),
        order="ended_at",
        descending=True,
        counted=False,
    ),
)
BY_KEY: Mapping[str, View] = {view.key: view for view in VIEWS}


class Counted(Subquery):
    """The number of rows of a query, which may be cut off."""

    template = "(SELECT COUNT(*) FROM (%(subquery)s) AS rows_of_view)"
    output_field = IntegerField()


def counts(now: datetime, reader: User, apart: Collection[int]) -> dict[str, int]:
    """How many rows each counted view has, up to COUNT_TO, in one query that never reads more than that of each.

    `reader` is whoever looks: the one row that the numbers hang on. `apart`: the cases that they handle nothing of.
    """
    asked = {
        view.key: Counted(view.rows(now).without(apart).order_by(view.order, "pk").values("pk")[:COUNT_TO])
        for view in VIEWS
        if view.counted
    }
    numbers: Any = User.objects.filter(pk=reader.pk).values_list(*asked.values()).get()
    return dict(zip(asked, numbers, strict=True))


def shown(number: int) -> str:
    """A count as its link shows it."""
    return f"{COUNT_TO - 1}+" if number >= COUNT_TO else str(number)
