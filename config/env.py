"""Strict readers for environment variables: a value that cannot be understood stops the start, naming the variable."""

import os
from collections.abc import Collection
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from django.core.exceptions import ImproperlyConfigured

TRUE = {"1", "true", "yes", "on"}
FALSE = {"0", "false", "no", "off", ""}


def text(name: str, default: str = "") -> str:
    """The variable as text, or the content of the file that NAME_FILE points to (for secrets)."""
    file = os.environ.get(f"{name}_FILE")
    if file:
        try:
            return Path(file).read_text().strip()
        except OSError as error:
            raise ImproperlyConfigured(f"{name}_FILE cannot be read: {error.strerror}.") from None
    return os.environ.get(name, default)


def boolean(name: str, default: bool = False) -> bool:
    """1/true/yes/on or 0/false/no/off."""
    value = os.environ.get(name)
    if value is None:
        return default
    if value.lower() in TRUE:
        return True
    if value.lower() in FALSE:
        return False
    raise ImproperlyConfigured(f"{name} must be one of 1/true/yes/on or 0/false/no/off.")


def integer(name: str, default: int, minimum: int = 0, maximum: int | None = None) -> int:
    """A whole number, not below `minimum` nor above `maximum`."""
    value = os.environ.get(name, "")
    if not value:
        return default
    try:
        number = int(value)
    except ValueError:
        raise ImproperlyConfigured(f"{name} must be a whole number.") from None
    if number < minimum:
        raise ImproperlyConfigured(f"{name} must be {minimum} or more.")
    if maximum is not None and number > maximum:
        raise ImproperlyConfigured(f"{name} must be {maximum} or less.")
    return number


def words(name: str, default: str = "", among: Collection[str] = ()) -> list[str]:
    """A comma-separated list; where `among` is given, of nothing but these."""
    found = [item.strip() for item in text(name, default).split(",") if item.strip()]
    if among and not set(found) <= set(among):
        raise ImproperlyConfigured(f"{name} must name nothing but {', '.join(among)}.")
    return found


def lines(*files: str | Path) -> frozenset[str]:
    """The lines of text files in lower case, without empty ones and those that begin with #; an empty name is no file."""
    found: set[str] = set()
    for file in files:
        if not file:
            continue
        try:
            text_of = Path(file).read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError):
            raise ImproperlyConfigured(f"{file} cannot be read.") from None
        found |= {line.strip().lower() for line in text_of.splitlines()}
    return frozenset(line for line in found if line and not line.startswith("#"))


def secret(name: str, *, development: str | None) -> str:
    """A secret that must be set; `development` is used where it is not and DEBUG is on."""
    value = text(name)
    if value:
        return value
    if development is not None:
        return development
    raise ImproperlyConfigured(f"{name} is missing. Set {name}, or {name}_FILE to a file that holds it.")


def database(url: str, *, default_sqlite: Path) -> dict[str, Any]:
    """Django's DATABASES entry for postgres://user:password@host:port/name?option=value or sqlite:///path.

    SQLite runs in WAL mode with IMMEDIATE transactions and synchronous=FULL: with deferred ones a
    concurrent read-then-write fails, and a confirmation must survive a power cut.
    """
    parts = urlsplit(url or f"sqlite:///{default_sqlite}")
    if parts.scheme in {"postgres", "postgresql"}:
        options: dict[str, Any] = dict(parse_qsl(parts.query))
        options.setdefault("connect_timeout", "5")
        # A machine that vanishes or sleeps inside a transaction must not keep its locks: a step resumes within 90 s.
        options.setdefault("options", "-c idle_in_transaction_session_timeout=20s")
        host = options.pop("host", None) or unquote(parts.hostname or "")
        return {
            "ENGINE": "django.db.backends.postgresql",
            "NAME": unquote(parts.path.lstrip("/")),
            "USER": unquote(parts.username or ""),
            "PASSWORD": unquote(parts.password or ""),
            "HOST": host,
            "PORT": str(parts.port or ""),
            "CONN_MAX_AGE": integer("DATABASE_CONN_MAX_AGE", 60),
            "CONN_HEALTH_CHECKS": True,
            "OPTIONS": options,
        }
    if parts.scheme in {"sqlite", "sqlite3"}:
        path = unquote(parts.path)
        name = path[1:] if path.startswith("//") else path
        if name != ":memory:":
            Path(name).parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        return {
            "ENGINE": "django.db.backends.sqlite3",
            "NAME": name,
            "CONN_MAX_AGE": None,
            "OPTIONS": {
                "timeout": 20,
                "transaction_mode": "IMMEDIATE",
                "init_command": (
                    "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA foreign_keys=ON;"
                    " PRAGMA recursive_triggers=ON; PRAGMA busy_timeout=20000;"
                ),
            },
        }
    raise ImproperlyConfigured("DATABASE_URL must begin with postgres:// or sqlite:///.")
