"""The desk's words: who has the ball, what a flag means, what happened. Codes live elsewhere; sentences live here."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from django.utils.translation import gettext_lazy as _

from dsar.enums import (
    COPY_RIGHTS,
    UNVERIFIED_RIGHTS,
    ClockEventKind,
    DecisionKind,
    Raised,
    Right,
    Risk,
    State,
    StepReason,
)
from dsar.models import PrivacyRequest

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
        _("A fee was asked for and did not come in time. Decide what is done without it."),
    ),
    "unanswered": (
        _("No confirmation"),
        _("Two reminders went unanswered. Write the letter that ends this, or ask in another way."),
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
            " on. A copy is then handed over by another approver than the one who approved it."
        ),
    ),
    "not_proven": (
        _("Not proven"),
        _("Nobody opened the link by our target date. Answer what needs no proof, or end it with a letter."),
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

EVENTS: Final[Mapping[str, Any]] = {
    **{kind.value: kind.label for kind in ClockEventKind},
    ClockEventKind.IDENTITY_RECEIVED.value: _("What was asked for to show who asks has come"),
    "received": _("Request received"),
    "begun_anew": _("Begun anew: the first answer was wrong"),
    "bundle_made": _("Bundle for an authority made"),
    "purged_by_command": _("What was due to go was destroyed by the command of an engineer"),
    "filed": _("Filed by a colleague"),
    "identity_seen": _("Identity looked at by hand"),
    "risk_found": _("A fresh look before the release found something to weigh"),
    "stepped_up": _("A surer proof of who asks was asked for"),
    "identity_paper_asked": _("Identity paper asked for"),
    "identity_paper_received": _("Identity paper received"),
    "identity_paper_seen": _("Identity paper seen"),
    "identity_papers_destroyed": _("Identity check decided: papers destroyed"),
    "permission_asked": _("Signed permission asked for"),
    "identity_confirmed": _("Identity confirmed by a second person"),
    "identity_not_confirmed": _("A second person was not convinced"),
    "identity_shown": _("Identity counts as shown"),
    "account_named": _("Account named by the person"),
    "nothing_found": _("Nothing found by hand"),
    "not_me_noted": _("Noted: somebody says that this was not them"),
    "signature_filed": _("Signed confirmation filed"),
    "signature_agreed": _("Signature agreed to by a second person"),
    "signature_refused": _("Signature not agreed to"),
    "copy_enclosed": _("Copy taken out to be posted"),
    "letter_posted": _("Letter posted"),
    "posted_instead": _("Mail could not be sent: a letter instead"),
    "scan_opened": _("Scan of the letter opened"),
    "scan_destroyed": _("Scan of the letter destroyed"),
    "route": _("Routed"),
    "classify": _("Sorted"),
    "split": _("Split: other rights were opened beside it"),
    "merge": _("Merged with another request of the same person"),
    "calendar_made": _("Calendar address made by a colleague"),
    "calendar_ended": _("Calendar address ended"),
    "start_over": _("Worked out anew under another law"),
    "law_changed": _("Another law applies"),
    "law_said": _("The person says that they live somewhere else"),
    "law_stays": _("The law stays"),
    "place_noted": _("Where the person lives was corrected; the law is the same"),
    "raised": _("Raised by the clock"),
    "extension_void": _("The notice of more time did not leave in time: the first date holds"),
    "counted_from_earlier": _("Dates counted from an earlier request that was merged into it"),
    "reject": _("Put aside as no request"),
    "ask": _("Question sent"),
    "answer": _("Answered by the person"),
    "no_answer": _("No answer in time; decided on what is known"),
    "withdraw": _("Withdrawn"),
    "verify": _("Proven; the search begins"),
    "not_proven": _("Not proven by the target date"),
    "verify:review": _("Proven, and not surely enough for this right"),
    "fall_back": _("Answered by a lesser right"),
    "located": _("Search ended"),
    "approve": _("Approved; the person is asked to confirm"),
    "approve:fulfilling": _("Approved; the workers begin"),
    "look_done": _("Looked up in a source by a person"),
    "later_done": _("What was kept is looked at and erased"),
    "kept_goes": _("What was kept may go"),
    "kept_on": _("What was kept stays for longer"),
    "weighed": _("Exception weighed"),
    "charge_fee": _("Fee asked for"),
    "settle_fee": _("Goes on after the fee"),
    "fee_settled": _("Fee paid or waived"),
    "fee_unpaid": _("Fee not paid in time"),
    "came_back": _("A restored system had it again: it is erased again"),
    "packed": _("Copy put together"),
    "hand_over": _("Copy handed over"),
    "send_back": _("Copy sent back to the sources"),
    "overtake": _("Overtaken by a confirmed deletion"),
    "copy_asked": _("Copy asked for before the deletion"),
    "copy_not_awaited": _("The person does not wait for the copy"),
    "restriction_asked": _("Restriction asked for meanwhile"),
    "choice_listed": _("On the list of choices"),
    "choice_unlisted": _("Off the list of choices"),
    "apply_done": _("Choice carried out in a source"),
    "copy_looked_at": _("Copy looked through"),
    "redacted": _("Something taken out of the copy"),
    "unredacted": _("Something put back into the copy"),
    "went_on_without": _("Copy goes on without a source"),
    "copy_downloaded": _("Copy downloaded"),
    "copy_expired": _("Copy removed: its time was over"),
    "export_done": _("Source copied"),
    "pack_done": _("Copy packed"),
    "refuse": _("Refused"),
    "refer": _("Referred"),
    "lapse": _("Ended by a reasoned letter"),
    "extend": _("Extended"),
    "confirm": _("Confirmed by the person; the account is closed"),
    "unanswered": _("Confirmation not given after two reminders"),
    "release": _("Released to the workers"),
    "narrow": _("Plan narrowed"),
    "dispute": _("“This was not me”: the steps stop"),
    "doubt": _("“This was not me”: a person looks before it goes on"),
    "dismiss_dispute": _("Dispute found unfounded; the work goes on"),
    "uphold_dispute": _("Dispute found founded; nothing more is erased"),
    "dispute_judged": _("First finding on the dispute"),
    "settle": _("Carried out and verified"),
    "restricted_while_weighed": _("Use stopped while the objection is weighed"),
    "restricting_called_off": _("Restricting called off"),
    "lift_announced": _("End of the restriction announced"),
    "restriction_kept": _("Restriction kept after all"),
    "restrict_done": _("Restricted in a source"),
    "lift_done": _("Restriction lifted in a source"),
    "correction_proposed": _("Field to correct named"),
    "correction_accepted": _("Correction of a field accepted"),
    "correction_refused": _("Correction of a field refused"),
    "evidence_received": _("File received from the person"),
    "evidence_opened": _("File from the person opened"),
    "statement_attached": _("Statement attached by the person"),
    "rectify_done": _("Corrected in a source"),
    "mailbox_proven": _("Mailbox proven"),
    "representative_named": _("Somebody asks for the person"),
    "representative_allowed": _("The person lets somebody ask for them"),
    "representative_not_allowed": _("The person lets nobody act for them"),
    "authority_received": _("Paper of an authority received"),
    "authority_paper_opened": _("Paper that shows an authority opened"),
    "authority_seen_first": _("Authority seen by a first person"),
    "authority_seen_second": _("Authority seen by a second person: the representative stands for the person"),
    "authority_refused": _("Authority refused"),
    "authority_ended": _("Authority ended"),
    "authority_objected": _("Somebody at an address of the person said: this was not me. The authority ended"),
    "lost_mailbox_started": _("A mailbox cannot be read any more; a new address was named"),
    "lost_mailbox_announced": _("Every known address told of the new one"),
    "lost_mailbox_opened": _("The new address counts"),
    "lost_mailbox_objected": _("Somebody at a known address objected to the new one"),
    "lost_mailbox_dropped": _("The mailbox is read after all"),
    "second_factor_shown": _("Second factor shown"),
    "signed_in": _("Signed in to the account"),
    "data_points_stated": _("The person stated data of theirs, to be compared"),
    "data_points_matched": _("What the person stated fits our records"),
    "data_points_not_matched": _("What the person stated does not fit our records"),
    "data_points_not_compared": _("What the person stated was not compared"),
    "quiz_begun": _("Questions from our records asked for"),
    "quiz_passed": _("Questions answered rightly"),
    "quiz_failed": _("Questions not answered rightly"),
    "quiz_not_made": _("Questions could not be made"),
    "proof_asked": _("Asked to show more surely who they are"),
    "not_me": _("Somebody at an address of the person said: this was not me"),
    "mail_received": _("Mail received"),
    "replied": _("Message sent"),
    "not_content": _("The person does not agree"),
    "appeal_received": _("To be looked at again: received"),
    "appeal_acknowledged": _("To be looked at again: acknowledged"),
    "appeal_assigned": _("To be looked at again: taken on"),
    "appeal_extended": _("To be looked at again: more time"),
    "appeal_extension_void": _("More time void: its letter left too late, the first date counts"),
    "appeal_decided": _("Looked at again and decided"),
    "appeal_withdrawn": _("To be looked at again: called off"),
    "answer_read": _("What the person wrote was read"),
    "noted": _("Note written"),
    "assigned": _("Taken on"),
    "refuse_proposed": _("Proposed to refuse"),
    "narrow_proposed": _("Proposed to keep more"),
    "proposal_sent_back": _("Proposal sent back"),
    "proposal_withdrawn": _("Proposal withdrawn: something has changed since"),
    "silence_proposed": _("Found that a law forbids to tell something"),
    "silence_confirmed": _("Confirmed that a law forbids to tell it"),
    "silence_declined": _("Found that it may be told"),
    "silence_end_proposed": _("Found that it may be told now"),
    "silence_ended": _("Confirmed that it may be told now"),
    "recused": _("Kept apart from this person"),
    "recusal_ended": _("May handle this person again"),
    "retried": _("Steps tried again"),
    "done_by_hand": _("Done by hand"),
    "not_done": _("Left undone, with a reason"),
    "recipient_decided": _("Said what became of telling a recipient"),
    "notify_done": _("A recipient is told"),
    "owner_asked": _("Data owner asked"),
    "owner_done": _("The data owner has done it"),
    "owner_nothing_found": _("The data owner found nothing"),
    "owner_exception": _("The data owner says that it cannot be done"),
    "owner_handed_over": _("Handed to another data owner"),
    "owner_link_sent": _("Link sent to the data owner again"),
    "owner_file_opened": _("File from the data owner opened"),
    "owner_late": _("The data owner did not answer in time"),
    "chunk_erased": _("Chunk erased"),
    "close_done": _("Account closed in a source"),
    "settle_done": _("Refund settled in a source"),
    "erase_done": _("Source erased and verified"),
    "purged": _("Case purged: its time was over"),
    "role_given": _("Role of a colleague changed"),
    "hold_placed": _("Legal hold placed"),
    "hold_lifted": _("Legal hold lifted"),
    "kill_switch_on": _("Kill switch turned on"),
    "kill_switch_off": _("Kill switch turned off"),
    "source_on": _("Source switched on"),
    "source_off": _("Source switched off"),
    "intake_adopted": _("Incoming item made into a case"),
    "intake_dismissed": _("Incoming item put aside"),
    "intake_again": _("Incoming item tried again"),
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

DECISIONS: Final[Mapping[str, Any]] = {kind.value: kind.label for kind in DecisionKind}


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


def event(code: str, to_state: str = "") -> Any:
    """What happened; some verbs read differently by where they lead."""
    return EVENTS.get(f"{code}:{to_state}") or EVENTS.get(code, code.replace("_", " "))
