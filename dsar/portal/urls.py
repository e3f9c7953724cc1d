"""The requester's addresses. Who may open them stands in config/access.py."""

from django.urls import path

from dsar.portal import account_settings, case, confirm, correction, follow, health, intake, letters, proof

urlpatterns = [
    path("", intake.home, name="home"),
    path("ask/<slug:right>/", intake.ask, name="ask"),
    path("received/", intake.received, name="received"),
    path("l/<str:token>/", proof.link, name="link"),
    path("proof/", proof.proof, name="proof"),
    path("waiting/", proof.waiting, name="waiting"),
    path("new-link/", proof.new_link, name="new_link"),
    path("leave/", proof.leave, name="leave"),
    path("confirm/", confirm.confirm, name="confirm"),
    path("confirm/second-factor/", confirm.second_factor_page, name="second_factor"),
    path("case/", case.case, name="case"),
    path("case/<int:pk>/withdraw/", case.withdraw, name="case_withdraw"),
    path("case/<int:pk>/answer/", case.answer, name="case_answer"),
    path("case/<int:pk>/copy/", case.copy, name="case_copy"),
    path("case/<int:pk>/do-not-wait/", case.do_not_wait, name="case_do_not_wait"),
    path("case/letters/<int:pk>/", letters.letter, name="case_letter"),
    path("case/letters/<int:pk>/text/", letters.text, name="case_letter_text"),
    path("case/letters/<int:pk>/pdf/", letters.pdf, name="case_letter_pdf"),
    path("case/<int:pk>/correct/", correction.correct, name="case_correct"),
    path("case/<int:pk>/evidence/", correction.evidence, name="case_evidence"),
    path("case/<int:pk>/statement/", correction.statement, name="case_statement"),
    path("follow/", follow.follow, name="follow"),
    path("follow/code/", follow.follow_code, name="follow_code"),
    path("not-me/", follow.not_me, name="not_me"),
    path("settings/security/", account_settings.security, name="settings_security"),
    path("settings/security/delete/", account_settings.delete, name="settings_delete"),
    path("health/", health.health, name="health"),
]
