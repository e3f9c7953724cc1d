"""Is requirements.txt a lock of pyproject.toml: every requirement pinned within its bounds, every pin hashed?"""

import re
import sys
import tomllib
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

BASE_DIR = Path(__file__).resolve().parent.parent
HASH = re.compile(r"--hash=sha256:[0-9a-f]{64}(?:\s|$)")


def complaints(project: str, lock: str) -> list[str]:
    """What is wrong with the text of a lock, given the text of pyproject.toml; empty where nothing is."""
    table = tomllib.loads(project)["project"]
    wanted = [Requirement(line) for line in table["dependencies"] + table["optional-dependencies"]["dev"]]
    found = []
    pins: dict[str, list[Requirement]] = {}
    for entry in lock.replace("\\\n", " ").splitlines():
        if not entry.strip() or entry.startswith("#"):
            continue
        if "://" in entry or entry.startswith("-"):
            found.append("a line with an address or an option of its own: a lock here has neither")
            continue
        pin = Requirement(entry.split("--hash")[0].strip())
        if not HASH.search(entry):
            found.append(f"{pin.name}: no hash")
        pins.setdefault(canonicalize_name(pin.name), []).append(pin)
    for requirement in wanted:
        held = pins.get(canonicalize_name(requirement.name), [])
        versions = [next(iter(pin.specifier)).version for pin in held]
        if not any(requirement.specifier.contains(version, prereleases=True) for version in versions):
            found.append(f"{requirement}: not in the lock (run `make lock`)")
    return found


if __name__ == "__main__":
    lines = complaints((BASE_DIR / "pyproject.toml").read_text(), (BASE_DIR / "requirements.txt").read_text())
    print("\n".join(lines), end="\n" if lines else "")
    sys.exit(1 if lines else 0)
