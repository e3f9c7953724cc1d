"""What a letter says of the work: per category what went, what stayed, why and until when."""

from collections.abc import Set
from datetime import timedelta
from operator import attrgetter
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from dsar import clock_events
from dsar.datamap import loader
from dsar.enums import COPY_RIGHTS, DecisionKind, Outcome, Right, StepKind, StepStatus
from dsar.law import codes
from dsar.models import Decision, PrivacyRequest
from dsar.models.once import once
from dsar.notices import Notice
from dsar.notifications import (
    correction_letter,
    dispute_letter,
    fates,
    interim_letter,
    kept_letter,
    report,
    restriction_letter,
    undisclosed,
)

WITH_ITEMS = frozenset({Notice.DONE_ERASED, Notice.NARROWED})
WITH_WORK = WITH_ITEMS | {
    Notice.CONFIRMED,
    Notice.REFUSED,
    Notice.DONE_KNOW,
    Notice.NOTHING_HELD,
    *dispute_letter.FINDINGS,
}
OF_RESTRICTIONS = frozenset({Notice.RESTRICTION_LIFTING, Notice.DONE_REVIEWED})
OF_THE_KEPT = frozenset({Notice.KEPT_ERASED, Notice.KEPT_ON})
WITH_CORRECTIONS = frozenset({Notice.DONE_CORRECTED, Notice.REFUSED})
# Where the words go that an approver wrote for the person. A deletion's stand in the mail that asks to confirm it.
AS_APPROVED = frozenset(
    {
        Notice.CONFIRM_READY, Notice.DONE_KNOW, Notice.DONE_COPY, Notice.DONE_CORRECTED, Notice.DONE_OBJECTION,
        Notice.DONE_RESTRICTED, Notice.DONE_CHOICE,
    }
)  # fmt: skip
WITH_UNDONE = frozenset({Notice.DONE_OBJECTION, Notice.DONE_RESTRICTED, Notice.DONE_CHOICE})
PLAN_MARK = 12
# What the plan takes away, and the mark of what nobody has come to yet.
ERASING, NOT_YET = ("erase", "mask"), "not_yet"
Lines = dict[tuple[str, str, str], dict[str, Any]]
UNDERSTOOD: dict[str, Any] = {
    Right.UNCLEAR: gettext_lazy("You wrote to us. A person will read it and see which right it is about."),
    Right.KNOW: gettext_lazy("You want to know which data we hold about you, where they come from and who gets them."),
    Right.ACCESS: gettext_lazy("You want a copy of your data."),
    Right.PORTABILITY: gettext_lazy("You want your data in a form that you can take elsewhere."),
    Right.DELETION: gettext_lazy("You want us to delete your account and your data."),
    Right.CORRECTION: gettext_lazy("You want us to correct something about you."),
    Right.OBJECTION: gettext_lazy("You object to a use of your data."),
    Right.RESTRICTION: gettext_lazy("You want us to restrict a use of your data."),
    Right.WITHDRAW_CONSENT: gettext_lazy("You withdraw a consent that you gave."),
    Right.OPT_OUT_SALE: gettext_lazy("You want us not to sell or share your data."),
    Right.OPT_OUT_TARGETED: gettext_lazy("You want us not to use your data for targeted advertising."),
    Right.LIMIT_SENSITIVE: gettext_lazy("You want us to limit the use of sensitive data about you."),
    Right.MARKETING_OPT_OUT: gettext_lazy("You want no more marketing from us."),
    Right.HUMAN_REVIEW: gettext_lazy("You want a person to look again at an automated decision about you."),
}


def understood(right: Right, *, take_back: bool = False) -> str:
    """What we understood, in one sentence."""
    if take_back:
        return _("You take back a choice that you made: %(choice)s.") % {"choice": right.label}
    return str(UNDERSTOOD[right])


def said_with_approval(request: PrivacyRequest) -> str:
    """What the approver wrote for the person, the newest word of it; empty where nothing was."""
    decision = request.decisions.filter(kind=DecisionKind.APPROVE).order_by("-pk").first()
    return request.case.unseal(decision.text_sealed, "decision") if decision else ""


def _plan_body(request: PrivacyRequest) -> dict[str, Any]:
    plan = once(request, "plan", request.plans.newest)
    return undisclosed.visible(request, plan.body()) if plan else {}


