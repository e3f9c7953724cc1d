"""The page of the laws: all of them, each with everything that its file says, and what a lawyer has yet to confirm."""

from html import unescape

from django.urls import reverse
from django.utils import timezone

from accounts.models import Role
from dsar.law import authorities, regimes
from tests.desk import scenes


def test_every_law_is_shown_with_all_that_its_file_says(db: None) -> None:
    auditor = scenes.browser(Role.AUDITOR)
    listed = unescape(auditor.get(reverse("desk_laws")).content.decode())
    assert reverse("desk_laws") in listed
    for law in map(regimes.load, regimes.all_ids()):
        assert reverse("desk_law", args=[law.id]) in listed and str(law.name) in listed
    for law in map(regimes.load, ("eu_gdpr", "us_co_cpa", "ch_fadp", "sg_pdpa", "br_lgpd")):
        shown = unescape(auditor.get(reverse("desk_law", args=[law.id])).content.decode())
        for text in (law.version, *(one.what for one in law.unconfirmed), *law.notes, law.fees.note, law.child.note):
            assert text in shown, (law.id, text)
        assert all(clock.citation in shown for clock in law.clocks)
        assert all(str(law.text(key)) in shown for key in ("identity", "extension", "appeal", "remedy", "records"))
        assert all(f'href="{link}"' in shown for link in authorities.way(law.id).links)
    assert "A deletion that comes meanwhile waits here for a person" in unescape(
        auditor.get(reverse("desk_law", args=["sg_pdpa"])).content.decode()
    )
    assert "A deletion that comes meanwhile" not in unescape(
        auditor.get(reverse("desk_law", args=["eu_gdpr"])).content.decode()
    )
    india = unescape(auditor.get(reverse("desk_law", args=["in_dpdp"])).content.decode())
    assert ("gives no rights today" in india) != regimes.load("in_dpdp").in_force(timezone.localdate())
    assert auditor.get(reverse("desk_law", args=["nowhere"])).status_code == 404
