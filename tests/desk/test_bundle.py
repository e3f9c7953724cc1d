"""The bundle for an authority: everything that proves how a request was handled, checkable without our program, and never the
data that were handed over."""

import hashlib
import hmac
import io
import json
import re
import zipfile
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from accounts.models import Role
from dsar import audit, keys
from dsar.desk import bundle
from dsar.enums import BundleReason, Right
from dsar.models import AuditEvent, PrivacyRequest
from dsar.notifications import outbox, paper
from dsar.review import decide, purge
from tests import drive
from tests.desk import scenes
from tests.drive import CAST, Route
from tests.fulfilment import copies
from tests.situations import ENDS, SITUATIONS
from tests.test_audit import unguarded

pytestmark = pytest.mark.usefixtures("own_journal")

ASKED = {"why": "authority", "sure": "on"}


def unpacked(content: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        assert archive.testzip() is None
        return {name: archive.read(name) for name in archive.namelist()}


def made(request: PrivacyRequest, why: BundleReason = BundleReason.AUTHORITY, **how: bool) -> dict[str, bytes]:
    """The files of a bundle, as the desk's code writes them."""
    sink = io.BytesIO()
    bundle.write(sink, request.pk, why, "Somebody", **how)
    return unpacked(sink.getvalue())


def asked_for(browser: Client, request: PrivacyRequest, **data: str) -> Any:
    """What the form answers; a file is read to its end into `file`."""
    answer = browser.post(reverse("desk_bundle", args=[request.pk]), ASKED | data)
    if answer.streaming:
        answer.file = b"".join(answer.streaming_content)
    return answer


def checked_without_us(files: dict[str, bytes]) -> int:
    """What audit/how-to-check.txt says, done with the standard library; returns how many events there are."""
    index = json.loads(files["index.json"])
    assert [one["file"] for one in index["files"]] == [name for name in files if not name.startswith("index.")]
    for one in index["files"]:
        assert hashlib.sha256(files[one["file"]]).hexdigest() == one["sha256"]
        assert one["file"] in files["index.html"].decode()
    before = ""
    lines = [json.loads(line) for line in files["audit/chain.jsonl"].splitlines()]
    for number, line in enumerate(lines, 1):
        event, text = json.loads(line["canonical"]), line["canonical"].encode("ascii")
        assert (event[1], event[-1]) == (number, before)
        message = len(text).to_bytes(4, "big") + text
        assert hmac.new(keys.derived("audit"), message, hashlib.sha256).hexdigest() == line["hash"]
        before = line["hash"]
    result = json.loads(files["audit/result.json"])
    assert (result["length"], result["head"], result["faults"]) == (len(lines), before, [])
    for plan in json.loads(files["plan.json"]):
        assert hashlib.sha256(plan["material"].encode()).hexdigest() == plan["digest"]
    return len(lines)


def test_a_deletion_with_everything_that_proves_it(company: None) -> None:
    request = scenes.completed()
    while outbox.drain():
        pass
    signed = audit.checkpoint()
    answer = asked_for(scenes.browser(Role.APPROVER), request)
    content = answer.file
    case = request.case
    assert answer["Content-Disposition"] == f'attachment; filename="{case.reference}-{request.pk}.zip"'
    assert "no-store" in answer["Cache-Control"]
    files = unpacked(content)
    events = checked_without_us(files)
    assert not any(re.search("@|plain", name) for name in files)

    note = AuditEvent.objects.get(chain=case.chain, what="bundle_made")
    assert note.number == events + 1, "the bundle shows the trail up to itself"
    assert note.details == {"why": "authority", "files": len(files), "sha256": hashlib.sha256(content).hexdigest()}
    said = {name.removesuffix(".json"): json.loads(text) for name, text in files.items() if name.endswith(".json")}
    assert said["audit/result"]["checkpoint"]["signature"] == signed.signature
    assert said["audit/result"]["checkpoint"]["signature_holds"] is True
    assert said["request"]["person"]["email"] == CAST.plain
    assert said["dates"]["arithmetic"]
    assert said["record"]["outcome"] == request.outcome
    assert [one["what"] for one in said["decisions"]] == ["release"]
    assert said["decisions"][0]["decided_by"]["role"] == "Approver"
    assert said["plan"][0]["items"]
    assert any(step["kind"] == "erase" and step["counts"] for step in said["work"]["steps"])
    assert said["identity"]["checks"][0]["status"] == "passed"
    assert len(said["timeline"]) == events
    letters = [one for one in said["conversation"] if one["letter"]]
    assert {"confirmed", "done_erased"} <= {one["kind"] for one in letters}
    for one in letters:
        kept = paper.find(case, one["number"])
        assert kept is not None
        assert files[one["letter"]].decode() == paper.text(kept)
    # What is a secret of a link stands nowhere.
    tokens = [check.token for check in case.checks.all()]
    assert not [token for token in tokens if any(token.encode() in text for text in files.values())]

    again, once_more = made(request), made(request)
    same = [name for name in again if not name.startswith("index.")]
    assert {name: again[name] for name in same} == {name: once_more[name] for name in same}
    assert list(again) == list(once_more)

    assert purge.purge(case.pk)
    rest = made(request)
    assert checked_without_us(_without_plan(rest)) == events + 2
    assert not any(CAST.plain.encode() in text for text in rest.values())
    assert json.loads(rest["record.json"]) == said["record"]
    assert json.loads(rest["work.json"])["steps"] == said["work"]["steps"]
    assert not [name for name in rest if name.startswith("letters/")]


def _without_plan(files: dict[str, bytes]) -> dict[str, bytes]:
    """Of a purged case the plan's words are gone; its hash is there, and can only be compared."""
    assert [one["material"] for one in json.loads(files["plan.json"])] == [""]
    index = json.loads(files["index.json"])
    empty = b"[]"
    for one in index["files"]:
        if one["file"] == "plan.json":
            one["sha256"] = hashlib.sha256(empty).hexdigest()
    return {**files, "plan.json": empty, "index.json": json.dumps(index).encode()}


def test_of_a_copy_the_manifest_and_never_the_data(company: None, approver: Any) -> None:
    request = copies.hand_over(copies.checking(approver), approver)
    package = request.packages.get()
    files = made(request)
    checked_without_us(files)
    (copy,) = json.loads(files["copy.json"])
    handed = copies.of(request)
    assert copy["sha256"] == package.digest
    assert copy["manifest"] == handed.manifest
    told = b"".join(files.values()).decode()
    values = {
        word
        for name, text in handed.files.items()
        if name.startswith("data/") and name.endswith(".csv")
        for word in re.findall(r"[^\s,;:\"']{12,}", text.decode())
    }
    ours = {CAST.plain, *re.findall(r"[^\s,;:\"']{12,}", json.dumps(handed.manifest))}
    leaked = {word for word in values - ours if word in told and not re.fullmatch(r"[\d.:TZ+-]+", word)}
    assert len(values) > 20
    assert leaked == set()


def test_a_refusal_says_who_decided_what_by_which_article(route: Route) -> None:
    request = route.review(Right.ACCESS)
    drive.refuse(request.pk, "OUT_OF_SCOPE", "It names a neighbour.", actor=route.approver)
    decide.note(request.pk, "Between us: a difficult one.", actor=route.approver)
    files = made(request)
    checked_without_us(files)
    (refused,) = [one for one in json.loads(files["decisions.json"]) if one["what"] == "refuse"]
    assert (refused["code"], refused["text"]) == ("OUT_OF_SCOPE", "It names a neighbour.")
    assert refused["citation"] in files["index.html"].decode()
    assert json.loads(files["record.json"])["basis"] == f"OUT_OF_SCOPE {refused['citation']}"
    assert not any(b"Between us" in text for text in files.values()), "notes of colleagues stay in the house"


def test_there_is_one_for_every_request_wherever_it_stands(route: Route) -> None:
    """Unsorted, rejected, disputed, or its trail changed by somebody: the bundle says so, and is there."""
    for name in (
        "received, which right is unclear", "triage", "review, never proven", "releasing, disputed", "checking", "rejected",
        "completed, merged", "completed, narrowed to nothing",
    ):  # fmt: skip
        assert checked_without_us(made((SITUATIONS | ENDS)[name].build(route))) > 0, name
    request = route.verifying()
    with unguarded():
        AuditEvent.objects.filter(chain=request.case.chain, number=1).update(what="nothing")
    files = made(request)
    assert json.loads(files["audit/result.json"])["faults"] == [{"number": 1, "problem": "an event was changed"}]
    assert "does not verify" in files["index.html"].decode()


def test_nothing_leaves_without_a_reason_and_looking_changes_nothing(route: Route) -> None:
    request = route.review()
    approver, before = scenes.browser(Role.APPROVER), AuditEvent.objects.count()
    page = approver.get(reverse("desk_bundle", args=[request.pk]))
    assert page.status_code == 200
    assert (
        reverse("desk_bundle", args=[request.pk])
        in approver.get(reverse("desk_request", args=[request.pk])).content.decode()
    )
    for wrong, said in (
        ({"why": ""}, "Please say why"),
        ({"why": "curiosity"}, "Please choose one of the reasons."),
        ({"sure": ""}, "Please tick this first."),
    ):
        answer = asked_for(approver, request, **wrong)
        assert answer.status_code == 422
        assert said in answer.content.decode()
    assert asked_for(scenes.browser(Role.HANDLER), request).status_code == 403
    assert (
        reverse("desk_bundle", args=[request.pk])
        not in scenes.browser(Role.HANDLER).get(reverse("desk_request", args=[request.pk])).content.decode()
    )
    assert AuditEvent.objects.count() == before
    assert asked_for(approver, request).status_code == 200
    assert AuditEvent.objects.count() == before + 1
