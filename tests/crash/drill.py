"""What makes a process die at a named place. The product has no hooks for this: its functions are wrapped from outside.

The file named by DRILL holds orders as JSON. Each has a point, which time it counts from (`nth`), how often (`times`)
and what happens there: KILL (SIGKILL to itself), STOP (falls asleep until somebody sends SIGCONT), ALL (SIGKILL to
the whole worker) or NOTE (it is written down). Points are `<function>:before`, `:after` (inside the process, nothing
in between), `:commit` (inside a transaction that is committed within that function, just before) and `:committed`.
"""

import fcntl
import functools
import json
import os
import signal
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import sqlalchemy as sa

_inside: list[str] = []
_ending = False


@contextmanager
def _opened(path: Path) -> Iterator[dict[str, Any]]:
    """The book of orders, read and written under a lock."""
    with path.open("r+") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        text = file.read()
        book = json.loads(text)
        yield book
        if (changed := json.dumps(book)) != text:
            file.seek(0)
            file.truncate()
            file.write(changed)


class Orders:
    """The book, from the side of the test."""

    def __init__(self, path: Path) -> None:
        self.path = path
        path.write_text(json.dumps({"orders": [], "fired": []}))

    def clear(self) -> None:
        """Nothing happens to anybody."""
        with _opened(self.path) as book:
            book.update(orders=[], fired=[])

    def arm(self, point: str, *, nth: int = 1, times: int = 1, what: str = "KILL") -> None:
        """Let it happen, beside what was ordered before."""
        with _opened(self.path) as book:
            book["orders"].append({"point": point, "nth": nth, "times": times, "what": what})

    def fired(self) -> list[tuple[str, int]]:
        """What has happened: point and process id, in order."""
        with _opened(self.path) as book:
            return [(point, pid) for point, pid in book["fired"]]


def strike(point: str) -> None:
    """In the drilled process: is this the place?"""
    what = ""
    with _opened(Path(os.environ["DRILL"])) as book:
        due = next((order for order in book["orders"] if order["point"] == point), None)
        if due and due["nth"] > 1:
            due["nth"] -= 1
        elif due:
            what = due["what"]
            due["times"] -= 1
            book["fired"].append((point, os.getpid()))
            book["orders"] = [order for order in book["orders"] if order["times"]]
    if what == "KILL":
        os.kill(os.getpid(), signal.SIGKILL)
    elif what == "ALL":
        os.killpg(0, signal.SIGKILL)
    elif what == "STOP":
        os.kill(os.getpid(), signal.SIGSTOP)


def wrap(owner: Any, name: str, label: str | Callable[..., str]) -> None:
    """Put a drill around a function: before it, after it, and at the commits within."""
    original = getattr(owner, name)

    @functools.wraps(original)
    def drilled(*args: Any, **kwargs: Any) -> Any:
        called = label if isinstance(label, str) else label(*args)
        strike(f"{called}:before")
        _inside.append(called)
        try:
            result = original(*args, **kwargs)
        finally:
            _inside.pop()
        strike(f"{called}:after")
        return result

    setattr(owner, name, drilled)


def install() -> None:
    """Wrap the house. Called once in each drilled process, after django.setup() and before anything imports views."""
    from django.db.backends.base.base import BaseDatabaseWrapper

    from dsar import journal
    from dsar.connectors.sql import SqlConnector
    from dsar.fulfilment import access, erasure, finish, held_step, lookout, package, runner
    from dsar.intake import submit
    from dsar.models import PrivacyRequest
    from dsar.notifications.folder import FolderBackend
    from dsar.verification import confirmation

    if number := os.environ.get("DRILL_UID"):
        PrivacyRequest._meta.get_field("uid").default = lambda: uuid.UUID(number)

    def of_step(part: str) -> Callable[..., str]:
        return lambda held, *_rest: f"{part}.{held.step.source}"

    wrap(runner, "work", lambda step: f"work.{step.kind}.{step.source}")
    wrap(erasure, "t1_intent", of_step("t1"))
    wrap(erasure, "t2_company", of_step("t2"))
    wrap(erasure, "t3_record", of_step("t3"))
    wrap(held_step, "record", lambda held, *_rest: f"record.{held.step.kind}.{held.step.source}")
    wrap(erasure, "_close", of_step("close"))
    wrap(erasure, "_settle", of_step("money"))
    wrap(held_step, "still_ours", of_step("check"))
    wrap(access, "_read", of_step("read"))
    wrap(access, "_keep", of_step("keep"))
    wrap(package, "announce", "announce")
    wrap(package, "write", "write")
    wrap(lookout, "look", "look")
    wrap(SqlConnector, "verify", "verify")
    wrap(finish, "entomb", "entomb")
    wrap(journal, "write", lambda kind: f"journal.{kind}")
    wrap(FolderBackend, "send_messages", _sending)
    wrap(confirmation, "confirm", "confirm")
    wrap(submit, "receive", "receive")
    wrap(submit, "open_case", "open")
    _wrap_claim(runner)
    _wrap_ending(finish)
    _wrap_commits(BaseDatabaseWrapper)
    sa.event.listen(sa.Engine, "commit", lambda _connection: _at_commit("commit"))


def _sending(_backend: Any, mails: Any) -> str:
    """What goes out beside the letters to the person has a name of its own: mails to recipients of the data, and the
    question to each known address whether it was them, which another process may send at the same moment."""
    from dsar.datamap import loader

    contacts = {recipient.contact for recipient in loader.current().recipients.values()}
    if contacts.issuperset(mails[0].to):
        return "send.recipient"
    return "send" if mails[0].letter else "send.other"


def _wrap_claim(runner: Any) -> None:
    original = runner.claim

    @functools.wraps(original)
    def claim(*args: Any, **kwargs: Any) -> Any:
        step = original(*args, **kwargs)
        if step is not None:
            strike(f"claim.{step.kind}.{step.source}:after")
        return step

    runner.claim = claim


def _wrap_ending(finish: Any) -> None:
    """The commit of the transaction in which a request is settled has a name of its own: "ending"."""
    original = finish.move

    @functools.wraps(original)
    def move(*args: Any, **kwargs: Any) -> Any:
        global _ending
        result = original(*args, **kwargs)
        _ending = True
        return result

    finish.move = move


def _wrap_commits(wrapper: Any) -> None:
    original = wrapper.commit

    @functools.wraps(original)
    def commit(self: Any) -> None:
        global _ending
        ending, _ending = _ending, False
        _at_commit("commit", ending)
        original(self)
        _at_commit("committed", ending)

    wrapper.commit = commit


def _at_commit(when: str, ending: bool = False) -> None:
    for label in [*_inside, *(["ending"] if ending else [])]:
        strike(f"{label}:{when}")