def items(request: PrivacyRequest) -> list[dict[str, Any]]:
    """What happened to each category (see `_items`), for pages. Of a deletion alone: no other right erases."""
    if request.right != Right.DELETION:
        return []
    body = _plan_body(request)
    return _items(request, body, since=kept_letter.gone_since(request, body)) if body else []


def known(request: PrivacyRequest) -> dict[str, Any] | None:
    """The report of a request to know that was granted, for pages; None otherwise, and after a purge."""
    if request.right != Right.KNOW or request.outcome not in (Outcome.GRANTED, Outcome.GRANTED_IN_PART):
        return None
    body = _plan_body(request)
    return _report(request, body)


def _report(request: PrivacyRequest, body: dict[str, Any]) -> dict[str, Any] | None:
    if not body:
        return None
    same = {"case__subject_id": request.case.subject_id} if request.case.subject_id else {"case_id": request.case_id}
    earlier = PrivacyRequest.objects.filter(**same, case__purged_at__isnull=True)
    return {**report.of_plan(_looked(request, body), request.case.law), "told": report.told(earlier)}


def _unsearched(body: dict[str, Any]) -> list[str]:
    """The sources that no machine reaches, by label: that nothing is held was not asked of them."""
    found = body.get("sources", {}).values()
    return [
        _(one["label"]) for one in found
        if one["status"] == "unknown" and not one["failure"] and not one.get("rotation_days")
    ]  # fmt: skip


def _looked(request: PrivacyRequest, body: dict[str, Any]) -> dict[str, Any]:
    """The plan with what the sources said that were asked again after it was made (fulfilment/knowing.py): by a machine
    its items, by a person whether anything is held."""
    items = list(body["items"])
    for step in request.steps.all():
        if (
            step.kind != StepKind.LOOK
            or step.status != StepStatus.DONE
            or any(one.get("failed") for one in step.tallies)
        ):
            continue
        there = [item for item in items if item["source"] == step.source]
        items = [item for item in items if item["source"] != step.source]
        if any(one.get("by_hand") for one in step.tallies):
            items += [{**item, "looked": True} for item in there]
        items += [one["item"] for one in step.tallies if "item" in one]
    return undisclosed.visible(request, {**body, "items": items})


def _items(
    request: PrivacyRequest,
    body: dict[str, Any],
    *,
    unfinished: bool = False,
    since: Set[tuple[str, str]] = frozenset(),
) -> list[dict[str, Any]]:
    """Per category: label, action (erased, by_hand, none, anonymised, kept, pending), count, reason, citation, until,
    review_on.

    Counts of what went are the workers' own, added up over the chunks; what stayed is as the frozen plan says, with
    the counts of the last look where a worker took one. What a person did by hand is told with where it was, uncounted.
    With `unfinished`, what nobody has come to yet is pending. `since`: (category, code) that was kept and is erased by now.
    """
    if not body:
        return []
    lines: Lines = {}
    labels = {item["category"]: _(item["label"]) for item in body["items"]}
    finished = _count_work(request, lines, labels, body)
    for item in body["items"]:
        category, action, source = item["category"], item["action"], item["source"]
        if action == "erase" and source in finished and item["count"] and (category, "erased", "") not in lines:
            # What went as the account was shut (signed-in devices) was no longer there to be erased. It is told by the
            # plan's count: a close that is repeated after a kill finds nothing to count.
            _add(lines, labels, category, "erased", item["count"])
        if unfinished and action in ERASING and source not in finished:
            _add(lines, labels, category, "pending", item["count"] or 0, code=NOT_YET)
        elif action in ("keep", "refer") and (category, item["code"]) not in finished.get(source, ()):
            line = _add(lines, labels, category, action, item["count"] or 0, code=item["code"])
            line |= {"action": "kept", "citation": item["citation"], "reason": fates.why(item, body)}
            fates.later(line, item)
        elif action == "backup":
            line = _add(lines, labels, category, "pending", 0)
            days = body["sources"].get(source, {}).get("rotation_days") or 0
            if request.ended_at:
                gone_on = timezone.localdate(request.ended_at) + timedelta(days=days)
                line |= {"reason": fates.in_backups(), "until": max(filter(None, (line["until"], gone_on)))}
            else:
                line["reason"] = fates.why(item, body)
    for (category, _action, code), line in lines.items():
        if line["action"] == "kept" and (category, code) in since:
            line |= {"action": "erased", "reason": "", "citation": "", "until": None, "review_on": None}
        line["count"] = line["count"] or None
    order = {"erased": 0, "by_hand": 1, "none": 2, "anonymised": 3, "kept": 4, "pending": 5}
    return sorted(lines.values(), key=lambda line: (order[line["action"]], line["label"]))


