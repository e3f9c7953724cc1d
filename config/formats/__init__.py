"""Date formats of this house, by language."""
