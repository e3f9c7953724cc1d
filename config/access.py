"""Who may open which address: one table. What is not listed is denied, whoever asks."""

from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied, RequestDataTooBig
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _

from accounts.models import Role
from dsar.desk import apart
from dsar.portal.errors import bad_request

PUBLIC = frozenset({"public"})
SIGNED_IN = frozenset({"signed_in"})
HANDLERS = frozenset({Role.HANDLER, Role.APPROVER})
APPROVERS = frozenset({Role.APPROVER})
READERS = HANDLERS | {Role.AUDITOR}
ADMINS = frozenset({Role.ADMIN})

ACCESS: dict[str, frozenset[str]] = {
    # The requester's pages. What needs a proof asks for it itself (a session that holds a proven case).
    "home": PUBLIC, "ask": PUBLIC, "received": PUBLIC, "link": PUBLIC, "proof": PUBLIC, "new_link": PUBLIC,
    "waiting": PUBLIC, "confirm": PUBLIC, "second_factor": PUBLIC, "case": PUBLIC, "case_withdraw": PUBLIC,
    "case_answer": PUBLIC, "case_copy": PUBLIC, "case_do_not_wait": PUBLIC, "case_download": PUBLIC, "case_file": PUBLIC,
    "case_paper": PUBLIC, "case_place": PUBLIC,
    "case_correct": PUBLIC, "case_restrict": PUBLIC, "case_evidence": PUBLIC, "case_statement": PUBLIC,
    "case_look_again": PUBLIC, "case_look_again_withdraw": PUBLIC,
    "case_letter": PUBLIC, "case_letter_text": PUBLIC, "case_letter_pdf": PUBLIC,
    "follow": PUBLIC, "follow_code": PUBLIC, "not_me": PUBLIC, "leave": PUBLIC,
    "ask_for": PUBLIC, "lost_mailbox": PUBLIC, "case_allow": PUBLIC,
    "case_prove": PUBLIC, "case_prove_sign_in": PUBLIC, "case_prove_points": PUBLIC,
    "case_prove_quiz": PUBLIC, "case_fall_back": PUBLIC,
    # Who asks for somebody else: a code to an address of their own, and only what the person allowed.
    "represent": PUBLIC, "represent_send_code": PUBLIC, "represent_code": PUBLIC, "represent_download": PUBLIC,
    "represent_papers": PUBLIC, "objection": PUBLIC,
    "choices": PUBLIC, "unsubscribe": PUBLIC, "gpc_support": PUBLIC,
    "set_language": PUBLIC, "health": PUBLIC, "dev_mail": PUBLIC, "dev_mail_message": PUBLIC, "inbound_mail": PUBLIC,
    # Nobody's data: numbers of the year before, where the company publishes them (404 otherwise).
    "privacy_measures": PUBLIC, "privacy_measures_json": PUBLIC,
    # A data owner's task: asks for its own proof, by a code to the owner's address.
    "task_link": PUBLIC, "task": PUBLIC, "task_code": PUBLIC, "task_send_code": PUBLIC, "task_answer": PUBLIC,
    "task_hand_over": PUBLIC, "task_new_link": PUBLIC,
    # Account settings of the company's users
    "settings_security": SIGNED_IN, "settings_delete": SIGNED_IN,
    # Sign-in (allauth)
    "account_login": PUBLIC, "account_logout": PUBLIC, "account_inactive": PUBLIC, "account_reauthenticate": SIGNED_IN,
    "account_change_password": SIGNED_IN, "mfa_index": SIGNED_IN, "mfa_authenticate": PUBLIC, "mfa_reauthenticate": SIGNED_IN,
    "mfa_activate_totp": SIGNED_IN, "mfa_deactivate_totp": SIGNED_IN, "mfa_view_recovery_codes": SIGNED_IN,
    "mfa_generate_recovery_codes": SIGNED_IN, "mfa_download_recovery_codes": SIGNED_IN, "mfa_list_webauthn": SIGNED_IN,
    "mfa_add_webauthn": SIGNED_IN, "mfa_remove_webauthn": SIGNED_IN, "mfa_edit_webauthn": SIGNED_IN,
    "mfa_reauthenticate_webauthn": SIGNED_IN, "mfa_login_webauthn": PUBLIC,
    # The desk
    "desk_appeals": READERS, "desk_appeal": READERS, "desk_appeal_act": HANDLERS,
    "desk_queue": READERS, "desk_request": READERS, "desk_verb": HANDLERS,
    # A copy is personal data from end to end: who has nothing to do with it does not look at it.
    "desk_copy": HANDLERS, "desk_copy_take_out": HANDLERS, "desk_copy_put_back": HANDLERS,
    "desk_letter": READERS, "desk_letter_text": READERS, "desk_letter_pdf": READERS, "desk_incoming": READERS,
    "desk_incoming_item": READERS, "desk_incoming_act": HANDLERS, "desk_holds": READERS, "desk_hold_place": APPROVERS,
    "desk_hold_lift": APPROVERS, "desk_sources": READERS | ADMINS, "desk_source_switch": APPROVERS | ADMINS,
    # An identity paper: who decides it, and says why they open it.
    "desk_identity_paper": HANDLERS, "desk_identity_paper_add": HANDLERS,
    "desk_authority_paper": HANDLERS, "desk_authority_add": HANDLERS,
    "desk_evidence": HANDLERS, "desk_post": READERS, "desk_posted": HANDLERS,
    "desk_file": HANDLERS, "desk_scan": HANDLERS,
    "desk_signed": HANDLERS, "desk_enclosure": HANDLERS, "desk_scan_destroy": HANDLERS,
    "desk_kill_switch": APPROVERS | ADMINS, "desk_audit": frozenset({Role.AUDITOR, Role.APPROVER}),
    # A calendar program does not sign in: it brings a token of its own.
    "desk_calendar": HANDLERS, "desk_calendar_new": HANDLERS, "desk_calendar_end": HANDLERS, "desk_calendar_feed": PUBLIC,
    "desk_tasks": READERS, "desk_task_act": HANDLERS, "desk_task_file": HANDLERS,
    "desk_bundle": frozenset({Role.AUDITOR, Role.APPROVER}), "desk_keeping": frozenset({Role.AUDITOR, Role.APPROVER, Role.ADMIN}),
    "desk_laws": READERS | {Role.ADMIN}, "desk_law": READERS | {Role.ADMIN},
    "desk_measures": READERS, "desk_measures_csv": READERS, "desk_measures_json": READERS,
}  # fmt: skip


