"""Where a person finds the authority: official addresses, or a word on why there is none."""

from typing import Any

import pytest
from django.utils import timezone

from dsar.law import authorities, regime_files, regimes
from dsar.law.errors import RegimeFileError
from dsar.law.tables import content


def test_every_law_that_demands_a_way_online_has_an_address() -> None:
    for regime in map(regimes.load, regimes.all_ids()):
        way = authorities.way(regime.id)
        assert way.links or way.unknown, regime.id
        if regime.authority_link:
            assert way.links or not regime.in_force(timezone.localdate()), regime.id


def test_a_law_that_demands_one_does_not_load_without(monkeypatch: pytest.MonkeyPatch) -> None:
    file = content(regimes.FOLDER / "us_va_vcdpa.toml")
    monkeypatch.setattr(authorities, "_all", dict)
    with pytest.raises(RegimeFileError, match=r"authorities\.toml has no address"):
        regime_files.parse(file, "us_va_vcdpa.toml")


@pytest.mark.parametrize(
    "said",
    [
        {}, {"links": []}, {"links": ["https://a.example"], "unknown": "It is."}, {"links": ["http://a.example"]},
        {"links": ["https://a.example/?who=me"]}, {"links": ["https://me@a.example"]}, {"links": ["javascript:alert(1)"]},
        {"links": ["https://localhost"]}, {"unknown": "It is.", "more": 1},
    ],
)  # fmt: skip
def test_anything_but_a_plain_address_is_refused(said: dict[str, Any]) -> None:
    with pytest.raises(RegimeFileError, match=r"authorities\.toml: us_va_vcdpa"):
        authorities.parse({"us_va_vcdpa": said}, "authorities.toml")
