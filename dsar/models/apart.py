"""Nobody handles their own request, or that of somebody whom they are close to: from which cases a colleague is kept apart.

`audit.record` asks it for every deed of the desk on a case, so that none is left out; the desk asks it before a page of
a case opens, and leaves such cases out of its lists.
"""

from django.db.models import CharField, Q, Value

from accounts.models import User
from dsar import keys
from dsar.enums import ActorKind, Apart
from dsar.models.actor import Actor, Forbidden
from dsar.models.case import Case
from dsar.models.lost_mailbox import LostMailbox
from dsar.models.recusal import Recusal
from dsar.models.representation import Representation


def apart_from(user_id: int | None, address: str | None = None) -> dict[int, Apart]:
    """The cases (by key) that this colleague handles nothing of, and why. `address`: theirs, where it is at hand.

    Their own: the mailbox of the case is theirs, or that of who asks for the person, or the new one that is named for it.
    Those of somebody whom they are named as close to. And whatever else is the same person's.
    """
    if user_id is None:
        return {}
    return _apart([user_id], keys.email_index(_address(user_id) if address is None else address))


def apart_from_address(address: str) -> dict[int, Apart]:
    """The same for whoever reads a mailbox: a data owner may be a colleague of the desk too, and signs in to nothing."""
    index = keys.email_index(address)
    if not index:
        return {}
    named = Recusal.objects.standing().values_list("user_id", "user__email").distinct()
    return _apart([pk for pk, email in named if keys.email_index(email) == index], index)


def _apart(colleagues: list[int], index: str) -> dict[int, Apart]:
    named = Recusal.objects.standing().filter(user__in=colleagues)
    found = named.values_list("case_id", Value(Apart.NAMED.value, CharField()))
    if index:
        own = Value(Apart.OWN.value, CharField())
        found = found.union(
            Case.objects.filter(email_index=index).values_list("pk", own),
            Representation.objects.filter(email_index=index).values_list("case_id", own),
            LostMailbox.objects.filter(address_index=index, dropped_at__isnull=True).values_list("case_id", own),
        )
    # "own" comes after "named" in the alphabet, and counts first.
    why = {pk: Apart(reason) for pk, reason in sorted(found)}
    return why | _same_people(why) if why else {}


def _address(user_id: int) -> str:
    return User.objects.filter(pk=user_id).values_list("email", flat=True).first() or ""


def _same_people(why: dict[int, Apart]) -> dict[int, Apart]:
    """The other cases of these people: of the same mailbox, or of the same proven identity."""
    of_index: dict[str, Apart] = {}
    of_subject: dict[int, Apart] = {}
    for pk, index, subject in Case.objects.filter(pk__in=why).values_list("pk", "email_index", "subject_id"):
        if index:
            of_index[index] = why[pk]
        if subject:
            of_subject[subject] = why[pk]
    others = Case.objects.filter(Q(email_index__in=of_index) | Q(subject__in=of_subject)).exclude(pk__in=why)
    return {
        pk: of_index.get(index) or of_subject[subject]
        for pk, index, subject in others.values_list("pk", "email_index", "subject_id")
    }


def keep_apart(case_id: int, actor: Actor) -> None:
    """Raise Forbidden, with the named reason, where this colleague handles nothing of the case. Persons, workers and data
    owners pass."""
    if actor.kind != ActorKind.STAFF:
        return
    if reason := apart_from(actor.user_id).get(case_id):
        raise Forbidden(reason.value)


def keep_apart_from_person(index: str, actor: Actor) -> None:
    """The same for what hangs on a person's address (its keyed hash) instead of a case: a legal hold."""
    if actor.user_id is None:
        return
    mine, own = apart_from(actor.user_id), keys.email_index(_address(actor.user_id))
    theirs = Case.objects.filter(email_index=index, pk__in=mine) if index else Case.objects.none()
    if index and (index == own or theirs.exists()):
        raise Forbidden(Apart.OWN.value if index == own else Apart.NAMED.value)


def is_apart(case: Case, address: str) -> bool:
    """Whether whoever reads this mailbox is the person of a case, asks for them, or is kept apart from them: nobody looks up
    their own data, or those of somebody whom they are close to."""
    return case.pk in apart_from_address(address)
