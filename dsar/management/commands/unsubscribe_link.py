"""`manage.py unsubscribe_link < addresses.txt`: the one-click unsubscribe link of each address (RFC 8058)."""

import sys
from typing import Any

from django.core.management.base import BaseCommand

from dsar.intake import unsubscribe
from dsar.management import addresses


class Command(BaseCommand):
    """For the company's own mailer: per address the link, then the two header fields its newsletter must carry (and
    sign with DKIM). Made afresh each time; every one of them works for good."""

    help = "Print unsubscribe link and headers for each address from standard input, one a line."

    def handle(self, *args: Any, **options: Any) -> None:
        """Print in the order given; fails in the end where a line was no usable address, naming its number."""
        refused: list[int] = []
        for address in addresses.usable(sys.stdin, refused):
            link = unsubscribe.link_for(address)
            self.stdout.write(link)
            for name, value in unsubscribe.headers_for(link):
                self.stdout.write(f"{name}: {value}")
        addresses.complain(refused)
