"""Exceptions from deletion that must be weighed: until a person has, and has written it down, nothing is approved
(GDPR Art 17(3); Cal. Civ. Code 1798.105(d))."""

from datetime import date
from typing import Any

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from dsar import audit
from dsar.enums import DecisionKind, Right, State
from dsar.fulfilment import locating
from dsar.fulfilment import plan as plans
from dsar.law import codes
from dsar.models import Actor, Decision, PrivacyRequest, Weighing
from dsar.models.shown import newest_plan
from dsar.retention import Weighed
from dsar.workflow import Because, Conflict, Forbidden, Invalid, decide, lock

Place = tuple[str, str, str]
LONGEST_DAYS = 366


def open_places(request: PrivacyRequest, body: plans.Body | None = None) -> list[dict[str, Any]]:
    """The items of a deletion's plan that are kept for now because nobody has weighed their reason. What a hold keeps is
    settled by its ground or by its end, not here."""
    if request.right != Right.DELETION or request.state != State.REVIEW or "weigh" not in request.judgement:
        return []
    if body is None:
        plan = newest_plan(request)
        body = plan.body() if plan else {}
    held = {
        (hold.code, key)
        for hold in plans.active_holds(request.case.email_index)
        for key in body.get("sources", {})
        if hold.covers(key)
    }
    return [item for item in plans.unweighed(body) if (item["code"], item["source"]) not in held]


def outdated(request: PrivacyRequest) -> dict[Place, str]:
    """The grounds (codes) by which somebody found that something stays, by place, which the law of the request does not
    know: it came under that law since. They keep nothing any more."""
    found = plans.weighed_of(request)
    law = request.case.law
    return {place: one.code for place, one in found.items() if one.holds and codes.valid(one.code, law) is None}


def weigh(
    pk: int, place: Place, *, holds: bool, code: str, review_on: date | None, text: str, actor: Actor
) -> PrivacyRequest:
    """Say of one exception, `place` being (source, category, doubtful code), whether it holds, and why; the plan is made
    anew from that, by a fresh look. By an approver; `code` is the ground in this law, looked at again on `review_on`,
    within a year.

    Raises Forbidden, Conflict (nothing to weigh there), Invalid (no reason, ground or day; a source does not answer).
    """
    if not actor.is_approver:
        raise Forbidden("weigh")
    if not text.strip():
        raise Invalid(_("Please write what you weighed against what, and what came of it."))
    request = PrivacyRequest.objects.select_related("case").get(pk=pk)
    if place not in {(item["source"], item["category"], item["code"]) for item in open_places(request)}:
        raise Conflict("weigh")
    one = Weighed(holds=holds)
    if holds:
        found = codes.valid(code, request.case.law)
        if found is None:
            raise Invalid(_("Please choose a ground that the law of this request knows."))
        if review_on is None or not 0 < (review_on - timezone.localdate()).days <= LONGEST_DAYS:
            raise Invalid(_("Please choose the day on which somebody looks again, within a year."))
        one = Weighed(holds=True, code=found.code, citation=found.citation, review_on=review_on)
    before = plans.weighed_of(request)
    body = locating.asked_anew(request, before | {place: one})
    with transaction.atomic():
        held = lock(pk)
        if held.state != State.REVIEW or plans.weighed_of(held) != before:
            raise Conflict("weigh")
        because = Because(DecisionKind.WEIGHED, one.code or place[2], one.citation, text)
        note(held, decide(held, actor, because), place, one)
        details = {"code": because.code, "source": place[0], "category": place[1], "holds": holds}
        audit.record(held.case, audit.Entry("weighed", actor, pk, details=details))
        locating.store(held, body)
        _flag(held, body)
    return held


def note(request: PrivacyRequest, decision: Decision, place: Place, one: Weighed) -> Weighing:
    """Write down what a decision found about one place; in the caller's transaction."""
    source, category, doubt = place
    return Weighing.objects.create(
        request=request, decision=decision, source=source, category=category, doubt=doubt, holds=one.holds,
        code=one.code, citation=one.citation, review_on=one.review_on,
    )  # fmt: skip


def look_again(pk: int) -> None:
    """Make the plan of a deletion anew that waits in REVIEW for something to be weighed: a hold may have been lifted or
    placed by another ground, the data map corrected. Harmless where nothing waits, or a source does not answer."""
    request = PrivacyRequest.objects.select_related("case").get(pk=pk)
    plan = request.plans.newest()
    if request.right != Right.DELETION or request.state != State.REVIEW or plan is None:
        return
    if not plans.unweighed(plan.body()):
        return
    try:
        body = locating.asked_anew(request, plans.weighed_of(request))
    except Invalid:
        return
    if plans.digest(body) == plan.digest and len(plans.unweighed(body)) == len(plans.unweighed(plan.body())):
        return
    with transaction.atomic():
        held = lock(pk)
        if held.state == State.REVIEW:
            locating.store(held, body)
            _flag(held, body)


def _flag(request: PrivacyRequest, body: plans.Body) -> None:
    """What still needs judgement once something was weighed."""
    settled = {"weigh", "nothing_erasable", "hold"} - {*body["flags"]}
    judgement = sorted({*request.judgement, *body["flags"]} - settled)
    PrivacyRequest.objects.filter(pk=request.pk).update(judgement=judgement)
    request.judgement = judgement
