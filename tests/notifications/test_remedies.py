"""Whoever is told no, in whole or in part, learns why, by which article of their own law, and what they can do about it:
33 laws, every ending that declines something."""

from dataclasses import dataclass
from typing import Any

import pytest
from django.utils import timezone, translation

from accounts.models import Role, User
from dsar.datamap import loader
from dsar.enums import AppealKind, Outcome, Right
from dsar.law import authorities, codes, regimes, remedies
from dsar.models import Choice, Decision, Message, PrivacyRequest, Redaction
from dsar.notices import Notice
from dsar.notifications import compose, letters
from tests import drive
from tests.notifications.test_fates import SOURCES, item

SAID = "These are the words of a person."


@dataclass(frozen=True)
class Ending:
    """A letter that declines something. `codes`: what may be the reason, the first that this law knows; none where the
    letter lists its reasons line by line."""

    right: Right
    outcome: Outcome
    notice: Notice
    codes: tuple[str, ...] = ()


DECLINING = {
    "a deletion refused": Ending(Right.DELETION, Outcome.DENIED, Notice.REFUSED, ("EXEMPT", "NOT_PROMISED_BY_LAW")),
    "a copy refused": Ending(Right.ACCESS, Outcome.DENIED, Notice.REFUSED, ("OUT_OF_SCOPE",)),
    "a correction refused": Ending(Right.CORRECTION, Outcome.DENIED, Notice.REFUSED, ("ACCURATE_AS_HELD", "NOT_PROMISED_BY_LAW")),
    "an objection refused": Ending(Right.OBJECTION, Outcome.DENIED, Notice.REFUSED, ("GROUND_NOT_MET", "NOT_PROMISED_BY_LAW", "OUT_OF_SCOPE")),
    "something kept": Ending(Right.DELETION, Outcome.GRANTED_IN_PART, Notice.DONE_ERASED),
    "something kept after all": Ending(Right.DELETION, Outcome.OPEN, Notice.NARROWED),
    "something left out of a copy": Ending(Right.ACCESS, Outcome.GRANTED_IN_PART, Notice.DONE_COPY),
    "never proven": Ending(Right.ACCESS, Outcome.NOT_PROVEN, Notice.NOT_PROVEN, ("IDENTITY_NOT_PROVEN",)),
    "never answered": Ending(Right.DELETION, Outcome.UNANSWERED, Notice.UNANSWERED, ("NO_ANSWER",)),
    "not ours": Ending(Right.ACCESS, Outcome.REFERRED, Notice.REFERRED, ("NOT_OUR_CONTROLLER",)),
}  # fmt: skip


@pytest.fixture
def requests_(db: None) -> dict[Right, PrivacyRequest]:
    """A proven request of each right; something is left out of the copy."""
    made = {}
    for right in (Right.DELETION, Right.ACCESS, Right.CORRECTION, Right.OBJECTION):
        request = drive.a_request(right=right)
        drive.proven_by_link(request.case)
        made[right] = drive.fresh(request.pk)
    redacting = drive.person_of_the_desk(Role.APPROVER).user_id or 0
    Redaction.objects.create(
        request=made[Right.ACCESS], source="platform", table="prompts", code="THIRD_PARTY", decided_by_id=redacting
    )
    return made


def said(request: PrivacyRequest, ending: Ending, regime: str, decision: Decision | None) -> str:
    request.case.regime, request.case.regime_version = regime, ""
    request.outcome, request.ended_at = ending.outcome, timezone.now() if ending.outcome else None
    message = Message(case=request.case, request=request, notice=ending.notice, decision=decision)
    with translation.override("en-gb"):
        return compose.as_text(message, compose.context_for(message))


def test_law_15_every_no_names_reason_article_authority_and_the_way_back_and_no_other_law(
    requests_: dict[Right, PrivacyRequest], monkeypatch: pytest.MonkeyPatch
) -> None:
    approver = User(role=Role.APPROVER, pk=0)
    body: dict[str, Any] = {}
    monkeypatch.setattr(letters, "_plan_body", lambda request: body)
    wrong: list[str] = []
    for regime_id in regimes.all_ids():
        regime = regimes.load(regime_id)
        ground = codes.grounds(regime)[0]
        kept = item("shop", "invoices", "keep", code=ground.code, citation=ground.citation, until="2036-12-31")
        body |= {
            **drive.PLAN_BODY,
            "regime": regime_id,
            "sources": SOURCES,
            "items": [item("shop", "rows", "erase"), kept],
        }
        way = remedies.kind_of(regime)
        for name, ending in DECLINING.items():
            request = requests_[ending.right]
            named = [found for code in ending.codes if (found := codes.named(code, regime))]
            decision = None
            if ending.codes:
                if not named:
                    wrong.append(f"{regime_id}, {name}: none of {ending.codes} is known")
                    continue
                sealed = request.case.seal(SAID, "decision")
                decision = Decision(request=request, kind="refuse", code=named[0].code, citation=named[0].citation,
                                    text_sealed=sealed, decided_by=approver)  # fmt: skip
            text = said(request, ending, regime_id, decision)
            wanted = [str(regime.remedy), "If you do not agree", *authorities.way(regime_id).links]
            if named:
                wanted += [str(named[0].text), named[0].citation, SAID, "by an approver of our privacy team"]
            if ending.notice in (Notice.DONE_ERASED, Notice.NARROWED) or name == "a deletion refused":
                wanted += [str(ground.text), ground.citation, "31 December 2036", "for nothing else"]
            if ending.notice == Notice.DONE_COPY:
                redacted = codes.redaction("THIRD_PARTY", regime)
                wanted += [str(redacted.label), redacted.citation] if redacted else ["THIRD_PARTY is known"]
            if way and remedies.is_open_to(way, ending.outcome):
                wanted.append("You can appeal to us" if way == AppealKind.APPEAL else "You can complain to us about it")
                wanted.append("in writing and with reasons")
            wrong += [f"{regime_id}, {name}: {words}" for words in wanted if words not in text]
            if "GDPR" in text and regime_id not in ("eu_gdpr", "uk_gdpr"):
                wrong.append(f"{regime_id}, {name}: cites the GDPR")
            if ("CCR" in text or "Civ. Code" in text) and regime_id != "us_ca_ccpa":
                wrong.append(f"{regime_id}, {name}: cites the law of California")
    assert not wrong, "\n".join(wrong)


def test_a_deletion_denied_in_california_offers_to_stop_the_sale_unless_it_was_stopped(
    requests_: dict[Right, PrivacyRequest], monkeypatch: pytest.MonkeyPatch
) -> None:
    """11 CCR 7022(f), (g). The demo's map names a recipient to whom data are sold."""
    assert any(one.sale for one in loader.current().recipients.values())
    request, ending = requests_[Right.DELETION], DECLINING["something kept"]
    kept = item("shop", "invoices", "keep", code="CA_DEBUG", citation="Cal. Civ. Code 1798.105(d)(3)")
    body = {**drive.PLAN_BODY, "regime": "us_ca_ccpa", "sources": SOURCES, "items": [kept]}
    monkeypatch.setattr(letters, "_plan_body", lambda request: body)
    text = said(request, ending, "us_ca_ccpa", None)
    assert "11 CCR 7022(f)" in text
    assert "You can stop that for yours: " in text
    assert "You can stop that" not in said(request, ending, "eu_gdpr", None)
    Choice.objects.create(
        email_index=request.case.email_index,
        kind=Right.OPT_OUT_SALE,
        case=request.case,
        request=request,
        since=timezone.now(),
    )
    assert "You can stop that" not in said(request, ending, "us_ca_ccpa", None)
