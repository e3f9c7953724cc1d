"""The verbs of the desk. Each checks its input, calls `move()` and nothing else calls it; reasons come from the law's
catalogue, and a code that is not valid for this request is refused here."""

from datetime import date, datetime, timedelta

from django.conf import settings
from django.db import transaction
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from dsar import audit, clock_events, deadlines, workflow
from dsar.enums import DecisionKind, Outcome, Raised, RestrictionGround, Right, SecondLook, State, StepReason
from dsar.law import articles, codes, words
from dsar.law.errors import LawError
from dsar.models import Actor, Message, PrivacyRequest, Restriction
from dsar.models.once import once
from dsar.models.request_conditions import lesser_right, look_at_approval
from dsar.models.unanswered import lapses_as
from dsar.notices import MessageStatus, Notice
from dsar.notifications import outbox
from dsar.review import corrections
from dsar.workflow import Because, Conflict, Forbidden, Inside, Invalid, lock, move

UNPROVEN, NOT_OURS = "IDENTITY_NOT_PROVEN", "NOT_OUR_CONTROLLER"


def text_of(text: str, what: str) -> str:
    """Words for the person, without what stands around them. Raises Invalid where there are none."""
    cleaned = text.strip()
    if not cleaned:
        raise Invalid(_("Please write %(what)s: the requester reads it.") % {"what": what})
    return cleaned[:8000]


def _coded(request: PrivacyRequest, code: str) -> codes.Code | None:
    return codes.refusal(code, request.case.law, request.right or Right.KNOW)


def _because(kind: DecisionKind, found: codes.Code | None, text: str) -> Because:
    return Because(kind, found.code if found else "", found.citation if found else "", text)


def classify(pk: int, right: str, *, actor: Actor) -> PrivacyRequest:
    """Say which right it is; the dates are counted from receipt as that right demands."""
    request = PrivacyRequest.objects.select_related("case").get(pk=pk)
    if right not in Right.values or not right:
        raise Invalid(_("Please choose one of the rights."))
    found = clock_events.dates(request, right=right)
    return move(
        pk, "classify", actor=actor, because=Because(DecisionKind.CLASSIFY, code=right), right=right,
        due_on=found.due_on, target_on=found.target_on, tier=found.tier,
    )  # fmt: skip


def ask(pk: int, question: str, *, actor: Actor) -> PrivacyRequest:
    """Put a question to the person; no answer by the set day brings the request back to REVIEW."""
    answer_by = timezone.now() + settings.ANSWER_WITHIN
    text = text_of(question, _("your question"))
    return move(pk, "ask", actor=actor, because=Because(DecisionKind.ASK, text=text), answer_by=answer_by)


def approve(pk: int, *, actor: Actor, text: str = "", ground: str = "") -> PrivacyRequest:
    """Decide that what needed judgement may go on: a deletion is confirmed by the person first, the rest is carried
    out. Raises Invalid for a correction that is not decided field by field."""
    with transaction.atomic():
        request = lock(pk)
        if request.right == Right.CORRECTION:
            corrections.check_ready(request)
        if request.right == Right.RESTRICTION and ground not in RestrictionGround.values:
            raise Invalid(_("Please say on which ground the use is restricted."))
        if request.right == Right.HUMAN_REVIEW:
            raise Invalid(_("Please look at the decision again and write what you found."))
        _weighed(request)
        code = ground if request.right == Right.RESTRICTION else ""
        citation = articles.ground(code, request.case.law) if code else ""
        alone = look_at_approval(request, actor) == SecondLook.ALONE
        because = Because(DecisionKind.APPROVE, code, citation, text, same_person=alone)
        moved = move(pk, "approve", actor=actor, because=because, inside=Inside(request))
        if request.right == Right.CORRECTION:
            corrections.confirm_rest(request, actor)
        return moved


def _weighed(request: PrivacyRequest) -> None:
    """Nothing is decided on an exception that nobody has weighed (GDPR Art 17(3)). Raises Invalid."""
    plan = request.plans.newest() if request.right == Right.DELETION else None
    if plan is not None and any(item["action"] == "keep" and not item["citation"] for item in plan.body()["items"]):
        raise Invalid(_("Something is kept for a reason that nobody has weighed yet. Please decide about it first."))


def exempt_as_a_whole(request: PrivacyRequest) -> None:
    """Every exception is weighed, and nothing is left that could go: of what no exception covers the rest is deleted
    (GDPR Art 17(3); 11 CCR 7022(f)(2)). Raises Invalid."""
    _weighed(request)
    plan = request.plans.newest()
    if plan is not None and any(item["action"] in ("erase", "mask") for item in plan.body()["items"]):
        raise Invalid(
            _("Not everything is exempt: something in the plan can be deleted. Approve the plan; what it keeps stays.")
        )


