"""The tables of the demo company, as SQLAlchemy Core sees them.

The company is an AI-API platform: people hold accounts, buy prepaid credits, and make calls with API keys.
These tables stand for a database that belongs to somebody else: the desk reaches them only through the
`sql` connector and the data map beside this file, never through Django models.

Points in time are UTC (aware on PostgreSQL, naive on SQLite), money is whole cents of `currency`.
No `id` is ever given out twice, so that a row kept by law never comes to belong to a later person.
"""

from sqlalchemy import (
    Boolean,
    CheckConstraint,
    Column,
    Date,
    DateTime,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    false,
    func,
    text,
)

metadata = MetaData(
    naming_convention={
        "ix": "%(table_name)s_%(column_0_N_name)s_ix",
        "uq": "%(table_name)s_%(column_0_N_name)s_uq",
        "ck": "%(table_name)s_%(constraint_name)s_ck",
        "fk": "%(table_name)s_%(column_0_N_name)s_fk",
        "pk": "%(table_name)s_pk",
    }
)


def _id() -> Column[int]:
    return Column("id", Integer, primary_key=True)


def _user(*, nullable: bool = False) -> Column[int]:
    """The person a row belongs to, where the row cannot outlive the account."""
    return Column("user_id", ForeignKey("users.id"), nullable=nullable, index=True)


def _former_user() -> Column[int]:
    """The person a row belongs to, where the row may have to outlive the account: no foreign key."""
    return Column("user_id", Integer, nullable=False, index=True)


def _unlinked_user() -> Column[int]:
    """The person who made a row; the link goes by itself when the account of an organisation's member goes."""
    return Column("user_id", ForeignKey("users.id", ondelete="SET NULL"), nullable=True, index=True)


def _organisation() -> Column[int]:
    """The organisation that owns the row, or NULL where the row is the person's own."""
    return Column("organisation_id", ForeignKey("organisations.id"), nullable=True, index=True)


def _moment(name: str, *, nullable: bool = False) -> Column[object]:
    return Column(name, DateTime(timezone=True), nullable=nullable)


organisations = Table(
    "organisations",
    metadata,
    _id(),
    Column("name", String(120), nullable=False),
    Column("billing_email", String(254)),
    Column("country", String(2)),
    _moment("created_at"),
    sqlite_autoincrement=True,
)

users = Table(
    "users",
    metadata,
    _id(),
    Column("email", String(254), nullable=False, unique=True),
    Column("full_name", String(120)),
    # Made from the name by a job of the company's own; empty until that has run.
    Column("display_name", String(120)),
    Column("phone", String(40), index=True),
    Column("password_hash", String(160)),
    Column("country", String(2)),
    Column("region", String(8)),
    Column("locale", String(12)),
    Column("signup_ip", String(45)),
    Column("status", String(24), nullable=False, server_default=text("'active'")),
    Column("is_staff", Boolean, nullable=False, server_default=false()),
    Column("security_flag", Boolean, nullable=False, server_default=false()),
    # A closed account that stays in the books as the debtor of record, nothing else.
    Column("ledger_only", Boolean, nullable=False, server_default=false()),
    # What may be kept and not used otherwise (GDPR Art 18).
    Column("processing_restricted", Boolean, nullable=False, server_default=false()),
    _moment("restricted_at", nullable=True),
    # What the person chose.
    Column("sale_opt_out", Boolean, nullable=False, server_default=false()),
    Column("targeted_ads_opt_out", Boolean, nullable=False, server_default=false()),
    Column("sensitive_use_limited", Boolean, nullable=False, server_default=false()),
    Column("consents_withdrawn", Boolean, nullable=False, server_default=false()),
    _moment("contact_changed_at", nullable=True),
    _moment("created_at"),
    _moment("last_seen_at", nullable=True),
    _moment("closed_at", nullable=True),
    CheckConstraint("status IN ('active', 'closed', 'terminated_violation')", name="status"),
    sqlite_autoincrement=True,
)
# An index over an expression cannot be reflected on SQLite, which warns about it.
Index("users_email_lower_ix", func.lower(users.c.email)).ddl_if(dialect="postgresql")

organisation_members = Table(
    "organisation_members",
    metadata,
    _id(),
    Column("organisation_id", ForeignKey("organisations.id"), nullable=False, index=True),
    _user(),
    Column("role", String(16), nullable=False),
    _moment("joined_at"),
    CheckConstraint("role IN ('owner', 'member')", name="role"),
    sqlite_autoincrement=True,
)

api_keys = Table(
    "api_keys",
    metadata,
    _id(),
    _unlinked_user(),
    _organisation(),
    Column("label", String(80)),
    Column("key_prefix", String(16), nullable=False),
    Column("key_hash", String(64), nullable=False),
    _moment("created_at"),
    _moment("last_used_at", nullable=True),
    _moment("revoked_at", nullable=True),
    sqlite_autoincrement=True,
)

