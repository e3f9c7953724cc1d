"""What a verb of the desk is; the verbs themselves stand in catalogue.py and the *_verbs.py that it names."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from django_fsm import can_proceed

from dsar.desk import forms, words
from dsar.desk.barred import Barred
from dsar.models import Actor, PrivacyRequest

Data = dict[str, Any]


@dataclass(frozen=True)
class Verb:
    """One thing that a person of the desk can do to a request.

    `moves` names the transition that decides whether it exists now; without one `exists` decides. `bar` says why one
    whose role includes it may not all the same. `danger` marks what cannot be taken back.
    """

    slug: str
    label: Any
    done: Any
    form: type[forms.VerbForm]
    run: Callable[[int, Data, Actor], object]
    roles: frozenset[str]
    help: Any = ""
    moves: str = ""
    exists: Callable[[PrivacyRequest], bool] = lambda _request: True
    bar: Callable[[PrivacyRequest, Actor], Barred | None] = lambda _request, _actor: None
    danger: bool = False
    by_right: Mapping[str, words.Said] | None = None

    def allows(self, actor: Actor) -> bool:
        """Whether this actor's role includes it, whatever the state."""
        return actor.role in self.roles

    def is_there(self, request: PrivacyRequest) -> bool:
        """Whether it exists in the state that the request is in."""
        if self.moves and not can_proceed(getattr(request, self.moves)):
            return False
        return self.exists(request)

    def fitted(self, request: PrivacyRequest) -> "Verb":
        """The verb in the words that fit the right of this request: what is approved differs from right to right."""
        said = (self.by_right or {}).get(request.right)
        return replace(self, label=said.label, done=said.done, help=said.help) if said else self