def review_again(pk: int, changed: bool, what: str, text: str, *, actor: Actor) -> PrivacyRequest:
    """Look at a machine's decision as a person who may change it, and say what came of it and why (GDPR Art 22(3)).

    The person reads both texts. Raises Invalid, Conflict, Forbidden.
    """
    request = PrivacyRequest.objects.select_related("case").get(pk=pk)
    if request.right != Right.HUMAN_REVIEW:
        raise Conflict("review_again")
    kind = DecisionKind.REVIEWED_CHANGED if changed else DecisionKind.REVIEWED_UPHELD
    said = f"{text_of(what, _('which decision it is'))}\n\n{text_of(text, _('your reasons'))}"
    citation = articles.of(articles.HUMAN_REVIEW, request.case.law)
    return move(pk, "approve", actor=actor, because=Because(kind, citation=citation, text=said))


def refer(pk: int, to_whom: str, *, actor: Actor) -> PrivacyRequest:
    """End with the name of the one who can answer (an organisation, another controller). Raises Conflict where that takes
    two people (refusals.propose_referral)."""
    request = PrivacyRequest.objects.select_related("case").get(pk=pk)
    found = _coded(request, NOT_OURS)
    because = _because(DecisionKind.REFER, found, text_of(to_whom, _("to whom the person should turn")))
    return move(pk, "refer", actor=actor, because=because)


def nothing_found(pk: int, text: str, *, actor: Actor) -> PrivacyRequest:
    """Answer that nothing is held, where no account was named and a person has looked. `text` says where."""
    because = Because(DecisionKind.NOTHING_FOUND, text=text_of(text, _("where you looked")))
    return move(pk, "nothing_found", actor=actor, because=because)


def reject(pk: int, *, actor: Actor) -> PrivacyRequest:
    """Spam, or no request at all: no letter."""
    return move(pk, "reject", actor=actor, because=Because(DecisionKind.REJECT))


def twin_of(request: PrivacyRequest) -> PrivacyRequest | None:
    """The oldest open request for the same right (any, while this one is unsorted) by the same *verified* person. An
    unverified twin proves nothing: somebody could file one to have the victim's own request put aside."""
    return once(request, "twin", lambda: _twin_of(request)) if request.case.email_index else None


def _twin_of(request: PrivacyRequest) -> PrivacyRequest | None:
    twins = PrivacyRequest.objects.open().filter(
        case__email_index=request.case.email_index, case__email_proven_at__isnull=False
    )
    if request.right:
        twins = twins.filter(right=request.right)
    return twins.exclude(pk=request.pk).select_related("case").order_by("received_at", "pk").first()


def merge(pk: int, *, actor: Actor) -> PrivacyRequest:
    """Join with the twin, which will answer both, counted from the day of whichever came first (law 14).

    Raises Invalid where there is no twin, Conflict where it has ended meanwhile, Forbidden.
    """
    if not actor.is_handler:
        raise Forbidden("merge")
    request = PrivacyRequest.objects.select_related("case").get(pk=pk)
    found = twin_of(request)
    if found is None:
        raise Invalid(_("There is no open, verified request from the same address to merge this into."))
    with transaction.atomic():
        # The twin first: its person's row is the one that every mover of theirs locks first.
        twin = lock(found.pk)
        if twin.is_ended:
            raise Conflict("the twin has ended")
        if request.received_at < twin.received_at:
            _count_from(twin, request.received_at, actor)
        return move(pk, "merge", actor=actor, because=Because(DecisionKind.MERGE, code=twin.case.reference))


def _count_from(request: PrivacyRequest, received_at: datetime, actor: Actor) -> None:
    """Let the dates of a request be counted from an earlier receipt, an extension kept. The caller has locked it."""
    request.received_at = received_at
    PrivacyRequest.objects.filter(pk=request.pk).update(received_at=received_at)
    clock_events.recount(request)
    details = {"received_at": received_at.isoformat(), "due_on": request.due_on.isoformat() if request.due_on else ""}
    audit.record(request.case, audit.Entry("counted_from_earlier", actor, request.pk, details=details))


