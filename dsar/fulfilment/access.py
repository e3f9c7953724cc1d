"""A copy of a person's data: export from each source, look through and redact, pack (GDPR Art 15(3), 20; Cal. Civ. Code
1798.110; 11 CCR 7024)."""

from collections import Counter
from collections.abc import Sequence
from datetime import datetime, time
from itertools import chain, islice
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import F, QuerySet, prefetch_related_objects
from django.utils import timezone, translation
from django.utils.translation import gettext as _

from dsar import audit, bell
from dsar.connectors.base import Connector, Outcome, Page, Tally
from dsar.datamap import loader
from dsar.enums import Lane, PackageStatus, Right, State, StepKind, StepReason, StepStatus
from dsar.fulfilment import by_hand, finish, held_step, lookout, manifest, package, package_zip, spool
from dsar.fulfilment.by_hand import FILES
from dsar.fulfilment.tallies import merged
from dsar.law import codes
from dsar.models import Actor, AuditEvent, Package, PrivacyRequest, Redaction, Step
from dsar.notifications import undisclosed
from dsar.workflow import Conflict, Forbidden, Invalid, lock

WHOLE_ROW = ""
LOOKED = "copy_looked_at"
# How far beyond the place that a page names a row is looked for before the whole table is.
NEAR = 200


# --- the steps --------------------------------------------------------------------------------------------------------


def export(held: held_step.Held) -> None:
    """Copy one source into the spool, a chunk at a time; what was recorded is not read again.

    Raises what the source raises, lookout.Stop for a source that is switched off or where the address reaches more than
    one account (doubt fails closed), held_step.Fenced where somebody else holds the step.
    """
    source, ref = held_step.reach_one(held)
    if not ref:
        held_step.record(held, Outcome())
        return
    page = _read(held, source, ref)
    while not page.last:
        _keep(held, page)
        page = _read(held, source, ref)
    held_step.record(held, _counted(page), also=lambda: _add_part(held, page))


def _read(held: held_step.Held, source: Connector, ref: str) -> Page:
    """One chunk of the source. The lease on the person, and the switch, are looked at before each."""
    lookout.switched_on(held.step.source)
    held_step.occupy(held)
    page = source.export(ref, held.step.cursor, settings.CHUNK_ROWS)
    held_step.still_ours(held)
    return page


def _keep(held: held_step.Held, page: Page) -> None:
    """Desk: only where the fence still fits, the chunk and the cursor after it; the lease is renewed."""
    step = held.step
    with transaction.atomic():
        request = lock(held.request.pk)
        if request.state != State.FULFILLING:
            raise held_step.Fenced
        tallies = merged(step.tallies, _counted(page))
        until = timezone.now() + settings.LEASE
        recorded = Step.objects.filter(pk=step.pk, token=held.token, status=StepStatus.LEASED).update(
            cursor=page.cursor, tallies=tallies, chunks=F("chunks") + 1, claims=0, lease_until=until
        )
        if not recorded:
            raise held_step.Fenced
        _add_part(held, page)
    step.cursor, step.tallies, step.lease_until = page.cursor, tallies, until
    step.chunks += 1


def _add_part(held: held_step.Held, page: Page) -> None:
    if page.rows:
        spool.part_of(held.request, held.step.source, held.step.chunks, page.rows).save(force_insert=True)


def _counted(page: Page) -> Outcome:
    counts: dict[tuple[str, str], int] = {}
    for row in page.rows:
        counts[row.category, row.table] = counts.get((row.category, row.table), 0) + 1
    return Outcome(tuple(Tally(category, table, copied=number) for (category, table), number in counts.items()))


def pack(held: held_step.Held) -> None:
    """Put the package together from the spool, without what was redacted, as a new version.

    Nobody sees it before the row says that it is whole, which it does in the transaction that ends the step. A request
    that needs none (any more) gets none.
    """
    with transaction.atomic():
        request = lock(held.request.pk)
        wanted = request.state in (State.FULFILLING, State.CHECKING)
        if wanted:
            _renew(held)
            made = package.announce(request)
    if not wanted:
        held_step.record(held, Outcome())
        return
    made.request = held.request
    try:
        with translation.override(held.request.case.language or settings.LANGUAGE_CODE):
            content = _content(held, made)
            package.write(made, lambda sink: package_zip.build(sink, content), lambda: _renew_when_due(held))
        held_step.still_ours(held)
        held_step.record(held, Outcome(), also=lambda: _finish(made))
    except BaseException:
        package.discard(made)
        raise
    if made.version > 1:
        package.remove_files(held.request.pk)


