"""What the person was asked last and has not answered: by that alone one person of the desk ends a request with a letter.

Whatever else ends it against the person's wish is a refusal, and takes two (request_conditions.py).
"""

from datetime import datetime, time
from typing import TYPE_CHECKING, Final

from django.conf import settings
from django.utils import timezone

from dsar.enums import CheckKind, CheckStatus, Outcome, State
from dsar.models.audit_event import AuditEvent
from dsar.models.once import once
from dsar.notices import Notice

if TYPE_CHECKING:
    from dsar.models.case import Case
    from dsar.models.message import Message
    from dsar.models.privacy_request import PrivacyRequest

# What the person says, on whatever way it comes, by its name in the audit trail (see proposals.heard).
HEARD: Final = frozenset({
    "mail_received", "answer", "not_content", "appeal_received", "appeal_withdrawn", "correction_proposed",
    "evidence_received", "statement_attached", "identity_paper_received", "authority_received", "data_points_stated",
    "representative_allowed", "representative_not_allowed", "place_noted", "law_said", "copy_asked", "restriction_asked",
})  # fmt: skip
# A try to show who asks, which was compared and did not fit, or still waits for that.
TRIED: Final = frozenset({"data_points_stated"})
# Letters that ask for more than the link with which everything begins.
PROOFS: Final = (Notice.PROOF_ASKED, Notice.PAPER_ASKED, Notice.PERMISSION_ASKED)
# The judgement flag of what nobody proved by the target date.
CAME_BACK: Final = "not_proven"
# By which verbs a request comes back without what was asked, and where it had waited for that.
SILENT: Final = ("no_answer", "unanswered")
WAITED: Final = (State.CLARIFYING, State.CONFIRMING)


def lapses_as(request: "PrivacyRequest") -> Outcome:
    """As what a request in REVIEW may end for want of what the person was asked for (law 15): not proven, once they had
    their time to show who they are; unanswered, where our question or the confirmation stands without an answer. OPEN for
    everything else: they have written since, what they wrote is unread, or nothing of the kind was asked last."""
    return once(request, "lapses_as", lambda: _lapses_as(request))


def _lapses_as(request: "PrivacyRequest") -> Outcome:
    if request.state != State.REVIEW:
        return Outcome.OPEN
    unproven, asked_at = bool(request.right) and not request.is_proven_enough, _asked_at(request)
    if not (unproven or asked_at) or any(one.unread_at for one in request.case.requests.all()):
        return Outcome.OPEN
    proof = _proof(request)
    if (
        unproven
        and _had_their_time(request, proof)
        and not (_tries(request) or _heard(request, _asked_who(request), but=TRIED))
    ):
        return Outcome.NOT_PROVEN
    if asked_at is None or (proof is not None and proof.created_at > asked_at) or _heard(request, asked_at):
        return Outcome.OPEN
    return Outcome.UNANSWERED


def proof_until(request: "PrivacyRequest", proof: "Message | None" = None) -> datetime | None:
    """Until when the person has time to show who they are: our target date; of whoever was asked for more late, the time
    that any question has. None where the request has no date."""
    ends = []
    # What came back on its target date had its time, though the dates are counted anew from there.
    if CAME_BACK not in request.judgement:
        if request.target_on is None:
            return None
        ends.append(timezone.make_aware(datetime.combine(request.target_on, time.min)))
    proof = proof or _proof(request)
    if proof is not None:
        ends.append(proof.created_at + settings.ANSWER_WITHIN)
    return max(ends, default=request.entered_at)


def _proof(request: "PrivacyRequest") -> "Message | None":
    """The newest letter that asked for a surer proof."""
    return next((one for one in letters_about_who(request.case) if one.notice in PROOFS), None)


def letters_about_who(case: "Case") -> list["Message"]:
    """The letters that ask the person of a case who they are, the newest first."""
    letters = case.messages.filter(notice__in=(*PROOFS, Notice.RECEIVED_VERIFY)).order_by("-pk")
    return once(case, "letters_about_who", lambda: list(letters))


def _had_their_time(request: "PrivacyRequest", proof: "Message | None") -> bool:
    until = proof_until(request, proof)
    return until is not None and timezone.now() >= until


def _tries(request: "PrivacyRequest") -> bool:
    """Something that was shown waits to be compared or looked at."""
    shown = (CheckKind.DATA_POINTS, CheckKind.BY_HAND)
    return any(one.status == CheckStatus.PENDING and one.kind in shown for one in request.case.checks.all())


def _asked_who(request: "PrivacyRequest") -> datetime:
    """Since when the person has the newest letter that asks who they are."""
    letters = letters_about_who(request.case)
    return letters[0].created_at if letters else request.received_at


def _asked_at(request: "PrivacyRequest") -> datetime | None:
    """When our question, or the plan to confirm, went out that this request came back from unanswered; None where it came
    to review on another way."""
    moves = AuditEvent.objects.filter(
        chain=request.case.chain, request_id=request.pk, to_state__in=(State.REVIEW, *WAITED)
    )
    last = list(moves.exclude(what="extend").order_by("-number").values_list("what", "to_state", "at")[:2])
    if len(last) < 2 or last[0][0] not in SILENT or last[1][1] not in WAITED:
        return None
    return last[1][2]


def _heard(request: "PrivacyRequest", since: datetime, but: frozenset[str] = frozenset()) -> bool:
    said = AuditEvent.objects.filter(chain=request.case.chain, what__in=HEARD - but, at__gt=since)
    return said.exists()
