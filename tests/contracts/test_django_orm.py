"""The connector to people who sign in here keeps the contract: closed accounts stay, masked in place."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime

import pytest
from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator

from accounts.models import User
from dsar.connectors.base import Connector, Identity, KeepRule, Outcome, Period, SourceBroken, TableOrder
from dsar.connectors.django_orm import DjangoConnector, accounts_map
from dsar.datamap.schema import SourceMap
from dsar.retention import order_for, verdict

from .suite import KEY, ConnectorContract, Snapshot, Totals, erase_all, intents, ref_of

SOURCE = SourceMap.model_validate({"connector": "django_orm", "label": "Sign-in", "categories": ["sign_in"]})
CHOICES = {
    "withdraw_consent": [
        {
            "table": "accounts.User", "only": {"language": "de"}, "set": {"language": "-", "last_login": "now"},
            "undo": {"language": "de", "last_login": None},
        },
        {"table": "mfa.Authenticator", "set": {"type": "quiet"}, "undo": {"type": "totp"}},
    ]
}  # fmt: skip


def changeable() -> SourceMap:
    """The same with a name that can be corrected, a mark for a restriction and a choice."""
    made = accounts_map(SOURCE).model_dump(by_alias=True)
    made["tables"]["accounts.User"]["columns"]["full_name"]["correct"] = "name"
    made["tables"]["accounts.User"]["columns"]["external_id"]["derived_from"] = "name"
    made["tables"]["account.EmailAddress"]["columns"]["email"]["proves"] = "mailbox"
    marks = {"table": "accounts.User", "set": {"language": "none"}, "undo": {"language": "de"}}
    return SourceMap.model_validate({**made, "restrict": [marks], "choices": CHOICES})


class Accounts:
    people: tuple[str, ...] = ("ann@example.com", "bob@example.com")
    name_rows = 1
    choice = "withdraw_consent"
    proves = "mailbox"

    def __init__(self) -> None:
        self.orders: tuple[TableOrder, ...] = tuple(
            order_for(name, table, verdict(table, regime="eu_gdpr", today=date(2026, 6, 15)))
            for name, table in accounts_map(SOURCE).tables.items()
        )
        self.secrets: dict[str, tuple[str, ...]] = {
            email: (email, f"{email} name", f"ext-{email}") for email in self.people
        }
        self.refs = {}
        for email in self.people:
            user = User.objects.create_user(
                email, "a long password", full_name=f"{email} name", external_id=f"ext-{email}", language="de"
            )
            self.refs[email] = str(user.pk)
            EmailAddress.objects.create(user=user, email=email, primary=True)
            for number in range(3):
                EmailAddress.objects.create(user=user, email=f"{number}.{email}")
            Authenticator.objects.create(user=user, type="totp", data={"secret": f"{email} seed"})

    def connector(self, *, fresh: bool = False) -> Connector:
        return DjangoConnector("accounts", changeable())

    def snapshot(self, *, without: str = "") -> Snapshot:
        person = self.refs.get(without, without) or 0
        return {
            "accounts.User": list(User.objects.order_by("pk").exclude(pk=person).values_list()),
            "account.EmailAddress": list(EmailAddress.objects.order_by("pk").exclude(user=person).values_list()),
            "mfa.Authenticator": [
                (row["id"], row["user_id"], str(row["data"]))
                for row in Authenticator.objects.order_by("pk").exclude(user=person).values()
            ],
        }


@pytest.fixture
def world(db: None) -> Accounts:
    return Accounts()


class TestContract(ConnectorContract):
    @pytest.fixture
    def world(self, world: Accounts) -> Accounts:
        return world


def test_a_closed_account_is_masked_in_place(world: Accounts) -> None:
    ref = ref_of(world, "ann@example.com")
    connector = world.connector()
    connector.close(ref)
    user = User.objects.get(pk=ref)
    assert (user.is_active, user.email) == (False, "ann@example.com")
    assert user.closed_at is not None
    assert erase_all(world, ref) == Totals(removed=5, anonymised=1)
    user = User.objects.get(pk=ref)
    assert (user.email, user.full_name, user.external_id) == (f"closed-{ref}@invalid", "", None)
    assert not user.has_usable_password()
    assert connector.verify(ref, world.orders, KEY).left == ()


def test_the_moment_of_closing_stays_what_it_was(world: Accounts) -> None:
    ref = ref_of(world, "ann@example.com")
    first = datetime(2026, 1, 1, tzinfo=UTC)
    User.objects.filter(pk=ref).update(is_active=False, closed_at=first)
    world.connector().close(ref)
    assert User.objects.get(pk=ref).closed_at == first


def test_a_mark_that_the_company_made_for_itself_stays_where_a_restriction_is_lifted(world: Accounts) -> None:
    User.objects.filter(email="ann@example.com").update(language="fr")
    assert world.connector().lift(ref_of(world, "ann@example.com")) == Outcome()
    assert User.objects.get(email="ann@example.com").language == "fr"


def test_staff_are_flagged_for_review(world: Accounts) -> None:
    assert world.connector().locate(Identity("ann@example.com"), world.orders).flags == ()
    User.objects.filter(email="ann@example.com").update(role="approver")
    assert world.connector().locate(Identity("ann@example.com"), world.orders).flags == ("staff",)


def test_a_stored_intent_survives_the_way_through_json(world: Accounts) -> None:
    intent, *_ = intents(world, ref_of(world, "ann@example.com"))
    assert type(intent).from_json(intent.as_json()) == intent


def test_a_model_that_is_gone_is_a_persons_task(db: None) -> None:
    source = SourceMap.model_validate(
        {
            "connector": "django_orm",
            "label": "Gone",
            "identity": {"table": "accounts.Gone"},
            "tables": {
                "accounts.Gone": {"key": "id", "person": "id", "category": "a", "columns": {"id": {}, "email": {}}}
            },
        }
    )
    with pytest.raises(SourceBroken, match="schema_changed"):
        DjangoConnector("gone", source).ping()


def test_a_row_that_a_rule_keeps_by_now_survives_its_intent(db: None) -> None:
    rule = KeepRule("EU_LEGAL_CLAIMS", "GDPR Art 17(3)(e)", when=(("verified", True),), review_on=date(2027, 1, 1))
    world = Accounts()
    world.orders = tuple(
        TableOrder(o.table, o.category, o.disposal, (rule,), o.columns_to_mask) if "EmailAddress" in o.table else o
        for o in world.orders
    )
    ref = ref_of(world, "ann@example.com")
    chunks = intents(world, ref)
    EmailAddress.objects.filter(email="1.ann@example.com").update(verified=True)
    totals = Totals()
    for intent in chunks:
        totals.add(world.connector().erase(ref, world.orders, intent, KEY, False).tallies)
    assert totals == Totals(removed=4, anonymised=1, kept=1)
    assert list(EmailAddress.objects.filter(user=ref).values_list("email", flat=True)) == ["1.ann@example.com"]
    assert world.connector().verify(ref, world.orders, KEY).left == ()


def test_a_kept_row_loses_its_other_personal_columns(db: None) -> None:
    rule = KeepRule(
        "TAX_ACCOUNTING", "GDPR Art 17(3)(b)", column="last_used_at", after=date(2026, 1, 1), keep_columns=("type",),
        period=Period(years=1),
    )  # fmt: skip
    world = Accounts()
    order = next(order for order in world.orders if order.table == "mfa.Authenticator")
    world.orders = tuple(replace(o, keeps=(rule,)) if o is order else o for o in world.orders)
    ref = ref_of(world, "ann@example.com")
    used = datetime(2026, 1, 2, tzinfo=UTC)
    Authenticator.objects.filter(user=ref).update(last_used_at=used)
    [holding] = [h for h in world.connector().locate(Identity("ann@example.com"), world.orders).holdings if h.code]
    assert (holding.keep, holding.until) == (1, date(2027, 1, 2))
    erase_all(world, ref)
    row = Authenticator.objects.get(user=ref)
    assert (row.data, row.last_used_at) == ({}, None)
    assert world.connector().locate(Identity("ann@example.com"), world.orders).status == "none"


def test_an_empty_anchor_is_kept_and_counted(db: None) -> None:
    rule = KeepRule("TAX_ACCOUNTING", "GDPR Art 17(3)(b)", column="last_used_at", after=date(2026, 1, 1))
    world = Accounts()
    world.orders = tuple(replace(o, keeps=(rule,)) if o.table == "mfa.Authenticator" else o for o in world.orders)
    located = world.connector().locate(Identity("ann@example.com"), world.orders)
    assert "indeterminate" in located.flags
    assert [(h.keep, h.indeterminate) for h in located.holdings if h.code] == [(0, 1)]
    assert erase_all(world, located.ref).kept == 1
    assert Authenticator.objects.filter(user=located.ref).count() == 1
