"""The data, one file per noun. Rules live in verbs, constraints in the database."""

from dsar.models.actor import OWNER, REQUESTER, SYSTEM, Actor, staff
from dsar.models.appeal import Appeal
from dsar.models.audit_event import AuditEvent, Checkpoint
from dsar.models.calendar_feed import CalendarFeed
from dsar.models.case import Case, CaseKey
from dsar.models.category_outcome import CategoryOutcome
from dsar.models.choice import Choice
from dsar.models.clock_event import ClockEvent
from dsar.models.correction import Correction, Evidence
from dsar.models.decision import Decision
from dsar.models.fee import Fee
from dsar.models.house import House, Source
from dsar.models.identity_check import IdentityCheck
from dsar.models.intake import Intake
from dsar.models.kept import Kept
from dsar.models.law_change import LawChange
from dsar.models.legal_hold import LegalHold
from dsar.models.letter import Letter
from dsar.models.lost_mailbox import LostMailbox
from dsar.models.message import Message
from dsar.models.non_disclosure import NonDisclosure
from dsar.models.owner_task import OwnerTask
from dsar.models.package import CopyPart, Package, Redaction
from dsar.models.paper import IdentityPaper
from dsar.models.plan import Plan
from dsar.models.privacy_request import PrivacyRequest
from dsar.models.proposal import Proposal
from dsar.models.recipient_notice import RecipientNotice
from dsar.models.recusal import Recusal
from dsar.models.representation import AuthorityPaper, Representation
from dsar.models.request_record import PastMeasure, RequestRecord
from dsar.models.restriction import Restriction
from dsar.models.signed_confirmation import SignedConfirmation
from dsar.models.step import Step
from dsar.models.subject import Subject
from dsar.models.tombstone import Tombstone
from dsar.models.weighing import Weighing

__all__ = [
    "OWNER", "REQUESTER", "SYSTEM", "Actor", "Appeal", "AuditEvent", "AuthorityPaper", "CalendarFeed", "Case", "CaseKey",
    "CategoryOutcome", "Checkpoint", "Choice",
    "ClockEvent", "CopyPart", "Correction", "Decision", "Evidence", "Fee", "House", "IdentityCheck",
    "IdentityPaper", "Intake", "Kept",
    "LawChange", "LegalHold", "Letter", "LostMailbox", "Message", "NonDisclosure", "OwnerTask", "Package", "PastMeasure", "Plan",
    "PrivacyRequest", "Proposal",
    "RecipientNotice", "Recusal", "Redaction", "Representation", "RequestRecord", "Restriction", "SignedConfirmation", "Source",
    "Step", "Subject", "Tombstone", "Weighing", "staff",
]  # fmt: skip
