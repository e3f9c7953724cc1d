"""`manage.py make_keys`: two fresh lines for the environment or a keys file."""

from typing import Any

from django.core.management.base import BaseCommand

from dsar import keys


class Command(BaseCommand):
    """Prints; stores nothing. Losing these keys makes every case unreadable: keep a copy in a safe."""

    help = "Print a fresh RIGHTSDESK_MASTER_KEYS and RIGHTSDESK_ROOT_KEY."
    requires_system_checks: list[str] = []

    def handle(self, *args: Any, **options: Any) -> None:
        """Print the lines."""
        self.stdout.write(keys.fresh_lines(), ending="")
