"""What was refused stays until the person can no longer have the refusal reviewed, where a law says so (PDPA s.22A and PDP
Regulations 2021 reg 8; PIPEDA s.8(8); CQLR c. P-39.1 s.36).

A deletion that comes meanwhile would destroy what the review is about: a person looks first, and keeps it by a hold or by
narrowing. Nobody can compute when "every recourse" is over; only a number of days ends by itself.
"""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Final

from django.db import transaction
from django.db.models import Q
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from dsar import audit, clock_events, deadlines
from dsar.enums import Outcome, Right
from dsar.models import SYSTEM, PrivacyRequest
from dsar.workflow import Invalid, lock

REFUSED_BEFORE: Final = "refused_before"
TOLD_BY: Final = (Right.KNOW, Right.ACCESS, Right.PORTABILITY)


@dataclass(frozen=True)
class Refused:
    """An answer that withheld something. `until`: the last day on which it has to be there; None: until recourse is over."""

    request: PrivacyRequest
    until: date | None

    def __str__(self) -> str:
        law = self.request.case.law
        words = {
            "what": self.request.title, "reference": self.request.case.reference, "law": law.text("short"),
            "article": law.records.citation, "until": date_format(self.until) if self.until else "",
        }  # fmt: skip
        if self.until:
            return _("%(what)s, %(reference)s: kept until %(until)s (%(law)s, %(article)s).") % words
        said = _(
            "%(what)s, %(reference)s: kept until every way of complaining about it is over (%(law)s, %(article)s)."
        )
        return said % words


def standing(request: PrivacyRequest, at: datetime | None = None) -> list[Refused]:
    """The answers to the person of a deletion, in its case or another of the same mailbox, that withheld something which
    has to be there at a moment (now); oldest first."""
    if request.right != Right.DELETION:
        return []
    same = Q(case_id=request.case_id)
    if request.case.email_index:
        same |= Q(case__email_index=request.case.email_index)
    withheld = PrivacyRequest.objects.filter(
        same, right__in=TOLD_BY, outcome__in=(Outcome.DENIED, Outcome.GRANTED_IN_PART), ended_at__isnull=False
    )
    found = []
    for one in withheld.select_related("case").order_by("pk"):
        law = one.case.law
        if law.records.refused == "recourse":
            found.append(Refused(one, None))
        elif law.records.refused == "days" and one.ended_at:
            due = deadlines.of_kind(law, one.right, "refused_copy", one.ended_at)
            if due is not None and due.date is not None and clock_events.today(one, at) <= due.date:
                found.append(Refused(one, due.date))
    return found


def look_again(pk: int) -> None:
    """The fresh look before a deletion is released: something may have been refused since its plan was made. It is written
    on the request, and nothing is released by this press of the button.

    Raises Invalid, which names what was found. Pressed again, whoever does it has seen it.
    """
    request = PrivacyRequest.objects.select_related("case").get(pk=pk)
    if not request.is_bound or REFUSED_BEFORE in request.judgement or not (found := standing(request)):
        return
    with transaction.atomic():
        held = lock(pk)
        PrivacyRequest.objects.filter(pk=pk).update(judgement=sorted({*held.judgement, REFUSED_BEFORE}))
        audit.record(held.case, audit.Entry("risk_found", SYSTEM, pk, details={"flags": [REFUSED_BEFORE]}))
    names = " ".join(map(str, found))
    raise Invalid(
        _("The law has us keep what was refused before: %(names)s Please keep it by narrowing or by a hold, then release.")
        % {"names": names}
    )  # fmt: skip
