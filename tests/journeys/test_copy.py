"""A copy of one's data: from the form to the zip in hand, looked through by people in between."""

import csv
import io
import json
import re
import zipfile
from datetime import timedelta
from typing import Any

import httpx
import pytest
from django.utils import timezone

from dsar.enums import Outcome, PackageStatus, State
from dsar.fulfilment import package
from dsar.models import AuditEvent, Package, PrivacyRequest
from tests.house import CAST, body_of, everything_of, mail_to, mails, wait_for
from tests.journeys import scenes
from tests.journeys.people import Colleague, Visitor

pytestmark = pytest.mark.once

WHY = "It names a friend of yours, who has not agreed."


def asked(visitor: Visitor, lead: Colleague, right: str, card: str, address: str = CAST.plain) -> PrivacyRequest:
    """From the start page to a copy that was put together."""
    visitor.ask(address, card)
    visitor.prove(address)
    request = scenes.reaches(scenes.request_of(address, right), State.REVIEW)
    lead.act(request, "approve")
    lead.sees("The workers put the copy together.")
    return scenes.reaches(request, State.CHECKING)


def whole(request: PrivacyRequest) -> None:
    """Wait until the copy says what was last decided about it."""
    wait_for(lambda: package.whole(request), what="the copy, put together again")


def look_into(colleague: Colleague, request: PrivacyRequest, table: str) -> None:
    """Open the copy at a table."""
    colleague.look_at(request)
    if colleague.button("Open the copy"):
        colleague.press("Open the copy")
    colleague.follow(table)
    colleague.sees("Look through the copy")


def take_out(colleague: Colleague, row: str, **what: Any) -> None:
    """By the form below the row."""
    for form in colleague.soup.find_all("form", action=re.compile("take-out")):
        held = form.find("input", {"name": "row"})
        if held and held["value"] == row:
            colleague.submit(form, form.find("button"), code="THIRD_PARTY", text=WHY, **what)
            colleague.sees("Taken out. The copy is put together again without it.")
            return
    raise AssertionError(f"no row {row} on the page")


def downloaded(visitor: Visitor) -> httpx.Response:
    """Press the button of the case page."""
    visitor.press("Download my copy")
    assert visitor.page is not None
    assert visitor.page.status_code == 200, visitor.text
    return visitor.page


def unpacked(raw: bytes) -> dict[str, Any]:
    """The tables of a copy by their names in the company; the manifest under its own."""
    archive = zipfile.ZipFile(io.BytesIO(raw))
    assert archive.testzip() is None
    manifest = json.loads(archive.read("manifest.json"))
    found: dict[str, Any] = {"manifest": manifest, "names": archive.namelist()}
    for category in manifest["categories"]:
        for table in category["tables"]:
            as_json, as_csv = (file["name"] for file in table["files"])
            text = archive.read(as_json).decode()
            found[table["table"]] = (
                [json.loads(line) for line in text.splitlines()] if as_json.endswith("l") else json.loads(text)
            )
            lines = list(csv.DictReader(io.StringIO(archive.read(as_csv).decode("utf-8-sig"))))
            assert len(lines) == len(found[table["table"]]) == table["rows"]
    return found


def test_from_the_form_to_the_zip(visitor: Visitor, clerk: Colleague, lead: Colleague) -> None:
    author = CAST.third_person_author
    me = scenes.number_of(author)
    before = everything_of(me)
    request = asked(visitor, lead, "access", "Get a copy", author)
    asked_first = str(mails(author)[0]["Subject"]).partition(" [")[0]
    visitor.open("/case/")
    visitor.sees("A person looks through your copy.", "Check")
    assert visitor.button("Download my copy") is None

    clerk.open(f"/desk/requests/{request.pk}/copy/")
    clerk.sees("The copy is closed", "stands in the history")
    assert not AuditEvent.objects.filter(what="copy_looked_at").exists()
    look_into(clerk, request, "prompts")
    (names,) = (row for row in before["prompts"] if CAST.third_person in str(row["prompt"]))
    gone = next(str(row["id"]) for row in before["prompts"] if row is not names)
    clerk.sees(str(names["prompt"])[:60])
    take_out(clerk, gone, whole="on")
    take_out(clerk, str(names["id"]), columns="prompt")
    clerk.sees("Taken out", "the whole row", WHY)
    assert not clerk.offers(request, "hand-over")
    whole(request)
    subjects = {str(mail["Subject"]).partition(" [")[0] for mail in mails(author)}
    assert subjects == {asked_first, "Was this you? News of a privacy request"}, "nothing has left yet"

    look_into(lead, request, "prompts")
    lead.press("Hand the copy over", reference=request.case.reference)
    lead.sees("Handed over. The person is told how to download it.")
    assert AuditEvent.objects.filter(what="copy_looked_at").count() == 2
    done = scenes.fresh(request)
    assert (done.state, done.outcome) == (State.COMPLETED, Outcome.GRANTED_IN_PART)
    letter = mail_to(author, "Your copy is ready")
    made = Package.objects.get(request=request, status=PackageStatus.OFFERED)
    for words in (
        WHY,
        "Prompts and outputs (1 record, 1 detail)",
        f"{made.expires_at:%Y}",
        "Art 15(4)",
        "If you do not",
    ):
        assert words in body_of(letter), body_of(letter)

    at_home = Visitor(str(visitor.client.base_url))
    scenes.open_by_code(at_home, letter)
    at_home.sees("Your copy is ready", "What is not in it, and why", WHY)
    answer = downloaded(at_home)
    assert answer.headers["content-disposition"] == f'attachment; filename="copy-{request.case.reference}.zip"'
    assert "no-store" in answer.headers["cache-control"]
    assert int(answer.headers["content-length"]) == len(answer.content) == made.size

    copy = unpacked(answer.content)
    assert copy["users"][0]["email"] == author
    assert {str(row["id"]) for row in copy["prompts"]} == {str(row["id"]) for row in before["prompts"]} - {gone}
    (without,) = (row for row in copy["prompts"] if row["id"] == names["id"])
    assert without["prompt"] is None
    assert without["output"] == names["output"]
    for table in ("credit_purchases", "invoices", "support_mails"):
        assert len(copy[table]) == len(before[table]), table
    others = {row["email"] for row in scenes.company_without(me)["users"] if row["email"]}
    text = b"".join(_parts(answer.content)).decode("utf-8", "replace")
    assert [email for email in others if email in text] == []
    assert str(before["users"][0]["password_hash"]) not in text
    made.refresh_from_db()
    assert made.downloads == 1
    assert everything_of(me) == before