def to_sign(request: PrivacyRequest) -> dict[str, Any]:
    """What a deletion would do, for the page that a person without a mailbox signs: `planned` per category (label, action,
    what, reason, until, citation), `notes`, and `plan_mark`, which names the plan that was printed."""
    plan = request.plans.newest()
    if plan is None:
        return {}
    body = undisclosed.visible(request, plan.body())
    words = {
        "erase": ("erased", _("deleted")), "mask": ("anonymised", _("made anonymous")), "keep": ("kept", _("kept")),
        "refer": ("kept", _("stays with your organisation")), "backup": ("pending", _("goes when the backups are overwritten")),
    }  # fmt: skip
    lines: Lines = {}
    for item in body.get("items", []):
        action, what = words[item["action"]]
        line = lines.setdefault(
            (item["category"], item["action"], item["code"]),
            {"label": _(item["label"]), "action": action, "what": what, "citation": item["citation"], "until": None,
             "review_on": None, "reason": fates.kept_for(item["code"], body["regime"]) if item["action"] == "keep" else ""},
        )  # fmt: skip
        if item["action"] == "keep":
            fates.later(line, item)
    order = {"erased": 0, "anonymised": 1, "kept": 2, "pending": 3}
    planned = sorted(lines.values(), key=lambda line: (order[line["action"]], line["label"]))
    return {"planned": planned, "notes": notes(body, closing=True), "plan_mark": plan.digest[:PLAN_MARK]}


def _count_work(
    request: PrivacyRequest, lines: Lines, labels: dict[str, str], body: dict[str, Any]
) -> dict[str, set[tuple[str, str]]]:
    """Add what workers counted and what people did. Returns the sources whose erasing has ended, with the (category, code)
    pairs whose kept rows were counted there."""
    planned = {(item["category"], item["code"]) for item in body["items"] if item["action"] == "keep"}
    finished: dict[str, set[tuple[str, str]]] = {}
    hidden = undisclosed.places(request)
    for step in sorted(request.steps.all(), key=attrgetter("pk")):
        if step.kind != StepKind.ERASE or step.status != StepStatus.DONE:
            continue
        counted = finished.setdefault(step.source, set())
        where = _(body["sources"].get(step.source, {}).get("label", step.source))
        for tally in step.tallies:
            category, code = tally["category"], tally.get("code", "")
            if "by_hand" in tally:
                action = "by_hand" if tally["by_hand"] else "none"
                line = _add(lines, labels, category, action, 0, code=step.source)
                line["label"] = _("%(category)s (%(source)s)") % {"category": line["label"], "source": where}
            if gone := tally.get("removed", 0) + tally.get("absent", 0):
                _add(lines, labels, category, "erased", gone)
            if (step.source, category, code) in hidden:
                continue
            if tally.get("anonymised") and (category, code) not in planned:
                _add(lines, labels, category, "anonymised", tally["anonymised"])
            if tally.get("kept") and code:
                line = _add(lines, labels, category, "keep", tally["kept"], code=code)
                line |= {
                    "action": "kept", "citation": tally.get("citation", ""), "reason": fates.kept_for(code, body["regime"]),
                }  # fmt: skip
                fates.later(line, tally)
                counted.add((category, code))
    return finished


def _add(
    lines: Lines, labels: dict[str, str], category: str, action: str, number: int, *, code: str = ""
) -> dict[str, Any]:
    line = lines.setdefault(
        (category, action, code),
        {
            "label": labels.get(category, category), "action": action, "count": 0, "reason": "", "citation": "",
            "until": None, "review_on": None,
        },
    )  # fmt: skip
    line["count"] += number
    return line


