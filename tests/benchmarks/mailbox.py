"""A mail server that takes everything and keeps nothing but the time of each letter. Loopback only."""

from __future__ import annotations

import asyncio
import threading
import time


class Mailbox:
    """An SMTP server (RFC 5321, the few verbs that a client needs) in a thread of its own.

    `arrivals`: when each mail came; `letters`: when each came that says that a deletion is carried out. At a release every
    address of the person hears of it too.
    """

    def __init__(self) -> None:
        self.arrivals: list[float] = []
        self.letters: list[float] = []
        self.port = 0
        self._loop = asyncio.new_event_loop()
        self._ready = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self) -> Mailbox:
        self._thread.start()
        self._ready.wait()
        return self

    def __exit__(self, *exception: object) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        server = self._loop.run_until_complete(asyncio.start_server(self._serve, "127.0.0.1", 0))
        self.port = server.sockets[0].getsockname()[1]
        self._ready.set()
        self._loop.run_forever()
        server.close()
        self._loop.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"220 sink\r\n")
        while line := await reader.readline():
            verb = line[:4].upper()
            if verb == b"DATA":
                writer.write(b"354 go on\r\n")
                mail = await reader.readuntil(b"\r\n.\r\n")
                self.arrivals.append(time.monotonic())
                if b"Subject: Your deletion request has been carried out" in mail:
                    self.letters.append(self.arrivals[-1])
                writer.write(b"250 taken\r\n")
            elif verb == b"QUIT":
                writer.write(b"221 bye\r\n")
                break
            else:
                writer.write(b"250 sink\r\n")
        writer.close()
