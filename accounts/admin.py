from importlib import import_module

from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from django.contrib import admin
from django.contrib.auth.models import Group
from django.http import HttpRequest

from accounts.models import User

# Accounts are all that administrators see here. What other apps bring along is registered first, then taken off.
for module in ("django.contrib.auth.admin", "allauth.account.admin", "allauth.mfa.admin"):
    import_module(module)
admin.site.unregister([Group, EmailAddress, Authenticator])


@admin.register(User)
class UserAdmin(admin.ModelAdmin):
    """Accounts for administrators. A closed account can be looked at, not changed; none is deleted here."""

    list_display = ["email", "role", "is_active", "closed_at"]
    list_filter = ["role", "is_active"]
    search_fields = ["email"]
    fields = ["email", "full_name", "role", "external_id", "language", "is_active"]

    def has_delete_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        """Erasing an account is a deletion request, with its proof; not a click."""
        return False

    def get_readonly_fields(self, request: HttpRequest, obj: User | None = None) -> list[str]:
        """Everything, once the account is closed."""
        return [str(name) for name in self.fields or ()] if obj and obj.closed_at else []
