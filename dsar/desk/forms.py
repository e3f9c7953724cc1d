"""What the desk asks for before a verb. A form knows its request; choices come from the law and from the plan."""

from collections.abc import Iterable
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from dsar.enums import RestrictionGround, Right
from dsar.law import articles, codes
from dsar.law.codes import Code
from dsar.models import PrivacyRequest
from dsar.review import decide, repeats

RIGHTS = [(right.value, right.label) for right in Right if right.value]
LONGEST = 8000


class VerbForm(forms.Form):
    """A form for one verb on one request; field ids carry the verb's name, since a page holds several forms."""

    def __init__(
        self,
        request: PrivacyRequest,
        verb: str,
        data: Any = None,
        *,
        files: Any = None,
        plan: dict[str, Any] | None = None,
    ) -> None:
        self.request, self.plan = request, plan or {}
        super().__init__(data, files, auto_id=f"{verb}_%s")
        self.prepare()

    def prepare(self) -> None:
        """Fill in what depends on the request."""

    def offer(self, field: str, choices: Iterable[tuple[str, Any]]) -> None:
        """Set the choices of a field."""
        self.fields[field].choices = list(choices)  # type: ignore[attr-defined]

    def offer_codes(self, found: Iterable[Code], *, empty: bool = True) -> None:
        """Set the choices of `code` to reasons of the law's catalogue, each with its article."""
        first = [("", _("Please choose"))] if empty else []
        self.offer("code", [*first, *((one.code, _named(one)) for one in found)])


def _named(code: Code) -> str:
    if code.weigh:
        return _("%(label)s (%(citation)s), to be weighed") % {"label": code.label, "citation": code.citation}
    return f"{code.label} ({code.citation})"


def long_text(label: Any, help_text: Any = "", *, required: bool = True, rows: int = 4) -> forms.CharField:
    """A field for sentences."""
    return forms.CharField(
        label=label,
        help_text=help_text,
        required=required,
        max_length=LONGEST,
        widget=forms.Textarea(attrs={"rows": rows}),
    )


READ_BY_THEM = _("The requester reads this.")


def forbidden_law() -> forms.CharField:
    """The law that forbids to tell the reason; empty for nearly everything."""
    return forms.CharField(
        label=_("Does a law forbid to tell the reason? Which?"),
        help_text=_(
            "Leave this empty unless one does. Then both of you have to be approvers, and the letter gives neither the reason"
            " nor what is kept for it."
        ),
        max_length=200,
        required=False,
    )


def forbidden_day() -> forms.DateField:
    """When two people look again whether the law still forbids it."""
    return forms.DateField(
        label=_("If so: two people look again on"),
        help_text=_("Within 90 days."),
        required=False,
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
    )


class ClassifyForm(VerbForm):
    """Which right it is."""

    right = forms.ChoiceField(label=_("Which right is it?"), choices=[("", _("Please choose")), *RIGHTS])

    def prepare(self) -> None:
        """What was understood so far is chosen already."""
        self.initial["right"] = self.request.right


class SplitForm(VerbForm):
    """What else the same message asks for."""

    rights = forms.MultipleChoiceField(
        label=_("What else does it ask for?"),
        help_text=_("Each opens as a request of its own beside this one, with the same receipt date."),
        widget=forms.CheckboxSelectMultiple,
    )

    def prepare(self) -> None:
        """Rights that nobody asks for in this case yet."""
        taken = {one.right for one in self.request.case.requests.all() if not one.is_ended}
        self.offer("rights", [choice for choice in RIGHTS if choice[0] not in taken])


class QuestionForm(VerbForm):
    """A question to the person."""

    text = long_text(_("Your question"), READ_BY_THEM)


class SurerProofForm(VerbForm):
    """Why more is asked for, and how it can be shown."""

    text = long_text(
        _("What do you write to the person?"),
        _("They read this. Say what they can do, kindly: they have most likely done nothing wrong."),
    )


class AnswerForm(VerbForm):
    """What the person answered."""

    text = long_text(_("The answer, in the person's own words"))


