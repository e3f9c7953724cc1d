from django.apps import AppConfig
from django.db.models.signals import post_migrate
from django.utils.translation import gettext_lazy as _


class DsarConfig(AppConfig):
    """The desk: cases, requests, plans, letters."""

    name = "dsar"
    verbose_name = _("Privacy requests")

    def ready(self) -> None:
        """Guards are put back after every migration: SQLite drops a table's triggers when it rebuilds the table."""
        from dsar import checks, guards

        post_migrate.connect(guards.install_after_migrate, sender=self)
        checks.register()
