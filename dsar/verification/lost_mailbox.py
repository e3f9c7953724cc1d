"""A lost mailbox: identity shown at tier 3 or to two approvers, a notice to every address of the person that we know, and
LOST_MAILBOX_DAYS, before anything goes to a new one. One word from any of those addresses stops it.

How the identity is shown is recorded by hand (by_hand.py), and so is what happens when the days are over.
"""

from datetime import timedelta

from django.conf import settings
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from dsar import audit, keys
from dsar.connectors import addresses
from dsar.enums import CheckKind, CheckStatus, ContactBy, PackageStatus, StepReason
from dsar.models import REQUESTER, SYSTEM, Actor, Case, LostMailbox, Plan, PrivacyRequest
from dsar.notices import Notice
from dsar.notifications import outbox
from dsar.verification import contact, proving
from dsar.workflow import Conflict, Forbidden, Invalid, each, move

BATCH = 50
# A source that does not answer is asked again for so long; then those who can be told are told.
ASK_SOURCES_FOR = timedelta(hours=1)


def may_start(request: PrivacyRequest) -> bool:
    """Whether a case has an address of its own that can be lost, and something is still to come or to fetch. A new start
    takes the place of an open one."""
    if not request.case.email_index or request.case.purged_at is not None:
        return False
    return not request.is_ended or request.packages.filter(status=PackageStatus.OFFERED).exists()


def start(case: Case, address: str, *, actor: Actor) -> LostMailbox:
    """Write down the new address that somebody names. Nothing is sent anywhere but a neutral note to the new address.

    Raises Forbidden, Conflict (a case without an address), Invalid (no address, or the one that is lost).
    """
    if not actor.is_handler:
        raise Forbidden("lost_mailbox")
    index = keys.email_index(address)
    if not index or index == case.email_index:
        raise Invalid(_("Please enter another address than the one that is lost."))
    with transaction.atomic():
        held, _subject = proving.hold(case)
        if not held.email_index:
            raise Conflict("lost_mailbox")
        _drop(held)
        made = LostMailbox.named(held, address, actor.user_id)
        made.save(force_insert=True)
        Case.objects.filter(pk=held.pk).update(mailbox_lost=True)
        audit.record(held, audit.Entry("lost_mailbox_started", actor))
        outbox.queue_for_case(held, Notice.LOST_ASKED, to=made.address)
    return made


def is_read_after_all(case: Case) -> None:
    """Somebody has just proven the address itself: it is not lost. The caller holds the case."""
    if case.mailbox_lost:
        _drop(case)
        Case.objects.filter(pk=case.pk).update(mailbox_lost=False)
        audit.record(case, audit.Entry("lost_mailbox_dropped", REQUESTER))


def object_to(case: Case) -> bool:
    """Somebody at an address of the person says "this was not me". It stops at once and never opens; where it counts
    already, the case is written to at its own address again. Two approvers have to look before anybody tries again.

    True where there was anything to stop."""
    now = timezone.now()
    with transaction.atomic():
        held, _subject = proving.hold(case)
        stopped = LostMailbox.objects.open().filter(case=held).update(objected_at=now)
        counts = held.contact_by == ContactBy.LOST_MAILBOX
        if counts:
            LostMailbox.objects.counting().filter(case=held).update(objected_at=now)
            contact.change(held, "", ContactBy.OWN)
        if not stopped and not counts:
            return False
        _end_checks(held, CheckStatus.FAILED)
        Case.objects.filter(pk=held.pk).update(mailbox_lost=False)
        audit.record(held, audit.Entry("lost_mailbox_objected", REQUESTER))
        open_ones = PrivacyRequest.objects.open().filter(case=held)
        open_ones.filter(attention="").update(attention=StepReason.LOST_MAILBOX)
        for pk in list(open_ones.filter(confirmed_at__isnull=False).order_by("pk").values_list("pk", flat=True)):
            try:
                move(pk, "dispute", actor=REQUESTER)
            except Conflict:
                continue
    return True


def sweep() -> int:
    """Tell every known address where people have decided and nobody was told yet. Returns how many cases.

    What the sources know is asked outside the transaction: it may take a while.
    """
    decided = LostMailbox.objects.open().filter(noticed_at__isnull=True, shown_by__status=CheckStatus.PENDING)
    decided = decided.exclude(shown_by__needs_second=True, shown_by__confirmed_by__isnull=True)
    found = list(decided.order_by("pk").values_list("pk", flat=True)[:BATCH])
    return each(found, _tell, "the known addresses could not be told of a new one")


def _tell(pk: int) -> bool:
    known = LostMailbox.objects.select_related("case", "shown_by").get(pk=pk)
    found, whole = in_sources(known.case)
    if not whole and known.shown_by and timezone.now() - known.shown_by.created_at < ASK_SOURCES_FOR:
        return False
    return _announce(known, found)


def _announce(known: LostMailbox, found: list[str]) -> bool:
    now = timezone.now()
    with transaction.atomic():
        case, _subject = proving.hold(known.case)
        row = LostMailbox.objects.open().select_for_update(of=("self",)).filter(pk=known.pk, noticed_at=None).first()
        check = row.shown_by if row else None
        if row is None or check is None or check.status != CheckStatus.PENDING:
            return False
        row.case, row.noticed_at, row.opens_at = case, now, now + settings.LOST_MAILBOX
        row.save(update_fields=["noticed_at", "opens_at"])
        case.checks.filter(pk=check.pk).update(counts_from=row.opens_at)
        every = list(dict.fromkeys([*case.known_addresses(), *found]))
        told = contact.tell_known(case, Notice.LOST_MOVING, every, but=row.address)
        audit.record(case, audit.Entry("lost_mailbox_announced", SYSTEM, details={"addresses": told}))
    return True


def in_sources(case: Case) -> tuple[list[str], bool]:
    """Addresses that the company's sources hold for this person's account, where the data map names such a field; and
    whether every source answered."""
    plan = Plan.objects.filter(request__case=case).select_related("request__case").order_by("-pk").first()
    return addresses.on_file(plan.body()["sources"]) if plan else ([], True)


def _drop(case: Case) -> None:
    LostMailbox.objects.open().filter(case=case).update(dropped_at=timezone.now())
    _end_checks(case, CheckStatus.SUPERSEDED)


def _end_checks(case: Case, status: CheckStatus) -> None:
    waiting = case.checks.filter(kind=CheckKind.BY_HAND, status=CheckStatus.PENDING)
    waiting.update(status=status, decided_at=timezone.now())
