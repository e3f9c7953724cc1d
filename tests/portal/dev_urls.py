"""The addresses of this house together with those that exist in development alone."""

from django.urls import include, path

from config.urls import handler400, handler403, handler404
from config.urls import urlpatterns as production

__all__ = ["handler400", "handler403", "handler404", "urlpatterns"]
urlpatterns = [*production, path("dev/", include("dsar.portal.dev_urls"))]
