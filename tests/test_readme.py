"""The README says what is true: its diagram is the state machine, its table names every setting."""

import re
from pathlib import Path

from django_fsm import RETURN_VALUE

from dsar.enums import State
from dsar.models import PrivacyRequest

ROOT = Path(__file__).resolve().parent.parent
README = (ROOT / "README.md").read_text()
# These verbs come back to the state they started in, or end the request; RETURN_VALUE cannot say so.
STAY = {"narrow", "dispute", "dismiss_dispute"}


def drawn() -> set[tuple[str, str, str]]:
    """(from, to, verb) for every arrow of the README's diagram."""
    block = README.split("```mermaid")[1].split("```")[0]
    found = set()
    for source, target, verbs in re.findall(r"^\s+(\w+) --> (\w+): (.+)$", block, re.MULTILINE):
        found |= {(source, target, verb.strip()) for verb in verbs.split(",")}
    return found


def coded() -> set[tuple[str, str, str]]:
    """(from, to, verb) for every transition of the model."""
    found = set()
    for transition in PrivacyRequest._meta.get_field("state").get_all_transitions(PrivacyRequest):
        target = transition.target
        targets = target.allowed_states if isinstance(target, RETURN_VALUE) else [target]
        for state in targets:
            if transition.name in STAY and state not in (transition.source, State.COMPLETED):
                continue
            found.add((str(transition.source), str(state), transition.name))
    return found


def test_the_diagram_is_the_state_machine():
    assert drawn() == coded()


def test_every_setting_that_is_read_is_in_the_table():
    read = set()
    for name in ("settings.py", "env.py"):
        text = (ROOT / "config" / name).read_text()
        read |= set(re.findall(r'(?:text|integer|boolean|words|secret)\(\s*"([A-Z_]+)"', text))
    missing = {name for name in read if f"`{name}`" not in README}
    assert not missing


def test_every_make_target_that_the_readme_names_exists():
    makefile = (ROOT / "Makefile").read_text()
    for target in set(re.findall(r"`?make ([a-z-]+)", README)):
        assert re.search(rf"^{target}:", makefile, re.MULTILINE), target
