"""Filing what came by letter, by telephone or at the counter: the true day, one case, nothing lost, nothing leaked."""

from datetime import timedelta

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse
from django.utils import timezone

from accounts.models import Role
from dsar import audit, deadlines
from dsar.demo.cast import CAST
from dsar.enums import Channel, Outcome, Right, State
from dsar.fulfilment import locating
from dsar.intake import filing, submit, sweep, web
from dsar.models import AuditEvent, Case, Intake, PrivacyRequest
from dsar.review import purge
from tests.desk import filed, scenes

SCAN = b"%PDF-1.7\nthe letter, \x00 scanned"


@pytest.mark.parametrize("channel", filing.CHANNELS)
def test_it_takes_the_one_door_and_the_clock_runs_from_the_day_on_which_it_came(desk, channel):
    request = filed.a_letter(days=12, channel=channel, rights=["access", "deletion"])
    case = request.case
    came = filing.today() - timedelta(days=12)
    assert (case.channel, case.name, case.email, case.postal) == (channel, "Adalin Merefield", CAST.plain, filed.POSTAL)
    assert case.by_post
    assert case.contact == ""
    both = {one.right: one for one in case.requests.all()}
    assert set(both) == {Right.ACCESS, Right.DELETION}
    assert both["deletion"].after == both["access"]
    for one in both.values():
        assert one.state == State.VERIFYING
        assert one.statement == filed.SAID
        assert one.received_at.date() == came
        assert one.due_on == deadlines.dates("eu_gdpr", one.right, filing.moment_of(came)).due_on
    intake = case.intakes.get()
    assert filed.SAID.encode() in submit.raw_bytes(intake)
    event = AuditEvent.objects.get(chain=case.chain, what="filed")
    assert event.actor_id == scenes.person(Role.HANDLER).pk == intake.handled_by_id
    assert event.details == {"channel": channel, "came_on": came.isoformat()}
    shown = scenes.browser(Role.HANDLER).get(reverse("desk_request", args=[request.pk])).content.decode()
    for some in ("Filed by", "Handler 0", "Lindenweg 4", "answered by post"):
        assert some in shown
    masked = scenes.browser(Role.AUDITOR).get(reverse("desk_request", args=[request.pk])).content.decode()
    assert "Lindenweg" not in masked


def test_nothing_personal_is_in_the_trail_and_the_purge_leaves_nothing(desk):
    case = filed.a_letter(scan=SimpleUploadedFile("adalin.pdf", SCAN)).case
    trail = str(list(AuditEvent.objects.values()))
    for some in ("Adalin", "Lindenweg", CAST.plain, "computer"):
        assert some not in trail
    purge.purge(case.pk)
    case.refresh_from_db()
    assert (case.postal, case.postal_sealed, case.intakes.get().raw_sealed) == ("", None, None)
    assert audit.verify() == []


def test_with_a_mailbox_the_link_goes_there_and_what_is_not_clear_is_sorted(desk):
    by_mail = filed.a_letter(answer="email", postal="")
    assert (by_mail.state, by_mail.case.contact, by_mail.case.by_post) == (State.VERIFYING, CAST.plain, False)
    assert by_mail.case.checks.filter(kind="mailbox").exists()
    unclear = filed.a_letter(rights=["unclear"])
    assert (unclear.state, unclear.right) == (State.TRIAGE, "")


