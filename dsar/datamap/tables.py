"""How a data map describes one table: its columns, the way to its person, and what keeps its rows. Frozen objects."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from dsar.datamap.orders import CountedFrom, Disposal, Period, Scalar

MaskKind = Literal["null", "hash", "zero", "address", "password"]
Name = Annotated[str, Field(min_length=1, max_length=128)]


class MapModel(BaseModel):
    """A part of a data map: nothing unknown stands in it, and it does not change once it is read."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Column(MapModel):
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


class FieldMap(MapModel):
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


class Via(MapModel):
    """The row belongs to whom the row of `table` belongs to whose `key` equals this row's `column`."""

    column: Name
    table: Name
    key: Name = "id"


class Retention(MapModel):
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


class TableMap(MapModel):
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
