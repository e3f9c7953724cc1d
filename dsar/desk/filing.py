"""Filing what came by letter, by telephone or at the counter; the scan of a letter, to be read and to be destroyed."""

from datetime import date
from typing import Any

from django import forms
from django.conf import settings
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.core.validators import validate_email
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from dsar import keys
from dsar.desk import frame, words
from dsar.enums import CheckKind, Right
from dsar.intake import filing, web
from dsar.law import countries
from dsar.models import Case, Intake, PrivacyRequest
from dsar.verification import signed
from dsar.workflow import Conflict, Forbidden

UNCLEAR = "unclear"
BY_MAIL, BY_POST = "email", "post"
LINES = 6


class FileForm(web.SentOnce):
    """What came, when, from whom, and how the person is answered."""

    channel = forms.ChoiceField(
        label=gettext_lazy("How did it come?"),
        choices=[(channel.value, channel.label) for channel in filing.CHANNELS],
        widget=forms.RadioSelect,
        error_messages={"required": gettext_lazy("Please choose how it came.")},
    )
    came_on = forms.DateField(
        label=gettext_lazy("On which day did it really come?"),
        help_text=gettext_lazy(
            "The day on which it reached anybody in the company, not the day on which you file it: the legal date is"
            " counted from it."
        ),
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
        error_messages={
            "required": gettext_lazy("Please enter the day on which it came."),
            "invalid": gettext_lazy("Please enter the day as year-month-day, for instance 2026-12-31."),
        },
    )
    rights = forms.MultipleChoiceField(
        label=gettext_lazy("What is asked for?"),
        help_text=gettext_lazy("Tick everything. In doubt tick “not clear”: it then waits under “to be sorted”."),
        choices=[
            (UNCLEAR, gettext_lazy("Not clear: somebody has to sort it")),
            *((right.value, right.label) for right in Right if right.value),
        ],
        widget=forms.CheckboxSelectMultiple,
        error_messages={"required": gettext_lazy("Please tick what is asked for, or “not clear”.")},
    )
    statement = forms.CharField(
        label=gettext_lazy("In the person's own words"),
        help_text=gettext_lazy(
            "As they wrote or said it; nothing about health or papers that the right does not need."
        ),
        max_length=8000,
        widget=forms.Textarea(attrs={"rows": 6}),
        error_messages={"required": gettext_lazy("Please write what the person wrote or said.")},
    )
    acts_as = forms.ChoiceField(
        label=gettext_lazy("Who asks?"), choices=filing.ACTS_AS, initial="self", widget=forms.RadioSelect
    )
    own_name = forms.CharField(
        label=gettext_lazy("Name of whoever asks for the person"),
        max_length=200,
        required=False,
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )
    own_email = forms.CharField(
        label=gettext_lazy("E-mail address of whoever asks for the person"),
        help_text=gettext_lazy("Without it only the person is written to, and no authority can be looked at."),
        max_length=254,
        required=False,
        widget=forms.EmailInput(attrs={"autocomplete": "off"}),
    )
    name = forms.CharField(
        label=gettext_lazy("Name of the person whom it is about"),
        max_length=200,
        required=False,
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )
    email = forms.CharField(
        label=gettext_lazy("E-mail address of the account"),
        help_text=gettext_lazy(
            "As the person named it. Data are looked for under this address and no other, once it is proven."
        ),
        max_length=254,
        required=False,
        widget=forms.EmailInput(attrs={"autocomplete": "off"}),
    )
    answer = forms.ChoiceField(
        label=gettext_lazy("How do we answer?"),
        choices=[
            (BY_MAIL, gettext_lazy("By e-mail to this address: the link that proves the mailbox goes there at once")),
            (BY_POST, gettext_lazy("By post: the person reads no e-mail there. You show by hand that it is them")),
        ],
        initial=BY_MAIL,
        widget=forms.RadioSelect,
    )
    postal = forms.CharField(
        label=gettext_lazy("Postal address"),
        help_text=gettext_lazy("As it stands on an envelope: name, street, place, country, one line each."),
        max_length=600,
        required=False,
        widget=forms.Textarea(attrs={"rows": 4, "autocomplete": "off"}),
    )
    country = forms.ChoiceField(
        label=gettext_lazy("Where does the person live?"),
        help_text=gettext_lazy("It decides which law protects them. “Somewhere else” where you do not know."),
        error_messages={"required": gettext_lazy("Please choose where the person lives.")},
    )
    language = forms.ChoiceField(label=gettext_lazy("Language of our letters"), choices=settings.LANGUAGES)
    scan = forms.FileField(
        label=gettext_lazy("Scan of the letter"),
        help_text=gettext_lazy(
            "Identity papers do not belong here: give them back, and write down what you saw when you show who asks. One that"
            " you have to keep until then is added on the next page, covered."
        ),
        required=False,
        error_messages={"empty": gettext_lazy("This file is empty. Please choose another one.")},
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["country"].choices = [("", _("Please choose")), *countries.choices()]  # type: ignore[attr-defined]
        self.fields["came_on"].widget.attrs["max"] = filing.today().isoformat()
        if not self.is_bound:
            self.initial["language"] = settings.LANGUAGE_CODE

    def clean_came_on(self) -> date:
        """A day that has come, and not so long ago that it must be a slip of the pen."""
        day: date = self.cleaned_data["came_on"]
        if day > filing.today():
            raise forms.ValidationError(_("This day has not come yet. Please enter the day on which it came."))
        oldest = filing.today() - filing.OLDEST
        if day < oldest:
            raise forms.ValidationError(
                _(
                    "This is more than a year ago, which is most often a slip of the pen: please check the year. If it is"
                    " right, enter %(day)s and write the true day beside the person's words: every legal date has passed"
                    " by then."
                )
                % {"day": date_format(oldest)}
            )
        return day

    def clean_rights(self) -> list[str]:
        """Empty for "not clear"."""
        chosen: list[str] = self.cleaned_data["rights"]
        if UNCLEAR in chosen and len(chosen) > 1:
            raise forms.ValidationError(_("Please tick either “not clear” or what is asked for."))
        return [] if UNCLEAR in chosen else chosen

    def clean_email(self) -> str:
        """A usable address, or none."""
        return self._address("email")

    def clean_own_email(self) -> str:
        """A usable address, or none."""
        return self._address("own_email")

    def _address(self, field: str) -> str:
        value: str = self.cleaned_data[field].strip()
        if not value:
            return ""
        try:
            validate_email(value)
        except forms.ValidationError:
            raise forms.ValidationError(_("Please enter a whole e-mail address, or leave it empty.")) from None
        if not keys.normalise_email(value):
            raise forms.ValidationError(_("This address reaches nobody. Please check it, or leave it empty."))
        return value

    def clean_postal(self) -> str:
        """Lines as they stand on an envelope."""
        lines = [" ".join(line.split()) for line in self.cleaned_data["postal"].splitlines() if line.strip()]
        if len(lines) > LINES:
            raise forms.ValidationError(_("Please write at most %(number)s lines.") % {"number": LINES})
        return "\n".join(lines)

    def clean_scan(self) -> Any:
        """A file of bounded size."""
        file = self.cleaned_data["scan"]
        if file and file.size > settings.EVIDENCE_BYTES:
            raise forms.ValidationError(
                _("Please choose a file of at most %(number)s MB.") % {"number": settings.EVIDENCE_BYTES // 1024**2}
            )
        return file

    def clean(self) -> None:
        """Whoever asks must be reachable in the way that was chosen."""
        typed = self.cleaned_data
        if typed.get("answer") == BY_MAIL and "email" in typed and not typed["email"]:
            self.add_error("email", _("Please enter the e-mail address, or choose to answer by post."))
        if typed.get("answer") == BY_POST and "postal" in typed and not typed["postal"]:
            self.add_error("postal", _("Please enter the postal address: our letters go there."))
        other = typed.get("acts_as", "self") != "self"
        if other and not typed.get("own_name"):
            self.add_error("own_name", _("Please enter who asks for the person."))
        if not other and (typed.get("own_name") or typed.get("own_email")):
            self.add_error(
                "acts_as", _("Somebody else is named below: please choose as what they ask, or empty the fields.")
            )

    def renew(self) -> None:
        """Give a form that failed only for its age a fresh number, so that sending it again works."""
        if "number" in self.errors:
            self.data = self.data.copy()  # type: ignore[attr-defined]
            self.data["number"] = web.new_number()  # type: ignore[index]

    def told(self) -> dict[str, Any]:
        """What is stored, as `filing.file` wants it."""
        names: tuple[str, ...] = (
            "channel",
            "rights",
            "statement",
            "acts_as",
            "name",
            "email",
            "postal",
            "country",
            "language",
        )
        names += ("own_name", "own_email")
        typed = self.cleaned_data
        return {**{name: typed[name] for name in names}, "by_post": typed["answer"] == BY_POST}


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def file(request: HttpRequest) -> HttpResponse:
    """The form; a POST files the request, once however often it is sent, and leads to its page."""
    if request.method != "POST":
        return _page(request, FileForm())
    form = FileForm(request.POST, request.FILES)
    if not form.is_valid():
        form.renew()
        if request.FILES:
            form.add_error("scan", _("Please choose the scan again: a browser does not keep it."))
        return _page(request, form, 422)
    typed = form.cleaned_data
    scan = typed["scan"].read() if typed["scan"] else b""
    filed = filing.file(typed["number"], form.told(), typed["came_on"], scan, actor=frame.actor_of(request))
    first = filed.case.requests.order_by("pk").first() if filed.case else None
    if first is None:
        messages.info(request, _("It is stored. The workers open it in a moment; you find it in the queue."))
        return redirect("desk_queue")
    messages.success(request, _("Filed. The clock runs from %(day)s.") % {"day": date_format(typed["came_on"])})
    return redirect("desk_request", pk=first.pk)


def _page(request: HttpRequest, form: FileForm, status: int = 200) -> HttpResponse:
    return frame.page(request, "desk/file.html", "file", {"form": form}, status)


def filed_with(case: Case) -> dict[str, Any]:
    """The item that a colleague filed, for the page of its request: who, when, and whether a scan is there."""
    if case.channel not in filing.CHANNELS:
        return {}
    found = case.intakes.filter(channel=case.channel).select_related("handled_by").order_by("pk").first()
    if found is None:
        return {}
    has_scan = bool(filing.scan_of(found))
    return {
        "by": found.handled_by,
        "scan_url": reverse("desk_scan", args=[found.pk]) if has_scan else "",
        "destroy_url": reverse("desk_scan_destroy", args=[found.pk]) if has_scan else "",
    }


def shown_by_hand(case: Case) -> list[dict[str, Any]]:
    """What colleagues saw of who somebody is, newest first, with who and from when it counts."""
    if not (case.by_post or case.mailbox_lost or case.contact_by):
        return []
    made = []
    for check in sorted(case.checks.all(), key=lambda check: check.pk, reverse=True):
        if check.kind != CheckKind.BY_HAND:
            continue
        check.case = case
        made.append({"check": check, "how": words.METHODS.get(check.method, check.method), "seen": check.seen})
    return made


def signature(request: PrivacyRequest) -> dict[str, Any]:
    """The signed page that waits for its second person: who filed it, when it came, its scan and mark."""
    held = signed.waiting(request)
    if held is None:
        return {}
    return {
        "held": held, "mark": held.plan.digest[: signed.MARK], "scan_url": reverse("desk_scan", args=[held.intake_id]),
    }  # fmt: skip


def _fetch(pk: int) -> tuple[Intake, bytes, PrivacyRequest]:
    found = get_object_or_404(Intake.objects.select_related("case"), pk=pk, case__isnull=False)
    content = filing.scan_of(found)
    first = found.case.requests.order_by("pk").first() if found.case else None
    if not content or first is None:
        raise Http404
    return found, content, first


@never_cache
@require_POST
def scan(request: HttpRequest, pk: int) -> HttpResponse:
    """The scan as a download: never shown by the browser, whatever it says that it is. Who opens it stands in the
    history."""
    try:
        case, content = filing.open_scan(pk, actor=frame.actor_of(request))
    except (Conflict, Intake.DoesNotExist):
        raise Http404 from None
    except Forbidden:
        raise PermissionDenied from None
    return frame.attachment(content, f"{case}-{pk}.bin")


@require_POST
def destroy(request: HttpRequest, pk: int) -> HttpResponse:
    """Destroy the scan; the words that were filed with it stay."""
    found, _content, first = _fetch(pk)
    try:
        filing.destroy_scan(found.pk, actor=frame.actor_of(request))
    except Conflict:
        raise Http404 from None
    except Forbidden:
        raise PermissionDenied from None
    messages.success(request, _("The scan is destroyed. The words that were filed stay."))
    return redirect("desk_request", pk=first.pk)
