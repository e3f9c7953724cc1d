"""The download of a copy in one process: fresh proof, ranges, and what a GET may not do."""

from datetime import timedelta
from pathlib import Path

import pytest
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st

from dsar.demo.cast import CAST
from dsar.enums import PackageStatus, StepReason
from dsar.fulfilment import frames, package, runner
from dsar.models import AuditEvent, Package, PrivacyRequest
from dsar.models.request_conditions import copy_in_hand
from dsar.notifications import outbox
from dsar.portal import download, session
from dsar.review import decide
from tests import house
from tests.desk import scenes
from tests.fulfilment import copies
from tests.journeys.scenes import code_in
from tests.portal.conftest import Visitor, tables, words, work


def offered(visitor: Visitor) -> PrivacyRequest:
    """A copy on offer, and its person proven."""
    visitor.prove(CAST.plain, "access")
    work()
    request = PrivacyRequest.objects.get()
    decide.approve(request.pk, actor=scenes.actor())
    runner.drain_fulfilling()
    copies.hand_over(request, scenes.actor())
    outbox.drain()
    return request


def press(visitor: Visitor, request: PrivacyRequest, *, follow: bool = True):
    return visitor.post(f"/case/{request.pk}/download/", follow=follow)


def lapse(visitor: Visitor) -> None:
    """Let the proof of this browser be older than it counts."""
    held = visitor.client.session
    long_ago = (timezone.now() - timedelta(days=1)).isoformat()
    held[session.PROVEN] = dict.fromkeys(held[session.PROVEN], long_ago)
    held.save()


def test_a_proof_that_is_too_old_is_renewed_by_a_code_that_leads_back(visitor):
    request = offered(visitor)
    lapse(visitor)
    answer = press(visitor, request)
    assert answer.request["PATH_INFO"] == "/follow/"
    assert Package.objects.get().downloads == 0
    visitor.post("/follow/")
    outbox.drain()
    code = code_in(house.body_of(house.mail_to(CAST.plain, "Your code")))
    back = visitor.post("/follow/code/", {"code": code})
    assert back.request["PATH_INFO"] == "/case/"
    assert "Your copy is ready" in words(back)
    got = press(visitor, request)
    assert got.status_code == 200
    assert len(b"".join(got.streaming_content)) == Package.objects.get().size


def test_the_address_is_of_this_browser_and_ends(visitor, settings):
    request = offered(visitor)
    place = press(visitor, request, follow=False)["Location"]
    assert Visitor().get(place).status_code == 404
    lapse(visitor)
    still = visitor.get(place)
    still.close()
    assert still.status_code == 200, "a long download goes on at its address"
    settings.PROOF_LIFETIME = timedelta(0)
    assert visitor.get(place).status_code == 404
    assert visitor.get("/copy/nonsense/").status_code == 404


def test_get_changes_nothing(visitor):
    request = offered(visitor)
    place = press(visitor, request, follow=False)["Location"]
    before = tables()
    for method in ("get", "head"):
        for extra in ({}, {"HTTP_RANGE": "bytes=1-5"}, {"HTTP_RANGE": "bytes=999999999-"}):
            answer = getattr(visitor.client, method)(place, **extra)
            answer.close()
    visitor.get(f"/case/{request.pk}/download/")
    visitor.get("/case/")
    assert tables() == before


@pytest.mark.parametrize("end", ["expired", "gone", "withheld"])
def test_what_is_gone_says_so_and_offers_a_new_one(visitor, end):
    request = offered(visitor)
    place = press(visitor, request, follow=False)["Location"]
    if end == "expired":
        Package.objects.update(expires_at=timezone.now())
    elif end == "gone":
        Package.objects.update(status=PackageStatus.GONE)
    else:
        Package.objects.update(status=PackageStatus.READY)
    for answer in (visitor.get(place), press(visitor, request)):
        assert answer.status_code == 410
        assert "Ask for a new copy" in words(answer)


@pytest.mark.parametrize("how", ["lost", "changed", "cut off", "unreachable"])
def test_law_09_a_copy_that_cannot_be_opened_is_no_download_and_stands_in_the_queue(visitor, monkeypatch, how):
    request = offered(visitor)
    made = Package.objects.get()
    path = Path(package.storage().path(made.name))
    whole = path.read_bytes()
    with monkeypatch.context() as patch:
        if how == "lost":
            path.unlink()
        elif how == "unreachable":
            patch.setattr(package, "storage", lambda: 1 / 0)
        else:
            path.write_bytes(whole[:-1] if how == "cut off" else bytes([whole[0] ^ 1]) + whole[1:])
        answer = press(visitor, request)
        assert answer.status_code == 503
        assert "This does not count as a download." in words(answer)
    made.refresh_from_db()
    assert (made.downloads, made.downloaded_at) == (0, None)
    assert not AuditEvent.objects.filter(what="copy_downloaded").exists()
    assert not copy_in_hand(PrivacyRequest(after=PrivacyRequest.objects.get())), "the erasure goes on waiting for it"
    stuck = PrivacyRequest.objects.stuck().get()
    assert (stuck.pk, stuck.attention) == (request.pk, StepReason.COPY_UNREADABLE)

    path.write_bytes(whole)
    got = press(visitor, request)
    assert len(b"".join(got.streaming_content)) == made.size
    assert not PrivacyRequest.objects.stuck().exists()


def test_law_09_a_download_that_breaks_off_on_our_side_stands_in_the_queue(visitor, monkeypatch):
    request = offered(visitor)
    place = press(visitor, request, follow=False)["Location"]
    answer = visitor.client.get(place)
    monkeypatch.setattr(frames.Reader, "readinto", lambda *_: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        list(answer.streaming_content)
    assert PrivacyRequest.objects.stuck().get().attention == StepReason.COPY_UNREADABLE


def test_nothing_is_read_into_memory(visitor, monkeypatch):
    request = offered(visitor)
    place = press(visitor, request, follow=False)["Location"]
    monkeypatch.setattr(download, "BLOCK", 1000)
    answer = visitor.client.get(place)
    sizes = [len(block) for block in answer.streaming_content]
    assert max(sizes) == 1000
    assert sum(sizes) == Package.objects.get().size


@given(size=st.integers(1, 2000), text=st.text("bytes=0123456789-, ", max_size=20))
def test_whatever_the_header_says_the_part_lies_inside(size, text):
    for wanted in (text, f"bytes={text}"):
        try:
            part = download.part_of(wanted, size)
        except download.Unsatisfiable:
            continue
        assert part is None or 0 <= part[0] <= part[1] < size


@given(size=st.integers(1, 10**12), first=st.integers(0, 10**12), length=st.integers(1, 10**12))
def test_a_range_means_what_the_standard_says(size, first, length):
    last = first + length - 1
    if first >= size:
        with pytest.raises(download.Unsatisfiable):
            download.part_of(f"bytes={first}-{last}", size)
    else:
        assert download.part_of(f"bytes={first}-{last}", size) == (first, min(last, size - 1))
        assert download.part_of(f"bytes={first}-", size) == (first, size - 1)
    assert download.part_of(f"bytes=-{length}", size) == (max(0, size - length), size - 1)
