"""The vocabulary of the mails: every notice this house sends, to whom it goes, and where a message stands."""

from django.db import models
from django.utils.translation import gettext_lazy as _


class MessageStatus(models.TextChoices):
    """Where a message of the conversation stands."""

    QUEUED = "queued", _("Waiting to be sent")
    CLAIMED = "claimed", _("Being sent")
    SENT = "sent", _("Sent")
    FAILED = "failed", _("Could not be sent")
    RECEIVED = "received", _("Received")
    NOTE = "note", _("Internal note")
    TO_POST = "to_post", _("To be printed and posted")


class Notice(models.TextChoices):
    """Every mail this house sends; each has a folder in templates/email/."""

    RECEIVED_VERIFY = "received_verify", _("Link to prove and confirm")
    RECEIVED = "received", _("Received; proven already")
    RECEIVED_TRIAGE = "received_triage", _("Received; a person will read it")
    ASK = "ask", _("Question")
    ANSWERED = "answered", _("Answer received")
    FEE = "fee", _("A fee is asked for")
    FEE_SETTLED = "fee_settled", _("The fee is settled")
    PROOF_ASKED = "proof_asked", _("Asked to show more surely who they are")
    PAPER_ASKED = "paper_asked", _("Asked for a look at an identity paper")
    PERMISSION_ASKED = "permission_asked", _("An agent is asked for the signed permission")
    NOT_MATCHED = "not_matched", _("What was stated could not be matched")
    EXTENDED = "extended", _("More time needed")
    CONFIRM_READY = "confirm_ready", _("Ready for confirmation")
    CONFIRM_REMINDER = "confirm_reminder", _("Reminder to confirm")
    CONFIRMED = "confirmed", _("Confirmed; the account is closed")
    DONE_ERASED = "done_erased", _("Deletion carried out")
    DONE_COPY = "done_copy", _("Copy ready")
    DONE_KNOW = "done_know", _("What is held, and why")
    DONE_CORRECTED = "done_corrected", _("Correction carried out")
    DONE_OBJECTION = "done_objection", _("Objection granted")
    DONE_RESTRICTED = "done_restricted", _("Restriction in force")
    RESTRICTION_LIFTING = "restriction_lifting", _("A restriction ends")
    RESTRICTION_KEPT = "restriction_kept", _("A restriction stays")
    DONE_CHOICE = "done_choice", _("Choice carried out")
    CHOICE_NOTED = "choice_noted", _("Choice noted; systems are being told")
    DONE_REVIEWED = "done_reviewed", _("Reviewed by a person")
    NOTHING_HELD = "nothing_held", _("Nothing held")
    REFUSED = "refused", _("Refused")
    REFERRED = "referred", _("Referred")
    WITHDRAWN = "withdrawn", _("Withdrawn")
    NOT_PROVEN = "not_proven", _("Not proven")
    UNANSWERED = "unanswered", _("Unanswered")
    MERGED = "merged", _("Merged")
    INTERIM = "interim", _("Interim answer")
    OVERTAKEN = "overtaken", _("Overtaken")
    KEPT_ERASED = "kept_erased", _("What was kept is deleted")
    KEPT_ON = "kept_on", _("What was kept stays longer")
    DISPUTE_NOTED = "dispute_noted", _("This was not me: noted")
    DISPUTE_FOUNDED = "dispute_founded", _("This was not me: founded")
    DISPUTE_UNFOUNDED = "dispute_unfounded", _("This was not me: unfounded")
    NARROWED = "narrowed", _("Plan narrowed")
    ACCESS_CODE = "access_code", _("Code to open the case")
    WAY_BACK = "way_back", _("Link to the page of a case that has ended")
    TELL_RECIPIENT = "tell_recipient", _("A recipient of the data is told")
    REPLY = "reply", _("Message from the privacy team")
    COPY_DOWNLOADED = "copy_downloaded", _("Copy downloaded")
    SHOWN_BY_HAND = "shown_by_hand", _("Told to the address on file: identity was shown in another way")
    OWNER_TASK = "owner_task", _("Task for a data owner")
    OWNER_DIGEST = "owner_digest", _("Open tasks of a data owner")
    OWNER_CODE = "owner_code", _("Code for a data owner")
    REP_ASKED = "rep_asked", _("Received from a representative")
    REP_CODE = "rep_code", _("Code for a representative")
    REP_NEWS = "rep_news", _("News for a representative")
    REP_REFUSED = "rep_refused", _("Authority of a representative refused")
    LOST_ASKED = "lost_asked", _("A lost mailbox is noted, to the new address")
    LOST_MOVING = "lost_moving", _("Told to known addresses: the request is to move to a new one")
    ADDRESS_CHANGED = "address_changed", _("Written to at a new address")
    DOWNLOAD_TOLD = "download_told", _("Copy downloaded, told to other known addresses")
    STANDS_FOR_YOU = "stands_for_you", _("Somebody stands for the person now")
    APPEAL_RECEIVED = "appeal_received", _("Another person looks again: received")
    APPEAL_INTERIM = "appeal_interim", _("Another person looks again: where it stands")
    APPEAL_EXTENDED = "appeal_extended", _("Another person looks again: more time needed")
    APPEAL_UPHELD = "appeal_upheld", _("Looked at again: the person was right")
    APPEAL_DISMISSED = "appeal_dismissed", _("Looked at again: the answer stays")
    APPEAL_WITHDRAWN = "appeal_withdrawn", _("Looking again was called off")
    NOT_CONTENT = "not_content", _("The person does not agree: noted")
    LAW_CHANGED = "law_changed", _("Another law applies")
    LAW_STAYS = "law_stays", _("The law stays")
    STAFF_DIGEST = "staff_digest", _("What is due at the desk, to a colleague")
    KNOWN_TOLD = "known_told", _("Told to known addresses: a deletion or a copy goes on")


