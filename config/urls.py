"""Every address of the house. Who may open which one stands in config/access.py."""

from allauth.account import views as account
from allauth.mfa.base import views as mfa
from django.conf import settings
from django.contrib import admin
from django.urls import include, path
from django.views.i18n import set_language

from dsar.intake.webhook import inbound_mail

urlpatterns = [
    path("", include("dsar.portal.urls")),
    path("desk/", include("dsar.desk.urls")),
    path("admin/", admin.site.urls),
    path("language/", set_language, name="set_language"),
    path("inbound/mailgun/", inbound_mail, name="inbound_mail"),
    path("accounts/login/", account.login, name="account_login"),
    path("accounts/logout/", account.logout, name="account_logout"),
    path("accounts/inactive/", account.account_inactive, name="account_inactive"),
    path("accounts/reauthenticate/", account.reauthenticate, name="account_reauthenticate"),
    path("accounts/password/change/", account.password_change, name="account_change_password"),
    path("accounts/2fa/", mfa.index, name="mfa_index"),
    path("accounts/2fa/authenticate/", mfa.authenticate, name="mfa_authenticate"),
    path("accounts/2fa/reauthenticate/", mfa.reauthenticate, name="mfa_reauthenticate"),
    path("accounts/2fa/totp/", include("allauth.mfa.totp.urls")),
    path("accounts/2fa/recovery-codes/", include("allauth.mfa.recovery_codes.urls")),
    path("accounts/2fa/webauthn/", include("allauth.mfa.webauthn.urls")),
]
if settings.DEBUG:
    urlpatterns.append(path("dev/", include("dsar.portal.dev_urls")))

handler400 = "dsar.portal.errors.bad_request"
handler403 = "dsar.portal.errors.forbidden"
handler404 = "dsar.portal.errors.not_found"
