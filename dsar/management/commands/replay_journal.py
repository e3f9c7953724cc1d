"""`manage.py replay_journal`: after a restore of our own database, or of one of the company's systems."""

from datetime import date, datetime
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from dsar import journal
from dsar.fulfilment import restored as again
from dsar.models import PrivacyRequest, Tombstone


class Command(BaseCommand):
    """Tombstones come back from the journal. Confirmations that the restored database does not know cannot be made
    up: each is listed, and the exit code is 1 until a person has dealt with them. Then the sources are compared with the
    tombstones: what a restore brought back is erased again (law 16)."""

    help = "After a restore: put missing tombstones back, and erase again what came back in the sources."

    def handle(self, *args: Any, **options: Any) -> None:
        """Replay, then list what is missing."""
        restored = 0
        for line in journal.lines("erased"):
            covers = datetime.fromisoformat(line["covers_until"])
            request = PrivacyRequest.objects.filter(uid=line["request"]).first()
            for source, index in line.get("marks", {}).items():
                if index and not Tombstone.objects.filter(source=source, index=index, covers_until=covers).exists():
                    Tombstone.objects.create(
                        source=source, index=index, covers_until=covers, request_id=request.pk if request else 0,
                        expires_on=date.fromisoformat(line["written"][:10]) + settings.TOMBSTONE_PERIOD,
                    )  # fmt: skip
                    restored += 1
        self.stdout.write(f"{restored} tombstones restored.")
        report = again.check()
        self.stdout.write(f"{report.found} accounts came back and are erased again.")
        for key, reason in report.failed.items():
            self.stderr.write(f"Source {key} could not be compared: {reason}. Run this again once it answers.")
        forgotten = [
            line["request"]
            for line in journal.lines("confirmed")
            if not PrivacyRequest.objects.filter(uid=line["request"], confirmed_at__isnull=False).exists()
        ]
        for uid in forgotten:
            self.stderr.write(f"Confirmed, and not in this database: request {uid}")
        if forgotten:
            raise CommandError(
                f"{len(forgotten)} confirmations are missing; restore a newer backup or contact the people."
            )
