"""Holds the data map against the live database: what is unclassified, unnamed, gone, or unknown to the law."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from dsar.datamap.discover import LiveTable
from dsar.datamap.schema import DataMap, Setting, SourceMap
from dsar.datamap.tables import QUIZ_KINDS, TableMap
from dsar.enums import UNVERIFIED_RIGHTS

_ANCHOR_KINDS = {"date", "datetime", "str"}
_WRITABLE_KINDS = ("str", "date", "datetime", "int", "float", "Decimal")


def check(
    data_map: DataMap, live: Mapping[str, Mapping[str, LiveTable]], known_code: Callable[[str], bool]
) -> list[str]:
    """Return one message per fault, empty when map and databases agree.

    `live` holds, per source that has a database, its tables (see discover.live_tables); a source that is absent
    from it is checked by the file alone. `known_code` says whether any regime knows a retention code.
    """
    messages = []
    for key, source in data_map.sources.items():
        messages += [f"{key}: {message}" for message in _codes(source, known_code)]
        messages += [f"{key}: {message}" for message in _paths(source)]
        messages += [f"{key}: choices: {message}" for message in _choices(source, live.get(key, {}))]
        if key in live:
            messages += [f"{key}: {message}" for message in _against(source, live[key])]
    used = {category for source in data_map.sources.values() for category in source.used_categories}
    messages += [f"category {name} is described but nowhere used" for name in data_map.categories if name not in used]
    messages += questions(data_map)
    messages += user_ids(data_map)
    said = {field for source in data_map.sources.values() for field in (*source.correctable, *source.comparable)}
    messages += [
        f"field {name} is described but nowhere corrected or compared" for name in data_map.fields if name not in said
    ]
    return messages


def questions(data_map: DataMap) -> list[str]:
    """What keeps a field from being asked about although the map says so: one message per field."""
    found = []
    for key, field in data_map.fields.items():
        if field.quiz and field.exposed:
            found.append(f"field {key}: quiz: others can know it ({field.exposed}), so that an answer proves nobody")
        elif field.quiz and field.kind not in QUIZ_KINDS:
            found.append(f"field {key}: quiz: no wrong answers that look right can be made of its kind ({field.kind})")
        elif field.quiz and key not in data_map.quizzing:
            found.append(f"field {key}: quiz: no column says it, so that nothing can be asked")
    return found


def user_ids(data_map: DataMap) -> list[str]:
    """What keeps the accounts of this desk from being joined to the company's, or would join strangers: two sources may give
    the same number to two people. The accounts of the desk are there whether or not the map has them as a source."""
    named, here = data_map.user_ids, data_map.sign_ins
    if named is None:
        others = [key for key, source in data_map.sources.items() if source.identity and key not in here]
        if not others:
            return []
        return [
            f"user_ids does not say whose key is the user id of those who sign in here: name one of {', '.join(others)}, "
            'or write user_ids: "" where they carry none'
        ]
    if not named:
        return []
    if named not in data_map.sources:
        return [f"user_ids: {named} is none of the sources"]
    if named in here:
        return [f"user_ids: the key of {named} is this desk's own number, and never the company's"]
    if data_map.sources[named].identity is None:
        return [f"user_ids: {named} has no identity, so no key of its own"]
    return []


def warnings(data_map: DataMap) -> list[str]:
    """What keeps an answer to "what do you hold about me" from being whole, without being a fault of the map: a category
    without purpose, legal basis or source, recipients that nobody can be told through (GDPR Art. 13-15, 19). And what
    leaves to people what a machine could tell."""
    found = []
    for name, category in data_map.categories.items():
        empty = [word for word in ("purpose", "basis", "source") if not getattr(category, word).strip()]
        if empty:
            found.append(f"category {name}: no {', no '.join(empty)}")
    named = {key for category in data_map.categories.values() for key in category.recipients}
    for key, recipient in data_map.recipients.items():
        if key not in named:
            found.append(f"recipient {key} is named by no category")
        if recipient.tells and not recipient.contact:
            found.append(f"recipient {key} has no contact: telling them is a person's task")
    described = {choice for source in data_map.sources.values() for choice in source.choices}
    if alone := [str(right) for right in UNVERIFIED_RIGHTS if right not in described]:
        found.append(f"no source says how these choices are carried out there, so our list alone: {', '.join(alone)}")
    for key, source in data_map.sources.items():
        if source.identity and not source.identity.created_at:
            found.append(f"source {key}: no identity.created_at, so a person looks at each account that comes back")
    return found


def diff(source: SourceMap, live: Mapping[str, LiveTable]) -> list[str]:
    """Return the tables of the database that the map neither names nor ignores, by name."""
    return sorted(set(live) - set(source.tables) - set(source.ignored_tables))


def _codes(source: SourceMap, known_code: Callable[[str], bool]) -> Iterator[str]:
    for name, table in source.tables.items():
        for rule in table.retention:
            if not known_code(rule.code):
                yield f"{name}: retention code {rule.code} is unknown to every regime"


def _paths(source: SourceMap) -> Iterator[str]:
    """A kept row that is reached through a column that erasing masks could never be found again."""
    for name, table in source.tables.items():
        if not table.via or not table.retention:
            continue
        parent = source.tables[table.via.table]
        if table.via.key in parent.personal:
            yield f"{name}: kept rows are reached through {table.via.table}.{table.via.key}, which erasing masks"


def _choices(source: SourceMap, live: Mapping[str, LiveTable]) -> Iterator[str]:
    """A choice is one that people can make. It is taken back as easily as it was made, as the mark of a restriction is,
    and never cuts a row loose."""
    for kind, settings in source.choices.items():
        if kind not in UNVERIFIED_RIGHTS:
            yield f"{kind} is none of {', '.join(UNVERIFIED_RIGHTS)}"
        for setting in settings:
            yield from (f"{kind}: {setting.table}: {message}" for message in _setting(source, setting, live))
    for setting in source.restrict:
        yield from (f"restrict: {setting.table}: {message}" for message in _setting(source, setting, live))


def _setting(source: SourceMap, setting: Setting, live: Mapping[str, LiveTable]) -> Iterator[str]:
    table = source.tables[setting.table]
    for column in sorted(set(setting.set) - set(setting.undo)):
        yield f"undo does not say what becomes of {column}: it could not be taken back"
    for column in sorted(set(setting.undo) - set(setting.set)):
        yield f"undo sets {column}, which the choice does not"
    joins: set[str | None] = {table.key, table.person, table.organisation, table.via.column if table.via else None}
    if source.identity and source.identity.table == setting.table:
        joins.add(source.identity.email)
    for column in sorted(column for column in {*setting.set, *setting.undo} if column in joins):
        yield f"{column} joins the row to its person and cannot be set"
    if setting.undo and all(value == "now" for value in setting.set.values()):
        yield "set needs a fixed value besides the moment: nothing else tells which rows to take back"
    nullable = {column.name: column.nullable for column in live[setting.table].columns} if setting.table in live else {}
    for column, value in (*setting.set.items(), *setting.undo.items()):
        if value is None and nullable.get(column) is False:
            yield f"{column} cannot be empty"


def _against(source: SourceMap, live: Mapping[str, LiveTable]) -> Iterator[str]:
    for name in diff(source, live):
        yield f"table {name} is not named: classify it, or list it under ignored_tables"
    for name, table in source.tables.items():
        if name not in live:
            yield f"table {name} is not in the database"
        else:
            yield from (f"{name}: {message}" for message in _table(table, live[name]))
    if source.organisations:
        yield from _organisations(source, live)


def _table(table: TableMap, live: LiveTable) -> Iterator[str]:
    columns = {column.name: column for column in live.columns}
    for column in sorted(set(columns) - set(table.columns)):
        yield f"column {column} is unclassified"
    for column in sorted(set(table.columns) - set(columns)):
        yield f"column {column} is not in the database"
    if table.key in columns and live.primary_key != (table.key,):
        yield f"key {table.key} is not the primary key ({', '.join(live.primary_key) or 'none'})"
    for rule in table.retention:
        if rule.anchor in columns and columns[rule.anchor].kind not in _ANCHOR_KINDS:
            yield f"{rule.code}: anchor {rule.anchor} is no date"
    for column, classified in table.columns.items():
        if classified.mask == "null" and column in columns and not columns[column].nullable:
            yield f"column {column} cannot be masked with null"
        if classified.correct and column in columns and columns[column].kind not in _WRITABLE_KINDS:
            yield f"column {column} cannot be corrected: its type takes no words ({columns[column].kind or 'unknown'})"
        if classified.derived_from and column in columns and not columns[column].nullable:
            yield f"column {column} is derived and cannot be emptied: it takes no null"


def _organisations(source: SourceMap, live: Mapping[str, LiveTable]) -> Iterator[str]:
    members = source.organisations
    assert members is not None
    wanted = {members.table: {members.person, members.organisation, *({members.role} if members.role else ())}}
    if members.name_table:
        wanted.setdefault(members.name_table, set()).update({members.name_key, members.name})
    for table, columns in wanted.items():
        found = {column.name for column in live[table].columns} if table in live else set()
        for column in sorted(columns - found):
            yield f"organisations: {table}.{column} is not in the database"
