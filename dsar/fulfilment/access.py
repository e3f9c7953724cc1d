"""A copy of a person's data: export from each source, look through and redact, pack (GDPR Art 15(3), 20; Cal. Civ. Code
1798.110; 11 CCR 7024)."""

from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import F, prefetch_related_objects
from django.utils import timezone, translation
from django.utils.translation import gettext as _

from dsar import audit, bell
from dsar.connectors.base import Connector, Outcome, Page, Tally
from dsar.datamap import loader
from dsar.enums import Lane, PackageStatus, Right, State, StepReason, StepStatus
from dsar.fulfilment import finish, lookout, manifest, package, package_zip, runner, spool
from dsar.fulfilment.package import current, is_stale
from dsar.law import codes
from dsar.models import Actor, Package, PrivacyRequest, Redaction, Source, Step
from dsar.workflow import Conflict, Forbidden, Invalid, lock

__all__ = ["categories", "current", "export", "is_stale", "pack", "redact", "rows", "unredact"]


# --- the steps --------------------------------------------------------------------------------------------------------


def export(held: runner.Held) -> None:
    """Copy one source into the spool, a chunk at a time; what was recorded is not read again.

    Raises what the source raises, lookout.Stop for a source that is switched off or where the address reaches more than
    one account (doubt fails closed), runner.Fenced where somebody else holds the step.
    """
    step = held.step
    found = held.body["sources"][step.source]
    if found["status"] == "several":
        raise lookout.Stop(StepReason.SEVERAL_MATCHES, block=True)
    source, ref = runner.reach(held)
    if not ref:
        runner.record(held, Outcome())
        return
    page = _read(held, source, ref)
    while not page.last:
        _keep(held, page)
        page = _read(held, source, ref)
    runner.record(held, _counted(page), also=lambda: _add_part(held, page))


def _read(held: runner.Held, source: Connector, ref: str) -> Page:
    """One chunk of the source. The lease on the person, and the switch, are looked at before each."""
    if Source.objects.filter(key=held.step.source, enabled=False).exists():
        raise lookout.Stop(StepReason.SOURCE_OFF)
    runner.occupy(held)
    page = source.export(ref, held.step.cursor, settings.CHUNK_ROWS)
    runner.still_ours(held)
    return page


def _keep(held: runner.Held, page: Page) -> None:
    """Desk: only where the fence still fits, the chunk and the cursor after it; the lease is renewed."""
    step = held.step
    with transaction.atomic():
        request = lock(held.request.pk)
        if request.state != State.FULFILLING:
            raise runner.Fenced
        tallies = runner.merged(step.tallies, _counted(page))
        until = timezone.now() + settings.LEASE
        recorded = Step.objects.filter(pk=step.pk, token=held.token, status=StepStatus.LEASED).update(
            cursor=page.cursor, tallies=tallies, chunks=F("chunks") + 1, claims=0, lease_until=until
        )
        if not recorded:
            raise runner.Fenced
        _add_part(held, page)
    step.cursor, step.tallies, step.lease_until = page.cursor, tallies, until
    step.chunks += 1


def _add_part(held: runner.Held, page: Page) -> None:
    if page.rows:
        spool.part_of(held.request, held.step.source, held.step.chunks, page.rows).save(force_insert=True)


def _counted(page: Page) -> Outcome:
    counts: dict[tuple[str, str], int] = {}
    for row in page.rows:
        counts[row.category, row.table] = counts.get((row.category, row.table), 0) + 1
    return Outcome(tuple(Tally(category, table, copied=number) for (category, table), number in counts.items()))


def pack(held: runner.Held) -> None:
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
        runner.record(held, Outcome())
        return
    made.request = held.request
    try:
        with translation.override(held.request.case.language or settings.LANGUAGE_CODE):
            content = _content(held)
            package.write(made, lambda sink: package_zip.build(sink, content), lambda: _renew_when_due(held))
        runner.still_ours(held)
        runner.record(held, Outcome(), also=lambda: _finish(made))
    except BaseException:
        package.discard(made)
        raise
    if made.version > 1:
        package.remove_files(held.request.pk)


def _content(held: runner.Held) -> package_zip.Content:
    request = held.request
    # Counts, gaps and what was left out are all read from these.
    prefetch_related_objects([request], "steps", "redactions")
    spool.remember(request)
    given, others = manifest.tables_given(request)
    copied = sum(tally.get("copied", 0) for step in request.steps.all() for tally in step.tallies)
    if copied != sum(table.rows for table in (*given, *others)):
        # A spool that lost a part must not become a copy that looks whole.
        raise lookout.Stop(StepReason.ERROR, block=True)
    return package_zip.Content(
        request=request, entries=package_zip.entries_of(given), redacted=redacted(request),
        manifest=lambda entries: manifest.manifest(request, held.body, entries, others),
        still_ours=lambda: _renew_when_due(held), readable=request.right != Right.PORTABILITY,
    )  # fmt: skip