def left_out(request: PrivacyRequest) -> list[dict[str, Any]]:
    """What a copy does not hold and why (GDPR Art 12(4), 15(4)): one line per category, reason and words.

    Each has label, rows, details (columns of further rows), reason, citation and text.
    """
    regime = request.case.law
    lines: dict[tuple[str, str, str], dict[str, Any]] = {}
    for one in undisclosed.redactions(request):
        label, said = _table_label(one.source, one.table), request.case.unseal(one.text_sealed, "redaction_text")
        found = codes.named(one.code, regime)
        line = lines.setdefault(
            (label, one.code, said),
            {
                "label": label, "rows": 0, "details": 0, "reason": str(found.label) if found else "",
                "citation": found.citation if found else "", "text": said,
            },
        )  # fmt: skip
        line["details" if one.column else "rows"] += 1
    return sorted(lines.values(), key=lambda line: line["label"])


def _table_label(source: str, table: str) -> str:
    """The category of a table in the words of the data map; the table's own name where the map has forgotten it."""
    described = loader.current()
    held = described.sources.get(source)
    found = held.tables.get(table) if held else None
    category = described.categories.get(found.category) if found else None
    if held and found is None:
        # What a person copied by hand has no table.
        return _(held.label)
    return _(category.label) if category else table


def the_copy(request: PrivacyRequest) -> dict[str, Any]:
    """What the letter about a copy says of it: its size in bytes, until when it can be had, what is not in it."""
    made = request.packages.filter(offered_at__isnull=False).order_by("-version").first()
    said = {"size": made.size, "rows": made.rows, "until": made.expires_at} if made else {}
    return {"copy": said, "left_out": left_out(request), "missing": missing(request)}


def missing(request: PrivacyRequest) -> list[dict[str, Any]]:
    """The sources that a copy does not hold: label, reason and citation, and `text`, why, as staff wrote it."""
    return _left(request, [StepKind.EXPORT], DecisionKind.GO_ON_WITHOUT)


def undone(request: PrivacyRequest) -> list[dict[str, Any]]:
    """The sources in which a correction, a restriction or a choice was not carried out, as `missing` has them."""
    return _left(request, [StepKind.RECTIFY, StepKind.RESTRICT, StepKind.APPLY, StepKind.LOOK], DecisionKind.NOT_DONE)


def _left(request: PrivacyRequest, kinds: list[StepKind], kind: DecisionKind) -> list[dict[str, Any]]:
    steps = [step for step in request.steps.all() if step.kind in kinds]
    left = [step.source for step in steps if any(tally.get("failed") for tally in step.tallies)]
    if not left:
        return []
    sources = _plan_body(request).get("sources", {})
    # Before a reason of the catalogue was asked for, the code was the source.
    said = {one.source or one.code: one for one in request.decisions.filter(kind=kind).order_by("pk")}
    return [
        {"label": _(sources.get(source, {}).get("label") or source), **_why(request, said.get(source))}
        for source in sorted(left)
    ]


def _why(request: PrivacyRequest, said: Decision | None) -> dict[str, str]:
    if said is None:
        return dict.fromkeys(("reason", "citation", "text"), "")
    found = codes.named(said.code, request.case.law)
    words = request.case.unseal(said.text_sealed, "decision")
    return {"reason": str(found.label) if found else "", "citation": said.citation, "text": words}


