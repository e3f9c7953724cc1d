"""The data map: where a company keeps which personal data, and what the law makes it keep.

YAML in, frozen objects out. Everything that can be judged from the file alone is judged here; what needs the live
database is in check.py.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from dsar.datamap.orders import CountedFrom, Disposal, Period, Scalar

Told = Literal[
    "deletion", "correction", "restriction", "objection", "withdraw_consent", "opt_out_sale", "opt_out_targeted",
    "limit_sensitive", "marketing_opt_out",
]  # fmt: skip
RecipientKey = Annotated[str, Field(min_length=1, max_length=36, pattern=r"^[A-Za-z0-9_-]+$")]
MaskKind = Literal["null", "hash", "zero", "address", "password"]
Name = Annotated[str, Field(min_length=1, max_length=128)]


def address_in(text: str) -> str:
    """An e-mail address as written in a map, in small letters; empty for anything else (a team's name)."""
    found = text.strip().lower()
    return found if re.fullmatch(r"[^@\s<>,;]+@[^@\s<>,;]+\.[^@\s<>,;.]+", found) else ""


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Column(_Model):
    """One classified column. `mask` left out means NULL where the column allows it, else a value without meaning.

    null: NULL · hash: a keyed pseudonym · zero: 0 or empty · address: an address that reaches nobody ·
    password: a hash no password matches. `secret` columns (password hashes, tokens) never leave in an export.
    `correct` names the field that a person may have corrected here (GDPR Art 16); a column `derived_from` a field is
    emptied with its correction, for its owner to make anew. `proves` names the field that this column says where nobody
    corrects it (an invoice number): what a person states of themselves may be compared with it.
    """

    personal: bool = False
    mask: MaskKind | None = None
    secret: bool = False
    correct: Name | None = None
    derived_from: Name | None = None
    proves: Name | None = None

    @model_validator(mode="after")
    def _one_use_of_a_field(self) -> Column:
        if sum(1 for field in (self.correct, self.derived_from, self.proves) if field) > 1:
            raise ValueError("say either correct or derived_from or proves")
        if self.secret and self.proves:
            raise ValueError("a secret column proves nothing: nobody is asked for a password")
        return self

    @property
    def says(self) -> Name | None:
        """The field that this column holds, whether or not it is corrected here."""
        return self.correct or self.proves


# Of these a part can be asked for (figures at the end, the day of the month) whose wrong answers look like right ones.
QUIZ_KINDS = ("phone", "date")


class FieldMap(_Model):
    """Something about a person that they may have corrected, or by which they may show who they are, wherever it stands.
    `label` is shown to people.

    `identify`: a person may state it to show who they are (11 CCR 7062). `quiz`: we may put questions about it.
    `exposed`: others can know it, since a breach or from a public register: never the matter of a question.
    """

    label: Name
    kind: Literal["text", "email", "phone", "date", "country"] = "text"
    identify: bool = False
    quiz: bool = False
    exposed: Literal["", "breach", "register"] = ""

    @property
    def may_be_asked(self) -> bool:
        """Whether a question about it gives nothing away: nobody else can know it, and wrong answers that look like right
        ones can be made."""
        return self.quiz and not self.exposed and self.kind in QUIZ_KINDS

    @model_validator(mode="after")
    def _a_mailbox_is_proven_by_its_link(self) -> FieldMap:
        if self.kind == "email" and (self.identify or self.quiz):
            raise ValueError("an e-mail address is proven by a link, and neither stated nor asked for")
        return self


class Via(_Model):
    """The row belongs to whom the row of `table` belongs to whose `key` equals this row's `column`."""

    column: Name
    table: Name
    key: Name = "id"


class Retention(_Model):
    """A reason to keep rows: a code of law, counted from an anchor column, a condition, or both.

    `weighed` names where the company wrote down its weighing (a document, a date), for codes that hold only then.
    """

    code: Name
    anchor: Name | None = None
    counted_from: CountedFrom = "event"
    years: int | None = Field(default=None, ge=0, le=200)
    months: int | None = Field(default=None, ge=0, le=2400)
    days: int | None = Field(default=None, ge=0, le=73000)
    when: dict[Name, Scalar] = {}
    keep_columns: tuple[Name, ...] = ()
    weighed: str = ""
    financial_year_end: str | None = None

    @model_validator(mode="after")
    def _period_belongs_to_an_anchor(self) -> Retention:
        lengths = [length for length in (self.years, self.months, self.days) if length is not None]
        if self.anchor and not lengths:
            raise ValueError(f"{self.code}: an anchor needs a period (years, months or days)")
        if lengths and not self.anchor:
            raise ValueError(f"{self.code}: a period needs an anchor column")
        return self

    @property
    def period(self) -> Period | None:
        """The period, or None for a rule that only a review can end."""
        if not self.anchor:
            return None
        year_end = self.financial_year_end or "12-31"
        return Period(self.years or 0, self.months or 0, self.days or 0, self.counted_from, year_end)


class TableMap(_Model):
    """One table: how its rows reach a person, what they are, what becomes of them."""

    key: Name
    person: Name | None = None
    via: Via | None = None
    category: Name
    disposal: Disposal = "erase"
    organisation: Name | None = None
    columns: dict[Name, Column]
    retention: tuple[Retention, ...] = ()

    @model_validator(mode="after")
    def _names_are_classified(self) -> TableMap:
        if (self.person is None) == (self.via is None):
            raise ValueError("say either person or via")
        named = {self.key, self.person, self.organisation, self.via.column if self.via else None}
        for rule in self.retention:
            named |= {rule.anchor, *rule.when, *rule.keep_columns}
        missing = sorted(name for name in named if name and name not in self.columns)
        if missing:
            raise ValueError(f"not under columns: {', '.join(missing)}")
        if self.disposal == "keep" and not self.retention:
            raise ValueError("disposal keep needs a retention rule with its code")
        return self

    @property
    def personal(self) -> tuple[str, ...]:
        """Personal columns, without those that join the row to its person."""
        joins = {self.key, self.person, self.via.column if self.via else None}
        return tuple(name for name, column in self.columns.items() if column.personal and name not in joins)


class Flag(_Model):
    column: Name
    equals: Scalar = True
    flag: Literal["security_flag", "staff"]


class Equals(_Model):
    column: Name
    equals: Scalar


class IdentityMap(_Model):
    """The table whose row is the person, and the one identifier that may select it."""

    table: Name
    key: Name = "id"
    email: Name = "email"
    phone: Name | None = None
    contact_changed_at: Name | None = None
    created_at: Name | None = None
    flags: tuple[Flag, ...] = ()
    terminated: Equals | None = None

    @property
    def columns(self) -> set[str]:
        """Every column that the identity look-up reads."""
        named = {
            self.key,
            self.email,
            self.phone,
            self.contact_changed_at,
            self.created_at,
            *(flag.column for flag in self.flags),
        }
        named.add(self.terminated.column if self.terminated else None)
        return {name for name in named if name}


class OrganisationsMap(_Model):
    table: Name
    person: Name
    organisation: Name
    role: Name | None = None
    owner_role: Scalar = "owner"
    name_table: Name | None = None
    name_key: Name = "id"
    name: Name = "name"


class CloseAction(_Model):
    """One thing that shuts the account: delete the person's rows, or set columns ("now" is the moment, UTC)."""

    table: Name
    delete: bool = False
    set: dict[Name, Scalar] = {}
    only_null: Name | None = None

    @model_validator(mode="after")
    def _one_effect(self) -> CloseAction:
        if self.delete == bool(self.set):
            raise ValueError("say either delete or set")
        return self


class PurchasesMap(_Model):
    table: Name
    person: Name
    key: Name = "id"
    remaining: Name
    currency: Name
    method: Name
    reference: Name
    expires_on: Name | None = None
    never_refunded: tuple[str, ...] = ("crypto", "promotional")


class RefundsMap(_Model):
    """Where a refund that is due is written. `due` is the status that says so; `set` fills further columns."""

    table: Name
    person: Name
    key: Name = "id"
    reference: Name
    amount: Name
    currency: Name
    status: Name
    due: Scalar = "due"
    request: Name
    due_on: Name
    set: dict[Name, Scalar] = {}


class AutoTopupMap(_Model):
    table: Name
    person: Name
    enabled: Name = "enabled"


class MoneyMap(_Model):
    """Prepaid credits. Amounts are whole cents of the row's currency."""

    purchases: PurchasesMap
    refunds: RefundsMap
    refund_days: int = Field(default=30, ge=0)
    auto_topup: AutoTopupMap | None = None


class Setting(_Model):
    """Columns of the person's rows in one table, set to fixed values ("now" is the moment, UTC).

    `only` are equalities that a row must meet for it to be set. `undo` is what taking the choice back, or lifting a
    restriction, sets them to; it touches only rows that are as `set` left them.
    """

    table: Name
    only: dict[Name, Scalar] = {}
    set: dict[Name, Scalar]
    undo: dict[Name, Scalar] = {}


class SourceMap(_Model):
    """One system that holds personal data. `rotation_days`: backups that go by being overwritten in turn."""

    connector: Name
    label: Name
    url_setting: str | None = None
    schema_: str | None = Field(default=None, alias="schema")
    identity: IdentityMap | None = None
    organisations: OrganisationsMap | None = None
    close: tuple[CloseAction, ...] = ()
    choices: dict[Name, tuple[Setting, ...]] = {}
    restrict: tuple[Setting, ...] = ()
    money: MoneyMap | None = None
    tables: dict[Name, TableMap] = {}
    ignored_tables: tuple[Name, ...] = ()
    categories: tuple[Name, ...] = ()
    owner: str = ""
    owner_backup: str = ""
    rotation_days: int | None = Field(default=None, ge=1)
    financial_year_end: str = "12-31"

    @model_validator(mode="before")
    @classmethod
    def _rules_know_the_year(cls, data: Any) -> Any:
        if not isinstance(data, dict):
            return data
        year_end = str(data.get("financial_year_end", "12-31"))
        if not re.fullmatch(r"\d\d-\d\d", year_end):
            raise ValueError('financial_year_end is "MM-DD"')
        date(2024, int(year_end[:2]), int(year_end[3:]))
        tables = data.get("tables") or {}
        for table in tables.values() if isinstance(tables, dict) else ():
            for rule in (table.get("retention") or ()) if isinstance(table, dict) else ():
                if isinstance(rule, dict):
                    rule.setdefault("financial_year_end", year_end)
        return data

    @model_validator(mode="after")
    def _hangs_together(self) -> SourceMap:
        problems = list(self._problems())
        if problems:
            raise ValueError("; ".join(problems))
        return self

    def _problems(self) -> Iterator[str]:
        if self.owner_backup and not self.backup_address:
            yield "owner_backup is an e-mail address"
        if self.tables and not self.identity:
            yield "tables without an identity: nothing says which row is the person"
        if self.identity:
            yield from self._unclassified(self.identity.table, self.identity.columns)
        for name, table in self.tables.items():
            if table.via:
                yield from self._unclassified(table.via.table, {table.via.key}, f"{name}: via ")
            if cycle := self.cycle_from(name):
                yield f"{name}: via runs in a circle ({' > '.join(cycle)})"
        for action in self.close:
            columns = {*action.set, *({action.only_null} if action.only_null else ())}
            yield from self._unclassified(action.table, columns, "close: ")
        if any(setting.only for setting in self.restrict):
            yield "restrict: only is for choices"
        settings = [("choices: ", setting) for found in self.choices.values() for setting in found]
        for prefix, setting in (*settings, *(("restrict: ", mark) for mark in self.restrict)):
            yield from self._unclassified(setting.table, {*setting.only, *setting.set, *setting.undo}, prefix)
        if self.money:
            bought, back, topup = self.money.purchases, self.money.refunds, self.money.auto_topup
            columns = {bought.person, bought.key, bought.remaining, bought.currency, bought.method, bought.reference}
            yield from self._unclassified(bought.table, columns | ({bought.expires_on} - {None}), "purchases: ")
            columns = {back.person, back.key, back.reference, back.amount, back.currency, back.status, back.request}
            yield from self._unclassified(back.table, columns | {back.due_on, *back.set}, "refunds: ")
            if topup:
                yield from self._unclassified(topup.table, {topup.person, topup.enabled}, "auto_topup: ")

    def _unclassified(self, table: str, columns: set[Any], prefix: str = "") -> Iterator[str]:
        if table not in self.tables:
            yield f"{prefix}{table} is not under tables"
            return
        for column in sorted(columns - set(self.tables[table].columns)):
            yield f"{prefix}{table}.{column} is not classified"

    def cycle_from(self, name: str) -> tuple[str, ...]:
        """Return the tables of a `via` circle that starts at `name`, or an empty tuple."""
        path = [name]
        while (table := self.tables.get(path[-1])) and table.via:
            if table.via.table in path:
                return (*path, table.via.table)
            path.append(table.via.table)
        return ()

    @property
    def is_sign_ins(self) -> bool:
        """Whether the person of this source is somebody who signs in here, by their own number."""
        if self.connector != "django_orm":
            return False
        who = self.identity
        return not self.tables or (who is not None and (who.table, who.key) == ("accounts.User", "id"))

    @property
    def correctable(self) -> frozenset[str]:
        """Keys of the fields that can be corrected in this source."""
        columns = [column for table in self.tables.values() for column in table.columns.values()]
        return frozenset(column.correct for column in columns if column.correct)

    @property
    def comparable(self) -> frozenset[str]:
        """Keys of the fields that this source says something about: what a person states can be compared with it."""
        columns = [column for table in self.tables.values() for column in table.columns.values()]
        return frozenset(column.says for column in columns if column.says and not column.secret)

    @property
    def owner_address(self) -> str:
        """The address of whoever does by hand what no machine can do here; empty where `owner` is only a name."""
        return address_in(self.owner)

    @property
    def backup_address(self) -> str:
        """The address of whoever is asked when the owner does not answer in time; empty where there is none."""
        return address_in(self.owner_backup)

    @property
    def used_categories(self) -> tuple[str, ...]:
        """Categories in this source, in the order of the file, each once."""
        return tuple(dict.fromkeys((*(table.category for table in self.tables.values()), *self.categories)))


class Category(_Model):
    """Words shown to people (English source strings), GDPR Art. 13-15 and 30.

    `recipients` are keys under recipients, or words. `kept`: how long, where nobody asks for a deletion. `transfers`:
    countries outside the EEA, each with its safeguard. `automated`: the logic of a decision with legal or similar
    effect that no person takes, in words (Art. 22).
    `origin` says how the data came to be: given by the person, observed while the service was used, or derived from
    either by us. What is derived is part of a copy (Art 15) and not of what can be carried elsewhere (Art 20).
    """

    label: Name
    purpose: str = ""
    basis: str = ""
    source: str = ""
    kept: str = ""
    recipients: tuple[str, ...] = ()
    origin: Literal["provided", "observed", "derived"] = "provided"
    transfers: tuple[str, ...] = ()
    automated: str = ""


class Recipient(_Model):
    """Somebody to whom data are passed on, and of what they are told (GDPR Art. 19; 11 CCR 7022(b)(2)-(3)).

    `contact` is a mail address; without one telling them is a person's task. `identifier: email` lets the mail name the
    address of the person concerned: only where there is a contract that covers it. `sale`: what is passed on is sold or
    shared for advertising (Cal. Civ. Code 1798.140(ad), (ah)).
    """

    label: Name
    kind: Literal["processor", "third_party", "contractor"] = "processor"
    contact: str = ""
    tells: tuple[Told, ...] = ()
    identifier: Literal["", "email"] = ""
    sale: bool = False
    note: str = ""

    @model_validator(mode="after")
    def _names_people_to_processors_alone(self) -> Recipient:
        if self.contact and not re.fullmatch(r"[^@\s,;<>]+@[^@\s,;<>]+", self.contact):
            raise ValueError("contact is one mail address")
        if self.identifier and self.kind == "third_party":
            raise ValueError("a third party gets no identifier: there is no contract that covers it")
        return self


class Company(_Model):
    """Who answers for the data, as letters name them (GDPR Art. 13(1)(a)-(b)). `automated` and `sale` are sentences on
    automated decisions and on sale or sharing that hold for the whole company."""

    name: str = ""
    address: str = ""
    dpo: str = ""
    representative: str = ""
    automated: str = ""
    sale: str = ""


def _version_one(value: Any) -> Any:
    if value != 1:
        raise ValueError("this version of Rightsdesk reads data maps of version 1")
    return value


class DataMap(_Model):
    """The whole map. `user_ids` names the source whose own key is the company's user id, as people who sign in here carry it
    (User.external_id); empty: they carry none. A key means something in its own source alone."""

    version: Annotated[int, BeforeValidator(_version_one)]
    user_ids: str | None = None
    sources: dict[Name, SourceMap]
    categories: dict[Name, Category]
    recipients: dict[RecipientKey, Recipient] = {}
    company: Company = Company()
    fields: dict[Name, FieldMap] = {}

    @property
    def sign_ins(self) -> tuple[Name, ...]:
        """The sources that are the people who sign in here: their key is this desk's own number."""
        return tuple(key for key, source in self.sources.items() if source.is_sign_ins)

    @property
    def correctable(self) -> tuple[Name, ...]:
        """The fields that can be corrected somewhere, in the order of the map."""
        known = {field for source in self.sources.values() for field in source.correctable}
        return tuple(field for field in self.fields if field in known)

    @property
    def identifying(self) -> tuple[Name, ...]:
        """The fields by which a person may show who they are and which some source can be asked about, in its order."""
        known = {field for source in self.sources.values() for field in source.comparable}
        return tuple(key for key, field in self.fields.items() if field.identify and key in known)

    @property
    def quizzing(self) -> tuple[Name, ...]:
        """The fields about which questions may be put, in its order: never one that others can know."""
        known = {field for source in self.sources.values() for field in source.comparable}
        return tuple(key for key, field in self.fields.items() if field.may_be_asked and key in known)

    @model_validator(mode="after")
    def _fields_are_described(self) -> DataMap:
        for key, source in self.sources.items():
            for name, table in source.tables.items():
                for column, found in table.columns.items():
                    field = found.says or found.derived_from
                    if field and field not in self.fields:
                        raise ValueError(f"{key}: {name}.{column}: {field} is not under fields")
        return self

    @model_validator(mode="after")
    def _categories_are_described(self) -> DataMap:
        for key, source in self.sources.items():
            missing = [name for name in source.used_categories if name not in self.categories]
            if missing:
                raise ValueError(f"{key}: not under categories: {', '.join(missing)}")
        return self
