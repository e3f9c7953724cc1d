"""Addresses on standard input, one a line, as the commands for the company's own mailer take them."""

from collections.abc import Iterable, Iterator

from django.core.management.base import CommandError

from dsar import keys


def usable(lines: Iterable[str], refused: list[int]) -> Iterator[str]:
    """Each usable address as it was given; the numbers of lines that hold none (blank ones aside) go into `refused`."""
    for number, line in enumerate(lines, 1):
        address = line.strip()
        if keys.normalise_email(address):
            yield address
        elif address:
            refused.append(number)


def complain(refused: list[int]) -> None:
    """End the command as failed where a line held no usable address: whoever it meant would be passed over in silence."""
    if refused:
        numbers = ", ".join(map(str, refused))
        raise CommandError(f"No usable address in line {numbers}. Give the bare address, without a name around it.")
