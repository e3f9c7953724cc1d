"""Packages: where they lie, which one counts, offering, downloading, and their end.

A package's file has a name that says nothing and is encrypted under a key that derives from its case's: purging the case
makes it unreadable wherever copies of the file may lie (GDPR Art 5(1)(e), 32). A file without a finished row is on offer
to nobody.
"""

import hashlib
import os
import tempfile
import time
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime, timedelta
from pathlib import Path
from typing import IO

import structlog
from django.conf import settings
from django.core.files import File
from django.core.files.storage import Storage, storages
from django.db import transaction
from django.db.models import F, Max, Q, QuerySet
from django.utils import timezone

from dsar import audit, keys, records
from dsar.enums import PackageStatus, StepKind, StepReason, StepStatus
from dsar.fulfilment.frames import Reader, Writer
from dsar.models import REQUESTER, SYSTEM, CopyPart, Package, PrivacyRequest
from dsar.models.once import once
from dsar.notices import Notice
from dsar.notifications import outbox
from dsar.workflow import as_whom, each, lock

log = structlog.get_logger(__name__)

BATCH = 100
# No task lives that long: what is unfinished by then was left behind.
ABANDONED = timedelta(seconds=2 * settings.CELERY_TASK_TIME_LIMIT)


class NotThere(Exception):
    """This copy cannot be had (any more)."""


class Broken(Exception):
    """This copy is on offer, and its file cannot be opened (now): the storage is down, or the file was changed or lost."""


def storage() -> Storage:
    """Where packages lie."""
    return storages["packages"]


def current(request: PrivacyRequest) -> Package | None:
    """The newest package that is whole: to be looked through, or on offer."""
    whole = Package.objects.filter(request=request, status__in=[PackageStatus.READY, PackageStatus.OFFERED])
    return once(request, "package", whole.order_by("-version").first)


def whole(request: PrivacyRequest) -> Package | None:
    """The package that can be handed over. None while there is none, or while it is put together again because something
    was decided about it since."""
    making = any(one.kind == StepKind.PACK and one.status != StepStatus.DONE for one in request.steps.all())
    found = current(request)
    return found if found and found.status == PackageStatus.READY and not making else None


# --- making ---------------------------------------------------------------------------------------------------------


class Tee:
    """What the zip is written to: the frames, and the digest of the plain bytes. Cannot seek."""

    def __init__(self, writer: Writer) -> None:
        self.writer, self.digest = writer, hashlib.sha256()

    def write(self, data: bytes) -> int:
        """Take some bytes."""
        self.digest.update(data)
        return self.writer.write(data)

    def flush(self) -> None:
        """Nothing is held back but what does not fill a frame."""


def announce(request: PrivacyRequest) -> Package:
    """The row of a package that is about to be made, so that whatever is left of it is found. In a transaction."""
    last = Package.objects.filter(request=request).aggregate(last=Max("version"))["last"] or 0
    made = Package(request=request, version=last + 1)
    made.name = f"{made.uid.hex}.copy"
    made.save(force_insert=True)
    return made


class Sealed(File):
    """The finished file on the workbench, on its way into the storage: a folder takes it over by its name, anything else
    reads it, and `still_ours` is called before each block, so that a long upload keeps its lease."""

    def __init__(self, file: IO[bytes], name: str, path: str, still_ours: Callable[[], None]) -> None:
        super().__init__(file, name=name)
        self._from, self._path, self._still_ours = file, path, still_ours

    def temporary_file_path(self) -> str:
        """Where it lies: a file system moves it, and what was flushed to the disk is what is kept."""
        return self._path

    def read(self, size: int = -1) -> bytes:
        """The next block."""
        self._still_ours()
        return self._from.read(size)


def write(package: Package, fill: Callable[[Tee], int], still_ours: Callable[[], None]) -> None:
    """Make the file: `fill` writes the zip and returns how many rows are in it. Sets size, digest and rows (unsaved).

    It is sealed as it is written, beside the storage, and goes there in one piece. `still_ours` renews the lease of
    whoever packs, and raises where it is lost.
    """
    bench = Path(settings.PACKAGE_WORKBENCH)
    bench.mkdir(mode=0o700, parents=True, exist_ok=True)
    descriptor, path = tempfile.mkstemp(prefix=package.uid.hex, dir=bench)
    try:
        with os.fdopen(descriptor, "w+b", buffering=1024 * 1024) as file:
            writer = Writer(file, _key(package), str(package.uid))
            tee = Tee(writer)
            package.rows = fill(tee)
            writer.finish()
            package.size, package.digest = writer.size, tee.digest.hexdigest()
            file.flush()
            os.fsync(file.fileno())
            file.seek(0)
            package.name = storage().save(package.name, Sealed(file, package.name, path, still_ours))
    finally:
        with suppress(FileNotFoundError):
            Path(path).unlink()


def _key(package: Package) -> bytes:
    return keys.under(package.request.case.key(), f"package:{package.uid}")


def discard(package: Package) -> None:
    """Nothing came of it. What cannot be removed now, the sweep removes.

    It may have been retired while it was made, before there was a file to remove: then that counts from now on.
    """
    unfinished = Package.objects.filter(pk=package.pk).exclude(status__in=[PackageStatus.READY, PackageStatus.OFFERED])
    unfinished.update(status=PackageStatus.GONE, name=package.name, gone_at=None)
    remove_files(package.request_id)


# --- downloading ----------------------------------------------------------------------------------------------------


