"""What a purge takes from a case and what it leaves, table by table; that one case never keeps another waiting; and until when
somebody is found by the reference on a letter."""

from calendar import isleap
from datetime import date, timedelta
from typing import Any

import pytest
from django.db import models
from django.utils import timezone

from accounts.models import Role, User
from dsar import audit, checks, clock_book, records
from dsar.desk import search
from dsar.enums import (
    AppealOutcome,
    CheckKind,
    CheckStatus,
    ContactBy,
    Outcome,
    Raised,
    Right,
    SilenceKind,
    StepReason,
)  # fmt: skip
from dsar.models import (
    REQUESTER,
    AuditEvent,
    AuthorityPaper,
    Case,
    CaseKey,
    Choice,
    CopyPart,
    Decision,
    IdentityPaper,
    Intake,
    Message,
    PrivacyRequest,
    Subject,
)  # fmt: skip
from dsar.models.keeping import LEFT_BY_THE_PURGE
from dsar.models.own_data import OWN_DATA, Kind
from dsar.notices import MessageStatus
from dsar.review import purge
from dsar.verification import confirmation
from dsar.workflow import move
from tests import drive
from tests.drive import Route

pytestmark = pytest.mark.usefixtures("own_journal")

FINDS = (Kind.INDEX, Kind.PERSONAL, Kind.CREDENTIAL)
# An index that a purge leaves on purpose, and why.
LEFT = {
    "dsar.Intake": {"dedupe"},  # a hash of what was sent, not of who sent it
    "dsar.Kept": {"email_index"},  # until what it is about has been erased: it finds the holds on the person
    "dsar.Case": {"language"},  # that of the house, as of everybody
}
# Bytes that a purge leaves where they are: nobody can read them without the key, which it destroys.
STILL_SEALED = {
    "dsar.PrivacyRequest": {"statement_sealed"}, "dsar.RecipientNotice": {"text_sealed"}, "dsar.Decision": {"text_sealed"},
    "dsar.Appeal": {"words_sealed", "reasons_sealed"}, "dsar.Correction": {"old_sealed", "new_sealed", "text_sealed"},
    "dsar.Evidence": {"name_sealed", "body_sealed"},
    "dsar.Representation": {"first_words_sealed", "second_words_sealed", "refused_words_sealed"},
    "dsar.Proposal": {"text_sealed", "record_sealed", "note_sealed"}, "dsar.NonDisclosure": {"text_sealed"},
    "dsar.Package": {"manifest_sealed"}, "dsar.Redaction": {"row_sealed", "text_sealed"},
    "dsar.Plan": {"body_sealed"}, "dsar.Step": {"intent_sealed", "ref_sealed"},
}  # fmt: skip


def below(model: type[models.Model], path: str = "") -> dict[type[models.Model], str]:
    """Every model that hangs on this one, directly or through others, with the way back."""
    found: dict[type[models.Model], str] = {}
    for relation in model._meta.related_objects:
        child = relation.related_model
        if not isinstance(child, type) or child in (Case, model):
            continue
        way = f"{relation.field.name}__{path}" if path else relation.field.name
        found.setdefault(child, way)
        if way.count("__") < 2:
            for deeper, longer in below(child, way).items():
                found.setdefault(deeper, longer)
    return found


# Parts of a copy go with the end of its request, or as it is handed over.
HANGING = {model: way for model, way in below(Case).items() if model is not CopyPart}
# What a row needs beside what every row needs, to be one that may be; a model: the row of it.
GIVEN: dict[str, dict[str, Any]] = {
    "dsar.Choice": {"kind": Right.OPT_OUT_SALE},
    "dsar.Appeal": {"outcome": AppealOutcome.DISMISSED, "decided_at": timezone.now(), "decided_by": User},
    "dsar.CategoryOutcome": {"outcome": Outcome.GRANTED},
    "dsar.Weighing": {"holds": False},
    "dsar.Kept": {"lapses": True},
    "dsar.NonDisclosure": {"kind": SilenceKind.REFUSAL, "citation": "x", "decision": Decision},
    "dsar.RecipientNotice": {"message": Message},
    "dsar.Message": {"status": MessageStatus.TO_POST},
    "dsar.IdentityCheck": {"kind": CheckKind.PAPER},
}  # fmt: skip


