"""The vocabulary of the house: every closed list of words, in one place; that of the mails stands in notices.py."""

from django.db import models
from django.utils.translation import gettext_lazy as _


class State(models.TextChoices):
    """Where a request stands. The state is the queue: whoever is next pulls the rows in it."""

    RECEIVED = "received", _("Received")
    TRIAGE = "triage", _("To be sorted")
    VERIFYING = "verifying", _("Proving who asks")
    LOCATING = "locating", _("Looking for the data")
    REVIEW = "review", _("In review")
    CLARIFYING = "clarifying", _("Question asked")
    CONFIRMING = "confirming", _("Waiting for confirmation")
    RELEASING = "releasing", _("Confirmed, to be released")
    FULFILLING = "fulfilling", _("Being carried out")
    CHECKING = "checking", _("Copy being checked")
    COMPLETED = "completed", _("Completed")
    REFUSED = "refused", _("Refused")
    WITHDRAWN = "withdrawn", _("Withdrawn")
    LAPSED = "lapsed", _("Lapsed")
    REJECTED = "rejected", _("Not a request")


FINAL_STATES = (State.COMPLETED, State.REFUSED, State.WITHDRAWN, State.LAPSED, State.REJECTED)
BOUND_STATES = (State.RELEASING, State.FULFILLING, State.COMPLETED)


class Right(models.TextChoices):
    """What the law lets a person ask for. Empty while nobody has understood it yet (TRIAGE)."""

    UNCLEAR = "", _("Not sorted yet")
    KNOW = "know", _("Know what is held and why")
    ACCESS = "access", _("Get a copy")
    PORTABILITY = "portability", _("Take the data elsewhere")
    DELETION = "deletion", _("Delete")
    CORRECTION = "correction", _("Correct")
    OBJECTION = "objection", _("Object to a use")
    RESTRICTION = "restriction", _("Restrict a use")
    WITHDRAW_CONSENT = "withdraw_consent", _("Withdraw consent")
    OPT_OUT_SALE = "opt_out_sale", _("Stop selling or sharing")
    OPT_OUT_TARGETED = "opt_out_targeted", _("Stop targeted advertising")
    LIMIT_SENSITIVE = "limit_sensitive", _("Limit the use of sensitive data")
    MARKETING_OPT_OUT = "marketing_opt_out", _("Stop marketing")
    HUMAN_REVIEW = "human_review", _("Have a person review an automated decision")


UNVERIFIED_RIGHTS = (
    Right.OPT_OUT_SALE, Right.OPT_OUT_TARGETED, Right.LIMIT_SENSITIVE, Right.MARKETING_OPT_OUT, Right.WITHDRAW_CONSENT,
)  # fmt: skip


COPY_RIGHTS = (Right.ACCESS, Right.PORTABILITY)
# A deletion that is confirmed leaves nothing to correct and no use to weigh; a copy and an appeal stay owed.
OVERTAKEN_BY_DELETION = (Right.CORRECTION, Right.OBJECTION, Right.RESTRICTION)


class Outcome(models.TextChoices):
    """How a request ended, per category and in sum. Letters, remedies and measures read this, never the state."""

    OPEN = "", _("Open")
    GRANTED = "granted", _("Granted")
    GRANTED_IN_PART = "granted_in_part", _("Granted in part")
    DENIED = "denied", _("Denied")
    NOTHING_HELD = "nothing_held", _("Nothing held")
    NOT_PROVEN = "not_proven", _("Not proven")
    REFERRED = "referred", _("Referred")
    WITHDRAWN = "withdrawn", _("Withdrawn")
    UNANSWERED = "unanswered", _("Unanswered")
    OVERTAKEN = "overtaken", _("Overtaken")
    MERGED = "merged", _("Merged")
    REJECTED = "rejected", _("Not a request")


class Channel(models.TextChoices):
    """How the contact came in."""

    WEB = "web", _("Web form")
    EMAIL = "email", _("E-mail")
    SETTINGS = "settings", _("Account settings")
    POST = "post", _("Letter")
    TELEPHONE = "telephone", _("Telephone")
    COUNTER = "counter", _("In person")


