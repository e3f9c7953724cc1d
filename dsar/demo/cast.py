"""The people of the demo company whom tests, pictures and walk-throughs call by name."""

from dataclasses import dataclass, fields


@dataclass(frozen=True, slots=True)
class Cast:
    """E-mail addresses, one field per part. Each belongs to a person of their own, but where two are named."""

    plain: str = "adalin.merefield@example.com"
    """Ordinary: rows in every table a person of their own can have rows in, card credits left, auto top-up on."""
    two_accounts: tuple[str, str] = ("brannic.holtwood@example.com", "b.holtwood.work@example.org")
    """One person with two accounts under two addresses, with the same name and telephone number."""
    shared_phone: tuple[str, str] = ("calluna.reedham@example.com", "corvin.reedham@example.com")
    """Two different people who share a telephone number."""
    third_person: str = "dorwin.thistleton@example.net"
    """A prompt of somebody else names this person."""
    third_person_author: str = "edda.quarrymere@example.net"
    """Wrote the prompt that names `third_person`."""
    refund_due: str = "elowyn.larchdale@example.com"
    """A refund has been promised and not been paid yet."""
    crypto: str = "fenna.flintmoor@example.org"
    """Paid with crypto and has credits left, which are never refunded."""
    sole_owner: str = "fridolin.birchwick@example.com"
    """The only owner of an organisation that has another member."""
    sole_owner_colleague: str = "garrow.ashcombe@example.com"
    """The other member of that organisation."""
    on_hold: str = "gwenna.sorrelgarth@example.com"
    """Under a legal hold; the hold itself is a record of the desk."""
    org_member: str = "henrike.fallowbeck@example.org"
    """Member of an organisation to which some of the keys, calls and prompts belong."""
    org_owner: str = "idris.willowstead@example.org"
    """One of the two owners of that organisation."""
    recently_changed: str = "ilsabet.frostley@example.com"
    """Changed the contact details five days ago."""
    terminated: str = "jarek.thornhurst@example.net"
    """The account was terminated for a violation; the credits left are not refunded."""
    neighbour: str = "jorun.hazelbank@example.com"
    """Ordinary; nothing is ever done to this person, so that nothing may change."""
    security_flag: str = "kasimir.elderfell@example.net"
    """The account carries a security flag."""
    staff: str = "kerensa.mossbridge@example.com"
    """Works at the company."""
    mfa: str = "lioba.pebbleworth@example.com"
    """Ordinary; signs in at the desk with a second factor."""
    nothing_erasable: str = "ludek.wintercroft@example.org"
    """A closed account that stays as debtor in the books, with a recent security log: nothing may be erased yet."""
    unknown: str = "quilla.nowhere@example.net"
    """An address that belongs to nobody."""

    def known(self) -> tuple[str, ...]:
        """Every address of the cast that has an account, in a fixed order."""
        addresses: list[str] = []
        for field in fields(self):
            value = getattr(self, field.name)
            addresses.extend(value if isinstance(value, tuple) else (value,))
        return tuple(address for address in addresses if address != self.unknown)


CAST = Cast()
