"""Requests under laws with a way back to the company."""

from dsar.law import regimes
from dsar.models import Case, PrivacyRequest

# An appeal of 45 days with 60 more; a complaint; a grievance of 90 days.
COLORADO, VIRGINIA, BRITAIN, INDIA = "us_co_cpa", "us_va_vcdpa", "uk_gdpr", "in_dpdp"


def under(request: PrivacyRequest, law: str = COLORADO) -> PrivacyRequest:
    """The same request, judged by this law in the version in force."""
    Case.objects.filter(pk=request.case_id).update(regime=law, regime_version=regimes.load(law).version)
    return PrivacyRequest.objects.select_related("case").get(pk=request.pk)
