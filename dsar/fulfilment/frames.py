"""Encryption of a file at rest in frames of one size, so that it can be made and read piece by piece, from any place.

A frame is a nonce, up to FRAME bytes of plain text under AES-256-GCM, and its tag. What is authenticated beside the text
is the file's name, the frame's number and whether it is the last: a file that was cut off, reordered, or mended with
frames of another one is refused. Every frame but the last is full.
"""

import io
import secrets
from typing import Any, Protocol

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from dsar import keys

FRAME = 64 * 1024
NONCE, TAG = 12, 16
SEALED = NONCE + FRAME + TAG


class Sink(Protocol):
    """Where sealed bytes go."""

    def write(self, data: bytes, /) -> int: ...


class Origin(Protocol):
    """Where sealed bytes are read from."""

    def read(self, size: int = ..., /) -> bytes: ...
    def seek(self, offset: int, whence: int = ..., /) -> int: ...
    def close(self) -> None: ...


def _about(name: str, number: int, last: bool) -> bytes:
    return f"{name}:{number}:{int(last)}".encode()


class Writer(io.RawIOBase):
    """Takes plain bytes in any portions and writes sealed frames. Only after close() is the file whole.

    `name` is bound to every frame. `size` counts the plain bytes. It cannot seek: what is written stays.
    """

    def __init__(self, sink: Sink, key: bytes, name: str) -> None:
        super().__init__()
        self._sink, self._cipher, self._name = sink, AESGCM(key), name
        self._held = bytearray()
        self._number = 0
        self.size = 0

    def writable(self) -> bool:
        """It is."""
        return True

    def write(self, data: Any, /) -> int:
        """Take some plain bytes; returns how many (all of them)."""
        taken = memoryview(data).nbytes
        self._held += memoryview(data).cast("B")
        self.size += taken
        # What fills a frame exactly may still be the end.
        while len(self._held) > FRAME:
            self._emit(bytes(self._held[:FRAME]), last=False)
            del self._held[:FRAME]
        return taken

    def _emit(self, plain: bytes, *, last: bool) -> None:
        nonce = secrets.token_bytes(NONCE)
        self._sink.write(nonce + self._cipher.encrypt(nonce, plain, _about(self._name, self._number, last)))
        self._number += 1

    def finish(self) -> None:
        """Write the last frame. Without it nobody can read the file."""
        self._emit(bytes(self._held), last=True)
        self._held.clear()


class Reader(io.RawIOBase):
    """The plain bytes of a sealed file, from any place (read, seek, tell, `size`). Holds one frame at a time.

    `sealed_size` is the number of sealed bytes. Raises keys.Unreadable where the key does not fit or the bytes were
    changed, cut off or put in another order.
    """

    def __init__(self, origin: Origin, key: bytes, name: str, sealed_size: int) -> None:
        super().__init__()
        self._origin, self._cipher, self._name = origin, AESGCM(key), name
        self._frames, rest = divmod(sealed_size, SEALED)
        self._frames += bool(rest)
        if self._frames == 0 or (rest and rest < NONCE + TAG):
            raise keys.Unreadable("the file was cut off")
        self.size = sealed_size - self._frames * (NONCE + TAG)
        self._place = 0
        self._at = -1
        self._plain = b""
        # The end is looked at first: a file that was cut off at a frame is refused before a byte of it is handed out.
        self._load(self._frames - 1)

    def readable(self) -> bool:
        """It is."""
        return True

    def seekable(self) -> bool:
        """It is."""
        return True

    def tell(self) -> int:
        """The place in the plain bytes."""
        return self._place

    def seek(self, offset: int, whence: int = io.SEEK_SET, /) -> int:
        """Go to a place in the plain bytes; raises ValueError for one before the beginning."""
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._place, io.SEEK_END: self.size}[whence]
        if base + offset < 0:
            raise ValueError("a place before the beginning")
        self._place = base + offset
        return self._place

    def readinto(self, buffer: Any, /) -> int:
        """Fill the buffer as far as there is something; returns how many bytes."""
        view = memoryview(buffer).cast("B")
        done = 0
        while done < len(view) and self._place < self.size:
            number, inside = divmod(self._place, FRAME)
            if number != self._at:
                self._load(number)
            piece = self._plain[inside : inside + len(view) - done]
            view[done : done + len(piece)] = piece
            done += len(piece)
            self._place += len(piece)
        return done

    def close(self) -> None:
        """Close the sealed file too."""
        if not self.closed:
            self._origin.close()
        super().close()

    def _load(self, number: int) -> None:
        self._origin.seek(number * SEALED)
        sealed = self._origin.read(SEALED)
        last = number == self._frames - 1
        try:
            self._plain = self._cipher.decrypt(sealed[:NONCE], sealed[NONCE:], _about(self._name, number, last))
        except (InvalidTag, ValueError):
            raise keys.Unreadable("the file was changed, or belongs to another key") from None
        self._at = number
