"""What we hold ourselves: every field of ours, what kind of data it is, and when it goes (law 13; GDPR Art 30(1)(f)).

Data alone; `tests/test_own_data.py` fails for a field that nobody has put here.
"""

from dataclasses import dataclass
from enum import StrEnum


class Kind(StrEnum):
    """What a field says about a person."""

    SEALED = "sealed"  # personal, encrypted under the case's key: unreadable once the key is destroyed
    INDEX = "index"  # a keyed hash by which a person, an address or a link is found again: emptied by the purge
    PERSONAL = "personal"  # readable personal data
    CREDENTIAL = "credential"  # a key, or the hash of a password: lets somebody in
    PSEUDONYM = "pseudonym"  # a number or reference that leads to a person through another row
    OPERATIONAL = "operational"  # dates, states, counts and codes of the work; says nothing by itself
    NONE = "none"  # says nothing about anybody


@dataclass(frozen=True)
class Own:
    """One table: how long its rows are kept, what ends them, and the kind of each field."""

    period: str
    ends: str
    fields: dict[str, Kind]


def _fields(**kinds: str) -> dict[str, Kind]:
    return {name: Kind(kind) for kind, names in kinds.items() for name in names.split()}


CASE_PERIOD = "RECORD_PERIOD after the last request of the case has ended (11 CCR 7101: at least 24 months)"
NUMBERS = "never: after the purge of its case only numbers, codes and dates are left"

