"""Every end of every right, as text, page and PDF: true for that right, with reason, authority and remedy, and nothing
of anybody else."""

import re
import socket
import sys
import threading
import zlib
from collections.abc import Callable
from contextlib import suppress
from itertools import product
from types import ModuleType

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.models import Role
from dsar import checks
from dsar.enums import COPY_RIGHTS, OVERTAKEN_BY_DELETION, Outcome, Right, State
from dsar.law import codes, regimes
from dsar.models import Decision, Letter, Message
from dsar.notifications import compose, paper
from dsar.review import purge
from dsar.workflow import ENDINGS, GRANTED
from tests import drive
from tests.desk import scenes

pytestmark = pytest.mark.usefixtures("own_journal")

RIGHTS = [right for right in Right if right]
OUTCOMES = [outcome for outcome in Outcome if outcome not in (Outcome.OPEN, Outcome.REJECTED)]
REGIMES = {"eu_gdpr": "DE", "us_ca_ccpa": "US-CA"}
SAID = "These are the words of a person."


def happens(right: Right, outcome: Outcome) -> bool:
    """Whether the state machine can end this right so."""
    if outcome == Outcome.OVERTAKEN:
        return right in OVERTAKEN_BY_DELETION
    return True


CELLS = [(right, outcome) for right, outcome in product(RIGHTS, OUTCOMES) if happens(right, outcome)]


def ended(right: Right, outcome: Outcome, country: str = "DE") -> Message:
    """A sent letter about a request that ended so. The row alone is made to have ended: no source is asked here."""
    request = drive.a_request(right=right, country=country)
    if request.state == State.VERIFYING:
        drive.proven_by_link(request.case)
    if outcome in (Outcome.GRANTED, Outcome.GRANTED_IN_PART):
        drive.freeze(request, PLAN)
        notice = GRANTED[right]
    else:
        notice = ENDINGS[outcome]
    request = drive.fresh(request.pk)
    request.outcome, request.ended_at = outcome, timezone.now()
    refusal = next(iter(codes.refusals(request.case.regime, right)), None)
    decision = None
    if outcome in (Outcome.DENIED, Outcome.NOT_PROVEN, Outcome.REFERRED, Outcome.UNANSWERED) and refusal:
        decision = Decision.objects.create(
            request=request, kind="refuse", code=refusal.code, citation=refusal.citation,
            text_sealed=request.case.seal(SAID, "decision"),
        )  # fmt: skip
    elif outcome == Outcome.MERGED:
        decision = Decision.objects.create(request=request, kind="merge", code="RD-AAAAA-AAAAA")
    message = Message.objects.create(
        case=request.case, request=request, notice=notice, status="sent", sent_at=timezone.now(), decision=decision
    )
    message.request = request
    message.case = request.case
    return message


PLAN = {
    **drive.PLAN_BODY,
    "sources": {"platform": {"label": "Platform database", "status": "one", "ref": "7", "failure": ""}},
    "items": [
        {"source": "platform", "category": "prompts", "label": "Prompts and outputs", "action": "erase", "count": 3,
         "code": "", "citation": "", "until": None, "review_on": None},
        {"source": "platform", "category": "invoices", "label": "Invoices", "action": "keep", "count": 2,
         "code": "TAX_ACCOUNTING", "citation": "GDPR Art 17(3)(b)", "until": "2036-12-31", "review_on": None},
    ],
}  # fmt: skip
# What only a deletion may say of itself.
OF_DELETION = ("This is what happened to your data", "Made anonymous", "Your deletion request has been carried out")


@pytest.mark.parametrize("regime", REGIMES)
@pytest.mark.parametrize(("right", "outcome"), CELLS)
def test_every_end_of_every_right_is_told(db: None, right: Right, outcome: Outcome, regime: str) -> None:
    message = ended(right, outcome, REGIMES[regime])
    request = message.request
    assert request is not None
    mail = compose.mail(message)
    page = paper.html(message)
    for said in (str(mail.body), paper.text(message), page):
        assert "None" not in said
        assert "{" not in said.partition("</style>")[2 if "</style>" in said else 0]
        assert request.case.reference in said
        if outcome not in (Outcome.WITHDRAWN, Outcome.MERGED):
            assert "If you do not agree" in said
            assert str(regimes.load(regime).remedy) in said
        if message.decision and outcome != Outcome.MERGED:
            code = codes.named(message.decision.code, regime)
            assert code is not None
            assert str(code.text) in said
            assert code.citation in said
            assert SAID in said
        if right != Right.DELETION:
            for words in OF_DELETION:
                assert words not in said
        if outcome in (Outcome.DENIED, Outcome.NOT_PROVEN, Outcome.UNANSWERED, Outcome.WITHDRAWN):
            assert "We have carried out" not in said
            assert "is ready" not in said
        if outcome == Outcome.GRANTED_IN_PART and right not in (Right.KNOW, Right.HUMAN_REVIEW):
            assert "part" in said or right == Right.DELETION
        if outcome == Outcome.MERGED:
            assert "RD-AAAAA-AAAAA" in said
        if outcome == Outcome.OVERTAKEN:
            assert "have confirmed it" in said
            assert "carried out first" not in said
    assert request.case.email not in mail.subject
    assert request.case.email not in page
    assert "/l/" not in page
    assert "/l/" not in paper.text(message)


