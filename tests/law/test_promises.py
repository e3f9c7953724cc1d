"""What the company sets: where it is, whose holidays count, and what it promises beyond the law."""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest

from dsar import checks, deadlines
from dsar.enums import AppealKind
from dsar.law import promises, regimes
from dsar.law.errors import RegimeFileError

RECEIVED = datetime(2026, 12, 1, 12, tzinfo=UTC)


def test_the_companys_own_holidays_count_where_the_law_says_so(settings: Any) -> None:
    settings.HOLIDAY_CALENDARS = ["DE-BE"]
    assert deadlines.dates("uk_gdpr", "access", RECEIVED).due_on == date(2027, 1, 4)
    settings.HOLIDAY_CALENDARS = ["DE-BE", "GB-SCT"]
    assert deadlines.dates("uk_gdpr", "access", RECEIVED).due_on == date(2027, 1, 5)
    assert deadlines.dates("eu_gdpr", "access", RECEIVED).due.calendar == "DE-BE"
    settings.HOLIDAY_CALENDARS = ["US-FED"]
    assert deadlines.dates("eu_gdpr", "access", RECEIVED).due.calendar == ""
    assert deadlines.dates("br_lgpd", "access", RECEIVED).due.calendar == "BR"
    assert deadlines.dates("default", "access", RECEIVED).due.zone == settings.TIME_ZONE_OF_REGIME
    assert deadlines.dates("uk_gdpr", "access", RECEIVED).due.zone == "Europe/London"


def test_the_zone_of_the_company_counts_only_where_it_is_at_home_in_a_place_of_the_law(settings: Any) -> None:
    """In Tokyo it is a day later already: the law of a person in Germany counts from its own evening."""
    settings.TIME_ZONE_OF_REGIME = "Asia/Tokyo"
    evening = datetime(2026, 6, 29, 16, tzinfo=UTC)
    for established, day in (([], 29), (["JP"], 29), (["JP", "DE"], 30), (["ES-CT"], 30)):
        settings.ESTABLISHED_IN = established
        assert deadlines.received_on("eu_gdpr", evening) == date(2026, 6, day), established
        assert deadlines.received_on("default", evening) == date(2026, 6, 30)
        assert deadlines.received_on("us_ca_ccpa", evening) == date(2026, 6, 29)
    settings.ESTABLISHED_IN = ["JP"]
    assert deadlines.dates("eu_gdpr", "access", evening).due_on == date(2026, 7, 29)


def promised(settings: Any, tmp_path: Path, text: str) -> None:
    settings.PROMISES = tmp_path / "promises.toml"
    settings.PROMISES.write_text(text)


def test_a_promise_is_worked_to_where_it_is_stricter_and_the_date_of_the_law_stays_beside_it(
    settings: Any, tmp_path: Path
) -> None:
    promised(settings, tmp_path, "[all]\nresponse_days = 20\ntarget_margin_days = 2\n[uk_gdpr]\nresponse_days = 28\n")
    found = deadlines.dates("us_ca_ccpa", "access", RECEIVED)
    assert (found.promised_on, found.target_on) == (date(2026, 12, 21), date(2026, 12, 19))
    assert found.due_on == date(2027, 1, 15)
    assert deadlines.dates("uk_gdpr", "access", RECEIVED).promised_on == date(2026, 12, 29)
    korea = deadlines.dates("kr_pipa", "access", RECEIVED)
    assert (korea.due_on, korea.promised_on, korea.target_on) == (date(2026, 12, 11), None, date(2026, 12, 9))
    longer = deadlines.dates("us_ca_ccpa", "access", RECEIVED, extended=True)
    assert (longer.due_on, longer.promised_on) == (date(2027, 3, 1), None)


