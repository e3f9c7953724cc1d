"""Sending a covered copy of an identity paper from the case page, and opening it at the desk."""

from django.core.files.uploadedfile import SimpleUploadedFile

from accounts.models import Role
from dsar.enums import State
from dsar.models import AuditEvent, IdentityPaper
from dsar.verification import papers
from tests.desk import scenes
from tests.house import CAST
from tests.portal.conftest import Visitor, newest_link, only, words, work


def test_a_paper_goes_from_the_case_page_to_whoever_says_why_and_is_gone_after_that(visitor: Visitor) -> None:
    visitor.ask(CAST.plain, "access", country="US-CA")
    work()
    visitor.get(newest_link(CAST.plain))
    visitor.post("/proof/")
    request = only()
    assert (request.state, request.judgement) == (State.REVIEW, ["tier"])
    upload = f"/case/{request.pk}/paper/"
    assert "We asked you for a paper" not in words(visitor.get("/case/"))
    paper = SimpleUploadedFile("my passport.png", b"a covered passport")
    assert "Nothing waits for a paper any more" in str(visitor.post(upload, {f"p{request.pk}-file": paper}).content)
    papers.ask(request.pk, "The name differs.", "Your passport: the name alone.", actor=scenes.actor())
    work()
    page = words(visitor.get("/case/"))
    assert "We asked you for a paper" in page
    assert "Cover the rest before you take the picture" in page
    assert "Please choose a file" in words(visitor.post(upload, {}))
    assert Visitor().post(upload, {}).status_code == 404
    paper = SimpleUploadedFile("my passport.png", b"a covered passport")
    assert "It is encrypted, and destroyed" in str(visitor.post(upload, {f"p{request.pk}-file": paper}).content)
    assert "You have sent 1 paper" in words(visitor.get("/case/"))
    # At the desk: by a button and with a reason, as a download that no browser runs; not by whoever only reads.
    number = IdentityPaper.objects.get().pk
    desk, clerk = f"/desk/requests/{request.pk}/", scenes.browser(Role.HANDLER)
    shown = clerk.get(desk).content.decode()
    assert "Look at an identity paper" in shown
    assert "my passport.png" in shown
    assert "passport" not in scenes.browser(Role.AUDITOR).get(desk).content.decode().replace("Your passport", "")
    address = f"/desk/identity-papers/{number}/"
    assert clerk.get(address).status_code == 405
    assert "Please say why you open it" in clerk.post(address, {}, follow=True).content.decode()
    assert scenes.browser(Role.AUDITOR).post(address, {"reason": "decide"}).status_code == 403
    assert not AuditEvent.objects.filter(what="identity_paper_seen").exists()
    answer = clerk.post(address, {"reason": "decide"})
    assert (answer.content, "no-store" in answer["Cache-Control"]) == (b"a covered passport", True)
    assert answer["Content-Disposition"].startswith("attachment")
    assert "sandbox" in answer["Content-Security-Policy"]
    another = SimpleUploadedFile("from the letter.png", b"another")
    assert "Kept, sealed" in clerk.post(f"{desk}identity-papers/", {"file": another}, follow=True).content.decode()
    seen = {"method": "data_points_3_declared", "seen": "The name on the passport is that of the account."}
    assert clerk.post(f"{desk}identity/", seen).status_code == 422, "nothing named, and nothing signed"
    seen |= {"compared": ["name", "phone", "other:use"], "signed_by": "Jorun Hazelbank", "signed_on": "2026-01-02"}
    assert clerk.post(f"{desk}identity/", seen).status_code == 302
    assert IdentityPaper.objects.exclude(body_sealed=None).exists(), "a colleague looks too"
    assert "Compared: Name; Telephone number; What was ordered" in clerk.get(desk).content.decode()
    assert scenes.browser(Role.APPROVER).post(f"{desk}identity-second/", {"agrees": "yes"}).status_code == 302
    assert not IdentityPaper.objects.exclude(body_sealed=None).exists()
    assert clerk.post(address, {"reason": "decide"}).status_code == 404
    assert "We asked you for a paper" not in words(visitor.get("/case/"))