def test_the_letter_about_a_copy_speaks_of_a_copy(db: None) -> None:
    for right in COPY_RIGHTS:
        said = paper.text(ended(right, Outcome.GRANTED))
        assert "The copy of your data is ready" in said
        assert "delet" not in said.lower()


def test_a_deletion_that_was_refused_lists_what_is_kept_and_why(db: None) -> None:
    message = ended(Right.DELETION, Outcome.DENIED)
    assert message.request is not None
    drive.freeze(message.request, PLAN)
    said = paper.text(message)
    assert "Invoices: Kept" in said
    assert "31 December 2036" in said
    assert "Prompts and outputs" not in said


# --- on paper ---------------------------------------------------------------------------------------------------------


def inside(made: bytes) -> bytes:
    """What stands in a PDF's compressed objects."""
    found = b""
    for begin in re.finditer(rb"[^d]stream\r?\n", made):
        with suppress(zlib.error):
            found += zlib.decompressobj().decompress(made[begin.end() :])
    return found


@pytest.mark.parametrize(("right", "outcome"), CELLS[:: max(1, len(CELLS) // 12)])
def test_the_pdf_is_tagged_and_says_its_language(db: None, right: Right, outcome: Outcome) -> None:
    made = paper.pdf(ended(right, outcome))
    assert made.startswith(b"%PDF-")
    assert made.rstrip().endswith(b"%%EOF")
    said = inside(made)
    assert b"/MarkInfo" in said
    assert b"/Lang (en" in said
    assert b"/StructTreeRoot" in said


def test_pages_carry_number_company_and_reference(db: None) -> None:
    from weasyprint import HTML

    message = ended(Right.KNOW, Outcome.GRANTED)
    document = HTML(string=paper.html(message)).render()
    words = [box.text for box in _texts(document.pages[0]._page_box)]
    assert any(f"1 / {len(document.pages)}" in word for word in words)
    assert any(f"Example AI · {message.case.reference}" in word for word in words)


def _texts(box: object) -> list[object]:
    found = [box] if getattr(box, "text", "") else []
    for child in getattr(box, "children", ()):
        found += _texts(child)
    return found


def test_it_is_made_once_sealed_and_gone_with_the_purge(db: None) -> None:
    message = ended(Right.CORRECTION, Outcome.GRANTED)
    first = paper.pdf(message)
    assert paper.pdf(message) == first
    kept = Letter.objects.get()
    assert b"%PDF" not in bytes(kept.pdf_sealed or b"")
    purge.purge(message.case_id)
    assert Letter.objects.get().pdf_sealed is None


@pytest.fixture
def listener() -> object:
    """A port that notes who calls."""
    calls: list[object] = []
    server = socket.create_server(("127.0.0.1", 0))
    server.settimeout(5)

    def listen() -> None:
        try:
            while True:
                connected, _ = server.accept()
                calls.append(connected)
                connected.close()
        except OSError:
            return

    thread = threading.Thread(target=listen, daemon=True)
    thread.start()
    yield server.getsockname()[1], calls
    server.close()


def test_nothing_is_fetched_whatever_the_letter_names(listener: tuple[int, list[object]], tmp_path: object) -> None:
    port, calls = listener
    there = f"http://127.0.0.1:{port}"
    secret = tmp_path / "secret.svg"  # type: ignore[operator]
    secret.write_text('<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"><text>SECRET</text></svg>')
    source = (
        f'<html lang="en"><head><title>t</title><link rel="stylesheet" href="{there}/a.css"><style>@import "{there}/b.css";'
        f"@font-face {{ font-family: x; src: url({there}/c.woff) }} body {{ background: url({there}/d.png); font-family: x }}"
        f'</style></head><body><img src="{there}/e.png" alt="e"><img src="{secret.as_uri()}" alt="f">'
        f'<object data="{there}/g.svg"></object><a rel="attachment" href="{secret.as_uri()}">h</a></body></html>'
    )
    made = paper.press(source)
    assert made.startswith(b"%PDF-")
    assert calls == []
    assert b"/EmbeddedFile" not in made


def test_what_is_too_long_for_paper_is_refused(db: None) -> None:
    with pytest.raises(paper.TooMuch):
        paper.press("x" * (paper.MAX_HTML + 1))


# --- who opens them ---------------------------------------------------------------------------------------------------


def opened(client: Client, name: str, pk: int) -> int:
    """The status of one address of a letter."""
    call: Callable[..., object] = client.post if name.endswith("pdf") else client.get
    return call(reverse(name, args=[pk])).status_code  # type: ignore[attr-defined]


def test_a_person_opens_the_letters_of_their_own_case_alone(db: None) -> None:
    mine, other = ended(Right.ACCESS, Outcome.DENIED), ended(Right.ACCESS, Outcome.DENIED)
    client = Client()
    for name in ("case_letter", "case_letter_text", "case_letter_pdf"):
        assert opened(client, name, mine.pk) == 404
    session = client.session
    session["proven"] = {str(mine.case_id): timezone.now().isoformat()}
    session["case"] = mine.case_id
    session.save()
    for name in ("case_letter", "case_letter_text", "case_letter_pdf"):
        assert opened(client, name, mine.pk) == 200
        assert opened(client, name, other.pk) == 404
    page = client.get(reverse("case_letter", args=[mine.pk])).content.decode()
    assert SAID in page
    assert "We cannot do what you asked" in page
    assert client.get("/case/").content.decode().count(reverse("case_letter", args=[mine.pk])) == 1


def test_a_mail_with_a_way_in_is_no_letter(db: None) -> None:
    case = drive.a_case()
    Message.objects.update(status="sent")
    message = Message.objects.get()
    assert message.notice == "received_verify"
    assert paper.find(case, message.pk) is None
    assert opened(scenes.browser(Role.HANDLER), "desk_letter", message.pk) == 404


@pytest.mark.parametrize("role", [Role.HANDLER, Role.APPROVER, Role.AUDITOR])
def test_the_desk_reads_the_same_file(db: None, role: Role) -> None:
    message = ended(Right.DELETION, Outcome.GRANTED_IN_PART)
    browser = scenes.browser(role)
    for name in ("desk_letter", "desk_letter_text"):
        assert opened(browser, name, message.pk) == 200
    answer = browser.post(reverse("desk_letter_pdf", args=[message.pk]))
    assert answer["Content-Type"] == "application/pdf"
    assert answer.content == paper.pdf(message)
    page = browser.get(reverse("desk_request", args=[message.request_id])).content.decode()
    assert reverse("desk_letter", args=[message.pk]) in page


def test_opening_a_letter_changes_nothing(db: None) -> None:
    message = ended(Right.ACCESS, Outcome.GRANTED)
    browser = scenes.browser(Role.HANDLER)
    assert opened(browser, "desk_letter", message.pk) == 200
    assert opened(browser, "desk_letter_text", message.pk) == 200
    assert browser.get(reverse("desk_letter_pdf", args=[message.pk])).status_code == 405
    assert not Letter.objects.exists()


def test_law_09_without_pango_the_button_says_what_to_do_and_health_and_check_name_it(
    db: None, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Unloadable(ModuleType):
        def __getattr__(self, name: str) -> object:
            raise OSError("cannot load library")

    checks.missing_press.cache_clear()
    with monkeypatch.context() as here:
        here.setitem(sys.modules, "weasyprint", Unloadable("weasyprint"))
        here.setattr(checks, "PRESS", (("Pango", ("libno-such-pango.so",)),))
        with pytest.raises(paper.TooMuch, match="take the text"):
            paper.press("<p>A letter</p>")
        (warning,) = checks.check_press()
        assert warning.id == "rightsdesk.W001"
        assert "Pango" in warning.msg
        facts = client.get("/health/").json()
        assert facts["checks"]["paper"] == "missing: Pango"
        assert "paper" in facts["problems"]
    checks.missing_press.cache_clear()
    assert checks.check_press() == []
