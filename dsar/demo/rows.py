"""Collects the rows of the demo company in memory, numbered, ready to be written in bulk."""

import hashlib
from collections import defaultdict
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from random import Random
from typing import Any

from sqlalchemy import Table

from dsar.demo import schema, words


@dataclass(frozen=True, slots=True)
class Person:
    """One account and what the other rows need to know about it."""

    id: int
    email: str
    full_name: str
    country: str
    currency: str
    tax_rate: int
    created_at: datetime
    rng: Random


class Rows:
    """Rows per table. `today` is the day the company is seen on (UTC); every other time is counted from it."""

    def __init__(self, today: date) -> None:
        self.today = today
        self.now = datetime.combine(today, time(9), tzinfo=UTC)
        self.tables: dict[str, list[dict[str, Any]]] = defaultdict(list)

    def ago(self, days: float) -> datetime:
        """The moment `days` before this morning, 09:00 UTC."""
        return self.now - timedelta(days=days)

    def add(self, table: Table, **values: Any) -> int:
        """Keep one row and return its number (1, 2, 3 … per table)."""
        rows = self.tables[table.name]
        number = len(rows) + 1
        rows.append({"id": number, **values})
        return number

    def user(self, email: str, full_name: str, rng: Random, *, days: float, **values: Any) -> Person:
        """Keep an account that was opened `days` ago; `values` replace what an ordinary account would have."""
        country, region, locale, currency, tax_rate = rng.choice(words.PLACES)
        if "country" in values:
            country, region, locale, currency, tax_rate = next(
                place for place in words.PLACES if place[:2] == (values["country"], values.get("region"))
            )
        created_at = self.ago(days)
        row: dict[str, Any] = {
            "email": email,
            "full_name": full_name,
            "display_name": full_name.partition(" ")[0],
            "phone": None,
            "password_hash": "pbkdf2$" + _digest("password", email),
            "country": country,
            "region": region,
            "locale": locale,
            "signup_ip": words.network_address(rng),
            "status": "active",
            "is_staff": False,
            "security_flag": False,
            "ledger_only": False,
            "processing_restricted": False,
            "restricted_at": None,
            "sale_opt_out": False,
            "targeted_ads_opt_out": False,
            "sensitive_use_limited": False,
            "consents_withdrawn": False,
            "contact_changed_at": None,
            "created_at": created_at,
            "last_seen_at": self.ago(rng.uniform(0, min(days, 60))),
            "closed_at": None,
        }
        number = self.add(schema.users, **{**row, **values})
        return Person(number, email, full_name, country, currency, tax_rate, created_at, rng)

    def member(self, organisation: int, person: Person, role: str, *, days: float) -> None:
        """Keep a membership."""
        self.add(
            schema.organisation_members,
            organisation_id=organisation,
            user_id=person.id,
            role=role,
            joined_at=self.ago(days),
        )

    def api_key(self, person: Person, *, days: float, organisation: int | None = None, revoked: bool = False) -> int:
        """Keep an API key and return its number."""
        secret = _digest("key", f"{person.email}:{len(self.tables['api_keys'])}")
        return self.add(
            schema.api_keys,
            user_id=person.id,
            organisation_id=organisation,
            label=person.rng.choice(words.KEY_LABELS),
            key_prefix=f"sk-{secret[:8]}",
            key_hash=secret,
            created_at=self.ago(days),
            last_used_at=self.ago(days * person.rng.random()),
            revoked_at=self.ago(days / 3) if revoked else None,
        )

    def calls(self, person: Person, key: int, count: int, *, days: float, organisation: int | None = None) -> None:
        """Keep `count` logged API calls made with a key within the last `days`."""
        rng = person.rng
        for _ in range(count):
            tokens = rng.randint(20, 4000)
            self.add(
                schema.activity_logs,
                api_key_id=key,
                organisation_id=organisation,
                endpoint=rng.choice(words.ENDPOINTS),
                model=rng.choice(words.MODELS),
                input_tokens=tokens,
                output_tokens=rng.randint(1, 2000),
                cost_cents=tokens // 400,
                ip_address=words.network_address(rng),
                created_at=self.ago(rng.uniform(0, days)),
            )

    def session(self, person: Person, *, days: float) -> None:
        """Keep a signed-in device, good for another month."""
        self.add(
            schema.sessions,
            user_id=person.id,
            token_hash=_digest("session", f"{person.email}:{len(self.tables['sessions'])}"),
            ip_address=words.network_address(person.rng),
            user_agent=person.rng.choice(words.AGENTS),
            created_at=self.ago(days),
            expires_at=self.now + timedelta(days=30),
        )

    def purchase(
        self, person: Person, amount_cents: int, remaining_cents: int, *, days: float, method: str = "card"
    ) -> str:
        """Keep a purchase of credits, which expire 365 days later, and return its payment reference."""
        bought_at = self.ago(days)
        number = len(self.tables["credit_purchases"])
        reference = f"pay_{_digest(method, f'{person.email}:{number}')[:20]}"
        self.add(
            schema.credit_purchases,
            user_id=person.id,
            bought_at=bought_at,
            amount_cents=amount_cents,
            fee_cents=0 if method == "promotional" else max(80, amount_cents * 55 // 1000),
            remaining_cents=remaining_cents,
            currency=person.currency,
            method=method,
            payment_reference=reference,
            expires_on=bought_at.date() + timedelta(days=365),
        )
        return reference

    def auto_topup(self, person: Person, *, enabled: bool) -> None:
        """Keep an automatic top-up."""
        self.add(
            schema.auto_topups,
            user_id=person.id,
            enabled=enabled,
            threshold_cents=500,
            amount_cents=2000,
            payment_token=f"pm_{_digest('method', person.email)[:16]}",
            created_at=person.created_at,
        )

    def invoice(
        self,
        person: Person,
        amount_cents: int,
        issued_on: date,
        *,
        organisation: int | None = None,
        named: bool = True,
    ) -> None:
        """Keep an invoice; an organisation's is made out to it, not to the member. `named` False: names are gone."""
        net = amount_cents * 100 // (100 + person.tax_rate)
        number = len(self.tables["invoices"]) + 1
        name, email = person.full_name, person.email
        address: str | None = words.postal_address(person.country, person.rng)
        if organisation is not None:
            name, email = f"Organisation {organisation}", f"billing.{organisation}@example.com"
        self.add(
            schema.invoices,
            user_id=person.id,
            organisation_id=organisation,
            number=f"INV-{issued_on.year}-{number:06d}",
            issued_on=issued_on,
            net_cents=net,
            tax_cents=amount_cents - net,
            amount_cents=amount_cents,
            tax_rate=f"{person.tax_rate}%",
            tax_country=person.country,
            currency=person.currency,
            bill_to_name=name if named else None,
            bill_to_email=email if named else None,
            bill_to_address=address if named else None,
        )

    def refund(self, person: Person, reference: str, amount_cents: int, *, days: float, paid: bool) -> None:
        """Keep a refund promised `days` ago, due within 30 days of the promise."""
        promised = self.ago(days)
        self.add(
            schema.refunds,
            user_id=person.id,
            payment_reference=reference,
            amount_cents=amount_cents,
            currency=person.currency,
            status="paid" if paid else "due",
            request_ref=None,
            due_on=promised.date() + timedelta(days=30),
            payee_name=person.full_name,
            note="Asked for within a day of the purchase.",
            created_at=promised,
            paid_at=promised + timedelta(days=4) if paid else None,
        )

    def security_log(self, person: Person, *, days: float) -> None:
        """Keep a security event of `days` ago."""
        self.add(
            schema.security_logs,
            user_id=person.id,
            event=person.rng.choice(words.SECURITY_EVENTS),
            ip_address=words.network_address(person.rng),
            user_agent=person.rng.choice(words.AGENTS),
            created_at=self.ago(days),
        )

    def prompt(self, person: Person, *, days: float, text: str = "", organisation: int | None = None) -> None:
        """Keep what was asked of a model, and its answer."""
        self.add(
            schema.prompts,
            user_id=person.id,
            organisation_id=organisation,
            model=person.rng.choice(words.MODELS),
            prompt=text or words.prompt(person.rng),
            output=person.rng.choice(words.ANSWERS),
            created_at=self.ago(days),
        )

    def search(self, person: Person, *, days: float) -> None:
        """Keep a search on the site."""
        self.add(
            schema.searches,
            user_id=person.id,
            query=person.rng.choice(words.QUESTIONS),
            created_at=self.ago(days),
        )

    def support_mail(self, person: Person, *, days: float) -> None:
        """Keep a letter to support."""
        subject = person.rng.choice(words.SUBJECTS)
        self.add(
            schema.support_mails,
            user_id=person.id,
            from_address=person.email,
            subject=subject,
            body=f"Hello, {subject.lower()}: could you have a look? Best wishes, {person.full_name}",
            received_at=self.ago(days),
        )

    def survey_answer(self, person: Person, *, days: float) -> None:
        """Keep an answer to a survey."""
        survey, question = person.rng.choice(words.SURVEYS)
        self.add(
            schema.survey_answers,
            user_id=person.id,
            survey=survey,
            question=question,
            answer=f"Mostly {person.rng.choice(words.TOPICS)}.",
            answered_at=self.ago(days),
        )

    def consent(self, person: Person, channel: str, *, granted: bool) -> None:
        """Keep a consent to marketing, or its withdrawal a week after it was given."""
        self.add(
            schema.marketing_consents,
            user_id=person.id,
            channel=channel,
            granted=granted,
            collected_at_page=person.rng.choice(words.PLACES_OF_CONSENT),
            granted_at=person.created_at,
            withdrawn_at=None if granted else person.created_at + timedelta(days=7),
            withdrawn_through=None if granted else "account settings",
        )


def _digest(kind: str, value: str) -> str:
    """A value that looks like the hash of a secret and is none."""
    return hashlib.sha256(f"demo:{kind}:{value}".encode()).hexdigest()