def test_each_key_moves_the_day_that_is_worked_to_and_no_date_of_the_law(settings: Any, tmp_path: Path) -> None:
    def days() -> dict[str, tuple[date | None, date]]:
        """By key: the law's date, and the day by which we mean to be done."""
        asked = deadlines.dates("us_ca_ccpa", "access", RECEIVED)
        stop = deadlines.dates("us_ca_ccpa", "opt_out_sale", RECEIVED)
        said = deadlines.of_kind("us_ca_ccpa", "access", "acknowledgement", RECEIVED)
        again = deadlines.appeal_dates(regimes.load("us_co_cpa"), AppealKind.APPEAL, RECEIVED)
        heard = deadlines.appeal_dates(regimes.load("in_dpdp"), AppealKind.GRIEVANCE, RECEIVED)
        british = deadlines.appeal_dates(regimes.load("uk_gdpr"), AppealKind.COMPLAINT, RECEIVED)
        assert said is not None and british.acknowledge_by is not None
        return {
            "response_days": (asked.due_on, asked.target_on), "opt_out_days": (stop.due_on, stop.target_on),
            "acknowledgement_days": (said.date, said.working_on), "appeal_days": (again.due_on, again.target_on),
            "appeal_days of a grievance": (heard.due_on, heard.target_on),
            "acknowledgement_days of a complaint": (british.due_on, british.acknowledge_by),
        }  # fmt: skip

    before = days()
    for key in (*promises.KINDS.values(), promises.MARGIN):
        folder = tmp_path / key  # a file is read once
        folder.mkdir()
        promised(settings, folder, f"[all]\n{key} = 4\n")
        after = days()
        assert {name: law for name, (law, _) in after.items()} == {name: law for name, (law, _) in before.items()}, key
        moved = {name for name in after if after[name][1] != before[name][1]}
        if key == promises.MARGIN:
            assert moved == {"response_days", "opt_out_days", "appeal_days", "appeal_days of a grievance"}
        else:
            assert moved == {name for name in before if name.startswith(key)}, key


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (
            {"eu_gdpr": {"response_days": 29}},
            "29 days are laxer than the law (1 month, so at most 28 days; GDPR Art 12(3)",
        ),
        ({"us_ca_ccpa": {"acknowledgement_days": 11}}, "laxer than the law (10 business days, so at most 10 days"),
        ({"us_tx_tdpsa": {"opt_out_days": 11}}, "laxer than the law (10 business days"),
        ({"us_co_cpa": {"appeal_days": 46}}, "laxer than the law (45 days"),
        ({"in_dpdp": {"appeal_days": 91}}, "laxer than the law (90 days"),
        ({"uk_gdpr": {"acknowledgement_days": 31}}, "laxer than the law (30 days"),
        ({"atlantis": {"response_days": 1}}, "is no law here"),
        ({"eu_gdpr": {"extension_days": 90}}, "extension_days: is not known"),
        ({"all": {"response_days": 0}}, "all.response_days: 0 is not between"),
        ({"all": 3}, "a table is expected"),
    ],
)
def test_a_promise_laxer_than_the_law_is_refused(content: dict[str, object], message: str) -> None:
    with pytest.raises(RegimeFileError) as error:
        promises.parse(content, "promises.toml")
    assert message in str(error.value)


def test_the_check_names_what_is_wrong(settings: Any, tmp_path: Path) -> None:
    def of(established: str, calendars: str, zone: str) -> list[Any]:
        settings.ESTABLISHED_IN = established.split(",") if established else []
        settings.HOLIDAY_CALENDARS, settings.TIME_ZONE_OF_REGIME = calendars.split(","), zone
        return checks.check_law()

    assert checks.check_law() == []
    settings.ESTABLISHED_IN, settings.HOLIDAY_CALENDARS = ["XX-YY", "US-CA", "de"], ["QQ"]
    settings.TIME_ZONE_OF_REGIME = "Europe/Nowhere"
    found = checks.check_law()
    assert [error.id for error in found] == [f"rightsdesk.E02{n}" for n in (1, 1, 2, 3)]
    assert "'XX-YY'" in found[0].msg and "'de'" in found[1].msg and "DE-BE" in found[2].msg
    assert [error.id for error in of("DE", "DE-BE", "Europe/Berlin")] == []
    assert [error.id for error in of("DE,GB", "GB-SCT,DE", "Europe/London")] == []
    assert [error.id for error in of("", "FR", "Asia/Shanghai")] == []
    assert [error.id for error in of("IN", "IN", "Asia/Calcutta")] == []  # the same zone by its old name
    abroad = of("DE", "ES,DE-BE", "Asia/Tokyo")
    assert [error.id for error in abroad] == ["rightsdesk.E025", "rightsdesk.E026"]
    assert "'ES'" in abroad[0].msg and "Asia/Tokyo" in abroad[1].msg and "Europe/Berlin" in str(abroad[1].hint)
    settings.PROMISES = tmp_path / "none.toml"
    assert [error.id for error in checks.check_law()] == ["rightsdesk.E020"]
