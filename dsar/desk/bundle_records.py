"""The records that stand beside a request and prove how it was handled: what was decided field by field and row by row, what
two people found, what came on paper, what was asked for. Each as plain data for a file of the bundle.

WHERE says of everything that hangs on a request or its case in which file it stands, or why it is in none.
"""

from collections.abc import Mapping
from typing import Any, Final

from accounts.models import User
from dsar.desk import story
from dsar.models import NonDisclosure, PrivacyRequest, Restriction

Facts = dict[str, Any]

# Of a request, and of its case: the name of what hangs on it to the file where it stands.
WHERE: Final[Mapping[str, str]] = {
    "appeals": "appeals", "opened_by": "request", "category_outcomes": "outcomes", "kept": "outcomes",
    "recipients": "outcomes", "clock_events": "dates", "decisions": "decisions", "messages": "conversation",
    "plans": "plan", "steps": "work", "packages": "copy", "checks": "identity", "representation": "identity",
    "lost_mailboxes": "identity", "corrections": "corrections", "evidence": "corrections", "fees": "fees",
    "redactions": "redactions", "weighings": "weighings", "proposals": "proposals", "law_changes": "law",
    "signed": "on_paper", "intakes": "on_paper", "restriction": "restriction", "choices": "choices",
    "recusals": "kept_apart", "non_disclosures": "silences", "followers": "request",
}  # fmt: skip
NOWHERE: Final[Mapping[str, str]] = {
    "copy_parts": "the data of a copy while it is made, never part of a proof",
    "requests": "another right of the same case has a bundle of its own",
}


def who(user: User | None) -> Facts | None:
    """A colleague by name and role; None for nobody."""
    return {"name": story.name_of(user), "role": str(user.get_role_display())} if user else None


def corrections(found: PrivacyRequest) -> Facts:
    """Field by field what was decided, by which article, by whom; and which files the person sent to show it. Never the
    values: they stand in the person's own words."""
    fields = found.corrections.select_related("proposed_by", "decided_by").order_by("pk")
    for one in fields:
        one.request = found
    return {
        "fields": [
            {
                "field": one.field, "status": one.status, "code": one.code, "citation": one.citation, "text": one.text,
                "proposed_by": who(one.proposed_by), "proposed_at": one.proposed_at,
                "decided_by": who(one.decided_by), "decided_at": one.decided_at,
            }
            for one in fields
        ],
        "files_from_the_person": list(found.evidence.order_by("pk").values("received_at", "size")),
    }  # fmt: skip


def fees(found: PrivacyRequest) -> list[Facts]:
    """What was asked for, by which article, and what became of it."""
    return [
        {
            "amount": one.amount, "currency": one.currency, "code": one.code, "citation": one.citation,
            "status": one.status, "asked_at": one.asked_at, "to_be_paid_by": one.answer_by,
            "settled_at": one.settled_at, "settled_by": who(one.settled_by), "decision": one.decision_id,
        }
        for one in found.fees.select_related("settled_by").order_by("pk")
    ]  # fmt: skip


def redactions(found: PrivacyRequest) -> list[Facts]:
    """What was left out of a copy: table and column, why, and who decided it. Not the row."""
    case = found.case
    return [
        {
            "number": one.pk, "source": one.source, "table": one.table, "column": one.column or None, "code": one.code,
            "text": case.unseal(one.text_sealed, "redaction_text"), "decided_by": who(one.decided_by),
            "decided_at": one.decided_at,
        }
        for one in found.redactions.select_related("decided_by").order_by("pk")
    ]  # fmt: skip


def weighings(found: PrivacyRequest) -> list[Facts]:
    """Which exception was weighed for what, and how; the words stand in the decision of that number."""
    fields = ("decision", "source", "category", "doubt", "holds", "code", "citation", "review_on")
    return [dict(one) for one in found.weighings.order_by("pk").values(*fields)]


