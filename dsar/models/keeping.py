"""What we keep and how long: one rule for each kind of record, with its setting, its reason and what ends it (GDPR Art
5(1)(e), 13(2)(a), 30(1)(f); law 13).

Data alone, and the only place that says it. The desk shows it to auditors; `sweep` names the part of the housekeeping
(dsar/housekeeping.py) that carries a rule out, and where there is none `stays` says why. Which fields there are stands in
own_data.py. A table stands under each rule that says something of its rows.
"""

from dataclasses import dataclass
from typing import Any, Final

from django.conf import settings
from django.utils.translation import gettext_lazy as _

# The settings that govern a period: the name in the environment, and where it stands in Django's settings.
PERIODS: Final = {
    "RECORD_DAYS": "RECORD_PERIOD", "TOMBSTONE_DAYS": "TOMBSTONE_PERIOD", "PACKAGE_DAYS": "PACKAGE_PERIOD",
    "ASIDE_DAYS": "ASIDE_PERIOD",
}  # fmt: skip


@dataclass(frozen=True)
class Rule:
    """One kind of record: what it is and holds, until when it stays and counted from what, why so long (with the article),
    what ends it. `tables` are the models that hold it, none where it is a file; `setting` a key of PERIODS, empty where the
    law or an event says."""

    label: Any
    holds: Any
    tables: tuple[str, ...]
    until: Any
    reason: Any
    ends: Any
    citation: str = ""
    setting: str = ""
    sweep: str = ""
    stays: Any = ""

    @property
    def days(self) -> int | None:
        """The period of its setting, in days."""
        return getattr(settings, PERIODS[self.setting]).days if self.setting else None


_BY_THE_PURGE: Final = _(
    "The purge destroys the key of the case, so that nothing in it can be read, and empties every index. Below stands what it"
    " leaves."
)
_AFTER_THE_CASE: Final = _("as long as its case file: counted from the last end of anything in the case")

# What has rows of a case once it was purged; tests/test_keeping.py compares it with what the purge leaves.
LEFT_BY_THE_PURGE: Final = (
    "dsar.Case", "dsar.PrivacyRequest", "dsar.ClockEvent", "dsar.LawChange", "dsar.Plan", "dsar.Step", "dsar.Decision",
    "dsar.Weighing", "dsar.CategoryOutcome", "dsar.Correction", "dsar.Evidence", "dsar.SignedConfirmation",
    "dsar.RecipientNotice", "dsar.NonDisclosure", "dsar.Proposal", "dsar.Redaction", "dsar.Recusal", "dsar.Fee",
    "dsar.Message", "dsar.Letter", "dsar.Appeal", "dsar.IdentityCheck", "dsar.LostMailbox", "dsar.Representation",
    "dsar.AuthorityPaper", "dsar.IdentityPaper", "dsar.OwnerTask", "dsar.Restriction", "dsar.Package", "dsar.Intake",
)  # fmt: skip

