"""Requests that came by letter, by telephone or at the counter, filed by staff: the same one door, and the day on which
they really came. The clock runs from that day (law 14), whenever somebody gets round to filing it."""

import json
from datetime import date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import structlog
from django.conf import settings
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from dsar import audit, bell, keys
from dsar.enums import UNVERIFIED_RIGHTS, ActorKind, Channel, IntakeStatus, Lane, RepresentativeKind, State
from dsar.intake import submit
from dsar.law import countries, tiers
from dsar.models import REQUESTER, Actor, Case, CaseKey, Intake, PrivacyRequest
from dsar.workflow import Conflict, Forbidden, Invalid, lock, move

log = structlog.get_logger(__name__)

CHANNELS = (Channel.POST, Channel.TELEPHONE, Channel.COUNTER)
# The longest answer period that any law here knows, extensions included, is over long before a year.
OLDEST = timedelta(days=365)
NOON = time(12)
# Who asks, as a case keeps it (`Case.acts_as`).
ACTS_AS: list[tuple[str, Any]] = [("self", _("The person themselves")), *RepresentativeKind.choices]


def today() -> date:
    """The day that the office's calendar shows, in the zone of the company."""
    return timezone.localdate(timezone=ZoneInfo(settings.TIME_ZONE_OF_REGIME))


def moment_of(day: date) -> datetime:
    """The instant that stands for a day on which something came: noon of the company's zone, now for this morning."""
    noon = datetime.combine(day, NOON, tzinfo=ZoneInfo(settings.TIME_ZONE_OF_REGIME))
    return min(noon, timezone.now())


def file(number: str, told: dict[str, Any], day: date, scan: bytes, *, actor: Actor) -> Intake:
    """Store what staff typed, the scan with it, then open the case; the same `number` twice makes one.

    `told`: channel, rights (empty where nobody can say which), statement, name, email (of the account, where there is
    one), postal, by_post, country (as the web form's), language, acts_as, own_name and
    own_email (of who asks for them). `day` is when it came. If opening fails, the
    sweep does it. Raises Forbidden, and RuntimeError inside a transaction.
    """
    if not actor.is_handler:
        raise Forbidden("file")
    raw = pack({**told, "filed_by": actor.user_id}, scan)
    intake, fresh = submit.receive(Channel(told["channel"]), raw, f"filed:{number}", moment_of(day))
    if fresh:
        try:
            process(intake, raw)
        except Exception as error:
            # It is stored, so it has been received: the sweep opens it.
            log.error("a filed request could not be opened", intake=intake.pk, error=type(error).__name__)
    return Intake.objects.select_related("case").get(pk=intake.pk)


def pack(told: dict[str, Any], scan: bytes) -> bytes:
    """Words and scan as one piece of raw bytes: a line of JSON, then the file as it is."""
    return json.dumps(told).encode() + b"\n" + scan


def unpack(raw: bytes) -> tuple[dict[str, Any], bytes]:
    """What `pack` put together."""
    head, _newline, scan = raw.partition(b"\n")
    return json.loads(head), scan


def process(intake: Intake, raw: bytes | None = None) -> Case:
    """Open the case of what was filed, and note who filed it; repeatable."""
    told, _scan = unpack(raw if raw is not None else submit.raw_bytes(intake))
    if "signed_for" in told:
        # Stored, and then something broke: it stands with its case, where the colleague who filed it looks for it.
        _attach(intake, told["signed_for"], told["filed_by"])
        return Case.objects.get(pk=told["signed_for"])
    country, region = countries.split(told["country"])
    contact = submit.Contact(
        email=told["email"], rights=tuple(told["rights"]), name=told["name"], statement=told["statement"],
        country=country, region=region, language=told["language"], acts_as=told["acts_as"],
        clear=bool(told["rights"]), postal=told["postal"], by_post=told["by_post"], own_name=told["own_name"],
        own_email=told["own_email"],
    )  # fmt: skip
    clerk = Actor(ActorKind.STAFF, told["filed_by"])
    with transaction.atomic():
        held = Intake.objects.select_for_update().get(pk=intake.pk)
        opened = held.case_id is None
        case = submit.open_case(intake, contact)
        if opened:
            Intake.objects.filter(pk=intake.pk).update(handled_by_id=told["filed_by"])
            came = timezone.localdate(intake.received_at, ZoneInfo(settings.TIME_ZONE_OF_REGIME))
            details = {"channel": intake.channel, "came_on": came.isoformat()}
            audit.record(case, audit.Entry("filed", clerk, details=details))
    return case


