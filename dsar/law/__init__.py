"""The law as data: regimes, clocks, identity tiers, and the grounds for keeping and refusing.

Pure code: no models, no settings, no clock of its own. Facts stand in the TOML files, words in `words`,
`code_words`; texts are lazily translated, so that a date stored today explains itself in any language later.
Not legal advice.
"""
