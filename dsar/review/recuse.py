"""Naming a colleague who is close to the person of a case, or stepping aside oneself; and ending it again."""

from collections.abc import Collection

from django.db import transaction
from django.db.models import QuerySet, prefetch_related_objects
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.models import Role, User
from dsar import audit
from dsar.models import Actor, PrivacyRequest, Recusal
from dsar.models.apart import apart_from, keep_apart
from dsar.workflow import Conflict, Forbidden, Invalid, lock

OF_THE_DESK = (Role.HANDLER, Role.APPROVER, Role.AUDITOR)


def may_be_named(request: PrivacyRequest) -> QuerySet[User]:
    """The colleagues who can open this case so far."""
    there = Recusal.objects.standing().filter(case=request.case_id).values("user_id")
    people = User.objects.filter(is_active=True, role__in=OF_THE_DESK)
    return people.exclude(pk__in=there).order_by("full_name", "pk")


def name(pk: int, colleagues: Collection[int], *, actor: Actor) -> None:
    """Keep these colleagues (by key) apart from every case of this person. Oneself, one may always.

    Raises Forbidden, Conflict (purged), Invalid (nobody of the desk, or nobody left who could decide).
    """
    if not actor.is_handler or actor.user_id is None:
        raise Forbidden("recuse")
    with transaction.atomic():
        request = lock(pk)
        if request.case.purged_at:
            raise Conflict("recuse")
        known = list(may_be_named(request).filter(pk__in=colleagues))
        if not known:
            raise Invalid(_("Please choose at least one colleague."))
        keep_apart(request.case_id, actor)
        left = User.objects.filter(is_active=True, role=Role.APPROVER).exclude(pk__in=[one.pk for one in known])
        deciders = [one for one in known if one.role == Role.APPROVER and one.pk != actor.user_id]
        if deciders and not any(request.case_id not in apart_from(one.pk) for one in left):
            raise Invalid(
                _("Then no approver is left who could decide this. Please ask an administrator for one first.")
            )
        # Before the rows: whoever steps aside does nothing on this case afterwards.
        audit.record(request.case, *(audit.Entry("recused", actor, pk, details={"colleague": one.pk}) for one in known))
        Recusal.objects.bulk_create(Recusal(case=request.case, user=one, named_by_id=actor.user_id) for one in known)


def end(pk: int, recusal: int, *, actor: Actor) -> None:
    """Let a colleague handle this person's cases again. An approver, and never the colleague. Raises Forbidden, Conflict."""
    if not actor.is_approver:
        raise Forbidden("end_recusal")
    with transaction.atomic():
        request = lock(pk)
        found = Recusal.objects.standing().filter(case=request.case_id, pk=recusal).first()
        if found is None:
            raise Conflict("end_recusal")
        audit.record(request.case, audit.Entry("recusal_ended", actor, pk, details={"colleague": found.user_id}))
        found.ended_by_id, found.ended_at = actor.user_id, timezone.now()
        found.save(update_fields=["ended_by", "ended_at"])


def standing(request: PrivacyRequest) -> list[Recusal]:
    """The colleagues who are named in this case, in that order, with who named them."""
    found = [one for one in request.case.recusals.all() if one.ended_at is None]
    prefetch_related_objects(found, "user", "named_by")
    return sorted(found, key=lambda one: one.pk)
