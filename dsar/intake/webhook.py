"""Inbound mail from a mail provider, through django-anymail, raw MIME only. Stored, then answered 200."""

from typing import Any

from anymail.inbound import AnymailInboundMessage
from anymail.signals import AnymailInboundEvent
from anymail.webhooks.mailgun import MailgunInboundWebhookView
from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBadRequest
from django.views.decorators.csrf import csrf_exempt

from dsar.intake import email


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

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        """Store the raw mail before answering; 400 where the provider is not set to send raw MIME."""
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
