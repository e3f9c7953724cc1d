"""Where a person says they live: the list that the form offers, and what people write when nobody offers a list.

A place is a country (ISO 3166) or a part of one ("US-CA"); "US-other" is a part without a code of its own here, and
"other" somewhere that is none of these.
"""

from __future__ import annotations

import unicodedata
from functools import lru_cache
from typing import Any, Final

from django.utils.translation import gettext_lazy as _
from django.utils.translation import override

ELSEWHERE: Final = "other"

COUNTRIES: Final[dict[str, Any]] = {
    "AT": _("Austria"), "AU": _("Australia"), "BE": _("Belgium"), "BG": _("Bulgaria"), "BR": _("Brazil"),
    "CH": _("Switzerland"), "CY": _("Cyprus"), "CZ": _("Czechia"), "DE": _("Germany"), "DK": _("Denmark"),
    "EE": _("Estonia"), "ES": _("Spain"), "FI": _("Finland"), "FR": _("France"), "GB": _("United Kingdom"),
    "GR": _("Greece"), "HR": _("Croatia"), "HU": _("Hungary"), "IE": _("Ireland"), "IN": _("India"), "IS": _("Iceland"),
    "IT": _("Italy"), "JP": _("Japan"), "KR": _("South Korea"), "LI": _("Liechtenstein"), "LT": _("Lithuania"),
    "LU": _("Luxembourg"), "LV": _("Latvia"), "MT": _("Malta"), "NL": _("Netherlands"), "NO": _("Norway"),
    "NZ": _("New Zealand"), "PL": _("Poland"), "PT": _("Portugal"), "RO": _("Romania"), "SE": _("Sweden"),
    "SG": _("Singapore"), "SI": _("Slovenia"), "SK": _("Slovakia"), "ZA": _("South Africa"),
}  # fmt: skip

# Countries of which the parts have laws of their own: these are offered part by part.
PARTS: Final[dict[str, tuple[Any, dict[str, Any]]]] = {
    "US": (
        _("United States"),
        {
            "US-CA": _("California"), "US-CO": _("Colorado"), "US-CT": _("Connecticut"), "US-DE": _("Delaware"),
            "US-IA": _("Iowa"), "US-IN": _("Indiana"), "US-KY": _("Kentucky"), "US-MD": _("Maryland"),
            "US-MN": _("Minnesota"), "US-MT": _("Montana"), "US-NE": _("Nebraska"), "US-NH": _("New Hampshire"),
            "US-NJ": _("New Jersey"), "US-OR": _("Oregon"), "US-RI": _("Rhode Island"), "US-TN": _("Tennessee"),
            "US-TX": _("Texas"), "US-UT": _("Utah"), "US-VA": _("Virginia"),
            "US-other": _("Another state or territory"),
        },
    ),
    "CA": (_("Canada"), {"CA-QC": _("Quebec"), "CA-other": _("Another province or territory")}),
}  # fmt: skip

# Parts without a law of their own here, by the names that people write (the codes are theirs).
OTHER_PARTS: Final[dict[str, dict[str, str]]] = {
    "US": {
        "AK": "Alaska", "AL": "Alabama", "AR": "Arkansas", "AZ": "Arizona", "DC": "District of Columbia", "FL": "Florida",
        "GA": "Georgia", "HI": "Hawaii", "ID": "Idaho", "IL": "Illinois", "KS": "Kansas", "LA": "Louisiana",
        "MA": "Massachusetts", "ME": "Maine", "MI": "Michigan", "MO": "Missouri", "MS": "Mississippi",
        "NC": "North Carolina", "ND": "North Dakota", "NM": "New Mexico", "NV": "Nevada", "NY": "New York", "OH": "Ohio",
        "OK": "Oklahoma", "PA": "Pennsylvania", "PR": "Puerto Rico", "SC": "South Carolina", "SD": "South Dakota",
        "VT": "Vermont", "WA": "Washington", "WI": "Wisconsin", "WV": "West Virginia", "WY": "Wyoming", "GU": "Guam",
    },
    "CA": {
        "AB": "Alberta", "BC": "British Columbia", "MB": "Manitoba", "NB": "New Brunswick",
        "NL": "Newfoundland and Labrador", "NS": "Nova Scotia", "NT": "Northwest Territories", "NU": "Nunavut",
        "ON": "Ontario", "PE": "Prince Edward Island", "SK": "Saskatchewan", "YT": "Yukon",
    },
    "GB": {"ENG": "England", "SCT": "Scotland", "WLS": "Wales", "NIR": "Northern Ireland"},
}  # fmt: skip

