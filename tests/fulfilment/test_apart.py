"""A copy and an erasure of one person never overlap: one waits by name, and a worker that died lets go after its lease."""

from datetime import timedelta

import pytest
from django.conf import settings
from django.utils import timezone

from dsar.enums import Right, State, StepKind, StepReason, StepStatus
from dsar.fulfilment import access, begin, erasure, held_step, lookout, runner
from dsar.models import Actor, CopyPart, PrivacyRequest, Step, Subject
from tests import drive, house
from tests.fulfilment import copies
from tests.house import CAST

pytestmark = pytest.mark.usefixtures("company")
ERASING, COPYING = [StepKind.SETTLE, StepKind.ERASE], [StepKind.EXPORT]


def claimed(request: PrivacyRequest, kinds: list[StepKind]) -> Step:
    step = runner.claim(kinds, [State.FULFILLING], request.pk)
    assert step is not None
    return step


def at_work(request: PrivacyRequest, kinds: list[StepKind]) -> held_step.Held:
    """A worker has one of the steps in hand."""
    held = held_step.hold(claimed(request, kinds))
    held_step.occupy(held)
    return held


def waits(request: PrivacyRequest, kinds: list[StepKind]) -> None:
    """Whoever takes a step of it now puts it back, by name."""
    step = claimed(request, kinds)
    runner.work(step)
    step.refresh_from_db()
    assert (step.status, step.reason, step.lease_until) == (StepStatus.QUEUED, StepReason.BUSY, None)
    assert drive.fresh(request.pk).attention == StepReason.BUSY


def goes_on(request: PrivacyRequest, kinds: list[StepKind]) -> None:
    """A step of it can be worked on."""
    Step.objects.filter(request=request).update(due_at=timezone.now())
    step = claimed(request, kinds)
    runner.work(step)
    step.refresh_from_db()
    assert (step.status, step.reason) == (StepStatus.DONE, "")


def lapsed() -> None:
    """The lease on the person is over."""
    Subject.objects.update(busy_until=timezone.now() - timedelta(seconds=1))


@pytest.fixture
def both(approver: Actor) -> tuple[PrivacyRequest, PrivacyRequest]:
    """A copy and a deletion of the same person, in two cases, ready for the workers."""
    copy = copies.approved(approver)
    begin.begin(copy.pk)
    deletion = drive.released(approver)
    copy = drive.fresh(copy.pk)
    assert copy.case.subject_id == deletion.case.subject_id
    return copy, deletion


def test_an_erasure_waits_while_a_copy_is_made(both: tuple[PrivacyRequest, PrivacyRequest]) -> None:
    copy, deletion = both
    identity = house.user_id(CAST.plain)
    assert identity is not None
    before = house.everything_of(identity)
    held = at_work(copy, COPYING)
    waits(deletion, ERASING)
    assert house.everything_of(identity) == before
    access.export(held)
    goes_on(deletion, ERASING)


def test_a_copy_waits_while_an_erasure_is_carried_out(both: tuple[PrivacyRequest, PrivacyRequest]) -> None:
    copy, deletion = both
    held = at_work(deletion, ERASING)
    waits(copy, COPYING)
    assert not CopyPart.objects.filter(request=copy).exists()
    erasure._settle(held)
    goes_on(copy, COPYING)


@pytest.mark.parametrize("crashed", ["copy", "deletion"])
def test_a_worker_that_died_lets_go_after_its_lease(
    crashed: str, both: tuple[PrivacyRequest, PrivacyRequest]
) -> None:  # fmt: skip
    copy, deletion = both
    one, kinds, other, others = (
        (copy, COPYING, deletion, ERASING) if crashed == "copy" else (deletion, ERASING, copy, COPYING)
    )
    dead = at_work(one, kinds)
    waits(other, others)
    lapsed()
    goes_on(other, others)
    # Whoever wakes now is past the lease on the person, whatever is left of the one on the step.
    dead.occupied_until = timezone.now()
    with pytest.raises(held_step.Fenced):
        held_step.still_ours(dead)


def test_whoever_works_last_lets_the_person_go(
    both: tuple[PrivacyRequest, PrivacyRequest], approver: Actor
) -> None:  # fmt: skip
    copy, deletion = both
    other = copies.approved(approver, right=Right.PORTABILITY)
    begin.begin(other.pk)
    first, second = at_work(copy, COPYING), at_work(other, COPYING)
    access.export(first)
    waits(deletion, ERASING)
    access.export(second)
    assert Subject.objects.get(pk=copy.case.subject_id).busy_with == ""
    goes_on(deletion, ERASING)


def test_the_lease_on_the_person_lasts_as_long_as_a_chunk_may(both: tuple[PrivacyRequest, PrivacyRequest]) -> None:
    copy, _deletion = both
    held = at_work(copy, COPYING)
    # A chunk begins when a third of the lease is gone; another one would have to hurry if it were not renewed.
    held.occupied_until = timezone.now() + 0.66 * settings.LEASE
    Subject.objects.update(busy_until=held.occupied_until)
    held_step.occupy(held)
    until = Subject.objects.get(pk=copy.case.subject_id).busy_until
    assert until is not None and until > timezone.now() + 0.9 * settings.LEASE


def test_who_lost_the_person_to_the_other_kind_of_work_is_stopped(
    both: tuple[PrivacyRequest, PrivacyRequest]
) -> None:  # fmt: skip
    copy, deletion = both
    sleeper = at_work(copy, COPYING)
    lapsed()
    at_work(deletion, ERASING)
    sleeper.occupied_until = None
    with pytest.raises(lookout.Stop) as stopped:
        access.export(sleeper)
    assert stopped.value.reason == StepReason.BUSY
    assert not CopyPart.objects.exists()


def test_other_people_do_not_wait(approver: Actor) -> None:
    copy = copies.approved(approver)
    begin.begin(copy.pk)
    at_work(copy, COPYING)
    goes_on(drive.released(approver, CAST.mfa), ERASING)
