"""`manage.py receive_mail < message.eml`: one mail from a mail server's pipe (Postfix, Exim) or by hand."""

import sys
from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from dsar.intake import email, sweep


class Command(BaseCommand):
    """Stores the raw bytes before it answers; exit code 75 (EX_TEMPFAIL) where that was not possible, so that the
    mail server keeps the mail and tries again."""

    help = "Receive one mail from standard input."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """--to: the envelope recipient; --now: open the case in this process instead of ringing a worker."""
        parser.add_argument("--to", default="", help="envelope recipient, as the mail server knows it")
        parser.add_argument("--now", action="store_true", help="open the case here instead of in a worker")

    def handle(self, *args: Any, **options: Any) -> None:
        """Read, store, say under which number."""
        raw = sys.stdin.buffer.read(settings.MAIL_BYTES + 1)
        if not raw.strip():
            raise CommandError("No mail on standard input.", returncode=64)
        try:
            intake, fresh = email.receive(raw, options["to"])
        except Exception as error:
            raise CommandError(f"Not stored ({type(error).__name__}); try again later.", returncode=75) from None
        if options["now"]:
            sweep.open_one(intake)
        self.stdout.write(f"{'Stored' if fresh else 'Already stored'} as incoming item {intake.pk}.")
