"""The measures as page, CSV and JSON: the same numbers, and every bad period says what to change."""

import csv
from datetime import date
from io import StringIO

import pytest
from django.core.cache import cache
from django.urls import reverse

from accounts.models import Role
from dsar.enums import Outcome, Right
from dsar.models import RequestRecord
from tests.desk import scenes
from tests.test_measures import logged

YEAR = {"law": "us_ca_ccpa", "first": "2024-01-01", "last": "2024-12-31"}


@pytest.fixture
def filled(db: None) -> None:
    """A small year."""
    ca = {"regime": "us_ca_ccpa", "right": Right.DELETION}
    RequestRecord.objects.bulk_create(
        [
            logged(1, **ca, days=1),
            logged(
                2, **ca, days=4, outcome=Outcome.DENIED, basis="CA_SECURITY Cal. Civ. Code 1798.105(d)(2)", late=True
            ),
            logged(3, **ca, outcome=Outcome.MERGED),
            logged(4, regime="eu_gdpr"),
        ]
    )


def test_page_csv_and_json_say_the_same(filled: None) -> None:
    auditor = scenes.browser(Role.AUDITOR)
    shown = auditor.get(reverse("desk_measures"), YEAR)
    assert shown.status_code == 200
    assert shown.context["total"]["received"] == 2
    page = shown.content.decode()
    assert "CA_SECURITY" in page
    assert "<script" not in page.partition("<main")[2].partition("</main>")[0]
    query = shown.context["query"]
    rows = list(csv.DictReader(StringIO(auditor.get(reverse("desk_measures_csv") + "?" + query).content.decode())))
    assert [row["right"] for row in rows] == ["deletion", "all"]
    found = auditor.get(reverse("desk_measures_json") + "?" + query).json()
    assert found["laws"] == ["us_ca_ccpa"]
    for row in rows:
        wanted = found["total"] if row["right"] == "all" else found["rights"][0]
        for name, value in wanted.items():
            if name == "denied_by_ground":
                assert value == {"CA_SECURITY": int(row["ground_CA_SECURITY"])}
            elif name != "right":
                assert row[name] == str(value), name
    assert (found["total"]["mean_days"], found["total"]["median_days"], found["total"]["answered_late"]) == (
        2.5,
        2.5,
        1,
    )
    assert found["total"]["merged"] == 1


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"first": "01/02/2024x"}, "Please enter the first day as a date"),
        ({"last": ""}, "Please enter the last day of the period."),
        ({"last": "2023-12-31"}, "The last day lies before the first one."),
        ({"law": "nowhere"}, "We do not know this law."),
        ({"first": "0001-01-01"}, "Please choose days between 2000 and 9000."),
        ({"last": "9999-12-31"}, "Please choose days between 2000 and 9000."),
    ],
)
def test_a_bad_period_says_what_to_change_and_keeps_what_was_typed(
    filled: None, changed: dict[str, str], said: str
) -> None:
    handler = scenes.browser(Role.HANDLER)
    for name in ("desk_measures", "desk_measures_csv", "desk_measures_json"):
        answer = handler.get(reverse(name), YEAR | changed)
        assert answer.status_code == 400
        assert said in answer.content.decode(), name
    page = handler.get(reverse("desk_measures"), YEAR | changed).content.decode()
    assert all(f'value="{value}"' in page for name, value in changed.items() if value and name != "law")


def test_the_measures_of_the_year_are_public_only_where_the_company_says_so(filled: None, client, settings) -> None:
    cache.clear()
    RequestRecord.objects.bulk_create(
        [logged(9, regime="us_ca_ccpa", received_on=date.today().replace(year=date.today().year - 1, month=3, day=1))]
    )
    for name in ("privacy_measures", "privacy_measures_json"):
        assert client.get(reverse(name)).status_code == 404, "off as shipped"
    settings.PUBLISH_MEASURES = ("us_ca_ccpa", "no such law")
    page = client.get(reverse("privacy_measures"))
    assert page.status_code == 200
    (law,) = client.get(reverse("privacy_measures_json")).json()["laws"]
    assert law["law"] == "us_ca_ccpa"
    numbers = {line["right"]: line["received"] for line in law["rights"]}
    assert numbers["access"] == 1
    assert numbers["deletion"] == 0, "a right that nobody used is told too; 2024 is not last year"
    # Right and outcome and no finer: neither grounds nor months nor channels.
    assert set(law["rights"][0]) == {
        "right", "received", "complied_in_whole", "complied_in_part", "denied", "nothing_held", "referred", "withdrawn",
        "unanswered", "overtaken", "open", "mean_days", "median_days",
    }  # fmt: skip
    cache.clear()
