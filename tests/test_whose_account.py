"""Whose account a confirmed deletion shuts (law 3): a number means something in its own source alone."""

import copy
from pathlib import Path
from typing import Any

import pytest
import yaml
from allauth.mfa.totp.internal.auth import TOTP, generate_totp_secret
from pytest_django import Settings

from accounts.models import User
from dsar.models import Plan
from dsar.verification import confirmation, second_factor
from tests import drive
from tests.drive import Route

pytestmark = pytest.mark.usefixtures("own_journal")


def found(ref: str) -> dict[str, Any]:
    """What a plan says of a source that knows the person by this key."""
    return {
        "label": "", "status": "one", "ref": ref, "failure": "", "orders": [], "rotation_days": None, "closes": False,
    }  # fmt: skip


def plan_of(route: Route, **refs: str) -> Plan:
    """The plan of a deletion that waits for its confirmation: these sources know its person by these keys."""
    request = route.confirming()
    body = copy.deepcopy(drive.PLAN_BODY)
    body["sources"] = {source: found(ref) for source, ref in refs.items()}
    return drive.freeze(request, body)


def closed(*users: User) -> list[bool]:
    return [User.objects.get(pk=user.pk).closed_at is not None for user in users]


def test_law_3_a_number_of_one_source_shuts_nobody_who_has_it_in_another(route: Route) -> None:
    own = User.objects.create_user("own@example.com")
    namesakes = [
        User.objects.create_user("its-number-here@example.com", external_id=str(own.pk)),
        User.objects.create_user("its-number-in-billing@example.com", external_id="31"),
    ]
    joined = User.objects.create_user("an-older-address@example.com", external_id="4711")
    plan = plan_of(route, platform="4711", accounts=str(own.pk), billing="31")
    number_here = User.objects.create_user("the-company-has-it-too@example.com")
    another = plan_of(route, platform=str(number_here.pk), billing=str(number_here.pk))
    assert confirmation.accounts_of(another.request.case, another.body()) == []
    confirmation.confirm(plan.request_id, plan.digest)
    assert closed(own, joined, *namesakes, number_here) == [True, True, False, False, False]


def test_a_strangers_second_factor_is_not_asked_of_whoever_has_their_number_elsewhere(route: Route) -> None:
    own = User.objects.create_user("own@example.com")
    stranger = User.objects.create_user("stranger@example.com", external_id=str(own.pk))
    TOTP.activate(stranger, generate_totp_secret())
    plan = plan_of(route, accounts=str(own.pk))
    assert not second_factor.needed(confirmation.accounts_of(plan.request.case, plan.body()))
    assert confirmation.confirm(plan.request_id, plan.digest).is_bound


def test_where_nobody_carries_the_companys_number_none_is_compared(
    route: Route, settings: Settings, tmp_path: Path
) -> None:
    described = {**yaml.safe_load(Path(settings.DATA_MAP).read_text()), "user_ids": ""}
    settings.DATA_MAP = tmp_path / "map.yaml"
    settings.DATA_MAP.write_text(yaml.safe_dump(described, sort_keys=False))
    carrier = User.objects.create_user("somebody@example.com", external_id="4711")
    plan = plan_of(route, platform="4711")
    assert confirmation.accounts_of(plan.request.case, plan.body()) == []
    assert closed(carrier) == [False]