def proposals(found: PrivacyRequest) -> list[Facts]:
    """Every refusal that one person proposed: also what the second one sent back, and what was withdrawn."""
    rows = found.proposals.select_related("proposed_by", "decided_by", "step").order_by("pk")
    for one in rows:
        one.request = found
    return [
        {
            "number": one.pk, "what": one.kind, "status": one.status, "code": one.code, "citation": one.citation,
            "text": one.text, "for_the_record": one.record, "keep": one.keep,
            "source": one.step.source if one.step else "", "review_on": one.review_on,
            "proposed_by": who(one.proposed_by), "proposed_at": one.proposed_at, "decided_by": who(one.decided_by),
            "decided_at": one.decided_at, "sent_back_because": one.note, "same_person": one.same_person,
            "law_that_forbids_to_tell": one.forbidden_by, "forbidden_until": one.forbidden_until,
        }
        for one in rows
    ]  # fmt: skip


def law(found: PrivacyRequest) -> list[Facts]:
    """Why this law: who said where the person lives, what applied before, who decided it."""
    return [
        {
            "before": one.before, "after": one.after, "country": one.country, "region": one.region,
            "status": one.status, "said_by": who(one.said_by) or "the person", "said_at": one.said_at,
            "decided_by": who(one.decided_by), "decided_at": one.decided_at,
        }
        for one in found.case.law_changes.select_related("said_by", "decided_by").order_by("pk")
    ]  # fmt: skip


def on_paper(found: PrivacyRequest) -> Facts:
    """How it came in, and the signed confirmation of a deletion: the day on it, who filed it, who agreed."""
    return {
        "came_in": list(found.case.intakes.order_by("pk").values("channel", "received_at", "size", "status")),
        "signed_confirmations": [
            {
                "came_on": one.came_on, "status": one.status, "plan_version": one.plan.version,
                "plan_digest": one.plan.digest, "filed_by": who(one.filed_by), "filed_at": one.filed_at,
                "agreed_by": who(one.decided_by), "agreed_at": one.decided_at,
            }
            for one in found.signed.select_related("plan", "filed_by", "decided_by").order_by("pk")
        ],
    }  # fmt: skip


def restriction(found: PrivacyRequest) -> Facts | None:
    """From when to when their data were kept and not used otherwise (GDPR Art 18); None where they never were."""
    fields = ("ground", "since", "lifts_at", "lifted_at")
    return Restriction.objects.filter(request=found).values(*fields).first()


def choices(found: PrivacyRequest) -> list[Facts]:
    """Opt-outs and objections that stand because of this request."""
    return [dict(one) for one in found.choices.order_by("pk").values("kind", "since", "taken_back_at")]


def kept_apart(found: PrivacyRequest) -> list[Facts]:
    """Colleagues who handle nothing of this person, since when, and who named them."""
    return [
        {
            "who": who(one.user), "named_by": who(one.named_by), "named_at": one.named_at,
            "ended_by": who(one.ended_by), "ended_at": one.ended_at,
        }
        for one in found.case.recusals.select_related("user", "named_by", "ended_by").order_by("pk")
    ]  # fmt: skip


def silences(found: PrivacyRequest) -> list[Facts]:
    """What a law forbids to tell the person: which one, who found so, since when, when somebody looks again. What proves
    that silence was right; for an authority alone."""
    names = ("first_by", "second_by", "end_by", "ended_by")
    return [_silence(one, found) for one in found.non_disclosures.select_related(*names, "redaction").order_by("pk")]


def _silence(one: NonDisclosure, found: PrivacyRequest) -> Facts:
    one.request = found
    return {
        "number": one.pk, "what": one.kind, "source": one.source or (one.redaction.source if one.redaction else ""),
        "category": one.category, "table": one.redaction.table if one.redaction else "", "code": one.code,
        "redaction": one.redaction_id, "law": one.citation, "why": one.text, "renews": one.renews_id,
        "first_by": who(one.first_by), "first_at": one.first_at, "second_by": who(one.second_by),
        "second_at": one.second_at, "same_person": one.same_person, "in_force_since": one.since,
        "looked_at_again_on": one.review_on, "end_proposed_by": who(one.end_by), "end_proposed_at": one.end_at,
        "ended_by": who(one.ended_by), "ended_at": one.ended_at,
    }  # fmt: skip