def lapse(pk: int, text: str, *, actor: Actor) -> PrivacyRequest:
    """End what was never proven or never answered, with a reasoned letter that names the article (law 15).

    Raises Invalid where what was asked last does not stand without an answer, or the time for it is not over: that would
    be a refusal by one person."""
    with transaction.atomic():
        request = lock(pk)
        outcome = lapses_as(request)
        if request.state == State.REVIEW and not outcome:
            raise Invalid(
                _("The person has written since, or still has time to answer or to show who they are. Please refuse it with"
                  " its reason, which takes two people, ask again, or approve it.")
            )  # fmt: skip
        found = _coded(request, UNPROVEN) if outcome == Outcome.NOT_PROVEN else codes.lapse(request.case.law)
        because = _because(DecisionKind.LAPSE, found, text_of(text, _("why it ends")))
        return move(pk, "lapse", actor=actor, because=because, inside=Inside(request), outcome=outcome)


def may_extend(request: PrivacyRequest) -> bool:
    """Whether this law gives more time, and the notice would still come in time."""
    if not codes.extension_reasons(request.case.law):
        return False
    try:
        # Where the law leaves the length open, any later day shows whether there is one.
        _extended(request, (request.due_on or clock_events.today(request)) + timedelta(days=1))
    except LawError:
        return False
    return True


def is_open_ended(request: PrivacyRequest) -> bool:
    """Whether the law leaves it to the notice by which day the answer comes (e.g. Swiss DPO Art 18(2))."""
    regime = request.case.law
    extension = regime.extension(regime.governing(request.right).kind, request.right)
    return extension is not None and extension.kind == "open"


def _extended(request: PrivacyRequest, until: date | None = None) -> deadlines.Dates:
    """The dates after an extension that is told now. Raises LawError where the law knows none, once more or so late, or
    where the day that the notice names is missing or no later."""
    if request.extended_at is not None or request.raised == Raised.EXTENSION_VOID:
        raise LawError("already_extended", right=request.right)
    until = until if is_open_ended(request) else None
    events = clock_events.of(request)
    first = clock_events.dates(request, extended=False, events=events)
    longer = clock_events.dates(request, extended=True, until=until, events=events)
    if not first.paused and clock_events.today(request) > first.due_on:
        raise LawError("notice_late", right=request.right, limit=first.due_on)
    if until is not None and until <= first.due_on:
        raise LawError("until_early", limit=first.due_on)
    return longer


def fall_back(pk: int, *, actor: Actor) -> PrivacyRequest:
    """Answer by the lesser right that the proof reaches: categories instead of a copy (11 CCR 7024(a)). By a handler, by the
    person who would rather have that, or by the clock on the target date (review/clock.py). Its dates are counted from the
    same receipt. Raises Conflict where there is none, Forbidden."""
    request = PrivacyRequest.objects.select_related("case").get(pk=pk)
    lesser = lesser_right(request)
    if not lesser:
        raise Conflict("fall_back")
    found = clock_events.dates(request, right=lesser)
    because = Because(DecisionKind.FALL_BACK, request.right, request.case.law.verification_citation)
    return move(
        pk, "fall_back", actor=actor, because=because, right=lesser, due_on=found.due_on, target_on=found.target_on,
        tier=found.tier,
    )  # fmt: skip


def extend(pk: int, code: str, text: str, *, actor: Actor, until: date | None = None) -> PrivacyRequest:
    """Take more time, once; a notice after the legal date is void and refused here (GDPR Art 12(3)). It stands once its
    letter has left in time (see `clock_events.sent`). `until`: the day by which the answer comes, where the law leaves
    that to the notice; ignored elsewhere."""
    request = PrivacyRequest.objects.select_related("case").get(pk=pk)
    known = codes.extension_reasons(request.case.law)
    found = next((reason for reason in known if reason.code == code), None)
    if found is None:
        raise Invalid(_("This law does not know this reason for taking more time."))
    try:
        dates = _extended(request, until)
    except LawError as error:
        if error.reason == "notice_late":
            raise Invalid(_("The legal date has passed: an extension would be void. Please answer now.")) from None
        if error.reason in ("until_missing", "until_early"):
            limit = error.values.get("limit")
            shown = {"limit": date_format(limit)} if isinstance(limit, date) else {}
            raise Invalid(words.ERRORS[error.reason] % shown) from None
        raise Invalid(_("This request cannot be extended (again).")) from None
    because = Because(DecisionKind.EXTEND, found.code, found.citation, text_of(text, _("the reason in your own words")))
    named = until if is_open_ended(request) else None
    return move(
        pk, "extend", actor=actor, because=because, due_on=dates.due_on, target_on=dates.target_on, until=named
    )  # fmt: skip


