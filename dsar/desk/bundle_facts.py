"""What a bundle for an authority says of one request: one function for each of its files, all as plain data.

Everything is read as it stands; of a purged case numbers, codes and dates are left, and that is what is said. Never in it:
what was handed over as a copy, papers, what colleagues noted for each other, secrets of links.
"""

from collections.abc import Iterable

from django.db.models import Q, QuerySet

from dsar import clock_events
from dsar.desk import story
from dsar.desk.bundle_reader import AMONG_US, is_plain
from dsar.desk.bundle_records import Facts, who
from dsar.enums import CheckKind, Outcome
from dsar.fulfilment import plan as plans
from dsar.law.errors import LawError
from dsar.models import Appeal, AuditEvent, ClockEvent, Message, PrivacyRequest, RequestRecord
from dsar.notices import TO_COLLEAGUES, MessageStatus
from dsar.notifications import letters, paper, report


def request(found: PrivacyRequest) -> Facts:
    """What was asked, by whom, how and when, in the person's own words; and how it ended."""
    case = found.case
    regime = case.law
    return {
        "reference": case.reference, "number": found.pk, "right": found.right, "right_in_words": found.title,
        "channel": case.channel, "acts_as": case.acts_as, "received_at": found.received_at,
        "law": {"id": case.regime, "version": case.regime_version, "name": str(regime.name)},
        "country": case.country, "region": case.region, "language": case.language,
        "person": {"name": case.name, "email": case.email, "written_to_at": case.contact, "postal": case.postal},
        "in_their_words": found.statement, "state": found.state, "outcome": found.outcome,
        "outcome_in_words": str(Outcome(found.outcome).label), "ended_at": found.ended_at,
        "personal_data_destroyed_at": case.purged_at, "after": found.after_id,
        "begun_anew_by": Appeal.objects.filter(opened=found).values("kind", "request", "decided_at").first(),
        "before": list(found.followers.order_by("pk").values_list("pk", flat=True)),
    }  # fmt: skip


def dates(found: PrivacyRequest) -> Facts:
    """Every date with its arithmetic in words, what stopped the clock and by what that can be shown."""
    said: Facts = {
        "due_on": found.due_on, "law_has_a_date": found.legal_date is not None, "our_target": found.target_on,
        "first_due_on": found.original_due_on, "extended_at": found.extended_at,
        "decided_on": clock_events.today(found, found.ended_at) if found.ended_at else None,
        "answered_on": found.answered_on,
        "acknowledged_on": clock_events.acknowledged_on(found),
        "events": [_clock_event(one) for one in found.clock_events.in_order()],
    }  # fmt: skip
    try:
        counted = clock_events.dates(found)
    except LawError:
        return {**said, "rule": "", "citation": "", "arithmetic": []}
    return {
        **said, "rule": str(counted.due.rule), "citation": counted.due.citation, "law_version": counted.due.version,
        "zone": counted.due.zone, "arithmetic": list(counted.due.explain()),
        "by_guidance_alone": list(counted.by_guidance.explain()) if counted.by_guidance else [],
    }  # fmt: skip


def _clock_event(one: ClockEvent) -> Facts:
    return {
        "on": one.on, "what": one.kind, "in_words": str(one.get_kind_display()), "noted_at": one.noted_at,
        "shown_by": {"letter": one.message_id, "decision": one.decision_id, "identity_check": one.check_ref_id},
    }  # fmt: skip


def decisions(found: PrivacyRequest) -> list[Facts]:
    """Every decision: code, article, the source that it is about, the words that the person read, who, when, and who
    confirmed it."""
    rows = found.decisions.select_related("decided_by", "second_by").order_by("pk")
    return [
        {
            "number": one.pk, "what": one.kind, "in_words": str(one.get_kind_display()), "code": one.code,
            "citation": one.citation, "source": one.source, "text": found.case.unseal(one.text_sealed, "decision"),
            "decided_by": who(one.decided_by), "decided_at": one.decided_at, "second_by": who(one.second_by),
            "second_at": one.second_at, "same_person": one.same_person,
        }
        for one in rows
    ]  # fmt: skip


