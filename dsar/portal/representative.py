"""Pages about somebody who asks for somebody else: theirs, behind a code of their own, and the person's word on them.

Whoever is proven here is not the person: these pages alone know them, and show nothing that the person did not allow.
"""

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from dsar.enums import COPY_RIGHTS, STANDING_KINDS, CheckKind, CheckStatus
from dsar.fulfilment import progress
from dsar.law import representing
from dsar.models import REQUESTER, Case, PrivacyRequest, Representation
from dsar.notices import Notice
from dsar.portal import download, present, session
from dsar.portal.follow import PROBLEMS, CodeForm
from dsar.portal.proof import next_place
from dsar.portal.representative_forms import ALLOW, ALONE, AllowForm, PaperForm
from dsar.verification import confirmation, links, representation
from dsar.workflow import Conflict, Invalid

View = Callable[..., HttpResponse]


# --- the person's word -----------------------------------------------------------------------------------------------


def allow_form(case: Case, data: Any = None, **initial: Any) -> AllowForm:
    """What the person is asked; a copy is spoken of only where one was asked for."""
    return AllowForm(data, copy=case.requests.filter(right__in=COPY_RIGHTS).exists(), initial=initial)


def obey(case: Case, answer: dict[str, Any]) -> None:
    """Do what the person said about who asks in their name."""
    if answer["answer"] == ALLOW:
        representation.allow(case, follow=answer["follow"], receive=answer.get("receive", False))
    elif answer["answer"] == ALONE:
        representation.take_back(case)
    else:
        representation.not_wanted(case)


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
@session.needs_case
def allow(request: HttpRequest, held: Case) -> HttpResponse:
    """Allow, change or take back, at any time."""
    standing = representation.of(held)
    if standing is None or standing.stands:
        return redirect("case")
    form = allow_form(
        held, request.POST if request.method == "POST" else None, answer=ALLOW if standing.is_allowed else "",
        follow=standing.may_follow, receive=standing.may_receive,
    )  # fmt: skip
    if form.is_bound and form.is_valid():
        obey(held, form.cleaned_data)
        messages.success(request, _("Noted. You can change it at any time."))
        return redirect(next_place(held))
    return render(request, "portal/allow.html", {"form": form, "standing": standing, "case": held})


# --- theirs ----------------------------------------------------------------------------------------------------------


def needs_representative(view: View) -> View:
    """Hand the representation of this browser's link to a view, or explain. `known` says whether the code was entered."""

    @wraps(view)
    def guarded(request: HttpRequest, **kwargs: Any) -> HttpResponse:
        look = session.link_in_hand(request)
        if look is None or look.check is None or look.problem or look.check.kind != CheckKind.REP_LINK:
            return session.not_yours(request)
        standing = representation.of(look.check.case)
        if standing is None:
            return session.not_yours(request)
        return view(request, standing, **kwargs)

    return guarded


@never_cache
@require_safe
@needs_representative
def page(request: HttpRequest, standing: Representation) -> HttpResponse:
    """Their page, once the code was entered; before that the way to the code."""
    if not session.represents(request, standing):
        return _ask_for_code(request, standing, CodeForm())
    return show(request, standing)


@never_cache
@require_POST
@needs_representative
def send_code(request: HttpRequest, standing: Representation) -> HttpResponse:
    """Mail a code to their own address."""
    if representation.send_code(standing):
        messages.success(request, _("The code is on its way."))
    else:
        messages.error(request, _("Too many codes were sent today. Please try again tomorrow, or write to us."))
    return redirect("represent")


@never_cache
@require_POST
@needs_representative
def enter_code(request: HttpRequest, standing: Representation) -> HttpResponse:
    """Spend the code. Five wrong ones end it; a new one is a button away."""
    form = CodeForm(request.POST)
    if form.is_valid():
        try:
            links.spend_code(representation.newest_code(standing), form.cleaned_data["code"])
        except links.Refused as refused:
            form.add_error("code", PROBLEMS[refused.problem])
        else:
            session.prove_representative(request, standing)
            return redirect("represent")
    return _ask_for_code(request, standing, form, 422)


