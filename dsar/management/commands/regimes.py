"""`manage.py regimes`: the laws, their status and what is unconfirmed; their versions."""

from argparse import ArgumentParser
from datetime import date, timedelta
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import DatabaseError, connection
from django.utils import timezone, translation

from dsar.law import editions, regimes, table_editions
from dsar.law.errors import LawError, RegimeFileError
from dsar.models import Appeal, Case


class Command(BaseCommand):
    """Lists the laws without an option; ends with 1 where a file or a version is not as it should be."""

    help = "List the laws with their status and what is to be confirmed; check and make their versions."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        """One of --check, --new-version ID VERSION and --record ID; nothing lists."""
        which = parser.add_mutually_exclusive_group()
        which.add_argument("--check", action="store_true", help="whether every version is as it was recorded")
        which.add_argument(
            "--new-version", nargs=2, metavar=("ID", "VERSION"), help="keep the old file, begin a new version"
        )
        which.add_argument("--record", metavar="ID", help="write a finished version into the list")
        which.add_argument(
            "--record-tables", metavar="EDITION", help="write the tables that all laws share into their list"
        )
        parser.add_argument(
            "--from", dest="begins", type=date.fromisoformat, metavar="DAY",
            help="with --new-version: it holds for what is received from this day on (tomorrow)",
        )  # fmt: skip

    def handle(self, *args: Any, **options: Any) -> None:
        """Runs the one that was asked for."""
        try:
            if options["new_version"]:
                regime_id, version = options["new_version"]
                begins = options["begins"] or timezone.localdate() + timedelta(days=1)
                old = editions.new_version(regime_id, version, begins)
                self.stdout.write(
                    f"{old.name} is kept for what came before {begins}. Change {regime_id}.toml now, then:"
                    f" manage.py regimes --record {regime_id}"
                )
            elif options["record"]:
                self.stdout.write(f"{options['record']} {editions.record(options['record'])} is recorded.")
            elif options["record_tables"]:
                named = table_editions.record(options["record_tables"])
                self.stdout.write(
                    f"{options['record_tables']} is recorded: {', '.join(named) or 'nothing was changed'}."
                )
            elif options["check"]:
                self._check()
            else:
                self._list()
        except (LawError, RegimeFileError) as error:
            raise CommandError(str(error)) from None

    def _check(self) -> None:
        found = [*editions.problems(), *table_editions.problems()]
        there = {
            (law, version)
            for law in regimes.all_ids()
            for version in (regimes.load(law).version, *regimes.versions(law))
        }
        for model in (Case, Appeal) if self._has_tables() else ():
            for law, version in (
                model.objects.exclude(regime_version="").values_list("regime", "regime_version").distinct()
            ):
                if (law, version) not in there:
                    found.append(
                        f"{law}: requests rest on version {version}, which is not there: put {law}@{version}.toml back"
                    )
        for problem in found:
            self.stderr.write(problem)
        if found:
            raise CommandError(f"{len(found)} things to put right.")
        self.stdout.write(f"{len(regimes.all_ids())} laws, every version as it was recorded.")

    def _has_tables(self) -> bool:
        try:
            return {Case._meta.db_table, Appeal._meta.db_table} <= set(connection.introspection.table_names())
        except DatabaseError:
            self.stderr.write("The database cannot be asked on which versions requests rest.")
            return False

    def _list(self) -> None:
        today = timezone.localdate()
        with translation.override("en"):
            for regime_id in regimes.all_ids():
                law = regimes.load(regime_id)
                status = (
                    str(law.status_text) if law.in_force(today) or law.status != "in_force" else "Not in force today"
                )
                self.stdout.write(
                    f"{regime_id:<14} {law.version:<12} {status:<22} {law.checked:<16} from {law.effective_from}  {law.name}"
                )
                for amendment in law.amended:
                    self.stdout.write(f"{'':<14} changed {amendment.on}: {amendment.what}")
                for open_point in law.unconfirmed:
                    self.stdout.write(f"{'':<14} to be confirmed: {open_point.key}: {open_point.what}")
