"""What we hold ourselves: every field of ours, and what kind of data it is (law 13).

Data alone; `tests/test_own_data.py` fails for a field that nobody has put here. How long a table stays, why, and what ends it
stands in keeping.py, for all of them and nowhere else.
"""

from enum import StrEnum
from typing import Final


class Kind(StrEnum):
    """What a field says about a person."""

    SEALED = "sealed"  # personal, encrypted under the case's key: unreadable once the key is destroyed
    INDEX = "index"  # a keyed hash by which a person, an address or a link is found again: emptied by the purge
    PERSONAL = "personal"  # readable personal data
    CREDENTIAL = "credential"  # a key, or the hash of a password: lets somebody in
    PSEUDONYM = "pseudonym"  # a number or reference that leads to a person through another row
    OPERATIONAL = "operational"  # dates, states, counts and codes of the work; says nothing by itself
    NONE = "none"  # says nothing about anybody


def _fields(**kinds: str) -> dict[str, Kind]:
    return {name: Kind(kind) for kind, names in kinds.items() for name in names.split()}


OWN_DATA: Final[dict[str, dict[str, Kind]]] = {
    "accounts.User": _fields(
        personal="email full_name language last_login",
        credential="password",
        pseudonym="id external_id",
        operational="role is_active closed_at created_at",
    ),
    "dsar.Case": _fields(
        sealed="email_sealed contact_sealed postal_sealed name_sealed",
        index="email_index reply_index subject",
        pseudonym="id uid reference",
        personal="country region language",
        operational=(
            "channel regime regime_version policy_version acts_as received_at email_proven_at proven_tier by_post"
            " contact_by contact_at mailbox_lost machine_mail closed_at purged_at audit_length audit_head"
        ),
    ),
    "dsar.CaseKey": _fields(
        credential="wrapped",
        pseudonym="case_uid",
        none="key_id",
    ),
    "dsar.Subject": _fields(
        index="index",
        pseudonym="id",
        operational="first_seen_at busy_with busy_until",
    ),
    "dsar.PrivacyRequest": _fields(
        sealed="statement_sealed",
        pseudonym="id uid case after assignee",
        operational=(
            "right state received_at entered_at due_on target_on original_due_on promised_on extended_at"
            " extended_until paused_reason tier_needed asked_in answer_by reminders reminded_at located_at judgement"
            " attention undelivered_at unread_at raised confirmed_at quiet_until released_at begun_at waived_copy_at"
            " disputed_at outcome ended_at answered_on take_back"
        ),
    ),
    "dsar.LawChange": _fields(
        personal="country region",
        pseudonym="id case said_by decided_by",
        operational="before after status said_at decided_at",
    ),
    "dsar.ClockEvent": _fields(
        pseudonym="id request message decision check_ref",
        operational="kind on noted_at",
    ),
    "dsar.RequestRecord": _fields(
        pseudonym="id request_id",
        operational=(
            "regime regime_version right take_back begun_anew channel received_on answered_on outcome basis days"
            " extended late keep_until"
        ),
    ),
    "dsar.PastMeasure": _fields(
        none="id regime right take_back begun_anew month outcome basis days extended late number",
    ),
    "dsar.Intake": _fields(
        sealed="raw_sealed",
        index="dedupe",
        pseudonym="id uid case handled_by",
        operational="channel received_at size status reason attempts",
    ),
    "dsar.IdentityCheck": _fields(
        sealed="seen_sealed stated_sealed declaration_sealed",
        index="token_hash",
        pseudonym="id case task challenge recorded_by confirmed_by decided_by",
        operational=(
            "kind status attempt wrong_attempts tier created_at expires_at decided_at valid_until method needs_second"
            " counts_from asked"
        ),
    ),
    "dsar.Message": _fields(
        sealed="text_sealed to_sealed",
        index="to_index",
        pseudonym="id case request check_ref decision appeal author",
        operational="notice status reason by_post urgent created_at due_at token lease_until attempts sent_at dedupe",
    ),
    "dsar.RecipientNotice": _fields(
        sealed="text_sealed",
        pseudonym="id request message decided_by",
        operational="categories status at",
        none="recipient",
    ),
    "dsar.Letter": _fields(
        sealed="said_sealed pdf_sealed",
        pseudonym="id message",
        operational="size made_at",
    ),
    "dsar.Decision": _fields(
        sealed="text_sealed",
        pseudonym="id request decided_by second_by",
        operational="kind code citation source decided_at second_at same_person",
    ),
    "dsar.Appeal": _fields(
        sealed="words_sealed reasons_sealed",
        pseudonym="id request filed_by message assignee decided_by opened",
        operational=(
            "kind channel received_at noted_at regime regime_version acknowledge_by acknowledged_at due_on target_on"
            " original_due_on extended_at attention outcome decided_at same_person"
        ),
    ),
    "dsar.CategoryOutcome": _fields(
        pseudonym="id request",
        operational="category outcome code until review_on",
    ),
    "dsar.Fee": _fields(
        pseudonym="id request decision settled_by",
        operational="amount currency code citation status asked_at answer_by settled_at",
    ),
    "dsar.Weighing": _fields(
        pseudonym="id request decision",
        operational="source category doubt holds code citation review_on",
    ),
    "dsar.Correction": _fields(
        sealed="old_sealed new_sealed text_sealed",
        pseudonym="id request proposed_by decided_by confirmed_by",
        operational="field status code citation proposed_at decided_at confirmed_at",
    ),
    "dsar.Evidence": _fields(
        sealed="name_sealed body_sealed",
        pseudonym="id uid request",
        operational="size received_at",
    ),
    "dsar.Restriction": _fields(
        index="email_index",
        pseudonym="id request",
        operational="ground since lifts_at lifted_at",
    ),
    "dsar.Representation": _fields(
        sealed="name_sealed email_sealed first_words_sealed second_words_sealed refused_words_sealed",
        index="email_index",
        pseudonym="id case named_by allowed_by first_seen_by second_seen_by refused_by",
        operational=(
            "kind asked_at may_follow may_receive allowed_at first_seen_at second_seen_at refused_at revoked_at"
        ),
    ),
    "dsar.Proposal": _fields(
        sealed="text_sealed record_sealed note_sealed",
        pseudonym="id request step proposed_by decided_by",
        operational=(
            "kind code citation keep review_on forbidden_by forbidden_until proposed_at status decided_at same_person"
        ),
    ),
    "dsar.NonDisclosure": _fields(
        sealed="text_sealed",
        pseudonym="id request redaction decision renews first_by second_by end_by ended_by",
        operational="kind source category code citation first_at second_at same_person since review_on end_at ended_at",
    ),
    "dsar.Recusal": _fields(
        pseudonym="id case user named_by ended_by",
        operational="named_at ended_at",
    ),
    "dsar.IdentityPaper": _fields(
        sealed="name_sealed body_sealed",
        pseudonym="id uid check_ref filed_by",
        operational="size received_at destroyed_at",
    ),
    "dsar.AuthorityPaper": _fields(
        sealed="name_sealed body_sealed",
        pseudonym="id uid representation",
        operational="size received_at destroyed_at",
    ),
    "dsar.LostMailbox": _fields(
        sealed="address_sealed",
        index="address_index",
        pseudonym="id case asked_by shown_by",
        operational="asked_at noticed_at opens_at opened_at objected_at dropped_at",
    ),
    "dsar.Package": _fields(
        sealed="manifest_sealed",
        pseudonym="id uid request name",
        operational="version status size digest rows made_at offered_at expires_at downloaded_at downloads gone_at",
    ),
    "dsar.CopyPart": _fields(
        sealed="body_sealed",
        pseudonym="id request",
        operational="source number tables rows size",
    ),
    "dsar.Redaction": _fields(
        sealed="row_sealed text_sealed",
        pseudonym="id request decided_by",
        operational="source table column code decided_at",
    ),
    "dsar.Plan": _fields(
        sealed="body_sealed",
        pseudonym="id request",
        operational="version digest made_at frozen_at",
    ),
    "dsar.SignedConfirmation": _fields(
        pseudonym="id request plan intake filed_by decided_by",
        operational="came_on status filed_at decided_at",
    ),
    "dsar.Step": _fields(
        sealed="intent_sealed ref_sealed",
        pseudonym="id request",
        operational=(
            "source kind position status reason due_at token lease_until claims retries cursor tallies chunks"
            " finished_at"
        ),
    ),
    "dsar.OwnerTask": _fields(
        personal="owner",
        index="owner_index",
        sealed="note_sealed file_sealed file_name_sealed",
        pseudonym="id step",
        operational="status due_on created_at mailed_at reminders escalated_at answered_at file_size",
    ),
    "dsar.LegalHold": _fields(
        sealed="note_sealed",
        index="email_index",
        pseudonym="id placed_by lifted_by",
        operational="sources code status placed_at review_on lifted_at",
    ),
    "dsar.Kept": _fields(
        index="email_index",
        pseudonym="id request",
        operational="source category code until review_on chosen lapses found_later",
    ),
    "dsar.Choice": _fields(
        index="email_index",
        pseudonym="id case request",
        operational="kind since taken_back_at",
    ),
    "dsar.Tombstone": _fields(
        index="index",
        pseudonym="id request_id",
        operational="source covers_until expires_on",
    ),
    "dsar.AuditEvent": _fields(
        pseudonym="id chain actor_id request_id",
        operational="number at actor_kind what from_state to_state details previous hash",
    ),
    "dsar.Checkpoint": _fields(
        none="id at chains events root previous signature",
    ),
    "dsar.CalendarFeed": _fields(
        index="token_hash",
        pseudonym="id user",
        operational="made_at",
    ),
    "dsar.House": _fields(
        none="id kill_switch compared_on audit_length audit_head",
    ),
    "dsar.Source": _fields(
        none="id key enabled last_ok_at last_error last_error_at",
    ),
}
