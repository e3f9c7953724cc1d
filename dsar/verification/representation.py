"""Who asks for somebody else: what the person lets them do, and the authority of those who stand for the person.

An agent never confirms, withdraws or chooses for the person. A guardian, attorney or estate does all that the person
could, once two approvers have seen the authority (11 CCR 7063; GDPR Art 12; Cal. Prob. Code 4121-4130).
"""

from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from dsar import audit, proposals
from dsar.enums import STANDING_KINDS, CheckKind, CheckStatus, ContactBy, RepresentativeKind, StepReason
from dsar.law import representing
from dsar.models import (
    REQUESTER,
    Actor,
    AuthorityPaper,
    Case,
    IdentityCheck,
    Message,
    PrivacyRequest,
    Representation,
)  # fmt: skip
from dsar.models.once import once
from dsar.notices import Notice
from dsar.notifications import outbox
from dsar.verification import contact
from dsar.workflow import Conflict, Forbidden, Invalid, lock_case, move

PAPERS = 5
LONGEST = 4000


def of(case: Case) -> Representation | None:
    """Who asks for the person of this case, if anybody does. Asked once an object: a page asks often."""
    if case.acts_as == "self":
        return None
    found: Representation | None = getattr(case, "representation", None)
    return found


def papers_of(held: Representation) -> list[AuthorityPaper]:
    """The papers that came with it, the destroyed ones too, without what is in them."""
    papers = held.papers.defer("body_sealed").order_by("pk")
    return once(held.case, "authority_papers", lambda: list(papers))


def _held(case_pk: int) -> Representation:
    """The representation with its locked case, inside the caller's transaction. Raises Conflict where there is none."""
    found = of(lock_case(case_pk))
    if found is None:
        raise Conflict("no representative")
    return found


def _not_standing(case_pk: int, verb: str) -> Representation:
    """The same, where the person decides: who stands for them is ended by an objection or an approver alone."""
    found = _held(case_pk)
    if found.stands:
        raise Conflict(verb)
    return found


# --- what the person says --------------------------------------------------------------------------------------------


def allow(case: Case, *, follow: bool, receive: bool) -> None:
    """The person lets somebody ask for them, and says what else they may; said again, the newer words count.

    The caller has shown that this is the person. Raises Conflict where nobody asks for them, or somebody lawfully
    stands for them.
    """
    now = timezone.now()
    with transaction.atomic():
        held = _not_standing(case.pk, "allow")
        if held.second_seen_at:
            # An authority that has ended does not come back by what the person allows now.
            _begin_again(held)
        proof = held.case.checks.filter(kind__in=[CheckKind.MAILBOX, CheckKind.CODE], status=CheckStatus.PASSED)
        Representation.objects.filter(pk=held.pk).update(
            may_follow=follow, may_receive=receive, allowed_at=now, allowed_by=proof.order_by("-decided_at").first(),
            revoked_at=None,
        )  # fmt: skip
        details = {"as": held.kind, "follow": follow, "receive": receive}
        proposals.heard(held.case, audit.Entry("representative_allowed", REQUESTER, details=details))
        if follow or receive:
            outbox.queue_for_case(
                held.case, Notice.REP_NEWS, request=held.case.requests.order_by("pk").first(), to=held.email
            )


def take_back(case: Case) -> None:
    """The person lets them do nothing (any more), from this moment on. Repeatable. Raises Conflict as `allow` does."""
    with transaction.atomic():
        held = _not_standing(case.pk, "take_back")
        Representation.objects.filter(pk=held.pk).update(
            may_follow=False, may_receive=False, revoked_at=timezone.now()
        )  # fmt: skip
        proposals.heard(held.case, audit.Entry("representative_not_allowed", REQUESTER, details={"as": held.kind}))


def not_wanted(case: Case) -> None:
    """The person wants nothing of what was asked in their name: it is withdrawn, as far as it can be (law 3)."""
    take_back(case)
    for pk in list(case.requests.open().order_by("pk").values_list("pk", flat=True)):
        try:
            move(pk, "withdraw", actor=REQUESTER)
        except Conflict:
            continue


# --- the representative's own way in ---------------------------------------------------------------------------------


def send_code(standing: Representation) -> IdentityCheck | None:
    """Mail a one-time code to the representative's own address. None over the daily limit."""
    with transaction.atomic():
        held = _held(standing.case_id)
        message = outbox.queue_for_case(held.case, Notice.REP_CODE, to=held.email)
    return message.check_ref if message else None


def newest_code(standing: Representation) -> IdentityCheck | None:
    """The code that was sent last."""
    return IdentityCheck.objects.filter(case_id=standing.case_id, kind=CheckKind.REP_CODE).order_by("-pk").first()


def may_ask_permission(request: PrivacyRequest) -> bool:
    """Whether an agent may be asked for the person's signed permission: the law lets us, and nobody has seen one or let them
    ask."""
    held = of(request.case)
    if held is None or held.kind != RepresentativeKind.AGENT or request.is_ended or not request.right:
        return False
    wanted = representing.demand(request.case.law, held.kind, request.right)
    return wanted.permission and held.first_seen_at is None and held.allowed_at is None


