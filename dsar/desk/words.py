"""The desk's words: who has the ball, what a flag means, why something is stuck. Codes live elsewhere; sentences live here.

What happened is told in event_words.py.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from django.utils.translation import gettext_lazy as _

from dsar.enums import COPY_RIGHTS, UNVERIFIED_RIGHTS, Raised, Right, Risk, State, StepReason
from dsar.fulfilment.recourse import REFUSED_BEFORE
from dsar.models import PrivacyRequest
from dsar.models.non_disclosure import SILENT_ELSEWHERE
from dsar.notifications import known

UNREAD = _("Answer to read")
TO_CONFIRM = _("To be confirmed")
PERHAPS_APPEAL: Final = _("Perhaps they do not agree")
US, REQUESTER, WORKERS, NOBODY = _("us"), _("the requester"), _("the workers"), _("nobody")

BALL: Final[Mapping[str, Any]] = {
    State.RECEIVED: US,
    State.TRIAGE: US,
    State.VERIFYING: REQUESTER,
    State.LOCATING: WORKERS,
    State.REVIEW: US,
    State.CLARIFYING: REQUESTER,
    State.CONFIRMING: REQUESTER,
    State.RELEASING: US,
    State.FULFILLING: WORKERS,
    State.CHECKING: US,
}


@dataclass(frozen=True)
class Said:
    """What a verb is called for one right, what is said once it is done, and what to know before."""

    label: Any
    done: Any
    help: Any = ""


# A deletion is approved as a plan that the person confirms; every other right is carried out once it is approved.
APPROVING: Final[Mapping[str, Said]] = {
    **dict.fromkeys(
        COPY_RIGHTS,
        Said(
            _("Approve the copy"),
            _("Approved. The workers put the copy together."),
            _("Each source is copied. Nothing leaves the house before somebody has looked through it."),
        ),
    ),
    Right.KNOW: Said(
        _("Approve the answer"),
        _("Approved. The answer is on its way."),
        _("The letter says which data are held, why, where they come from and who gets them."),
    ),
    Right.CORRECTION: Said(
        _("Approve the correction"),
        _("Approved. The workers correct it in every source."),
        _("Then the person is told what was changed."),
    ),
    Right.OBJECTION: Said(
        _("Grant the objection"),
        _("Granted. The workers stop the use."),
        _("Then the person is told which use has stopped."),
    ),
    Right.RESTRICTION: Said(
        _("Grant the restriction"),
        _("Granted. The workers restrict the use."),
        _("Then the person is told, and told again before it is lifted."),
    ),
    **dict.fromkeys(
        UNVERIFIED_RIGHTS,
        Said(_("Approve the choice"), _("Approved. The workers carry it out."), _("No proof of identity is needed.")),
    ),
}

# (title, text) of the next step in REVIEW, for whoever may approve.
REVIEWING: Final[Mapping[str, tuple[Any, Any]]] = {
    **dict.fromkeys(
        COPY_RIGHTS,
        (
            _("A copy is asked for"),
            _("See below what is held and what is flagged. Approved, the workers put the copy together."),
        ),
    ),
    Right.KNOW: (
        _("The person wants to know what is held"),
        _("See below what was found. Approved, the answer goes out with categories, purposes and recipients."),
    ),
}
REVIEWING_ELSE: Final = (_("This waits for your decision"), _("Look at what is flagged below, then approve or refuse."))

# (title, text) while the workers are at it.
CARRYING_OUT: Final[Mapping[str, tuple[Any, Any]]] = {
    Right.DELETION: (
        _("The workers are erasing"),
        _("Each source is verified afterwards; then the letter goes out by itself."),
    ),
    **dict.fromkeys(
        COPY_RIGHTS,
        (
            _("The workers put the copy together"),
            _("Each source is copied; what was found comes back to you, to be looked through."),
        ),
    ),
}
CARRYING_OUT_ELSE: Final = (
    _("The workers carry it out"),
    _("Each source is asked in turn; then the letter goes out by itself."),
)

# code: (short name for the queue, what to check before deciding)
FLAGS: Final[Mapping[str, tuple[Any, Any]]] = {
    "hold": (
        _("Legal hold"),
        _("A hold covers this person's data; the plan keeps what it covers. Check that its ground still stands."),
    ),
    "restriction": (
        _("Restricted at their wish"),
        _(
            "The person had the use of these data restricted, to have them kept. Make sure that they want them gone now."
        ),
    ),
    REFUSED_BEFORE: (
        _("Refused before"),
        _("Something was refused to this person, and the law has it kept until they can no longer have that reviewed."),
    ),
    "weigh": (
        _("Exception to weigh"),
        _("Something is kept on a ground that holds only once a person has weighed it. Read the reasons below."),
    ),
    "contact_changed": (
        _("Contact details changed"),
        _("The account's contact details changed in the last 30 days. Rule out that somebody took it over."),
    ),
    Risk.CONTACT_UNKNOWN: (
        _("Contact details not checked"),
        _("The system that knows whether they changed lately did not answer. Look there yourself, or try again later."),
    ),
    known.UNKNOWN: (
        _("Addresses not asked for"),
        _(
            "A system that holds the account could not say which addresses it knows. Whoever reads one of them hears nothing"
            " of this: look there yourself before it goes on."
        ),
    ),
    Risk.MANY_REQUESTS: (
        _("Many requests"),
        _(
            "This mailbox has asked more often than people do. There may be a good reason: read the other requests, and make"
            " sure that it is the person. It is no ground to refuse."
        ),
    ),
    Risk.WAVE: (
        _("Many requests in one day"),
        _("The house was asked unusually often when this came. Look whether somebody asks in the names of many."),
    ),
    Risk.DISPOSABLE: (
        _("Address for a few minutes"),
        _("Anybody can open a mailbox there, and often read another's. Make sure that it is the person's own account."),
    ),
    "organisation_data": (
        _("Organisation's data"),
        _("Some of the rows belong to an organisation and stay; the person is told to turn to it. Check the split."),
    ),
    "sole_owner": (
        _("Sole owner"),
        _("An organisation with other members would be left without an owner. Ask first who takes over."),
    ),
    "security_flag": (
        _("Security flag"),
        _("The account carries a security flag. Ask the security team whether an investigation needs the data."),
    ),
    "staff": (
        _("Member of staff"),
        _("The person works here. Make sure that somebody who is not their colleague decides."),
    ),
    "several_matches": (
        _("Several matches"),
        _("The proven address reaches more than one account. Nothing is erased until one is meant for certain."),
    ),
    "indeterminate": (
        _("Undated records"),
        _("Some records have no date to count the retention period from. They are kept until somebody has looked."),
    ),
    "nothing_erasable": (
        _("Nothing erasable"),
        _("Everything that is held has to be kept for now. Check the reasons and answer with them."),
    ),
    "unverified": (
        _("Not verified, by law"),
        _("This right is granted without proof of identity. Do not ask for any."),
    ),
    "no_account": (
        _("No account named"),
        _("The person named no address of an account, so nothing was looked for. Ask for it, or look by hand."),
    ),
    "representative": (
        _("Representative"),
        _("Somebody asks for the person. Look at “Who asks for them” before anything goes on."),
    ),
    "fee_unpaid": (
        _("Fee not paid"),
        _(
            "A fee was asked for and did not come in time. Decide what is done without it. To refuse it for that has a reason of"
            " its own and takes two people."
        ),
    ),
    "unanswered": (
        _("No confirmation"),
        _(
            "Two reminders went unanswered. Write the letter that ends this, or ask in another way. Once they have written, it is"
            " decided on what they wrote."
        ),
    ),
    "tier": (
        _("Not proven surely enough"),
        _(
            "The mailbox is proven, and this law asks for more here. Ask for it and note it, or answer by a lesser right."
        ),
    ),
    "not_me": (
        _("“This was not me”"),
        _(
            "Somebody at an address of the person says that it was not them who asked. Find out who is who before anything goes"
            " on. A copy is then handed over by another approver than the one who approved it. What stands under “The work” as"
            " done was done before: put it back by hand where it was wrong. To"
            " refuse it for that has a reason of its own and takes two people."
        ),
    ),
    SILENT_ELSEWHERE: (
        _("Not told in another request"),
        _(
            "A law forbids to tell this person something in another request of theirs. What it is, and when somebody looks"
            " again, stands under “Not told in another request”. Make sure that no letter and no copy tells it here: two"
            " approvers say of this request, too, that it is not told."
        ),
    ),
    "not_proven": (
        _("Not proven"),
        _(
            "Nobody opened the link by our target date. Answer what needs no proof, or end it with a letter. Where they have"
            " written since, two people decide."
        ),
    ),
}

CANDIDATE_REASONS: Final[Mapping[str, Any]] = {
    "same_phone": _("same telephone number"),
    "same_email": _("same address"),
}

SOURCE_FAILURES: Final[Mapping[str, Any]] = {
    **{reason.value: reason.label for reason in (*StepReason, *Raised) if reason.value},
    "locked": _("The source was locked by other work; it is tried again"),
    "conflict": _("The source was busy with a conflicting change; it is tried again"),
    "constraint": _("The source's own rules forbid the change"),
    "bad_cursor": _("The source did not know where we had stopped"),
    "bad_map": _("The data map does not fit the source"),
    "bad_value": _("The source holds a value that cannot be read"),
}


METHODS: Final[Mapping[str, Any]] = {
    "signed_in": _("Signed in to the account"),
    "email_link": _("Link to the mailbox"),
    "email_code": _("Code to the mailbox"),
    "sign_in_fresh": _("Fresh sign-in with the password"),
    "mfa": _("Sign-in with a second factor"),
    "oidc": _("Sign-in through another provider"),
    "quiz": _("Questions put from our records"),
    "data_points_2": _("Two things that only the owner of the account can know"),
    "data_points_3_declared": _("Three things that only the owner of the account can know, and a signed declaration"),
    "staff_judgement": _("Something else that convinced you"),
    "agent_authority": _("A signed authority for whoever asks for them"),
}

TIERS: Final[Mapping[int, Any]] = {
    0: _("no proof"),
    1: _("signed in"),
    2: _("reasonably sure"),
    3: _("reasonably high certainty"),
}

COUNTS: Final[Mapping[str, Any]] = {
    "removed": _("deleted"),
    "anonymised": _("made anonymous"),
    "kept": _("kept"),
    "absent": _("already gone"),
    "failed": _("failed"),
    "changed": _("changed"),
    "copied": _("copied"),
}

INTAKE_REASONS: Final[Mapping[str, Any]] = {
    "empty": _("The mail is empty."),
    "mail_too_large": _("The mail is larger than 25 MB."),
    "headers_too_large": _("The mail's head is too large to be honest."),
    "header_too_large": _("One line of the mail's head is too large."),
    "no_headers": _("It has no head: this is no mail."),
    "parser_failed": _("Reading it failed."),
    "too_many_parts": _("It has more parts than a person sends."),
    "too_deep": _("It is nested too deeply."),
    "too_many_addresses": _("It names too many addresses."),
    "too_much_memory": _("Reading it needs too much memory."),
    "too_slow": _("Reading it takes too long."),
    "unreadable": _("Its text cannot be read."),
    "could_not_be_opened": _("It could be read, but opening a case failed five times."),
    "auto_reply": _("An automatic reply."),
    "bounce": _("A mail that came back."),
    "complaint": _("A complaint report of a mail provider."),
    "receipt": _("A receipt."),
    "own_loop": _("Our own mail, come back."),
}


def ball(request: PrivacyRequest) -> Any:
    """Who has to act next, in words."""
    if request.unread_at or request.named_reason:
        return US
    return BALL.get(request.state, NOBODY)


def flag(code: str) -> tuple[Any, Any]:
    """Short name and what to check; an unknown code shows itself rather than nothing."""
    return FLAGS.get(code, (code.replace("_", " "), _("Read the plan and decide.")))


def attention(code: str) -> Any:
    """Why something is stuck."""
    return SOURCE_FAILURES.get(code, code.replace("_", " "))
