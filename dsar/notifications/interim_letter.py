"""What an interim answer says: where a request stands and why it is not finished (GDPR Art 12(3), (4); law 14)."""

from typing import Any

from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from dsar.enums import BY_HAND, FINAL_STATES, UNVERIFIED_RIGHTS, Right, State, StepKind, StepReason, StepStatus
from dsar.models import PrivacyRequest
from dsar.models.request_conditions import copy_in_hand, fee_is_open, no_copy_awaited, quiet_period_over

OF_CATEGORIES = (StepKind.EXPORT, StepKind.RECTIFY, StepKind.RESTRICT, StepKind.LOOK)
SILENT = (StepReason.UNREACHABLE, StepReason.TIMEOUT, StepReason.PERMISSION, StepReason.SCHEMA_CHANGED)


def standing(request: PrivacyRequest) -> str:
    """Why it is not finished, in one or two sentences that are true in its state. Nothing about data before a proof."""
    if request.state in FINAL_STATES:
        # Read again later: what was true on that day no state says any more.
        return ""
    if request.disputed_at is not None:
        return _("You told us that this was not you. Two people look into it, and nothing is deleted until they have.")
    if request.state in (State.RELEASING, State.FULFILLING):
        return _at_work(request)
    return _before_work(request)


def by_category(request: PrivacyRequest, body: dict[str, Any]) -> dict[str, list[str]]:
    """What of an approved request is `settled` and what is `open`, by category: settled once every system that holds it
    has been asked. Of a deletion the letter lists more (letters.py). Empty before the work, and for whoever proved nothing:
    which data are held is no business of a stranger (law 10)."""
    if request.state != State.FULFILLING or request.right in (Right.DELETION, *UNVERIFIED_RIGHTS):
        return {}
    ended: dict[str, bool] = {}
    for step in request.steps.filter(kind__in=OF_CATEGORIES):
        ended[step.source] = ended.get(step.source, True) and step.status == StepStatus.DONE
    found: dict[str, bool] = {}
    for item in body.get("items", []):
        if item["source"] in ended:
            label = _(item["label"])
            found[label] = found.get(label, True) and ended[item["source"]]
    return {
        "settled": sorted(label for label, done in found.items() if done),
        "open": sorted(label for label, done in found.items() if not done),
    }


def _before_work(request: PrivacyRequest) -> str:
    if request.state in (State.RECEIVED, State.TRIAGE):
        return _("A person still has to find out which of your rights your message is about.")
    if request.state == State.CLARIFYING:
        if fee_is_open(request):
            return _(
                "We have asked for a fee and wait for it. If it does not come, a person decides what we do without it."
            )
        return _("We have asked you a question and wait for your answer. Without it we decide on what we know.")
    if request.state == State.CONFIRMING:
        if not no_copy_awaited(request):
            return _("You asked for a copy before the deletion. It is still being made; then we ask you to confirm.")
        since = date_format(timezone.localtime(request.entered_at))
        return _("We have waited for your confirmation since %(day)s. Nothing is deleted before you have given it.") % {
            "day": since
        }
    if request.state == State.CHECKING:
        return _("Your copy is made. A person still has to look through it, so that it holds nothing of anybody else.")
    if request.state == State.LOCATING:
        return _("We are still looking for what we hold about you: not every system has answered.")
    if request.case.is_proven or request.right in UNVERIFIED_RIGHTS:
        return _("A person still has to look at your request and to decide it.")
    if request.case.by_post:
        return _("We could not make sure yet that it is really you. A person looks at what we can answer without that.")
    return _(
        "We could not make sure yet that it is really you. If you still can, use the link in our first e-mail. A person"
        " now looks at what we can answer without it."
    )


def _at_work(request: PrivacyRequest) -> str:
    if request.state == State.RELEASING:
        if not quiet_period_over(request):
            return _("You have confirmed. We wait for a few days before anything is deleted for good, for your safety.")
        if not copy_in_hand(request):
            return _("You have confirmed. Nothing is deleted before you could fetch the copy that you asked for.")
        return _("You have confirmed. A person still has to look at the deletion once more before it begins.")
    waiting = request.steps.exclude(status=StepStatus.DONE).exclude(kind=StepKind.NOTIFY)
    reasons = set(waiting.values_list("reason", flat=True))
    if reasons & set(BY_HAND):
        return _("We are at it. One of our systems can only be reached by a colleague, who has not finished yet.")
    if reasons & set(SILENT):
        return _("We are at it. One of our systems does not answer as it should; we try again until it does.")
    if reasons - {StepReason.NONE.value}:
        return _("We are at it. Something speaks against a part of it at the moment, and a person has to decide.")
    return _("We are at it, and not every system of ours has finished.")