def ask_permission(pk: int, text: str, *, actor: Actor) -> Message | None:
    """Ask an agent for the signed permission, at their own address; `text`: a sentence that they read, or nothing. Once a day.
    The person is asked for nothing by it, and a choice goes on meanwhile. Raises Forbidden, Conflict."""
    if not actor.is_handler:
        raise Forbidden("ask_permission")
    with transaction.atomic():
        request = PrivacyRequest.objects.get(pk=pk)
        held = _held(request.case_id)
        request.case = held.case
        if not may_ask_permission(request):
            raise Conflict("ask_permission")
        once = f"permission:{held.pk}:{timezone.localdate().isoformat()}"
        asked: Message | None = outbox.queue_for_case(
            held.case, Notice.PERMISSION_ASKED, request=request, to=held.email, text=text.strip()[:LONGEST], dedupe=once
        )
        if asked is not None:
            audit.record(held.case, audit.Entry("permission_asked", actor, pk))
    return asked


# --- the authority ---------------------------------------------------------------------------------------------------


def name_one(case: Case, kind: str, name: str, email: str, *, actor: Actor) -> Representation:
    """Write down, for a case that came by mail, letter or telephone, who asks for the person. They get a link of their
    own. Raises Conflict where somebody is written down already, Forbidden, Invalid (the person's own address)."""
    if not actor.is_handler:
        raise Forbidden("name_one")
    with transaction.atomic():
        held = Case.objects.select_for_update().get(pk=case.pk)
        if of(held) is not None:
            raise Conflict("name_one")
        made = Representation.named(held, kind, name, email, actor.user_id)
        if not made.email_index or made.email_index == held.email_index:
            raise Invalid(_("Please enter an address of their own: this one is the person's, or none."))
        made.save(force_insert=True)
        held.acts_as = kind
        held.save(update_fields=["acts_as"])
        audit.record(held, audit.Entry("representative_named", actor, details={"as": kind}))
        outbox.queue_for_case(held, Notice.REP_ASKED, request=held.requests.order_by("pk").first(), to=made.email)
    return made


