"""A data owner's page in one process: what a lapsed code, a lost race and an old link leave of what was typed."""

from datetime import timedelta

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.utils import timezone

from accounts.models import Role, User
from dsar.demo.cast import CAST
from dsar.enums import CheckKind, OwnerTaskStatus
from dsar.fulfilment import owners
from dsar.models import IdentityCheck, OwnerTask
from dsar.portal import session
from dsar.review import recuse
from tests import drive
from tests.owners import with_paper
from tests.portal.conftest import Visitor, tables, words

NOTE = 'Box 7 <is> with "the" court.\r\nUntil May.'


@pytest.fixture
def found(visitor, approver, settings, tmp_path) -> OwnerTask:
    """The task of an owner, in whose browser the link was opened."""
    settings.DATA_MAP = with_paper(tmp_path)
    settings.QUIET_PERIOD = timedelta(0)
    drive.released(approver)
    drive.carry_out()
    task = OwnerTask.objects.get()
    visitor.get(link_of(task))
    return task


def link_of(task: OwnerTask) -> str:
    return f"/task/{task.newest(CheckKind.OWNER_LINK).token}/"


def enter(visitor: Visitor, task: OwnerTask, **more: str):
    return visitor.post("/task/code/", {"code": task.newest(CheckKind.OWNER_CODE).code, **more})


def lapse(visitor: Visitor) -> None:
    """The code was entered longer ago than it counts."""
    held = visitor.client.session
    held[session.OWNERS] = dict.fromkeys(held[session.OWNERS], (timezone.now() - timedelta(hours=2)).isoformat())
    held.save()


def test_an_answer_after_the_code_has_lapsed_loses_no_word(visitor, found):
    visitor.post("/task/send-code/")
    assert CAST.plain in words(enter(visitor, found))
    lapse(visitor)
    refused = visitor.post("/task/answer/", {"answer": "exception", "note": NOTE})
    assert refused.status_code == 403
    assert "This was not taken" in words(refused)
    assert CAST.plain not in refused.content.decode()
    assert OwnerTask.objects.get().is_open
    kept = next(form for form in visitor.shown(refused) if "note" in form)["note"]
    wrong = visitor.post("/task/code/", {"code": "00000000", "note": kept})
    assert (wrong.status_code, kept) == (422, next(form for form in visitor.shown(wrong) if "note" in form)["note"])
    opened = enter(visitor, found, note=kept)
    assert "Box 7 &lt;is&gt; with &quot;the&quot; court." in opened.content.decode()
    visitor.post("/task/answer/", {"answer": "exception", "note": kept})
    assert OwnerTask.objects.get().note == NOTE


@pytest.mark.parametrize("verb", ["send_code", "resend"])
def test_what_ended_between_two_clicks_says_what_became_of_it(visitor, found, monkeypatch, verb):
    real = getattr(owners, verb)

    def ended_meanwhile(pk: int):
        owners.answer(pk, OwnerTaskStatus.NOTHING_FOUND)
        return real(pk)

    monkeypatch.setattr(owners, verb, ended_meanwhile)
    path = {"send_code": "/task/send-code/", "resend": "/task/new-link/"}[verb]
    assert "Thank you, we have your answer" in words(visitor.post(path))


def test_a_file_that_is_too_large_is_refused_and_the_note_stays(visitor, found, settings):
    settings.FILE_BYTES = 10
    visitor.post("/task/send-code/")
    enter(visitor, found)
    file = SimpleUploadedFile("box 7.pdf", b"x" * 11)
    refused = visitor.client.post("/task/answer/", {"answer": "done", "note": NOTE, "file": file})
    assert refused.status_code == 422
    assert "This file is too large." in words(refused)
    assert "Box 7 &lt;is&gt;" in refused.content.decode()
    assert OwnerTask.objects.get().is_open


def test_an_old_link_brings_a_new_one_and_shuts_nobody_out_of_the_code(visitor, found, settings):
    IdentityCheck.objects.filter(kind=CheckKind.OWNER_LINK).update(expires_at=timezone.now())
    said = [words(visitor.post("/task/new-link/")) for _ in range(settings.LINK_MAILS_PER_DAY)]
    assert ["A new link is on its way" in one for one in said] == [True, True, False]
    assert "Too many mails" in said[-1]
    visitor.get(link_of(found))
    assert "The code is on its way." in words(visitor.post("/task/send-code/"))


def test_law_10_opening_the_link_of_a_task_changes_nothing(visitor, found):
    before = tables()
    for path in (link_of(found), "/task/", f"/task/{'x' * 43}/"):
        visitor.get(path)
        visitor.client.head(path)
    assert tables() == before


def test_who_was_named_as_close_since_sees_nothing_of_the_person(visitor, found, second_approver):
    visitor.post("/task/send-code/")
    enter(visitor, found)
    assert CAST.plain in words(visitor.get("/task/"))
    owner = User.objects.create_user(found.owner, role=Role.HANDLER)
    recuse.name(found.step.request_id, [owner.pk], actor=second_approver)
    shut = visitor.get("/task/")
    assert CAST.plain not in shut.content.decode()
    assert "no longer needed" in words(shut)
    visitor.post("/task/answer/", {"answer": "nothing_found"})
    assert OwnerTask.objects.get().is_open
