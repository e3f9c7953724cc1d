"""`manage.py unsubscribe_link < addresses.txt`: the one-click unsubscribe link of each address (RFC 8058)."""

import sys
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from dsar.intake import unsubscribe


class Command(BaseCommand):
    """For the company's own mailer: per address the link, then the two header fields its newsletter must carry (and
    sign with DKIM). Made afresh each time; every one of them works for good."""

    help = "Print unsubscribe link and headers for each address from standard input, one a line."

    def handle(self, *args: Any, **options: Any) -> None:
        """Print in the order given; fails in the end where a line was no usable address, naming its number."""
        unusable = []
        for number, line in enumerate(sys.stdin, 1):
            if not line.strip():
                continue
            try:
                link = unsubscribe.link_for(line)
            except ValueError:
                unusable.append(number)
                continue
            self.stdout.write(link)
            for name, value in unsubscribe.headers_for(link):
                self.stdout.write(f"{name}: {value}")
        if unusable:
            raise CommandError(f"No usable address in line {', '.join(map(str, unusable))}.")
