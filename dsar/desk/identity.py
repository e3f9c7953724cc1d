"""The panel about who asks on a request's page: what the right needs, what was shown, how, and what can be asked next."""

from typing import Any

from django.conf import settings

from dsar.desk import story, words
from dsar.enums import CheckKind, CheckStatus
from dsar.law import tiers
from dsar.models import Actor, IdentityCheck, PrivacyRequest
from dsar.review import purge
from dsar.verification import asking, by_hand, data_points

# Ways back to a page, and what stops a request, prove nobody.
PROOFS = (
    CheckKind.MAILBOX, CheckKind.CODE, CheckKind.SECOND_FACTOR, CheckKind.SIGN_IN, CheckKind.DATA_POINTS, CheckKind.QUIZ,
    CheckKind.BY_HAND,
)  # fmt: skip
# A link that nobody has opened says nothing; what was stated and what was seen are still being looked at.
WAITING = (CheckKind.DATA_POINTS, CheckKind.QUIZ, CheckKind.BY_HAND)


def panel(request: PrivacyRequest, actor: Actor) -> dict[str, Any]:
    """The tier that is needed and the one that is reached, in words; every proof with its method and dates; what is left to
    try and to ask. An auditor reads how it was shown, and not what."""
    case = request.case
    reached = case.proven_tier if case.is_proven else tiers.NONE
    asked = asking.missing(case)
    mine = asked is not None and request in asked.requests
    told = asking.asked_at(case)
    return {
        "needed": request.tier_needed, "needed_label": words.TIERS[request.tier_needed],
        "reached": reached, "reached_label": words.TIERS[reached], "enough": request.is_proven_enough,
        "proofs": [_line(check, actor) for check in _proofs(request)],
        "left": data_points.attempts_left(case) if mine else None, "tries": settings.PROOF_ATTEMPTS,
        "can_state": bool(mine and asked and data_points.offer(case, asked)),
        "kept_until": purge.kept_until(case),
        "next": _next(request) if mine else [], "asked_at": told.created_at if told else None,
    }  # fmt: skip


def _proofs(request: PrivacyRequest) -> list[IdentityCheck]:
    found = (check for check in request.case.checks.all() if check.kind in PROOFS)
    shown = [check for check in found if check.status == CheckStatus.PASSED or check.kind in WAITING]
    for check in shown:
        check.case = request.case
    return sorted(shown, key=lambda check: check.pk, reverse=True)


def _line(check: IdentityCheck, actor: Actor) -> dict[str, Any]:
    return {
        "check": check, "how": words.METHODS.get(check.method) or check.get_kind_display(),
        "who": story.name_of(check.recorded_by), "second": story.name_of(check.confirmed_by),
        "seen": check.seen if actor.is_handler else "", "declaration": check.declaration if actor.is_handler else "",
        "compared": [by_hand.words_of(key) for key in check.asked] if check.kind == CheckKind.BY_HAND else [],
        "kind": {CheckStatus.PASSED: "ok", CheckStatus.FAILED: "danger"}.get(CheckStatus(check.status), "info"),
    }  # fmt: skip


def _next(request: PrivacyRequest) -> list[Any]:
    """The ways that would be enough, by the law of the case, in words."""
    regime = request.case.law
    enough = sorted((tier, name) for name, tier in regime.methods.items() if tier >= request.tier_needed)
    mine = None if request.case.acts_as != "self" else "agent_authority"
    return [words.METHODS[name] for _tier, name in enough if name != mine]
