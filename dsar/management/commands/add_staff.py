"""`manage.py add_staff EMAIL ROLE`: a colleague gets a sign-in for the desk."""

import secrets
from argparse import ArgumentParser
from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError
from django.core.validators import validate_email
from django.db import transaction

from accounts.models import Role, User
from dsar import audit
from dsar.models import SYSTEM


class Command(BaseCommand):
    """Prints a password once; it is stored only as a hash. `changepassword` sets another one."""

    help = "Give a colleague a sign-in: handler, approver, auditor or admin."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Address, role, name."""
        parser.add_argument("email")
        parser.add_argument("role", choices=[role for role in Role.values if role])
        parser.add_argument("--name", default="")

    def handle(self, *args: Any, **options: Any) -> None:
        """Create the account, or give an existing open one the role."""
        try:
            validate_email(options["email"])
        except ValidationError:
            raise CommandError("That is not an e-mail address.") from None
        found = User.objects.filter(email__iexact=options["email"].strip()).first()
        if found and found.closed_at:
            raise CommandError("This account was closed by a deletion and never opens again; use another address.")
        if found:
            found.role = options["role"]
            found.save(update_fields=["role"])
            self.stdout.write("The account has the role now; its password stays as it was.")
        else:
            password = secrets.token_urlsafe(15)
            found = User.objects.create_user(
                options["email"], password, role=options["role"], full_name=options["name"]
            )
            self.stdout.write(f"Password (shown once): {password}")
        self._note(found)

    def _note(self, user: User) -> None:
        with transaction.atomic():
            audit.record_house(audit.Entry("role_given", SYSTEM, details={"user": user.pk, "role": user.role}))
