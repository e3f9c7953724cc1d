"""The person does not agree: another person looks again, where the law knows it; a person reads it everywhere."""

from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from dsar import deadlines
from dsar.enums import AppealKind, Outcome, Right
from dsar.law import authorities
from dsar.models import REQUESTER, Appeal, PrivacyRequest
from dsar.notifications import appeal_letter, letters, undisclosed
from dsar.portal import case, session
from dsar.review import appeals
from dsar.workflow import Conflict, Invalid


class WordsForm(forms.Form):
    """Why they do not agree."""

    text = forms.CharField(
        label=gettext_lazy("What is wrong with our answer?"),
        help_text=gettext_lazy("In your own words. A few are enough, and you need not name any law."),
        max_length=appeals.LONGEST,
        error_messages={"required": gettext_lazy("Please write why you do not agree. A few words are enough.")},
        widget=forms.Textarea(attrs={"rows": 6}),
    )


@session.needs_request
def look_again(request: HttpRequest, held: PrivacyRequest) -> HttpResponse:
    """Say what happens then, and take up what the person writes; what was typed stays until it is accepted."""
    form = WordsForm(request.POST if request.method == "POST" else None)
    if form.is_bound and form.is_valid():
        try:
            made = appeals.take(held.pk, form.cleaned_data["text"])
        except Invalid as error:
            form.add_error("text", str(error))
        else:
            messages.success(request, _said(made))
            return redirect("case")
    return render(request, "portal/look_again.html", _context(held, form), status=422 if form.errors else 200)


def _said(made: Appeal | None) -> str:
    if made is None:
        return _("Thank you. A person here reads what you wrote.")
    return _("Thank you. We have it and look again. You have our answer by %(day)s.") % {
        "day": date_format(appeal_letter.told_on(made))
    }


def _context(held: PrivacyRequest, form: WordsForm) -> dict[str, Any]:
    kind = appeals.kind_for(held)
    now = timezone.now()
    late = kind is not None and appeals.is_late(held, kind, now)
    again = kind is not None and appeals.was_looked_at(held, kind)
    current = appeals.open_one(held)
    dates = None
    if kind and not late and not again and current is None:
        dates = deadlines.appeal_dates(held.case.law, kind, now)
    told_on = appeal_letter.told_on(current) if current else dates and (dates.due.promised_on or dates.due_on)
    return {
        "held": held,
        "told_on": told_on,
        "told": Outcome(undisclosed.outcome_told(held)).label,
        "form": form,
        "kind": kind or "",
        "late": late,
        "again": again,
        "current": current,
        "title": _title(None if again else kind),
        "who_looks": appeal_letter.who_looks(kind) if kind else "",
        "dates": dates,
        "steps": dates.due.explain() if dates else (),
        "understood": letters.understood(Right(held.right), take_back=held.take_back),
        "remedy": held.case.law.remedy,
        "remedy_links": authorities.way(held.case.regime).links,
    }


def _title(kind: AppealKind | None) -> str:
    if kind == AppealKind.APPEAL:
        return _("Ask another person to look again")
    return _("Complain to us") if kind else _("You do not agree")


@session.needs_request
def withdraw(request: HttpRequest, held: PrivacyRequest) -> HttpResponse:
    """Call off what is looked at again."""
    current = appeals.open_one(held)

    def work() -> None:
        if current is None:
            raise Conflict("withdraw")
        appeals.withdraw(current.pk, actor=REQUESTER)

    return case.press(
        request, work, closed=_("There is nothing to call off any more."),
        done=_("It is called off. Our answer stays as it was."),
    )  # fmt: skip
