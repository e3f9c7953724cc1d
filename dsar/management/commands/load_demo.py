"""`manage.py load_demo`: the demo company, and people who can sign in at its desk."""

from argparse import ArgumentParser
from functools import partial
from typing import Any

import sqlalchemy as sa
from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from dsar.demo import company, signins
from dsar.demo.cast import CAST


class Command(BaseCommand):
    """Development only. Never touches a database of the same table names that it did not make itself."""

    help = "Makes the demo company at COMPANY_DATABASE_URL and the demo sign-ins. Only with DEBUG on."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """--if-empty is for every start; --reset makes company and passwords anew."""
        parser.add_argument("--people", type=int, default=1000, help="number of accounts (default: 1000)")
        how = parser.add_mutually_exclusive_group()
        how.add_argument("--if-empty", action="store_true", help="make only what is not there yet")
        how.add_argument("--reset", action="store_true", help="drop the demo company and make it anew")

    def handle(self, *args: Any, **options: Any) -> None:
        """Raises CommandError with one line that says what to do."""
        if not settings.DEBUG:
            raise CommandError("Demo data is for development: it does not load while DEBUG is off.")
        settings.VAR_DIR.mkdir(mode=0o700, parents=True, exist_ok=True)
        engine = company_engine()
        try:
            self.load(engine, options)
        except company.NotTheDemo as error:
            raise CommandError(f"{error} Point COMPANY_DATABASE_URL somewhere else.") from error
        except sa.exc.SQLAlchemyError as error:
            raise CommandError(f"The company database cannot be used ({type(error).__name__}).") from error
        finally:
            engine.dispose()

    def load(self, engine: sa.Engine, options: dict[str, Any]) -> None:
        """Make the half that is missing, or with --reset both."""
        schema = settings.COMPANY_DATABASE_SCHEMA
        company_there = company.loaded(engine, schema)
        people_there = signins.present()
        if company_there and people_there and not options["reset"]:
            if options["if_empty"]:
                return
            raise CommandError("The demo is loaded already; --reset makes it anew.")
        if options["reset"] or not company_there:
            company.create(engine, schema, people=options["people"])
            self.stdout.write("The demo company is ready.")
        if options["reset"] or not people_there:
            made = signins.make(partial(company.user_id, engine, schema))
            path = settings.VAR_DIR / "demo-signins.txt"
            signins.write(path, made)
            self.stdout.write(f"Sign-ins are in {path}.")
            if not options["if_empty"]:
                # At a start our output ends in a log, where passwords have no business.
                self.stdout.write("\n".join(sign_in.line() for sign_in in made))
        if not options["if_empty"]:
            self.stdout.write(f"An ordinary person of the company: {CAST.plain}; nobody: {CAST.unknown}.")


def company_engine() -> sa.Engine:
    """An engine for the company's database, without the limits that the connector puts on its work."""
    url = sa.make_url(settings.COMPANY_DATABASE_URL.replace("postgres://", "postgresql://", 1))
    if url.drivername == "postgresql":
        url = url.set(drivername="postgresql+psycopg")
    return sa.create_engine(url, hide_parameters=True)
