"""What the sql connector promises beyond the common contract: identity, retention, organisations, money."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
import sqlalchemy as sa

from dsar.connectors.base import Identity, KeepRule, Located, Money, TableOrder

from .backends import company, shop
from .shop import TODAY, Shop
from .suite import KEY, Totals, erase_all, intents, ref_of

__all__ = ["company", "shop"]

ANN = "ann@example.com"


def locate(shop: Shop, email: str = ANN) -> Located:
    return shop.connector().locate(Identity(email), shop.orders)


def held(located: Located, table: str) -> list[tuple[int, int, int, int]]:
    return [(h.erase, h.mask, h.keep, h.indeterminate) for h in located.holdings if h.table == table]


class TestIdentity:
    def test_an_address_that_reaches_two_rows_gives_no_ref(self, shop: Shop) -> None:
        shop.user("ANN@example.COM")
        located = locate(shop)
        assert (located.status, located.ref, located.holdings) == ("several", "", ())
        assert located.flags == ("several_matches",)
        assert {candidate.hint for candidate in located.candidates} == {"a•••@e•••.com"}

    def test_rows_without_an_address_are_never_matched(self, shop: Shop) -> None:
        for email in (None, "", " ", "none", "unknown@example.com", "noreply@example.com"):
            shop.user(email)
        for email in ("", " ", "none", "unknown@example.com", "noreply@example.com", "null"):
            assert locate(shop, email).status == "none"

    def test_letters_that_only_look_alike_are_not_the_same_address(self, shop: Shop) -> None:
        shop.user("strasse@example.com")
        shop.user("kim@example.com")
        assert locate(shop, "straße@example.com").status == "none"
        assert locate(shop, "\u212aim@example.com").status == "none"

    def test_the_address_is_a_value_never_sql(self, shop: Shop) -> None:
        before = shop.snapshot()
        for email in (
            "' OR 1=1 --@example.com",
            "%@example.com",
            "_nn@example.com",
            "ann@example.com'; DROP TABLE users;",
        ):
            assert locate(shop, email).status == "none"
        assert shop.snapshot() == before

    def test_a_shared_phone_makes_masked_candidates_and_selects_nothing(self, shop: Shop) -> None:
        users = shop.table("users")
        shop.run(sa.update(users).values(phone="+49 170 1234567"))
        located = locate(shop)
        assert [(c.hint, c.reason) for c in located.candidates] == [("b•••@e•••.com", "same_phone")]
        before = shop.snapshot(without="bob@example.com")
        erase_all(shop, ref_of(shop, "bob@example.com"))
        assert shop.snapshot(without=str(shop.refs["bob@example.com"])) == before

    def test_a_placeholder_phone_makes_no_candidates(self, shop: Shop) -> None:
        shop.run(sa.update(shop.table("users")).values(phone="000000000"))
        assert locate(shop).candidates == ()

    @pytest.mark.parametrize(
        "values, flag",
        [
            ({"is_staff": True}, "staff"),
            ({"watched": True}, "security_flag"),
            (
                {"contact_changed_at": datetime.combine(TODAY, datetime.min.time(), UTC) - timedelta(days=29)},
                "contact_changed",
            ),
        ],
    )
    def test_flags_for_review(self, shop: Shop, values: dict[str, object], flag: str) -> None:
        assert flag not in locate(shop).flags
        shop.run(sa.update(shop.table("users")).values(values))
        assert flag in locate(shop).flags

    def test_an_old_change_of_address_is_no_flag(self, shop: Shop) -> None:
        old = datetime(2026, 5, 16, 1, tzinfo=UTC)
        shop.run(sa.update(shop.table("users")).values(contact_changed_at=old))
        assert "contact_changed" not in locate(shop).flags

    def test_the_result_survives_storage(self, shop: Shop) -> None:
        shop.purchase(shop.refs["Ann@Example.com"], 100)
        located = locate(shop)
        assert Located.from_json(located.as_json()) == located


class TestRetention:
    def test_rows_are_counted_by_fate_with_code_and_end(self, shop: Shop) -> None:
        located = locate(shop)
        invoices = {h.code: h for h in located.holdings if h.table == "invoices"}
        assert (invoices["TAX_ACCOUNTING"].keep, invoices["TAX_ACCOUNTING"].indeterminate) == (1, 1)
        assert invoices["TAX_ACCOUNTING"].until == date(2030, 12, 31)
        assert invoices["TAX_ACCOUNTING"].citation
        assert invoices[""].erase == 1
        assert "indeterminate" in located.flags
        assert held(located, "ratings") == [(0, 2, 0, 0)]

    def test_a_kept_row_loses_what_the_law_does_not_ask_for(self, shop: Shop) -> None:
        ref = ref_of(shop, ANN)
        erase_all(shop, ref)
        kept = [row for row in shop.rows("invoices") if str(row.user_id) == ref]
        assert {row.bill_to for row in kept} == {""}
        assert all(row.vat_id.startswith("masked-") and row.number for row in kept)
        assert len({row.vat_id for row in kept}) == len(kept) == 2
        assert [row.ip for row in shop.rows("logs") if str(row.user_id) == ref] == ["kept by law"]

    def test_a_row_that_is_to_be_kept_by_now_survives_its_intent(self, shop: Shop) -> None:
        ref = ref_of(shop, ANN)
        refund = next(row.id for row in shop.rows("refunds") if str(row.user_id) == ref)
        chunks = intents(shop, ref)
        assert any(
            str(refund) in o.keys and o.table == "refunds" and o.op == "delete" for i in chunks for o in i.operations
        )
        refunds = shop.table("refunds")
        shop.run(sa.update(refunds).where(refunds.c.id == refund).values(status="due"))
        tallies = [t for i in chunks for t in shop.connector().erase(ref, shop.orders, i, KEY, False).tallies]
        assert [(t.kept, t.code, t.until) for t in tallies if t.table == "refunds"] == [
            (1, "REFUND_DUE", date(2026, 7, 1))
        ]
        [row] = [row for row in shop.rows("refunds") if row.id == refund]
        assert (row.reference, row.note) == ("R", None)
        assert shop.connector().verify(ref, shop.orders, KEY).left == ()

    def test_a_row_that_is_kept_no_longer_goes(self, shop: Shop) -> None:
        ref = ref_of(shop, ANN)
        refunds = shop.table("refunds")
        shop.run(sa.update(refunds).values(status="due"))
        chunks = intents(shop, ref)
        shop.run(sa.update(refunds).values(status="paid"))
        for intent in chunks:
            shop.connector().erase(ref, shop.orders, intent, KEY, False)
        assert [row for row in shop.rows("refunds") if str(row.user_id) == ref] == []

    def test_when_the_date_comes_the_same_ref_erases_the_rest(self, shop: Shop) -> None:
        ref = ref_of(shop, ANN)
        erase_all(shop, ref)
        shop.orders = shop.ordered(date(2032, 1, 1))
        totals = erase_all(shop, ref)
        shop.orders = shop.ordered()
        # The invoice without a date stays, and with it the shell.
        assert (totals.removed, totals.kept) == (2, 1)

    def test_a_table_kept_whole_is_left_alone(self, shop: Shop) -> None:
        rule = KeepRule("EU_LEGAL_CLAIMS", "GDPR Art 17(3)(e)", review_on=date(2027, 1, 1))
        shop.orders = tuple(
            TableOrder(o.table, o.category, "keep", (rule,)) if o.table == "prompts" else o for o in shop.orders
        )
        before = shop.rows("prompts")
        ref = ref_of(shop, ANN)
        assert held(locate(shop), "prompts") == [(0, 0, 3, 0)]
        erase_all(shop, ref)
        assert shop.rows("prompts") == before
        assert shop.connector().verify(ref, shop.orders, KEY).left == ()
        shop.orders = shop.ordered()

    def test_tables_that_no_order_names_are_left_alone(self, shop: Shop) -> None:
        shop.orders = tuple(order for order in shop.orders if order.table in ("sessions", "users"))
        before = {name: rows for name, rows in shop.snapshot().items() if name not in ("sessions", "users")}
        erase_all(shop, ref_of(shop, ANN))
        assert {name: rows for name, rows in shop.snapshot().items() if name in before} == before
        shop.orders = shop.ordered()

    def test_the_persons_own_row_goes_where_nothing_holds_it(self, shop: Shop) -> None:
        ref = ref_of(shop, ANN)
        shop.run(sa.delete(shop.table("invoices")))
        erase_all(shop, ref)
        assert ref not in {str(row.id) for row in shop.rows("users")}
        assert [row.stars for row in shop.rows("ratings") if row.user_id is None] == [1, 5]
        assert len([row for row in shop.rows("logs") if str(row.user_id) == ref]) == 1

    def test_a_masked_shell_stays_where_kept_rows_point_to_it(self, shop: Shop) -> None:
        ref = ref_of(shop, ANN)
        assert held(locate(shop), "users") == [(0, 1, 0, 0)]
        erase_all(shop, ref)
        [row] = [row for row in shop.rows("users") if str(row.id) == ref]
        assert (row.email, row.name, row.password_hash) == (None, None, None)
        assert row.handle.startswith("masked-")

    def test_a_cascade_takes_nothing_that_nobody_ordered(self, shop: Shop) -> None:
        """A table the map does not name, whose rows the database would delete with the person's row."""
        ref = ref_of(shop, ANN)
        place = f"{shop.schema}." if shop.schema else ""
        shop.run(
            f"CREATE TABLE {place}extra (id INTEGER, user_id INTEGER REFERENCES {place}users (id) ON DELETE CASCADE)"
        )
        shop.run(f"INSERT INTO {place}extra VALUES (1, {ref})")
        shop.run(sa.delete(shop.table("invoices")))
        shop.run(sa.delete(shop.table("ratings")))
        shop.connector(fresh=True)
        erase_all(shop, ref)
        assert shop.run(f"SELECT id, user_id FROM {place}extra") == [(1, int(ref))]
        shop.run(f"DROP TABLE {place}extra")
        shop.connector(fresh=True)


