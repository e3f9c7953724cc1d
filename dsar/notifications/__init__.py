"""Mail that leaves: compose, outbox (queue, claim, send, sweep), the development folder."""
