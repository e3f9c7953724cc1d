"""Turning untrusted bytes into text that a database, a page and a log can hold.

No codec is ever looked up by a name out of a mail: `punycode` is quadratic, `unicode_escape` makes lone
surrogates, and Python knows many more that are not character sets at all.
"""

import re
import unicodedata
from typing import Final

_CODECS: Final[dict[str, str]] = {
    "ascii": "ascii",
    "us-ascii": "ascii",
    "ansi_x3.4-1968": "ascii",
    "utf-8": "utf-8",
    "utf8": "utf-8",
    "utf-16": "utf-16",
    "utf-16le": "utf-16-le",
    "utf-16be": "utf-16-be",
    "latin1": "cp1252",
    "latin-1": "cp1252",
    "iso-8859-1": "cp1252",
    "iso8859-1": "cp1252",
    "iso_8859-1": "cp1252",
    "windows-1252": "cp1252",
    "cp1252": "cp1252",
    "cp850": "cp850",
    "ibm850": "cp850",
    "cp866": "cp866",
    "ibm866": "cp866",
    "macintosh": "mac-roman",
    "koi8-r": "koi8-r",
    "koi8-u": "koi8-u",
    "gb2312": "gb18030",
    "gbk": "gb18030",
    "gb18030": "gb18030",
    "big5": "big5hkscs",
    "big5-hkscs": "big5hkscs",
    "euc-jp": "euc_jp",
    "shift_jis": "cp932",
    "shift-jis": "cp932",
    "cp932": "cp932",
    "iso-2022-jp": "iso2022_jp_2",
    "euc-kr": "cp949",
    "ks_c_5601-1987": "cp949",
    "tis-620": "cp874",
    "windows-874": "cp874",
    **{f"iso-8859-{n}": f"iso8859_{n}" for n in (2, 3, 4, 5, 6, 7, 8, 10, 13, 14, 15, 16)},
    **{f"iso8859-{n}": f"iso8859_{n}" for n in (2, 3, 4, 5, 6, 7, 8, 10, 13, 14, 15, 16)},
    "iso-8859-9": "cp1254",
    "iso-8859-8-i": "iso8859_8",
    **{f"windows-{n}": f"cp{n}" for n in range(1250, 1259)},
    **{f"cp{n}": f"cp{n}" for n in range(1250, 1259)},
}
_GUESSES: Final = [
    "utf_8", "cp1252", "cp1250", "cp1251", "cp1253", "cp1254", "koi8_r", "gb18030", "big5", "cp932", "euc_jp",
    "cp949", "iso8859_2", "iso8859_15",
]  # fmt: skip
_SAMPLE_BYTES: Final = 16 * 1024

# C0 and C1 controls, bidi controls and marks, invisible spacers, the byte order mark, tags, non-characters.
_UNWANTED: Final = re.compile(
    "[\x00-\x08\x0e-\x1f\x7f-\x84\x86-\x9f\xad\u061c\u200b\u200e\u200f\u202a-\u202e\u2060-\u2064\u2066-\u206f"
    "\ufeff\ufff9-\ufffb\ufffe\uffff\U000e0000-\U000e007f]"
)
_SURROGATES: Final = re.compile("[\ud800-\udfff]")
_BREAKS: Final = re.compile("\r\n?|[\x85\u2028\u2029]")
_SPACES: Final = re.compile(r"[\s\x0b\x0c]+")


def codec_for(label: str) -> str | None:
    """The codec for a character set label, or None where the label is not on the allow-list."""
    return _CODECS.get(label.strip().strip("\"'").lower()[:40])


def decode(data: bytes, label: str = "") -> tuple[str, bool]:
    """Text for `data`, labelled `label`; the second value says that the label was missing, wrong or unknown.

    Never raises. Where nothing fits, undecodable bytes become U+FFFD.
    """
    codec = codec_for(label) if label else "ascii"
    if codec is not None:
        try:
            return data.decode(codec), False
        except (UnicodeDecodeError, UnicodeError):
            pass
    try:
        return data.decode("utf-8"), bool(label) and codec not in ("ascii", "utf-8")
    except UnicodeDecodeError:
        pass
    guess = _guess(data)
    return data.decode(guess, "replace"), True


def _guess(data: bytes) -> str:
    from charset_normalizer import from_bytes  # slow to import, and rarely needed

    sample = data[:_SAMPLE_BYTES]
    try:
        best = from_bytes(sample, cp_isolation=_GUESSES, preemptive_behaviour=False).best()
    except (ValueError, LookupError, UnicodeError):
        best = None
    return best.encoding if best is not None and best.encoding in _GUESSES else "cp1252"


def clean_text(text: str) -> str:
    """Text with unix line ends and without NUL, control, bidi and invisible characters or lone surrogates."""
    text = _SURROGATES.sub("\ufffd", text)
    text = _BREAKS.sub("\n", text).replace("\x0b", " ").replace("\x0c", "\n")
    return unicodedata.normalize("NFC", _UNWANTED.sub("", text))


def clean_line(text: str, limit: int) -> str:
    """One line of clean text of at most `limit` characters: no line break survives into a header or a
    page.
    """
    return _SPACES.sub(" ", clean_text(text[: limit * 8])).strip()[:limit].strip()


def clean_file_name(name: str, limit: int = 120) -> str:
    """A display name for an attachment: no folder, no control or bidi character, no leading dot; may be
    empty.
    """
    name = clean_line(name.replace("\x00", ""), limit * 4).replace("\\", "/").rsplit("/", 1)[-1]
    name = re.sub(r'[<>:"|?*;`$&%]', "_", name).strip(" .")
    if len(name) > limit:
        stem, dot, ending = name.rpartition(".")
        name = f"{stem[: limit - 12]}{dot}{ending[:10]}" if dot else name[:limit]
    return name
