"""Where a person says they live: the list that the form offers. Codes are ISO 3166."""

from typing import Any

from django.utils.translation import gettext_lazy as _

from dsar.law import regimes

NAMES: dict[str, Any] = {
    "AT": _("Austria"), "BE": _("Belgium"), "BG": _("Bulgaria"), "HR": _("Croatia"), "CY": _("Cyprus"), "CZ": _("Czechia"),
    "DK": _("Denmark"), "EE": _("Estonia"), "FI": _("Finland"), "FR": _("France"), "DE": _("Germany"), "GR": _("Greece"),
    "HU": _("Hungary"), "IS": _("Iceland"), "IE": _("Ireland"), "IT": _("Italy"), "LV": _("Latvia"),
    "LI": _("Liechtenstein"), "LT": _("Lithuania"), "LU": _("Luxembourg"), "MT": _("Malta"), "NL": _("Netherlands"),
    "NO": _("Norway"), "PL": _("Poland"), "PT": _("Portugal"), "RO": _("Romania"), "SK": _("Slovakia"),
    "SI": _("Slovenia"), "ES": _("Spain"), "SE": _("Sweden"), "US-CA": _("California, United States"),
    "other": _("Somewhere else"),
}  # fmt: skip


def choices() -> list[tuple[str, Any]]:
    """Code and name, for a form field."""
    return list(NAMES.items())


def regime_of(place: str) -> str:
    """The id of the regime for one of the codes above; the more protective one in doubt."""
    country, _dash, region = place.partition("-")
    return regimes.guess("" if country == "other" else country, region)