def outcomes(found: PrivacyRequest) -> Facts:
    """The outcome per category with its reason, and what is still kept until when."""
    return {
        "categories": list(
            found.category_outcomes.order_by("pk").values("category", "outcome", "code", "until", "review_on")
        ),
        "still_kept": list(found.kept.order_by("pk").values("source", "category", "code", "until", "review_on")),
        "recipients_told": [
            {
                "recipient": report.recipient_label(one.recipient), "categories": one.categories, "status": one.status,
                "at": one.at, "why_not": found.case.unseal(one.text_sealed, "recipient"),
            }
            for one in found.recipients.order_by("pk")
        ],
    }  # fmt: skip


def identity(found: PrivacyRequest) -> Facts:
    """How it was made sure who asks: methods, tiers, when and by whom. No papers, and not what was seen on them."""
    case = found.case
    ours = (CheckKind.OWNER_LINK, CheckKind.OWNER_CODE)
    checks = case.checks.exclude(kind__in=ours).select_related("recorded_by", "confirmed_by").order_by("pk")
    return {
        "tier_needed": found.tier_needed, "tier_proven": case.proven_tier, "mailbox_proven_at": case.email_proven_at,
        "checks": [
            {
                "number": one.pk, "kind": one.kind, "in_words": str(one.get_kind_display()), "method": one.method,
                "status": one.status, "tier": one.tier, "asked": one.asked, "begun_at": one.created_at,
                "decided_at": one.decided_at, "wrong_attempts": one.wrong_attempts,
                "declaration_kept": one.declaration_sealed is not None, "recorded_by": who(one.recorded_by),
                "confirmed_by": who(one.confirmed_by), "counts_from": one.counts_from,
            }
            for one in checks
        ],
        "representative": _representative(found),
        # How the case came to be written to at another address (verification/lost_mailbox.py).
        "lost_mailboxes": [
            {
                "asked_at": one.asked_at, "noted_by": who(one.asked_by), "shown_by_check": one.shown_by_id,
                "announced_at": one.noticed_at, "counts_from": one.opens_at, "counted_at": one.opened_at,
                "objected_at": one.objected_at, "dropped_at": one.dropped_at,
            }
            for one in case.lost_mailboxes.select_related("asked_by").order_by("pk")
        ],
    }  # fmt: skip


def _representative(found: PrivacyRequest) -> Facts | None:
    held = getattr(found.case, "representation", None)
    if held is None:
        return None
    return {
        "acts_as": held.kind, "asked_at": held.asked_at, "may_follow": held.may_follow,
        "may_receive": held.may_receive, "allowed_at": held.allowed_at, "authority_seen": [
            {"by": who(by), "at": at}
            for by, at in (
                (held.first_seen_by, held.first_seen_at), (held.second_seen_by, held.second_seen_at),
            )
            if at
        ],
        "refused_at": held.refused_at, "ended_at": held.revoked_at,
    }  # fmt: skip


def plan(found: PrivacyRequest) -> list[Facts]:
    """Every plan that was frozen, with what its hash covers, word for word: SHA-256 of `material` is `digest`."""
    said = []
    for one in found.plans.frozen().order_by("version"):
        one.request = found
        body = one.body()
        said.append(
            {
                "version": one.version, "digest": one.digest, "made_at": one.made_at,
                "frozen_at": one.frozen_at, "material": plans.material(body) if body else "",
                "items": [
                    {name: item.get(name) for name in ("source", "category", "label", "action", "count", "code",
                                                       "citation", "until", "review_on")}
                    for item in body.get("items", [])
                ],
            }
        )  # fmt: skip
    return said


