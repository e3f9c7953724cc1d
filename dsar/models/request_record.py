"""What is left of a request when its case is gone: the record that 11 CCR 7101 wants, and later a bare count."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from dsar.enums import Channel, Outcome, Right


class Counted(models.Model):
    """What tells one ended request from another when they are counted: a record folds into a past measure by just this."""

    regime = models.CharField(_("law"), max_length=32)
    right = models.CharField(_("right"), max_length=20, choices=Right.choices, blank=True)
    take_back = models.BooleanField(default=False)
    begun_anew = models.BooleanField(default=False)
    outcome = models.CharField(_("outcome"), max_length=16, choices=Outcome.choices)
    basis = models.TextField(_("grounds"), blank=True)
    days = models.PositiveIntegerField(_("days"), null=True)
    extended = models.BooleanField(_("extended"), default=False)
    late = models.BooleanField(_("late"), default=False)

    class Meta:
        abstract = True


class RequestRecord(Counted):
    """One line of the log of requests: when, what and how it was asked; when and how it was answered; why it was denied
    in whole or in part (11 CCR 7101(a), (b); GDPR Art 5(2)). Written by the end of the request and the leaving of its answer,
    and never changed.

    No name, no address, no index: nothing here finds a person. `request_id` is the number of the request (no foreign
    key): there is one record of each, and an authority that names a reference gets it, for as long as the record is kept.
    Once the case was purged it leads to what the purge leaves, and to nobody. `right` is what was asked for, also where a
    lesser right was answered. `basis` has one line for each ground, its code and its citation. `answered_on` is the day
    on which the answer left the house, `days` run from receipt to it, both dates in the zone of the law; both are None
    while the letter is still here, and are written once. `begun_anew`: it takes the place of one that was answered
    wrongly, as an upheld appeal found; nobody asked twice.
    `keep_until` is the last day. Used for the measures and for an authority that asks, and for nothing else (7101(e)).
    """

    request_id = models.BigIntegerField(unique=True)
    regime_version = models.CharField(max_length=32, blank=True)
    channel = models.CharField(_("channel"), max_length=12, choices=Channel.choices)
    received_on = models.DateField(_("received"))
    answered_on = models.DateField(_("answered"), null=True)
    keep_until = models.DateField(_("kept until"))

    class Meta:
        verbose_name = _("record of a request")
        indexes = [
            models.Index(fields=["received_on", "id"], name="record_received"),
            models.Index(fields=["keep_until", "id"], name="record_to_forget"),
        ]
        constraints = [
            models.CheckConstraint(condition=~models.Q(outcome=""), name="record_of_what_has_ended"),
            models.CheckConstraint(
                condition=models.Q(answered_on__isnull=True, days__isnull=True)
                | models.Q(answered_on__isnull=False, days__isnull=False),
                name="record_days_to_the_answer",
            ),
        ]

    def __str__(self) -> str:
        return f"record of request {self.request_id}"


class PastMeasure(Counted):
    """How many requests of one month, law and right ended alike: what is left for the yearly measures (11 CCR 7102) when
    the records themselves are gone. Counts alone; `month` is the first day of the month of receipt, `days` None where the
    answer never left."""

    month = models.DateField(_("month"))
    number = models.PositiveIntegerField(_("number"))

    class Meta:
        verbose_name = _("past measure")
        indexes = [models.Index(fields=["month", "id"], name="past_measure_month")]

    def __str__(self) -> str:
        return f"{self.number} of {self.month:%Y-%m}"
