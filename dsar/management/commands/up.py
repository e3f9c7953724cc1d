"""`manage.py up`: everything on this machine with one command."""

import os
import sys
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand

from dsar.supervisor import guardian, house


class Command(BaseCommand):
    """Starts broker, web, worker and beat under one supervisor and keeps them running until Ctrl-C or SIGTERM."""

    help = "Runs everything: the embedded broker (unless REDIS_URL is set), web, worker and beat."
    # Checks and migrations run in `prepare`, in a process that already has the keys and the broker's address.
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        """--port 0 lets the system choose; --with-parent ends everything when the calling process dies."""
        parser.add_argument("--port", type=int, default=8000, help="TCP port of the pages (default: 8000)")
        parser.add_argument("--host", default="127.0.0.1", help="address to listen on (default: loopback only)")
        parser.add_argument("--with-parent", action="store_true", help="end when the calling process dies")

    def handle(self, *args: Any, **options: Any) -> None:
        """Exits 0 after an ordinary end, 1 with a one-line reason where it cannot start."""
        if options["with_parent"]:
            guardian.end_with_parent()
        var_dir: Path = settings.VAR_DIR
        try:
            var_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
            var_dir.chmod(0o700)
        except OSError as error:
            self.say(f"The state folder {var_dir} cannot be used: {error.strerror}.")
            sys.exit(1)
        plan = house.Plan(
            base_dir=settings.BASE_DIR,
            var_dir=var_dir,
            host=options["host"],
            port=options["port"],
            broker_url=os.environ.get("REDIS_URL", ""),
            environment=self.environment(),
            say=self.say,
            welcome=self.welcome,
        )
        sys.exit(house.run(plan))

    def environment(self) -> dict[str, str]:
        """What the children inherit: ours, the state folder as an absolute path, and output without colour or delay."""
        return {
            **os.environ,
            "VAR_DIR": str(settings.VAR_DIR),
            "NO_COLOR": "1",
            "PYTHONUNBUFFERED": "1",
        }

    def say(self, line: str) -> None:
        """One line to the terminal, at once."""
        self.stdout.write(f"rightsdesk: {line}")
        self.stdout.flush()

    def welcome(self, address: str) -> None:
        """The addresses and, in development, where to sign in with what."""
        lines = [f"Public form     {address}/", f"Desk            {address}/desk/"]
        if settings.DEBUG:
            lines.append(f"Outgoing mail   {address}/dev/mail/")
            sign_ins = settings.VAR_DIR / "demo-signins.txt"
            if sign_ins.exists():
                lines += ["", "Demo sign-ins", *(f"  {line}" for line in sign_ins.read_text().splitlines())]
        lines += ["", f"Logs in {settings.VAR_DIR / 'log'} · Ctrl-C ends everything"]
        for line in ("ready", "", *(f"  {line}".rstrip() for line in lines), ""):
            self.stdout.write(f"rightsdesk: {line}" if line == "ready" else line)
        self.stdout.flush()
