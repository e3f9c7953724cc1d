"""What people do where no machine reaches: what they found there, and the files that they copied."""

import re
from dataclasses import dataclass
from typing import Any

from django.db.models import F
from django.utils.text import slugify

from dsar.datamap import loader
from dsar.enums import StepKind
from dsar.models import OwnerTask, PrivacyRequest, Step

FOLDER = "by_hand"
FILES = "(by hand)"  # the table that files stand in where a copy is looked through; no database has one of this name
WORKS = ("erase", "mask")
# What a person's work is told of: in the letter, or in the package.
TOLD = (StepKind.ERASE, StepKind.EXPORT, StepKind.RECTIFY, StepKind.LOOK)
ENDING = re.compile(r"[a-z0-9]{1,8}")


@dataclass(frozen=True)
class CopiedFile:
    """A file with what a person copied of one source. `key` names it where something is left out of a copy; `name` is
    its place in the package, made by us; `called` is what its sender called it."""

    task: OwnerTask
    source: str
    key: str
    name: str
    called: str
    size: int

    def content(self) -> bytes:
        """What is in it, decrypted."""
        return self.task.file()


def files(request: PrivacyRequest) -> list[CopiedFile]:
    """The files that people sent for a copy, since its sources were last asked."""
    if request.begun_at is None:
        return []
    tasks = OwnerTask.objects.filter(
        step__request=request, step__kind=StepKind.EXPORT, file_size__gt=0, answered_at__gte=request.begun_at
    )
    found: list[CopiedFile] = []
    for task in tasks.annotate(source=F("step__source")).select_related("step").order_by("source", "pk"):
        task.step.request = request
        source, called = task.step.source, task.file_name
        number = 1 + sum(one.source == source for one in found)
        ending = called.rpartition(".")[2].lower()
        name = f"{FOLDER}/{slugify(source) or 'source'}--{number}"
        name += f".{ending}" if ENDING.fullmatch(ending) and "." in called else ""
        found.append(CopiedFile(task, source, str(task.pk), name, called, task.file_size))
    return found


def marks(step: Step, body: dict[str, Any], *, found: bool) -> list[dict[str, Any]]:
    """What a step tells of a person's work: for a deletion by category; `by_hand` is 0 where they found nothing."""
    if step.kind not in TOLD:
        return []
    categories = [""]
    if step.kind == StepKind.ERASE:
        planned = [item for item in body.get("items", []) if item["source"] == step.source and item["action"] in WORKS]
        described = loader.current().sources.get(step.source)
        categories = list(dict.fromkeys(item["category"] for item in planned))
        categories = categories or (list(described.used_categories) if described else [])
    return [{"category": category, "table": "", "by_hand": int(found)} for category in categories]
