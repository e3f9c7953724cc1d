"""What a law lets a company ask of whoever asks for somebody else, by what they act as and for which right.

It is the most that may be asked, never what must be. A power of attorney is nobody's duty (11 CCR 7063(b)); a choice is
never verified (law 12), though its agent may have to show the permission.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from dsar.law.shapes import NEVER_VERIFIED, Regime, covers

SELF: Final = "self"
AGENT: Final = "agent"


@dataclass(frozen=True, slots=True)
class Demand:
    """`may`: the law lets them ask for this right at all; otherwise the person is asked directly and goes on alone.
    `permission`: the person's signed permission. `direct`: that the person proves who they are, or confirms the permission,
    themselves. `authority`: the paper by which somebody stands for the person in everything."""

    may: bool = True
    permission: bool = False
    direct: bool = False
    authority: bool = False


def demand(regime: Regime, acts_as: str, right: str) -> Demand:
    """What may be asked under a law of somebody who acts as self, agent, guardian, attorney or estate."""
    if acts_as == SELF:
        return Demand()
    agents = regime.agents
    if acts_as != AGENT:
        # Who holds a power of attorney shows it instead of all else; a guardian and an estate show theirs.
        return Demand(authority=True)
    permission = covers(agents.signed_permission, right)
    if right in NEVER_VERIFIED:
        # Honoured whoever asks: the law may let us ask for the permission, never for a proof.
        return Demand(permission=permission)
    if not agents.may(right):
        return Demand(may=False, direct=True)
    return Demand(permission=permission, direct=covers(agents.direct_proof, right))