def _renew(held: runner.Held) -> None:
    until = timezone.now() + settings.LEASE
    mine = Step.objects.filter(pk=held.step.pk, token=held.token, status=StepStatus.LEASED)
    if not mine.update(lease_until=until):
        raise runner.Fenced
    held.step.lease_until = until


def _renew_when_due(held: runner.Held) -> None:
    if held.step.lease_until is None or timezone.now() > held.step.lease_until - settings.LEASE / 2:
        _renew(held)


def _finish(made: Package) -> None:
    """The package is whole; those before it are gone. In the transaction that ends the step."""
    if made.version > 1:
        package.retire(Package.objects.filter(request_id=made.request_id, status=PackageStatus.READY))
    ready = Package.objects.filter(pk=made.pk, status=PackageStatus.BUILDING).update(
        status=PackageStatus.READY, name=made.name, size=made.size, digest=made.digest, rows=made.rows,
        made_at=timezone.now(),
    )  # fmt: skip
    if not ready:
        raise runner.Fenced


# --- looking through --------------------------------------------------------------------------------------------------


def categories(request: PrivacyRequest) -> list[dict[str, Any]]:
    """What the spool holds, per table: source, table, category, label (in the reader's language), rows (count)."""
    known = loader.current().categories
    return [
        {
            "source": one.source, "table": one.table, "category": one.category, "rows": one.rows,
            "label": _(known[one.category].label) if one.category in known else one.category,
        }
        for one in spool.tables(request)
    ]  # fmt: skip


def rows(request: PrivacyRequest, source: str, table: str, start: int, limit: int) -> list[dict[str, Any]]:
    """Rows of one table of the spool: key (text), values (a dict), redacted (names of columns; "" is the whole row)."""
    without = redacted(request).get((source, table), {})
    found: list[dict[str, Any]] = []
    for line in spool.lines(request, source, table, start):
        if len(found) >= limit:
            break
        found.append({"key": line.key, "values": line.values, "redacted": without.get(line.key, set())})
    return found


def redacted(request: PrivacyRequest) -> package_zip.Redacted:
    """What is left out, per (source, table) and row key: names of columns, "" for the whole row."""
    found: package_zip.Redacted = {}
    for one in request.redactions.all():
        key = request.case.unseal(one.row_sealed, "redaction")
        found.setdefault((one.source, one.table), {}).setdefault(key, set()).add(one.column)
    return found


def redact(
    pk: int, source: str, table: str, row_key: str, column: str, code: str, text: str, *, actor: Actor
) -> Redaction:
    """Leave a row (`column` empty) or one value out of the copy, for a reason of law (GDPR Art 15(4); 11 CCR 7024(d)).

    While it is looked through, by a handler. The package is made anew. Raises Forbidden, Conflict (another state),
    Invalid (no such row or column, no valid reason, no text, or redacted already).
    """
    if not actor.is_handler or actor.user_id is None:
        raise Forbidden("redact")
    if not text.strip():
        raise Invalid(_("Please write why this is left out."))
    with transaction.atomic():
        request = _checking(pk, "redact")
        if codes.redaction(code, request.case.regime) is None:
            raise Invalid(_("This reason for leaving something out is not valid under this law."))
        line = next((one for one in spool.lines(request, source, table) if one.key == row_key), None)
        if line is None or (column and column not in line.values):
            raise Invalid(_("This row or column is not in the copy."))
        known = redacted(request).get((source, table), {}).get(row_key, set())
        if column in known or "" in known:
            raise Invalid(_("This is left out already."))
        made = Redaction.objects.create(
            request=request, source=source, table=table, column=column, code=code, decided_by_id=actor.user_id,
            row_sealed=request.case.seal(row_key, "redaction"),
            text_sealed=request.case.seal(text.strip()[:8000], "redaction_text"),
        )  # fmt: skip
        _note(request, "redacted", actor, made)
    return made


def unredact(pk: int, redaction_pk: int, *, actor: Actor) -> None:
    """Put back into the copy what was left out. Raises Forbidden, Conflict, Invalid as `redact` does."""
    if not actor.is_handler:
        raise Forbidden("unredact")
    with transaction.atomic():
        request = _checking(pk, "unredact")
        found = Redaction.objects.filter(request=request, pk=redaction_pk).first()
        if found is None:
            raise Invalid(_("This is not left out (any more)."))
        _note(request, "unredacted", actor, found)
        found.delete()


def _checking(pk: int, verb: str) -> PrivacyRequest:
    request = lock(pk)
    if request.state != State.CHECKING:
        raise Conflict(f"{verb} in {request.state}")
    return request


def _note(request: PrivacyRequest, what: str, actor: Actor, redaction: Redaction) -> None:
    """Audit, without the value or the row's key, and the package again: whoever packs it right now is fenced out."""
    details = {"source": redaction.source, "table": redaction.table, "code": redaction.code, "column": redaction.column}
    audit.record(request.case, audit.Entry(what, actor, request.pk, details=details))
    finish.queue_packing(request)
    bell.ring(Lane.FULFIL)
