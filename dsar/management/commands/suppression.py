"""`manage.py suppression --kind marketing_opt_out < addresses.txt`: which of these addresses must be left alone."""

import sys
from argparse import ArgumentParser
from itertools import islice
from typing import Any

from django.core.management.base import BaseCommand

from dsar import keys
from dsar.enums import UNVERIFIED_RIGHTS
from dsar.management import addresses
from dsar.models import Choice

BATCH = 500


class Command(BaseCommand):
    """For systems that ask before they write to people. The list holds keyed hashes: it answers for an address that is
    given to it and cannot be printed."""

    help = "Print those addresses from standard input, one a line, for which a choice is in force."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """--kind: which choice."""
        parser.add_argument("--kind", required=True, choices=[right.value for right in UNVERIFIED_RIGHTS])

    def handle(self, *args: Any, **options: Any) -> None:
        """Print each address as it was given, in the given order; fails in the end where a line was no usable address,
        naming its number: nobody is written to because a line could not be read."""
        standing = Choice.objects.standing().filter(kind=options["kind"])
        refused: list[int] = []
        found = addresses.usable(sys.stdin, refused)
        while batch := list(islice(found, BATCH)):
            given = {address: keys.email_index(address) for address in batch}
            listed = set(standing.filter(email_index__in=given.values()).values_list("email_index", flat=True))
            for address, index in given.items():
                if index in listed:
                    self.stdout.write(address)
        addresses.complain(refused)
