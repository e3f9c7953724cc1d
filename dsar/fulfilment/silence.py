"""What a law forbids to tell: found by one approver, confirmed by another, looked at again within 90 days by two.

While it waits for the second person nothing is approved and no copy handed over: what was told cannot be taken back.
"""

from datetime import date, timedelta

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from dsar import proposals
from dsar.datamap import loader
from dsar.enums import Outcome, Right, SecondLook, SilenceKind, State, StepReason
from dsar.fulfilment import finish, locating
from dsar.fulfilment.by_hand import FILES
from dsar.law import codes
from dsar.models import Actor, NonDisclosure, PrivacyRequest, Redaction
from dsar.models.case import with_keys
from dsar.models.non_disclosure import LONGEST_DAYS, SILENT_ELSEWHERE
from dsar.models.once import once
from dsar.models.shown import newest_plan
from dsar.models.two_people import second_look
from dsar.notices import Notice
from dsar.notifications import kept_letter, outbox, undisclosed
from dsar.workflow import Conflict, Forbidden, Invalid, lock

BATCH = 200


def found(request: PrivacyRequest) -> list[tuple[str, str]]:
    """What could be kept from the person here, as (key, label): what the plan keeps, while a deletion or a request to know
    is in review; the whole rows that were taken out, while a copy is looked through."""
    return once(request, "silence", lambda: _found(request))


def _found(request: PrivacyRequest) -> list[tuple[str, str]]:
    standing = [one for one in request.non_disclosures.all() if one.is_standing]
    known = {(one.kind, one.source, one.category, one.code, one.redaction_id) for one in standing}
    if request.state == State.REVIEW and request.right in (Right.DELETION, Right.KNOW):
        plan = newest_plan(request)
        kept = [item for item in plan.body()["items"] if item["action"] == "keep" and item["code"]] if plan else []
        return [
            (
                _key(item["source"], item["category"], item["code"]),
                f"{_(item['label'])}: {_code(item['code'], request)}",
            )
            for item in kept
            if (SilenceKind.KEPT, item["source"], item["category"], item["code"], None) not in known
        ]
    if request.state == State.CHECKING:
        hidden = {redaction for *_rest, redaction in known}
        rows = sorted(request.redactions.all(), key=lambda row: row.pk)
        told = [row for row in rows if not row.column and row.pk not in hidden and row.table != FILES]
        return [(str(row.pk), f"{row.table} ({row.source}): {_code(row.code, request)}") for row in told]
    return []


def _code(code: str, request: PrivacyRequest) -> str:
    named = codes.named(code, request.case.law)
    return str(named.label) if named else code


def elsewhere(request: PrivacyRequest) -> list[NonDisclosure]:
    """What other requests of the same person do not tell, oldest first, while this one is open and could tell it; each with
    its request."""
    if request.is_ended or SILENT_ELSEWHERE not in request.judgement:
        return []
    return once(request, "silent_elsewhere", lambda: _elsewhere(request))


def _elsewhere(request: PrivacyRequest) -> list[NonDisclosure]:
    rows = NonDisclosure.objects.elsewhere(request).select_related("request__case", "redaction", "decision")
    known = list(rows.order_by("pk"))
    with_keys(one.request.case for one in known)
    return known


def same(request: PrivacyRequest) -> dict[str, NonDisclosure]:
    """What could be kept from the person here (by its key in `found`) and is not told elsewhere, with what stands there."""
    could = dict(found(request))
    rows = {_row(one): str(one.pk) for one in request.redactions.filter(pk__in=could)} if _is_checked(request) else {}
    known: dict[str, NonDisclosure] = {}
    for one in elsewhere(request) if could else ():
        if one.kind == SilenceKind.ROW and one.redaction:
            one.redaction.request = one.request
            places = [rows.get(_row(one.redaction), "")]
        elif one.kind == SilenceKind.KEPT:
            places = [_key(one.source, one.category, one.code)]
        else:
            places = [_key(*place) for place in sorted(undisclosed.places(one.request))]
        known |= {place: one for place in places if place in could and place not in known}
    return known


