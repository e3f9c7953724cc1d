"""Words from which the demo company's people and texts are put together; none of them belongs to anybody.

Names are made up from syllables and plain words, addresses lie under domains reserved for examples (RFC 2606),
network addresses under ranges reserved for documentation (RFC 5737, RFC 3849), telephone numbers under
ranges that no network assigns.
"""

from random import Random

GIVEN = (
    "Adalin", "Aneko", "Arvel", "Bexa", "Brannic", "Calluna", "Corvin", "Dalia", "Dorwin", "Edda", "Elowyn",
    "Fenna", "Fridolin", "Garrow", "Gwenna", "Hadley", "Henrike", "Idris", "Ilsabet", "Jarek", "Jorun",
    "Kasimir", "Kerensa", "Lioba", "Ludek", "Maelis", "Merrin", "Nerys", "Nuno", "Odila", "Orrin", "Petra",
    "Piran", "Quilla", "Rasmin", "Rowena", "Sanne", "Soren", "Tamsin", "Tivadar", "Ulrike", "Vada", "Wendel",
    "Xenia", "Ysolde", "Zoltan",
)  # fmt: skip
FAMILY_FIRST = (
    "Alder", "Ash", "Barley", "Birch", "Bramble", "Clay", "Copper", "Elder", "Fallow", "Fern", "Flint",
    "Frost", "Hazel", "Heather", "Larch", "Linden", "Meadow", "Moss", "Oat", "Pebble", "Quarry", "Reed",
    "Rowan", "Sedge", "Sorrel", "Thistle", "Thorn", "Willow", "Winter", "Yarrow",
)  # fmt: skip
FAMILY_LAST = (
    "bank", "beck", "bourne", "bridge", "combe", "croft", "dale", "fell", "field", "garth", "ham", "holt",
    "hurst", "ley", "mere", "moor", "stead", "ton", "wick", "worth",
)  # fmt: skip
STREETS = ("Kiln Lane", "Tern Row", "Orchard Steps", "Mill Race", "Signal Road", "Weir Street", "Larkfield")
TOWNS = ("Ambleford", "Brackwater", "Cinderholm", "Dunmarsh", "Eastering", "Farrowgate")
DOMAINS = ("example.com", "example.org", "example.net")

# Country, region, locale, currency, tax rate in percent; weighted by repetition.
PLACES = (
    ("DE", None, "de-DE", "EUR", 19),
    ("DE", None, "de-DE", "EUR", 19),
    ("FR", None, "fr-FR", "EUR", 20),
    ("NL", None, "nl-NL", "EUR", 21),
    ("ES", None, "es-ES", "EUR", 21),
    ("GB", None, "en-GB", "GBP", 20),
    ("US", "CA", "en-US", "USD", 0),
    ("US", "CA", "en-US", "USD", 0),
    ("US", "NY", "en-US", "USD", 0),
    ("BR", None, "pt-BR", "USD", 0),
)

MODELS = ("heron-mini", "heron-large", "kestrel-code", "plover-2", "plover-2-vision")
ENDPOINTS = ("/v1/chat", "/v1/completions", "/v1/embeddings")
AGENTS = ("Browser/12 (Desktop)", "Browser/12 (Phone)", "Browser/9 (Tablet)", "curl/8")
KEY_LABELS = ("laptop", "ci", "staging", "weekend project", "thesis", "bot")
SECURITY_EVENTS = ("sign_in", "sign_in_failed", "password_changed", "key_created", "new_device")
PLACES_OF_CONSENT = ("/sign-up", "/settings/notifications", "/newsletter")
SURVEYS = (
    ("onboarding", "What do you build with us?"),
    ("onboarding", "How did you hear about us?"),
    ("pricing", "Which price would suit you?"),
    ("spring", "What should we do better?"),
)
VERBS = ("Summarise", "Translate", "Rewrite", "Explain", "Shorten", "Proofread", "Turn into a table")
TOPICS = (
    "my notes on tide tables", "a letter to the landlord", "the minutes of our choir", "a lab report on yeast",
    "a bread recipe for twelve", "a complaint about a late train", "an application for a library job",
    "a story about two lighthouse keepers", "the rules of a card game", "a stack trace from our billing job",
)  # fmt: skip
ANSWERS = (
    "Here is a shorter version, with the dates put first.",
    "The main point stands in the second paragraph; the rest repeats it.",
    "There are three steps, and the second one can be left out.",
    "I kept the tone friendly and took out the repetitions.",
)
QUESTIONS = (
    "cheapest model for embeddings", "rate limit per key", "invoice with company address", "change e-mail",
    "context length heron-large", "zero retention", "refund of credits", "rotate api key",
)  # fmt: skip
SUBJECTS = (
    "Invoice missing",
    "Key stopped working",
    "Credits not shown",
    "Question about limits",
    "Thank you",
)


def full_name(rng: Random) -> str:
    """A made-up given and family name."""
    return f"{rng.choice(GIVEN)} {rng.choice(FAMILY_FIRST)}{rng.choice(FAMILY_LAST)}"


def mailbox(name: str, number: int, rng: Random) -> str:
    """An address for `name`, unique through the person's `number`, under a domain reserved for examples."""
    return f"{name.lower().replace(' ', '.')}.{number}@{rng.choice(DOMAINS)}"


def phone(number: int) -> str:
    """A fictional telephone number (exchange 555, lines 0100 to 0199), a different one for each `number` below 80,000."""
    area, line = divmod(number, 100)
    return f"+1-{200 + area}-555-01{line:02d}"


def postal_address(country: str, rng: Random) -> str:
    """A made-up postal address."""
    return f"{rng.randint(1, 90)} {rng.choice(STREETS)}, {rng.choice(TOWNS)}, {country}"


def network_address(rng: Random) -> str:
    """A network address out of the ranges kept for documentation."""
    block = rng.choice(("192.0.2.", "198.51.100.", "203.0.113.", "2001:db8::"))
    return f"{block}{rng.randint(1, 250)}"


def prompt(rng: Random) -> str:
    """What somebody asked a model."""
    return f"{rng.choice(VERBS)} {rng.choice(TOPICS)}."
