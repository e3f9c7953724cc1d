"""Who or what wrote a mail: a person, or one of the machines (RFC 3464, 3834, 5965, 8098, 2919)."""

import re
from email.message import Message
from typing import Final, Literal, get_args

from dsar.intake.mail.headers import first, parameters, raw_values

Kind = Literal["person", "auto_reply", "bounce", "complaint", "receipt", "list", "own_loop"]
KINDS: Final[tuple[str, ...]] = get_args(Kind)

_REPORTS: Final[dict[str, Kind]] = {
    "delivery-status": "bounce",
    "feedback-report": "complaint",
    "disposition-notification": "receipt",
}
_DAEMON: Final = re.compile(
    r"\b(mailer-?daemon|postmaster|mail-?daemon|mail delivery (?:sub)?system|mdaemon|mailerdaemon|"
    r"mail administrator|smtp-gateway|bounces?\b|double-bounce|symantec|amavisd|mmdf|no-?reply|"
    r"email-bounces)",
    re.IGNORECASE,
)
_BOUNCE_SUBJECT: Final = re.compile(
    r"^\W*(?:(?:fwd?|re|aw)\s*:\s*)?(undeliver|undelivered mail|delivery status notification|"
    r"delivery (?:failure|failed|report|"
    r"notification|problem)|mail (?:delivery|system error|could not)|failure notice|failed (?:mail|"
    r"delivery|to deliver)|"
    r"returned (?:mail|e-?mail)|return(?:ed|ing) (?:to sender|message)|message (?:status|delivery|you sent|"
    r"could not|"
    r"undeliver|not delivered)|non[- ]?delivery|nondeliverable|could not (?:send|deliver)|unzustellbar|"
    r"unable to deliver|rejected(?: mail)?:|permanent(?:ly)? (?:fail|delivery)|warning: (?:could not|"
    r"message)|error sending|bounce|"
    r"user unknown|不达|email delivery failure|error in (?:e-?mail|your)|notification d.échec|"
    r"nachricht nicht zustellbar|your (?:message|mail|email) (?:to|was not|couldn|could not)|\[?bounced|"
    r"dsn:|ndn:|"
    r"problème de remise|non remis|mancata consegna|mislukt|devol|deferred|"
    r"considered unsolicited|virus|undelivery|blocked:)",
    re.IGNORECASE,
)
_BOUNCE_TEXT: Final = re.compile(
    r"(could not be delivered|couldn.t be delivered|wasn.t delivered|was not delivered|undeliverable|"
    r"delivery (?:has )?failed|"
    r"permanent (?:fatal )?error|user unknown|unknown user|does not exist|mailbox (?:is )?(?:full|"
    r"unavailable)|unrouteable|no such user|"
    r"recipient(?:s)? (?:address )?(?:rejected|unknown|failed)|over quota|\b5\d\d[ -]#?5\.\d\.\d|"
    r"\b[45]\.\d{1,3}\.\d{1,3}\b|"
    r"this is the (?:mail|postfix|exim|qmail)|failed addresses follow|did not reach|not been delivered|"
    r"unable to deliver|mail delivery|relaying denied|transcript of session|無効|存在しません|host unknown|550)",
    re.IGNORECASE,
)
_AUTO_SUBJECT: Final = re.compile(
    r"^\W*(automatic reply|auto(?:matic)?[- ]?(?:reply|response|respond|svar|re)\b|auto:|autoreply|"
    r"out of (?:the )?office|"
    r"ooo\b\s*[:-]|vacation|on (?:vacation|holiday|leave)|away from (?:my|the)|automatische (?:antwort|"
    r"antwoord)|"
    r"automatisch antwoord|abwesen|réponse automatique|absence du bureau|respuesta automática|"
    r"fuera de (?:la )?oficina|"
    r"risposta automatica|fuori sede|resposta automática|ausência|autosvar|automatiskt svar|"
    r"automatisk svar|frånvaro|"
    r"automaattinen vastaus|poissa|automatyczna odpowiedź|nieobecno|automatická odpověď|mimo kancelář|"
    r"afwezig|niet aanwezig|αυτόματη απάντηση|automatski odgovor)",
    re.IGNORECASE,
)
_AUTO_TEXT: Final = re.compile(
    r"(i (?:am|will be|.ll be|.m) (?:currently )?(?:out of (?:the )?office|away (?:from|until)|"
    r"on (?:vacation|annual leave|holiday|"
    r"parental leave|leave))|out of (?:the )?office until|this is an automat(?:ed|ic)|"
    r"do not reply to this (?:mail|e-?mail|message)|"
    r"ich bin (?:derzeit|bis|ab|momentan|zurzeit) .{0,60}(?:nicht (?:im büro|erreichbar)|abwesend|urlaub)|"
    r"je suis (?:actuellement )?(?:absent|en congé)|estoy fuera de la oficina|sono (?:fuori ufficio|"
    r"assente))",
    re.IGNORECASE,
)
_LIST_FIELDS: Final = (
    "list-id",
    "list-post",
    "list-unsubscribe",
    "list-help",
    "x-mailing-list",
    "mailing-list",
)
_AUTO_FIELDS: Final = ("x-autoreply", "x-autorespond", "x-autoresponder", "x-auto-reply", "x-mail-autoreply")


def null_sender(message: Message) -> bool:
    """Whether the mail came with the empty envelope sender, as bounces and automatic answers do."""
    values = raw_values(message, "return-path")
    return bool(values) and values[0].replace(" ", "") in ("<>", "")


def kind_of(message: Message, content_types: frozenset[str], subject: str, text: str) -> Kind:
    """The kind by structure first, then by fields, then by words. `content_types` are those of the outer parts.

    A null sender alone proves nothing, nor does a name like postmaster: people write from such addresses, so
    words have to agree with it.
    """
    report = parameters(message, "content-type").get("report-type", "").lower()
    if report in _REPORTS:
        return _REPORTS[report]
    for name, kind in _REPORTS.items():
        if f"message/{name}" in content_types or f"message/global-{name}" in content_types:
            return kind
    if raw_values(message, "x-failed-recipients"):
        return "bounce"
    writer = first(message, "from")[:500]
    opening = text[:4000]
    daemon = _DAEMON.search(writer) is not None
    subject_says = _BOUNCE_SUBJECT.match(subject) is not None
    text_says = _BOUNCE_TEXT.search(opening) is not None
    submitted = first(message, "auto-submitted").split(";")[0].strip().lower()
    if sum((daemon or null_sender(message), subject_says, text_says)) >= 2 and (daemon or subject_says):
        return "bounce"
    if (submitted and submitted != "no") or any(raw_values(message, name) for name in _AUTO_FIELDS):
        return "auto_reply"
    precedence = first(message, "precedence").lower().strip()
    if precedence in ("auto_reply", "auto-reply") or _AUTO_SUBJECT.match(subject):
        return "auto_reply"
    if precedence in ("bulk", "list", "junk") or any(raw_values(message, name) for name in _LIST_FIELDS):
        return "list"
    return "person"


def sounds_automatic(text: str) -> bool:
    """Whether the opening words are those of a vacation notice: a hint for staff, never a decision."""
    return _AUTO_TEXT.search(text[:1000]) is not None