def test_a_double_click_files_once(desk):
    browser, form = scenes.browser(Role.HANDLER), filed.typed()
    answers = [browser.post(reverse("desk_file"), form) for _ in range(3)]
    assert {answer.url for answer in answers} == {answers[0].url}
    assert (Case.objects.count(), Intake.objects.count(), PrivacyRequest.objects.count()) == (1, 1, 1)


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"came_on": ""}, "day on which it came"),
        ({"came_on": "soon"}, "year-month-day"),
        ({"days": -1}, "has not come yet"),
        ({"days": 366}, "check the year"),
        ({"channel": "web"}, "channel"),
        ({"rights": []}, "tick what is asked for"),
        ({"rights": ["unclear", "know"]}, "either"),
        ({"rights": ["everything"]}, "everything"),
        ({"statement": " "}, "wrote or said"),
        ({"country": ""}, "where the person lives"),
        ({"email": "nobody"}, "whole e-mail address"),
        ({"email": "none@example.com"}, "reaches nobody"),
        ({"answer": "email", "email": ""}, "choose to answer by post"),
        ({"postal": ""}, "our letters go there"),
        ({"postal": "\n".join("abcdefg")}, "at most 6 lines"),
        ({"number": "forged"}, "send it again"),
        ({"acts_as": "attorney"}, "who asks for the person"),
        ({"own_name": "Wanda"}, "as what they ask"),
        ({"acts_as": "agent", "own_name": "Wanda", "own_email": "wanda"}, "whole e-mail address"),
        ({"scan": SimpleUploadedFile("a.pdf", b"")}, "empty"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_said_and_what_was_typed_stays(desk, wrong, said):
    answer = filed.send(**wrong)
    assert answer.status_code == 422
    page = answer.content.decode()
    assert said in page
    if "statement" not in wrong:
        assert "I have no computer" in page
    assert not Intake.objects.exists()


def test_a_form_that_was_open_for_too_long_comes_back_ready_to_be_sent(desk):
    answer = filed.send(number="forged")
    renewed = answer.context["form"]["number"].value()
    assert filed.send(number=renewed).status_code == 302


@pytest.mark.parametrize(
    ("role", "status"), [(Role.APPROVER, 302), (Role.AUDITOR, 403), (Role.ADMIN, 403), (Role.NONE, 403)]
)
def test_handlers_and_approvers_file(desk, role, status):
    assert filed.send(role).status_code == status
    assert Case.objects.exists() == (status == 302)


def test_a_scan_is_bounded_downloaded_and_destroyed(desk, settings):
    settings.EVIDENCE_BYTES = 1024**2
    too_big = filed.send(scan=SimpleUploadedFile("a.pdf", b"x" * (1024**2 + 1)))
    assert "at most 1 MB" in too_big.content.decode()
    request = filed.a_letter(scan=SimpleUploadedFile("<b>adalin</b>.html", SCAN))
    intake = request.case.intakes.get()
    url, destroy = reverse("desk_scan", args=[intake.pk]), reverse("desk_scan_destroy", args=[intake.pk])
    browser = scenes.browser(Role.HANDLER)
    assert url in browser.get(reverse("desk_request", args=[request.pk])).content.decode()
    assert browser.get(url).status_code == 405
    file = browser.post(url)
    assert AuditEvent.objects.filter(chain=request.case.chain, what="scan_opened").count() == 1
    assert file.content == SCAN
    assert file["Content-Disposition"] == f'attachment; filename="{request.case.reference}-{intake.pk}.bin"'
    assert file["Content-Type"] == "application/octet-stream"
    assert scenes.browser(Role.AUDITOR).post(url).status_code == 403
    assert browser.get(destroy).status_code == 405
    assert browser.post(destroy).status_code == 302
    assert browser.post(url).status_code == browser.post(destroy).status_code == 404
    intake = Intake.objects.get(pk=intake.pk)
    assert SCAN not in submit.raw_bytes(intake)
    assert filed.SAID.encode() in submit.raw_bytes(intake)
    assert AuditEvent.objects.filter(chain=request.case.chain, what="scan_destroyed").count() == 1


def test_what_could_not_be_opened_is_stored_and_opened_by_the_sweep(desk, monkeypatch):
    def fails(*_given: object) -> None:
        raise RuntimeError

    with monkeypatch.context() as patched:
        patched.setattr(filing, "process", fails)
        answer = filed.send()
    assert answer.url == reverse("desk_queue")
    assert Intake.objects.get().case is None
    assert sweep.drain() == 1
    case = Case.objects.get()
    assert (case.channel, case.requests.get().right) == (Channel.POST, Right.KNOW)
    assert AuditEvent.objects.get(chain=case.chain, what="filed").actor_id == scenes.person(Role.HANDLER).pk


@pytest.mark.parametrize("right", [Right.MARKETING_OPT_OUT, Right.WITHDRAW_CONSENT])
def test_nothing_is_looked_for_without_an_account_and_no_machine_says_that_nothing_is_held(company, right):
    request = filed.a_letter(email="", rights=[right])
    assert request.state == State.LOCATING
    locating.drain()
    request = scenes.fresh(request)
    assert (request.state, request.outcome) == (State.REVIEW, Outcome.OPEN)
    assert "no_account" in request.judgement


def test_the_form_offers_today_as_its_latest_day_and_is_linked_for_those_who_file(desk):
    page = scenes.browser(Role.HANDLER).get(reverse("desk_file")).content.decode()
    assert f'max="{filing.today().isoformat()}"' in page
    assert "Identity papers do not belong here" in page
    for role, linked in ((Role.HANDLER, True), (Role.AUDITOR, False)):
        assert (f'href="{reverse("desk_file")}"' in scenes.browser(role).get("/desk/").content.decode()) == linked
    assert web.one_time_number(scenes.browser(Role.HANDLER).get(reverse("desk_file")).context["form"]["number"].value())


def test_this_mornings_letter_did_not_come_at_noon(desk):
    assert filing.moment_of(filing.today()) <= timezone.now()


def test_whoever_asks_for_the_person_stands_beside_them(desk):
    request = filed.a_letter(acts_as="attorney", own_name="Wanda Wellfield", own_email="wanda@example.org")
    assert (request.case.acts_as, request.case.name) == ("attorney", "Adalin Merefield")
    assert request.case.representation.name == "Wanda Wellfield"
    assert "Wanda" not in str(list(AuditEvent.objects.values()))