def _parts(raw: bytes) -> list[bytes]:
    archive = zipfile.ZipFile(io.BytesIO(raw))
    return [archive.read(name) for name in archive.namelist()]


def offered(visitor: Visitor, lead: Colleague, right: str = "access", card: str = "Get a copy") -> PrivacyRequest:
    """A copy on offer, and its person on the case page."""
    request = asked(visitor, lead, right, card)
    look_into(lead, request, "users")
    lead.press("Hand the copy over", reference=request.case.reference)
    lead.sees("Handed over.")
    visitor.open("/case/")
    visitor.sees("Your copy is ready")
    return scenes.fresh(request)


def test_what_can_be_taken_elsewhere(visitor: Visitor, lead: Colleague) -> None:
    request = offered(visitor, lead, "portability", "Take my data elsewhere")
    assert request.outcome == Outcome.GRANTED
    copy = unpacked(downloaded(visitor).content)
    assert copy["users"][0]["email"] == CAST.plain
    assert copy["prompts"]
    assert "invoices" not in copy
    assert "Invoices" in {one["label"] for one in copy["manifest"]["not_portable"]}


def test_a_download_that_broke_off_goes_on(visitor: Visitor, lead: Colleague) -> None:
    request = offered(visitor, lead)
    first = downloaded(visitor)
    address, etag, size = first.url.path, first.headers["etag"], len(first.content)
    half = size // 2
    events = AuditEvent.objects.count()

    def part(wanted: str, **more: str) -> httpx.Response:
        return visitor.client.get(address, headers={"Range": wanted, **more})

    one, other = part(f"bytes=0-{half - 1}", **{"If-Range": etag}), part(f"bytes={half}-", **{"If-Range": etag})
    assert (one.status_code, other.status_code) == (206, 206)
    assert other.headers["content-range"] == f"bytes {half}-{size - 1}/{size}"
    assert one.content + other.content == first.content
    assert part("bytes=-10").content == first.content[-10:]
    assert part("bytes=0-0", **{"If-Range": '"of another version"'}).status_code == 200
    assert part("bytes=5-4").content == part("lines=1-2").content == part("bytes=0-1,4-5").content == first.content
    refused = part(f"bytes={size}-")
    assert (refused.status_code, refused.headers["content-range"]) == (416, f"bytes */{size}")
    head = visitor.client.head(address, headers={"Range": "bytes=0-1"})
    assert (head.status_code, head.headers["content-length"], head.content) == (200, str(size), b"")
    assert AuditEvent.objects.count() == events
    assert Package.objects.get(request=request).downloads == 1


def test_nobody_else_gets_it_and_after_its_time_nobody_does(visitor: Visitor, lead: Colleague) -> None:
    request = offered(visitor, lead)
    address = downloaded(visitor).url.path
    stranger = Visitor(str(visitor.client.base_url))
    stranger.reach(CAST.crypto)
    for path in (address, f"{address[:-3]}x/"):
        stranger.open(path)
        stranger.sees("Please open your link first", status=404)
    assert stranger.post(f"/case/{request.pk}/download/") == 404
    lead.open(address)
    lead.sees("Please open your link first", status=404)
    assert Package.objects.get(request=request).downloads == 1

    Package.objects.filter(request=request).update(expires_at=timezone.now() - timedelta(seconds=1))
    visitor.open(address)
    visitor.sees("This copy is not here any more", "Ask for a new copy", status=410)
    assert visitor.post(f"/case/{request.pk}/download/") == 410
    visitor.open("/case/")
    visitor.sees("Your copy is not here any more")
    visitor.follow("Ask for a new copy")
    visitor.sees("Your e-mail address")


def test_a_copy_first_beside_a_deletion_that_waits(visitor: Visitor, lead: Colleague) -> None:
    visitor.reach(CAST.plain)
    visitor.press("Get a copy first")
    deletion = scenes.request_of(CAST.plain)
    copy = scenes.reaches(scenes.request_of(CAST.plain, "access"), State.REVIEW)
    lead.act(copy, "approve")
    copy = scenes.reaches(copy, State.CHECKING)
    look_into(lead, copy, "users")
    lead.press("Hand the copy over", reference=copy.case.reference)
    visitor.open("/case/")
    assert unpacked(downloaded(visitor).content)["prompts"]
    assert scenes.fresh(deletion).state == State.CONFIRMING
