"""Looking again: appeals, complaints to the company, grievances. Taken up, acknowledged, withdrawn, and raised when their
dates come; records of their own, whatever becomes of the request that they are about."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any, Final

from django.db import transaction
from django.db.models import CharField, Exists, Min, OuterRef, Q, Value
from django.db.models.functions import Cast, Concat, TruncDate
from django.utils import timezone
from django.utils.translation import gettext as _

from dsar import audit, clock_events, deadlines, proposals
from dsar.enums import ActorKind, AppealKind, AppealOutcome, Channel, SecondLook, StepReason
from dsar.law import remedies
from dsar.models import REQUESTER, SYSTEM, Actor, Appeal, Message, PrivacyRequest
from dsar.models.appeal import DECIDED, AppealQuerySet
from dsar.models.law_days import TODAY, by_law
from dsar.models.unanswered import HEARD
from dsar.notices import MessageStatus, Notice
from dsar.notifications import outbox, undelivered
from dsar.review import decide, deciders
from dsar.workflow import Conflict, Forbidden, Invalid, as_whom, each, lock

LONGEST = 8000
BATCH = 200
# So long before its date a receipt that nobody has acknowledged is raised.
ACKNOWLEDGE_SOON = timedelta(days=5)


def kind_for(request: PrivacyRequest) -> AppealKind | None:
    """As what somebody may have this request looked at again; None where the law of the case knows nothing of the kind, or
    nothing has been decided yet that could be."""
    kind = remedies.kind_of(request.case.law)
    return kind if kind and remedies.is_open_to(kind, request.outcome) else None


def is_late(request: PrivacyRequest, kind: AppealKind, now: datetime) -> bool:
    """Whether the reasonable period for an appeal, which begins as our answer leaves, is over. A complaint or a grievance has
    none."""
    if kind != AppealKind.APPEAL or request.ended_at is None:
        return False
    until = deadlines.appeal_until(clock_events.answer_on(request, now))
    return deadlines.received_on(request.case.law, now) > until


def was_looked_at(request: PrivacyRequest, kind: AppealKind) -> bool:
    """Whether an appeal about this decision has been answered: the person has that answer, and what they write about it is
    read by staff, who may take it up once more. A complaint may be about something else each time."""
    return kind == AppealKind.APPEAL and request.appeals.filter(outcome__in=[one.value for one in DECIDED]).exists()


def by_itself(request: PrivacyRequest, now: datetime) -> AppealKind | None:
    """As what the person's words about this request are taken up without a colleague; None where they are a message."""
    kind = kind_for(request)
    return None if kind is None or is_late(request, kind, now) or was_looked_at(request, kind) else kind


def open_one(request: PrivacyRequest) -> Appeal | None:
    """What is open about this request; the newest where there are several."""
    found = request.appeals.open().order_by("-pk").first()
    if found:
        found.request = request
    return found


def may_file(request: PrivacyRequest) -> bool:
    """Whether a colleague can take it up: the law knows it, and none of its kind is open."""
    kind = kind_for(request)
    return kind is not None and not any(one.is_open and one.kind == kind for one in request.appeals.all())


def take(pk: int, text: str, *, actor: Actor = REQUESTER) -> Appeal | None:
    """The person does not agree. Where the law knows a way back it is taken up at once; what belongs to one that is open is
    added to it; everything else (no such law, later than the reasonable period, answered before) is a message that staff
    read, and the person is told where to complain. Nothing is refused. Returns what is open then, or None for a message.

    The same words twice are one. Raises Invalid for no words, Forbidden.
    """
    if actor.kind != ActorKind.REQUESTER:
        raise Forbidden("take")
    words = _words(text)
    now = timezone.now()
    with transaction.atomic():
        request = lock(pk)
        current = open_one(request)
        if current is not None:
            if words != current.words:
                _add(request, words, actor)
            return current
        kind = by_itself(request, now)
        if kind is not None:
            return _open(request, kind, words, now, Channel.WEB, actor)
        _add(request, words, actor)
        outbox.queue(request, Notice.NOT_CONTENT, dedupe=f"not_content:{pk}:{timezone.localdate(now)}")
        return None


