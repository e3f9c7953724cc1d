"""Corrections: proposed by the person or by staff, looked up in the sources, decided field by field (GDPR Art 16;
11 CCR 7023). What is accepted when the request is approved is what the workers carry out."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from typing import Any

from django.conf import settings
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from dsar import audit, proposals
from dsar.connectors.base import NotSupported, SourceError
from dsar.connectors.registry import connector
from dsar.datamap import loader
from dsar.enums import ActorKind, CorrectionStatus, Outcome, Right, State
from dsar.law import codes
from dsar.models import Actor, Correction, Evidence, Message, PrivacyRequest
from dsar.models.shown import newest_plan
from dsar.notices import MessageStatus
from dsar.workflow import Conflict, Forbidden, Invalid, lock

LONGEST = 500
FILES = 5
STATEMENT = 4000
OPEN = (State.LOCATING, State.REVIEW, State.CLARIFYING)


@dataclass(frozen=True)
class Said:
    """What one source says in one field now; `unknown` where it could not be asked."""

    source: str
    values: tuple[str, ...]
    unknown: bool = False


def fields() -> list[tuple[str, str]]:
    """What can be corrected, as (key, label)."""
    described = loader.current()
    return [(key, _(described.fields[key].label)) for key in described.correctable]


def label_of(field: str) -> str:
    """The words for a field; its key where the data map no longer names it."""
    found = loader.current().fields.get(field)
    return _(found.label) if found else field


def is_open(request: PrivacyRequest) -> bool:
    """Whether corrections may still be proposed."""
    return request.right == Right.CORRECTION and request.state in OPEN and request.case.is_proven


def undecided(request: PrivacyRequest) -> bool:
    """Whether a field waits for its decision."""
    return any(one.status == CorrectionStatus.PROPOSED for one in request.corrections.all())


def clean(field: str, value: str) -> str:
    """A value in the form its kind of field has. Raises Invalid, which says what is wrong."""
    described = loader.current()
    found = described.fields.get(field) if field in described.correctable else None
    text = " ".join(value.split())
    if found is None:
        raise Invalid(_("Please choose one of the fields."))
    if not text or len(text) > LONGEST:
        raise Invalid(_("Please write what it should say, in at most %(number)s characters.") % {"number": LONGEST})
    if found.kind == "date":
        try:
            return date.fromisoformat(text).isoformat()
        except ValueError:
            raise Invalid(_("Please write the day as year-month-day, for instance 1990-12-31.")) from None
    if found.kind == "country":
        if not re.fullmatch(r"[A-Za-z]{2}", text):
            raise Invalid(_("Please write the country as its two letters, for instance DE or US."))
        return text.upper()
    if found.kind == "phone" and not re.fullmatch(r"\+?[0-9][0-9 ()./-]{3,30}", text):
        raise Invalid(_("Please write the telephone number in figures, for instance +49 30 901820."))
    if found.kind == "email" and not re.fullmatch(r"[^@\s]+@[^@\s]+\.[^@\s]+", text):
        raise Invalid(_("Please write a whole e-mail address."))
    return text


def propose(pk: int, field: str, value: str, *, actor: Actor) -> Correction:
    """Say what a field should say; said again, the newer words count and are decided anew.

    By the proven person, or by a handler who read it in their words. Raises Invalid, Conflict (not open any more).
    """
    if not (actor.is_handler or actor.kind == ActorKind.REQUESTER):
        raise Forbidden("propose")
    text = clean(field, value)
    with transaction.atomic():
        request = lock(pk)
        if not is_open(request):
            raise Conflict("propose")
        if field in request.case.checks.rests_on(request.tier_needed):
            # 11 CCR 7060(h): what is to be corrected proves nobody.
            raise Invalid(
                _("This very detail has shown who asks, so it cannot be corrected on the strength of that. Please show it in"
                  " another way first, by signing in for instance.")
            )  # fmt: skip
        found, _made = Correction.objects.update_or_create(
            request=request, field=field,
            defaults={
                "new_sealed": request.case.seal(text, "correction-new"), "status": CorrectionStatus.PROPOSED,
                "old_sealed": None, "code": "", "citation": "", "text_sealed": None, "decided_by": None,
                "decided_at": None, "confirmed_by": None, "confirmed_at": None,
                "proposed_by_id": actor.user_id, "proposed_at": timezone.now(),
            },
        )  # fmt: skip
        proposals.heard(request.case, audit.Entry("correction_proposed", actor, pk, details={"field": field}))
    return found


def current(request: PrivacyRequest, keys: list[str]) -> dict[str, list[Said]]:
    """What the sources say in these fields at this moment, per field. Reads only; a source that does not answer says so."""
    found: dict[str, list[Said]] = {key: [] for key in keys}
    for name, label, ref, here in _holding(request, keys):
        try:
            said = connector(name).current(ref, here) if ref else None
        except (SourceError, NotSupported):
            said = None
        for key in here:
            found[key].append(Said(label, (said or {}).get(key, ()), unknown=said is None))
    return found


def _holding(request: PrivacyRequest, keys: list[str]) -> Iterator[tuple[str, str, str, tuple[str, ...]]]:
    """The sources that hold the person and one of these fields: key, label, the person's key there, which fields."""
    plan = newest_plan(request) if keys else None
    for name, held in plan.body()["sources"].items() if plan else ():
        source = loader.current().sources.get(name)
        here = tuple(key for key in keys if source and key in source.correctable)
        if source and here and held["status"] != "none":
            yield name, source.label, held["ref"], here