OWN_DATA: dict[str, Own] = {
    "accounts.User": Own(
        "as long as the account is open; a closed one of a requester until its deletion is carried out",
        "the plan of a deletion masks it in place: Rightsdesk is a source of every plan",
        _fields(
            personal="email full_name language last_login", credential="password", pseudonym="id external_id",
            operational="role is_active closed_at created_at",
        ),
    ),
    "dsar.Case": Own(
        CASE_PERIOD, "the purge: key destroyed, indexes emptied",
        _fields(
            sealed="email_sealed contact_sealed postal_sealed name_sealed", index="email_index reply_index subject",
            pseudonym="id uid reference", personal="country region language",
            operational="channel regime regime_version policy_version acts_as received_at email_proven_at proven_tier"
            " by_post contact_by contact_at mailbox_lost machine_mail closed_at purged_at audit_length audit_head",
        ),
    ),
    "dsar.CaseKey": Own(
        CASE_PERIOD, "the purge deletes the row",
        _fields(credential="wrapped", pseudonym="case_uid", none="key_id"),
    ),
    "dsar.Subject": Own(
        "as long as a case of this person has not been purged", "the purge of the last case deletes the row",
        _fields(index="index", pseudonym="id", operational="first_seen_at busy_with busy_until"),
    ),
    "dsar.PrivacyRequest": Own(
        CASE_PERIOD, NUMBERS,
        _fields(
            sealed="statement_sealed", pseudonym="id uid case after assignee",
            operational="right state received_at entered_at due_on target_on original_due_on promised_on extended_at"
            " extended_until paused_reason"
            " tier_needed asked_in answer_by reminders reminded_at located_at judgement attention undelivered_at"
            " unread_at raised confirmed_at quiet_until"
            " released_at begun_at waived_copy_at disputed_at outcome ended_at answered_on take_back",
        ),
    ),
    "dsar.LawChange": Own(
        CASE_PERIOD, "as the country and the state of its case",
        _fields(
            personal="country region", pseudonym="id case said_by decided_by",
            operational="before after status said_at decided_at",
        ),
    ),
    "dsar.ClockEvent": Own(
        CASE_PERIOD, NUMBERS,
        _fields(pseudonym="id request message decision check_ref", operational="kind on noted_at"),
    ),
    "dsar.RequestRecord": Own(
        "the period of its law from the answer (11 CCR 7101(a): 24 months; GDPR Art 5(2): 36 months)",
        "the day in keep_until: the sweep turns it into a count",
        _fields(
            pseudonym="id request_id",
            operational="regime regime_version right take_back begun_anew channel received_on answered_on outcome basis days"
            " extended late keep_until",
        ),
    ),
    "dsar.PastMeasure": Own(
        "as long as the house stands: counts for the yearly measures (11 CCR 7102)", "never: it counts, and knows no request",
        _fields(none="id regime right take_back begun_anew month outcome basis days extended late number"),
    ),
    "dsar.Intake": Own(
        CASE_PERIOD, "the purge empties it and destroys its key",
        _fields(
            sealed="raw_sealed", index="dedupe", pseudonym="id uid case handled_by",
            operational="channel received_at size status reason attempts",
        ),
    ),
    "dsar.IdentityCheck": Own(
        "what a person states of themselves until it is compared (law 12); all else: " + CASE_PERIOD,
        "deciding a check empties what was stated; the purge empties the hash of the link and the signed declaration; that,"
        " when and how it was checked stays",
        _fields(
            sealed="seen_sealed stated_sealed declaration_sealed", index="token_hash",
            pseudonym="id case task challenge recorded_by confirmed_by decided_by",
            operational="kind status attempt wrong_attempts tier created_at expires_at decided_at valid_until method"
            " needs_second counts_from asked",
        ),
    ),
    "dsar.Message": Own(
        CASE_PERIOD, "the purge empties text and recipient",
        _fields(
            sealed="text_sealed to_sealed", index="to_index", pseudonym="id case request check_ref decision appeal author",
            operational="notice status reason by_post urgent created_at due_at token lease_until attempts sent_at dedupe",
        ),
    ),
    "dsar.RecipientNotice": Own(
        CASE_PERIOD, NUMBERS,
        _fields(
            sealed="text_sealed", pseudonym="id request message decided_by", operational="categories status at",
            none="recipient",
        ),
    ),
    "dsar.Letter": Own(
        CASE_PERIOD, "the purge empties it",
        _fields(sealed="said_sealed pdf_sealed", pseudonym="id message", operational="size made_at"),
    ),
    "dsar.Decision": Own(
        CASE_PERIOD, NUMBERS,
        _fields(
            sealed="text_sealed", pseudonym="id request decided_by second_by",
            operational="kind code citation decided_at second_at same_person",
        ),
    ),
    "dsar.Appeal": Own(
        "RECORD_PERIOD after it has ended, and never less than its case: an open one keeps its case", NUMBERS,
        _fields(
            sealed="words_sealed reasons_sealed", pseudonym="id request filed_by message assignee decided_by opened",
            operational="kind channel received_at noted_at regime regime_version acknowledge_by acknowledged_at due_on"
            " target_on original_due_on extended_at attention outcome decided_at same_person",
        ),
    ),
    "dsar.CategoryOutcome": Own(
        CASE_PERIOD, NUMBERS,
        _fields(pseudonym="id request", operational="category outcome code until review_on"),
    ),
    "dsar.Fee": Own(
        CASE_PERIOD, NUMBERS,
        _fields(
            pseudonym="id request decision settled_by",
            operational="amount currency code citation status asked_at answer_by settled_at",
        ),
    ),
    "dsar.Weighing": Own(
        CASE_PERIOD, NUMBERS,
        _fields(
            pseudonym="id request decision", operational="source category doubt holds code citation review_on",
        ),
    ),
    "dsar.Correction": Own(
        CASE_PERIOD, NUMBERS,
        _fields(
            sealed="old_sealed new_sealed text_sealed", pseudonym="id request proposed_by decided_by confirmed_by",
            operational="field status code citation proposed_at decided_at confirmed_at",
        ),
    ),
    "dsar.Evidence": Own(
        CASE_PERIOD, "the purge destroys its key (11 CCR 7023(d), (e))",
        _fields(sealed="name_sealed body_sealed", pseudonym="id uid request", operational="size received_at"),
    ),
    "dsar.Restriction": Own(
        "as long as it is in force, and then: " + CASE_PERIOD, "the purge empties the index",
        _fields(index="email_index", pseudonym="id request", operational="ground since lifts_at lifted_at"),
    ),
    "dsar.Representation": Own(
        CASE_PERIOD, "the purge empties the index and destroys the key of name, address and words",
        _fields(
            sealed="name_sealed email_sealed first_words_sealed second_words_sealed refused_words_sealed",
            index="email_index", pseudonym="id case named_by allowed_by first_seen_by second_seen_by refused_by",
            operational="kind asked_at may_follow may_receive allowed_at first_seen_at second_seen_at refused_at revoked_at",
        ),
    ),
    "dsar.Proposal": Own(
        CASE_PERIOD, NUMBERS,
        _fields(
            sealed="text_sealed record_sealed note_sealed", pseudonym="id request proposed_by decided_by",
            operational="kind code citation keep review_on forbidden_by forbidden_until proposed_at status decided_at"
            " same_person",
        ),
    ),
    "dsar.NonDisclosure": Own(
        CASE_PERIOD, NUMBERS,
        _fields(
            sealed="text_sealed", pseudonym="id request redaction decision renews first_by second_by end_by ended_by",
            operational="kind source category code citation first_at second_at same_person since review_on end_at ended_at",
        ),
    ),
    "dsar.Recusal": Own(
        CASE_PERIOD, NUMBERS, _fields(pseudonym="id case user named_by ended_by", operational="named_at ended_at"),
    ),
    "dsar.IdentityPaper": Own(
        "until the check is decided (law 12); that it was seen, by whom and when: " + CASE_PERIOD,
        "deciding the check, every end of the requests and the purge empty it",
        _fields(
            sealed="name_sealed body_sealed", pseudonym="id uid check_ref filed_by",
            operational="size received_at destroyed_at",
        ),
    ),
    "dsar.AuthorityPaper": Own(
        CASE_PERIOD + "; one that was not enough, or that nobody decided about, until then",
        "the purge empties it; so do a refusal, and the end of the last request before anybody decided",
        _fields(sealed="name_sealed body_sealed", pseudonym="id uid representation", operational="size received_at destroyed_at"),
    ),
    "dsar.LostMailbox": Own(
        CASE_PERIOD, "the purge empties address and index",
        _fields(
            sealed="address_sealed", index="address_index", pseudonym="id case asked_by shown_by",
            operational="asked_at noticed_at opens_at opened_at objected_at dropped_at",
        ),
    ),
    "dsar.Package": Own(
        "its file until it expires (PACKAGE_DAYS after it was offered); the row: " + CASE_PERIOD, NUMBERS,
        _fields(
            sealed="manifest_sealed", pseudonym="id uid request name",
            operational="version status size digest rows made_at offered_at expires_at downloaded_at downloads gone_at",
        ),
    ),
    "dsar.CopyPart": Own(
        "until the copy is handed over", "handing over, sending back and every other end of the request delete the row",
        _fields(
            sealed="body_sealed", pseudonym="id request", operational="source number tables rows size",
        ),
    ),
    "dsar.Redaction": Own(
        CASE_PERIOD, NUMBERS,
        _fields(
            sealed="row_sealed text_sealed", pseudonym="id request decided_by",
            operational="source table column code decided_at",
        ),
    ),
    "dsar.Plan": Own(
        CASE_PERIOD, NUMBERS,
        _fields(sealed="body_sealed", pseudonym="id request", operational="version digest made_at frozen_at"),
    ),
    "dsar.SignedConfirmation": Own(
        CASE_PERIOD, NUMBERS,
        _fields(
            pseudonym="id request plan intake filed_by decided_by", operational="came_on status filed_at decided_at",
        ),
    ),
    "dsar.Step": Own(
        CASE_PERIOD, NUMBERS,
        _fields(
            sealed="intent_sealed ref_sealed", pseudonym="id request",
            operational="source kind position status reason due_at token lease_until claims retries cursor tallies"
            " chunks finished_at",
        ),
    ),
    "dsar.OwnerTask": Own(
        CASE_PERIOD, "the purge empties the owner's address, note and file",
        _fields(
            personal="owner", index="owner_index", sealed="note_sealed file_sealed file_name_sealed",
            pseudonym="id step",
            operational="status due_on created_at mailed_at reminders escalated_at answered_at file_size",
        ),
    ),
    "dsar.LegalHold": Own(
        "as long as its basis lasts, looked at again on the review date (GDPR Art 17(3))", "an approver lifts it",
        _fields(
            sealed="note_sealed", index="email_index", pseudonym="id placed_by lifted_by",
            operational="sources code status placed_at review_on lifted_at",
        ),
    ),
    "dsar.Kept": Own(
        "until what it is about has been erased: without it nothing would go when its date comes (GDPR Art 5(1)(e), 17(1)(a))",
        "the erasing deletes the row",
        _fields(
            index="email_index", pseudonym="id request",
            operational="source category code until review_on chosen lapses",
        ),
    ),
    "dsar.Choice": Own(
        "as long as the choice stands, to honour it (GDPR Art 21(3); Cal. Civ. Code 1798.135(c)), the hash alone; taken"
        " back, as long as its case",
        "the person takes it back, and the purge of the case deletes the row; what stands it only cuts off from its case",
        _fields(index="email_index", pseudonym="id case request", operational="kind since taken_back_at"),
    ),
    "dsar.Tombstone": Own(
        "TOMBSTONE_PERIOD from the erasure (GDPR Art 17 with Art 5(2); 11 CCR 7022(e))", "the day in expires_on",
        _fields(index="index", pseudonym="id request_id", operational="source covers_until expires_on"),
    ),
    "dsar.AuditEvent": Own(
        "as long as the house stands (GDPR Art 5(2))", "never: it holds no direct identifier of a requester",
        _fields(
            pseudonym="id chain actor_id request_id",
            operational="number at actor_kind what from_state to_state details previous hash",
        ),
    ),
    "dsar.Checkpoint": Own(
        "as long as the house stands (GDPR Art 5(2))", "never: it speaks of chains alone",
        _fields(none="id at chains events root previous signature"),
    ),
    "dsar.CalendarFeed": Own(
        "until the colleague ends it or makes a new one; it opens nothing once they work here no more",
        "ending it deletes the row, and so does the account",
        _fields(index="token_hash", pseudonym="id user", operational="made_at"),
    ),
    "dsar.House": Own("as long as the house stands", "never", _fields(none="id kill_switch compared_on audit_length audit_head")),
    "dsar.Source": Own(
        "as long as the data map names it", "an administrator",
        _fields(none="id key enabled last_ok_at last_error last_error_at"),
    ),
}  # fmt: skip