def needed(model: type[models.Model]) -> set[Any]:
    """What has to be there before a row of a table."""
    given = {value for value in GIVEN.get(model._meta.label, {}).values() if isinstance(value, type)}
    return given | {
        field.related_model for field in model._meta.concrete_fields if field.is_relation and not field.null
    }


def a_row(model: type[models.Model], there: dict[type[models.Model], models.Model]) -> models.Model:
    """A row of a table that hangs on a case, with something in every field that says anything of a person."""
    kinds, values = OWN_DATA[model._meta.label], dict[str, Any]()
    for field in model._meta.concrete_fields:
        telling = kinds[field.name] in (*FINDS, Kind.SEALED)
        if field.primary_key or (not telling and (field.null or field.has_default() or field.blank)):
            continue
        if field.is_relation:
            values[field.name] = there[field.related_model]  # type: ignore[index]
        elif isinstance(field, models.BinaryField):
            values[field.name] = b"x"
        elif isinstance(field, models.DateTimeField):
            values[field.name] = timezone.now()
        elif isinstance(field, models.DateField):
            values[field.name] = date(2026, 1, 1)
        elif isinstance(field, models.CharField | models.TextField):
            values[field.name] = field.choices[0][0] if field.choices else "x"
        else:
            values[field.name] = 1
    given = GIVEN.get(model._meta.label, {})
    values |= {name: there[value] if isinstance(value, type) else value for name, value in given.items()}
    return model._default_manager.create(**values)


def with_all(request: PrivacyRequest) -> Case:
    """A row of every table that hangs on the case of a request, and something in every field of the case."""
    case = request.case
    subject = Subject.objects.create(index=case.email_index)
    Case.objects.filter(pk=case.pk).update(
        country="US", region="CA", language="de", reply_index="r", subject=subject, name_sealed=b"x", postal_sealed=b"x",
        contact_sealed=b"x", contact_by=ContactBy.LOST_MAILBOX, contact_at=timezone.now(),
    )  # fmt: skip
    PrivacyRequest.objects.filter(pk=request.pk).update(
        undelivered_at=timezone.now(), attention=StepReason.ERROR, raised=Raised.ANSWER_HERE, statement_sealed=b"x"
    )
    there: dict[Any, models.Model] = {
        Case: case, PrivacyRequest: request, User: User.objects.get(pk=drive.person_of_the_desk(Role.HANDLER).user_id),
    }  # fmt: skip
    waiting = [model for model in HANGING if model not in there]
    while waiting:
        ready = [model for model in waiting if not needed(model) & {*waiting} - {model}]
        assert ready, waiting
        there |= {model: a_row(model, there) for model in ready}
        waiting = [model for model in waiting if model not in there]
    Choice.objects.create(
        kind=Right.LIMIT_SENSITIVE,
        email_index="i",
        case=case,
        request=request,
        since=timezone.now(),
        taken_back_at=timezone.now(),
    )
    Choice.objects.filter(kind=Right.OPT_OUT_SALE).update(case=case, request=request)
    Intake.objects.filter(pk=there[Intake].pk).update(case=case)
    return case


def filled(case: Case) -> dict[str, set[str]]:
    """By table: the fields that say something of a person and hold something, in any row of a case."""
    found: dict[str, set[str]] = {}
    for model in (Case, *HANGING):
        rows = model._default_manager.filter(**({"pk": case.pk} if model is Case else {HANGING[model]: case.pk}))
        for row in rows:
            held = found.setdefault(model._meta.label, set())
            held |= {name for name in OWN_DATA[model._meta.label] if getattr(row, model._meta.get_field(name).attname)}
    return found