def of_the_work(request: PrivacyRequest, notice: str, *, silent: bool = False) -> dict[str, Any]:
    """What letters about the work need, read from the plan once: items, notes, the end of the coded mark.

    Notices that say nothing of it read nothing. `silent`: the reason of what the letter tells may not be told. Then neither
    may what would be named as kept, or as it is, for a reason: with EXEMPT that list is the reason.
    """
    if notice in WITH_CORRECTIONS and request.right == Right.CORRECTION and request.case.is_proven:
        fields = [] if silent else correction_letter.corrected(request)
        return {"corrected": fields, "undone": undone(request), "may_state": True}
    undoable = notice == Notice.REFUSED and request.right in (Right.RESTRICTION, Right.OBJECTION)
    if notice in WITH_UNDONE or undoable:
        return {"undone": undone(request)}
    if notice in OF_RESTRICTIONS:
        return restriction_letter.context(request, notice)
    if notice == Notice.DONE_COPY:
        return the_copy(request)
    if notice in OF_THE_KEPT:
        return {"items": kept_letter.items(request)}
    if notice == Notice.INTERIM:
        # Before the confirmation nothing is agreed: neither what goes nor what becomes of the money.
        body = _plan_body(request) if request.is_bound else {}
        legal = clock_events.told_on(request)
        return {
            "by_category": interim_letter.by_category(request, _plan_body(request)) if request.case.is_proven else {},
            "hear_by": legal if legal and legal >= clock_events.today(request) else None,
            "standing": interim_letter.standing(request),
            "items": _items(request, body, unfinished=True),
            "notes": notes(body),
        }
    if notice not in WITH_WORK or not request.case.is_proven:
        # What was located ahead of the proof is shown to nobody.
        return {}
    if notice == Notice.NOTHING_HELD:
        return {**kept_letter.after_deletion(request.case), "unsearched": _unsearched(_plan_body(request))}
    body = _plan_body(request)
    if notice == Notice.DONE_KNOW:
        asked = request.decisions.filter(kind=DecisionKind.FALL_BACK).order_by("pk").first()
        instead_of = Right(asked.code).label if asked else ""
        return {"report": _report(request, body), "undone": undone(request), "instead_of": instead_of}
    deletion = request.right == Right.DELETION
    if notice in dispute_letter.FINDINGS:
        return dispute_letter.context(request, notice, _items(request, body))
    if notice == Notice.REFUSED and request.right in COPY_RIGHTS:
        # Made, and then nothing of it could be given.
        return {"left_out": left_out(request), "missing": missing(request)} if request.begun_at else {}
    if notice == Notice.REFUSED:
        # What the plan keeps, and why: with EXEMPT the grounds. Something else was done only where the work had begun before
        # it was narrowed to nothing; there the person had heard of the rest, and what may not be told is out of `body`.
        lines = _items(request, body) if deletion and (request.is_bound or not silent) else []
        return {"items": lines if request.is_bound else [line for line in lines if line["action"] == "kept"]}
    if notice == Notice.CONFIRMED:
        day = clock_events.told_on(request) or request.due_on
        ahead = day if day and day >= clock_events.today(request) else None
        return {"notes": notes(body, closing=True), "due_ahead": ahead}
    return {
        "items": _items(request, body) if notice in WITH_ITEMS and deletion else [],
        "notes": notes(body) if deletion else [],
        "mark_until": report.mark_until(request.case) if request.ended_at else None,
    }


def notes(body: dict[str, Any], *, closing: bool = False) -> list[str]:
    """Sentences that hold for this person only: credits, automatic top-up, rows of an organisation. `closing`: the
    company's systems have not said yet that the account is shut."""
    found: list[str] = []
    view = money_view(body.get("money"))
    if view:
        if view["refund"]:
            found.append(
                _("Your remaining credit of %(amount)s %(currency)s goes back to your original means of payment within"
                  " %(days)s days.")
                % {"amount": view["refund"], "currency": view["currency"], "days": view["refund_by_days"]}
            )  # fmt: skip
        if view["lost"]:
            found.append(
                _("%(amount)s %(currency)s of credit cannot be refunded.")
                % {"amount": view["lost"], "currency": view["currency"]}
            )
            found.extend(view["lost_reasons"])
        if view["auto_topup"]:
            switched = _("Automatic top-up is switched off with the account.")
            found.append(switched if closing else _("Automatic top-up is switched off."))
    for name in body.get("organisations", []):
        found.append(
            _("What belongs to the organisation %(name)s stays with it. Please turn to it about that.") % {"name": name}
        )
    return found


def money_view(found: dict[str, Any] | None) -> dict[str, Any] | None:
    """Amounts as pages and letters show them, with the reasons in words."""
    if not found:
        return None
    words = {
        "crypto": _("Purchases with cryptocurrency are not refunded."),
        "terminated": _("The account was terminated for a violation, so credits are not refunded."),
        "expired": _("Credits that have expired are not refunded."),
        "promotional": _("Promotional credits are not refunded."),
    }
    return {
        "currency": found["currency"],
        "balance": f"{found['balance_cents'] / 100:.2f}",
        "refund": f"{found['refund_cents'] / 100:.2f}" if found["refund_cents"] else "",
        "lost": f"{found['lost_cents'] / 100:.2f}" if found["lost_cents"] else "",
        "refund_by_days": found["refund_by_days"],
        "lost_reasons": [words.get(reason, reason) for reason in found.get("lost_reasons") or []],
        "auto_topup": found.get("auto_topup", False),
    }