def reply(pk: int, text: str, *, actor: Actor, seen: int | None = None) -> Message | None:
    """Write to the person without changing anything. What they wrote is read by that (see `read`)."""
    cleaned = text_of(text, _("your message"))
    if not actor.is_handler:
        raise Forbidden("reply")
    with transaction.atomic():
        request = lock(pk)
        audit.record(request.case, audit.Entry("replied", actor, pk))
        _read(request, seen)
        return outbox.queue(request, Notice.REPLY, text=cleaned, author_id=actor.user_id)


def read(pk: int, *, actor: Actor, seen: int | None = None) -> None:
    """Say that what the person wrote is read and needs no answer. `seen` is the newest message that was looked at: what
    came after it stays unread. Raises Conflict where nothing is unread."""
    if not actor.is_handler:
        raise Forbidden("read")
    with transaction.atomic():
        request = lock(pk)
        if request.unread_at is None:
            raise Conflict("read")
        audit.record(request.case, audit.Entry("answer_read", actor, pk))
        _read(request, seen)


def newest_received(request: PrivacyRequest) -> int | None:
    """The number of the newest message of the person in this case."""
    came = request.case.messages.filter(status=MessageStatus.RECEIVED)
    return once(request, "newest_received", came.order_by("-pk").values_list("pk", flat=True).first)


def _read(request: PrivacyRequest, seen: int | None) -> None:
    if seen is None or seen == newest_received(request):
        PrivacyRequest.objects.filter(pk=request.pk).update(unread_at=None)


def note(pk: int, text: str, *, actor: Actor) -> Message:
    """Write something down for colleagues; it never leaves the house."""
    cleaned = text_of(text, _("your note"))
    if not actor.is_handler:
        raise Forbidden("note")
    with transaction.atomic():
        request = lock(pk)
        audit.record(request.case, audit.Entry("noted", actor, pk))
        return Message.objects.create(
            case=request.case, request=request, status=MessageStatus.NOTE, author_id=actor.user_id,
            text_sealed=request.case.seal(cleaned, "message"),
        )  # fmt: skip


def assign(pk: int, *, actor: Actor) -> None:
    """Take a request for oneself."""
    if not actor.is_handler:
        raise Forbidden("assign")
    with transaction.atomic():
        request = lock(pk)
        PrivacyRequest.objects.filter(pk=pk).update(assignee_id=actor.user_id)
        audit.record(request.case, audit.Entry("assigned", actor, pk))


def withdraw_for(pk: int, *, actor: Actor) -> PrivacyRequest:
    """Note that the person said, by mail or telephone, that they no longer want it."""
    return move(pk, "withdraw", actor=actor)


def judge_dispute(pk: int, founded: bool, text: str, *, actor: Actor) -> PrivacyRequest:
    """One person's finding on "this was not me". When two different people agree it takes effect (law 4).

    Founded: nothing more is erased and the account stays shut. Raises Invalid for a second finding by the same person.
    """
    if not actor.is_approver:
        raise Forbidden("judge_dispute")
    kind = DecisionKind.DISPUTE_FOUNDED if founded else DecisionKind.DISPUTE_UNFOUNDED
    cleaned = text_of(text, _("what you found"))
    with transaction.atomic():
        request = lock(pk)
        if request.disputed_at is None:
            raise Conflict("no dispute")
        earlier = request.decisions.filter(
            kind__in=[DecisionKind.DISPUTE_FOUNDED, DecisionKind.DISPUTE_UNFOUNDED], decided_at__gte=request.disputed_at
        )
        if earlier.filter(decided_by_id=actor.user_id).exists():
            raise Invalid(_("You have given your finding. A second person has to decide."))
        second = earlier.filter(kind=kind).exists()
        if not second:
            workflow.decide(request, actor, Because(kind, text=cleaned))
            audit.record(request.case, audit.Entry("dispute_judged", actor, pk, details={"founded": founded}))
            return request
        verb = "uphold_dispute" if founded else "dismiss_dispute"
        moved = move(pk, verb, actor=actor, because=Because(kind, text=cleaned))
        if founded:
            # What the confirmation set aside, it did not set aside for the person (GDPR Art 18).
            mine = Restriction.objects.filter(email_index=moved.case.email_index, lifted_at=moved.confirmed_at)
            mine.exclude(email_index="").update(lifted_at=None)
        else:
            wake(moved)
        return moved


def wake(request: PrivacyRequest) -> None:
    """Let steps that waited for a reason which is gone go on at once, in the caller's transaction."""
    request.steps.filter(reason__in=[StepReason.DISPUTED, StepReason.KILL_SWITCH, StepReason.SOURCE_OFF]).update(
        due_at=timezone.now(), reason=""
    )
