"""Asking one time for what a page shows in several places."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar, cast

from django.db.models import Model

Answer = TypeVar("Answer")


def only_shown(*held: Model) -> None:
    """These objects are shown and forgotten: from here on `once` keeps its answers about them, on the objects themselves."""
    for one in held:
        one.__dict__["_asked"] = {}


@contextmanager
def while_shown(*held: Model) -> Iterator[None]:
    """The same for as long as the block lasts: what is decided about these objects afterwards is asked anew."""
    fresh = [one for one in held if "_asked" not in one.__dict__]
    only_shown(*fresh)
    try:
        yield
    finally:
        for one in fresh:
            del one.__dict__["_asked"]


def once(held: Model, question: str, ask: Callable[[], Answer]) -> Answer:
    """The answer to a question about a request or a case: asked one time where it is only shown (models/shown.py), and each
    time anew where something is decided."""
    known: dict[str, Any] | None = held.__dict__.get("_asked")
    if known is None:
        return ask()
    if question not in known:
        known[question] = ask()
    return cast(Answer, known[question])
