"""The people of the journeys, and what the company looked like before them."""

from collections.abc import Iterator

import pytest

from dsar import audit
from dsar.models import Actor
from tests.house import CAST, House, everything_of
from tests.journeys.people import Colleague, Visitor, everybody_leaves
from tests.journeys.scenes import number_of


@pytest.fixture
def visitor(stack: House) -> Visitor:
    """Somebody with a browser."""
    return Visitor(stack.url)


@pytest.fixture
def clerk(stack: House, handler: Actor) -> Colleague:
    """A handler at the desk."""
    return Colleague(stack.url, handler)


@pytest.fixture
def lead(stack: House, approver: Actor) -> Colleague:
    """An approver at the desk."""
    return Colleague(stack.url, approver)


@pytest.fixture
def second_lead(stack: House, second_approver: Actor) -> Colleague:
    """Another approver."""
    return Colleague(stack.url, second_approver)


@pytest.fixture(autouse=True)
def nobody_else_is_touched(stack: House) -> Iterator[None]:
    """Whatever happens in a journey, the neighbour's rows stay byte-equal and the audit trail verifies."""
    neighbour = number_of(CAST.neighbour)
    before = everything_of(neighbour)
    yield
    everybody_leaves()
    assert everything_of(neighbour) == before
    assert audit.verify() == []