def _is_checked(request: PrivacyRequest) -> bool:
    return request.state == State.CHECKING


def _row(one: Redaction) -> tuple[str, str, str]:
    return one.source, one.table, one.request.case.unseal(one.row_sealed, "redaction")


def _key(source: str, category: str, code: str) -> str:
    return f"{source}|{category}|{code}"


def propose(pk: int, place: str, citation: str, text: str, review_on: date, *, actor: Actor) -> NonDisclosure:
    """Say that a law forbids to tell this (`place` as `found` names it), which one, and why. Counts once another approver
    has found so too. Raises Forbidden, Invalid, Conflict."""
    _may(actor, citation, text, review_on)
    with transaction.atomic():
        request = lock(pk)
        if place not in dict(found(request)):
            raise Conflict("non_disclosure")
        made = _new(request, citation, text, review_on, actor)
        if request.state == State.CHECKING:
            made.kind, made.redaction_id = SilenceKind.ROW, int(place)
            made.code = request.redactions.get(pk=int(place)).code
        else:
            made.kind = SilenceKind.KEPT
            made.source, made.category, made.code = place.split("|")
        made.save(force_insert=True)
        proposals.note_silence(request, "silence_proposed", made, actor)
        proposals.warn_others(request)
        _mark_plan(request)
        if made.redaction_id:
            finish.queue_packing(request)
    return made


def _may(actor: Actor, citation: str, text: str, review_on: date) -> None:
    if not actor.is_approver or actor.user_id is None:
        raise Forbidden("non_disclosure")
    if problem := proposals.forbidden_problem(citation, review_on):
        raise Invalid(problem)
    if not text.strip():
        raise Invalid(_("Please write why it may not be told, for the record."))


def _new(request: PrivacyRequest, citation: str, text: str, review_on: date, actor: Actor) -> NonDisclosure:
    return NonDisclosure(
        request=request, citation=citation.strip()[:200], review_on=review_on, first_by_id=actor.user_id or 0,
        text_sealed=request.case.seal(text.strip()[:8000], "non-disclosure"),
    )  # fmt: skip


def _mark_plan(request: PrivacyRequest) -> None:
    """What is not told is nothing that the person confirms: the plan says so, and its hash leaves it out. A frozen plan
    was confirmed as it stands."""
    plan = request.plans.newest()
    if plan is not None and not request.is_bound and request.right == Right.DELETION:
        locating.store(request, plan.body())


def judge(pk: int, number: int, agrees: bool, *, actor: Actor) -> NonDisclosure:
    """The second person agrees, and it is not told; or does not, and it is told like anything else. Raises Forbidden (not
    an approver, or who found it first), Conflict."""
    with transaction.atomic():
        request = lock(pk)
        one = request.non_disclosures.pending().filter(pk=number).first()
        if one is None:
            raise Conflict("non_disclosure")
        look = second_look([(one.first_by_id, one.first_at)], actor)
        if not actor.is_approver or (agrees and not look.counts):
            raise Forbidden("non_disclosure")
        now = timezone.now()
        one.request = request
        if agrees:
            one.second_by_id, one.second_at, one.since = actor.user_id, now, timezone.localdate(now)
            one.same_person = look == SecondLook.ALONE
            one.review_on = min(one.review_on, one.since + timedelta(days=LONGEST_DAYS))
            if one.renews_id:
                NonDisclosure.objects.filter(pk=one.renews_id).update(ended_at=now, ended_by_id=actor.user_id)
        else:
            one.ended_at, one.ended_by_id = now, actor.user_id
        one.save()
        proposals.note_silence(request, "silence_confirmed" if agrees else "silence_declined", one, actor)
        if not agrees:
            _mark_plan(request)
            if one.redaction_id and request.state == State.CHECKING:
                finish.queue_packing(request)
        _settle_attention(request)
    return one


