"""A released deletion, and the periods as they are shipped."""

from datetime import timedelta

import pytest

from dsar.models import Actor, PrivacyRequest
from tests import drive


@pytest.fixture
def as_shipped(settings: object) -> None:
    """What is put back waits its half minute: one look of the workers is one try."""
    settings.RETRY_AFTER = timedelta(seconds=30)  # type: ignore[attr-defined]


@pytest.fixture
def request_(company: None, approver: Actor) -> PrivacyRequest:
    """Released, nothing carried out yet."""
    return drive.released(approver)