def work(found: PrivacyRequest) -> Facts:
    """The certificate of what was carried out: every step with its itemised counts; for a deletion what became of each
    category, as the letter tells it."""
    return {
        "confirmed_at": found.confirmed_at, "released_at": found.released_at, "steps": [
            {
                "source": one.source, "kind": one.kind, "in_words": str(one.get_kind_display()), "status": one.status,
                "reason": one.reason, "finished_at": one.finished_at, "counts": one.tallies,
            }
            for one in found.steps.order_by("position", "pk")
        ],
        "as_told": letters.items(found) if not found.case.purged_at else [],
        "tasks_of_data_owners": list(
            found.steps.filter(owner_tasks__isnull=False).order_by("owner_tasks__pk").values(
                "source", "owner_tasks__status", "owner_tasks__due_on", "owner_tasks__answered_at"
            )
        ),
    }  # fmt: skip


def copies(found: PrivacyRequest) -> list[Facts]:
    """What was handed over, by its manifest: which tables, how many rows, what was left out and why. Not the data."""
    return [
        {
            "version": one.version, "status": one.status, "size": one.size, "sha256": one.digest, "rows": one.rows,
            "made_at": one.made_at, "offered_at": one.offered_at, "expires_at": one.expires_at,
            "downloads": one.downloads, "downloaded_at": one.downloaded_at, "file_removed_at": one.gone_at,
            "manifest": one.manifest(found.case),
        }
        for one in found.packages.order_by("version")
    ]  # fmt: skip


def appeals(found: PrivacyRequest) -> list[Facts]:
    """Appeals, complaints and grievances: the person's words, who decided, how and why."""
    said: list[Facts] = []
    for one in found.appeals.select_related("decided_by", "opened__case").order_by("pk"):
        one.request = found
        said.append(
            {
                "kind": one.kind, "channel": one.channel, "received_at": one.received_at, "words": one.words,
                "acknowledge_by": one.acknowledge_by, "acknowledged_at": one.acknowledged_at,
                "due_on": one.due_on, "extended_at": one.extended_at, "outcome": one.outcome,
                "decided_by": who(one.decided_by), "decided_at": one.decided_at, "reasons": one.reasons,
                "opened_request": one.opened.case.reference if one.opened else None,
            }
        )  # fmt: skip
    return said


def record(found: PrivacyRequest) -> Facts | None:
    """The entry of the log of requests (11 CCR 7101); None where its period is over, or before the end."""
    held = RequestRecord.objects.filter(request_id=found.pk).values().first()
    return dict(held) if held else None


def messages(found: PrivacyRequest) -> QuerySet[Message]:
    """What was written about this request or about its case as a whole, oldest first; not what stays inside the house,
    as notes and what goes to data owners and colleagues."""
    mine = Q(request=found) | Q(request__isnull=True)
    rows = found.case.messages.filter(mine).exclude(status=MessageStatus.NOTE).exclude(notice__in=TO_COLLEAGUES)
    return rows.select_related("request", "check_ref", "decision", "author").order_by("created_at", "pk")


def conversation(found: PrivacyRequest, written: Iterable[tuple[Message, str]]) -> list[Facts]:
    """Every message with the letter that it is, where it is one (`written`: the message and the name of its file)."""
    return [
        {
            "number": one.pk, "at": one.sent_at or one.created_at, "status": one.status,
            "from": "person" if one.status == MessageStatus.RECEIVED else "company", "kind": one.notice,
            "in_words": str(one.get_notice_display()) if one.notice else "", "by_post": one.by_post, "letter": file,
            "text": one.text if one.status == MessageStatus.RECEIVED or not one.notice else "",
        }
        for one, file in written
    ]  # fmt: skip


def is_letter(one: Message) -> bool:
    """Whether what it says can be read again: a letter of a case that was not purged."""
    return one.case.purged_at is None and paper.is_letter(one)


def timeline(events: list[AuditEvent], *, told: bool) -> list[Facts]:
    """The history in words, oldest first; where not everything is `told`, without numbers, without what colleagues do among
    themselves, and without the grounds, which stand in the decisions."""
    known = story.names(events)
    found = []
    for event in events:
        one = story.told(event, known)
        said = {"at": event.at, "what": str(one["what"]), "who": one["who"], "detail": one["detail"]}
        if told:
            found.append({"number": event.number, **said})
        elif event.what not in AMONG_US:
            found.append(said if is_plain(event) else {**said, "detail": ""})
    return found
