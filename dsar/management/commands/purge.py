"""`manage.py purge`: what is due to go goes now, without waiting for the sweep."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import transaction

from dsar import audit, housekeeping
from dsar.models import SYSTEM


class Command(BaseCommand):
    """Prints a line for each kind of record: its name and how many. Nothing personal is printed."""

    help = "Destroy what is due by the rules of retention; --dry-run only counts."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """A dry run, and which kinds (all where none is named)."""
        parser.add_argument("--dry-run", action="store_true", help="count what would go, and change nothing")
        parser.add_argument(
            "--kind", action="append", choices=list(housekeeping.PARTS), help="only this kind; may be repeated"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Exit code 1 where something that is due could not be carried out."""
        kinds = [key for key in housekeeping.PARTS if key in (options["kind"] or housekeeping.PARTS)]
        if options["dry_run"]:
            for key in kinds:
                self.stdout.write(f"{key}: {housekeeping.PARTS[key].due()} would go")
            return
        gone = {key: housekeeping.run_all(key) for key in kinds}
        left = {key: number for key in kinds if (number := housekeeping.PARTS[key].due())}
        if any(gone.values()):
            with transaction.atomic():
                audit.record_house(
                    audit.Entry("purged_by_command", SYSTEM, details={key: n for key, n in gone.items() if n})
                )
        for key in kinds:
            self.stdout.write(f"{key}: {gone[key]} gone" + (f", {left[key]} still due" if key in left else ""))
        if left:
            raise CommandError("Not all of it could go. The log says why, and the queue of the desk by name.")