def file(
    pk: int, text: str, received_at: datetime, channel: Channel, *, actor: Actor, message: int | None = None
) -> Appeal:
    """A colleague takes up what came by mail, letter, telephone or at the counter, with the moment at which it really came.
    `message`: the mail that it stands in, whose words and time count. Raises Invalid, Conflict (this law knows none here,
    or one is open), Forbidden."""
    if not actor.is_handler:
        raise Forbidden("file")
    with transaction.atomic():
        request = lock(pk)
        kind = kind_for(request)
        if kind is None or not may_file(request):
            raise Conflict("file")
        came = None
        if message is not None:
            came = request.case.messages.filter(pk=message, status=MessageStatus.RECEIVED).first()
            if came is None:
                raise Invalid(_("Please choose one of the messages of the person."))
            came.case = request.case
            text, received_at, channel = text.strip() or came.text, came.created_at, Channel.EMAIL
        if received_at > timezone.now():
            raise Invalid(_("This day has not come yet. Please enter the day on which it came."))
        if _day(request, received_at) < _day(request, request.received_at):
            raise Invalid(_("This day lies before the request itself. Please check it."))
        made = _open(request, kind, _words(text), received_at, channel, actor, came)
        if came and came.pk == decide.newest_received(request):
            PrivacyRequest.objects.filter(case=request.case).update(unread_at=None)
        return made


def withdraw(pk: int, *, actor: Actor) -> Appeal:
    """The person no longer wants it looked at again, or told a colleague so: one who did not decide what it is about, since
    nobody looks at it after that; one who did only where the person's own written words have come since.

    Raises Appeal.DoesNotExist, Conflict, Forbidden."""
    if actor.kind != ActorKind.REQUESTER and not actor.is_handler:
        raise Forbidden("withdraw")
    with transaction.atomic():
        appeal = hold(pk)
        found = deciders.look_at_calling_off(appeal, actor)
        if not found.counts:
            raise Forbidden("withdraw")
        end(
            appeal, AppealOutcome.WITHDRAWN, actor, "appeal_withdrawn", decided_by_id=actor.user_id,
            same_person=found == SecondLook.ALONE,
        )  # fmt: skip
        tell(appeal, Notice.APPEAL_WITHDRAWN, dedupe=f"appeal:{pk}:withdrawn")
        return appeal


def hold(pk: int) -> Appeal:
    """Lock the request in the order of the house, then return its appeal, fresh. The caller's transaction."""
    request = lock(Appeal.objects.values_list("request_id", flat=True).get(pk=pk))
    appeal = Appeal.objects.select_for_update().get(pk=pk)
    appeal.request = request
    return appeal


def tell(
    appeal: Appeal, notice: Notice, *, dedupe: str, text: str = "", author_id: int | None = None
) -> Message | None:
    """Put a letter about an appeal in the outbox, in the caller's transaction. None where none may be sent."""
    message = outbox.queue(appeal.request, notice, dedupe=dedupe, text=text, author_id=author_id)
    if message is not None:
        Message.objects.filter(pk=message.pk).update(appeal=appeal)
    return message


def end(appeal: Appeal, outcome: AppealOutcome, actor: Actor, what: str, **fields: Any) -> None:
    """End what is open, for good. Raises Conflict where it has ended before."""
    if not appeal.is_open:
        raise Conflict(what)
    changes = {"outcome": outcome, "decided_at": timezone.now(), "attention": "", **fields}
    Appeal.objects.filter(pk=appeal.pk).update(**changes)
    for name, value in changes.items():
        setattr(appeal, name, value)
    opened: PrivacyRequest | None = fields.get("opened")
    details: dict[str, Any] = {"opened": opened.pk} if opened else {}
    if fields.get("same_person"):
        details["same_person"] = True
    note(appeal, what, actor, appeal_outcome=outcome, **details)