class TestOrganisations:
    @pytest.fixture
    def ann(self, shop: Shop) -> int:
        user = shop.refs["Ann@Example.com"]
        shop.add("members", user_id=user, organisation_id=shop.organisation, role="owner")
        shop.add("prompts", user_id=user, organisation_id=shop.organisation, body="recipe of the bakery")
        key = shop.add("api_keys", user_id=user, organisation_id=shop.organisation, label="bakery")
        shop.add("calls", api_key_id=key, ip="10.0.0.1")
        return user

    def test_the_organisations_rows_are_told_apart(self, shop: Shop, ann: int) -> None:
        located = locate(shop)
        assert located.organisations == ("Bakery",)
        assert {"organisation_data", "sole_owner"} <= set(located.flags)
        assert {h.table: h.keep for h in located.holdings if h.owner == "organisation"} == {
            "prompts": 1, "api_keys": 1, "calls": 1,
        }  # fmt: skip
        assert held(located, "prompts")[0] == (3, 0, 0, 0)

    def test_a_second_owner_means_no_sole_owner(self, shop: Shop, ann: int) -> None:
        shop.add("members", user_id=shop.refs["bob@example.com"], organisation_id=shop.organisation, role="owner")
        assert "sole_owner" not in locate(shop).flags

    def test_the_organisations_rows_stay_untouched(self, shop: Shop, ann: int) -> None:
        def theirs() -> list[object]:
            shared = [row for name in ("prompts", "api_keys") for row in shop.rows(name) if row.organisation_id]
            keys = {row.id for row in shop.rows("api_keys") if row.organisation_id}
            return [tuple(row) for row in (*shared, *(row for row in shop.rows("calls") if row.api_key_id in keys))]

        before = theirs()
        shop.connector().close(str(ann))
        erase_all(shop, str(ann))
        assert theirs() == before
        assert shop.connector().verify(str(ann), shop.orders, KEY).left == ()
        exported = repr(shop.connector().export(str(ann), "", 1000).rows)
        assert "recipe" not in exported