def version_of(correction: Correction) -> str:
    """What a page that shows a wish says that it showed: written again, the wish has another one."""
    return correction.proposed_at.isoformat()


def decide(pk: int, correction: int, accept: bool, code: str, text: str, *, seen: str, actor: Actor) -> Correction:
    """Accept one field, or refuse it by a code of the law's catalogue and in words that the person reads.

    `seen` is the `version_of` the wish that was read: nobody decides what they have not seen. Raises Invalid (also where
    the wish was written anew), Conflict (not in review, or decided already), Forbidden (approvers alone).
    """
    if not actor.is_approver:
        raise Forbidden("decide_correction")
    request = PrivacyRequest.objects.select_related("case").get(pk=pk)
    known = request.corrections.filter(pk=correction).first()
    if known is None:
        raise Invalid(_("This field is not part of the request."))
    cited = None
    described = loader.current().fields.get(known.field)
    if accept and described is None:
        raise Invalid(
            _("The data map does not name this field any more: nothing could be corrected. Please refuse it.")
        )
    if accept and described and described.kind == "email":
        # The old address has proven who asks; nobody has shown yet who reads the new one.
        raise Invalid(
            _("A new e-mail address is written only once it is proven, and that cannot be done here. Please refuse it"
              " with “To be changed in the account settings”, where the new address is proven.")
        )  # fmt: skip
    if not accept:
        cited = codes.refusal(code, request.case.law, Right.CORRECTION)
        if cited is None:
            raise Invalid(_("This reason is not valid for a correction under this law. Please choose one."))
        if not text.strip():
            raise Invalid(_("Please write the reason: the requester reads it."))
    said = current(request, [known.field]).get(known.field, [])
    if accept:
        known.request = request
        _must_fit(known)
    old = "\n".join(f"{one.source}: {', '.join(one.values)}" for one in said)
    with transaction.atomic():
        request = lock(pk)
        # The sources took their time, and the person may have written meanwhile.
        known = request.corrections.get(pk=correction)
        if request.state != State.REVIEW or known.status != CorrectionStatus.PROPOSED:
            raise Conflict("decide_correction")
        if version_of(known) != seen:
            raise Invalid(_("This field was changed meanwhile. Please read it again, then decide."))
        known.request = request
        known.status = CorrectionStatus.ACCEPTED if accept else CorrectionStatus.REFUSED
        known.code, known.citation = (cited.code, cited.citation) if cited else ("", "")
        known.text_sealed = request.case.seal(text.strip()[:8000], "correction-text")
        known.old_sealed = request.case.seal(old, "correction-old")
        known.decided_by_id, known.decided_at = actor.user_id, timezone.now()
        known.save(
            update_fields=["status", "code", "citation", "text_sealed", "old_sealed", "decided_by", "decided_at"]
        )
        details = {"field": known.field, **({"code": known.code} if known.code else {})}
        audit.record(request.case, audit.Entry(f"correction_{known.status}", actor, pk, details=details))
    return known


