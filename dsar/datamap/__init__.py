"""The data map: a company's own description of where personal data lies and what must be kept."""
