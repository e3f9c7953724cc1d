"""What a verb of the desk says where its input cannot stand."""


class Invalid(Exception):
    """A decision that cannot stand; the text says what to do, for the person who tried."""
