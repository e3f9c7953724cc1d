"""What a data owner is asked, in one sentence by kind of work. Mails name the work, never the person."""

from typing import Any, Final

from django.conf import settings
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from dsar.datamap import loader
from dsar.enums import CheckKind, StepKind
from dsar.models import Message, OwnerTask, PrivacyRequest
from dsar.models.case import with_keys
from dsar.notices import Notice
from dsar.notifications import fates

WHAT: Final[dict[str, Any]] = {
    StepKind.CLOSE: gettext_lazy("Please close this person's account."),
    StepKind.SETTLE: gettext_lazy("Please pay back what is owed to this person, if anything is."),
    StepKind.ERASE: gettext_lazy("Please delete what you hold about this person."),
    StepKind.EXPORT: gettext_lazy("Please copy what you hold about this person and attach the copy."),
    StepKind.RECTIFY: gettext_lazy("Please correct what you hold about this person."),
    StepKind.RESTRICT: gettext_lazy("Please keep what you hold about this person, and use it for nothing else."),
    StepKind.LIFT: gettext_lazy("You may use this person's data again as before."),
    StepKind.LATER: gettext_lazy("The time for which these data had to be kept is over. Please delete what is left."),
    StepKind.LOOK: gettext_lazy("Please look whether you hold anything about this person, and say what in your note."),
    StepKind.APPLY: gettext_lazy("Please record this person's choice and follow it from now on."),
}
TAKEN_BACK = gettext_lazy("This person has taken a choice back. Please take it off your record, and follow it no more.")
WORKS = ("erase", "mask")


def what(task: OwnerTask) -> str:
    """What to do, in one sentence; names nobody."""
    kind = task.step.kind
    return str(TAKEN_BACK if kind == StepKind.APPLY and task.step.request.take_back else WHAT[kind])


def source_label(task: OwnerTask) -> str:
    """The system it is about, as the data map calls it."""
    described = loader.current().sources.get(task.step.source)
    return _(described.label) if described else task.step.source


def categories(task: OwnerTask) -> list[str]:
    """The categories that the work is about, by the newest plan; for a deletion those that go."""
    return [item["label"] for item in _items(task) if item["source"] == task.step.source and not _is_kept(task, item)]


def kept(task: OwnerTask) -> list[dict[str, Any]]:
    """What a deletion leaves: label, citation, until, review_on (a day, or None).

    Nobody has looked here, so that what the plan keeps of the same categories elsewhere counts too: an invoice on paper
    is under the same duty as its row.
    """
    if task.step.kind != StepKind.ERASE:
        return []
    planned = _items(task)
    here = {item["category"] for item in planned if item["source"] == task.step.source}
    found: dict[tuple[str, str], dict[str, Any]] = {}
    for item in planned:
        own = item["source"] == task.step.source and _is_kept(task, item)
        if own or (item["category"] in here and item["action"] == "keep"):
            line = found.setdefault(
                (item["label"], item["citation"]), {"label": item["label"], "citation": item["citation"]}
            )
            fates.later(line, item)
    return list(found.values())


def _is_kept(task: OwnerTask, item: dict[str, Any]) -> bool:
    return task.step.kind == StepKind.ERASE and item["action"] not in WORKS


def _items(task: OwnerTask) -> list[dict[str, Any]]:
    """What the newest plan says of every source, with labels in words; nothing after a purge."""
    request: PrivacyRequest = task.step.request
    plans = sorted(request.plans.all(), key=lambda plan: plan.version)
    if not plans or request.case.purged_at:
        return []
    plans[-1].request = request
    return [{**item, "label": _(item["label"])} for item in plans[-1].body()["items"]]


def of_tasks(message: Message) -> dict[str, Any]:
    """What the mails to a data owner need; nothing for any other. No address and no name of a requester."""
    if message.notice == Notice.OWNER_CODE:
        return {}
    known = OwnerTask.objects.select_related("step__request__case").order_by("due_on", "pk")
    if message.notice == Notice.OWNER_DIGEST:
        tasks = list(
            known.open().filter(owner_index=message.to_index).prefetch_related("checks", "step__request__plans")
        )
        with_keys(task.step.request.case for task in tasks)
        return {"tasks": [line(task) for task in tasks]}
    if message.notice == Notice.OWNER_TASK and message.check_ref and message.check_ref.task_id:
        return {"task": line(known.get(pk=message.check_ref.task_id))}
    return {}


def line(task: OwnerTask) -> dict[str, Any]:
    """One task in words, with its link."""
    link = task.newest(CheckKind.OWNER_LINK)
    return {
        "reference": task.step.request.case.reference,
        "what": what(task),
        "source": source_label(task),
        "categories": categories(task),
        "right": task.step.request.title,
        "due_on": task.due_on,
        "link": settings.BASE_URL + reverse("task_link", args=[link.token]) if link else "",
    }