def may_name_account(request: PrivacyRequest) -> bool:
    """Whether no account is known yet, and nobody was shown to be anybody without one."""
    case = request.case
    return case.by_post and not case.email_index and not case.is_proven and not request.is_ended


def name_account(pk: int, address: str, *, actor: Actor) -> None:
    """The person has said which account is theirs: data are looked for under it from now on, once it is shown that it is
    theirs. Raises Conflict, Invalid, Forbidden."""
    if not actor.is_handler:
        raise Forbidden("name_account")
    email = keys.normalise_email(address)
    if not email:
        raise Invalid(_("Please enter the whole e-mail address of the account."))
    with transaction.atomic():
        request = lock(pk)
        if not may_name_account(request):
            raise Conflict("name_account")
        case = request.case
        Case.objects.filter(pk=case.pk).update(
            email_sealed=case.seal(email, "email"), email_index=keys.email_index(email)
        )
        audit.record(case, audit.Entry("account_named", actor, pk))
        for one in case.requests.open().order_by("pk"):
            judgement = [flag for flag in one.judgement if flag != "no_account"]
            PrivacyRequest.objects.filter(pk=one.pk).update(located_at=None, judgement=judgement)
            if one.state == State.REVIEW and one.right in UNVERIFIED_RIGHTS:
                # Nothing has to be proven; what waited for an address goes on.
                move(one.pk, "verify", actor=REQUESTER, tier=tiers.NONE)
        bell.ring(Lane.LOCATE)


def signed_page(number: str, request: PrivacyRequest, day: date, scan: bytes, *, actor: Actor) -> Intake:
    """Store a signed page as it came, before anything is made of it (law 1), and put it to its case. The same `number`
    twice returns the first. Raises Forbidden, and RuntimeError inside a transaction."""
    if not actor.is_handler:
        raise Forbidden("signed_page")
    raw = pack({"signed_for": request.case_id, "filed_by": actor.user_id}, scan)
    intake, _fresh = submit.receive(Channel.POST, raw, f"signed:{number}", moment_of(day))
    _attach(intake, request.case_id, actor.user_id)
    return Intake.objects.get(pk=intake.pk)


def _attach(intake: Intake, case_id: int, user_id: int | None) -> None:
    Intake.objects.filter(pk=intake.pk, case__isnull=True).update(
        case_id=case_id, status=IntakeStatus.ATTACHED, handled_by_id=user_id
    )


def scan_of(intake: Intake) -> bytes:
    """The scan that was filed with it; empty where there is none (any more)."""
    if intake.channel not in CHANNELS:
        return b""
    try:
        return unpack(submit.raw_bytes(intake))[1]
    except keys.Unreadable:
        return b""


def open_scan(pk: int, *, actor: Actor) -> tuple[Case, bytes]:
    """The scan of a letter with its case, for a handler who opens it; who did stands in the trail, once a day.

    Raises Intake.DoesNotExist, Conflict (there is none, or not any more), Forbidden.
    """
    if not actor.is_handler:
        raise Forbidden("open_scan")
    with transaction.atomic():
        intake = Intake.objects.get(pk=pk)
        content = scan_of(intake)
        if intake.case_id is None or not content:
            raise Conflict("no scan")
        case = Case.objects.select_for_update().get(pk=intake.case_id)
        audit.note_opening(case, "scan_opened", actor, None, pk)
    return case, content


def destroy_scan(pk: int, *, actor: Actor) -> None:
    """Destroy the scan and keep the words: an identity paper does not belong here (law 12). Raises Conflict, Forbidden."""
    if not actor.is_handler:
        raise Forbidden("destroy_scan")
    with transaction.atomic():
        intake = Intake.objects.select_for_update().get(pk=pk)
        if intake.case_id is None or not scan_of(intake):
            raise Conflict("destroy_scan")
        told, _scan = unpack(submit.raw_bytes(intake))
        if "signed_for" in told:
            # The signature under a deletion is what shows that the person confirmed it.
            raise Conflict("destroy_scan")
        row = CaseKey.objects.get(pk=intake.uid)
        plain = keys.unwrap(row.key_id, bytes(row.wrapped))
        intake.raw_sealed = keys.seal(plain, pack(told, b""), f"{intake.uid}:raw")
        intake.save(update_fields=["raw_sealed"])
        case = Case.objects.select_for_update().get(pk=intake.case_id)
        audit.record(case, audit.Entry("scan_destroyed", actor))
