"""People who sign in here: staff of the desk, and the company's own users who come from its account settings."""

from typing import Any, ClassVar

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.db import models
from django.db.models import Q
from django.db.models.functions import Lower
from django.utils import timezone
from django.utils.translation import gettext_lazy as _


class Role(models.TextChoices):
    """What a person may do at the desk; a requester has none."""

    NONE = "", _("Requester")
    HANDLER = "handler", _("Handler")
    APPROVER = "approver", _("Approver")
    AUDITOR = "auditor", _("Auditor")
    ADMIN = "admin", _("Administrator")


class UserManager(BaseUserManager["User"]):
    """Creates people by e-mail address."""

    def create_user(self, email: str, password: str | None = None, **fields: Any) -> "User":
        """Save a person with a usable password (or an unusable one where none is given)."""
        if not email:
            raise ValueError("An e-mail address is needed.")
        user = self.model(email=email.strip().lower(), **fields)
        user.set_password(password)
        user.save(using=self._db)
        return user

    def create_superuser(self, email: str, password: str, **fields: Any) -> "User":
        """An administrator: accounts, sources, settings, no case."""
        return self.create_user(email, password, **{**fields, "role": Role.ADMIN})

    def get_by_natural_key(self, username: str | None) -> "User":
        """Find by address, whatever its case."""
        return self.get(email=(username or "").strip().lower())


class User(AbstractBaseUser):
    """One person who can sign in. `external_id` is the company's own user id, as text.

    A closed account never opens again (a constraint and a trigger hold that); erasing masks it in place.
    """

    email = models.CharField(_("e-mail address"), max_length=254, unique=True)
    full_name = models.CharField(_("name"), max_length=200, blank=True)
    role = models.CharField(_("role"), max_length=12, choices=Role.choices, blank=True, default=Role.NONE)
    external_id = models.CharField(_("company's user id"), max_length=64, null=True, blank=True, unique=True)
    language = models.CharField(_("language"), max_length=12, blank=True)
    is_active = models.BooleanField(_("active"), default=True)
    closed_at = models.DateTimeField(_("closed at"), null=True, blank=True, editable=False)
    created_at = models.DateTimeField(_("created at"), default=timezone.now, editable=False)

    objects = UserManager()
    USERNAME_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = []

    class Meta:
        verbose_name = _("account")
        verbose_name_plural = _("accounts")
        constraints = [
            models.UniqueConstraint(Lower("email"), name="user_email_any_case"),
            models.CheckConstraint(
                condition=Q(closed_at__isnull=True) | Q(is_active=False), name="user_closed_is_not_active"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_role_display()} {self.pk}"

    @property
    def is_staff(self) -> bool:
        """Whether Django's admin site opens: for administrators alone."""
        return self.is_active and self.role == Role.ADMIN

    @property
    def is_superuser(self) -> bool:
        """There are no superusers: roles decide."""
        return False

    def has_perm(self, perm: str, obj: object = None) -> bool:
        """Permissions of the admin site: all that is registered there, for administrators."""
        return self.is_staff

    def has_module_perms(self, app_label: str) -> bool:
        """See `has_perm`."""
        return self.is_staff

    def close(self) -> None:
        """Shut the account for good, here and at once: nobody signs in with it again."""
        self.is_active = False
        self.closed_at = self.closed_at or timezone.now()
        self.set_unusable_password()
        self.save(update_fields=["is_active", "closed_at", "password"])
