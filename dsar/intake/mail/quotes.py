"""What a person wrote now, apart from what they quote, forward or sign with. One pass over the lines.

Mail programs agree on nothing here, so this is a help for the eye and for the classifier; the full text is
always kept and shown.
"""

import re
from dataclasses import dataclass
from typing import Final

from dsar.intake.mail.limits import NEW_TEXT_CHARS

_LINE_CHARS: Final = 400
_MARKS: Final = (">", "|>", "&gt;", "\uff1e")

# "On Monday … wrote:" in the languages mail programs ship with; the line ends with the verb or just after it.
_WROTE: Final = re.compile(
    r"\b(wrote|writes|schrieb|schreibt|a écrit|écrivait|escribió|ha scritto|scrisse|schreef|geschreven|"
    r"escreveu|"
    r"pisze|napisał(?:\(a\)|a)?|skrev|skrifaði|kirjoitti|napsal(?:\(a\)|a)?|napísal(?:\(a\)|a)?|"
    r"je napisao(?:/la)?|napisao(?:/la)?|a scris|írta|έγραψε|написал(?:\(а\)|а)?|пише|пишет|yazdı|viết)\b"
    r"[^:]{0,120}[:：]\s*$|(?:写道|のメッセージ|書きました)\s*[:：]?\s*$",
    re.IGNORECASE,
)
_WROTE_START: Final = re.compile(
    r"^\s*(on|am|le|el|il|op|em|w dniu|dnia|den|dne|på|στις|pe|dana|a|tor|ma|ti|ke|to|pe|la|su|"
    r"\d{1,4}[./-]\d{1,2})\b",
    re.IGNORECASE,
)
# Lines after which nothing of the writer's own follows.
_CUT: Final = re.compile(
    r"^[\s*]*[-_=~*]{2,}\s*(original message|originalnachricht|ursprüngliche nachricht|message d.origine|"
    r"message original|mensaje original|messaggio originale|oorspronkelijk bericht|mensagem original|"
    r"original-nachricht|original meddelelse|ursprungligt meddelande|opprinnelig melding|"
    r"wiadomość oryginalna|"
    r"alkuperäinen viesti|původní zpráva|původní e-mail|izvorna poruka|eredeti üzenet|исходное сообщение|"
    r"reply message|reply above this line)",
    re.IGNORECASE,
)
_REPLY_ABOVE: Final = re.compile(r"^\W*(?:please )?(?:reply|respond|write) above this line", re.IGNORECASE)
_FORWARD: Final = re.compile(
    r"^[\s>*]*(?:[-_=~]{2,}\s*)?(begin forwarded message|forwarded (?:message|by|from)|"
    r"weitergeleitete nachricht|"
    r"anfang der weitergeleiteten|message transféré|début du message|mensaje reenviado|inicio del mensaje|"
    r"messaggio inoltrato|inizio messaggio|doorgestuurd bericht|begin doorgestuurd|mensagem (?:encaminhada|"
    r"reenviada|reencaminhada)|"
    r"início da mensagem|wiadomość (?:przekazana|napisana)|treść przekazanej|początek przekazywanej|"
    r"vidarebefordrat|vidarebefordrat "
    r"meddelande|vidarebefordrat brev|videresendt|videresendt besked|start på videresendt|välitetty viesti|"
    r"välitetty|välitetyn viestin|alkaa välitetty|přeposlaná zpráva|začátek přeposlané|začátek přesměrované|"
    r"proslijeđena poruka|proslijeđen|prosleđena|továbbított (?:üzenet|levél)|mesaj redirecționat|"
    r"începe mesajul|"
    r"mesajul redirecționat|начало переадресованного|пересылаемое|пересланное|переслане|"
    r"початок листа|iletilen (?:mesaj|ileti)|yönlendirilmiş|preposlaná|forwarded by|"
    r"转发的邮件|轉寄|転送|forwarded conversation)",
    re.IGNORECASE,
)
# The field names of the header block that Outlook and others put above a quoted mail.
_FROM_FIELD: Final = re.compile(
    r"^[\s>*|]*\*?(from|von|de|da|van|od|från|fra|lähettäjä|expéditeur|feladó|от|від|кому|kimden|gönderen|"
    r"από|差出人|发件人|"
    r"寄件者|expeditor|remitente|mittente|afsender|avsender|avsändare|nadawca|odosielateľ)\s?\*?\s?[:：]\*?\s*\S",
    re.IGNORECASE,
)
_OTHER_FIELD: Final = re.compile(
    r"^[\s>*|]*\*?(sent|date|to|subject|gesendet|datum|an|betreff|envoyé|date|à|objet|enviado(?: el)?|"
    r"fecha|para|asunto|"
    r"inviato|data|a|oggetto|verzonden|aan|onderwerp|assunto|wysłano|do|temat|skickat|till|ämne|sendt|til|"
    r"emne|dato|"
    r"lähetetty|päivämäärä|päiväys|vastaanottaja|aihe|odesláno|komu|předmět|poslano|za|prima|predmet|"
    r"elküldve|dátum|"
    r"címzett|tárgy|trimis|către|subiect|отправлено|дата|кому|тема|gönderildi|tarih|kime|konu|"
    r"datum|reply-to|cc|kopie)\s?\*?\s?[:：]",
    re.IGNORECASE,
)
_RULE: Final = re.compile(r"^\s*[_-]{10,}\s*$")
_DEVICE: Final = re.compile(
    r"^\s*(sent from my|sent from (?:mail|outlook|yahoo|proton)|get outlook for|"
    r"von meinem .{1,40} gesendet|gesendet von|"
    r"envoyé de(?:puis)? mon|enviado desde mi|inviato da|verstuurd vanaf|enviado do meu|skickat från min|"
    r"sendt fra min|"
    r"lähetetty .{1,20}stani|odesláno z|wysłane z)\b",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Split:
    """The writer's own words, and whether the text quotes or forwards another mail."""

    new: str
    quoted: bool
    forwarded: bool


def split(text: str) -> Split:
    """Own words of `text` (clean, unix line ends), at most 16 KB of them; empty where everything is
    quoted.
    """
    lines = text[: NEW_TEXT_CHARS * 8].split("\n")
    kept: list[str] = []
    quoted = forwarded = False
    index = 0
    while index < len(lines):
        line = lines[index]
        head = line[:_LINE_CHARS]
        if head.lstrip().startswith(_MARKS):
            quoted = True
            forwarded = forwarded or _FORWARD.match(head) is not None
            index += 1
            continue
        if _FORWARD.match(head):
            forwarded = True
            break
        if _CUT.match(head) or _REPLY_ABOVE.match(head):
            quoted = True
            break
        if _header_block(lines, index):
            # A block of fields with nothing above it is how a forward looks, below own words a reply.
            quoted = True
            forwarded = forwarded or not "".join(kept).strip()
            break
        if head.rstrip() == "--" or _DEVICE.match(head):
            index = _after_signature(lines, index)
            continue
        length = _introduction(lines, index)
        if length:
            quoted = True
            following = next((later for later in lines[index + length :] if later.strip()), "")
            if following.lstrip().startswith(_MARKS):
                index += length
                continue
            if any(later.strip() for later in lines[index + length : index + length + 20]):
                break
            index += length
            continue
        if not (_RULE.match(head) and _header_block(lines, _next_text(lines, index + 1))):
            kept.append(line)
        index += 1
    new = re.sub(r"\n{3,}", "\n\n", "\n".join(kept)).strip()
    return Split(new[:NEW_TEXT_CHARS], quoted, forwarded)


def _next_text(lines: list[str], index: int) -> int:
    for offset in range(index, min(index + 3, len(lines))):
        if lines[offset].strip():
            return offset
    return index


def _header_block(lines: list[str], index: int) -> bool:
    if index >= len(lines) or not _FROM_FIELD.match(lines[index][:_LINE_CHARS]):
        return False
    following = [line for line in lines[index + 1 : index + 12] if line.strip()][:5]
    return sum(1 for line in following if _OTHER_FIELD.match(line[:_LINE_CHARS])) >= 2


def _introduction(lines: list[str], index: int) -> int:
    """How many lines from here are an "On …, … wrote:"; 0 where there is none. At most three are looked
    at.
    """
    if not lines[index].strip():
        return 0
    joined = ""
    for length in (1, 2, 3):
        if index + length > len(lines):
            return 0
        line = lines[index + length - 1][:_LINE_CHARS].strip()
        if not line or line.startswith(_MARKS):
            return 0
        joined = f"{joined} {line}".strip()
        if _WROTE.search(joined[-_LINE_CHARS:]):
            starts = _WROTE_START.match(joined) or re.search(r"\d{1,2}[:.]\d\d|\d{4}|@", joined)
            return length if starts else 0
    return 0


def _after_signature(lines: list[str], index: int) -> int:
    """The first line after a signature: the next quote mark or quote head, or the end; nothing else is
    skipped.
    """
    for later in range(index + 1, len(lines)):
        line = lines[later][:_LINE_CHARS]
        if line.lstrip().startswith(_MARKS) or _CUT.match(line) or _FORWARD.match(line):
            return later
        if _introduction(lines, later) or _header_block(lines, later):
            return later
    return len(lines)
