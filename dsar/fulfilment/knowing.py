"""A request to know asks what could not say at the search: a source that was down, one that only a person can look into
(GDPR Art 15(1): whether or not data are held)."""

from django.utils import timezone

from dsar.connectors.base import Identity, Outcome
from dsar.connectors.registry import connector, source_map
from dsar.datamap import loader
from dsar.enums import StepReason
from dsar.fulfilment import held_step, lookout
from dsar.fulfilment import plan as plans


def look(held: held_step.Held) -> None:
    """Ask one source again; what it holds stands on the step, as items of a plan. Raises lookout.Stop and what connectors
    raise; a source without a machine becomes its owner's task."""
    key = held.step.source
    lookout.switched_on(key)
    located = connector(key).locate(Identity(held.request.case.email), held.orders)
    if located.status == "unknown":
        raise lookout.Stop(StepReason.NOT_SUPPORTED, block=True)
    if located.status == "several":
        raise lookout.Stop(StepReason.SEVERAL_MATCHES, block=True)
    found = plans.items_of(loader.current(), key, source_map(key), located, timezone.localdate())
    held.step.tallies = [
        {"category": item["category"], "table": item["action"], "code": item["code"], "item": item} for item in found
    ]
    held_step.record(held, Outcome())
