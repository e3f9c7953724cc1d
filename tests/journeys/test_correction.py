"""A correction from the form to the letter: proposed, decided field by field, written in every system (GDPR Art 16)."""

import httpx
import pytest
import sqlalchemy as sa

from dsar.demo.schema import users
from dsar.enums import Outcome, Right, State, StepStatus
from dsar.models import AuditEvent, Correction, Evidence, PrivacyRequest
from dsar.review.corrections import version_of
from tests.house import CAST, House, body_of, company_engine, mail_to, rows, wait_for
from tests.journeys import scenes
from tests.journeys.people import Colleague, Visitor

NEW = "Adelina Ashgrove"


def in_review(visitor: Visitor, address: str = CAST.plain, **given: str) -> PrivacyRequest:
    """Asked for by form, proven, found: a person has to look at it."""
    visitor.ask(address, "Correct something", statement="My name is written wrong.", **given)
    visitor.prove(address)
    assert visitor.path == "/case/"
    request = scenes.request_of(address, Right.CORRECTION)
    scenes.reaches(request, State.REVIEW)
    visitor.open("/case/")
    return request


def decided(lead: Colleague, request: PrivacyRequest, field: str, decision: str, **given: str) -> None:
    """By the form beside old and new."""
    number = Correction.objects.get(request=request, field=field).pk
    lead.look_at(request)
    form = lead.soup.find("input", {"name": "correction", "value": str(number)}).find_parent("form")  # type: ignore
    lead.submit(form, None, decision=decision, **given)  # type: ignore[arg-type]
    lead.sees()


def test_from_the_form_to_the_letter(
    visitor: Visitor, clerk: Colleague, lead: Colleague, second_lead: Colleague
) -> None:
    me = scenes.number_of(CAST.plain)
    account = scenes.an_account(CAST.plain)
    others = scenes.company_without(me)
    (before,) = rows("users", id=me)
    old = str(before["full_name"])
    request = in_review(visitor)
    visitor.sees("Say what is wrong")
    assert old not in visitor.text
    visitor.press("Add this", field="name", value="")
    visitor.sees("Please write what it should say.", status=422)
    visitor.press("Add this", field="name", value=f"  {NEW} ")
    visitor.sees("Thank you. A person looks at it.", NEW, "to be decided")
    assert old not in visitor.text
    visitor.press("Add this", field="country", value="Germany")
    visitor.sees("Please write the country as its two letters", status=422)
    visitor.press("Add this", field="country", value="at")

    clerk.look_at(request)
    clerk.sees("Decide field by field", f"Platform database: {old}", NEW)
    assert not clerk.offers(request, "decide-correction")
    assert clerk.post(f"/desk/requests/{request.pk}/decide-correction/") == 403
    assert lead.post(f"/desk/requests/{request.pk}/approve/", text="") == 422
    lead.sees("Please accept or refuse every field first.", status=422)
    decided(lead, request, "name", "accept")
    decided(lead, request, "country", "refuse", code="NOT_SHOWN", text="Your invoices go to Berlin.")
    assert not lead.offers(request, "approve")
    second_lead.act(request, "approve", text="")
    held = scenes.reaches(request, State.COMPLETED)

    assert held.outcome == Outcome.GRANTED_IN_PART
    (after,) = rows("users", id=me)
    assert after == {**before, "full_name": NEW, "display_name": None}
    assert scenes.company_without(me) == others
    account.refresh_from_db()
    assert account.full_name == NEW
    letter = body_of(mail_to(CAST.plain, "Your data has been corrected"))
    assert "* Name: corrected in Platform database, Sign-in accounts of this desk" in letter
    assert "* Country: stays as it is" in letter
    assert "Your invoices go to Berlin." in letter
    assert "GDPR Art 5(1)(d), 12(6), 16" in letter
    assert old not in letter
    assert NEW not in letter

    visitor.open("/case/")
    visitor.press("Attach it", text="I have lived in Vienna since May.")
    visitor.sees("Your statement is kept")
    clerk.look_at(request)
    clerk.sees("I have lived in Vienna since May.")


@pytest.mark.once
def test_refused_altogether_nothing_is_written_and_the_letter_says_why(
    visitor: Visitor, lead: Colleague, second_lead: Colleague
) -> None:
    me = scenes.number_of(CAST.plain)
    before = rows("users", id=me)
    request = in_review(visitor)
    visitor.press("Add this", field="name", value=NEW)
    decided(lead, request, "name", "refuse", code="ACCURATE_AS_HELD", text="Your passport says otherwise.")
    assert second_lead.post(f"/desk/requests/{request.pk}/approve/", text="") == 422
    lead.act(request, "refuse", code="ACCURATE_AS_HELD", text="We find it right as it stands.")
    second_lead.confirms(request)
    held = scenes.reaches(request, State.REFUSED)
    assert held.outcome == Outcome.DENIED
    letter = body_of(mail_to(CAST.plain, "Our answer to your request"))
    assert "We find it right as it stands." in letter
    assert "Your passport says otherwise." in letter
    assert "attach a statement" in letter
    assert "data protection authority" in letter
    assert rows("users", id=me) == before
    assert visitor.post(f"/case/{request.pk}/correct/", **{f"f{request.pk}-field": "name"}) in (200, 422)
    visitor.open("/case/")
    visitor.press("Attach it", text="It is wrong all the same.")
    visitor.sees("Your statement is kept")


