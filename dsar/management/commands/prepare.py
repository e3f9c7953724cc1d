"""`manage.py prepare`: what has to be there before any process starts."""

import shutil
import sys
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError
from django.db import connection

from dsar import keys
from dsar.supervisor import house

# What a demo leaves in the state folder. The keys stay: they belong to the installation, not to the demo.
DEMO_STATE = (
    "rightsdesk.sqlite3*",
    "company.sqlite3*",
    "demo-signins.txt",
    "journal.jsonl",
    "mail",
    "broker",
    "beat",
)


class Command(BaseCommand):
    """Runs before every start by `manage.py up`, and once per release in production; safe to repeat."""

    help = "Makes development keys, migrates, collects static files, and in development loads the demo company once."
    # The checks need keys and tables, which are made here; they run in the middle.
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        """--reset throws the demo's state away first."""
        parser.add_argument("--reset", action="store_true", help="begin the demo anew (only with DEBUG on)")

    def handle(self, *args: Any, **options: Any) -> None:
        """Each step does nothing where nothing is to be done; the first that fails ends the command."""
        if not options["reset"]:
            self.prepare()
            return
        if not settings.DEBUG:
            raise CommandError("Only a demo can be reset: DEBUG is off.")
        settings.VAR_DIR.mkdir(mode=0o700, parents=True, exist_ok=True)
        try:
            with house.sole_use(settings.VAR_DIR):
                self.reset()
        except house.CannotStart as error:
            self.stderr.write(str(error))
            sys.exit(1)

    def prepare(self) -> None:
        """Keys, tables, checks, then the demo or the static files."""
        keys.ensure_development_keys()
        call_command("migrate", interactive=False, skip_checks=True)
        call_command("check", databases=["default"])
        if settings.DEBUG:
            call_command("load_demo", "--if-empty")
        else:
            call_command("collectstatic", interactive=False, verbosity=0)

    def reset(self) -> None:
        """Remove the files of an embedded demo and make it anew; a database elsewhere keeps its requests."""
        if Path(connection.settings_dict["NAME"]).parent == settings.VAR_DIR:
            connection.close()
            for pattern in DEMO_STATE:
                for path in settings.VAR_DIR.glob(pattern):
                    if path.is_dir():
                        shutil.rmtree(path)
                    else:
                        path.unlink()
            self.prepare()
        else:
            self.prepare()
            call_command("load_demo", "--reset")
            self.stdout.write(
                "The requests stay: they are in a database of their own (DATABASE_URL), which is yours to drop."
            )