class ApproveForm(VerbForm):
    """What was weighed, if the person should know."""

    ground = forms.ChoiceField(
        label=_("On which ground?"),
    )
    text = long_text(_("A sentence for the requester"), READ_BY_THEM, required=False, rows=2)

    def prepare(self) -> None:
        """Only a restriction has a ground, with the article that the law of this request has for it."""
        if self.request.right != Right.RESTRICTION:
            del self.fields["ground"]
            return
        regime = self.request.case.law
        known = [(one, articles.ground(one, regime)) for one in RestrictionGround]
        named = [(one.value, f"{one.label} ({article})" if article else one.label) for one, article in known]
        self.offer("ground", [("", _("Please choose")), *named])


class RefuseForm(VerbForm):
    """A code of the law's catalogue and the reason in plain words (GDPR Art 12(4))."""

    code = forms.ChoiceField(label=_("Reason in law"))
    text = long_text(_("The reason in your own words"), READ_BY_THEM)
    facts = long_text(
        _("The facts, where we have to show them"),
        _("For “manifestly unfounded”, “excessive” and the like: what was asked, when and how often. Why somebody asks does"
          " not count. For the record; the requester does not read it."),
        required=False, rows=3,
    )  # fmt: skip
    forbidden_by = forbidden_law()
    forbidden_until = forbidden_day()

    def prepare(self) -> None:
        """Reasons that this law knows for this right and that can hold now; how often this person has asked."""
        found = repeats.refusals(self.request)
        self.offer_codes(found)
        if not any(code.burden for code in found):
            del self.fields["facts"]
        elif not self.is_bound:
            self.initial["facts"] = repeats.prefilled(self.request)


class ReferForm(VerbForm):
    """Who can answer instead."""

    text = long_text(_("To whom should the person turn, and how?"), READ_BY_THEM, rows=3)


class LapseForm(VerbForm):
    """Why it ends."""

    text = long_text(_("Why does it end here?"), READ_BY_THEM)


class ExtendForm(VerbForm):
    """More time: once, for a reason that the law knows."""

    code = forms.ChoiceField(label=_("Reason in law"), widget=forms.RadioSelect)
    text = long_text(_("Why do we need more time?"), READ_BY_THEM, rows=3)
    until = forms.DateField(
        label=_("By which day do we answer?"),
        help_text=_("This law leaves the length open: the letter names the day."),
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
        error_messages={"required": _("Please enter the day."), "invalid": _("Please enter the day.")},
    )

    def prepare(self) -> None:
        """The reasons of this law; the first one, with its sentence, stands there already."""
        found = codes.extension_reasons(self.request.case.law)
        self.offer("code", [(code.code, code.label) for code in found])
        if found:
            self.initial["code"], self.initial["text"] = found[0].code, found[0].text
        if not decide.is_open_ended(self.request):
            del self.fields["until"]


class ReadForm(VerbForm):
    """No question; what came after the page was made stays unread."""

    seen = forms.IntegerField(required=False, widget=forms.HiddenInput)

    def prepare(self) -> None:
        """The newest message that stands on the page."""
        if self.request.unread_at:
            self.initial["seen"] = decide.newest_received(self.request)


class ReplyForm(ReadForm):
    """A message that changes nothing."""

    text = long_text(_("Your message"), READ_BY_THEM)


class NoteForm(VerbForm):
    """A note for colleagues."""

    text = long_text(_("Your note"), _("For colleagues only. It is never sent."), rows=3)


class EmptyForm(VerbForm):
    """Nothing is asked."""


class SureForm(VerbForm):
    """A tick before something that ends the request."""

    sure = forms.BooleanField(label=_("Yes, I am sure"))


class WithdrawForm(VerbForm):
    """The person said so by mail or telephone."""

    sure = forms.BooleanField(label=_("The person told us, and I have noted when and how"))


class AskProofForm(VerbForm):
    """Words beside the mail that asks for a surer proof."""

    text = long_text(_("A word of yours beside it; they read it"), required=False, rows=3)


class DisputeForm(VerbForm):
    """One person's finding on "this was not me"."""

    founded = forms.ChoiceField(
        label=_("What did you find?"),
        choices=[
            ("unfounded", _("Unfounded: the person did confirm; the work goes on")),
            ("founded", _("Founded: somebody else confirmed; nothing more is erased, the account stays closed")),
        ],
        widget=forms.RadioSelect,
    )
    text = long_text(_("What did you look at?"), READ_BY_THEM)
