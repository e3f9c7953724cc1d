"""Regime and code files: what they hold, what they may not hold, and which law is guessed."""

from __future__ import annotations

import copy
import tomllib
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from dsar.enums import Outcome, Right
from dsar.law import codes, countries, regime_files, regime_words, regimes, tiers, words
from dsar.law.code_words import CODES
from dsar.law.errors import LawError, RegimeFileError
from dsar.law.shapes import covers

ALL = [regimes.load(regime_id) for regime_id in regimes.all_ids()]
EU_FILE: dict[str, Any] = tomllib.loads((regimes.FOLDER / "eu_gdpr.toml").read_text(encoding="utf-8"))


def changed(path: str, value: object) -> dict[str, Any]:
    """The European file with one value changed; `None` takes it out."""
    content = copy.deepcopy(EU_FILE)
    place: Any = content
    *way, last = path.split("/")
    for part in way:
        place = place[int(part)] if part.isdigit() else place[part]
    if value is None:
        del place[last]
    else:
        place[last] = value
    return content


@pytest.mark.parametrize(
    ("path", "value", "message"),
    [
        ("version", None, "version: is missing"),
        ("version", "a b", "version: letters"),
        ("version", 3, "version: a text is expected"),
        ("surprise", "x", "surprise: is not known"),
        ("id", "atlantis", "has no appeal, authority, extension"),
        ("status", "perhaps", "'perhaps' is none of in_force"),
        ("effective_from", "2018", "effective_from: a date is expected"),
        ("effective_to", date(2000, 1, 1), "lies before"),
        ("rights", ["know", "know"], "names something twice"),
        ("rights", ["flying"], "'flying' is not allowed"),
        ("rights", [], "is empty"),
        ("zone", "Europe/Nowhere", "is no time zone"),
        ("calendar", "ZZ", "is no holiday calendar"),
        ("clock_start", "whenever", "is none of receipt"),
        ("clock_start", "later_of_receipt_identity_fee", "do not go together"),
        ("unconfirmed/0/what", None, "unconfirmed[0].what: is missing"),
        ("amended", [{"on": "soon", "what": "x"}], "amended[0].on: a date is expected"),
        ("agents/direct_proof", ["flying"], "'flying' is not allowed"),
        ("fees/cap", 300, "an amount and its currency"),
        ("fees/charge", ["a_whim"], "'a_whim' is not allowed"),
        ("records/refused", "days", "no clock 'refused_copy'"),
        ("no_extension", {"reason": "x", "citation": "y"}, "either the answer can be extended"),
        ("extensions", [], "either the answer can be extended"),
        ("extensions/0/kind", "open", "extensions[0].value: is not known"),
        ("pauses/0/relied_on", True, "never relies on guidance"),
        ("pauses/0/effect", "forgets", "is none of suspends"),
        ("signals/gpc", "sometimes", "is none of required"),
        ("never_disclose/kinds", ["a_secret"], "'a_secret' is not allowed"),
        ("content/third_parties", "none", "is none of specific"),
        ("clocks", [], "there is no clock 'response'"),
        ("clocks", "x", "a list of tables is expected"),
        ("clocks/0/value", 0, "clocks[0].value: 0 is not between"),
        ("clocks/0/value", True, "a whole number is expected"),
        ("clocks/0/days", "business", "months have no business days"),
        ("clocks/0/citation", " ", "names no article of law"),
        ("clocks/0/rights", ["*", "know"], "'*' stands alone"),
        ("clocks/0/rights", ["know"], "no date by which 'access' is answered"),
        ("clocks/1/kind", "response", "no clock"),
        ("extensions/0/cap", 2, "together exceed 2"),
        ("extensions/0/unit", "days", "differs from the clock"),
        ("extensions/0/times", 2, "is not between 1 and 1"),
        ("extensions/0/of", "appeal", "there is no clock 'appeal'"),
        ("pauses/0/basis", "habit", "is none of statute, guidance"),
        ("rollover/mode", "sometimes", "is none of none"),
        ("verification", "x", "verification: a table is expected"),
        ("verification/tiers/know", 4, "4 is not between 0 and 3"),
        ("verification/tiers/know", None, "verification.tiers.know: is missing"),
        ("verification/tiers/deletion", 0, None),
        ("verification/tiers/flying", 1, "is not known"),
        ("verification/methods", {"quiz": 1}, "never enough alone"),
        ("verification/methods", {"crystal_ball": 1}, "is not known"),
        ("verification/falls_back/flying", "know", "is no right"),
        ("verification/falls_back/objection", "know", "needs more than"),
        ("remedies/appeal", "internal", "there is no clock 'appeal'"),
        ("records/months", 12, "differs from the clock"),
        ("child/age", 99, "is not between"),
        ("child/national", {"FR": 0}, "child.national.FR: 0 is not between"),
    ],
)
def test_a_bad_file_does_not_load_and_says_what_is_wrong(path: str, value: object, message: str | None) -> None:
    content = changed(path, value)
    if message is None:
        regime_files.parse(content, "test.toml")
        return
    if path == "clocks/1/kind":
        content["clocks"][1]["rights"], message = ["*"], "'response' stands twice for '*'"
    with pytest.raises(RegimeFileError) as error:
        regime_files.parse(content, "test.toml")
    assert message in str(error.value)
    assert str(error.value).startswith("test.toml: ")


