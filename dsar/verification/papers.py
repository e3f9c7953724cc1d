"""Copies of identity papers: asked for only where nothing milder settles a doubt (GDPR Art 12(6); EDPB 01/2022), masked,
seen by few and each time on the record, destroyed as soon as the check is decided (law 12)."""

from typing import Final

from django.conf import settings
from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from dsar import audit, clock_events, proposals
from dsar.enums import CheckKind, CheckStatus, ClockEventKind, StepReason
from dsar.models import SYSTEM, Actor, Case, IdentityCheck, IdentityPaper, PrivacyRequest
from dsar.notices import Notice
from dsar.notifications import outbox
from dsar.workflow import Conflict, Forbidden, Invalid, each, lock_case

PAPERS: Final = 3
LONGEST: Final = 4000
# Why somebody opens one. A closed list: it stands in the audit trail, which holds no words about anybody.
REASONS: Final = {
    "decide": gettext_lazy("To decide who asks"),
    "second": gettext_lazy("To look as the second person"),
    "question": gettext_lazy("The person asked about it"),
    "wrong": gettext_lazy("To see whether it was sent here by mistake"),
}


def asked(case: Case) -> IdentityCheck | None:
    """The open question for a paper, or what came unasked and is still to be decided."""
    found = (one for one in case.checks.all() if one.kind == CheckKind.PAPER and one.status == CheckStatus.PENDING)
    return max(found, key=lambda one: one.pk, default=None)


def held(case: Case) -> QuerySet[IdentityPaper]:
    """What is there now."""
    found = IdentityPaper.objects.filter(check_ref__case=case, destroyed_at__isnull=True).order_by("pk")
    return found.select_related("check_ref__case", "filed_by")


def waits(case: Case) -> bool:
    """Whether anything of the case still waits for a surer look at who asks: only then is there room for a paper."""
    return not case.purged_at and bool(waiting(case))


def may_ask(request: PrivacyRequest) -> bool:
    """Whether a person of the desk may ask for one: something waits for a surer proof, and nothing is open."""
    return waits(request.case) and asked(request.case) is None


def may_decline(request: PrivacyRequest) -> bool:
    """Whether there is a question or a paper to end."""
    return asked(request.case) is not None


def ask(pk: int, why: str, text: str, *, actor: Actor) -> IdentityCheck:
    """Ask the person for a masked copy; `pk` is one request of the case. `why`: the doubt, for colleagues, sealed; `text`:
    what the person reads. Waiting for it stops the clock where the law says so. Raises Forbidden, Conflict, Invalid."""
    _handler(actor, "ask_paper")
    doubt, words = why.strip()[:LONGEST], text.strip()[:LONGEST]
    if not doubt:
        raise Invalid(_("Please write which doubt nothing milder settles: the law asks for that before a paper."))
    if not words:
        raise Invalid(_("Please write what the person should show, and what they should black out."))
    with transaction.atomic():
        case = lock_case(PrivacyRequest.objects.values_list("case_id", flat=True).get(pk=pk))
        if not waits(case) or asked(case) is not None:
            raise Conflict("ask_paper")
        check = _open(case, actor, doubt)
        audit.record(case, audit.Entry("identity_paper_asked", actor, pk))
        _note(case, ClockEventKind.IDENTITY_REQUESTED, actor, check)
        request = case.requests.get(pk=pk)
        request.case = case
        outbox.queue(request, Notice.PAPER_ASKED, text=words, author_id=actor.user_id)
    return check