def open_for_download(package: Package) -> Reader:
    """The plain zip as a file that can seek (HTTP Range). The caller closes it, and asks first who is asking.

    Raises NotThere where its time is over or its case was purged, Broken where its file cannot be opened; that puts the
    request into the queue by name (law 9).
    """
    if not (package.is_offered or package.status == PackageStatus.READY):
        raise NotThere
    if package.request.case.purged_at is not None:
        raise NotThere
    try:
        store = storage()
        size = store.size(package.name)
        reader = Reader(store.open(package.name, "rb"), _key(package), str(package.uid), size)
        if reader.size != package.size:
            reader.close()
            raise keys.Unreadable("the file is not the one that was made")
    except Exception as error:
        # Whatever a storage does, the person is told the truth and somebody sees it.
        note_broken(package, error)
        raise Broken from error
    return reader


def note_broken(package: Package, error: Exception) -> None:
    """Say in the log and in the queue that a copy on offer cannot be read. It leaves the queue by a download."""
    log.error("a copy on offer cannot be read", package=package.pk, error=type(error).__name__)
    PrivacyRequest.objects.filter(pk=package.request_id, attention="").update(attention=StepReason.COPY_UNREADABLE)


def note_download(package: Package, *, by: str = "") -> None:
    """Count a download, write it to the audit trail, and tell every address of the person that we know, once a
    day at most.

    `by` is what somebody acts as who is not the person (a RepresentativeKind). Nothing is counted for a copy that cannot
    be opened: raises NotThere, Broken."""
    open_for_download(package).close()
    now = timezone.now()
    with transaction.atomic():
        request = lock(package.request_id)
        details = {"version": package.version, **({"as": by} if by else as_whom(request.case, REQUESTER))}
        Package.objects.filter(pk=package.pk).update(downloads=F("downloads") + 1, downloaded_at=now)
        audit.record(
            request.case,
            audit.Entry("copy_downloaded", REQUESTER, request.pk, details=details),
        )
        # A copy in hand answers, whatever has become of the mail that offers it.
        records.answer_left(request, now)
        mended = PrivacyRequest.objects.filter(pk=request.pk, attention=StepReason.COPY_UNREADABLE)
        mended.update(attention="")
        day = timezone.localdate(now).isoformat()
        outbox.queue(request, Notice.COPY_DOWNLOADED, dedupe=f"copy:{package.pk}:{day}")
        case = request.case
        for address in case.known_addresses():
            if address != case.contact:
                once = f"copy:{package.pk}:{day}:{keys.email_index(address)[:16]}"
                outbox.queue_for_case(case, Notice.DOWNLOAD_TOLD, to=address, dedupe=once)


# --- the end --------------------------------------------------------------------------------------------------------


def expire(now: datetime | None = None) -> int:
    """Take back what was on offer long enough, what was left half made, and whatever belongs to a request that has ended
    otherwise or a case that was purged. Returns how many packages went, and of how many requests the parts."""
    found = _over(now or timezone.now())
    each(list(found.order_by("pk").values_list("pk", flat=True)[:BATCH]), _expire, "a copy could not be taken back")
    done = remove_files()
    ended = list(_spooled().distinct()[:BATCH])
    for request_id in ended:
        CopyPart.objects.filter(request_id=request_id).delete()
    _sweep_workbench()
    return done + len(ended)


def due() -> int:
    """How many packages expire() would take back now, and how many ended requests still have parts of a copy."""
    files = Package.objects.filter(status=PackageStatus.GONE, gone_at__isnull=True)
    return _over(timezone.now()).count() + files.count() + _spooled().distinct().count()


def _over(moment: datetime) -> QuerySet[Package]:
    over = Q(status=PackageStatus.OFFERED, expires_at__lte=moment)
    over |= Q(status=PackageStatus.BUILDING, made_at__lte=moment - ABANDONED)
    over |= Q(status=PackageStatus.READY, request__ended_at__isnull=False)
    over |= Q(request__case__purged_at__isnull=False)
    return Package.objects.filter(over).exclude(status=PackageStatus.GONE)


def _spooled() -> QuerySet[CopyPart, int]:
    return CopyPart.objects.filter(request__ended_at__isnull=False).order_by().values_list("request_id", flat=True)


def _expire(pk: int) -> None:
    with transaction.atomic():
        package = Package.objects.get(pk=pk)
        request = lock(package.request_id)
        if Package.objects.filter(pk=pk).retire() and package.status == PackageStatus.OFFERED:
            details = {"version": package.version}
            audit.record(request.case, audit.Entry("copy_expired", SYSTEM, request.pk, details=details))


def remove_files(request_pk: int | None = None) -> int:
    """Delete the files of packages that are gone; a storage that does not answer is asked again by the next sweep."""
    done = 0
    left = Package.objects.filter(status=PackageStatus.GONE, gone_at__isnull=True)
    if request_pk is not None:
        left = left.filter(request_id=request_pk)
    for package in list(left.order_by("pk")[:BATCH]):
        try:
            storage().delete(package.name)
        except Exception as error:
            log.warning("the file of a copy could not be removed", package=package.pk, error=type(error).__name__)
            continue
        done += Package.objects.filter(pk=package.pk, gone_at__isnull=True).update(gone_at=timezone.now())
    return done


def _sweep_workbench() -> None:
    """What a killed worker left on the workbench."""
    bench = Path(settings.PACKAGE_WORKBENCH)
    limit = time.time() - ABANDONED.total_seconds()
    for path in bench.glob("*") if bench.is_dir() else ():
        with suppress(FileNotFoundError):
            if path.stat().st_mtime < limit:
                path.unlink()
