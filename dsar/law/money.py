"""Amounts in the smallest unit of a currency (ISO 4217), and back."""

from __future__ import annotations

from decimal import Decimal
from typing import Final

# Currencies whose smallest unit is the whole one; all others that laws here speak of have a hundredth.
WHOLE: Final = frozenset({"JPY", "KRW"})


def minor(amount: Decimal, currency: str) -> int | None:
    """The amount in the smallest unit; None where it has more decimals than the currency, or the code is none."""
    if len(currency) != 3 or not currency.isalpha() or not currency.isupper():
        return None
    units = amount * (1 if currency in WHOLE else 100)
    return int(units) if units == int(units) else None


def shown(amount: int, currency: str) -> str:
    """The amount for people, with its decimals: 12.50, or 1200 where there are none."""
    return str(amount) if currency in WHOLE else f"{amount // 100}.{amount % 100:02d}"
