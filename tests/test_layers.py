"""Imports flow down; a machine checks it."""

import os
import subprocess
import sys
import tomllib

from tests.house import ROOT


def test_imports_flow_down_and_siblings_never_import_each_other() -> None:
    checked = subprocess.run(
        [sys.executable, "-c", "from importlinter.cli import lint_imports_command as lint; lint()", "--no-cache"],
        cwd=ROOT, capture_output=True, text=True, timeout=120, check=False,
        env={**os.environ, "PYTHONPATH": str(ROOT), "COLUMNS": "200"},
    )  # fmt: skip
    assert checked.returncode == 0, checked.stdout + checked.stderr
    assert "0 broken" in checked.stdout


def test_every_module_of_the_house_has_a_layer() -> None:
    """A folder or file that nobody put into the contract would be held by nothing."""
    contract = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"][0]
    layers = {name.strip() for layer in contract["layers"] for name in layer.split("|")}
    # These stand outside: what Django loads by name, and what runs beside the house.
    outside = {"apps", "checks", "migrations", "static", "templatetags", "supervisor", "admin"}
    found = {
        path.stem for path in (ROOT / "dsar").iterdir() if not path.name.startswith("_") and path.suffix in ("", ".py")
    }
    assert {name for name in found if f"dsar.{name}" not in layers} <= outside
