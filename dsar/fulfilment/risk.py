"""What speaks for a closer look before data leave the house or go: contact details that changed lately, many requests, an
address that anybody can open and throw away.

Each is a flag with a name, for a person who weighs it (GDPR Art 12(6), 32; Cal. Civ. Code 1798.81.5). None of them refuses
anything by itself, none touches a choice (law 12), and whoever asks reads no word about it.
"""

from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from dsar import audit
from dsar.connectors.base import Identity, SourceError
from dsar.connectors.registry import connector
from dsar.datamap import loader
from dsar.enums import UNVERIFIED_RIGHTS, Risk, State
from dsar.models import SYSTEM, Case, PrivacyRequest, Source
from dsar.workflow import Invalid, lock

HOUSE_PERIOD = timedelta(days=1)


def of(case: Case, now: datetime) -> set[str]:
    """The flags that our own tables give for a case; no source is asked, and nothing but numbers is looked at."""
    found: set[str] = set()
    if _many(case, now):
        found.add(Risk.MANY_REQUESTS)
    if _wave(now):
        found.add(Risk.WAVE)
    if is_disposable(case.email):
        found.add(Risk.DISPOSABLE)
    return {str(flag) for flag in found}


def is_disposable(address: str) -> bool:
    """Whether the domain of an address, or one above it, is on the list of those that give an address to anybody for a
    few minutes (DISPOSABLE_DOMAINS)."""
    labels = address.rpartition("@")[2].lower().split(".")
    return any(".".join(labels[start:]) in settings.DISPOSABLE_DOMAINS for start in range(len(labels) - 1))


def look_again(pk: int) -> None:
    """The fresh look before a copy is handed over: what has come up since somebody weighed it is written on the request,
    and nothing is handed over by this press of the button. Sources are asked, outside of any transaction.

    Raises Invalid, which names what was found. Pressed again, whoever does it has seen it.
    """
    request = PrivacyRequest.objects.select_related("case").get(pk=pk)
    if request.state != State.CHECKING:
        return
    fresh = (of(request.case, timezone.now()) | _contact(request.case)) - set(request.judgement)
    if not fresh:
        return
    with transaction.atomic():
        held = lock(pk)
        PrivacyRequest.objects.filter(pk=pk).update(judgement=sorted({*held.judgement, *fresh}))
        audit.record(held.case, audit.Entry("risk_found", SYSTEM, pk, details={"flags": sorted(fresh)}))
    names = ", ".join(str(Risk(flag).label) for flag in sorted(fresh))
    raise Invalid(
        _(
            "Something has come up since this copy was approved: %(names)s. Please look at it, and hand it over again if"
            " you are sure."
        )
        % {"names": names}
    )  # fmt: skip


def _many(case: Case, now: datetime) -> bool:
    """Whether this mailbox, whoever proved it, has asked more often than people do. Choices are not counted."""
    if not case.email_index or not settings.RISK_REQUESTS:
        return False
    asked = PrivacyRequest.objects.filter(
        case__email_index=case.email_index, case__received_at__gt=now - settings.RISK_PERIOD
    ).exclude(right__in=UNVERIFIED_RIGHTS)
    return bool(asked.order_by().values("case_id").distinct().count() > settings.RISK_REQUESTS)


def _wave(now: datetime) -> bool:
    """Whether the house as a whole has been asked unusually often since yesterday. Counts contacts, of nobody."""
    most = settings.RISK_HOUSE_REQUESTS
    since = Case.objects.filter(received_at__gt=now - HOUSE_PERIOD)
    return bool(most) and since.order_by("received_at")[most : most + 1].exists()


def _contact(case: Case) -> set[str]:
    """Whether the contact details of the account have changed lately, by the sources whose data map says where to look;
    one that cannot be asked is a flag too: doubt does not hand anything over by itself."""
    found: set[str] = set()
    if not case.email:
        return found
    off = set(Source.objects.filter(enabled=False).values_list("key", flat=True))
    for key, source in loader.current().sources.items():
        if source.identity is None or source.identity.contact_changed_at is None:
            continue
        if key in off:
            found.add(str(Risk.CONTACT_UNKNOWN))
            continue
        try:
            located = connector(key).locate(Identity(case.email), ())
        except SourceError:
            found.add(str(Risk.CONTACT_UNKNOWN))
        else:
            found |= {str(Risk.CONTACT_CHANGED)} & set(located.flags)
    return found
