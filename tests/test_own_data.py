"""We keep our own house: every field of ours is classified and has an end, and the purge does what the table says."""

from datetime import datetime, time, timedelta

import pytest
from django.apps import apps
from django.conf import settings
from django.db import models
from django.utils import timezone

from dsar import audit, housekeeping, keys, records
from dsar.datamap import loader
from dsar.enums import State
from dsar.models import (
    REQUESTER,
    Actor,
    Case,
    CaseKey,
    Decision,
    IdentityCheck,
    Intake,
    Message,
    Plan,
    PrivacyRequest,
    Step,
    Subject,
)  # fmt: skip
from dsar.models.keeping import PERIODS, RULES
from dsar.models.own_data import OWN_DATA, Kind
from dsar.review import clock, decide
from dsar.workflow import move
from tests import drive
from tests.drive import CAST

pytestmark = pytest.mark.usefixtures("own_journal")

MODELS = [
    model
    for label in ("accounts", "dsar")
    for model in apps.get_app_config(label).get_models(include_auto_created=True)
]


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model._meta.label)
def test_law_13_every_field_is_classified_and_every_table_has_a_rule(model: type[models.Model]) -> None:
    assert set(OWN_DATA[model._meta.label]) == {field.name for field in model._meta.concrete_fields}
    assert any(model._meta.label in rule.tables for rule in RULES)


def test_law_13_nothing_is_classified_that_is_not_there() -> None:
    assert set(OWN_DATA) == {model._meta.label for model in MODELS}


def test_law_13_every_table_has_a_rule_and_every_rule_is_carried_out_or_says_why_not() -> None:
    """Of every app that is installed, not of ours alone."""
    there = {model._meta.label for model in apps.get_models(include_auto_created=True) if model._meta.managed}
    # Tables that join two of the framework's own, which hold nobody.
    joins = {label for label in there if "_" in label.partition(".")[2]}
    named = [label for rule in RULES for label in rule.tables]
    assert set(named) == there - joins
    assert {rule.sweep for rule in RULES if rule.sweep} == set(housekeeping.PARTS)
    for rule in RULES:
        assert bool(rule.sweep) != bool(rule.stays), rule.label
        assert all(str(text) for text in (rule.label, rule.holds, rule.until, rule.reason, rule.ends)), rule.label
        assert (rule.days or 0) > 0 or not rule.setting, rule.label
    assert all(hasattr(settings, name) for name in PERIODS.values())


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model._meta.label)
def test_names_and_kinds_agree(model: type[models.Model]) -> None:
    """A sealed field is bytes and says so; an index can be emptied, or its row goes."""
    for name, kind in OWN_DATA[model._meta.label].items():
        field = model._meta.get_field(name)
        assert name.endswith("_sealed") == (kind == Kind.SEALED), name
        if kind == Kind.SEALED:
            assert isinstance(field, models.BinaryField), name
        if name.endswith("index") or name == "token_hash":
            assert kind == Kind.INDEX, name


def test_law_13_rightsdesk_is_itself_a_source_of_every_plan() -> None:
    assert "django_orm" in {source.connector for source in loader.current().sources.values()}


def ended(address: str, approver: Actor) -> PrivacyRequest:
    """A case with everything in it: statement, question and answer, refusal, messages, checks, plan."""
    request = drive.by_web(address, statement="Please.")
    drive.locating.drain()
    drive.proven_by_link(request.case)
    decide.note(request.pk, "A note about the person.", actor=approver)
    return move(request.pk, "withdraw", actor=REQUESTER)


def rows_of(case: Case) -> list[models.Model]:
    """Everything that hangs on a case."""
    requests = PrivacyRequest.objects.filter(case=case)
    found: list[models.Model] = [Case.objects.get(pk=case.pk), *requests]
    for model in (Intake, IdentityCheck, Message):
        found += model.objects.filter(case=case)
    for model in (Decision, Plan, Step):
        found += model.objects.filter(request__in=requests)
    return found


def test_law_11_the_purge_destroys_the_key_and_empties_every_index(company: None, approver: Actor) -> None:
    request = ended(CAST.plain, approver)
    other = ended(CAST.neighbour, approver)
    sealed = {type(row)._meta.label for row in rows_of(request.case) if _filled(row, Kind.SEALED)}
    assert sealed >= {"dsar.Case", "dsar.Message", "dsar.Plan", "dsar.Intake"}
    logged = records.last_day(request.case)
    assert logged is not None
    assert clock.sweep(timezone.make_aware(datetime.combine(logged, time(12)))) == 0
    assert Case.objects.get(pk=request.case_id).purged_at is None
    PrivacyRequest.objects.filter(pk=other.pk).update(reminders=0)
    clock.sweep(timezone.now() + drive.BEYOND_THE_LOG)
    for one in (request, other):
        case = Case.objects.get(pk=one.case_id)
        assert case.purged_at is not None
        assert (case.email, case.name) == ("", "")
        assert not CaseKey.objects.filter(pk=case.uid).exists()
        with pytest.raises(keys.Unreadable):
            case.key()
        for row in rows_of(case):
            # What tells two submissions apart is a hash of what they were, not of who sent them.
            assert _filled(row, Kind.INDEX) <= {"dedupe"}, row
    assert not Subject.objects.exists()
    assert not Case.objects.of_email(CAST.plain).exists()
    assert audit.verify() == []


def _filled(row: models.Model, kind: Kind) -> set[str]:
    """The fields of a kind that hold something."""
    kinds = OWN_DATA[row._meta.label]
    return {name for name, one in kinds.items() if one == kind and getattr(row, row._meta.get_field(name).attname)}


def test_law_13_what_is_still_open_or_recent_is_not_purged(company: None, approver: Actor) -> None:
    still_open = drive.by_web(CAST.plain)
    recent = ended(CAST.neighbour, approver)
    later = timezone.now() + drive.BEYOND_THE_LOG
    PrivacyRequest.objects.filter(pk=still_open.pk).update(target_on=None)
    clock.sweep(timezone.now() + timedelta(days=30))
    assert Case.objects.get(pk=recent.case_id).purged_at is None
    clock.sweep(later)
    assert Case.objects.get(pk=still_open.case_id).purged_at is None
    assert Case.objects.get(pk=still_open.case_id).email == CAST.plain


def test_a_subject_lives_as_long_as_one_of_its_cases(company: None, approver: Actor) -> None:
    ended(CAST.plain, approver)
    second = drive.by_web(CAST.plain)
    drive.proven_by_link(second.case)
    clock.sweep(timezone.now() + drive.BEYOND_THE_LOG)
    assert drive.fresh(second.pk).state in (State.LOCATING, State.VERIFYING)
    assert Subject.objects.filter(cases=second.case).count() == 1


def test_a_purged_case_can_be_swept_again(company: None, approver: Actor) -> None:
    ended(CAST.plain, approver)
    late = timezone.now() + drive.BEYOND_THE_LOG
    clock.sweep(late)
    chain = list(Case.objects.values_list("audit_length", "audit_head"))
    clock.sweep(late + timedelta(days=1))
    assert list(Case.objects.values_list("audit_length", "audit_head")) == chain
