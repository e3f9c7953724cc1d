"""What a correction has to do: the accepted fields, and the sources that hold them."""

from dsar.datamap import loader
from dsar.enums import CorrectionStatus, StepKind
from dsar.fulfilment import plan as plans
from dsar.models import PrivacyRequest, Step


def accepted(request: PrivacyRequest) -> dict[str, str]:
    """Field of the data map -> what it shall say. Frozen: decisions are taken in review alone."""
    found = list(request.corrections.filter(status=CorrectionStatus.ACCEPTED).order_by("pk"))
    for one in found:
        one.request = request
    return {one.field: one.new for one in found}


def layout(request: PrivacyRequest, body: plans.Body) -> list[Step]:
    """A step for each source that holds the person and one of the fields; a system that no machine reaches is asked
    through its owner. Backups are not rewritten."""
    fields, described = set(accepted(request)), loader.current().sources
    return [
        Step(request=request, source=key, kind=StepKind.RECTIFY)
        for key, found in body["sources"].items()
        if fields
        and found["status"] != "none"
        and not found["rotation_days"]
        and key in described
        and (fields & described[key].correctable or described[key].connector == "manual")
    ]