def only(found: dict[str, set[str]], *kinds: Kind) -> dict[str, set[str]]:
    """Of them those of some kinds, without tables that have none."""
    of_kind = {label: {name for name in names if OWN_DATA[label][name] in kinds} for label, names in found.items()}
    return {label: names for label, names in of_kind.items() if names}


def test_law_13_a_purge_takes_from_every_table_what_finds_a_person_and_leaves_the_rows_that_are_named(
    route: Route,
) -> None:
    """Each line of the purge is needed: without it something is left here that is not named as staying."""
    case = with_all(move(drive.a_request(right=Right.ACCESS).pk, "withdraw", actor=REQUESTER))
    tells = (*FINDS, Kind.SEALED)
    all_of_it = {model._meta.label: set(OWN_DATA[model._meta.label]) for model in (Case, *HANGING)}
    assert only(filled(case), *tells) == only(all_of_it, *tells), "something stands in each"
    keys_of_it = [case.uid, *case.intakes.values_list("uid", flat=True)]
    CaseKey.objects.get_or_create(pk=keys_of_it[-1], defaults={"key_id": "x", "wrapped": b"x"})

    assert purge.purge(case.pk)
    after = filled(case)
    assert only(after, *FINDS) == LEFT
    assert only(after, Kind.SEALED) == STILL_SEALED
    assert set(after) == {*LEFT_BY_THE_PURGE, "dsar.Kept"}
    assert not CaseKey.objects.filter(pk__in=keys_of_it).exists()
    assert not Subject.objects.filter(index=case.email_index).exists()
    [standing] = Choice.objects.all()
    assert (standing.kind, standing.case_id, standing.request_id) == (Right.OPT_OUT_SALE, None, None)
    left = PrivacyRequest.objects.select_related("case").get(case=case)
    assert (left.undelivered_at, left.attention, left.raised, left.case.language) == (None, "", "", "en-gb")
    assert left.case.purged_at is not None
    assert [(one.status, one.reason) for one in left.case.messages.filter(status=MessageStatus.FAILED)] == [
        (MessageStatus.FAILED, "purged")
    ]
    assert not left.case.checks.filter(status=CheckStatus.PENDING, kind=CheckKind.PAPER).exists()
    assert not IdentityPaper.objects.filter(destroyed_at=None).exists()
    assert not AuthorityPaper.objects.filter(destroyed_at=None).exists()
    assert AuditEvent.objects.filter(chain=left.case.chain, what="purged").count() == 1
    assert audit.verify() == []


def test_law_11_of_who_never_proved_themselves_no_index_is_left_either(route: Route) -> None:
    never, again = drive.a_request(), drive.a_request()
    other = drive.a_request(again.case.email)
    for request in (never, again, other):
        confirmation.not_me(request.case)
        move(request.pk, "withdraw", actor=REQUESTER)
    assert Subject.objects.filter(cases__isnull=True).count() == 2, "they were locked by it"
    purge.purge(never.case_id)
    purge.purge(again.case_id)
    assert [one.index for one in Subject.objects.all()] == [other.case.email_index], "one case still leads there"
    purge.purge(other.case_id)
    assert not Subject.objects.exists()


# --- one case never keeps another waiting -----------------------------------------------------------------------------


def test_cases_that_cannot_go_keep_no_other_waiting(route: Route, monkeypatch: pytest.MonkeyPatch) -> None:
    """More of them than fit a batch, and the first of all; each is named, and tried again once nothing else is due."""
    monkeypatch.setattr(purge, "BATCH", 2)
    ended = [drive.ended_long_ago(route) for _ in range(6)]
    broken, whole = ended[:4], ended[4:]
    lock = purge.lock_case

    def lock_but(pk: int) -> Case:
        return lock(pk) if pk in {one.case_id for one in whole} else 1 / 0  # type: ignore[return-value]

    with monkeypatch.context() as fault:
        fault.setattr(purge, "lock_case", lock_but)
        assert purge.sweep_cases() == 2
        assert {one.pk for one in ended if drive.fresh(one.pk).case.purged_at} == {one.pk for one in whole}
        assert {one.pk for one in ended if drive.fresh(one.pk).attention} == {one.pk for one in broken}
        assert purge.sweep_cases() == 0
    assert [purge.sweep_cases() for _ in range(3)] == [2, 2, 0]