def _content(held: held_step.Held, made: Package) -> package_zip.Content:
    request = held.request
    # Counts, gaps and what was left out are all read from these.
    prefetch_related_objects([request], "steps", "redactions")
    spool.remember(request)
    given, others = manifest.tables_given(request)
    copied = sum(tally.get("copied", 0) for step in request.steps.all() for tally in step.tallies)
    if copied != sum(table.rows for table in (*given, *others)):
        # A spool that lost a part must not become a copy that looks whole.
        raise lookout.Stop(StepReason.ERROR, block=True)
    given, others, silent = manifest.without_silent(request, given, others)
    without = redacted(request)
    files = [one for one in by_hand.files(request) if one.key not in without.get((one.source, FILES), {})]

    def describe(entries: list[package_zip.Entry]) -> dict[str, Any]:
        for entry in entries:
            # A row that is not told is not counted as left out either.
            entry.left_out -= silent[entry.table.source, entry.table.table]
        said = manifest.manifest(request, held.body, entries, others, files)
        made.describe(request.case, said)
        return said

    return package_zip.Content(
        request=request, entries=package_zip.entries_of(given), redacted=without, files=files, manifest=describe,
        still_ours=lambda: _renew_when_due(held), readable=request.right != Right.PORTABILITY,
    )  # fmt: skip


def _renew(held: held_step.Held) -> None:
    until = timezone.now() + settings.LEASE
    mine = Step.objects.filter(pk=held.step.pk, token=held.token, status=StepStatus.LEASED)
    if not mine.update(lease_until=until):
        raise held_step.Fenced
    held.step.lease_until = until


def _renew_when_due(held: held_step.Held) -> None:
    if held.step.lease_until is None or timezone.now() > held.step.lease_until - settings.LEASE / 2:
        _renew(held)


def _finish(made: Package) -> None:
    """The package is whole; those before it are gone. In the transaction that ends the step."""
    if made.version > 1:
        Package.objects.filter(request_id=made.request_id, status=PackageStatus.READY).retire()
    ready = Package.objects.filter(pk=made.pk, status=PackageStatus.BUILDING).update(
        status=PackageStatus.READY, name=made.name, size=made.size, digest=made.digest, rows=made.rows,
        made_at=timezone.now(), manifest_sealed=made.manifest_sealed,
    )  # fmt: skip
    if not ready:
        raise held_step.Fenced


# --- looking through --------------------------------------------------------------------------------------------------


def _looks(request: PrivacyRequest) -> QuerySet[AuditEvent]:
    """Who has opened this copy since its sources were copied (again)."""
    return AuditEvent.objects.filter(
        chain=request.case.chain, what=LOOKED, request_id=request.pk, at__gte=request.entered_at
    )


def was_opened(request: PrivacyRequest) -> bool:
    """Whether anybody has opened this copy."""
    return _looks(request).exists()


def is_open_to(request: PrivacyRequest, actor: Actor) -> bool:
    """Whether this person has opened this copy today."""
    midnight = timezone.make_aware(datetime.combine(timezone.localdate(), time.min))
    return _looks(request).filter(actor_id=actor.user_id, at__gte=midnight).exists()


def open_to(pk: int, *, actor: Actor) -> None:
    """Open a copy to a handler: it is personal data from end to end, so who does stands in the trail, once a day.

    Raises Forbidden, Conflict (it is not being looked through)."""
    if not actor.is_handler:
        raise Forbidden("open_copy")
    with transaction.atomic():
        request = _checking(pk, "open_copy")
        if not is_open_to(request, actor):
            audit.record(request.case, audit.Entry(LOOKED, actor, pk))


def categories(request: PrivacyRequest) -> list[dict[str, Any]]:
    """What is to be looked through, per table: source, table, category, label (in the reader's language), rows (count).
    What people copied by hand stands last, under FILES."""
    described = loader.current()
    known = described.categories
    sent = Counter(one.source for one in by_hand.files(request))
    tables = [
        {
            "source": one.source, "table": one.table, "category": one.category, "rows": one.rows,
            "label": _(known[one.category].label) if one.category in known else one.category,
        }
        for one in spool.tables(request)
    ]  # fmt: skip
    return tables + [
        {
            "source": source, "table": FILES, "category": "", "rows": number,
            "label": _(described.sources[source].label) if source in described.sources else source,
        }
        for source, number in sent.items()
    ]  # fmt: skip


def rows(request: PrivacyRequest, source: str, table: str, start: int, limit: int) -> list[dict[str, Any]]:
    """Rows of one table: key (text), values (a dict), redacted (names of columns; "" is the whole row), and `task` of a
    file, which is a row of FILES."""
    without = redacted(request).get((source, table), {})
    found: list[dict[str, Any]] = []
    lines = _files(request, source)[start:] if table == FILES else spool.lines(request, source, table, start)
    for line in islice(lines, limit):
        file = int(line.key) if table == FILES else None
        found.append({"key": line.key, "values": line.values, "redacted": without.get(line.key, set()), "task": file})
    return found


def _files(request: PrivacyRequest, source: str) -> list[spool.Line]:
    """The files of a source, as rows to look at."""
    return [
        spool.Line(source, FILES, one.key, {"file": one.called or one.name, "bytes": one.size})
        for one in by_hand.files(request) if one.source == source
    ]  # fmt: skip