class KnownEvent(models.TextChoices):
    """What every known address hears of a deletion or a copy."""

    PROVEN = "proven", _("Proven")
    CONFIRMED = "confirmed", _("Confirmed, or a copy approved")
    RELEASED = "released", _("Released, or a copy handed over")


OWNER_NOTICES = (Notice.OWNER_TASK, Notice.OWNER_DIGEST, Notice.OWNER_CODE)
# Inside the house: no line of anybody's correspondence.
TO_COLLEAGUES = (*OWNER_NOTICES, Notice.STAFF_DIGEST)
# To who asks for somebody else: where they are and what they hold are no letter of the person's.
REP_NOTICES = (Notice.REP_ASKED, Notice.REP_CODE, Notice.REP_NEWS, Notice.REP_REFUSED, Notice.PERMISSION_ASKED)
# To every address of the person that we know, where the case is (or will be) written to at another one.
KNOWN_NOTICES = (
    Notice.STANDS_FOR_YOU,
    Notice.SHOWN_BY_HAND,
    Notice.LOST_MOVING,
    Notice.LOST_ASKED,
    Notice.DOWNLOAD_TOLD,
    Notice.KNOWN_TOLD,
)
# Not to the address of the case: they go to a data owner, to a recipient of the data, to who asks for the person, to
# other addresses of the person, or to a colleague, and stand in nobody's conversation but ours.
TO_OTHERS = (*TO_COLLEAGUES, Notice.TELL_RECIPIENT, *REP_NOTICES, *KNOWN_NOTICES)
LINK_NOTICES = (Notice.RECEIVED_VERIFY, Notice.ACCESS_CODE, Notice.WAY_BACK, Notice.LOST_ASKED)
# Letters whose own link leads elsewhere, and that can be answered by "this was not me" all the same.
ALSO_NOT_ME = (Notice.DONE_COPY, Notice.COPY_DOWNLOADED, Notice.PROOF_ASKED)
CODE_NOTICES = (Notice.ACCESS_CODE, Notice.OWNER_CODE)
# Mails that are nothing without their link, and those to others: no letters for the person to read again.
NO_LETTERS = frozenset({*LINK_NOTICES, Notice.CONFIRM_READY, Notice.CONFIRM_REMINDER, *TO_OTHERS})
# Letters that are the answer to a request: it is answered on the day on which one of them leaves.
ANSWERS = frozenset(
    {
        Notice.DONE_ERASED, Notice.DONE_COPY, Notice.DONE_KNOW, Notice.DONE_CORRECTED, Notice.DONE_OBJECTION,
        Notice.DONE_RESTRICTED, Notice.DONE_CHOICE, Notice.DONE_REVIEWED, Notice.NOTHING_HELD, Notice.REFUSED,
        Notice.REFERRED, Notice.NOT_PROVEN, Notice.UNANSWERED, Notice.DISPUTE_FOUNDED,
    }
)  # fmt: skip
