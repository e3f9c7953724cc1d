"""What pages and letters say of a choice: what it changes, what goes on, what taking it back means."""

from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from dsar.enums import Right
from dsar.models import Choice, PrivacyRequest


@dataclass(frozen=True)
class Words:
    """One choice in plain sentences. `undone` is what its taking back allows again."""

    title: Any
    made: Any
    goes_on: Any
    undone: Any


WORDS: dict[str, Words] = {
    Right.MARKETING_OPT_OUT: Words(
        _("No marketing"),
        _("We send you no news and no offers any more."),
        _("Messages about your account, such as invoices and security notices, go on."),
        _("We may send you news and offers again, where you agreed to them."),
    ),
    Right.OPT_OUT_SALE: Words(
        _("No selling or sharing of my data"),
        _("We do not sell your data, and do not pass them on to others for their own purposes."),
        _("Companies that only work for us, such as our hosting provider, go on doing so."),
        _("We may pass your data on to others again, as our privacy policy says."),
    ),
    Right.OPT_OUT_TARGETED: Words(
        _("No targeted advertising"),
        _("We do not use your data to choose advertising for you."),
        _("You may still see advertising that is the same for everybody."),
        _("We may use your data to choose advertising for you again."),
    ),
    Right.LIMIT_SENSITIVE: Words(
        _("Limited use of sensitive data"),
        _("We use sensitive data about you only to provide what you asked for and to keep it safe."),
        _("The service works as before."),
        _("We may use sensitive data about you for other purposes again, as our privacy policy says."),
    ),
    Right.WITHDRAW_CONSENT: Words(
        _("Consent withdrawn"),
        _("We have stopped what we did only because you had agreed to it."),
        _("What we did before, while you agreed, stays lawful. What the service itself needs goes on."),
        _("You agree again to what you had agreed to before."),
    ),
}  # fmt: skip


def of_the_choice(request: PrivacyRequest) -> dict[str, Any]:
    """For letters: `choice` (title, made, goes_on, undone), `take_back`, `since`, and where it can be changed."""
    listed = Choice.objects.of(request.case.email_index).filter(kind=request.right).order_by("-pk").first()
    return {
        "choice": WORDS[request.right],
        "take_back": request.take_back,
        "since": listed.taken_back_at if listed and request.take_back else listed.since if listed else request.begun_at,
        "choices_url": settings.BASE_URL + reverse("choices"),
    }