def may_confirm(request: PrivacyRequest) -> bool:
    """Whether refused fields wait for a confirmation of their own. Where one alone refused, the last step of another is
    that already."""
    if request.right != Right.CORRECTION or request.state != State.REVIEW:
        return False
    fields = list(request.corrections.all())
    refusers = {one.decided_by_id for one in fields if one.status == CorrectionStatus.REFUSED}
    settled = all(one.status != CorrectionStatus.PROPOSED for one in fields)
    return settled and len(refusers) > 1 and any(one.waits_for_second for one in fields)


def to_confirm(request: PrivacyRequest) -> str:
    """What a page that shows the refused fields says that it showed: decided anew, they have another one."""
    waiting = sorted((one for one in request.corrections.all() if one.waits_for_second), key=lambda one: one.pk)
    return ",".join(f"{one.pk}@{one.decided_at:%Y%m%d%H%M%S%f}" for one in waiting)


def confirm(pk: int, *, seen: str, actor: Actor) -> int:
    """Confirm, as the second person, the fields that others refused; one's own stay for somebody else. `seen` is the
    `to_confirm` that was read. Returns how many.

    So two who each refused a field can finish: each confirms the other's. Raises Invalid (none but one's own, or changed
    meanwhile), Conflict, Forbidden (approvers alone).
    """
    if not actor.is_approver or actor.user_id is None:
        raise Forbidden("confirm_correction")
    with transaction.atomic():
        request = lock(pk)
        if not may_confirm(request):
            raise Conflict("confirm_correction")
        if to_confirm(request) != seen:
            raise Invalid(_("A field was changed meanwhile. Please read it again, then decide."))
        if not (confirmed := confirm_rest(request, actor)):
            raise Invalid(_("You refused these fields yourself. Somebody else has to look at them."))
    return confirmed


def confirm_rest(request: PrivacyRequest, actor: Actor) -> int:
    """Note this person as the second for what others refused. In the caller's transaction, which holds the request."""
    others = request.corrections.unconfirmed().exclude(decided_by_id=actor.user_id)
    fields = list(others.order_by("pk").values_list("field", flat=True))
    others.update(confirmed_by_id=actor.user_id, confirmed_at=timezone.now())
    entries = [audit.Entry("correction_confirmed", actor, request.pk, details={"field": field}) for field in fields]
    if entries:
        audit.record(request.case, *entries)
    return len(fields)


def _must_fit(known: Correction) -> None:
    """Raise Invalid where a source cannot hold what is wished: the approver hears it, and not the worker afterwards. A
    source that does not answer is no reason to wait."""
    for name, label, _ref, _here in _holding(known.request, [known.field]):
        try:
            fits = connector(name).fits({known.field: known.new})
        except SourceError:
            continue
        if not fits:
            raise Invalid(
                _("“%(source)s” cannot hold this value: it is too long, or of another kind. Please refuse it, or ask the"
                  " person for a shorter one.") % {"source": label}
            )  # fmt: skip


def check_ready(request: PrivacyRequest) -> None:
    """Raise Invalid where a correction cannot be approved yet: nothing accepted, or a field still open."""
    if undecided(request):
        raise Invalid(_("Please accept or refuse every field first."))
    if not request.corrections.filter(status=CorrectionStatus.ACCEPTED).exists():
        raise Invalid(_("No field is accepted. Add what should be corrected, or refuse the request with its reason."))


