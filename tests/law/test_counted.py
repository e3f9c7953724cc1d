"""What a law counts as one number: read from a file that names nothing which is not there."""

import pytest

from dsar.law import counted, regimes
from dsar.law.errors import RegimeFileError

GOOD = '[us_ca_ccpa]\ncitation = "11 CCR 7102"\nknow = ["know", "access"]\n'


def test_california_counts_requests_to_know_and_opt_outs_together() -> None:
    know, opt_out = counted.groups("us_ca_ccpa")
    assert (know.key, know.rights) == ("know", ("know", "access", "portability"))
    assert (opt_out.key, opt_out.rights) == ("opt_out", ("opt_out_sale", "opt_out_targeted"))
    assert counted.groups("eu_gdpr") == ()
    assert str(know.label) and know.citation == "11 CCR 7102(a)(1)"
    for regime in regimes.all_ids():
        for group in counted.groups(regime):
            assert set(group.rights) <= set(regimes.load(regime).rights)
    assert counted.read(GOOD)["us_ca_ccpa"][0].rights == ("know", "access")


@pytest.mark.parametrize(
    "wrong",
    [
        GOOD.replace("us_ca_ccpa", "nowhere"),
        GOOD.replace("citation", "cited"),
        GOOD.replace('"access"', '"marketing_opt_out"'),
        GOOD.replace('"access"', '"know"'),
        GOOD.replace("know =", "knows ="),
        GOOD + 'opt_out = ["access"]\n',
    ],
)
def test_a_file_that_names_what_is_not_there_is_not_used(wrong: str) -> None:
    with pytest.raises(RegimeFileError):
        counted.read(wrong)