@pytest.mark.once
def test_the_address_that_proves_is_not_corrected_through_itself(visitor: Visitor, lead: Colleague) -> None:
    request = in_review(visitor)
    visitor.press("Add this", field="email", value="somebody.else@example.com")
    known = Correction.objects.get(request=request)
    number = known.pk
    sent = {"correction": str(number), "seen": version_of(known), "decision": "accept", "code": "", "text": ""}
    assert lead.post(f"/desk/requests/{request.pk}/decide-correction/", **sent) == 422
    lead.sees("A new e-mail address is written only once it is proven", status=422)
    decided(lead, request, "email", "refuse", code="CHANGE_IT_YOURSELF", text="Please use your settings.")
    assert Correction.objects.get(pk=number).status == "refused"


@pytest.mark.once
def test_a_file_is_kept_sealed_and_leaves_as_a_download_for_handlers_alone(
    stack: House, visitor: Visitor, clerk: Colleague
) -> None:
    request = in_review(visitor)
    found = visitor.button("Send the file")
    assert found
    token = found[0].find("input", {"name": "csrfmiddlewaretoken"})["value"]  # type: ignore[index]
    visitor.page = visitor.client.post(
        f"/case/{request.pk}/evidence/",
        data={"csrfmiddlewaretoken": str(token)},
        files={f"e{request.pk}-file": ("birth-cert.html", b"<script>alert(1)</script>", "text/html")},
        headers={"Referer": str(visitor.client.base_url)},
    )
    visitor.sees("We have your file")
    kept = Evidence.objects.get(request=request)
    assert b"script" not in bytes(kept.body_sealed or b"")
    path = f"/desk/evidence/{kept.pk}/"
    assert visitor.client.get(path).url.path == "/accounts/login/"
    clerk.look_at(request)
    clerk.press("birth-cert.html")
    answer = clerk.page
    assert answer is not None
    assert AuditEvent.objects.filter(what="evidence_opened", actor_id=clerk.actor.user_id).count() == 1
    assert answer.content == b"<script>alert(1)</script>"
    assert answer.headers["Content-Type"] == "application/octet-stream"
    assert answer.headers["Content-Disposition"].startswith("attachment")
    assert "sandbox" in answer.headers["Content-Security-Policy"]
    big = {f"e{request.pk}-file": ("big.pdf", b"x" * (5 * 1024**2 + 300_000), "application/pdf")}
    refused: httpx.Response = visitor.client.post(
        f"/case/{request.pk}/evidence/",
        data={"csrfmiddlewaretoken": str(token)},
        files=big,
        headers={"Referer": str(visitor.client.base_url)},
    )
    assert refused.status_code >= 400
    assert Evidence.objects.count() == 1


@pytest.mark.once
def test_a_source_that_is_down_is_named_and_the_correction_goes_on_by_itself(visitor: Visitor, lead: Colleague) -> None:
    me = scenes.number_of(CAST.plain)
    request = in_review(visitor)
    visitor.press("Add this", field="name", value=NEW)
    decided(lead, request, "name", "accept")
    with company_engine().begin() as connected:
        connected.execute(sa.text(f"ALTER TABLE {_users()} RENAME COLUMN display_name TO shown_name"))
    try:
        lead.act(request, "approve", text="")
        wait_for(lambda: scenes.fresh(request).attention == "schema_changed", what="the named reason")
        lead.look_at(request)
        lead.sees("The source's tables differ from the data map")
    finally:
        with company_engine().begin() as connected:
            connected.execute(sa.text(f"ALTER TABLE {_users()} RENAME COLUMN shown_name TO display_name"))
    assert request.steps.get(source="platform").status == StepStatus.BLOCKED
    assert rows("users", id=me)[0]["full_name"] != NEW
    lead.act(request, "retry")
    assert scenes.reaches(request, State.COMPLETED).outcome == Outcome.GRANTED
    assert rows("users", id=me)[0]["full_name"] == NEW


def _users() -> str:
    from django.conf import settings

    schema = settings.COMPANY_DATABASE_SCHEMA
    return f"{schema}.{users.name}" if schema and company_engine().dialect.name != "sqlite" else users.name


@pytest.mark.once
def test_whoever_has_not_proven_the_mailbox_names_nothing(visitor: Visitor) -> None:
    visitor.ask(CAST.plain, "Correct something", statement="My name is written wrong.")
    request = scenes.request_of(CAST.plain, Right.CORRECTION)
    assert visitor.post(f"/case/{request.pk}/correct/", **{f"f{request.pk}-field": "name"}) == 404
    assert not Correction.objects.exists()
