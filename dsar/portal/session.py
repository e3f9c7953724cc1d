"""What a browser session holds: the link in hand, and the cases whose mailbox was proven in it, with the time.

Keys of rows only. A token is never kept here: it is hashed at rest, and derived anew where it is spent.
"""

import base64
import json
from collections.abc import Callable
from datetime import datetime, timedelta
from functools import wraps
from typing import Any, Concatenate, ParamSpec

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from dsar import keys
from dsar.enums import CheckKind
from dsar.models import Case, IdentityCheck, OwnerTask, PrivacyRequest, Representation
from dsar.verification import links

P = ParamSpec("P")
CaseView = Callable[Concatenate[HttpRequest, Case, P], HttpResponse]
RequestView = Callable[[HttpRequest, PrivacyRequest], HttpResponse]
PROVEN, CURRENT, LINK, SENT, BACK = "proven", "case", "link", "sent", "back"
TASK, OWNERS, REPRESENTS = "task", "owners", "represents"


def _take(request: HttpRequest, name: str, check: IdentityCheck | None) -> None:
    request.session.cycle_key()
    request.session[name] = check.pk if check else 0


def take_link(request: HttpRequest, check: IdentityCheck | None) -> None:
    """Keep a link that was opened, under a new session key."""
    _take(request, LINK, check)
    # Whoever opens a link goes where it leads, not back to where a code was asked for once.
    request.session.pop(BACK, None)


def link_in_hand(request: HttpRequest) -> links.Look | None:
    """The link that this browser opened last, as it stands now; None where it opened none."""
    number = request.session.get(LINK)
    if number is None:
        return None
    check = IdentityCheck.objects.filter(pk=number).select_related("case").first()
    return links.Look(check, links.problem_of(check, timezone.now()))


def pressed(request: HttpRequest, kind: CheckKind) -> IdentityCheck | None:
    """The link of this kind that this browser opened last, where its button has been pressed: its page says what came of
    it, and no new link is needed for that."""
    look = link_in_hand(request)
    spent = look is not None and look.problem == "spent" and look.check is not None and look.check.kind == kind
    return look.check if look and spent else None


def take_task(request: HttpRequest, check: IdentityCheck | None) -> None:
    """Keep the link of a data owner's task, under a new session key."""
    _take(request, TASK, check)


def task_in_hand(request: HttpRequest) -> IdentityCheck | None:
    """The link of the task that this browser opened last."""
    return IdentityCheck.objects.filter(pk=request.session.get(TASK, 0)).select_related("case").first()


def _keep(request: HttpRequest, name: str, key: str | int) -> None:
    """Note a proof with its time. What lapsed stays for as long as the session: it says who may be asked again."""
    now = timezone.now()
    oldest = now - timedelta(seconds=settings.SESSION_COOKIE_AGE)
    held: dict[str, str] = request.session.get(name, {})
    kept = {one: at for one, at in held.items() if datetime.fromisoformat(at) > oldest}
    request.session[name] = {**kept, str(key): now.isoformat()}


def _since(request: HttpRequest, name: str, key: str | int) -> datetime | None:
    """When this browser gave that proof last."""
    at = request.session.get(name, {}).get(str(key))
    return datetime.fromisoformat(at) if at else None


def _lasts(since: datetime | None) -> bool:
    return since is not None and timezone.now() - since < settings.PROOF_LIFETIME


def prove_owner(request: HttpRequest, task: OwnerTask) -> None:
    """Note that this browser's person reads the mailbox of a data owner: it counts for all tasks of that address."""
    _keep(request, OWNERS, task.owner_index)


def is_owner(request: HttpRequest, task: OwnerTask) -> bool:
    """Whether this browser entered a code that was sent to the address which has the task, within PROOF_LIFETIME."""
    return bool(task.owner_index) and _lasts(_since(request, OWNERS, task.owner_index))


def was_owner(request: HttpRequest, task: OwnerTask) -> bool:
    """Whether it did so in this session, however long ago. It may be asked for a fresh code, and nothing more."""
    return bool(task.owner_index) and _since(request, OWNERS, task.owner_index) is not None


def prove(request: HttpRequest, case: Case) -> None:
    """Note that this browser's person reads the mailbox of a case.

    The key was changed when the link was opened (`take_link`), before there was anything to steal; changing it again
    here would strand a double click, whose second request carries the old one.
    """
    _keep(request, PROVEN, case.pk)
    request.session[CURRENT] = case.pk


