"""The pages of the privacy team: a queue, a request with its next step, what came in, holds, sources, the audit trail."""
