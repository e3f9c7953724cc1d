"""Looking again, by the desk: more time where the law knows it, and the answer with its reasons."""

from collections.abc import Callable
from datetime import datetime

from django.conf import settings
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from dsar import deadlines
from dsar.enums import UPHELD, AppealKind, AppealOutcome, CorrectionStatus, Right, SecondLook
from dsar.law import regimes
from dsar.law.errors import LawError
from dsar.models import Actor, Appeal, Correction, PrivacyRequest
from dsar.models.appeal import DECIDED
from dsar.notices import Notice
from dsar.review import appeals, deciders
from dsar.workflow import Conflict, Forbidden, Invalid


def assign(pk: int, *, actor: Actor) -> None:
    """Take one on. Raises Forbidden, Conflict where it has ended."""
    if not actor.is_handler:
        raise Forbidden("assign")
    with transaction.atomic():
        appeal = appeals.hold(pk)
        if not appeal.is_open:
            raise Conflict("assign")
        Appeal.objects.filter(pk=pk).update(assignee_id=actor.user_id)
        appeals.note(appeal, "appeal_assigned", actor)


def may_extend(appeal: Appeal) -> bool:
    """Whether the law gives more time for this, and the notice would still come in time."""
    try:
        return appeal.is_open and bool(_extended(appeal, timezone.now()))
    except LawError:
        return False


def _extended(appeal: Appeal, now: datetime) -> deadlines.AppealDates:
    regime = regimes.load(appeal.regime, appeal.regime_version)
    kind = AppealKind(appeal.kind)
    times = int(appeal.extended_at is not None)
    return deadlines.extend_appeal(regime, kind, appeal.received_at, now, times=times)


def extend(pk: int, text: str, *, actor: Actor) -> Appeal:
    """Take more time, once, where the law knows it; the person reads why. A notice after the date is void and refused
    here. Raises Invalid, Conflict, Forbidden."""
    if not actor.is_handler:
        raise Forbidden("extend")
    reason = _text(text, _("why it takes longer"))
    now = timezone.now()
    with transaction.atomic():
        appeal = appeals.hold(pk)
        if not appeal.is_open:
            raise Conflict("extend")
        try:
            dates = _extended(appeal, now)
        except LawError as error:
            if error.reason == "notice_late":
                raise Invalid(_("The legal date has passed: an extension would be void. Please answer now.")) from None
            raise Invalid(_("This law gives no (more) time here.")) from None
        appeal.original_due_on, appeal.extended_at = appeal.due_on, now
        appeal.due_on, appeal.target_on = dates.due_on, dates.target_on
        appeal.save(update_fields=["original_due_on", "extended_at", "due_on", "target_on"])
        appeals.note(appeal, "appeal_extended", actor, due_on=appeal.due_on.isoformat())
        appeals.tell(
            appeal, Notice.APPEAL_EXTENDED, dedupe=f"appeal:{pk}:extended", text=reason, author_id=actor.user_id
        )
        return appeal


def decide(
    pk: int,
    outcome: str,
    text: str,
    *,
    actor: Actor,
    anew: Callable[[PrivacyRequest], PrivacyRequest],
    begin: bool = True,
) -> Appeal:
    """Answer with reasons that the person reads. Approvers alone, and never who decided it before.

    What an upheld appeal sets going is a new request, which `anew` opens from the old one in this transaction; the old one
    never changes. A complaint or a grievance may be right without anything to begin (`begin`). Raises Invalid, Conflict
    (it has ended), Forbidden.
    """
    if not actor.is_approver:
        raise Forbidden("decide")
    if outcome not in [one.value for one in DECIDED]:
        raise Invalid(_("Please choose what you found."))
    reasons = _text(text, _("your reasons"))
    with transaction.atomic():
        appeal = appeals.hold(pk)
        if not appeal.is_open:
            raise Conflict("decide")
        found = deciders.look(appeal, actor)
        if not found.counts:
            raise Forbidden("decide")
        upheld = outcome in UPHELD
        opened = _begin_again(appeal, anew) if upheld and (begin or appeal.kind == AppealKind.APPEAL) else None
        appeals.end(
            appeal, AppealOutcome(outcome), actor, "appeal_decided", decided_by_id=actor.user_id, opened=opened,
            same_person=found == SecondLook.ALONE,
            reasons_sealed=appeal.request.case.seal(reasons, "appeal-reasons"),
        )  # fmt: skip
        appeals.tell(appeal, Notice.APPEAL_UPHELD if upheld else Notice.APPEAL_DISMISSED, dedupe=f"appeal:{pk}:decided")
        return appeal


def begins_anew(appeal: Appeal) -> bool:
    """Whether there is an ended request that could be begun anew."""
    return appeal.request.is_ended


def _begin_again(appeal: Appeal, anew: Callable[[PrivacyRequest], PrivacyRequest]) -> PrivacyRequest | None:
    """A new request takes the place of the old one: proven as far as the case is, with a clock of its own and a near target.
    A deletion is confirmed anew by its person: nothing that was narrowed is widened without them."""
    old = appeal.request
    if not begins_anew(appeal):
        return None
    opened = anew(old)
    soon = timezone.localdate() + settings.APPEAL_REDO
    if opened.target_on and opened.target_on > soon:
        PrivacyRequest.objects.filter(pk=opened.pk).update(target_on=soon)
        opened.target_on = soon
    if old.right == Right.CORRECTION:
        # What the person wrote is not typed twice.
        again = old.corrections.filter(status=CorrectionStatus.REFUSED).order_by("pk")
        Correction.objects.bulk_create(
            Correction(request=opened, field=one.field, new_sealed=one.new_sealed) for one in again
        )
    return opened


def _text(text: str, what: str) -> str:
    cleaned = text.strip()
    if not cleaned:
        raise Invalid(_("Please write %(what)s: the requester reads it.") % {"what": what})
    return cleaned[: appeals.LONGEST]
