"""`manage.py check_corpus --mail DIR`: how intake reads a folder of sample mails, against what is
expected.
"""

import csv
import re
import time
from argparse import ArgumentParser
from collections import Counter
from email.message import EmailMessage
from pathlib import Path
from typing import Any, Final

from django.core.management.base import BaseCommand, CommandError

from dsar.intake.mail.classify import Suggestion, classify
from dsar.intake.mail.parse import ParsedMail, parse

_LETTERS: Final[dict[str, frozenset[str]]] = {
    "access": frozenset({"access"}),
    "erasure": frozenset({"deletion"}),
    "rectification": frozenset({"correction"}),
    "objection": frozenset({"objection", "marketing_opt_out"}),
}
_MACHINES: Final[dict[str, frozenset[str]]] = {
    "bounce": frozenset({"bounce"}),
    "bounce-malformed": frozenset({"bounce", "triage", "quarantined"}),
    "arf-complaint": frozenset({"complaint"}),
    "mdn": frozenset({"receipt"}),
    "auto-reply": frozenset({"auto_reply"}),
    "list/bulk": frozenset({"list", "triage"}),
    "malformed": frozenset({"person", "triage", "quarantined"}),
}
_TICKET: Final = frozenset({"person", "triage"})


class Command(BaseCommand):
    """Reads every mail that `MANIFEST.tsv` lists (path, bytes, class, expected) and prints outcomes by class.

    A letter template counts twice: as it stands, and with its optional paragraphs taken out. Ends with an
    error
    where anything raised or a clear suggestion was wrong.
    """

    help = "Reads a folder of sample mails with a MANIFEST.tsv and prints outcomes against expectations."

    requires_system_checks = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        """The folder, and whether to name what deviates."""
        parser.add_argument("--mail", required=True, type=Path, metavar="DIR", help="folder with a MANIFEST.tsv")
        parser.add_argument("--list", action="store_true", help="name every sample that deviates")

    def handle(self, *args: Any, **options: Any) -> None:
        """Runs the check; raises CommandError for a folder without a manifest, and where the check fails."""
        folder: Path = options["mail"]
        manifest = folder / "MANIFEST.tsv"
        if not manifest.is_file():
            raise CommandError(f"{manifest} does not exist.")
        with manifest.open(encoding="utf-8", newline="") as handle:
            rows = list(csv.DictReader(handle, delimiter="\t", quoting=csv.QUOTE_NONE))
        outcomes: dict[str, Counter[str]] = {}
        deviations: list[str] = []
        failed = wrong = clear = letters = 0
        started = time.monotonic()
        for row in rows:
            raw = (folder / row["path"]).read_bytes()
            for variant in _variants(row["class"], raw):
                counter = outcomes.setdefault(variant.name, Counter())
                try:
                    outcome, suggestion = _outcome(variant.name, variant.raw)
                except (
                    ValueError,
                    LookupError,
                    TypeError,
                    AttributeError,
                    RuntimeError,
                    ArithmeticError,
                    OSError,
                ) as error:
                    failed += 1
                    counter["raised"] += 1
                    deviations.append(f"raised {type(error).__name__}: {row['path']}")
                    continue
                failed += outcome == "parser_failed"
                verdict = _verdict(variant.name, outcome, suggestion)
                counter[outcome] += 1
                counter[f"= {verdict}"] += 1
                letters += variant.name.startswith("dsr-text:")
                clear += verdict == "clear, right"
                wrong += verdict == "clear, wrong"
                if verdict in ("other", "clear, wrong", "unclear"):
                    deviations.append(f"{verdict}: {row['path']} ({variant.name}): {outcome}")
        self._report(outcomes, deviations if options["list"] else [])
        self.stdout.write(
            f"{len(rows)} samples in {time.monotonic() - started:.0f} s; raised {failed}; "
            f"clear suggestions: {clear} right and {wrong} wrong, of {letters} letters"
        )
        if failed or wrong:
            raise CommandError("The check failed.")

    def _report(self, outcomes: dict[str, Counter[str]], deviations: list[str]) -> None:
        for name in sorted(outcomes):
            counts = outcomes[name]
            verdicts = ", ".join(f"{key[2:]} {n}" for key, n in counts.most_common() if key.startswith("= "))
            kinds = ", ".join(f"{key} {n}" for key, n in counts.most_common() if not key.startswith("= "))
            self.stdout.write(f"{name:32} {verdicts:40} [{kinds}]")
        for deviation in deviations:
            self.stdout.write(f"  {deviation}")


class _Variant:
    """One way to present a sample: its row's class (with a note) and the bytes to read."""

    def __init__(self, name: str, raw: bytes) -> None:
        self.name = name
        self.raw = raw


def _variants(name: str, raw: bytes) -> list[_Variant]:
    if name.startswith("dsr-text:"):
        text = raw.decode("utf-8", "replace")
        return [_Variant(f"{name} (full)", _wrap(text)), _Variant(name, _wrap(_without_options(text)))]
    if name.endswith("-text"):
        return [_Variant(name, _wrap(raw.decode("utf-8", "replace")))]
    return [_Variant(name, raw)]


def _without_options(text: str) -> str:
    """A letter template with its optional paragraphs out and its placeholders filled."""
    text = re.sub(r"\[(?:include_objection|erase_some|runs)>[^\[\]]*\]", "", text)
    text = re.sub(r"\[\w+>([^\[\]]*)\]", r"\1", text)
    return re.sub(r"\{(\w+)\}", "12 March 2024", text.replace("{request_article}", "17"))


def _wrap(text: str) -> bytes:
    """A body as a mail; a body that is only a subject line becomes the subject."""
    mail = EmailMessage()
    mail["From"] = "person@example.org"
    mail["To"] = "privacy@example.com"
    mail["Message-ID"] = "<sample@example.org>"
    single = text.strip()
    if "\n" not in single and len(single) < 200:
        mail["Subject"] = re.sub(r"\s+", " ", single.removeprefix("Subject:")).strip()
    mail.set_content(text, cte="base64")
    return mail.as_bytes()


def _outcome(name: str, raw: bytes) -> tuple[str, Suggestion | None]:
    mail = parse(raw)
    if not isinstance(mail, ParsedMail):
        return ("parser_failed" if mail.reason == "parser_failed" else "quarantined"), None
    suggestion = classify(mail.subject, mail.new_text)
    if name.startswith("forward"):
        return ("forwarded" if "forwarded" in mail.flags else "not seen"), suggestion
    if name.startswith("reply"):
        seen = "stripped" if len(mail.new_text) < len(mail.text) else "unchanged"
        return (seen if mail.new_text else "emptied"), suggestion
    if mail.kind == "person" and (mail.sender_unclear or "attached_mail" in mail.flags or "forwarded" in mail.flags):
        return "triage", suggestion
    return mail.kind, suggestion


def _verdict(name: str, outcome: str, suggestion: Suggestion | None) -> str:
    clear = suggestion.right if suggestion is not None and suggestion.confidence == "clear" else None
    if name.startswith("dsr-text:"):
        expected = _LETTERS.get(name.removeprefix("dsr-text:").split(" ")[0], frozenset())
        if clear is None:
            return "unclear" if expected else "as expected"
        return "clear, right" if clear in expected else "clear, wrong"
    if clear is not None:
        return "clear, wrong"
    if name.startswith("forward"):
        return "as expected" if outcome == "forwarded" else "other"
    if name.startswith("reply"):
        return "as expected" if outcome != "emptied" else "other"
    return "as expected" if outcome in _MACHINES.get(name, _TICKET) else "other"