def choose(request: HttpRequest, case: Case) -> None:
    """Go on with a case that this browser has proven already."""
    request.session[CURRENT] = case.pk


def is_proven(request: HttpRequest, case: Case) -> bool:
    """Whether this browser proved, within PROOF_LIFETIME, the address that this case is written to now."""
    return has_proven(request, case) and _lasts(_since(request, PROVEN, case.pk))


def has_proven(request: HttpRequest, case: Case) -> bool:
    """Whether this browser proved the address of this case in this session, however long ago. It may be asked for a
    fresh code, and nothing more is told or done on the strength of this."""
    since = _since(request, PROVEN, case.pk)
    return since is not None and case.counts_since(since)


def prove_representative(request: HttpRequest, standing: Representation) -> None:
    """Note that this browser's person reads the mailbox of who asks for somebody else. It is no proof of the person's:
    it is kept apart, and no page of the person's looks at it."""
    _keep(request, REPRESENTS, standing.pk)


def represents(request: HttpRequest, standing: Representation) -> bool:
    """Whether this browser entered a code that was sent to this representative, within PROOF_LIFETIME."""
    return _lasts(_since(request, REPRESENTS, standing.pk))


def ask_again(request: HttpRequest, check: IdentityCheck) -> None:
    """Let the page that sends a code work for this browser, which comes back to the case after it."""
    request.session[LINK] = check.pk
    request.session[BACK] = True


def way_on(request: HttpRequest, otherwise: str) -> str:
    """The page on which a person goes on after a code: their case where they were stopped there, or `otherwise`."""
    return "case" if request.session.pop(BACK, False) else otherwise


def current_case(request: HttpRequest) -> Case | None:
    """The case that was proven last in this browser, while the proof lasts."""
    number = request.session.get(CURRENT)
    found = Case.objects.filter(pk=number, purged_at__isnull=True).first() if number else None
    return found if found and is_proven(request, found) else None


def not_yours(request: HttpRequest) -> HttpResponse:
    """The page for whoever has no proof (any more) for what they asked to see: it offers the way to one."""
    return render(request, "portal/not_yours.html", status=404)


def needs_case(view: CaseView[P]) -> Callable[Concatenate[HttpRequest, P], HttpResponse]:
    """Hand the proven case of this browser to a view, or explain."""

    @wraps(view)
    def guarded(request: HttpRequest, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponse:
        case = current_case(request)
        return view(request, case, *args, **kwargs) if case else not_yours(request)

    return guarded


def needs_request(view: RequestView) -> Callable[[HttpRequest, int], HttpResponse]:
    """Hand a request by its number to a view that answers a button of the case page, only where this browser proved its
    case, and go on with that case; the same page for any other number."""

    @never_cache
    @require_http_methods(["GET", "HEAD", "POST"])
    @wraps(view)
    def guarded(request: HttpRequest, pk: int) -> HttpResponse:
        found = PrivacyRequest.objects.select_related("case").filter(pk=pk, case__purged_at__isnull=True).first()
        if found is None or not is_proven(request, found.case):
            return not_yours(request)
        choose(request, found.case)
        return view(request, found)

    return guarded


def note_sent(response: HttpResponse, right: str, country: str, acts_as: str, address: str) -> None:
    """Remember what was typed, for the next page, in the visitor's own browser and sealed: who only asks needs no
    session in our database."""
    typed = json.dumps({"right": right, "country": country, "acts_as": acts_as, "to": address})
    sealed = base64.urlsafe_b64encode(keys.seal(keys.derived("session"), typed, SENT)).decode()
    response.set_cookie(
        SENT, sealed, path=reverse("received"), secure=settings.SESSION_COOKIE_SECURE, httponly=True, samesite="Lax"
    )


def what_was_sent(request: HttpRequest) -> dict[str, Any] | None:
    """What `note_sent` remembered: right, country, acts_as and to (the address). None for no cookie, or one not ours."""
    try:
        sealed = base64.urlsafe_b64decode(request.COOKIES.get(SENT, ""))
        typed: dict[str, Any] = json.loads(keys.unseal(keys.derived("session"), sealed, SENT))
    except (ValueError, keys.Unreadable):
        return None
    return typed
