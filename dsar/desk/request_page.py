"""The page of one request: where it stands, its next step, its plan, what was said, decided and done."""

from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils.translation import gettext as _

from dsar import clock_events, keys
from dsar.desk import (
    appeals,
    corrections,
    dates,
    filing,
    forms,
    frame,
    identity,
    identity_papers,
    law_verbs,
    progress,
    proposal_verbs,
    rows,
    silence_verbs,
    standing,
    story,
    tasks,
    words,
    work_forms,
)
from dsar.desk.catalogue import VERBS
from dsar.desk.next_step import next_step
from dsar.enums import UNVERIFIED_RIGHTS, DecisionKind, Right, State, StepReason
from dsar.fulfilment import plan as plans
from dsar.fulfilment import recourse
from dsar.law import countries
from dsar.models import Actor, Case, Plan, PrivacyRequest
from dsar.models.shown import newest_plan, whole
from dsar.notifications import letters
from dsar.review import decide, recuse, repeats
from dsar.verification import signed

OTHERS = 20
# Verbs whose forms stand beside what they decide.
IN_PANELS = ("by-hand", corrections.DECIDE)
# Verbs whose forms stand on the page of the copy alone, beside what they are about.
ON_COPY_PAGE = ("hand-over", "send-back")
Body = dict[str, Any]


def request_page(request: HttpRequest, pk: int) -> HttpResponse:
    """One request, for everybody who reads the desk."""
    return show(request, pk)


def fetch(pk: int) -> PrivacyRequest:
    """The request with its case; Http404 where there is none."""
    found: PrivacyRequest = get_object_or_404(PrivacyRequest.objects.select_related("case", "after__case"), pk=pk)
    return found


def plan_of(request: PrivacyRequest) -> tuple[Plan | None, Body]:
    """The newest plan and its body; none before the search, empty after a purge. None as long as nobody has shown who asks:
    the search runs ahead of the proof, and who merely named an address must not bring a colleague to look at what is held."""
    plan = newest_plan(request) if request.state != State.VERIFYING else None
    return plan, plan.body() if plan else {}


def show(
    http: HttpRequest,
    pk: int,
    *,
    failed: forms.VerbForm | None = None,
    verb: str = "",
    status: int = 200,
) -> HttpResponse:
    """Render the page as things stand now; `failed` takes the place of the form that could not be carried out, with what was
    typed. Http404 where there is no such request."""
    try:
        request = whole(pk)
    except PrivacyRequest.DoesNotExist:
        raise Http404 from None
    actor = frame.actor_of(http)
    context: dict[str, Any] = {"item": request, "case": request.case, "reference": request.case.reference}
    context |= {"right_label": request.title, "readable": _readable(request.case)}
    context |= _standing(request)
    if context["readable"]:
        context |= _contents(request, actor, failed, verb)
    context["person"] = _person(request.case, actor) if context["readable"] else {}
    context["identity"] = identity.panel(request, actor) if context["readable"] else None
    context["history"] = story.history(request.case)
    context["bundle_url"] = reverse("desk_bundle", args=[request.pk]) if frame.may(http, "desk_bundle") else ""
    context["others"] = _others(request)
    context["repeats"] = repeats.count(request) if request.right not in UNVERIFIED_RIGHTS else None
    return frame.page(http, "desk/request.html", "queue", context, status=status)


def _readable(case: Case) -> bool:
    if case.purged_at:
        return False
    try:
        case.key()
    except keys.Unreadable:
        return False
    return True


def _standing(request: PrivacyRequest) -> dict[str, Any]:
    """Clock and law."""
    case = request.case
    regime = case.law
    return {
        "deadline": rows.deadline(request, clock_events.today(request)),
        **dates.panel(request),
        **law_verbs.panel(request),
        "law": regime.text("short"),
        "law_name": regime.name,
        "place": countries.described(case.country, case.region),
        "ball": tasks.ball(request) or words.ball(request),
    }


