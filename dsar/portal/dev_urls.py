"""Addresses that exist in development alone."""

from django.urls import path

from dsar.portal import dev

urlpatterns = [
    path("mail/", dev.mails, name="dev_mail"),
    path("mail/<str:name>/", dev.mail, name="dev_mail_message"),
]
