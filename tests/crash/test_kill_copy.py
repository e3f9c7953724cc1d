"""SIGKILL of a worker while a copy is made: no part is lost or twice in it, and nothing unfinished is on offer."""

import pytest
from django.utils import timezone

from accounts.models import Role
from dsar import audit
from dsar.enums import PackageStatus, Right, State
from dsar.fulfilment import locating, package
from dsar.models import House, Package, PrivacyRequest
from dsar.review import decide
from tests import drive, house
from tests.crash import scene
from tests.crash.conftest import Stage
from tests.fulfilment import copies
from tests.house import CAST, wait_for

# Three deaths over one piece of work would block it by name, so that no step dies more than twice without going on.
COPYING = [
    ("read.platform:after", 2), ("keep.platform:commit", 2), ("keep.platform:committed", 3),
    ("record.export.platform:commit", 1),
]  # fmt: skip
PACKING = [[("announce:after", 1), ("write:before", 1)], [("write:after", 1), ("record.pack.:commit", 1)]]


def made(stage: Stage, points: list[tuple[str, int]]) -> dict[str, bytes]:
    """A copy, from approval to the package; what is in its data files, without the sign-in here (made anew each time)."""
    neighbour = scene.a_person()
    request = drive.by_web(CAST.plain, Right.ACCESS, language="en-gb")
    locating.drain()
    drive.proven_by_link(request.case)
    locating.drain()
    for point, nth in points:
        stage.orders.arm(point, nth=nth)
    decide.approve(request.pk, actor=drive.person_of_the_desk(Role.APPROVER))
    seen: set[str] = set()

    def ready() -> bool:
        whole = Package.objects.filter(request=request, status__in=[PackageStatus.READY, PackageStatus.OFFERED])
        for one in whole.select_related("request__case"):
            # Whatever is to be had at any moment is whole.
            package.open_for_download(one).close()
            seen.add(one.name)
        return PrivacyRequest.objects.get(pk=request.pk).state == State.CHECKING

    wait_for(ready, 90, "the copy")
    assert stage.deaths() == [point for point, _nth in points]
    assert len(seen) <= 1
    assert scene.of(scene._id(CAST.neighbour), scene.company_rows()) == neighbour
    assert audit.verify() == []
    fresh = drive.fresh(request.pk)
    copy = copies.of(fresh)
    package.expire(timezone.now() + 2 * package.ABANDONED)
    _folders, files = package.storage().listdir("")
    known = Package.objects.filter(request=request)
    assert [one.name for one in known if one.name in files] == [package.current(fresh).name]  # type: ignore[union-attr]
    return {name: content for name, content in copy.files.items() if name.startswith("data/") and "sign" not in name}


@pytest.mark.once
def test_workers_killed_while_copying_and_packing_are_replaced_to_the_same_copy(stage: Stage) -> None:
    undisturbed = made(stage, [])
    for points in (COPYING, *PACKING):
        house.wipe()
        House.objects.get_or_create(pk=1)
        stage.orders.clear()
        assert made(stage, points) == undisturbed