class TestClosing:
    def test_sessions_keys_and_sign_in_end(self, shop: Shop) -> None:
        ref = ref_of(shop, ANN)
        shop.connector().close(ref)
        [user] = [row for row in shop.rows("users") if str(row.id) == ref]
        assert (user.status, user.password_hash) == ("closed", None)
        assert [row for row in shop.rows("sessions") if str(row.user_id) == ref] == []
        assert all(row.revoked_at for row in shop.rows("api_keys") if str(row.user_id) == ref)


class TestMoney:
    def test_no_credit_no_money(self, shop: Shop) -> None:
        assert locate(shop).money is None

    def test_what_is_refunded_and_what_is_lost(self, shop: Shop) -> None:
        ann = shop.refs["Ann@Example.com"]
        shop.purchase(ann, 1000)
        shop.purchase(ann, 300, "crypto")
        shop.purchase(ann, 20, "promotional")
        shop.purchase(ann, 7, expires=TODAY - timedelta(days=1))
        shop.purchase(ann, 50, currency="USD", expires=TODAY)
        shop.add("topups", user_id=ann, enabled=True)
        money = locate(shop).money
        assert money is not None
        assert (money.currency, money.balance_cents, money.refund_cents, money.lost_cents) == ("EUR", 1327, 1000, 327)
        assert set(money.lost_reasons) == {"crypto", "promotional", "expired"}
        assert (money.refund_by_days, money.auto_topup) == (30, True)
        assert money.others == (Money("USD", 50, 50, 30, 0, (), True),)

    def test_the_refund_is_written_once_and_kept_while_it_is_due(self, shop: Shop) -> None:
        ann = shop.refs["Ann@Example.com"]
        shop.purchase(ann, 1000)
        shop.purchase(ann, 300, "crypto")
        shop.add("topups", user_id=ann, enabled=True)
        for _ in range(2):
            shop.connector().settle(str(ann), "R-1", TODAY)
        due = [row for row in shop.rows("refunds") if row.user_id == ann and row.status == "due"]
        assert [(r.amount_cents, r.currency, r.reference, r.request_ref, r.due_on) for r in due] == [
            (1000, "EUR", "P-1000", "R-1", TODAY + timedelta(days=30))
        ]
        assert [row.enabled for row in shop.rows("topups")] == [False]
        erase_all(shop, str(ann))
        assert [row.id for row in shop.rows("refunds") if row.user_id == ann] == [due[0].id]
        assert [row for row in shop.rows("purchases") if row.user_id == ann] == []

    def test_nothing_is_refunded_after_a_violation(self, shop: Shop) -> None:
        ann = shop.refs["Ann@Example.com"]
        shop.purchase(ann, 1000)
        shop.run(sa.update(shop.table("users")).values(status="terminated"))
        money = locate(shop).money
        assert money is not None and (money.refund_cents, money.lost_reasons) == (0, ("terminated",))
        assert shop.connector().settle(str(ann), "R-1", TODAY).tallies == ()