def redacted(request: PrivacyRequest) -> package_zip.Redacted:
    """What is left out, per (source, table) and row key: names of columns, "" for the whole row."""
    found: package_zip.Redacted = {}
    for one in request.redactions.all():
        key = request.case.unseal(one.row_sealed, "redaction")
        found.setdefault((one.source, one.table), {}).setdefault(key, set()).add(one.column)
    return found


def nothing_left(request: PrivacyRequest) -> bool:
    """Whether everything was left out of this copy, for reasons that the person may hear, or could not be copied: that is a
    denial. What a law forbids to name counts as if it were not there."""
    exports = [step for step in request.steps.all() if step.kind == StepKind.EXPORT]
    skipped = any(tally.get("failed") for step in exports for tally in step.tallies)
    if not skipped and not undisclosed.redactions(request):
        return False
    without = redacted(request)
    given, _others = manifest.tables_given(request)
    for table in given:
        gone = without.get((table.source, table.table), {})
        for line in spool.lines(request, table.source, table.table):
            left_out = gone.get(line.key, set())
            if WHOLE_ROW not in left_out and not {*line.values} <= left_out:
                return False
    return all(one.key in without.get((one.source, FILES), {}) for one in by_hand.files(request))


def redact(
    pk: int,
    source: str,
    table: str,
    row_key: str,
    columns: Sequence[str],
    code: str,
    text: str,
    *,
    start: int = 0,
    actor: Actor,
) -> list[Redaction]:
    """Leave values of one row, or the row (the one column WHOLE_ROW), out of the copy, for a reason of law (GDPR
    Art 15(4); 11 CCR 7024(d)).

    While it is looked through, by a handler who has opened it; `start` is the place of the page that showed the row. The
    package is made anew. Raises Forbidden, Conflict (another state, not opened), Invalid (no such row or column, no valid
    reason, no text, or redacted already).
    """
    if not actor.is_handler or actor.user_id is None:
        raise Forbidden("redact")
    if not text.strip():
        raise Invalid(_("Please write why this is left out."))
    with transaction.atomic():
        request = _opened(pk, "redact", actor)
        if codes.redaction(code, request.case.law) is None:
            raise Invalid(_("This reason for leaving something out is not valid under this law."))
        line = _line(request, source, table, row_key, start)
        wanted = list(dict.fromkeys(columns))
        if table == FILES and wanted != [WHOLE_ROW]:
            raise Invalid(_("A file can only be left out as a whole."))
        if line is None or not wanted or (wanted != [WHOLE_ROW] and not set(wanted) <= set(line.values)):
            raise Invalid(_("This row or column is not in the copy."))
        known = redacted(request).get((source, table), {}).get(row_key, set())
        if known & {*wanted, WHOLE_ROW}:
            raise Invalid(_("This is left out already."))
        made = Redaction.objects.bulk_create(
            Redaction(
                request=request, source=source, table=table, column=column, code=code, decided_by_id=actor.user_id,
                row_sealed=request.case.seal(row_key, "redaction"),
                text_sealed=request.case.seal(text.strip()[:8000], "redaction_text"),
            )
            for column in wanted
        )  # fmt: skip
        _note(request, "redacted", actor, made)
    return made


def _line(request: PrivacyRequest, source: str, table: str, key: str, start: int) -> spool.Line | None:
    if table == FILES:
        return next((one for one in _files(request, source) if one.key == key), None)
    near = islice(spool.lines(request, source, table, start), NEAR)
    return next((one for one in chain(near, spool.lines(request, source, table)) if one.key == key), None)


def unredact(pk: int, redaction_pk: int, *, actor: Actor) -> None:
    """Put back into the copy what was left out. Raises Forbidden, Conflict, Invalid as `redact` does."""
    if not actor.is_handler:
        raise Forbidden("unredact")
    with transaction.atomic():
        request = _opened(pk, "unredact", actor)
        found = Redaction.objects.filter(request=request, pk=redaction_pk).first()
        if found is None:
            raise Invalid(_("This is not left out (any more)."))
        if found.non_disclosures.standing().exists():
            raise Invalid(_("Two people found that the law forbids to tell this. Only they can end that."))
        _note(request, "unredacted", actor, [found])
        found.delete()


def _checking(pk: int, verb: str) -> PrivacyRequest:
    request = lock(pk)
    if request.state != State.CHECKING:
        raise Conflict(f"{verb} in {request.state}")
    return request


def _opened(pk: int, verb: str, actor: Actor) -> PrivacyRequest:
    request = _checking(pk, verb)
    if not is_open_to(request, actor):
        raise Conflict(f"{verb} of a copy that was not opened")
    return request


def _note(request: PrivacyRequest, what: str, actor: Actor, made: Sequence[Redaction]) -> None:
    """Audit, without the values or the row's key, and the package again: whoever packs it right now is fenced out."""
    one, columns = made[0], [redaction.column for redaction in made]
    details = {"source": one.source, "table": one.table, "code": one.code, "columns": columns}
    audit.record(request.case, audit.Entry(what, actor, request.pk, details=details))
    finish.queue_packing(request)
    bell.ring(Lane.FULFIL)