class RepresentativeKind(models.TextChoices):
    """Who asks for somebody else, and by what."""

    AGENT = "agent", _("Somebody whom they allowed to ask")
    GUARDIAN = "guardian", _("Parent or guardian")
    ATTORNEY = "attorney", _("Holder of a power of attorney")
    ESTATE = "estate", _("Estate of a person who has died")


# Who stands for the person in everything, once two approvers have seen their authority. An agent never does.
STANDING_KINDS = (RepresentativeKind.GUARDIAN, RepresentativeKind.ATTORNEY, RepresentativeKind.ESTATE)


class ContactBy(models.TextChoices):
    """By which rule a case is written to at another address than the one it is known by."""

    OWN = "", _("Its own address")
    REPRESENTATIVE = "representative", _("Somebody who stands for the person")
    LOST_MAILBOX = "lost_mailbox", _("A mailbox was lost")


class IntakeStatus(models.TextChoices):
    """What became of raw bytes."""

    STORED = "stored", _("Stored")
    OPENED = "opened", _("Became a case")
    ATTACHED = "attached", _("Added to a case")
    NOTED = "noted", _("Noted, needs no answer")
    QUARANTINED = "quarantined", _("Could not be read")
    DISMISSED = "dismissed", _("Looked at and put aside")


class CheckKind(models.TextChoices):
    """What an identity check proves, and by what."""

    MAILBOX = "mailbox", _("Link to the mailbox")
    SECOND_FACTOR = "second_factor", _("Second factor of the account")
    SIGN_IN = "sign_in", _("Sign-in to the account")
    DATA_POINTS = "data_points", _("What the person stated, compared with our records")
    QUIZ = "quiz", _("Questions put from our records")
    FOLLOW = "follow", _("Link to follow a case")
    CODE = "code", _("Code to open a case")
    NOT_ME = "not_me", _("This was not me")
    OWNER_LINK = "owner_link", _("Link to a data owner's task")
    OWNER_CODE = "owner_code", _("Code for a data owner")
    REP_LINK = "rep_link", _("Link for a representative")
    REP_CODE = "rep_code", _("Code for a representative")
    BY_HAND = "by_hand", _("Looked at by a person of the desk")
    PAPER = "paper", _("An identity paper was asked for")
    OBJECTION = "objection", _("This was not me, to a change of who is written to")


class CheckStatus(models.TextChoices):
    """How a check stands."""

    PENDING = "pending", _("Open")
    PASSED = "passed", _("Passed")
    FAILED = "failed", _("Failed")
    SUPERSEDED = "superseded", _("Replaced by a newer one")


class StepKind(models.TextChoices):
    """A unit of work on one source, in the order in which they run."""

    CLOSE = "close", _("Close the account")
    SETTLE = "settle", _("Settle what is owed")
    ERASE = "erase", _("Erase")
    EXPORT = "export", _("Copy")
    PACK = "pack", _("Put the copy together")
    RECTIFY = "rectify", _("Correct")
    RESTRICT = "restrict", _("Restrict")
    LIFT = "lift", _("Lift the restriction")
    APPLY = "apply", _("Carry a choice out")
    LOOK = "look", _("Look what is held")
    NOTIFY = "notify", _("Tell a recipient")
    LATER = "later", _("Erase what was kept")


WORK_KINDS = tuple(kind for kind in StepKind if kind != StepKind.CLOSE)


class PackageStatus(models.TextChoices):
    """How a copy stands. Only one that is whole is ever more than `building`."""

    BUILDING = "building", _("Being put together")
    READY = "ready", _("To be looked through")
    OFFERED = "offered", _("On offer")
    GONE = "gone", _("Removed")


class StepStatus(models.TextChoices):
    """How a step stands."""

    QUEUED = "queued", _("Waiting")
    LEASED = "leased", _("Being worked on")
    DONE = "done", _("Done")
    BLOCKED = "blocked", _("Needs a person")


class RecipientStatus(models.TextChoices):
    """What became of telling a recipient (GDPR Art 19)."""

    QUEUED = "queued", _("Being told")
    TOLD = "told", _("Told")
    IMPOSSIBLE = "impossible", _("Could not be told")
    DISPROPORTIONATE = "disproportionate", _("Telling them would take a disproportionate effort")


