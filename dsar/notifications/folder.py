"""Development and tests: each outgoing mail becomes one .eml file in EMAIL_FOLDER instead of leaving the machine."""

import time
import uuid
from collections.abc import Sequence

from django.conf import settings
from django.core.mail import EmailMessage
from django.core.mail.backends.base import BaseEmailBackend


class FolderBackend(BaseEmailBackend):
    """Writes each message under a temporary name and renames it, so that a reader never sees half a mail."""

    def send_messages(self, email_messages: Sequence[EmailMessage]) -> int:
        """Write the messages; returns how many."""
        folder = settings.EMAIL_FOLDER
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        for message in email_messages:
            name = f"{time.time_ns()}-{uuid.uuid4().hex[:8]}"
            temporary = folder / f".{name}"
            temporary.write_bytes(message.message().as_bytes())
            temporary.replace(folder / f"{name}.eml")
        return len(email_messages)
