"""Showing who somebody is where there is no mailbox to prove: a handler looks, and where the law or the danger asks for it
a second person looks too (GDPR Art 12(6); 11 CCR 7060-7062).

Whoever names an account and cannot read its mailbox is a stranger to it until shown otherwise. So, as for any lost
mailbox: tier 3 or two people, a notice to the address on file with a way to stop it, and some days before it counts.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

from django.conf import settings
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from dsar import audit
from dsar.datamap import loader
from dsar.enums import UNVERIFIED_RIGHTS, CheckKind, CheckStatus, ContactBy, Right, State, StepReason
from dsar.law import tiers
from dsar.models import SYSTEM, Actor, Case, IdentityCheck, PrivacyRequest, Subject
from dsar.models.privacy_request import NOT_ME
from dsar.notices import Notice
from dsar.notifications import outbox
from dsar.verification import confirmation, contact, data_points, papers, proving
from dsar.workflow import Conflict, Forbidden, Invalid

BATCH = 200
LONGEST = 4000
# What only the owner of an account can know and no field of the data map says. The colon keeps them apart from its fields.
OTHER_POINTS: Final = {
    "other:payment": gettext_lazy("The day and the sum of a payment"),
    "other:use": gettext_lazy("What was ordered, booked or used, and when"),
    "other:letters": gettext_lazy("What we and they have written to each other, and when"),
    "other:account": gettext_lazy("How the account is set up, or when it was opened"),
}


def methods(case: Case) -> list[str]:
    """The ways that reach what a waiting request of this case needs and its proof does not reach yet, by its law, the
    lowest first."""
    regime = case.law
    if case.mailbox_lost:
        # Whatever was asked for: from here on it may end in a copy.
        return [name for name in tiers.by_hand(regime, Right.ACCESS) if name != "agent_authority"]
    found: dict[str, None] = {}
    for request in _waiting(case):
        surer = (
            name for name in tiers.by_hand(regime, request.right) if tiers.reached(regime, name) > case.proven_tier
        )
        found |= dict.fromkeys(surer)
    if case.acts_as == "self":
        found.pop("agent_authority", None)
    return sorted(found, key=lambda name: tiers.reached(regime, name))


def is_lost(case: Case) -> bool:
    """Whether the person names an account whose mailbox they cannot read."""
    return bool(case.email_index) and (case.by_post or case.mailbox_lost)


def takes_approvers(case: Case, method: str) -> bool:
    """Whether two approvers have to look: a lost mailbox, and a way that does not reach tier 3, or somebody has objected."""
    if not is_lost(case):
        return False
    objected = case.mailbox_lost and case.lost_mailboxes.filter(objected_at__isnull=False).exists()
    return objected or tiers.reached(case.law, method) < tiers.REASONABLY_HIGH


def takes_two(case: Case, method: str) -> bool:
    """Whether a second person has to look. No machine compares what is compared by hand: one colleague's word is staff
    judgement, whatever it is called."""
    return method in tiers.POINTS or tiers.needs_second_person(method) or takes_approvers(case, method)


def comparable(case: Case) -> dict[str, Any]:
    """What may be compared by hand, with its words: what the data map lets a person state, less what this case wants corrected
    (11 CCR 7060(h)), and what stands in no field that anybody has corrected."""
    described = loader.current().fields
    named = [key for key, field in described.items() if field.identify]
    return {key: _(described[key].label) for key in data_points.usable(case, named)} | OTHER_POINTS


def pending(case: Case) -> IdentityCheck | None:
    """The check that waits for a second person or for its day."""
    found = (one for one in case.checks.all() if one.kind == CheckKind.BY_HAND and one.status == CheckStatus.PENDING)
    return max(found, key=lambda one: one.pk, default=None)


def may_record(request: PrivacyRequest) -> bool:
    """Whether there is something to show beyond a mailbox, or without one, and nothing recorded yet that waits."""
    case = request.case
    asked = case.mailbox_lost or (case.by_post and not case.is_proven) or _below_its_tier(request)
    return asked and pending(case) is None and bool(methods(case))


def awaits_second(request: PrivacyRequest) -> bool:
    """Whether a second person has to look."""
    case = request.case
    held = pending(case) if case.by_post or _below_its_tier(request) or case.mailbox_lost else None
    return held is not None and held.needs_second and held.confirmed_by_id is None


def _below_its_tier(request: PrivacyRequest) -> bool:
    return request.case.is_proven and not request.is_proven_enough


def words_of(key: str) -> str:
    """What was compared, in words, whether or not the data map knows it still."""
    field = loader.current().fields.get(key)
    return str(OTHER_POINTS.get(key) or (_(field.label) if field else key))


def record(
    pk: int,
    method: str,
    seen: str,
    *,
    actor: Actor,
    fields: Sequence[str] = (),
    signature: data_points.Signature | None = None,
) -> IdentityCheck:
    """Note how somebody showed who they are; `pk` is one request of the case. `seen`: what was seen, in words, sealed.
    Where things were compared, `fields` names them (`comparable`), and `signature` is what stands under the declaration that
    the person has sent, where the law wants one (11 CCR 7062(c)): it is kept, sealed, as one that was signed here.

    It counts at once only where neither a second person nor a notice to the address on file is needed. Raises Invalid,
    Conflict, Forbidden.
    """
    if not actor.is_handler:
        raise Forbidden("identity")
    text = seen.strip()[:LONGEST]
    if not text:
        raise Invalid(_("Please write what you saw: another person must be able to follow it."))
    request = PrivacyRequest.objects.select_related("case").get(pk=pk)
    now = timezone.now()
    with transaction.atomic():
        case, subject = proving.hold(request.case)
        request.case = case
        if not may_record(request):
            raise Conflict("identity")
        if method not in methods(case):
            raise Invalid(
                _("This way is not enough for what is asked for under this law. Please choose one of the list.")
            )
        if takes_approvers(case, method) and not actor.is_approver:
            raise Invalid(_("Two approvers have to look at this way. Please ask one, or choose one that is surer."))
        tier = tiers.reached(case.law, method)
        check = IdentityCheck.objects.create(
            case=case, kind=CheckKind.BY_HAND, method=method, tier=tier, seen_sealed=case.seal(text, "seen"),
            asked=_compared(case, method, fields), declaration_sealed=_declaration(case, method, signature, now),
            recorded_by_id=actor.user_id, created_at=now, expires_at=now + settings.RECORD_PERIOD,
            needs_second=takes_two(case, method),
        )  # fmt: skip
        case.lost_mailboxes.open().update(shown_by=check)
        audit.record(case, audit.Entry("identity_seen", actor, pk, details={"method": method, "tier": tier}))
        if not check.needs_second:
            papers.end(case, CheckStatus.PASSED, actor=actor)
            _decided(check, case)
            _settle(check, case, subject)
    return check


def _compared(case: Case, method: str, fields: Sequence[str]) -> list[str]:
    if method not in tiers.POINTS:
        return []
    named, known = list(dict.fromkeys(fields)), comparable(case)
    if len(named) < tiers.POINTS[method] or not known.keys() >= {*named}:
        raise Invalid(
            _("Please tick at least %(number)s things that you compared, and none that is to be corrected.")
            % {"number": tiers.POINTS[method]}
        )
    return named


def _declaration(case: Case, method: str, signature: data_points.Signature | None, now: datetime) -> bytes | None:
    if method not in tiers.DECLARED:
        return None
    if signature is None or not signature.name.strip():
        raise Invalid(
            _("Please write the name under the signed declaration, and its day: without one this way is not enough.")
        )
    if signature.on > timezone.localdate(now):
        raise Invalid(_("The day under the declaration is in the future. Please check it."))
    return case.seal(data_points.declared(case, signature), "declaration")


def judge(pk: int, agrees: bool, *, actor: Actor) -> IdentityCheck:
    """The second person agrees or does not; who recorded it cannot. Raises Invalid, Conflict, Forbidden."""
    if not actor.is_handler:
        raise Forbidden("identity")
    request = PrivacyRequest.objects.select_related("case").get(pk=pk)
    with transaction.atomic():
        case, subject = proving.hold(request.case)
        request.case = case
        check = pending(case)
        if check is None or not awaits_second(request):
            raise Conflict("identity")
        if check.recorded_by_id == actor.user_id:
            raise Invalid(_("You recorded it yourself. Please ask a colleague to look at it too."))
        if takes_approvers(case, check.method) and not actor.is_approver:
            raise Invalid(_("Two approvers have to look at this way. Please ask another approver."))
        if agrees and not comparable(case).keys() >= {*check.asked}:
            raise Invalid(
                _(
                    "Something that was compared is to be corrected by now: it shows nobody. Please compare another thing."
                )
            )
        check.case = case
        details = {"method": check.method, "tier": check.tier}
        papers.end(case, CheckStatus.PASSED if agrees else CheckStatus.FAILED, actor=actor)
        if agrees:
            check.confirmed_by_id = actor.user_id
            check.save(update_fields=["confirmed_by"])
            audit.record(case, audit.Entry("identity_confirmed", actor, pk, details=details))
            _decided(check, case)
            _settle(check, case, subject)
        else:
            check.status, check.decided_at, check.decided_by_id = CheckStatus.FAILED, timezone.now(), actor.user_id
            check.save(update_fields=["status", "decided_at", "decided_by"])
            audit.record(case, audit.Entry("identity_not_confirmed", actor, pk, details=details))
    return check


def note_not_me(pk: int, *, actor: Actor) -> None:
    """Somebody wrote or said that it was not them who asks: it stops at once, as by the link in a mail. Raises
    Forbidden, Invalid where something could not be stopped."""
    if not actor.is_handler:
        raise Forbidden("not_me")
    case = PrivacyRequest.objects.select_related("case").get(pk=pk).case
    with transaction.atomic():
        audit.record(Case.objects.select_for_update().get(pk=case.pk), audit.Entry("not_me_noted", actor, pk))
    try:
        confirmation.not_me(case)
    except confirmation.NotStopped:
        raise Invalid(_("Not everything could be stopped just now. Please try again in a minute.")) from None


def may_note_not_me(request: PrivacyRequest) -> bool:
    """Whether there is something to stop, or something was carried out that somebody has to look into: for whoever says it by
    letter or telephone, above all where the mailbox with its links is in other hands. A choice is stopped by nobody."""
    if request.case.purged_at or request.right in UNVERIFIED_RIGHTS or request.disputed_at is not None:
        return False
    if request.is_ended:
        return request.outcome in confirmation.CARRIED_OUT and request.attention != StepReason.DISPUTED
    return NOT_ME not in request.judgement or request.state not in (State.TRIAGE, State.REVIEW)


def sweep() -> int:
    """Let count whatever was announced long enough ago and nobody stopped. Returns how many."""
    done = 0
    due = IdentityCheck.objects.filter(
        kind=CheckKind.BY_HAND, status=CheckStatus.PENDING, counts_from__lte=timezone.now()
    ).select_related("case")
    for known in due.order_by("pk")[:BATCH]:
        with transaction.atomic():
            case, subject = proving.hold(known.case)
            check = IdentityCheck.objects.select_for_update(of=("self",)).get(pk=known.pk)
            if check.status == CheckStatus.PENDING:
                _settle(check, case, subject)
                done += 1
    return done


def _decided(check: IdentityCheck, case: Case) -> None:
    """People have decided; the address on file, where there is one, is told and has its days to say no."""
    if case.mailbox_lost:
        # Every known address is told first, by a worker (lost_mailbox.sweep): some have to be looked up.
        return
    now = timezone.now()
    check.counts_from = now + settings.LOST_MAILBOX if is_lost(case) else now
    check.save(update_fields=["counts_from"])
    if is_lost(case):
        request = case.requests.open().order_by("pk").first()
        outbox.queue_for_case(case, Notice.SHOWN_BY_HAND, request=request, to=case.email)


def _settle(check: IdentityCheck, case: Case, subject: Subject | None) -> None:
    now = timezone.now()
    if check.counts_from is None or check.counts_from > now:
        return
    check.status, check.decided_at, check.valid_until = CheckStatus.PASSED, now, now + settings.PROOF_LIFETIME
    check.save(update_fields=["status", "decided_at", "valid_until"])
    audit.record(case, audit.Entry("identity_shown", SYSTEM, details={"method": check.method, "tier": check.tier}))
    _move_to_new_address(check, case, now)
    proving.count_as_proven(case, subject, check.tier, now)


def _move_to_new_address(check: IdentityCheck, case: Case, now: datetime) -> None:
    """The rule of a lost mailbox has passed: from now on the case is written to at the new address."""
    held = case.lost_mailboxes.open().filter(shown_by=check).first()
    if held is None:
        return
    held.case, held.opened_at = case, now
    held.save(update_fields=["opened_at"])
    contact.change(case, held.address, ContactBy.LOST_MAILBOX)
    audit.record(case, audit.Entry("lost_mailbox_opened", SYSTEM))
    outbox.queue_for_case(case, Notice.ADDRESS_CHANGED, request=case.requests.order_by("pk").first())


def _waiting(case: Case) -> list[PrivacyRequest]:
    open_ones = [one for one in case.requests.all() if one.state in (State.VERIFYING, State.REVIEW)]
    reached = case.proven_tier if case.is_proven else None
    below = [one for one in open_ones if reached is None or one.tier_needed > reached]
    return [one for one in below if one.right and one.right not in UNVERIFIED_RIGHTS]