def note(appeal: Appeal, what: str, actor: Actor, **details: Any) -> None:
    """Write an event of an appeal into the trail of its case, in the caller's transaction."""
    case = appeal.request.case
    write = proposals.heard if what in HEARD else audit.record
    details = {"appeal": appeal.pk, "appeal_kind": appeal.kind, **as_whom(case, actor), **details}
    write(case, audit.Entry(what, actor, appeal.request_id, details=details))


def _words(text: str) -> str:
    words = text.strip()
    if not words:
        raise Invalid(_("Please write why you do not agree. A few words are enough."))
    return words[:LONGEST]


def _day(request: PrivacyRequest, moment: datetime) -> Any:
    return deadlines.received_on(request.case.law, moment)


def _add(request: PrivacyRequest, words: str, actor: Actor) -> None:
    """What the person writes stands in the conversation and in the queue until somebody has read it."""
    case = request.case
    last = case.messages.filter(status=MessageStatus.RECEIVED).order_by("-pk").first()
    if last is not None:
        last.case = case
        if last.text == words:
            return
    Message.objects.create(
        case=case, request=request, status=MessageStatus.RECEIVED, text_sealed=case.seal(words, "message")
    )
    PrivacyRequest.objects.filter(pk=request.pk, unread_at__isnull=True).update(unread_at=timezone.now())
    proposals.heard(case, audit.Entry("not_content", actor, request.pk, details=as_whom(case, actor)))


def _open(
    request: PrivacyRequest,
    kind: AppealKind,
    words: str,
    received_at: datetime,
    channel: Channel,
    actor: Actor,
    message: Message | None = None,
) -> Appeal:
    regime = request.case.law
    dates = deadlines.appeal_dates(regime, kind, received_at)
    appeal = Appeal.objects.create(
        request=request, kind=kind, channel=channel, received_at=received_at, message=message,
        filed_by_id=actor.user_id, words_sealed=request.case.seal(words, "appeal"), regime=regime.id,
        regime_version=regime.version, acknowledge_by=dates.acknowledge_by, due_on=dates.due_on, target_on=dates.target_on,
    )  # fmt: skip
    appeal.request = request
    late = is_late(request, kind, received_at)
    note(appeal, "appeal_received", actor, **({"late": True} if late else {}))
    if tell(appeal, Notice.APPEAL_RECEIVED, dedupe=f"appeal:{appeal.pk}:received") is None:
        _raise(appeal)
    return appeal


def _raise(appeal: Appeal) -> None:
    """Name it in the queue: nobody could be told that it has come (law 9)."""
    Appeal.objects.filter(pk=appeal.pk).update(attention=StepReason.MAIL_FAILED)


# --- what is due is raised again and again ----------------------------------------------------------------------------


def sweep(now: datetime | None = None) -> int:
    """Note what was acknowledged, raise what was not, write to the person on the target date and after the legal one: no
    date of an appeal passes in silence. Returns how many were touched; one person's trouble keeps nobody else waiting."""
    moment = now or timezone.now()
    current = Appeal.objects.open()
    sent = Appeal.objects.filter(
        acknowledged_at__isnull=True, messages__notice=Notice.APPEAL_RECEIVED, messages__status=MessageStatus.SENT
    )
    near = current.filter(
        by_law(moment, "regime", acknowledge_by__lte=ACKNOWLEDGE_SOON), acknowledged_at__isnull=True, attention=""
    )
    parts = (
        (sent, _acknowledge),
        (near.exclude(pk__in=sent.values("pk")), _raise_one),
        (_extended_too_late(moment), _void),
        (current.filter(_untold("late"), by_law(moment, "regime", due_on__lt=TODAY)), partial(_write, "late")),
        (
            current.filter(_untold("interim"), by_law(moment, "regime", target_on__lte=TODAY, due_on__gte=TODAY)),
            partial(_write, "interim"),
        ),
    )
    done = 0
    for found, work in parts:
        keys = list(found.order_by("due_on", "pk").values_list("pk", flat=True)[:BATCH])
        done += each(keys, partial(_locked, work), "an appeal could not be swept", failed=_in_trouble)
    return done


