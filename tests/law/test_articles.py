"""What each law calls our duties: nobody is told of an article that is not of their own law."""

import pytest

from dsar.enums import RestrictionGround, Right
from dsar.law import articles
from dsar.law.errors import RegimeFileError


def test_an_article_is_of_the_law_it_stands_under() -> None:
    for cited in articles._table().values():
        for regime, article in cited.items():
            assert ("GDPR" in article) == (regime in ("eu_gdpr", "uk_gdpr")), (regime, article)
            assert ("CCR" in article or "Civ. Code" in article) == (regime == "us_ca_ccpa"), (regime, article)


def test_a_law_without_an_article_is_not_made_to_cite_anothers() -> None:
    assert articles.told(Right.DELETION, "us_ca_ccpa") == "Cal. Civ. Code 1798.105(c), 11 CCR 7022(b)"
    assert articles.told(Right.CORRECTION, "eu_gdpr") == "GDPR Art 19"
    assert articles.told(Right.KNOW, "eu_gdpr") == ""
    for ground in RestrictionGround:
        assert articles.ground(ground, "us_ca_ccpa") == ""
        assert articles.ground(ground, "eu_gdpr").startswith("GDPR Art 18(1)")


def test_a_duty_that_nobody_knows_and_an_empty_article_are_refused() -> None:
    whole = {duty: {} for duty in articles.DUTIES}
    with pytest.raises(RegimeFileError, match="unknown, or missing"):
        articles.parse({**whole, "kindness": {}}, "f")
    with pytest.raises(RegimeFileError, match=r"human_review\.eu_gdpr"):
        articles.parse({**whole, "human_review": {"eu_gdpr": " "}}, "f")