def attach(case: Case, name: str, body: bytes, *, actor: Actor) -> AuthorityPaper:
    """Keep a paper that shows the authority, sealed, until it is decided. By its holder or by staff who received it.

    Raises Conflict (nobody asks for the person, or they stand already), Invalid (none, too large, too many).
    """
    if not body or len(body) > settings.EVIDENCE_BYTES:
        raise Invalid(
            _("Please choose a file of at most %(number)s MB.") % {"number": settings.EVIDENCE_BYTES // 1024**2}
        )
    with transaction.atomic():
        held = _held(case.pk)
        if held.stands:
            raise Conflict("attach")
        if held.papers.filter(destroyed_at__isnull=True).count() >= PAPERS:
            raise Invalid(_("There are %(number)s papers already. Please tell us in words.") % {"number": PAPERS})
        made = AuthorityPaper(representation=held)
        made.fill(name, body)
        made.save(force_insert=True)
        proposals.heard(held.case, audit.Entry("authority_received", actor, details={"as": held.kind}))
        open_ones = PrivacyRequest.objects.open().filter(case=held.case, attention="")
        open_ones.update(attention=StepReason.AUTHORITY)
    return made


def open_paper(pk: int, *, actor: Actor) -> AuthorityPaper:
    """A paper, for a handler who opens it; who did stands in the trail, once a day.

    Raises AuthorityPaper.DoesNotExist, Conflict (destroyed, or the case was purged), Forbidden.
    """
    if not actor.is_handler:
        raise Forbidden("open_paper")
    with transaction.atomic():
        found = AuthorityPaper.objects.select_related("representation").get(pk=pk)
        case = Case.objects.select_for_update().get(pk=found.representation.case_id)
        found.representation.case = case
        if found.body_sealed is None or case.purged_at:
            raise Conflict("no paper")
        audit.note_opening(case, "authority_paper_opened", actor, None, pk)
    return found


def seen(case: Case, words: str, *, actor: Actor) -> Representation:
    """An approver has seen the authority, and says what was seen. With the second, who is somebody else, the
    representative stands for the person: the case is written to at their address, their proof of that mailbox counts, and
    they may confirm. Every address of the person that we know is told, with a link that stops it.

    An agent's signed permission (11 CCR 7026(j), 7063) needs one look and gives nothing more. After a refusal, an end or
    an objection two people look afresh. Raises Forbidden, Conflict (they stand already), Invalid (the same person twice).
    """
    text = _said(words, actor, "seen")
    now = timezone.now()
    with transaction.atomic():
        held = _held(case.pk)
        if held.stands:
            raise Conflict("seen")
        if held.is_decided and held.kind in STANDING_KINDS:
            _begin_again(held)
        if held.first_seen_by_id == actor.user_id and held.kind in STANDING_KINDS:
            raise Invalid(_("You have seen it already. A second approver has to look at it too."))
        which = "second" if held.first_seen_by_id and held.kind in STANDING_KINDS else "first"
        changed: dict[str, Any] = {f"{which}_seen_by_id": actor.user_id, f"{which}_seen_at": now}
        changed[f"{which}_words_sealed"] = held.case.seal(text, f"authority-{which}")
        _store(held, **changed)
        audit.record(held.case, audit.Entry(f"authority_seen_{which}", actor, details={"as": held.kind}))
        if which == "second":
            _begin_to_stand(held)
        if which == "second" or held.kind == RepresentativeKind.AGENT:
            _clear_attention(held.case)
    return held


def refuse(case: Case, words: str, *, actor: Actor) -> None:
    """The papers do not show it. The representative reads why; the person can go on alone. Raises Forbidden, Conflict,
    Invalid (no words)."""
    text = _said(words, actor, "refuse_authority")
    with transaction.atomic():
        held = _held(case.pk)
        if held.stands or held.refused_at:
            raise Conflict("refuse_authority")
        _begin_again(held)
        _store(
            held, refused_by_id=actor.user_id, refused_at=timezone.now(),
            refused_words_sealed=held.case.seal(text, "authority-refused"),
        )  # fmt: skip
        audit.record(held.case, audit.Entry("authority_refused", actor, details={"as": held.kind}))
        _destroy_papers(held)
        _clear_attention(held.case)
        outbox.queue_for_case(held.case, Notice.REP_REFUSED, to=held.email, text=text)


def end(case: Case, words: str, *, actor: Actor) -> None:
    """The authority has ended (the child is grown up, the power was withdrawn): the case is written to at its own address
    again, and whoever goes on proves that one. Raises Forbidden, Conflict (nobody stands), Invalid (no words)."""
    text = _said(words, actor, "end_authority")
    with transaction.atomic():
        held = _held(case.pk)
        _end(held, actor, "authority_ended")
        outbox.queue_for_case(held.case, Notice.REP_REFUSED, to=held.email, text=text)


def object_to(case: Case) -> bool:
    """Somebody at an address of the person says that nobody stands for them. It ends at once, and two approvers have to
    look afresh before anybody does. True where there was anything to end."""
    with transaction.atomic():
        held = of(lock_case(case.pk))
        if held is None or not held.stands:
            return False
        _end(held, REQUESTER, "authority_objected")
        open_ones = PrivacyRequest.objects.open().filter(case=held.case)
        open_ones.filter(attention="").update(attention=StepReason.AUTHORITY)
        for pk in list(open_ones.filter(confirmed_at__isnull=False).order_by("pk").values_list("pk", flat=True)):
            try:
                move(pk, "dispute", actor=REQUESTER)
            except Conflict:
                continue
    return True


def left_over() -> QuerySet[AuthorityPaper]:
    """Papers that nobody will decide about any more: their case has ended before the authority was seen. What was seen stays
    for as long as the case."""
    seen = Q(representation__second_seen_at__isnull=False) | Q(
        representation__kind=RepresentativeKind.AGENT, representation__first_seen_at__isnull=False
    )
    undecided = AuthorityPaper.objects.filter(destroyed_at__isnull=True).exclude(seen)
    return undecided.exclude(representation__case__requests__in=PrivacyRequest.objects.open())


def sweep() -> int:
    """Destroy them. Returns how many."""
    return left_over().update(body_sealed=None, name_sealed=None, destroyed_at=timezone.now())


def _said(words: str, actor: Actor, verb: str) -> str:
    if not actor.is_approver or actor.user_id is None:
        raise Forbidden(verb)
    text = words.strip()[:LONGEST]
    if not text:
        raise Invalid(_("Please write what you saw, or why it is not enough."))
    return text


def _store(held: Representation, **changed: Any) -> None:
    for name, value in changed.items():
        setattr(held, name, value)
    held.save(update_fields=[name.removesuffix("_id") for name in changed])


def _begin_again(held: Representation) -> None:
    names = [f"{which}_{what}" for which in ("first", "second") for what in ("seen_by_id", "seen_at", "words_sealed")]
    names += ["refused_by_id", "refused_at", "refused_words_sealed", "revoked_at"]
    _store(held, **dict.fromkeys(names))


def _begin_to_stand(held: Representation) -> None:
    case = held.case
    known = case.known_addresses()
    _store(held, may_follow=False, may_receive=False)
    contact.change(case, held.email, ContactBy.REPRESENTATIVE)
    outbox.queue_for_case(case, Notice.RECEIVED_VERIFY, request=case.requests.order_by("pk").first())
    contact.tell_known(case, Notice.STANDS_FOR_YOU, known, but=case.contact)


def _end(held: Representation, actor: Actor, what: str) -> None:
    if not held.stands:
        raise Conflict(what)
    _store(held, revoked_at=timezone.now())
    contact.change(held.case, "", ContactBy.OWN)
    audit.record(held.case, audit.Entry(what, actor, details={"as": held.kind}))


def _destroy_papers(held: Representation) -> None:
    held.papers.filter(destroyed_at__isnull=True).update(
        body_sealed=None, name_sealed=None, destroyed_at=timezone.now()
    )


def _clear_attention(case: Case) -> None:
    case.requests.filter(attention=StepReason.AUTHORITY).update(attention="")
