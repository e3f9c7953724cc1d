"""Downloading a copy: a button that counts and a short-lived address of this browser's, which streams and can resume.

GET changes nothing (law 10), so the download is noted by the POST that leads to the address; a download that breaks off
goes on at the same address with Range (RFC 9110 14) and is no second one.
"""

import re
from collections.abc import Iterator
from http import HTTPStatus
from typing import Protocol

from django.conf import settings
from django.core.signing import BadSignature, TimestampSigner
from django.http import HttpRequest, HttpResponse, HttpResponseBase, StreamingHttpResponse
from django.shortcuts import redirect, render
from django.utils.http import content_disposition_header
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from dsar import keys
from dsar.enums import COPY_RIGHTS, Right
from dsar.fulfilment import package
from dsar.models import Case, Package, PrivacyRequest, Representation
from dsar.portal import present, session
from dsar.verification import links

BLOCK = 64 * 1024
RANGE = re.compile(r"bytes=(\d{0,19})-(\d{0,19})", re.ASCII | re.IGNORECASE)


class Unsatisfiable(Exception):
    """A range that begins behind the end (HTTP 416)."""


class Source(Protocol):
    """The plain bytes of a copy."""

    def read(self, size: int = ..., /) -> bytes: ...
    def seek(self, offset: int, whence: int = ..., /) -> int: ...
    def close(self) -> None: ...


class Piece:
    """Some bytes of a copy, block by block, never the whole in memory. Closed by the response, sent or not."""

    def __init__(self, held: Package, source: Source, first: int, length: int) -> None:
        self.held, self.source, self.left = held, source, length
        source.seek(first)

    def __iter__(self) -> Iterator[bytes]:
        while self.left > 0:
            try:
                block = self.source.read(min(BLOCK, self.left))
            except Exception as error:
                # It breaks off for the person; here somebody sees why.
                package.note_broken(self.held, error)
                raise
            if not block:
                return
            self.left -= len(block)
            yield block

    def close(self) -> None:
        """Let the file go."""
        self.source.close()


def _signer() -> TimestampSigner:
    return TimestampSigner(key=keys.derived("download"), sep=".", salt="copy")


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def start(request: HttpRequest, pk: int) -> HttpResponse:
    """Begin a download with a proof that is fresh; where it is not, a code is asked for first, and leads back."""
    if request.method != "POST":
        return redirect("case")
    found = PrivacyRequest.objects.select_related("case").filter(pk=pk, case__purged_at__isnull=True).first()
    if found is None or not session.has_proven(request, found.case):
        return session.not_yours(request)
    if not session.is_proven(request, found.case):
        session.ask_again(request, links.way_back(found.case))
        return redirect("follow")
    session.choose(request, found.case)
    return begin(request, found)


def begin(request: HttpRequest, found: PrivacyRequest, *, by: str = "", back: str = "case") -> HttpResponse:
    """Count the download and lead to the bytes, for the browser that asked for them with its proof; or say that there is
    none. `by`: as package.note_download has it. `back`: the page of whoever asks."""
    held = present.offered(found)
    try:
        if held is None:
            raise package.NotThere
        package.note_download(held, by=by)
    except package.NotThere:
        return _gone(request, found, back)
    except package.Broken:
        return _broken(request, back)
    return redirect("case_file", token=_signer().sign(held.uid.hex))


@never_cache
@require_safe
def file(request: HttpRequest, token: str) -> HttpResponseBase:
    """The bytes of a copy, for the browser that pressed the button, for PROOF_LIFETIME from the press: a long download
    outlasts the proof that it began with."""
    held = _of(token)
    if held is None or not _may_have(request, held.request.case):
        return session.not_yours(request)
    try:
        if not held.is_offered:
            raise package.NotThere
        source = package.open_for_download(held)
    except package.NotThere:
        return _gone(request, held.request)
    except package.Broken:
        return _broken(request)
    try:
        return _answer(request, held, source)
    except Unsatisfiable:
        source.close()
        refused = HttpResponse(status=HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE)
        refused["Content-Range"] = f"bytes */{held.size}"
        return refused


def _may_have(request: HttpRequest, case: Case) -> bool:
    """The person; or who asks for them, as long as the person lets them have a copy."""
    if session.has_proven(request, case):
        return True
    standing = Representation.objects.filter(case=case, may_receive=True).first()
    return standing is not None and session.represents(request, standing)


def _of(token: str) -> Package | None:
    try:
        uid = _signer().unsign(token, max_age=settings.PROOF_LIFETIME)
    except BadSignature:
        return None
    return Package.objects.select_related("request__case").filter(uid=uid).first()


def _gone(request: HttpRequest, found: PrivacyRequest, back: str = "case") -> HttpResponse:
    again = found.right if found.right in COPY_RIGHTS else Right.ACCESS
    return render(request, "portal/copy_gone.html", {"again": again, "back": back}, status=HTTPStatus.GONE)


def _broken(request: HttpRequest, back: str = "case") -> HttpResponse:
    return render(request, "portal/copy_broken.html", {"back": back}, status=HTTPStatus.SERVICE_UNAVAILABLE)


def _answer(request: HttpRequest, held: Package, source: Source) -> HttpResponseBase:
    etag = f'"{held.digest}"'
    wanted = request.headers.get("Range", "") if request.method == "GET" else ""
    if wanted and request.headers.get("If-Range", etag) != etag:
        wanted = ""
    part = part_of(wanted, held.size)
    first, last = part or (0, held.size - 1)
    answer: HttpResponseBase
    if request.method == "HEAD":
        source.close()
        answer = HttpResponse()
    else:
        answer = StreamingHttpResponse(Piece(held, source, first, last - first + 1))
    if part:
        answer.status_code = HTTPStatus.PARTIAL_CONTENT
        answer["Content-Range"] = f"bytes {first}-{last}/{held.size}"
    answer["Content-Type"] = "application/zip"
    answer["Content-Length"] = str(last - first + 1)
    answer["Content-Disposition"] = content_disposition_header(True, f"copy-{held.request.case.reference}.zip") or ""
    answer["Accept-Ranges"] = "bytes"
    answer["ETag"] = etag
    return answer


def part_of(wanted: str, size: int) -> tuple[int, int] | None:
    """First and last byte of a Range header over `size` bytes; None where the whole is to be sent: for none, for what
    is malformed, and for several ranges at once (RFC 9110 14.2 allows to ignore it). Raises Unsatisfiable."""
    found = RANGE.fullmatch(wanted.strip())
    if found is None or found.groups() == ("", ""):
        return None
    begin, end = found.groups()
    if not begin:
        if int(end) == 0 or size == 0:
            raise Unsatisfiable
        return max(0, size - int(end)), size - 1
    first, last = int(begin), int(end) if end else size - 1
    if end and last < first:
        return None
    if first >= size:
        raise Unsatisfiable
    return first, min(last, size - 1)
