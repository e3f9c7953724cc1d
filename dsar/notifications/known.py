"""What every address of a person hears of a deletion or a copy, each with a link of its own by which it stops: that it was
proven, that it was confirmed (a copy: approved), that it was released (a copy: handed over). One mail for each and address.
"""

from dsar import keys
from dsar.enums import COPY_RIGHTS, Right
from dsar.models import PrivacyRequest
from dsar.notices import KnownEvent, Notice
from dsar.notifications import outbox

WATCHED = frozenset({Right.DELETION, *COPY_RIGHTS})
# In the plan of a search: what the company's own systems hold for the account (connectors/addresses.py).
IN_PLAN = "known_addresses"
# The flag of a search in which a source that holds the account could not say which addresses it knows.
UNKNOWN = "addresses_unknown"
# The address of the case has a letter of its own that says it, with the same link.
HAS_ITS_LETTER = frozenset(
    {(KnownEvent.CONFIRMED, Right.DELETION), *((KnownEvent.RELEASED, right) for right in COPY_RIGHTS)}
)


def addresses(request: PrivacyRequest) -> list[str]:
    """Every address of the person that a proof or a rule of ours has shown, and those that the search found on file."""
    plan = request.plans.newest()
    if plan is not None:
        plan.request = request
    on_file = plan.body().get(IN_PLAN, []) if plan else []
    return list(dict.fromkeys([*request.case.known_addresses(), *on_file]))


def tell(request: PrivacyRequest, event: KnownEvent) -> int:
    """Queue it for each address that has not heard of it yet, in the caller's transaction. Returns how many."""
    if request.right not in WATCHED:
        return 0
    told = 0
    for address in addresses(request):
        if address == request.case.contact and (event, request.right) in HAS_ITS_LETTER:
            continue
        once = f"known:{request.pk}:{event}:{keys.email_index(address)[:16]}"
        sent = outbox.queue_for_case(
            request.case, Notice.KNOWN_TOLD, request=request, to=address, text=str(event), dedupe=once
        )
        told += sent is not None
    return told
