"""`manage.py verify_audit`: recompute every audit chain."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from dsar import audit
from dsar.models import AuditEvent


class Command(BaseCommand):
    """Exit code 1 and one line per fault where anything was changed, removed or cut off."""

    help = "Verify every audit chain, the checkpoints, and both against the journal outside the database."

    def handle(self, *args: Any, **options: Any) -> None:
        """Verify and say so."""
        faults = audit.verify()
        for fault in faults:
            self.stderr.write(f"{fault.chain} at {fault.number}: {fault.problem}")
        if faults:
            raise CommandError(f"{len(faults)} faults.")
        self.stdout.write(f"All chains hold: {AuditEvent.objects.count()} events.")
