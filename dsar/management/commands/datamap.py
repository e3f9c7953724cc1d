"""`manage.py datamap check | discover`: hold the data map against the live databases, or begin one."""

from argparse import ArgumentParser
from typing import Any

import sqlalchemy as sa
import yaml
from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from dsar.datamap import check, discover, loader
from dsar.datamap.discover import LiveTable
from dsar.datamap.loader import DataMapError
from dsar.law import codes, regimes


class Command(BaseCommand):
    """Reads catalogues, never a row."""

    help = "Check the data map against the databases, or print a first draft of one."
    # It is what helps where the map cannot be read, which the system checks refuse.
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        """check, or discover with the name of the table whose row is the person."""
        parser.add_argument("action", choices=["check", "discover"])
        parser.add_argument("--identity", default="users", help="table whose row is the person (discover)")
        parser.add_argument("--url-setting", default="COMPANY_DATABASE_URL", help="setting with the address (discover)")

    def handle(self, *args: Any, **options: Any) -> None:
        """Exit code 1 where the map and the databases disagree."""
        if options["action"] == "discover":
            self._discover(options["url_setting"], options["identity"])
        else:
            self._check()

    def _check(self) -> None:
        try:
            data_map = loader.current()
        except DataMapError as error:
            raise CommandError("\n".join(error.messages)) from None
        live = {}
        for key, source in data_map.sources.items():
            if source.connector == "sql":
                url = getattr(settings, source.url_setting or "COMPANY_DATABASE_URL", "")
                live[key] = self._tables(str(url), source.schema_ or settings.COMPANY_DATABASE_SCHEMA, key)
        messages = check.check(
            data_map, live=live, known_code=lambda code: any(codes.valid(code, regime) for regime in regimes.all_ids())
        )
        for message in check.warnings(data_map):
            self.stderr.write(f"warning: {message}")
        for message in messages:
            self.stderr.write(message)
        if messages:
            raise CommandError(f"{len(messages)} things to put right in {settings.DATA_MAP.name}.")
        self.stdout.write(f"{settings.DATA_MAP.name} and {len(data_map.sources)} sources agree.")

    def _discover(self, url_setting: str, identity: str) -> None:
        live = self._tables(str(getattr(settings, url_setting, "")), settings.COMPANY_DATABASE_SCHEMA, url_setting)
        if identity not in live:
            raise CommandError(f"There is no table {identity}; name the one whose row is the person with --identity.")
        tables = {name: draft(table, identity) for name, table in live.items()}
        source = {
            "connector": "sql", "label": "Our database", "url_setting": url_setting,
            "identity": {"table": identity, "key": (live[identity].primary_key or ("id",))[0], "email": "email"},
            "tables": {name: table for name, table in tables.items() if table},
            "ignored_tables": [name for name, table in tables.items() if not table],
        }  # fmt: skip
        categories = {name: {"label": name.replace("_", " ").capitalize()} for name, table in tables.items() if table}
        described = {"version": 1, "user_ids": "main", "sources": {"main": source}, "categories": categories}
        text = yaml.safe_dump(described, sort_keys=False)
        self.stdout.write(
            "# A first draft. Look at every line: what is personal, what the law makes you keep, and why."
        )
        self.stdout.write(text)

    def _tables(self, url: str, schema: str | None, name: str) -> dict[str, LiveTable]:
        if not url:
            raise CommandError(f"{name}: its address is not set.")
        engine = sa.create_engine(url, poolclass=sa.NullPool)
        try:
            return discover.live_tables(engine, schema)
        except sa.exc.SQLAlchemyError as error:
            raise CommandError(f"{name}: the database cannot be read ({type(error).__name__}).") from None
        finally:
            engine.dispose()


def draft(table: LiveTable, identity: str) -> dict[str, Any]:
    """A first entry for one table: every column personal but the keys; empty where no path to the person is seen."""
    names = [column.name for column in table.columns]
    key = table.primary_key[0] if len(table.primary_key) == 1 else ""
    singular = identity.removesuffix("s")
    person = (
        key if table.name == identity else next((n for n in (f"{singular}_id", singular, "user_id") if n in names), "")
    )
    if not key or not person:
        return {}
    columns = {name: {} if name in (key, person) else {"personal": True} for name in names}
    return {"key": key, "person": person, "category": table.name, "disposal": "erase", "columns": columns}