def renew(pk: int, number: int, citation: str, text: str, review_on: date, *, actor: Actor) -> NonDisclosure:
    """Say that the law still forbids it: the first of two looks again. Raises Forbidden, Invalid, Conflict."""
    _may(actor, citation, text, review_on)
    with transaction.atomic():
        request = lock(pk)
        old = _in_force(request, number)
        made = _new(request, citation, text, review_on, actor)
        made.kind, made.source, made.category, made.code = old.kind, old.source, old.category, old.code
        made.redaction_id, made.decision_id, made.renews = old.redaction_id, old.decision_id, old
        made.save(force_insert=True)
        proposals.note_silence(request, "silence_proposed", made, actor)
    return made


def _in_force(request: PrivacyRequest, number: int) -> NonDisclosure:
    one = request.non_disclosures.standing().filter(pk=number, second_at__isnull=False).first()
    if one is None or one.renewed_by.pending().exists():
        raise Conflict("non_disclosure")
    return one


def end(pk: int, number: int, *, actor: Actor) -> NonDisclosure:
    """Say that it may be told now; with the second person it is. What a deletion still keeps is told by letter. Raises
    Forbidden, Conflict."""
    if not actor.is_approver:
        raise Forbidden("non_disclosure")
    with transaction.atomic():
        request = lock(pk)
        one = _in_force(request, number)
        now = timezone.now()
        if one.end_at is None or one.end_by_id is None:
            one.end_by_id, one.end_at = actor.user_id, now
            one.save(update_fields=["end_by", "end_at"])
            proposals.note_silence(request, "silence_end_proposed", one, actor)
            return one
        look = second_look([(one.end_by_id, one.end_at)], actor)
        if not look.counts:
            raise Forbidden("non_disclosure")
        one.ended_by_id, one.ended_at = actor.user_id, now
        one.save(update_fields=["ended_by", "ended_at"])
        proposals.note_silence(request, "silence_ended", one, actor)
        _mark_plan(request)
        _settle_attention(request)
        _tell(request, one)
    return one


def _tell(request: PrivacyRequest, one: NonDisclosure) -> None:
    if request.case.purged_at or not request.is_ended:
        return
    if one.kind == SilenceKind.KEPT and request.kept.filter(source=one.source, category=one.category).exists():
        outbox.queue(request, Notice.KEPT_ON)
    if one.kind == SilenceKind.REFUSAL:
        told = Notice.REFUSED if request.outcome == Outcome.DENIED else Notice.NARROWED
        outbox.queue(request, told, decision=one.decision, dedupe=f"told:{one.pk}")


# --- the clock --------------------------------------------------------------------------------------------------------


def due(request: PrivacyRequest) -> list[NonDisclosure]:
    """Those whose day of review has come and that nobody has renewed."""
    today = timezone.localdate()
    return [
        one for one in request.non_disclosures.standing().order_by("pk") if one.second_at and one.review_on <= today
    ]


def sweep() -> int:
    """Raise by name what two people have to look at again. Returns how many requests."""
    late = NonDisclosure.objects.standing().filter(second_at__isnull=False, review_on__lte=timezone.localdate())
    waiting = PrivacyRequest.objects.filter(non_disclosures__in=late, attention="", case__purged_at__isnull=True)
    pks = list(waiting.order_by("pk").values_list("pk", flat=True).distinct()[:BATCH])
    return PrivacyRequest.objects.filter(pk__in=pks, attention="").update(attention=StepReason.SILENCE)


def _settle_attention(request: PrivacyRequest) -> None:
    if not due(request):
        PrivacyRequest.objects.filter(pk=request.pk, attention=StepReason.SILENCE).update(attention="")


def label(one: NonDisclosure) -> str:
    """What is not told, for colleagues."""
    if one.kind == SilenceKind.KEPT:
        source = loader.current().sources.get(one.source)
        return f"{kept_letter.label(one.category)} ({_(source.label) if source else one.source})"
    if one.kind == SilenceKind.ROW:
        return _("A row of %(table)s") % {"table": one.redaction.table if one.redaction else ""}
    return _("The reason of the refusal")
