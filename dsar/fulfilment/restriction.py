"""Marking a person's rows as restricted, and taking the mark back (GDPR Art 18)."""

from dsar.connectors.base import Outcome
from dsar.enums import StepKind
from dsar.fulfilment import finish, held_step, lookout
from dsar.models import Restriction


def restrict(held: held_step.Held) -> None:
    """Mark the rows of one source, where it is still wanted. Raises lookout.Stop and what connectors raise."""
    lookout.switched_on(held.step.source)
    called_off = held.request.steps.filter(kind=StepKind.LIFT).exists()
    if called_off or not Restriction.objects.in_force().filter(request=held.request).exists():
        held_step.record(held, Outcome())
        return
    source, ref = held_step.reach_one(held)
    held_step.still_ours(held)
    held_step.record(held, source.restrict(ref))


def lift(held: held_step.Held) -> None:
    """Take the mark back, unless another restriction of the same person is in force. The step is queued once the letter
    is out and its notice over (restricting.py)."""
    lookout.switched_on(held.step.source)
    others = Restriction.objects.of_index(held.request.case.email_index).exclude(request=held.request)
    outcome = Outcome()
    if not others.exists():
        source, ref = held_step.reach_one(held)
        held_step.still_ours(held)
        outcome = source.lift(ref)
        if others.exists():
            # It came into force while the mark was being taken back, and may have found it still there.
            outcome = source.restrict(ref)
    held_step.record(held, outcome, also=lambda: finish.end_restriction(held.request))
