"""POST on a request: authorise, validate, one call, redirect. A failed form comes back with what was typed."""

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from dsar.desk import copy_page, frame, request_page
from dsar.desk.catalogue import VERBS
from dsar.models import PrivacyRequest
from dsar.models.apart import apart_from
from dsar.workflow import Conflict, Forbidden, Invalid


@require_POST
def act(request: HttpRequest, pk: int, verb: str) -> HttpResponse:
    """Carry out one verb: 404 unknown, 403 not for this role or person, 409 not in this state, 422 with errors, or back."""
    wanted = VERBS.get(verb)
    if wanted is None:
        raise Http404
    actor = frame.actor_of(request)
    if not wanted.allows(actor):
        raise PermissionDenied
    found = request_page.fetch(pk)
    back = reverse("desk_request", args=[pk])
    if not wanted.is_there(found):
        return frame.moved_on(request, back)
    if barred := wanted.bar(found, actor):
        return frame.not_yours(request, barred, back, _("Back to the request"))
    form = wanted.form(found, verb, request.POST, files=request.FILES, plan=request_page.plan_of(found)[1])
    if form.is_valid():
        try:
            wanted.run(pk, form.cleaned_data, actor)
        except Invalid as error:
            form.add_error(None, str(error))
        except Conflict:
            return frame.moved_on(request, back)
        except Forbidden:
            raise PermissionDenied from None
        except PrivacyRequest.DoesNotExist:
            raise Http404 from None
        else:
            messages.success(request, wanted.fitted(found).done)
            # Whoever stepped aside has no page to go back to.
            return redirect("desk_queue" if found.case_id in apart_from(actor.user_id) else back)
    if verb in request_page.ON_COPY_PAGE:
        return copy_page.refused(request, found, form, verb)
    return request_page.show(request, pk, failed=form, verb=verb, status=422)
