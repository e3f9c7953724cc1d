"""`manage.py rotate_keys`: wrap every case key under the first master key."""

from typing import Any

from django.core.management.base import BaseCommand

from dsar import keys
from dsar.models import CaseKey


class Command(BaseCommand):
    """Put the new master key first in RIGHTSDESK_MASTER_KEYS, restart, run this, then take the old one out."""

    help = "Rewrap every case key with the first master key."

    def handle(self, *args: Any, **options: Any) -> None:
        """Rewrap what another key wraps; repeatable, row by row."""
        active, done = keys.ring().active, 0
        for row in CaseKey.objects.exclude(key_id=active).iterator():
            key_id, wrapped = keys.rewrap(row.key_id, bytes(row.wrapped))
            done += CaseKey.objects.filter(pk=row.pk, key_id=row.key_id).update(key_id=key_id, wrapped=wrapped)
        self.stdout.write(f"{done} case keys are now wrapped by {active}.")