sessions = Table(
    "sessions",
    metadata,
    _id(),
    _user(),
    Column("token_hash", String(64), nullable=False),
    Column("ip_address", String(45)),
    Column("user_agent", String(200)),
    _moment("created_at"),
    _moment("expires_at"),
    sqlite_autoincrement=True,
)

credit_purchases = Table(
    "credit_purchases",
    metadata,
    _id(),
    _user(),
    _moment("bought_at"),
    Column("amount_cents", Integer, nullable=False),
    Column("fee_cents", Integer, nullable=False),
    Column("remaining_cents", Integer, nullable=False),
    Column("currency", String(3), nullable=False),
    Column("method", String(16), nullable=False),
    Column("payment_reference", String(40), nullable=False),
    Column("expires_on", Date, nullable=False),
    CheckConstraint("method IN ('card', 'crypto', 'promotional')", name="method"),
    CheckConstraint("remaining_cents >= 0 AND remaining_cents <= amount_cents", name="remaining"),
    sqlite_autoincrement=True,
)

auto_topups = Table(
    "auto_topups",
    metadata,
    _id(),
    _user(),
    Column("enabled", Boolean, nullable=False),
    Column("threshold_cents", Integer, nullable=False),
    Column("amount_cents", Integer, nullable=False),
    Column("payment_token", String(64)),
    _moment("created_at"),
    sqlite_autoincrement=True,
)

invoices = Table(
    "invoices",
    metadata,
    _id(),
    _former_user(),
    _organisation(),
    Column("number", String(24), nullable=False, unique=True),
    Column("issued_on", Date, nullable=False),
    Column("net_cents", Integer, nullable=False),
    Column("tax_cents", Integer, nullable=False),
    Column("amount_cents", Integer, nullable=False),
    Column("tax_rate", String(8), nullable=False),
    Column("tax_country", String(2), nullable=False),
    Column("currency", String(3), nullable=False),
    Column("bill_to_name", String(120)),
    Column("bill_to_email", String(254)),
    Column("bill_to_address", Text),
    sqlite_autoincrement=True,
)

refunds = Table(
    "refunds",
    metadata,
    _id(),
    _former_user(),
    Column("payment_reference", String(40), nullable=False),
    Column("amount_cents", Integer, nullable=False),
    Column("currency", String(3), nullable=False),
    Column("status", String(12), nullable=False),
    Column("request_ref", String(64)),
    Column("due_on", Date),
    Column("payee_name", String(120)),
    Column("note", Text),
    Column("created_at", DateTime(timezone=True), nullable=False, server_default=func.current_timestamp()),
    _moment("paid_at", nullable=True),
    CheckConstraint("status IN ('due', 'paid', 'refused')", name="status"),
    sqlite_autoincrement=True,
)

activity_logs = Table(
    "activity_logs",
    metadata,
    _id(),
    # The only way from a log line to a person is the key that made the call.
    Column("api_key_id", ForeignKey("api_keys.id"), nullable=False, index=True),
    _organisation(),
    Column("endpoint", String(80), nullable=False),
    Column("model", String(80), nullable=False),
    Column("input_tokens", Integer, nullable=False),
    Column("output_tokens", Integer, nullable=False),
    Column("cost_cents", Integer, nullable=False),
    Column("ip_address", String(45)),
    _moment("created_at"),
    sqlite_autoincrement=True,
)

security_logs = Table(
    "security_logs",
    metadata,
    _id(),
    _former_user(),
    Column("event", String(40), nullable=False),
    Column("ip_address", String(45)),
    Column("user_agent", String(200)),
    _moment("created_at"),
    sqlite_autoincrement=True,
)

prompts = Table(
    "prompts",
    metadata,
    _id(),
    # Reversible on purpose: whoever looks for a fault can find the person behind a stored text.
    _unlinked_user(),
    _organisation(),
    Column("model", String(80), nullable=False),
    Column("prompt", Text),
    Column("output", Text),
    _moment("created_at"),
    sqlite_autoincrement=True,
)

searches = Table(
    "searches",
    metadata,
    _id(),
    _user(),
    Column("query", Text),
    _moment("created_at"),
    sqlite_autoincrement=True,
)

support_mails = Table(
    "support_mails",
    metadata,
    _id(),
    _user(),
    Column("from_address", String(254)),
    Column("subject", String(200)),
    Column("body", Text),
    _moment("received_at"),
    sqlite_autoincrement=True,
)

survey_answers = Table(
    "survey_answers",
    metadata,
    _id(),
    _user(),
    Column("survey", String(60), nullable=False),
    Column("question", String(200), nullable=False),
    Column("answer", Text),
    _moment("answered_at"),
    sqlite_autoincrement=True,
)

marketing_consents = Table(
    "marketing_consents",
    metadata,
    _id(),
    _user(),
    Column("channel", String(20), nullable=False),
    Column("granted", Boolean, nullable=False),
    Column("collected_at_page", String(80)),
    _moment("granted_at", nullable=True),
    _moment("withdrawn_at", nullable=True),
    Column("withdrawn_through", String(40)),
    sqlite_autoincrement=True,
)
