"""Where a case is written to: changed by two rules alone, and told to every address of the person that we know."""

from django.utils import timezone

from dsar.enums import CheckKind, CheckStatus, ContactBy
from dsar.models import Case
from dsar.notices import Notice
from dsar.notifications import outbox

# Ways in that were sent to the address before: they die with it. "This was not me" stays.
WAYS_IN = (
    CheckKind.MAILBOX,
    CheckKind.CODE,
    CheckKind.SECOND_FACTOR,
    CheckKind.SIGN_IN,
    CheckKind.DATA_POINTS,
    CheckKind.QUIZ,
)


def change(case: Case, address: str, by: ContactBy) -> None:
    """Write to another address from now on (or to the case's own again, for an empty one). Who had proven the one before
    proves anew. The caller holds the case in a transaction and writes the audit trail."""
    now = timezone.now()
    case.contact_sealed = case.seal(address, "contact")
    case.contact_by, case.contact_at = by if address else ContactBy.OWN, now
    # Whoever took its place has a mailbox.
    case.by_post = case.by_post and not address
    case.email_proven_at, case.proven_tier, case.mailbox_lost = None, 0, False
    case.save(
        update_fields=[
            "contact_sealed", "contact_by", "contact_at", "by_post", "email_proven_at", "proven_tier", "mailbox_lost",
        ]
    )  # fmt: skip
    waiting = case.checks.filter(kind__in=WAYS_IN, status__in=[CheckStatus.PENDING, CheckStatus.PASSED])
    waiting.filter(status=CheckStatus.PENDING).update(status=CheckStatus.SUPERSEDED, decided_at=now, stated_sealed=None)
    waiting.filter(status=CheckStatus.PASSED, valid_until__gt=now).update(valid_until=now)


def tell_known(case: Case, notice: Notice, known: list[str], *, but: str) -> int:
    """A notice to each of these addresses but the one that takes their place; each with a link of its own that stops it.
    Returns how many."""
    told = 0
    for address in known:
        if address != but:
            told += outbox.queue_for_case(case, notice, to=address) is not None
    return told