@pytest.mark.parametrize("right", sorted(regimes.NEVER_VERIFIED))
def test_a_file_that_verifies_an_opt_out_or_a_withdrawal_does_not_load(right: str) -> None:
    with pytest.raises(RegimeFileError, match="are never verified"):
        regime_files.parse(changed(f"verification/tiers/{right}", 1), "test.toml")


def test_a_file_that_cannot_be_read_or_bears_another_name(tmp_path: Path) -> None:
    with pytest.raises(RegimeFileError, match="cannot be read"):
        regime_files.read(tmp_path / "none.toml")
    (tmp_path / "bad.toml").write_text("id = ", encoding="utf-8")
    with pytest.raises(RegimeFileError, match="cannot be read"):
        regime_files.read(tmp_path / "bad.toml")
    other = tmp_path / "other.toml"
    other.write_text((regimes.FOLDER / "eu_gdpr.toml").read_text(encoding="utf-8"), encoding="utf-8")
    with pytest.raises(RegimeFileError, match="the file holds 'eu_gdpr'"):
        regime_files.read(other)


def test_a_request_keeps_the_version_it_came_under(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text = (regimes.FOLDER / "eu_gdpr.toml").read_text(encoding="utf-8")
    version = regimes.load("eu_gdpr").version
    (tmp_path / f"eu_gdpr@{version}.toml").write_text(text, encoding="utf-8")
    newer = text.replace(version, "2030-01-01").replace("value = 1\n", "value = 2\n").replace("cap = 3", "cap = 4")
    (tmp_path / "eu_gdpr.toml").write_text(newer, encoding="utf-8")
    monkeypatch.setattr(regimes, "FOLDER", tmp_path)
    regimes.load.cache_clear()
    try:
        assert regimes.load("eu_gdpr").governing("access").value == 2
        assert regimes.load("eu_gdpr", version).governing("access").value == 1
        with pytest.raises(LawError) as error:
            regimes.load("eu_gdpr", "1999")
        assert error.value.reason == "unknown_version"
    finally:
        regimes.load.cache_clear()


def test_an_unknown_law_is_refused() -> None:
    with pytest.raises(LawError) as error:
        regimes.load("../eu_gdpr")
    assert error.value.reason == "unknown_regime"


def test_every_law_has_its_words() -> None:
    assert set(regime_words.REGIMES) == set(regimes.all_ids())
    for regime in ALL:
        told = [str(regime.text(key)) for key in sorted(regime_files.WORDS)]
        assert all(told) and not any("{" in text for text in told), regime.id
    assert len({str(regime.name) for regime in ALL}) == len({str(regime.text("short")) for regime in ALL}) == len(ALL)


TODAY = date(2026, 11, 22)


def test_the_law_is_guessed_from_plain_words() -> None:
    cases = [
        ("DE", "", "eu_gdpr", "country"),
        ("no", None, "eu_gdpr", "country"),
        ("Deutschland", "", "eu_gdpr", "country"),
        ("US", "CA", "us_ca_ccpa", "state"),
        (" United  States ", "california", "us_ca_ccpa", "state"),
        ("", "California", "us_ca_ccpa", "state"),
        ("US-CA", "", "us_ca_ccpa", "state"),
        ("US", "TX", "us_tx_tdpsa", "state"),
        ("usa", "New Jersey", "us_nj_njdpa", "state"),
        ("US", "", "us_ca_ccpa", "state_not_given"),
        ("US", "Atlantis", "us_ca_ccpa", "state_not_given"),
        ("US", "NY", "default", "no_law_there"),
        ("US", "other", "default", "no_law_there"),
        ("CA", "", "ca_qc_law25", "state_not_given"),
        ("Canada", "Québec", "ca_qc_law25", "state"),
        ("CA", "Ontario", "ca_pipeda", "country"),
        ("CA", "other", "ca_pipeda", "country"),
        ("GB", "", "uk_gdpr", "country"),
        ("Scotland", "", "uk_gdpr", "state"),
        ("UK", "NIR", "uk_gdpr", "state"),
        ("JP", "", "jp_appi", "country"),
        ("NL", "", "eu_gdpr", "country"),
        ("AR", "", "default", "no_law_there"),
        ("", "other", "default", "no_law_there"),
        ("", "CA", "eu_gdpr", "unknown_more_protective"),
        ("", "", "eu_gdpr", "unknown_more_protective"),
        (None, None, "eu_gdpr", "unknown_more_protective"),
        ("Georgia", "", "eu_gdpr", "unknown_more_protective"),
        ("'; drop table", "\x00", "eu_gdpr", "unknown_more_protective"),
    ]
    for country, state, expected, reason in cases:
        assert regimes.guess(country, state, TODAY) == expected, (country, state)
        assert regimes.guess_reason(country, state, TODAY) == reason, (country, state)
        assert reason in words.GUESSES
    for law in ALL:
        for place in law.regions:
            if place != "*":
                expected = "default" if law.id == "in_dpdp" else law.id
                if place != "CA":
                    assert regimes.guess(*countries.split(place), TODAY) == expected


def test_where_the_company_is_at_home_brings_its_law_where_a_place_has_none() -> None:
    assert regimes.guess("AR", "", TODAY, ["DE"]) == "eu_gdpr"
    assert regimes.guess("US", "NY", TODAY, ["GB-SCT"]) == "uk_gdpr"
    assert regimes.guess("", "other", TODAY, ["CH"]) == "ch_fadp"
    assert regimes.guess("AR", "", TODAY, ["US-CA"]) == "default"
    assert regimes.guess("JP", "", TODAY, ["DE"]) == "jp_appi"
    assert regimes.guess_reason("AR", "", TODAY, ["DE"]) == "establishment"
    # A place that is named keeps its own law; where there is doubt about it, the law at home is one that may apply.
    assert regimes.guess("US", "IA", TODAY, ["DE"]) == "us_ia_icdpa"
    for country, state, reason in (
        ("US", "", "state_not_given"),
        ("CA", "", "state_not_given"),
        ("", "", "unknown_more_protective"),
    ):
        for home, law in (("DE", "eu_gdpr"), ("GB", "uk_gdpr"), ("CH", "ch_fadp")):
            chosen = regimes.load(regimes.guess(country, state, TODAY, [home]))
            assert regimes.protection(chosen) >= regimes.protection(regimes.load(law)), (country, home)
            assert regimes.guess_reason(country, state, TODAY, [home]) == reason
    assert regimes.guess("US", "", TODAY, ["DE"]) == "eu_gdpr"
    assert regimes.guess("US", "", TODAY, ["US-CA"]) == "us_ca_ccpa"
    assert "establishment" in words.GUESSES


def test_a_law_does_not_apply_before_its_day() -> None:
    india = regimes.load("in_dpdp")
    assert (india.status, india.in_force(date(2027, 5, 12)), india.in_force(date(2027, 5, 13))) == (
        "not_yet_in_force", False, True,
    )  # fmt: skip
    assert regimes.guess("IN", "", date(2027, 5, 12)) == "default"
    assert regimes.guess("India", "", date(2027, 5, 13)) == "in_dpdp"


def test_the_form_offers_every_place_that_has_a_law_in_good_order() -> None:
    offered, groups = [], countries.choices()
    for code, name in groups:
        offered += [one for one, _text in name] if isinstance(name, list) else [code]
        if isinstance(name, list):
            texts = [str(text) for _code, text in name if not _code.endswith(countries.ELSEWHERE)]
            assert texts == sorted(texts)
    wanted = {place for law in ALL for place in law.regions} - {"*", "US", "CA", "GB-ENG", "GB-SCT", "GB-WLS", "GB-NIR"}
    assert len(offered) == len(set(offered)) and wanted <= set(offered)
    assert offered[-1] == countries.ELSEWHERE == groups[-1][0]
    for code in offered:
        assert str(countries.described(*countries.split(code)))


# -- tiers -----------------------------------------------------------------------------------------


def test_what_is_never_verified_needs_no_method() -> None:
    for regime in ALL:
        for right in regimes.NEVER_VERIFIED:
            assert tiers.needed(regime, right) == tiers.NONE
            assert tiers.methods(regime, right) == ()
            assert tiers.suffices(regime, right, 0)


def test_every_other_right_can_be_proven_and_a_deletion_by_the_mailbox_on_file() -> None:
    for regime in ALL:
        for right in set(regimes.RIGHTS) - regimes.NEVER_VERIFIED:
            enough = tiers.methods(regime, right)
            assert enough and "quiz" not in enough
            assert all(tiers.suffices(regime, right, tiers.reached(regime, method)) for method in enough)
        assert "email_link" in tiers.methods(regime, "deletion")


def test_specific_pieces_in_california_need_more_than_a_mailbox() -> None:
    california = regimes.load("us_ca_ccpa")
    assert tiers.needed(california, "access") == tiers.REASONABLY_HIGH
    assert tiers.methods(california, "access") == ("sign_in_fresh", "mfa", "oidc", "data_points_3_declared")
    assert tiers.falls_back(california, "access") == "know"
    assert tiers.falls_back(california, "deletion") is None
    assert tiers.needs_second_person("staff_judgement") and not tiers.needs_second_person("mfa")


def test_unknown_rights_and_methods_are_refused() -> None:
    with pytest.raises(LawError):
        tiers.needed(ALL[0], "")
    with pytest.raises(LawError):
        tiers.reached(ALL[0], "from_address")


# -- codes -----------------------------------------------------------------------------------------


def test_a_code_holds_only_where_it_has_an_article() -> None:
    assert codes.valid("CA_SECURITY", "eu_gdpr") is None
    assert codes.valid("EU_LEGAL_CLAIMS", "us_ca_ccpa") is None
    assert codes.valid("TAX_ACCOUNTING", "nowhere") is None
    assert codes.valid("NOT_A_CODE", "eu_gdpr") is None
    found = codes.valid("SECURITY_LOGS", regimes.load("us_ca_ccpa"))
    assert found is not None and "1798.105(d)(2)" in found.citation and not found.weigh


def test_security_in_europe_is_a_running_purpose_that_somebody_has_weighed() -> None:
    found = codes.valid("SECURITY_LOGS", "eu_gdpr")
    assert found is not None and "17(1)(a)" in found.citation and found.weigh


def test_a_hold_and_a_necessity_are_labels_and_never_a_basis() -> None:
    assert {label.code for label in codes.labels()} == {"LEGAL_HOLD", "BUSINESS_NECESSITY"}
    for label in codes.labels():
        assert codes.is_label(label.code)
        assert all(codes.valid(label.code, regime) is None for regime in ALL)


def test_a_refusal_is_no_ground_for_keeping_and_the_reverse() -> None:
    assert codes.valid("EXCESSIVE", "eu_gdpr") is None
    assert codes.refusal("TAX_ACCOUNTING", "eu_gdpr", "deletion") is None


def test_every_law_has_its_grounds_each_with_article_and_words() -> None:
    everywhere = {
        "NOT_OUR_CONTROLLER",
        "IDENTITY_NOT_PROVEN",
        "AGENT_NOT_AUTHORISED",
        "OUT_OF_SCOPE",
        "RIGHTS_OF_OTHERS",
    }
    for regime in ALL:
        found = (*codes.grounds(regime), *codes.extension_reasons(regime), *codes.redactions(regime))
        names = set()
        for right in regimes.RIGHTS:
            refusals = codes.refusals(regime, right)
            assert all(code.outcome in Outcome.values for code in refusals)
            assert all(codes.refusal(code.code, regime, right) == code for code in refusals)
            found += refusals
            names |= {code.code for code in refusals}
        assert everywhere <= names, regime.id
        for code in found:
            assert code.citation and "{" not in code.citation and str(code.label) and str(code.text)
            assert code.regime == regime.id
        assert {code.needs for code in codes.grounds(regime)} == {"until", "review"}
        assert {code.code for code in codes.redactions(regime)} >= {"THIRD_PARTY", "SECRET_VALUE"}
        assert bool(codes.extension_reasons(regime)) == (regime.extension("response") is not None), regime.id


def test_a_right_is_refused_for_not_being_in_the_law_only_where_it_is_not() -> None:
    for regime in ALL:
        for right in ("deletion", "portability", "restriction"):
            refused = codes.refusal("NOT_PROMISED_BY_LAW", regime, right) is not None
            assert refused == (right not in regime.rights and regime.id != "eu_gdpr"), (regime.id, right)


def test_a_group_of_states_has_its_own_articles() -> None:
    assert codes.valid("US_STATE_SECURITY", "us_tx_tdpsa") is not None
    for elsewhere in ("eu_gdpr", "us_ca_ccpa", "uk_gdpr", "default"):
        assert codes.valid("US_STATE_SECURITY", elsewhere) is None
    texas, minnesota = (codes.valid("SUPPRESSION", regime) for regime in ("us_tx_tdpsa", "us_mn_mcdpa"))
    assert texas is not None and "541.051" in texas.citation
    assert minnesota is not None and "subd. 4(k)" in minnesota.citation
    for regime in ("br_lgpd", "kr_pipa", "jp_appi", "ca_qc_law25", "in_dpdp", "au_privacy"):
        assert codes.refusal("MANIFESTLY_UNFOUNDED", regime, "access") is None


def test_a_reason_reaches_no_further_than_its_law_says() -> None:
    """A choice that nobody decides is refused neither as unfounded nor as excessive, nor for an agent's want of a paper
    that the law does not ask for; what shows others is left out of a copy in Europe, and never a reason to tell nothing at
    all; whoever relies on compelling grounds shows them."""
    for regime in ALL:
        for right in regimes.NEVER_VERIFIED:
            refused = {code.code for code in codes.refusals(regime, right)}
            assert refused.isdisjoint({"MANIFESTLY_UNFOUNDED", "EXCESSIVE", "FRIVOLOUS", "RIGHTS_OF_OTHERS"}), regime.id
            assert ("AGENT_NOT_AUTHORISED" in refused) == covers(regime.agents.signed_permission, right), regime.id
            assert ("FRAUDULENT_OPT_OUT" in refused) <= (regime.id == "us_ca_ccpa")
        assert codes.refusal("RIGHTS_OF_OTHERS", regime, "know") is None
        whole = codes.refusal("RIGHTS_OF_OTHERS", regime, "access")
        assert whole is None or regime.id not in ("eu_gdpr", "uk_gdpr", "default")
        assert codes.redaction("THIRD_PARTY", regime) is not None, regime.id
        shown = codes.named("COMPELLING_GROUNDS", regime)
        assert shown is None or shown.burden
    assert {regime.id for regime in ALL if codes.named("COMPELLING_GROUNDS", regime)} == {
        "eu_gdpr", "uk_gdpr", "za_popia", "default",
    }  # fmt: skip


def test_nobody_is_refused_an_opt_out_for_want_of_proof() -> None:
    for regime in ALL:
        assert all(codes.refusal("IDENTITY_NOT_PROVEN", regime, right) is None for right in regimes.NEVER_VERIFIED)


def test_the_words_fit_the_codes() -> None:
    content = tomllib.loads(codes.FILE.read_text(encoding="utf-8"))
    fees = {f"FEE_{occasion.upper()}" for occasion in codes.OCCASIONS}
    assert {name for kind in codes.KINDS for name in content[kind]} | fees == set(CODES)
    assert set(regimes.RIGHTS) == {right.value for right in Right if right.value}


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ({"wish": {}}, "wish: is none of"),
        ({"keep": {"NEW": {"needs": "until", "eu_gdpr": "x"}}}, "has no words"),
        ({"keep": {"EXEMPT": {"needs": "until"}}}, "names no article in any regime"),
        ({"keep": {"EXEMPT": {"needs": "until", "eu_gdpr": " "}}}, "names no article of law"),
        ({"keep": {"EXEMPT": {"needs": "never", "eu_gdpr": "x"}}}, "'until' or 'review'"),
        ({"keep": {"EXEMPT": {"needs": "until", "mars": "x", "eu_gdpr": "x"}}}, "nor a regime"),
        (
            {"keep": {"EXEMPT": {"needs": "until", "eu_gdpr": "x", "weigh": ["us_ca_ccpa"]}}},
            "without an article",
        ),
        ({"label": {"LEGAL_HOLD": {"eu_gdpr": "x"}}}, "never a basis"),
        ({"groups": {"here": ["nowhere"]}}, "names something that is no regime"),
        ({"articles": {"nowhere": {}}}, "is neither a regime nor a group"),
        ({"keep": {"EXEMPT": {"needs": "until", "eu_gdpr": "{unheard}"}}}, "has no article 'unheard'"),
        (
            {"refuse": {"EXEMPT": {"outcome": "granted", "rights": ["*"], "eu_gdpr": "x"}}},
            "is none of denied",
        ),
        (
            {"refuse": {"EXEMPT": {"outcome": "denied", "rights": ["fly"], "eu_gdpr": "x"}}},
            "rights are expected",
        ),
        (
            {
                "refuse": {
                    "EXEMPT": {"outcome": "denied", "rights": ["*"], "rights_in": {"eu_gdpr": ["fly"]}, "eu_gdpr": "x"}
                }
            },
            "rights are expected",
        ),
        (
            {"refuse": {"EXEMPT": {"outcome": "denied", "rights": ["*"], "choices": "perhaps", "eu_gdpr": "x"}}},
            "is none of as_others",
        ),
        (
            {"keep": {"EXEMPT": {"needs": "until", "eu_gdpr": "x"}}, "extend": {"EXEMPT": {"eu_gdpr": "x"}}},
            "stands twice",
        ),
    ],
)
def test_a_bad_code_file_does_not_load(content: dict[str, Any], message: str) -> None:
    with pytest.raises(RegimeFileError) as error:
        codes.parse(content, "test.toml")
    assert message in str(error.value)