RULES: Final[tuple[Rule, ...]] = (
    Rule(
        _("Case file"),
        _("Who asked, in which words; the plan, the work, the decisions, corrections and what was sent to show them."),
        (
            "dsar.Case", "dsar.CaseKey", "dsar.PrivacyRequest", "dsar.ClockEvent", "dsar.LawChange", "dsar.Plan", "dsar.Step",
            "dsar.Decision",
            "dsar.Weighing", "dsar.CategoryOutcome", "dsar.Correction", "dsar.Evidence", "dsar.SignedConfirmation",
            "dsar.RecipientNotice", "dsar.NonDisclosure", "dsar.Proposal", "dsar.Redaction", "dsar.Recusal", "dsar.Fee",
        ),
        _("counted from the last end of anything in the case, and never less than the log of its requests: 24 months in"
          " California, 36 under the GDPR; open requests, appeals and restrictions keep it"),
        _("To show how the request was handled, for as long as the log says that there was one."),
        _BY_THE_PURGE, "GDPR Art 5(2); 11 CCR 7101(a)", "RECORD_DAYS", "cases",
    ),
    Rule(
        _("Letters and messages"),
        _("What was written, in both directions, and what waits to be sent."),
        ("dsar.Message", "dsar.Letter"),
        _AFTER_THE_CASE,
        _("They prove what the person was told, and when."),
        _BY_THE_PURGE, "GDPR Art 5(2), 12(3), 12(4)", "RECORD_DAYS", "cases",
    ),
    Rule(
        _("Appeals, complaints and grievances"),
        _("Why the person did not agree, who decided and why."),
        ("dsar.Appeal",),
        _AFTER_THE_CASE,
        _("An appeal is part of how the request was answered."),
        _BY_THE_PURGE, "GDPR Art 5(2); 11 CCR 7101(a)", "RECORD_DAYS", "cases",
    ),
    Rule(
        _("Identity checks"),
        _("Links and codes as hashes; what was looked at, by whom and when; signed declarations; lost mailboxes."),
        ("dsar.IdentityCheck", "dsar.LostMailbox"),
        _("as long as its case file; what somebody stated of themselves to be compared, until it is compared"),
        _("To show that it was the right person."),
        _BY_THE_PURGE, "GDPR Art 12(6), 5(2); 11 CCR 7060-7062", "RECORD_DAYS", "cases",
    ),
    Rule(
        _("Authority of who stands for the person"),
        _("Who it is, by what right, and who saw the papers."),
        ("dsar.Representation",),
        _AFTER_THE_CASE,
        _("To show that they were allowed to ask."),
        _BY_THE_PURGE, "GDPR Art 5(2); 11 CCR 7063", "RECORD_DAYS", "cases",
    ),
    Rule(
        _("Papers of an authority"),
        _("Scans that somebody sent to show it, once they were seen."),
        ("dsar.AuthorityPaper",),
        _("as long as its case file; what was not enough, or nobody decided about, until then"),
        _("To show by what right somebody was allowed to act."),
        _BY_THE_PURGE, "GDPR Art 5(2); 11 CCR 7063, 7101(a)", sweep="papers",
    ),
    Rule(
        _("Identity papers"),
        _("Covered copies that the person was asked for, or that came by letter."),
        ("dsar.IdentityPaper",),
        _("until the check is decided, or nothing waits for it any more"),
        _("Nobody needs the paper once it was looked at; that it was seen, by whom and when, stays."),
        _("Whoever decides destroys them; the sweep destroys what was left."), "GDPR Art 5(1)(c), 12(6); 11 CCR 7060(d)",
        sweep="identity_papers",
    ),
    Rule(
        _("Tasks of data owners"),
        _("Who was asked to do what, their note and the file that they attached."),
        ("dsar.OwnerTask",),
        _AFTER_THE_CASE,
        _("They are part of the work."),
        _BY_THE_PURGE, "GDPR Art 5(2)", "RECORD_DAYS", "cases",
    ),
    Rule(
        _("Restrictions"),
        _("That a use is restricted, on which ground, and of whom (a keyed hash of the address)."),
        ("dsar.Restriction",),
        _("as long as it is in force, and then as its case file"),
        _("While it is in force a deletion of the same person must not pass it by."),
        _BY_THE_PURGE, "GDPR Art 18", "RECORD_DAYS", "cases",
    ),
    Rule(
        _("Copies on offer"),
        _("The package, encrypted; the parts that it is made of."),
        ("dsar.Package", "dsar.CopyPart"),
        _("counted from the day on which it was offered; the parts until it is handed over"),
        _("Long enough to fetch it, short enough not to lie about."),
        _("The sweep deletes the file, and every end of the request the parts; size, digest and days stay with the case file."),
        "GDPR Art 5(1)(e), 32",
        "PACKAGE_DAYS", "copies",
    ),
    Rule(
        _("What came in and became part of a case"),
        _("The form, mail or call as it came, sealed."),
        ("dsar.Intake",),
        _AFTER_THE_CASE,
        _("Nothing received is lost; what was asked is read from it."),
        _BY_THE_PURGE, "GDPR Art 5(2); 11 CCR 7101(a)", "RECORD_DAYS", "cases",
    ),
    Rule(
        _("Mail that became no case"),
        _("Replies of machines, what was put aside, what could not be read."),
        ("dsar.Intake",),
        _("counted from receipt; what nobody could read yet as long as a case file"),
        _("Something put aside by mistake can be taken up again for that long."),
        _("The sweep destroys its key; that something came, and when, stays, with a hash by which it is not taken in twice."),
        "GDPR Art 5(1)(e)", "ASIDE_DAYS", "incoming",
    ),
    Rule(
        _("What the purge of a case leaves"),
        _("Right, law, channel, dates, outcome, codes and citations, digests and counts, and which colleague did what; a hash of"
          " what came in, by which it is not taken in twice. No name, no address, no word, and no index of one."),
        LEFT_BY_THE_PURGE,
        _("as long as the house stands"),
        _("The trail names these rows, and is checked against them; work that goes on after the purge (what a deletion kept)"
          " hangs on them."),
        _("Nothing ends them. Sealed texts stand in some as bytes that nobody can read any more."), "GDPR Art 5(2)",
        stays=_("Somebody can be found among them only by the reference, until that goes, and by a keyed hash of their address in"
                " a tombstone or in what a deletion kept, until its own day. The decision of a request that was joined to"
                " another names that one's reference for good."),
    ),
    Rule(
        _("Reference of a case"),
        _("RD-…, as it stands on every letter; the desk finds a case by it, a purged one too."),
        ("dsar.Case",),
        _("until the case was purged and the last record of its requests in the log has gone"),
        _("An authority that names it gets what the log holds; when that has gone, nothing is left to be found by it."),
        _("The sweep puts a number in its place."), "GDPR Art 5(1)(c), (e); 11 CCR 7101", sweep="references",
    ),
    Rule(
        _("Log of requests"),
        _("Date, right and channel of each request, date and outcome of the answer, grounds of a denial: no name, no address."),
        ("dsar.RequestRecord",),
        _("the period of its law, counted from the answer: California 24 months, the GDPR 36; each law's file says it"),
        _("The law wants it kept, and used for nothing but its measures and an authority that asks."),
        _("The day stands on each record; the sweep turns it into a count."), "11 CCR 7101; GDPR Art 5(2)", sweep="records",
    ),
    Rule(
        _("Counts of past years"),
        _("How many requests of a month, law and right ended alike."),
        ("dsar.PastMeasure",),
        _("as long as the house stands"),
        _("The measures of past years; a count is nobody's data."),
        _("Nothing."), "11 CCR 7102", stays=_("It counts, and knows no request and no person."),
    ),
    Rule(
        _("Choices"),
        _("That somebody wants no marketing, no sale, no targeted advertising: a keyed hash of the address."),
        ("dsar.Choice",),
        _("as long as the choice stands; one taken back as long as its case file"),
        _("It can only be honoured as long as it is known; the purge of its case cuts it off from that."),
        _("The person takes it back; then the purge of the case deletes it."), "GDPR Art 21(3); Cal. Civ. Code 1798.135(c)",
        sweep="cases",
    ),
    Rule(
        _("Joined identities"),
        _("A keyed hash of a proven identity, which joins the cases of one person."),
        ("dsar.Subject",),
        _("as long as one case of this person"),
        _("So that a copy and a deletion of the same person do not cross."),
        _("The purge of the last case deletes it."), "GDPR Art 5(1)(c)", "RECORD_DAYS", "cases",
    ),
    Rule(
        _("Tombstones"),
        _("A keyed hash of what was erased, never used to contact anybody."),
        ("dsar.Tombstone",),
        _("counted from the erasure"),
        _("What a restored backup brings back is found by it and erased again."),
        _("Once a day those whose day has passed are deleted."), "GDPR Art 17, 5(2); 11 CCR 7022(d), (e)", "TOMBSTONE_DAYS",
        "tombstones",
    ),
    Rule(
        _("Journal beside the database"),
        _("Confirmations, erasures and checkpoints, so that they survive a restore; people by keyed hash."),
        (),
        _("the hashes: counted from the day on which the line was written; days and signatures stay"),
        _("The same as for tombstones."),
        _("Once a day the file is written anew without the hashes that are due."), "GDPR Art 17, 5(2)", "TOMBSTONE_DAYS",
        "journal",
    ),
    Rule(
        _("What a deletion kept"),
        _("Source, category, reason and last day of what the law keeps; a keyed hash that finds holds on the person."),
        ("dsar.Kept",),
        _("until what it is about has been erased"),
        _("Without it nothing would be erased when its date comes."),
        _("The workers erase it when its date comes, and the row with it."), "GDPR Art 5(1)(e), 17(1)(a)",
        stays=_("It goes with what it is about: a worker's step of its own (LATER) does that, not the purge."),
    ),
    Rule(
        _("Legal holds"),
        _("On whom (a keyed hash), on which basis, with a note."),
        ("dsar.LegalHold",),
        _("as long as it stands; lifted, counted from that day"),
        _("To show why something was not erased."),
        _("An approver lifts it; later the sweep empties hash and note."), "GDPR Art 17(3)", "RECORD_DAYS", "holds",
    ),
    Rule(
        _("Audit trail"),
        _("What happened, when and by whom: numbers and codes, chained by hashes; signed checkpoints over all chains."),
        ("dsar.AuditEvent", "dsar.Checkpoint"),
        _("as long as the house stands"),
        _("To show what was done, when it is asked years later."),
        _("Nothing."), "GDPR Art 5(2)",
        stays=_("It holds no direct identifier of a requester, and after the purge its numbers lead to what that leaves; a chain"
                " with a gap proves nothing."),
    ),
    Rule(
        _("Accounts"),
        _("Staff, and people of the company who sign in here; their second factors."),
        ("accounts.User", "account.EmailAddress", "account.EmailConfirmation", "mfa.Authenticator"),
        _("as long as the account is open; one closed by a deletion until that is carried out"),
        _("To sign in; who decided something must be known as long as the trail."),
        _("A person's own: the plan of their deletion, of which Rightsdesk is a source. Staff: an administrator."),
        "GDPR Art 6(1)(b), 32", stays=_("An open account has no end of its own; decisions name who took them."),
    ),
    Rule(
        _("Calendar addresses of staff"),
        _("The hash of an address by which a colleague's calendar fetches the dates of the desk."),
        ("dsar.CalendarFeed",),
        _("as long as the colleague wants it"),
        _("To see the dates where they plan their day."),
        _("The colleague ends it; it opens nothing once they no longer work requests."),
        "GDPR Art 6(1)(b), 32", stays=_("It is theirs to end."),
    ),
    Rule(
        _("Sessions"),
        _("Who is signed in, and which case a proven session may open."),
        ("sessions.Session",),
        _("eight hours at most"),
        _("To work and to follow a request without proving it on every page."),
        _("The sweep deletes what has expired."), "GDPR Art 5(1)(e)", sweep="sessions",
    ),
    Rule(
        _("Log of account changes"),
        _("Which administrator changed which account."),
        ("admin.LogEntry",),
        _("counted from the change"),
        _("To find out who gave whom access."),
        _("The sweep deletes it."), "GDPR Art 32", "RECORD_DAYS", "account_log",
    ),
    Rule(
        _("Log files of the programs"),
        _("What a program did and where it failed, by number and by the class of an error: no name, no address."),
        (),
        _("by size, not by time: one that has passed 5 MB is set aside when its program starts again, and what was set aside"
          " before goes (manage.py up); where the system's journal takes them, as long as that is set to keep them"),
        _("To find out why something failed."),
        _("Writing on; whoever runs the house may delete them at any time."), "GDPR Art 32",
        stays=_("They say nothing about a person but numbers, which lead to a case as long as there is one."),
    ),
    Rule(
        _("File of the broker"),
        _("Which lane of work is to be looked at: a bell, no data and no numbers of requests."),
        (),
        _("until the bell was heard"),
        _("So that a bell rung before a restart is heard after it."),
        _("The broker writes its file anew by itself; it may be deleted at any time, for the database says what is due."),
        stays=_("It holds nothing about anybody."),
    ),
    Rule(
        _("Switches and plumbing"),
        _("Sources, kill switch, and tables of the framework: nothing about people."),
        (
            "dsar.House", "dsar.Source", "auth.Group", "auth.Permission", "contenttypes.ContentType",
        ),
        _("as long as the house stands"),
        _("It works with them."),
        _("Nothing."), stays=_("They hold nothing about anybody."),
    ),
)  # fmt: skip
