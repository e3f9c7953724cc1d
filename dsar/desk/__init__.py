"""The pages of the privacy team: the queue, a request and its next step, mail, holds, sources, the audit trail."""