@never_cache
@require_POST
@needs_representative
def fetch(request: HttpRequest, standing: Representation, pk: int) -> HttpResponse:
    """Download the copy that the person lets them have."""
    if not session.represents(request, standing):
        return redirect("represent")
    found = standing.case.requests.filter(pk=pk).first() if standing.may_receive else None
    if found is None:
        return session.not_yours(request)
    found.case = standing.case
    return download.begin(request, found, by=standing.kind, back="represent")


@never_cache
@require_POST
@needs_representative
def papers(request: HttpRequest, standing: Representation) -> HttpResponse:
    """Send a paper that shows the authority (or an agent's signed permission)."""
    if not session.represents(request, standing):
        return redirect("represent")
    form = PaperForm(request.POST, request.FILES)
    if form.is_valid():
        file = form.cleaned_data["file"]
        try:
            representation.attach(standing.case, file.name, file.read(), actor=REQUESTER)
        except Invalid as error:
            form.add_error("file", str(error))
        except Conflict:
            return redirect("represent")
        else:
            messages.success(
                request,
                _(
                    "Thank you. It is encrypted and looked at by people here. If it is enough, it stays with the record of this"
                    " request and goes with it; if not, it is destroyed."
                ),
            )
            return redirect("represent")
    return show(request, standing, 422, paper_form=form)


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def objection(request: HttpRequest) -> HttpResponse:
    """ "This was not me", to who stands for the person or to a new address: no code, since it only ever stops things."""
    look = session.link_in_hand(request)
    usable = look.check if look and not look.problem else None
    check = usable or session.pressed(request, CheckKind.OBJECTION)
    if check is None or check.kind != CheckKind.OBJECTION:
        return session.not_yours(request)
    noted, failed = check.status == CheckStatus.PASSED, False
    if request.method == "POST":
        try:
            if not noted:
                confirmation.object_by(check)
            return redirect(f"{reverse('objection')}?noted=1")
        except confirmation.NotStopped:
            failed = True
    facts = {"reference": check.case.reference, "noted": noted, "failed": failed}
    return render(request, "portal/objection.html", facts, status=503 if failed else 200)


def show(request: HttpRequest, standing: Representation, status: int = 200, **more: Any) -> HttpResponse:
    """What they may see: before the person has answered, that we wait, whoever the person is."""
    sent = standing.papers.filter(destroyed_at__isnull=True).count()
    facts = {
        "standing": standing, "reference": standing.case.reference, "lines": _lines(standing), "sent": sent,
        "needs_papers": standing.kind in STANDING_KINDS, "paper_form": PaperForm(), **_of_the_law(standing), **more,
    }  # fmt: skip
    return render(request, "portal/represent.html", facts, status=status)


def _of_the_law(standing: Representation) -> dict[str, bool]:
    """What the law of the place that was named says of them: the same whoever the person is."""
    law = standing.case.law
    rights = standing.case.requests.exclude(right="").values_list("right", flat=True)
    return {
        "agent_may": any(representing.demand(law, standing.kind, right).may for right in rights) or not rights,
        "permission_asked": standing.case.messages.filter(notice=Notice.PERMISSION_ASKED).exists(),
    }


def _lines(standing: Representation) -> list[dict[str, Any]]:
    """How far each request is, without anything of the person's; and the copy, where they may have it."""
    lines = []
    for one in standing.case.requests.order_by("pk"):
        one.case = standing.case
        copy = present.offered(one) if standing.may_receive and one.right in COPY_RIGHTS else None
        if standing.may_follow or copy:
            lines.append({"request": one, "title": one.title, "copy": copy, **_stand(one, standing)})
    return lines


def _stand(one: PrivacyRequest, standing: Representation) -> dict[str, Any]:
    if not standing.may_follow:
        return {}
    return {"steps": progress.steps(one), "deadline": present.deadline(one), "ended": one.is_ended}


def _ask_for_code(request: HttpRequest, standing: Representation, form: CodeForm, status: int = 200) -> HttpResponse:
    facts = {
        "form": form, "reference": standing.case.reference, "sent": representation.newest_code(standing) is not None,
        "minutes": int(settings.CODE_LIFETIME.total_seconds() // 60),
    }  # fmt: skip
    return render(request, "portal/represent_code.html", facts, status=status)