class StepReason(models.TextChoices):
    """Why a step waits or is blocked: the named reason that a person sees."""

    NONE = "", ""
    UNREACHABLE = "unreachable", _("The source cannot be reached; it is tried again")
    TIMEOUT = "timeout", _("The source answers too slowly; it is tried again")
    PERMISSION = "permission", _("The source refuses our sign-in")
    SCHEMA_CHANGED = "schema_changed", _("The source's tables differ from the data map")
    NOT_SUPPORTED = "not_supported", _("The source has no way to do this; a person must")
    WITH_OWNER = "with_owner", _("A data owner has been asked")
    OWNER_EXCEPTION = "owner_exception", _("The data owner says that it cannot be done")
    OWNER_LATE = "owner_late", _("The data owner has not answered in time")
    LOST_CLAIMS = "lost_claims", _("Three workers died on this step")
    KILL_SWITCH = "kill_switch", _("The kill switch is on")
    HOLD = "hold", _("A legal hold covers this")
    DISPUTED = "disputed", _("Somebody says: this was not me")
    SILENCE = "silence", _("Two people have to look again whether something may still not be told")
    TO_CONFIRM = "to_confirm", _("Somebody proposes to keep more; a second person has to look")
    PLAN_CHANGED = "plan_changed", _("The plan differs from what was confirmed")
    SEVERAL_MATCHES = "several_matches", _("The address reaches more than one account")
    NEEDS_JUDGEMENT = "needs_judgement", _("What was found needs a person's decision")
    BUSY = "busy", _("Other work on this person's data goes first")
    RESIDUAL = "residual", _("Something is left that should be gone")
    SOURCE_OFF = "source_off", _("The source is switched off at the desk")
    REVIEW = "review", _("What was kept has to be looked at again")
    MAIL_FAILED = "mail_failed", _("A letter could not be sent")
    BAD_VALUE = "bad_value", _("A value does not fit the source")
    COPY_UNREADABLE = "copy_unreadable", _("The file of a copy on offer cannot be opened")
    LOST_MAILBOX = "lost_mailbox", _("Somebody objected to a new address; two approvers have to look")
    AUTHORITY = "authority", _("The authority of who stands for the person waits to be looked at")
    PAPER = "paper", _("An identity paper waits to be looked at")
    ERROR = "error", _("An error that we did not expect; the log has its class")


class Risk(models.TextChoices):
    """Why a person looks more closely before anything leaves the house: flags of the judgement, never a ground to refuse."""

    CONTACT_CHANGED = "contact_changed", _("contact details changed lately")
    CONTACT_UNKNOWN = "contact_unknown", _("it could not be asked whether contact details changed")
    MANY_REQUESTS = "many_requests", _("many requests from this mailbox")
    WAVE = "wave", _("unusually many requests in one day")
    DISPOSABLE = "disposable", _("an address for a few minutes")


class RestrictionGround(models.TextChoices):
    """Why data are kept and not used otherwise (GDPR Art 18(1)(a) to (d); what another law calls it: law/articles.toml)."""

    CONTESTED = "contested", _("The person says that the data are wrong")
    UNLAWFUL = "unlawful", _("The use is unlawful and the person does not want deletion")
    CLAIMS = "claims", _("The person needs the data for legal claims")
    OBJECTION = "objection", _("An objection is weighed or was granted")


class CorrectionStatus(models.TextChoices):
    """What became of one field that should say something else."""

    PROPOSED = "proposed", _("To be decided")
    ACCEPTED = "accepted", _("Accepted")
    REFUSED = "refused", _("Refused")


# A data owner has the ball.
WITH_OWNERS = (StepReason.WITH_OWNER, StepReason.OWNER_LATE)
# Why a step waits for a person: nobody asked yet, a data owner asked, or back from one.
BY_HAND = (StepReason.NOT_SUPPORTED, *WITH_OWNERS, StepReason.OWNER_EXCEPTION)


class FeeStatus(models.TextChoices):
    """What became of a fee that was asked for."""

    ASKED = "asked", _("Asked for")
    PAID = "paid", _("Paid or accepted")
    WAIVED = "waived", _("Waived")
    UNPAID = "unpaid", _("Not paid in time")
    CALLED_OFF = "called_off", _("Called off: the request has ended")


