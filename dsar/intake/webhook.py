"""Inbound mail from a mail provider, through django-anymail, raw MIME only. Stored, then answered 200."""

import time
from typing import Any

from anymail.exceptions import AnymailWebhookValidationFailure
from anymail.inbound import AnymailInboundMessage
from anymail.signals import AnymailInboundEvent
from anymail.webhooks.mailgun import MailgunInboundWebhookView
from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBadRequest
from django.views.decorators.csrf import csrf_exempt

from dsar.intake import email

SIGNATURE_SECONDS = 24 * 3600


class RawMailgunView(MailgunInboundWebhookView):
    """Anymail checks basic authentication and the provider's signature; the bytes are ours to read.

    Anymail's own parser is not used: it raises on mails that people really send, and an error here would make the
    provider send again and again what we could have kept.
    """

    def esp_to_anymail_event(self, request: HttpRequest) -> AnymailInboundEvent:
        """The event with an empty message: the raw bytes are stored by `post`."""
        return AnymailInboundEvent(
            event_type="inbound", timestamp=None, event_id=None, esp_event=request, message=AnymailInboundMessage()
        )

    def validate_request(self, request: HttpRequest) -> None:
        """Besides anymail's own checks: a signature is good for a day (the provider tries for eight hours), so that one
        that leaks does not open this door for ever."""
        try:
            age = abs(time.time() - int(request.POST.get("timestamp", "")))
        except ValueError:
            raise AnymailWebhookValidationFailure("no time") from None
        if age > SIGNATURE_SECONDS:
            raise AnymailWebhookValidationFailure("too old")

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        """Check who sends, store the raw mail, then answer. 400 where the check fails, and where the provider is not
        set to send raw MIME."""
        try:
            self.run_validators(request)
        except UnicodeError:
            raise AnymailWebhookValidationFailure("not ASCII") from None
        raw = request.POST.get("body-mime")
        if raw is None:
            return HttpResponseBadRequest("Send raw MIME: the route must end in /mime.")
        email.receive(raw.encode("latin-1"), request.POST.get("recipient", ""))
        return HttpResponse()


_view = csrf_exempt(RawMailgunView.as_view()) if settings.ANYMAIL.get("MAILGUN_WEBHOOK_SIGNING_KEY") else None


@csrf_exempt
def inbound_mail(request: HttpRequest) -> HttpResponse:
    """The webhook's address; not there where no secret is configured."""
    if _view is None or not settings.ANYMAIL.get("WEBHOOK_SECRET"):
        raise Http404
    # Mail is bytes in any charset; Latin-1 hands every byte through as it came.
    request.encoding = "latin-1"
    answered: HttpResponse = _view(request)
    return answered