def attach(pk: int, name: str, body: bytes, *, actor: Actor) -> Evidence:
    """Keep a file that the person sent for this correction, sealed. Raises Invalid, Conflict."""
    if not body or len(body) > settings.EVIDENCE_BYTES:
        raise Invalid(
            _("Please choose a file of at most %(number)s MB.") % {"number": settings.EVIDENCE_BYTES // 1024**2}
        )
    with transaction.atomic():
        request = lock(pk)
        if not is_open(request):
            raise Conflict("attach")
        if request.evidence.count() >= FILES:
            raise Invalid(_("You have sent %(number)s files already. Please tell us in words.") % {"number": FILES})
        made = Evidence(request=request, size=len(body))
        made.name_sealed = request.case.seal(name[:200], f"evidence-name-{made.uid}")
        made.body_sealed = request.case.seal(body, f"evidence-{made.uid}")
        made.save(force_insert=True)
        proposals.heard(request.case, audit.Entry("evidence_received", actor, pk, details={"bytes": len(body)}))
    return made


def open_evidence(pk: int, *, actor: Actor) -> Evidence:
    """A file that the person sent, for a handler who opens it; who did stands in the trail, once a day.

    Raises Evidence.DoesNotExist, Conflict (purged), Forbidden.
    """
    if not actor.is_handler:
        raise Forbidden("open_evidence")
    with transaction.atomic():
        found = Evidence.objects.get(pk=pk)
        found.request = lock(found.request_id)
        if found.body_sealed is None or found.request.case.purged_at:
            raise Conflict("no file")
        audit.note_opening(found.request.case, "evidence_opened", actor, found.request_id, pk)
    return found


def may_state(request: PrivacyRequest) -> bool:
    """Whether a correction was refused, wholly or in part, so that a statement may be attached."""
    if request.right != Right.CORRECTION or not request.is_ended or not request.case.is_proven:
        return False
    return request.outcome in (Outcome.DENIED, Outcome.GRANTED_IN_PART)


def state(pk: int, text: str, *, actor: Actor) -> Message:
    """Keep the person's own statement beside what was not corrected (GDPR Art 16, second sentence; 11 CCR 7023(f)).

    It is kept with the case: no source of ours takes one. Raises Invalid, Conflict.
    """
    cleaned = text.strip()[:STATEMENT]
    if not cleaned:
        raise Invalid(_("Please write your statement."))
    with transaction.atomic():
        request = lock(pk)
        if not may_state(request):
            raise Conflict("state")
        proposals.heard(request.case, audit.Entry("statement_attached", actor, pk))
        PrivacyRequest.objects.filter(pk=pk, unread_at__isnull=True).update(unread_at=timezone.now())
        return Message.objects.create(
            case=request.case, request=request, status=MessageStatus.RECEIVED,
            text_sealed=request.case.seal(cleaned, "message"),
        )  # fmt: skip


def panel(request: PrivacyRequest, *, open_values: bool) -> list[dict[str, Any]]:
    """What the desk shows: per field, old beside new, as the sources say at this moment while it is undecided.

    Without `open_values` (an auditor) the values stay shut.
    """
    found = sorted(request.corrections.all(), key=lambda one: one.pk)
    for one in found:
        one.request = request
    now = current(request, [one.field for one in found if not one.decided_at]) if open_values else {}
    return [
        {
            "correction": one,
            "label": label_of(one.field),
            "new": one.new if open_values else "•••",
            "old": _old(one, now.get(one.field, [])) if open_values else [],
            "reason": codes.named(one.code, request.case.law),
            "by_person": one.proposed_by_id is None,
        }
        for one in found
    ]


def _old(one: Correction, now: list[Said]) -> list[str]:
    if one.decided_at:
        return one.old.splitlines()
    return [
        _("%(source)s: cannot be asked now") % {"source": said.source}
        if said.unknown
        else f"{said.source}: {', '.join(said.values) or _('empty')}"
        for said in now
    ]