class OwnerTaskStatus(models.TextChoices):
    """How a data owner's task stands."""

    OPEN = "open", _("Open")
    DONE = "done", _("Done")
    NOTHING_FOUND = "nothing_found", _("Nothing found")
    EXCEPTION = "exception", _("Cannot be done")
    HANDED_OVER = "handed_over", _("Handed over")
    NOT_NEEDED = "not_needed", _("No longer needed")


class DecisionKind(models.TextChoices):
    """What a person of the desk (or, for a withdrawal, the requester) decided."""

    CLASSIFY = "classify", _("Sorted")
    SPLIT = "split", _("Split")
    ASK = "ask", _("Asked")
    APPROVE = "approve", _("Approved")
    REFUSE = "refuse", _("Refused")
    REFER = "refer", _("Referred")
    MERGE = "merge", _("Merged")
    REJECT = "reject", _("Not a request")
    EXTEND = "extend", _("Extended")
    LAW = "law", _("Law corrected")
    LAW_STAYS = "law_stays", _("Law not changed")
    LAPSE = "lapse", _("Lapsed")
    RELEASE = "release", _("Released")
    NOTHING_FOUND = "nothing_found", _("Nothing found by hand")
    HAND_OVER = "hand_over", _("Copy handed over")
    SEND_BACK = "send_back", _("Copy sent back")
    GO_ON_WITHOUT = "go_on_without", _("Went on without a source")
    NOT_DONE = "not_done", _("Left undone in a source")
    NARROW = "narrow", _("Narrowed")
    NOT_ME = "not_me", _("This was not me")
    DISPUTE_UNFOUNDED = "dispute_unfounded", _("Dispute unfounded")
    DISPUTE_FOUNDED = "dispute_founded", _("Dispute founded")
    FALL_BACK = "fall_back", _("Answered by a lesser right")
    LIFT = "lift", _("Restriction lifted")
    KEEP = "keep", _("Restriction kept")
    REVIEWED_CHANGED = "reviewed_changed", _("Decision looked at again and changed")
    REVIEWED_UPHELD = "reviewed_upheld", _("Decision looked at again and upheld")
    KEPT_GOES = "kept_goes", _("What was kept goes")
    WEIGHED = "weighed", _("Exception weighed")
    DOCUMENTED = "documented", _("Facts written down")
    FEE_ASKED = "fee_asked", _("Fee asked for")
    FEE_PAID = "fee_paid", _("Fee paid or accepted")
    FEE_WAIVED = "fee_waived", _("Fee waived")
    KEPT_ON = "kept_on", _("What was kept stays longer")


class ClockEventKind(models.TextChoices):
    """What the arithmetic of a date reads: what was asked of the person, what came of it, and the notice of an extension.
    What lapsed was never answered: the house goes on without it, and the clock with it. What was waived counts as if it had
    never been asked."""

    IDENTITY_REQUESTED = "identity_requested", _("Proof of identity asked for")
    IDENTITY_RECEIVED = "identity_received", _("Identity proven")
    IDENTITY_LAPSED = "identity_lapsed", _("Identity not proven; we go on without it")
    CLARIFICATION_REQUESTED = "clarification_requested", _("Question asked")
    CLARIFICATION_RECEIVED = "clarification_received", _("Question answered")
    CLARIFICATION_LAPSED = "clarification_lapsed", _("Question not answered; we go on without it")
    FEE_REQUESTED = "fee_requested", _("Fee asked for")
    FEE_PAID = "fee_paid", _("Fee paid")
    FEE_LAPSED = "fee_lapsed", _("Fee not paid; we go on without it")
    FEE_WAIVED = "fee_waived", _("Fee not asked for any more")
    EXTENSION_NOTICE_SENT = "extension_notice_sent", _("Notice of an extension sent")


class AppealKind(models.TextChoices):
    """By which name the law knows it that somebody wants an answer looked at again: a record of its own, never a state of
    the request."""

    APPEAL = "appeal", _("Appeal")
    COMPLAINT = "complaint", _("Complaint to us")
    GRIEVANCE = "grievance", _("Grievance")


