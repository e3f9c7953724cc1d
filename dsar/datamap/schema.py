"""The data map: where a company keeps which personal data, and what the law makes it keep.

YAML in, frozen objects out. Everything that can be judged from the file alone is judged here; what describes one table
of a source is in tables.py, what needs the live database in check.py.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, model_validator

from dsar.datamap.orders import Scalar
from dsar.datamap.tables import FieldMap, MapModel, Name, TableMap

Told = Literal[
    "deletion", "correction", "restriction", "objection", "withdraw_consent", "opt_out_sale", "opt_out_targeted",
    "limit_sensitive", "marketing_opt_out",
]  # fmt: skip
RecipientKey = Annotated[str, Field(min_length=1, max_length=36, pattern=r"^[A-Za-z0-9_-]+$")]


def address_in(text: str) -> str:
    """An e-mail address as written in a map, in small letters; empty for anything else (a team's name)."""
    found = text.strip().lower()
    return found if re.fullmatch(r"[^@\s<>,;]+@[^@\s<>,;]+\.[^@\s<>,;.]+", found) else ""


class Flag(MapModel):
    column: Name
    equals: Scalar = True
    flag: Literal["security_flag", "staff"]


class Equals(MapModel):
    column: Name
    equals: Scalar


class IdentityMap(MapModel):
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


class OrganisationsMap(MapModel):
    table: Name
    person: Name
    organisation: Name
    role: Name | None = None
    owner_role: Scalar = "owner"
    name_table: Name | None = None
    name_key: Name = "id"
    name: Name = "name"


class CloseAction(MapModel):
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


class PurchasesMap(MapModel):
    table: Name
    person: Name
    key: Name = "id"
    remaining: Name
    currency: Name
    method: Name
    reference: Name
    expires_on: Name | None = None
    never_refunded: tuple[str, ...] = ("crypto", "promotional")


class RefundsMap(MapModel):
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


class AutoTopupMap(MapModel):
    table: Name
    person: Name
    enabled: Name = "enabled"


class MoneyMap(MapModel):
    """Prepaid credits. Amounts are whole cents of the row's currency."""

    purchases: PurchasesMap
    refunds: RefundsMap
    refund_days: int = Field(default=30, ge=0)
    auto_topup: AutoTopupMap | None = None


class Setting(MapModel):
    """Columns of the person's rows in one table, set to fixed values ("now" is the moment, UTC).

    `only` are equalities that a row must meet for it to be set. `undo` is what taking the choice back, or lifting a
    restriction, sets them to; it touches only rows that are as `set` left them.
    """

    table: Name
    only: dict[Name, Scalar] = {}
    set: dict[Name, Scalar]
    undo: dict[Name, Scalar] = {}


class SourceMap(MapModel):
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


class Category(MapModel):
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


class Recipient(MapModel):
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


class Company(MapModel):
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


class DataMap(MapModel):
    """The whole map. `user_ids` names the source whose own key is the company's user id, as people who sign in here carry it
    (User.external_id); empty: they carry none. A key means something in its own source alone, so that where nothing is said
    none is compared, and `manage.py check` fails."""

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