# Other names of whole countries.
ALIASES: Final[dict[str, str]] = {
    "usa": "US", "u.s.": "US", "u.s.a.": "US", "united states of america": "US", "america": "US", "uk": "GB", "u.k.": "GB",
    "great britain": "GB", "britain": "GB", "the netherlands": "NL", "holland": "NL", "czech republic": "CZ",
    "korea": "KR", "republic of korea": "KR", "el": "GR", "brasil": "BR", "deutschland": "DE", "españa": "ES",
    "österreich": "AT", "schweiz": "CH", "suisse": "CH", "italia": "IT", "polska": "PL", "sverige": "SE", "norge": "NO",
    "danmark": "DK", "suomi": "FI", "belgique": "BE", "belgië": "BE", "québec": "CA-QC", "calif.": "US-CA",
}  # fmt: skip


def choices() -> list[tuple[Any, Any]]:
    """What a form offers, in the active language: countries by name, then part by part those whose parts have laws of
    their own, then everywhere else. Groups come as (name, [(code, name), …])."""
    groups = [
        (name, [*_sorted({code: text for code, text in parts.items() if not code.endswith(ELSEWHERE)}), _last(parts)])
        for name, parts in PARTS.values()
    ]
    return [
        (_("Countries"), _sorted(COUNTRIES)),
        *sorted(groups, key=lambda group: _order(group[0]), reverse=True),
        (ELSEWHERE, _("Somewhere else")),
    ]


def split(place: str) -> tuple[str, str]:
    """Country and part of one of the codes that `choices` offers, as `regimes.guess` and a case take them."""
    if place == ELSEWHERE:
        return "", ELSEWHERE
    country, _dash, part = place.partition("-")
    return country, part


def described(country: str, part: str) -> Any:
    """The name of a place that a case holds, in the active language; its codes where it has none here."""
    if not country:
        return _("Somewhere else") if part == ELSEWHERE else ""
    whole = PARTS[country][0] if country in PARTS else COUNTRIES.get(country, country)
    if not part:
        return whole
    name = PARTS.get(country, ("", {}))[1].get(f"{country}-{part}") or OTHER_PARTS.get(country, {}).get(part, part)
    return f"{whole}: {name}"


def understood(country: str | None, part: str | None) -> tuple[str, str]:
    """Codes for what a person wrote: country and part, each "" where it says nothing that is known here.

    An unknown two-letter code is a country without a law here; an unknown part of a known country stays unknown.
    """
    where, which = _plain(country), _plain(part)
    if where in ("", ELSEWHERE) and which == ELSEWHERE:
        return "", ELSEWHERE
    found = _countries().get(where, "")
    if not found and len(where) == 2 and where.isalpha():
        found = where.upper()
    if "-" in found:
        return split(found)
    if not found and not where:
        # A part that names its country by itself: "US-CA", "California", "Quebec"; never two letters alone.
        found = next((code for code, parts in _parts().items() if len(which) > 2 and which in parts), "")
    return found, _parts().get(found, {}).get(which, "") if which else ""


@lru_cache(maxsize=1)
def _countries() -> dict[str, str]:
    """Codes by what people write, in lower case."""
    with override(None):
        named = {_plain(str(name)): code for code, name in COUNTRIES.items()}
        named |= {_plain(str(name)): code for code, (name, _parts) in PARTS.items()}
    codes = {code.casefold(): code for code in (*COUNTRIES, *PARTS)}
    for country, parts in _parts().items():
        for text, part in parts.items():
            if text.startswith(f"{country.casefold()}-") or (country in ("US", "GB") and len(text) > 3):
                named.setdefault(text, f"{country}-{part}")
    del named["georgia"]  # a country too: nobody is sent to a law by half a name
    return named | codes | ALIASES


@lru_cache(maxsize=1)
def _parts() -> dict[str, dict[str, str]]:
    """By country: the parts' codes by what people write, in lower case."""
    found: dict[str, dict[str, str]] = {}
    with override(None):
        for country in (*PARTS, *OTHER_PARTS):
            own = {code.partition("-")[2]: str(name) for code, name in PARTS.get(country, ("", {}))[1].items()}
            known = own | OTHER_PARTS.get(country, {})
            codes = {code.casefold(): code for code in known}
            whole = {f"{country}-{code}".casefold(): code for code in known}
            found[country] = {_plain(name): code for code, name in known.items()} | codes | whole
    found["US"] |= {"calif.": "CA", "washington dc": "DC", "washington d.c.": "DC"}
    found["CA"] |= {"québec": "QC", "pq": "QC"}
    return found


def _plain(text: str | None) -> str:
    return " ".join((text or "").split()).casefold()


def _sorted(names: dict[str, Any]) -> list[tuple[str, Any]]:
    return sorted(names.items(), key=lambda item: _order(item[1]))


def _last(parts: dict[str, Any]) -> tuple[str, Any]:
    return next(item for item in parts.items() if item[0].endswith(ELSEWHERE))


def _order(name: Any) -> str:
    """By letters, accents aside, in the active language."""
    letters = unicodedata.normalize("NFKD", str(name))
    return "".join(letter for letter in letters if not unicodedata.combining(letter)).casefold()
