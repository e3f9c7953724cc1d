"""The dates of the desk in a colleague's own calendar."""

import secrets
from typing import Self

from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.models import Role
from dsar import keys


class CalendarFeedQuerySet(models.QuerySet["CalendarFeed"]):
    """Finding a feed by what a calendar program sends."""

    def of_token(self, token: str) -> "CalendarFeed | None":
        """The feed that this token opens; None where there is none, or its colleague works here no more."""
        working = self.filter(user__is_active=True, user__role__in=[Role.HANDLER, Role.APPROVER])
        return working.filter(token_hash=keys.token_hash(token)).select_related("user").first()

    def of(self, user_id: int) -> Self:
        """The one of a colleague."""
        return self.filter(user_id=user_id)


class CalendarFeed(models.Model):
    """One colleague's address to subscribe to. It is shown once, and only its hash is kept: whoever loses it makes a new
    one, which ends the old one."""

    user = models.OneToOneField(settings.AUTH_USER_MODEL, models.CASCADE, related_name="+")
    token_hash = models.CharField(max_length=64, unique=True)
    made_at = models.DateTimeField(_("made"), default=timezone.now)

    objects = CalendarFeedQuerySet.as_manager()

    class Meta:
        verbose_name = _("calendar")

    def __str__(self) -> str:
        return f"calendar of colleague {self.user_id}"

    @classmethod
    def renew(cls, user_id: int) -> str:
        """A new token for a colleague, in the caller's transaction; an older one opens nothing from now on."""
        token = secrets.token_urlsafe(32)
        given = {"token_hash": keys.token_hash(token), "made_at": timezone.now()}
        cls.objects.update_or_create(user_id=user_id, defaults=given)
        return token
