"""The queue's filters. They live in the address, so that a filtered queue can be bookmarked and sent to a colleague."""

from typing import Any

import django_filters
from django import forms
from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _

from accounts.models import Role, User
from dsar.enums import Channel, Right, State
from dsar.law import regimes
from dsar.models import PrivacyRequest

NOBODY = "none"


def laws() -> list[tuple[str, Any]]:
    """The laws that this desk knows, by their short names."""
    return [(regime_id, regimes.load(regime_id).text("short")) for regime_id in regimes.all_ids()]


def assignees() -> list[tuple[str, Any]]:
    """Handlers and approvers, and nobody."""
    staff = User.objects.filter(role__in=[Role.HANDLER, Role.APPROVER], is_active=True).order_by("full_name", "pk")
    return [(NOBODY, _("Nobody")), *((str(user.pk), user.full_name or user.email) for user in staff)]


class QueueFilter(django_filters.FilterSet):
    """Narrows a saved view; what it cannot read it ignores and says so."""

    state = django_filters.ChoiceFilter(label=_("State"), choices=State.choices, empty_label=_("Any"))
    right = django_filters.ChoiceFilter(
        label=_("Right"),
        choices=[("unsorted", Right.UNCLEAR.label), *((r.value, r.label) for r in Right if r.value)],
        empty_label=_("Any"),
        method="of_right",
    )
    law = django_filters.ChoiceFilter(label=_("Law"), field_name="case__regime", choices=laws, empty_label=_("Any"))
    channel = django_filters.ChoiceFilter(
        label=_("Channel"), field_name="case__channel", choices=Channel.choices, empty_label=_("Any")
    )
    assignee = django_filters.ChoiceFilter(
        label=_("With"), choices=assignees, empty_label=_("Anybody"), method="of_assignee"
    )
    due_before = django_filters.DateFilter(
        label=_("Due before"), field_name="due_on", lookup_expr="lt", widget=forms.DateInput(attrs={"type": "date"})
    )

    class Meta:
        model = PrivacyRequest
        fields: list[str] = []

    def of_right(self, rows: QuerySet[PrivacyRequest], _name: str, value: str) -> QuerySet[PrivacyRequest]:
        """One right, or those that nobody has sorted yet."""
        return rows.filter(right="" if value == "unsorted" else value)

    def of_assignee(self, rows: QuerySet[PrivacyRequest], _name: str, value: str) -> QuerySet[PrivacyRequest]:
        """Those of one colleague, or nobody's."""
        return rows.filter(assignee__isnull=True) if value == NOBODY else rows.filter(assignee_id=int(value))

    @property
    def used(self) -> bool:
        """Whether anything is filtered."""
        return any(self.data.get(name) for name in self.base_filters)
