"""The desk's words: whatever the audit trail can hold is told in words."""

import ast
from collections.abc import Iterator

from django.conf import settings

from dsar.desk import event_words
from dsar.enums import CorrectionStatus, StepKind
from dsar.fulfilment import access, owners
from dsar.models.privacy_request import VERBS

# What is put together while the product runs: as it stands in the code, and what it can become.
MADE = {
    "verb": set(VERBS),
    "LOOKED": {access.LOOKED},
    "f'owner_{status}'": {f"owner_{status}" for status in owners.ANSWERS},
    "f'correction_{known.status}'": {
        f"correction_{status}" for status in CorrectionStatus if status != CorrectionStatus.PROPOSED
    },
    "f'{held.step.kind}_done'": {f"{kind}_done" for kind in StepKind},
    "f'authority_seen_{which}'": {"authority_seen_first", "authority_seen_second"},
    "f'{kind}_proposed'": {"refuse_proposed", "narrow_proposed"},
    "what": set(),
}
# Functions that write an event whose name is one of their arguments.
WRITERS = ("Entry", "entry", "_entry", "_note", "note_opening")


def written() -> Iterator[ast.expr]:
    """Every expression that names an event of the audit trail."""
    for path in (settings.BASE_DIR / "dsar").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if not isinstance(node, ast.Call) or path.name == "package_zip.py":
                continue
            name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
            if name in WRITERS:
                yield from (arg for arg in node.args[:2] if _names_an_event(arg))


def _names_an_event(arg: ast.expr) -> bool:
    text = isinstance(arg, ast.Constant) and isinstance(arg.value, str)
    return text or isinstance(arg, ast.JoinedStr | ast.IfExp) or ast.unparse(arg) in MADE


def names(found: ast.expr) -> set[str]:
    if isinstance(found, ast.Constant):
        return {found.value}
    if isinstance(found, ast.IfExp):
        return names(found.body) | names(found.orelse)
    text = ast.unparse(found)
    return MADE.get(text, {f"{text}: what can it become?"})


def test_every_event_of_the_audit_trail_has_words():
    found = set().union(*(names(one) for one in written()))
    assert len(found) > 80
    assert sorted(found - set(event_words.EVENTS)) == []