# Why a letter says where an appeal stands, and the date that it is about.
ABOUT: Final = {"late": "due_on", "interim": "target_on"}


def _untold(why: str) -> Q:
    """Whom nobody has written to about where it stands, for this reason and about this date, and whom a letter can reach."""
    number, day = (Cast(OuterRef(name), CharField()) for name in ("pk", ABOUT[why]))
    told = Message.objects.filter(dedupe=Concat(Value("appeal:"), number, Value(f":{why}:"), day))
    silent = Q(request__case__machine_mail=True, request__case__email_proven_at__isnull=True)
    case = "request__case__"
    nowhere = Q(**{f"{case}email_sealed": None, f"{case}contact_sealed": None, f"{case}by_post": False})
    return ~Exists(told) & ~silent & ~nowhere


def _locked(work: Callable[[Appeal], bool], pk: int) -> bool:
    with transaction.atomic():
        return work(hold(pk))


def _in_trouble(pk: int) -> None:
    Appeal.objects.filter(pk=pk, attention="").update(attention=StepReason.ERROR)


def _acknowledge(appeal: Appeal) -> bool:
    told = appeal.messages.filter(notice=Notice.APPEAL_RECEIVED, status=MessageStatus.SENT).order_by("pk").first()
    if told is None or appeal.acknowledged_at is not None:
        return False
    cleared = {"attention": ""} if appeal.attention == StepReason.MAIL_FAILED else {}
    Appeal.objects.filter(pk=appeal.pk).update(acknowledged_at=told.sent_at, **cleared)
    note(appeal, "appeal_acknowledged", SYSTEM)
    return True


def _extended_too_late(now: datetime) -> AppealQuerySet:
    """Extensions whose first date has passed and whose letter did not leave by then, in the zone of their law."""
    letters = Message.objects.filter(appeal=OuterRef("pk"), notice=Notice.APPEAL_EXTENDED, status=MessageStatus.SENT)
    # No zone is more than a day ahead of this one: what left before counts as in time without being looked at again and again.
    surely = letters.annotate(left=TruncDate("sent_at", tzinfo=UTC)).filter(left__lt=OuterRef("original_due_on"))
    passed = by_law(now, "regime", original_due_on__lt=TODAY)
    found = Appeal.objects.open().filter(~Exists(surely), passed, extended_at__isnull=False).order_by("due_on", "pk")
    return Appeal.objects.filter(pk__in=[one.pk for one in found[:BATCH] if not _was_announced(one)])


def _was_announced(appeal: Appeal) -> bool:
    """Whether the letter that extends it left by its first date."""
    letters = appeal.messages.filter(notice=Notice.APPEAL_EXTENDED, status=MessageStatus.SENT)
    left = letters.aggregate(at=Min("sent_at"))["at"]
    return left is not None and appeal.original_due_on is not None and appeal.day(left) <= appeal.original_due_on


def _void(appeal: Appeal) -> bool:
    """A notice that comes after the date is void: the first date counts, and has passed."""
    if not appeal.is_open or appeal.original_due_on is None or _was_announced(appeal):
        return False
    first = deadlines.appeal_dates(appeal.law, AppealKind(appeal.kind), appeal.received_at)
    Appeal.objects.filter(pk=appeal.pk).update(
        due_on=first.due_on, target_on=first.target_on, original_due_on=None, extended_at=None
    )
    undelivered.call_off(appeal.request, Notice.APPEAL_EXTENDED)
    note(appeal, "appeal_extension_void", SYSTEM, due_on=first.due_on.isoformat())
    return True


def _raise_one(appeal: Appeal) -> bool:
    _raise(appeal)
    return True


def _write(why: str, appeal: Appeal) -> bool:
    if not appeal.is_open:
        return False
    about = f"appeal:{appeal.pk}:{why}:{getattr(appeal, ABOUT[why])}"
    return tell(appeal, Notice.APPEAL_INTERIM, dedupe=about) is not None