def test_a_case_that_somebody_came_back_to_is_not_purged_by_a_list_made_before(route: Route) -> None:
    ended = drive.ended_long_ago(route)
    assert purge.due(timezone.now()) == [ended.case_id]
    PrivacyRequest.objects.filter(pk=ended.pk).update(unread_at=timezone.now())
    assert not purge.purge(ended.case_id, look_again=True)
    PrivacyRequest.objects.filter(pk=ended.pk).update(unread_at=None)
    assert purge.purge(ended.case_id, look_again=True)


# --- how long ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("regime", ["us_ca_ccpa", "eu_gdpr"])
def test_law_13_a_case_file_stays_as_long_as_the_log_of_its_requests(route: Route, regime: str, settings: Any) -> None:
    """24 months are 731 days where a leap day lies between; and where a law wants the log for longer than RECORD_DAYS, what
    bears it out is there."""
    request = route.review(Right.ACCESS)
    Case.objects.filter(pk=request.case_id).update(regime=regime, regime_version="")
    this_year = timezone.now().year
    year = next(one for one in range(this_year + 1, this_year + 6) if isleap(one + 1))
    ended = timezone.make_aware(timezone.datetime(year, 3, 1, 12)) - timezone.now()
    with drive.long_ago(-ended):
        move(request.pk, "withdraw", actor=REQUESTER)
    case = Case.objects.get(pk=request.case_id)
    until = records.last_day(case)
    assert until == date(year + (2 if regime == "us_ca_ccpa" else 3), 3, 1)
    assert purge.kept_until(case) == until + timedelta(days=1)
    on = [timezone.make_aware(timezone.datetime(until.year, 3, day, 23)) for day in (1, 2)]
    assert [purge.due(day) for day in on] == [[], [case.pk]]
    # A case file may stay for longer: its entry in the log does not, and the desk says so.
    settings.RECORD_PERIOD = timedelta(days=2000)
    assert [purge.due(day) for day in on] == [[], []]
    [shown] = [one for one in clock_book.of(drive.fresh(request.pk)).entries if one.kind == "record_retention"]
    assert shown.date == until
    assert "2000 days" in shown.remark


def test_what_may_still_be_looked_at_again_is_not_set_to_go(settings: Any) -> None:
    assert checks.check_periods() == []
    settings.RECORD_PERIOD = settings.APPEAL_WITHIN - timedelta(days=1)
    assert [one.id for one in checks.check_periods()] == ["rightsdesk.E004"]


# --- the reference ----------------------------------------------------------------------------------------------------


def found_by(reference: str) -> list[int]:
    return search.cases_of(search.reference_prefix(reference))


def test_law_13_the_reference_leads_nowhere_once_the_last_record_of_the_case_has_gone(route: Route) -> None:
    old, lately = drive.ended_long_ago(route), route.lapsed()
    both = [Case.objects.get(pk=one.case_id).reference for one in (old, lately)]
    for one in (old, lately):
        purge.purge(one.case_id)
    assert [found_by(reference) for reference in both] == [[old.case_id], [lately.case_id]], "the log is there"
    assert records.forget_expired() == 1
    assert purge.forget_references() == 1
    assert purge.forget_references() == 0
    assert [found_by(reference) for reference in both] == [[], [lately.case_id]]
    assert Case.objects.get(pk=old.case_id).reference == f"GONE-{old.case_id}"
    assert audit.verify() == []
