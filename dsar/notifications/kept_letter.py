"""What a deletion left behind, in words: what has gone since, what is still kept, why and until when."""

from collections.abc import Iterable
from typing import Any

from django.conf import settings
from django.urls import reverse
from django.utils.translation import gettext as _

from dsar.datamap import loader
from dsar.enums import Outcome, Right, StepKind
from dsar.law import articles, codes
from dsar.models import Case, Choice, Kept, PrivacyRequest, Step
from dsar.notices import Notice
from dsar.notifications import fates, report, undisclosed


def items(request: PrivacyRequest) -> list[dict[str, Any]]:
    """Per category what has been deleted since the deletion ended (the workers' own counts), then what is still kept.

    What was kept in silence goes in silence. Where a source kept rows of one category both ways, their going is told once a
    reason that was told has ended, and without a count: the counts know no reason.
    """
    went: dict[str, int | None] = {}
    hidden = undisclosed.places(request)
    silent = {(source, category) for source, category, _code in hidden}
    ended = _ended(request, hidden) if hidden else set()
    for step in request.steps.filter(kind=StepKind.LATER).order_by("pk"):
        for tally in step.tallies:
            number = tally.get("removed", 0) + tally.get("anonymised", 0)
            place, known = (step.source, tally["category"]), went.get(tally["category"], 0)
            if not number or (place in silent and place not in ended):
                continue
            went[place[1]] = None if place in silent or known is None else known + number
    gone = [
        {"label": label(category), "action": "erased", "count": number, "reason": "", "citation": ""}
        for category, number in went.items()
    ]
    return gone + standing(request.kept.order_by("pk"))


def _ended(request: PrivacyRequest, hidden: undisclosed.Places) -> set[tuple[str, str]]:
    """The (source, category) pairs of which something was kept for a reason that was told, and that has ended since."""
    plan = request.plans.newest()
    if plan is None:
        return set()
    plan.request = request
    kept = _kept_at_the_end(list(request.steps.all()), plan.body()) - hidden
    still = set(request.kept.values_list("source", "category", "code"))
    return {(source, category) for source, category, _code in kept - still}


def _kept_at_the_end(steps: list[Step], body: dict[str, Any]) -> set[tuple[str, str, str]]:
    """What a deletion kept as it ended, as planned and as the workers found it: (source, category, code)."""
    kept = {(item["source"], item["category"], item["code"]) for item in body["items"] if item["action"] == "keep"}
    return kept | {
        (step.source, tally["category"], tally.get("code", ""))
        for step in steps
        for tally in step.tallies
        if step.kind == StepKind.ERASE and tally.get("kept")
    }


def standing(rows: Iterable[Kept]) -> list[dict[str, Any]]:
    """What is still kept, as items of a letter."""
    lines: dict[tuple[str, str], dict[str, Any]] = {}
    hidden: dict[int, undisclosed.Places] = {}
    for row in rows:
        if row.request_id not in hidden:
            hidden[row.request_id] = undisclosed.places(row.request)
        if (row.source, row.category, row.code) in hidden[row.request_id]:
            continue
        code = codes.valid(row.code, row.request.case.law)
        line = lines.setdefault(
            (row.category, row.code),
            {"label": label(row.category), "action": "kept", "count": None, "citation": code.citation if code else "",
             "reason": fates.kept_for(row.code, row.request.case.regime)},
        )  # fmt: skip
        fates.latest(line, row.until, row.review_on)
    return list(lines.values())


def rest(request: PrivacyRequest, notice: str) -> dict[str, Any]:
    """What the law adds to the letter about a deletion that was denied in whole or in part: that what stays serves its
    exception alone (`citation`, where an article says so), and that its sale can be stopped (`choices_url`, where data
    are sold and the person has not stopped it) (11 CCR 7022(f), (g)). Empty for every other letter."""
    kept = notice in (Notice.REFUSED, Notice.NARROWED) or undisclosed.outcome_told(request) == Outcome.GRANTED_IN_PART
    if request.right != Right.DELETION or not kept:
        return {}
    case = request.case
    sold = any(one.sale for one in loader.current().recipients.values())
    stopped = Choice.objects.of(case.email_index).filter(kind=Right.OPT_OUT_SALE, taken_back_at__isnull=True).exists()
    offered = sold and not stopped and Right.OPT_OUT_SALE in case.law.rights
    return {
        "citation": articles.of(articles.REST_OF_DELETION, case.law),
        "choices_url": settings.BASE_URL + reverse("choices") if offered else "",
    }


def label(category: str) -> str:
    """What a category is called."""
    described = loader.current().categories.get(category)
    return _(described.label) if described else category


def gone_since(request: PrivacyRequest, body: dict[str, Any]) -> set[tuple[str, str]]:
    """The (category, code) pairs that were kept at the end and are kept nowhere any more, of what is told."""
    steps = list(request.steps.all())
    watched = {step.source for step in steps if step.kind == StepKind.LATER}
    still = set(request.kept.values_list("source", "category", "code"))
    kept = _kept_at_the_end(steps, body) - undisclosed.places(request)
    stays = {
        (category, code)
        for source, category, code in kept
        if source not in watched or (source, category, code) in still
    }
    return {(category, code) for _source, category, code in kept} - stays


def after_deletion(case: Case) -> dict[str, Any]:
    """What is left of a proven person after an earlier deletion: `items`, per category what is still kept and why, and
    `mark_until`, the last day of the coded mark. Empty where there was none.

    Kept rows lost their address, so that no search finds them by it (GDPR Art 11): they are told from our own rows, which
    last as long as they do.
    """
    found: dict[str, Any] = {}
    if until := report.mark_until(case):
        found["mark_until"] = until
    if case.email_index:
        rows = Kept.objects.filter(email_index=case.email_index).select_related("request__case").order_by("pk")
        found |= {"items": left} if (left := standing(rows)) else {}
    return found
