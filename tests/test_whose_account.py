"""Whose account a confirmed deletion shuts (law 3): a number means something in its own source alone."""

import copy
from pathlib import Path
from typing import Any

import pytest
import yaml
from allauth.mfa.totp.internal.auth import TOTP, generate_totp_secret
from pytest_django import Settings

from accounts.models import User
from dsar import checks
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


@pytest.mark.parametrize("listed", [True, False])
@pytest.mark.parametrize("said", ["", None])
def test_law_3_where_no_source_has_the_companys_number_none_is_compared_and_silence_fails_the_check(
    route: Route, settings: Settings, tmp_path: Path, said: str | None, listed: bool
) -> None:
    """Never a stranger's account; the person's own, under the proven address, in any case. The accounts of the desk are there
    although the map does not list them."""
    described = yaml.safe_load(Path(settings.DATA_MAP).read_text())
    described["user_ids"] = said
    if said is None:
        described.pop("user_ids")
    if not listed:
        kept = {key: one for key, one in described["sources"].items() if one["connector"] != "django_orm"}
        described["sources"] = kept
        described["categories"].pop("sign_in")
    settings.DATA_MAP = tmp_path / "map.yaml"
    settings.DATA_MAP.write_text(yaml.safe_dump(described, sort_keys=False))
    found = " ".join(str(one.msg) for one in checks.check_identity() if one.id == "rightsdesk.E013")
    assert ("name one of platform" in found) is (said is None), found
    carrier = User.objects.create_user("somebody@example.com", external_id="4711")
    plan = plan_of(route, platform="4711")
    own = User.objects.create_user(plan.request.case.email)
    assert confirmation.confirm(plan.request_id, plan.digest).is_bound
    assert closed(own, carrier) == [True, False]