def test_counting_takes_the_same_statements_for_one_row_and_for_many(shop: Shop) -> None:
    """Look-up, chunk and check do not grow with the rows; erasing takes one delete per table."""
    from dsar.connectors.sql_engine import engine_for

    statements: list[str] = []
    engine = engine_for(shop.url)

    def count(connection: object, cursor: object, statement: str, *rest: object) -> None:
        statements.append(statement)

    def counted(email: str) -> list[int]:
        connector, found = shop.connector(), []
        located = connector.locate(Identity(email), shop.orders)
        for _ in range(2):
            statements.clear()
            connector.locate(Identity(email), shop.orders)
            connector.next_chunk(located.ref, shop.orders, "", 1000)
            connector.verify(located.ref, shop.orders, KEY)
            found.append(len(statements))
        return found[1:]

    sa.event.listen(engine, "before_cursor_execute", count)
    try:
        few = counted(ANN)
        for number in range(50):
            shop.add("prompts", user_id=shop.refs["Ann@Example.com"], body=str(number))
        assert counted(ANN) == few
    finally:
        sa.event.remove(engine, "before_cursor_execute", count)


def test_totals_add_up(shop: Shop) -> None:
    totals = erase_all(shop, ref_of(shop, ANN))
    assert totals == Totals(removed=14, anonymised=3, kept=3)


def test_a_choice_leaves_an_organisations_rows_and_what_the_person_had_stopped_before(shop: Shop) -> None:
    me, connector = shop.refs["bob@example.com"], shop.connector()
    shared = shop.add("api_keys", user_id=me, organisation_id=shop.organisation, label="of the bakery")
    users = shop.table("users")
    before = datetime(2026, 1, 1, 12)
    shop.run(sa.update(users).where(users.c.id == me).values(news=False, news_stopped_at=before))
    held = shop.snapshot()
    connector.apply(str(me), shop.choice, on=True)
    assert [(row.id, row.label) for row in shop.rows("api_keys") if row.user_id == me and row.label != "quiet"] == [
        (shared, "of the bakery")
    ]
    connector.apply(str(me), shop.choice, on=False)
    assert shop.snapshot() == held, "taking back gives nobody a consent that they had not given"


def test_only_the_columns_that_a_choice_names_change(shop: Shop) -> None:
    me = shop.refs["bob@example.com"]
    [before] = [row for row in shop.rows("users") if row.id == me]
    shop.connector().apply(str(me), shop.choice, on=True)
    [after] = [row for row in shop.rows("users") if row.id == me]
    changed = {name for name, value in after._mapping.items() if value != before._mapping[name]}
    assert changed == {"news", "news_stopped_at", "news_stopped_by"}
    moment = after.news_stopped_at if after.news_stopped_at.tzinfo else after.news_stopped_at.replace(tzinfo=UTC)
    assert abs(datetime.now(UTC) - moment).total_seconds() < 60
