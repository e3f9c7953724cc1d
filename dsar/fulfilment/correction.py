"""Carrying a correction out: what was accepted is written in every source that holds it (GDPR Art 16)."""

from dsar.datamap import loader
from dsar.fulfilment import held_step, lookout
from dsar.fulfilment.corrected import accepted


def rectify(held: held_step.Held) -> None:
    """Write the accepted fields in one source. Raises lookout.Stop and what connectors raise."""
    lookout.switched_on(held.step.source)
    source, ref = held_step.reach_one(held)
    known = loader.current().sources[held.step.source].correctable
    changes = {field: value for field, value in accepted(held.request).items() if field in known or not known}
    held_step.still_ours(held)
    held_step.record(held, source.rectify(ref, changes))
