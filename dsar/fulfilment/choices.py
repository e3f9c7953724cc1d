"""Telling the company's sources what a person chose: opt-outs, a consent withdrawn, and either taken back."""

from dsar.connectors.base import Connector, Outcome
from dsar.datamap import loader
from dsar.enums import StepReason
from dsar.fulfilment import held_step, lookout
from dsar.models import Choice

ROUNDS = 3


def apply(held: held_step.Held) -> None:
    """Make one source say what the list says.

    A step carries no order of its own: a source that was down may hear of a choice only after the person has taken it
    back, and must not be told what no longer holds. The list changes in the transaction that queues the steps, so
    whichever step looks last is right. Nobody proves anything (law 12).
    """
    lookout.switched_on(held.step.source)
    source, ref = _reach(held)
    outcome, chosen = Outcome(), _chosen(held)
    for _round in range(ROUNDS):
        if ref:
            outcome = Outcome((*outcome.tallies, *_tell(held, source, ref, chosen).tallies))
        told, chosen = chosen, _chosen(held)
        if told == chosen:
            held_step.record(held, outcome)
            return
    raise lookout.Stop(StepReason.BUSY)


def _tell(held: held_step.Held, source: Connector, ref: str, chosen: frozenset[str]) -> Outcome:
    kind = held.request.right
    tallies = source.apply(ref, kind, on=kind in chosen).tallies
    if kind not in chosen:
        # What was taken back may have covered what another choice forbids all the same.
        for other in sorted(chosen & set(loader.current().sources[held.step.source].choices)):
            tallies += source.apply(ref, other, on=True).tallies
    return Outcome(tallies)


def _chosen(held: held_step.Held) -> frozenset[str]:
    """The choices of this address that are in force at this moment."""
    index = held.request.case.email_index
    return frozenset(Choice.objects.of(index).standing().values_list("kind", flat=True))


def _reach(held: held_step.Held) -> tuple[Connector, str]:
    """The source and the person's key in it. Where the address reaches several accounts, a person sets it in each."""
    try:
        if held.body["sources"][held.step.source]["status"] == "several":
            raise lookout.Stop(StepReason.SEVERAL_MATCHES)
        return held_step.reach(held, flags=False)
    except lookout.Stop as stop:
        if stop.reason == StepReason.SEVERAL_MATCHES:
            raise lookout.Stop(StepReason.NOT_SUPPORTED, block=True) from None
        raise