def keep(case: Case, name: str, body: bytes, *, actor: Actor) -> IdentityPaper:
    """Keep a paper, sealed: from the person who was asked for it, or from a colleague to whom it came on another way.

    Raises Conflict (nobody asked for one, or nothing waits any more), Invalid (none, too large, too many).
    """
    if not body or len(body) > settings.EVIDENCE_BYTES:
        raise Invalid(
            _("Please choose a file of at most %(number)s MB.") % {"number": settings.EVIDENCE_BYTES // 1024**2}
        )
    with transaction.atomic():
        locked = lock_case(case.pk)
        check = asked(locked)
        if check is None and actor.is_handler and waits(locked):
            check = _open(locked, actor, "")
        if check is None or not waits(locked):
            raise Conflict("keep_paper")
        if held(locked).count() >= PAPERS:
            raise Invalid(_("There are %(number)s papers already. Please tell us in words.") % {"number": PAPERS})
        check.case = locked
        made = IdentityPaper(check_ref=check, filed_by_id=actor.user_id)
        made.fill(name, body)
        made.save(force_insert=True)
        proposals.heard(locked, audit.Entry("identity_paper_received", actor, details={"file": made.pk}))
        _note(locked, ClockEventKind.IDENTITY_RECEIVED, actor, check)
        locked.requests.filter(pk__in=[one.pk for one in waiting(locked)], attention="").update(
            attention=StepReason.PAPER
        )
    return made


def open_one(pk: int, reason: str, *, actor: Actor) -> IdentityPaper:
    """A paper for a handler who says why they open it; every time stands in the trail.

    Raises IdentityPaper.DoesNotExist, Conflict (destroyed, or the case was purged), Forbidden, Invalid (no reason).
    """
    _handler(actor, "open_paper")
    if reason not in REASONS:
        raise Invalid(_("Please say why you open it."))
    with transaction.atomic():
        found = IdentityPaper.objects.select_related("check_ref").get(pk=pk)
        found.check_ref.case = Case.objects.select_for_update().get(pk=found.check_ref.case_id)
        if found.body_sealed is None or found.of_case.purged_at:
            raise Conflict("no paper")
        details = {"file": pk, "reason": reason}
        audit.record(found.of_case, audit.Entry("identity_paper_seen", actor, details=details))
    return found


def decline(pk: int, *, actor: Actor) -> None:
    """It is not enough, or not needed any more: the question ends, and what came is destroyed. Raises Forbidden, Conflict."""
    _handler(actor, "decline_paper")
    with transaction.atomic():
        case = lock_case(PrivacyRequest.objects.values_list("case_id", flat=True).get(pk=pk))
        if asked(case) is None:
            raise Conflict("decline_paper")
        end(case, CheckStatus.FAILED, actor=actor)
        _note(case, ClockEventKind.IDENTITY_LAPSED, actor, None)


def end(case: Case, status: CheckStatus, *, actor: Actor) -> int:
    """The check is decided: whatever papers there are, are destroyed; that and by whom they were seen stays. The caller holds
    the case. Returns how many."""
    now = timezone.now()
    gone = IdentityPaper.objects.filter(check_ref__case=case, destroyed_at__isnull=True).update(
        name_sealed=None, body_sealed=None, destroyed_at=now
    )
    ended = case.checks.filter(kind=CheckKind.PAPER, status=CheckStatus.PENDING).update(
        status=status, decided_at=now, decided_by_id=actor.user_id
    )
    if gone or ended:
        case.requests.filter(attention=StepReason.PAPER).update(attention="")
        audit.record(case, audit.Entry("identity_papers_destroyed", actor, details={"files": gone}))
    return gone


def left_over() -> list[int]:
    """The cases with a question or a paper for which nothing waits any more: proven on another way, withdrawn, lapsed."""
    open_ones = IdentityCheck.objects.filter(kind=CheckKind.PAPER, status=CheckStatus.PENDING)
    cases = Case.objects.filter(pk__in=open_ones.values("case_id")).order_by("pk")
    return [case.pk for case in cases if not waits(case)]


def sweep() -> int:
    """End those, and destroy what came. Returns how many cases."""
    return each(left_over(), _let_go, "an identity paper could not be destroyed")


def _let_go(case_pk: int) -> bool:
    with transaction.atomic():
        case = lock_case(case_pk)
        if waits(case):
            return False
        end(case, CheckStatus.SUPERSEDED, actor=SYSTEM)
    return True


def _handler(actor: Actor, verb: str) -> None:
    if not actor.is_handler or actor.user_id is None:
        raise Forbidden(verb)


def _open(case: Case, actor: Actor, why: str) -> IdentityCheck:
    now = timezone.now()
    made: IdentityCheck = IdentityCheck.objects.create(
        case=case, kind=CheckKind.PAPER, seen_sealed=case.seal(why, "seen"), recorded_by_id=actor.user_id,
        created_at=now, expires_at=now + settings.RECORD_PERIOD,
    )  # fmt: skip
    return made


def waiting(case: Case) -> list[PrivacyRequest]:
    """The requests whose identity is looked at by people: below their tier, or of somebody without a mailbox."""
    found = sorted((one for one in case.requests.all() if one.asks_who), key=lambda one: one.pk)
    if case.is_proven and not case.mailbox_lost:
        return [one for one in found if one.tier_needed > case.proven_tier]
    return found if case.by_post or case.mailbox_lost else []


def _note(case: Case, kind: ClockEventKind, actor: Actor, check: IdentityCheck | None) -> None:
    known = case.requests.filter(pk__in=[one.pk for one in waiting(case)])
    for request in known.select_for_update(of=("self",)).order_by("pk"):
        request.case = case
        clock_events.note(request, kind, actor=actor, check=check)
