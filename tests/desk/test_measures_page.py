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
from dsar.review import recuse
from tests import drive
from tests.desk import scenes
from tests.drive import Route
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
    know, opt_out = law["groups"]
    assert (know["group"], know["received"], know["median_days"]) == ("know", 1, 3)
    assert (opt_out["group"], opt_out["received"], opt_out["median_days"]) == ("opt_out", 0, None)
    assert "Requests to know, in all" in page.content.decode()
    numbers = {line["right"]: line["received"] for line in law["rights"]}
    assert numbers["access"] == 1
    assert numbers["deletion"] == 0, "a right that nobody used is told too; 2024 is not last year"
    # Right and outcome and no finer: neither grounds nor months nor channels.
    assert set(law["rights"][0]) == {
        "right", "received", "complied_in_whole", "complied_in_part", "denied", "nothing_held", "referred", "withdrawn",
        "unanswered", "overtaken", "open", "mean_days", "median_days",
    }  # fmt: skip
    cache.clear()


def test_what_a_law_counts_together_is_one_number_with_its_own_median(db: None, client, settings) -> None:
    """11 CCR 7102(a)(1): requests to know are categories and specific pieces. No sum of lines gives their median."""
    cache.clear()
    year = date.today().year - 1
    ca = {"regime": "us_ca_ccpa", "received_on": date(year, 3, 1)}
    rights = (
        (Right.KNOW, 10),
        (Right.ACCESS, 20),
        (Right.PORTABILITY, 60),
        (Right.OPT_OUT_SALE, 2),
        (Right.DELETION, 40),
    )
    RequestRecord.objects.bulk_create(
        [
            *(logged(number, **ca, right=right, days=days) for number, (right, days) in enumerate(rights)),
            logged(8, **ca, right=Right.UNCLEAR, outcome=Outcome.NOT_PROVEN),
        ]
    )
    asked = {"law": "us_ca_ccpa", "first": f"{year}-01-01", "last": f"{year}-12-31"}
    auditor = scenes.browser(Role.AUDITOR)
    found = auditor.get(reverse("desk_measures_json"), asked).json()
    know, opt_out = found["groups"]
    assert (know["received"], know["mean_days"], know["median_days"]) == (3, 30, 20)
    assert (opt_out["received"], opt_out["median_days"]) == (1, 2)
    assert found["total"]["received"] == 6, "nothing is counted twice"
    rows = csv.DictReader(StringIO(auditor.get(reverse("desk_measures_csv"), asked).content.decode()))
    assert {row["right"]: row["median_days"] for row in rows}["all_know"] == "20.0"
    assert "Requests to know, in all" in auditor.get(reverse("desk_measures"), asked).content.decode()
    assert auditor.get(reverse("desk_measures_json"), asked | {"law": ""}).json()["groups"] == [], "no other law does"

    settings.PUBLISH_MEASURES = ("us_ca_ccpa",)
    (law,) = client.get(reverse("privacy_measures_json")).json()["laws"]
    assert {one["group"]: one["median_days"] for one in law["groups"]} == {"know": 20, "opt_out": 2}
    assert sum(line["received"] for line in law["rights"]) == 6, "what nobody sorted was received too"
    assert law["rights"][-1]["right"] == "not_sorted"
    assert "Not sorted yet" in client.get(reverse("privacy_measures")).content.decode()
    cache.clear()


def test_whoever_is_kept_apart_cannot_read_one_request_from_the_measures(route: Route) -> None:
    """Nobody handles the request of a friend, nor reads how it ended and why by asking for its day."""
    request = route.review(Right.ACCESS)
    drive.refuse(request.pk, "OUT_OF_SCOPE", "Of somebody else.", actor=route.approver)
    this = date.today().year
    first, last = date(this - 1, 1, 1), date(this - 1, 12, 31)
    months = {"law": "", "first": first.isoformat(), "last": last.isoformat()}
    given = {"outcome": Outcome.DENIED, "basis": "TAX_ACCOUNTING Art B", "right": Right.DELETION}
    RequestRecord.objects.bulk_create(
        [
            *(logged(number, received_on=first, **given) for number in range(5)),
            *(
                logged(number, received_on=first, basis="AML_KYC Art A", outcome=Outcome.DENIED)
                for number in range(5, 8)
            ),
            # One more, whose month and whose law would tell of it.
            logged(9, received_on=last, regime="us_co_cpa", outcome=Outcome.GRANTED, right=Right.DELETION),
        ]
    )
    friend, other = scenes.person(Role.HANDLER, 7), scenes.browser(Role.HANDLER, 8)
    mine = scenes.browser(Role.HANDLER, 7)
    pages = ("desk_measures", "desk_measures_csv", "desk_measures_json")
    for name in pages:
        assert mine.get(reverse(name), months | {"last": months["first"]}).status_code == 200
    recuse.name(request.pk, [friend.pk], actor=route.approver)
    today = date.today().isoformat()
    for name in pages:
        for short in (
            {"last": months["first"]},
            {"first": last.isoformat()},
            {"first": today, "last": today},
            {"last": date(this - 1, 11, 30).isoformat()},
            {"first": date(this - 1, 2, 1).isoformat()},
            {"first": date(this - 2, 1, 1).isoformat()},
            {"first": date(this, 1, 1).isoformat(), "last": date(this, 12, 31).isoformat()},
            {"law": "us_co_cpa"},
        ):
            answer = mine.get(reverse(name), months | short)
            assert answer.status_code == 400, (name, short)
            assert "one calendar year that is over" in " ".join(answer.content.decode().split())
            assert other.get(reverse(name), months | short).status_code == 200
        said = mine.get(reverse(name), months).content.decode()
        for ground in ("TAX_ACCOUNTING", "AML_KYC"):
            assert ground not in said
            assert ground in other.get(reverse(name), months).content.decode(), name
    found = mine.get(reverse("desk_measures_json"), months).json()
    assert ([line["right"] for line in found["rights"]], found["left_out"]) == (["deletion"], ["access"])
    assert (found["total"]["received"], found["total"]["denied"]) == (6, 5), "no sum tells what was left out"
    page = mine.get(reverse("desk_measures"))
    assert page.status_code == 200, "as it opens too"
    assert [one["year"] for one in page.context["years"]] == [str(this - ago) for ago in (1, 2, 3)]
    assert "A colleague can make the full report." in page.content.decode()
