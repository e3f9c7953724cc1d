"""A company that also keeps paper files: the demo's map with a source that no machine reaches, and its owner."""

from pathlib import Path

from django.conf import settings

OWNER, BACKUP, COLLEAGUE = "archive@example.com", "office@example.com", "annex@example.com"
PAPER = f"""
sources:
  paper:
    connector: manual
    label: Paper files
    categories: [invoices]
    owner: {OWNER}
    owner_backup: {BACKUP}
"""


def with_paper(folder: Path) -> Path:
    """Write the map into a folder; returns where."""
    made = folder / "datamap.yaml"
    text = (settings.BASE_DIR / "dsar" / "demo" / "datamap.yaml").read_text()
    assert text.count("\nsources:\n") == 1
    made.write_text(text.replace("\nsources:\n", PAPER))
    return made