class AppealOutcome(models.TextChoices):
    """How looking again ended. Empty while it is open."""

    OPEN = "", _("Open")
    UPHELD = "upheld", _("The person was right")
    UPHELD_IN_PART = "upheld_in_part", _("The person was right in part")
    DISMISSED = "dismissed", _("The answer stays")
    WITHDRAWN = "withdrawn", _("Withdrawn")


UPHELD = (AppealOutcome.UPHELD, AppealOutcome.UPHELD_IN_PART)


class SecondLook(models.TextChoices):
    """What comes of it where two people have to look and this one wants to be the second (see models/two_people.py)."""

    ANOTHER = "another", _("A second person")
    ALONE = "alone", _("The same person, on a later day")
    SOMEBODY_ELSE = "somebody_else", _("You took the first decision. Somebody else has to take this one.")
    TOO_SOON = "too_soon", _("You took the first decision today. You may take this one from tomorrow on.")
    STALE = "stale", _("You took the first decision too. Please give your password anew before you take this one.")

    @property
    def counts(self) -> bool:
        """Whether this person may."""
        return self in (SecondLook.ANOTHER, SecondLook.ALONE)


class LawChangeStatus(models.TextChoices):
    """What became of it that another law applies to a case."""

    ASKED = "asked", _("Said by the person, to be looked at")
    APPLIED = "applied", _("Another law applies")
    REFUSED = "refused", _("The law stays")


class Raised(models.TextChoices):
    """What the clock has raised about a request: the named reason that a person sees until it is settled."""

    NONE = "", ""
    ACK_MISSING = "ack_missing", _("The person has no acknowledgement yet")
    DUE_SOON = "due_soon", _("The legal date is near")
    LAW_ASKED = "law_asked", _("The person says that they live somewhere else")
    OVERDUE = "overdue", _("The legal date has passed")
    EXTENSION_VOID = "extension_void", _("The notice of more time did not leave in time: answer now")
    ANSWER_HERE = "answer_here", _("The answer is written and has not left: its date is near or has passed")


class ProposalStatus(models.TextChoices):
    """How a proposed refusal stands."""

    STANDING = "standing", _("To be confirmed")
    CONFIRMED = "confirmed", _("Confirmed")
    SENT_BACK = "sent_back", _("Sent back")
    WITHDRAWN = "withdrawn", _("Withdrawn")


class SilenceKind(models.TextChoices):
    """What a law forbids to tell (models/non_disclosure.py)."""

    KEPT = "kept", _("Something that is kept")
    ROW = "row", _("A row that is left out of a copy")
    REFUSAL = "refusal", _("The reason of a refusal")


class Apart(models.TextChoices):
    """Why a colleague handles nothing of a case (see models/apart.py)."""

    NAMED = "named", _("You are named as close to this person, or stepped aside yourself. A colleague handles this.")
    OWN = "own", _("This is about you, or you ask for the person. A colleague handles this.")


class BundleReason(models.TextChoices):
    """Why the bundle of a request leaves the house; stands in its audit trail."""

    AUTHORITY = "authority", _("A data protection authority or attorney general asks")
    COURT = "court", _("A court asks, or a claim is made or defended")
    COMPLAINT = "complaint", _("An appeal or a complaint of the person is being decided")
    AUDIT = "audit", _("An audit of how we handle requests")


class HoldStatus(models.TextChoices):
    """A hold is `placing` until no live lease touches its scope."""

    PLACING = "placing", _("Being placed")
    ACTIVE = "active", _("Active")
    LIFTED = "lifted", _("Lifted")


class Lane(models.TextChoices):
    """The bells: one per kind of work that a worker can look for."""

    INTAKE = "intake", "intake"
    LOCATE = "locate", "locate"
    CLOSE = "close", "close"
    FULFIL = "fulfil", "fulfil"
    MAIL = "mail", "mail"
    PROVE = "prove", "prove"


class ActorKind(models.TextChoices):
    """Who did it, in the audit trail."""

    REQUESTER = "requester", _("Requester")
    STAFF = "staff", _("Staff")
    SYSTEM = "system", _("System")
    OWNER = "owner", _("Data owner")
