"""Limits of mail intake. A mail beyond one of them is quarantined with a reason, never dropped."""

from typing import Final

MAIL_BYTES: Final = 25 * 1024 * 1024
HEADER_BLOCK_BYTES: Final = 256 * 1024
HEADER_BYTES: Final = 8 * 1024
PARTS: Final = 200
DEPTH: Final = 20
ADDRESSES: Final = 100

MEMORY_BYTES: Final = 512 * 1024 * 1024
CPU_SECONDS: Final = 20
WALL_SECONDS: Final = 30

SUBJECT_CHARS: Final = 500
NAME_CHARS: Final = 200
MESSAGE_ID_CHARS: Final = 255
REFERENCES: Final = 50
TEXT_CHARS: Final = 1_000_000
NEW_TEXT_CHARS: Final = 16 * 1024
HTML_CHARS: Final = 2_000_000
HTML_DEPTH: Final = 200
OUTPUT_BYTES: Final = 16 * 1024 * 1024
