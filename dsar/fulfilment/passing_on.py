"""Which recipients must hear of a right that is being settled: a step for each, in the transaction that settles it."""

from typing import Any

from django.utils import timezone

from dsar import bell
from dsar.datamap import loader
from dsar.enums import Lane, Right, StepKind
from dsar.models import PrivacyRequest, RecipientNotice, Step

TO = "to:"
POSITION = 60


def concerned(request: PrivacyRequest, body: dict[str, Any]) -> dict[str, list[str]]:
    """Recipients by key, each with the categories that it received and that this right has touched.

    A deletion touches what was erased or masked, a correction what was changed (where the sources counted it), every
    other right all that is held. Backups are nobody's to tell, and what belongs to an organisation is not touched.
    """
    data_map = loader.current()
    untouched = {"backup", "refer"} | ({"keep"} if request.right == Right.DELETION else set())
    touched = {item["category"] for item in body["items"] if item["action"] not in untouched}
    if request.right == Right.CORRECTION:
        lines = [(step.source, line) for step in request.steps.all() for line in step.tallies]
        changed = {line["category"] for _source, line in lines if line.get("changed")}
        hands = {source for source, line in lines if line.get("by_hand")}
        changed |= {
            item["category"] for item in body["items"] if item["source"] in hands and item["category"] in touched
        }
        touched = changed or touched
    found: dict[str, list[str]] = {}
    for name in sorted(touched & set(data_map.categories)):
        for key in data_map.categories[name].recipients:
            recipient = data_map.recipients.get(key)
            if recipient and request.right in recipient.tells:
                found.setdefault(key, []).append(name)
    return found


def queue(request: PrivacyRequest, body: dict[str, Any]) -> int:
    """Queue the telling of every recipient concerned, in the caller's transaction. Returns how many."""
    # A choice that is taken back asks nothing of anybody: those who follow it may go on doing so.
    found = {} if request.take_back else concerned(request, body)
    if not found:
        return 0
    now = timezone.now()
    RecipientNotice.objects.bulk_create(
        [RecipientNotice(request=request, recipient=key, categories=names, at=now) for key, names in found.items()],
        ignore_conflicts=True,
    )
    Step.objects.bulk_create(
        [
            Step(request=request, source=TO + key, kind=StepKind.NOTIFY, position=POSITION, due_at=now)
            for key in found
        ],
        ignore_conflicts=True,
    )  # fmt: skip
    bell.ring(Lane.FULFIL)
    return len(found)