# What an address takes in at most, where that is more than a form. A file is a little more than itself in a form.
LIMITS: dict[str, int] = {
    "inbound_mail": settings.DATA_UPLOAD_MAX_MEMORY_SIZE, "task_answer": settings.FILE_BYTES + settings.FORM_BYTES,
    "desk_verb": settings.FILE_BYTES + settings.FORM_BYTES,
    "case_evidence": settings.EVIDENCE_BYTES + settings.FORM_BYTES,
    "case_paper": settings.EVIDENCE_BYTES + settings.FORM_BYTES,
    "desk_identity_paper_add": settings.EVIDENCE_BYTES + settings.FORM_BYTES,
    "represent_papers": settings.EVIDENCE_BYTES + settings.FORM_BYTES,
    "desk_authority_add": settings.EVIDENCE_BYTES + settings.FORM_BYTES,
    "desk_file": settings.EVIDENCE_BYTES + settings.FORM_BYTES,
    "desk_signed": settings.EVIDENCE_BYTES + settings.FORM_BYTES,
}  # fmt: skip


class AccessMiddleware:
    """Looks every resolved address up in ACCESS before its view runs."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_view(self, request: HttpRequest, view: object, args: Any, kwargs: Any) -> HttpResponse | None:
        """None lets the view run; otherwise a redirect to sign-in, 403 or 404."""
        match = request.resolver_match
        if match is None:
            raise Http404
        if int(request.META.get("CONTENT_LENGTH") or 0) > LIMITS.get(match.view_name, settings.FORM_BYTES):
            # Answered here: raised, it would show a traceback instead of the page wherever DEBUG is on.
            return bad_request(request, RequestDataTooBig())
        if match.app_name == "admin":
            allowed: frozenset[str] | None = ADMINS
        else:
            allowed = ACCESS.get(match.view_name)
        if allowed is None:
            raise Http404
        if "public" in allowed:
            return None
        user = request.user
        if not user.is_authenticated:
            return redirect_to_login(request.get_full_path())
        if "signed_in" in allowed:
            return None
        role = getattr(user, "role", "")
        if role not in allowed:
            raise PermissionDenied
        return self._second_factor(request, role) or apart.refused(request, match.view_name, kwargs)

    def _second_factor(self, request: HttpRequest, role: str) -> HttpResponse | None:
        """Approvers and administrators work with a second factor, outside the demo."""
        if not settings.STAFF_MFA_REQUIRED or role not in (Role.APPROVER, Role.ADMIN):
            return None
        from allauth.mfa.utils import is_mfa_enabled

        if is_mfa_enabled(request.user):
            return None
        messages.warning(request, _("Your role needs a second factor. Please set one up first."))
        return redirect("mfa_index")
