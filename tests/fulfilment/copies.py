"""Copies of people of the demo company, made by the real doors without other processes, and what is in them."""

import csv
import io
import json
import zipfile
from dataclasses import dataclass
from typing import Any

from dsar.enums import Right, State
from dsar.fulfilment import access, control, locating, package, runner
from dsar.models import Actor, PrivacyRequest, Redaction
from dsar.review import decide
from tests import drive, house
from tests.house import CAST


def approved(approver: Actor, address: str = CAST.plain, right: str = Right.ACCESS) -> PrivacyRequest:
    """A copy that was asked for, proven, located and approved."""
    request = drive.by_web(address, right)
    locating.drain()
    drive.proven_by_link(request.case)
    locating.drain()
    found = drive.fresh(request.pk)
    assert found.state == State.REVIEW, found.state
    decide.approve(request.pk, actor=approver)
    return drive.fresh(request.pk)


def checking(approver: Actor, address: str = CAST.plain, right: str = Right.ACCESS) -> PrivacyRequest:
    """A copy that workers have put together."""
    request = approved(approver, address, right)
    runner.drain_fulfilling()
    found = drive.fresh(request.pk)
    assert found.state == State.CHECKING, (
        found.state,
        list(found.steps.values_list("kind", "source", "status", "reason")),
    )
    return found


def hand_over(request: PrivacyRequest, approver: Actor) -> PrivacyRequest:
    """The approver opens the copy, looks, and offers it to its person."""
    access.open_to(request.pk, actor=approver)
    return control.hand_over(request.pk, actor=approver)


@dataclass
class Copy:
    """An unpacked package."""

    files: dict[str, bytes]

    @property
    def manifest(self) -> dict[str, Any]:
        """manifest.json."""
        return dict(json.loads(self.files["manifest.json"]))

    @property
    def page(self) -> str:
        """index.html."""
        return self.files["index.html"].decode()

    def names(self, table: str) -> list[str]:
        """The files of one table."""
        return [
            file["name"] for category in self.manifest["categories"] for one in category["tables"]
            if one["table"] == table for file in one["files"]
        ]  # fmt: skip

    def rows(self, table: str) -> list[dict[str, Any]]:
        """The rows of one table, from its JSON."""
        name = self.names(table)[0]
        text = self.files[name].decode()
        return [json.loads(line) for line in text.splitlines()] if name.endswith("l") else list(json.loads(text))

    def cells(self, table: str) -> list[dict[str, str]]:
        """The same from its CSV."""
        text = self.files[self.names(table)[1]].decode("utf-8-sig")
        return list(csv.DictReader(io.StringIO(text)))


def of(request: PrivacyRequest) -> Copy:
    """What is in the newest package of a request, read through the door that a download goes through."""
    made = package.current(request)
    assert made is not None
    with package.open_for_download(made) as reader, zipfile.ZipFile(reader) as archive:
        assert archive.testzip() is None
        return Copy({name: archive.read(name) for name in archive.namelist()})


__all__ = ["CAST", "Copy", "access", "approved", "checking", "hand_over", "of"]


def redacted(request: PrivacyRequest, handler: Actor, table: str, column: str, number: int = 0) -> Redaction:
    """Leave one value of the platform out of a copy, because it names somebody else."""
    row = access.rows(request, "platform", table, number, 1)[0]
    access.open_to(request.pk, actor=handler)
    (made,) = access.redact(
        request.pk, "platform", table, row["key"], [column], "THIRD_PARTY", "It names somebody else.", actor=handler
    )  # fmt: skip
    return made


def rows_in_the_company(address: str) -> dict[str, int]:
    """How many rows each table of the company holds of a person, where there are any."""
    identity = house.user_id(address)
    assert identity is not None
    return {name: len(rows) for name, rows in house.everything_of(identity).items() if rows}
