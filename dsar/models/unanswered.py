"""What the person was asked last and has not answered, and what they said since."""

from typing import Final

# What the person says, on whatever way it comes, by its name in the audit trail (see proposals.heard).
HEARD: Final = frozenset({
    "mail_received", "answer", "not_content", "appeal_received", "appeal_withdrawn", "correction_proposed",
    "evidence_received", "statement_attached", "identity_paper_received", "authority_received", "data_points_stated",
    "representative_allowed", "representative_not_allowed", "place_noted", "law_said", "copy_asked", "restriction_asked",
})  # fmt: skip