def _contents(request: PrivacyRequest, actor: Actor, failed: forms.VerbForm | None, verb: str) -> dict[str, Any]:
    plan, body = plan_of(request)
    decided = list(request.decisions.all())
    work = progress.sources(body, list(request.steps.all()))
    coming = next_step(request, actor)
    made = _forms(request, actor, body)
    if failed is not None and verb not in IN_PANELS:
        made[verb] = failed
    first = coming.verb if coming.verb in made else ""
    with_owners = tasks.of_request(request, actor)
    for line in (line for source in work for line in source["lines"]):
        step = line["step"]
        line["task"] = with_owners.get(step.pk)
        if step.ends_by_hand(actor):
            bound = failed is not None and verb == "by-hand" and failed.data.get("step") == str(step.pk)
            form = (
                failed
                if bound and isinstance(failed, work_forms.StepForm)
                else work_forms.StepForm(request, f"by-hand-{step.pk}")
            )
            line["form"] = form.for_step(step)
    return {
        "steps": progress.stepper(request, decided),
        "next": coming,
        "next_verb": VERBS[first].fitted(request) if first else None,
        "next_form": made.get(first),
        "actions": [
            {"verb": VERBS[slug].fitted(request), "form": form, "open": slug == verb, "url": _url(request, slug)}
            for slug, form in made.items()
            if slug not in (first, *IN_PANELS, *ON_COPY_PAGE)
        ],
        "next_url": _url(request, first) if first else "",
        "next_barred": VERBS[coming.verb].bar(request, actor) if coming.verb and not first else None,
        "next_page": reverse(coming.page, args=[request.pk]) if coming.page and actor.is_handler else "",
        "signed_url": reverse("desk_signed", args=[request.pk])
        if actor.is_handler and signed.may_file(request)
        else "",
        "actor_handles": actor.is_handler,
        "signature": filing.signature(request),
        "by_hand_url": _url(request, "by-hand"),
        "failed": failed,
        **corrections.panel(
            request, actor, decide=corrections.DECIDE in made, failed=failed if verb == corrections.DECIDE else None
        ),
        **standing.panel(request, actor),
        **identity_papers.panel(request, actor),
        **appeals.of_request(request),
        # What a deletion would take away is no business of any other right.
        "plan": plans.summary(body) if body and request.right in (Right.DELETION, Right.UNCLEAR) else None,
        "held": _held(body) if request.right not in (Right.DELETION, Right.UNCLEAR) else [],
        "plan_row": plan,
        "work": work,
        "frozen": bool(plan and plan.frozen_at),
        "failures": _failures(body),
        "money": letters.money_view(body.get("money")) if request.right == Right.DELETION else None,
        "flags": [_flag(request, code) for code in request.judgement],
        "candidates": [
            {"hint": found["hint"], "reason": words.CANDIDATE_REASONS.get(found["reason"], found["reason"])}
            for found in body.get("candidates", [])
        ],
        "organisations": body.get("organisations", []),
        "conversation": story.conversation(request),
        "decisions": story.decisions(request, decided),
        "stuck": _stuck(request),
        **proposal_verbs.panel(request),
        **silence_verbs.panel(request),
        "apart": [
            {"who": story.name_of(one.user), "by": story.name_of(one.named_by)} for one in recuse.standing(request)
        ],
        "twin": decide.twin_of(request) if "merge" in made else None,
        "has_judged": any(
            one.kind in (DecisionKind.DISPUTE_FOUNDED, DecisionKind.DISPUTE_UNFOUNDED)
            and one.decided_by_id == actor.user_id
            and request.disputed_at is not None
            and one.decided_at >= request.disputed_at
            for one in decided
        ),
    }


def _held(body: Body) -> list[dict[str, Any]]:
    """What was found, per source and category; what an erasure would do with it concerns no other right."""
    if not body:
        return []
    lines: dict[tuple[str, str, bool], dict[str, Any]] = {}
    for item in body["items"]:
        if item["action"] == "backup":
            continue
        theirs = item["action"] == "refer"
        line = lines.setdefault(
            (item["source"], item["category"], theirs),
            {
                "label": _(item["label"]), "source": body["sources"][item["source"]]["label"], "count": 0,
                "organisation": theirs,
            },
        )  # fmt: skip
        line["count"] += item["count"] or 0
    return sorted(lines.values(), key=lambda line: (line["source"], line["label"]))


def _forms(request: PrivacyRequest, actor: Actor, body: Body) -> dict[str, forms.VerbForm]:
    """Only what exists now for this role."""
    return {
        slug: verb.form(request, slug, plan=body)
        for slug, verb in VERBS.items()
        if verb.allows(actor) and verb.is_there(request) and not verb.bar(request, actor)
    }


def _url(request: PrivacyRequest, slug: str) -> str:
    return reverse("desk_verb", args=[request.pk, slug])


def _failures(body: Body) -> list[dict[str, Any]]:
    if not body:
        return []
    return [
        {"label": body["sources"][key]["label"], "reason": words.attention(reason)}
        for key, reason in plans.failures(body).items()
    ]


def _stuck(request: PrivacyRequest) -> str:
    if not request.named_reason or request.attention == StepReason.DISPUTED:
        return ""
    return str(words.attention(request.named_reason))


def _person(case: Case, actor: Actor) -> dict[str, Any]:
    """Who asks. An auditor checks the work, not the person: name and address stay masked there."""
    if actor.is_handler:
        return {"name": case.name, "email": case.email, "postal": case.postal, "filed": filing.filed_with(case),
                "shown": filing.shown_by_hand(case)}  # fmt: skip
    hidden = {"name": f"{case.name[:1]}•••" if case.name else "", "postal": "•••" if case.postal_sealed else ""}
    return {**hidden, "email": case.email_masked, "masked": True}


def _others(request: PrivacyRequest) -> list[dict[str, Any]]:
    """Other requests of the case, and those of the same *proven* identity."""
    case = request.case
    found = [other for other in case.requests.all() if other.pk != request.pk]
    if case.subject_id:
        elsewhere = PrivacyRequest.objects.filter(case__subject_id=case.subject_id).exclude(case=case)
        found += elsewhere.select_related("case").order_by("-received_at", "-pk")[:OTHERS]
    found.sort(key=lambda other: (other.received_at, other.pk), reverse=True)
    return [
        {
            "url": reverse("desk_request", args=[other.pk]),
            "reference": other.case.reference,
            "right": other.title,
            "state": other.get_outcome_display() if other.is_ended else other.get_state_display(),
            "same_case": other.case_id == case.pk,
            "note": _("before this one") if request.after_id == other.pk else "",
        }
        for other in found[:OTHERS]
    ]


def _flag(request: PrivacyRequest, code: str) -> dict[str, str]:
    label, check = words.flag(code)
    said = [str(check)]
    if code == recourse.REFUSED_BEFORE:
        found = recourse.standing(request)
        said += [
            *map(str, found),
            _("Keep it by a hold, or by narrowing once it is confirmed; the rest may go.")
            if found
            else _("That is over."),
        ]
    return {"label": str(label), "check": " ".join(said)}
