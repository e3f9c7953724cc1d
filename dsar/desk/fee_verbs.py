"""The verbs about fees: ask for one where the law allows it, note that it is paid, waive it. No money moves here."""

from typing import Any, Final

from django import forms as fields
from django.utils.translation import gettext_lazy as _

from dsar.desk import forms
from dsar.desk.roles import APPROVERS, HANDLERS
from dsar.desk.verb import Data, Verb
from dsar.law import regimes
from dsar.models import Actor, PrivacyRequest
from dsar.review import fees, repeats


class ChargeForm(forms.VerbForm):
    """How much, for which occasion of the law, why, and how it can be paid."""

    code = fields.ChoiceField(label=_("Reason in law"))
    amount = fields.DecimalField(label=_("Amount"), max_digits=9, decimal_places=2, min_value=0)
    currency = fields.CharField(
        label=_("Currency"),
        help_text=_("Three letters, for example EUR."),
        min_length=3,
        max_length=3,
        widget=fields.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
    )
    text = forms.long_text(_("Why does it cost something, and how did you reckon it?"), forms.READ_BY_THEM, rows=3)
    how = forms.long_text(_("How can it be paid?"), forms.READ_BY_THEM, rows=2)
    facts = forms.long_text(
        _("The facts, where we have to show them"),
        _("For “manifestly unfounded”, “excessive” and the like: what was asked, when and how often. Why somebody asks does"
          " not count. For the record; the requester does not read it."),
        required=False, rows=3,
    )  # fmt: skip

    def prepare(self) -> None:
        """The occasions that this law knows and that this person's history bears out; the cap, where there is one."""
        found = fees.occasions(self.request)
        self.offer_codes(found)
        limits = regimes.load(self.request.case.regime, self.request.case.regime_version or None).fees
        if limits.cap:
            self.fields["amount"].help_text = _("This law allows at most %(cap)s %(currency)s.") % {
                "cap": limits.cap, "currency": limits.currency,
            }  # fmt: skip
            self.initial["currency"] = limits.currency
        if not any(code.burden for code in found):
            del self.fields["facts"]
        elif not self.is_bound:
            self.initial["facts"] = repeats.prefilled(self.request)

    def clean_currency(self) -> str:
        """In capitals, as ISO 4217 has it."""
        given: str = self.cleaned_data["currency"]
        return given.upper()


class SettleForm(forms.VerbForm):
    """A word for the person, if there is one to say."""

    text = forms.long_text(_("A sentence for the requester"), forms.READ_BY_THEM, required=False, rows=2)


def _charge(pk: int, data: Data, actor: Actor) -> None:
    given: dict[str, Any] = {"facts": data.get("facts", ""), "actor": actor}
    fees.charge(pk, data["code"], data["amount"], data["currency"], data["text"], data["how"], **given)


def _is_owed(request: PrivacyRequest) -> bool:
    return not request.is_ended and any(fee.is_open for fee in request.fees.all())


VERBS: Final[tuple[Verb, ...]] = (
    Verb(
        "charge-fee",
        _("Ask for a fee"),
        _("The person is asked for the fee."),
        ChargeForm,
        _charge,
        APPROVERS,
        moves="charge_fee",
        exists=lambda request: bool(fees.occasions(request)),
        help=_("Instead of refusing, where the law allows it. Unpaid by its day, it comes back to be decided here."),
    ),
    Verb(
        "fee-paid",
        _("Note that the fee is paid"),
        _("Noted. The request goes on; the person is told."),
        SettleForm,
        lambda pk, data, actor: fees.settle(pk, paid=True, text=data["text"], actor=actor),
        HANDLERS,
        exists=_is_owed,
        help=_("Or that the person has accepted it, where the law asks for that alone."),
    ),
    Verb(
        "waive-fee",
        _("Waive the fee"),
        _("Waived. The request goes on; the person is told."),
        SettleForm,
        lambda pk, data, actor: fees.settle(pk, paid=False, text=data["text"], actor=actor),
        APPROVERS,
        exists=_is_owed,
        help=_("The dates are then counted as if no fee had been asked for: the answer can be due at once."),
    ),
)
