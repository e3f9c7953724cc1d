"""The one way in: what arrives is stored raw, then becomes a case. Web, mail, settings and staff meet here."""

from dataclasses import dataclass
from datetime import datetime

from django.db import IntegrityError, transaction
from django.utils import timezone

from dsar import audit, deadlines, keys
from dsar.enums import COPY_RIGHTS, Channel, IntakeStatus, Right
from dsar.models import REQUESTER, SYSTEM, Case, CaseKey, Intake, LostMailbox, PrivacyRequest, Representation
from dsar.models.case import reply_token
from dsar.notices import Notice
from dsar.notifications import outbox
from dsar.workflow import Inside, move

POLICY_VERSION = "1"


@dataclass(frozen=True)
class Contact:
    """What was understood of a form or a mail. `clear` is False where a person has to sort it first.

    `acts_as` is "self" or a RepresentativeKind; then `own_name` and `own_email` are those of who asks for the person.
    `new_email`: where somebody reads their mail who cannot read that of `email` any more.
    `take_back`: a choice is taken back; only somebody who showed who they are is ever understood like that. `by_post`:
    the person has no mailbox and is answered at `postal`; `email` is then the address of the account, or empty.
    """

    email: str
    rights: tuple[str, ...]
    name: str = ""
    statement: str = ""
    country: str = ""
    region: str = ""
    language: str = "en-gb"
    acts_as: str = "self"
    own_name: str = ""
    own_email: str = ""
    new_email: str = ""
    clear: bool = True
    machine: bool = False
    take_back: bool = False
    postal: str = ""
    by_post: bool = False


def receive(channel: Channel, raw: bytes, dedupe: str, received_at: datetime | None = None) -> tuple[Intake, bool]:
    """Commit raw bytes before anybody is told that they arrived (law 1).

    `dedupe` names this very submission (a form's one-time number, a mail's hash): a repeat returns the first
    row and False. Runs in a transaction of its own; raises RuntimeError inside another one.
    """
    if transaction.get_connection().in_atomic_block:
        raise RuntimeError("receive() must commit before the work begins")
    intake = Intake(
        channel=channel, dedupe=dedupe, size=len(raw), received_at=received_at or timezone.now()
    )  # fmt: skip
    key_id, wrapped, plain = keys.new_case_key()
    intake.raw_sealed = keys.seal(plain, raw, f"{intake.uid}:raw")
    try:
        with transaction.atomic():
            CaseKey.objects.create(case_uid=intake.uid, key_id=key_id, wrapped=wrapped)
            intake.save(force_insert=True)
    except IntegrityError:
        return Intake.objects.get(dedupe=dedupe), False
    intake.__dict__["_key"] = plain
    return intake, True


def raw_bytes(intake: Intake) -> bytes:
    """The bytes as they came; raises keys.Unreadable after a purge."""
    row = CaseKey.objects.filter(pk=intake.uid).first()
    if row is None:
        raise keys.Unreadable("the item was purged")
    return keys.unseal(
        keys.unwrap(row.key_id, bytes(row.wrapped)), bytes(intake.raw_sealed or b""), f"{intake.uid}:raw"
    )


def open_case(intake: Intake, contact: Contact) -> Case:
    """Make a case with a request for each right, routed at once; exactly one per intake, however often it is called.

    One transaction. The case takes the intake's key. Raises LawError for a right that does not exist.
    """
    with transaction.atomic():
        held = Intake.objects.select_for_update().get(pk=intake.pk)
        if held.case_id:
            return Case.objects.get(pk=held.case_id)
        regime = deadlines.law_for(contact.country, contact.region, held.received_at)
        address = keys.normalise_email(contact.email)
        case = Case(
            uid=held.uid, channel=held.channel, regime=regime.id, regime_version=regime.version, country=contact.country[:2],
            region=contact.region[:8], language=contact.language, policy_version=POLICY_VERSION, acts_as=contact.acts_as,
            received_at=held.received_at, email_index=keys.email_index(address), machine_mail=contact.machine,
            by_post=contact.by_post,
        )  # fmt: skip
        case.share_key(intake)
        case.email_sealed = case.seal(address, "email")
        case.name_sealed = case.seal(contact.name, "name")
        case.postal_sealed = case.seal(contact.postal, "postal")
        case.reply_index = keys.token_hash(reply_token(case))
        case.save(force_insert=True)
        held.case, held.status = case, IntakeStatus.OPENED
        held.save(update_fields=["case", "status"])
        if contact.own_email:
            standing = Representation.named(case, contact.acts_as, contact.own_name, contact.own_email)
            standing.save(force_insert=True)
            audit.record(case, audit.Entry("representative_named", REQUESTER, details={"as": standing.kind}))
        if contact.new_email:
            lost = LostMailbox.named(case, contact.new_email)
            lost.save(force_insert=True)
            case.mailbox_lost = True
            case.save(update_fields=["mailbox_lost"])
            audit.record(case, audit.Entry("lost_mailbox_started", REQUESTER))
            outbox.queue_for_case(case, Notice.LOST_ASKED, to=lost.address)
        copy = None
        # A copy that is asked for together with a deletion comes first: afterwards there is nothing left to copy.
        for right in sorted(contact.rights or (Right.UNCLEAR.value,), key=lambda right: right not in COPY_RIGHTS):
            made = add_request(
                case, right, contact.statement, clear=contact.clear and bool(address or contact.by_post),
                after=copy if right == Right.DELETION else None, take_back=contact.take_back,
            )  # fmt: skip
            copy = made if right in COPY_RIGHTS and copy is None else copy
        if contact.own_email:
            outbox.queue_for_case(case, Notice.REP_ASKED, request=made, to=standing.email)
    return case


def add_request(
    case: Case,
    right: str,
    statement: str,
    *,
    clear: bool = True,
    after: PrivacyRequest | None = None,
    received_at: datetime | None = None,
    take_back: bool = False,
    anew: bool = False,
) -> PrivacyRequest:
    """Open a request for one right in a case and route it. Its clock runs from `received_at` where one message asked
    for several rights, else from the case's receipt, or from now for one that was asked for later. `anew`: it takes the
    place of one that was answered wrongly; nobody asked for it, and another letter says that it has begun. The caller's
    transaction."""
    now = timezone.now()
    received_at = received_at or (now if case.is_proven else case.received_at)
    found = deadlines.dates(case.law, right, received_at)
    request = PrivacyRequest(
        case=case, right=right, received_at=received_at, due_on=found.due_on, target_on=found.target_on,
        tier_needed=found.tier, statement_sealed=case.seal(statement, "statement"), after=after, entered_at=now,
        take_back=take_back,
    )  # fmt: skip
    request.save(force_insert=True)
    who = SYSTEM if anew else REQUESTER
    received = audit.Entry(
        "begun_anew" if anew else "received", who, request.pk, "", str(request.state),
        {"right": right, "channel": case.channel}, at=now,
    )  # fmt: skip
    # Nobody else can see a row that this transaction made: it is as good as locked.
    return move(request.pk, "route", actor=SYSTEM, inside=Inside(request, [received], quiet=anew), clear=clear)


def begin_anew(old: PrivacyRequest) -> PrivacyRequest:
    """A request in the same case for what an ended one asked for: proven as far as the case is, with a clock of its own
    from now. The old one stays as it is. The caller's transaction, which holds the case."""
    return add_request(
        old.case, old.right, old.statement, received_at=timezone.now(), take_back=old.take_back, anew=True
    )
