"""Looking for a person's data: by workers, ahead of the proof where they can, shown to nobody before it."""

import json
from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from dsar import bell, keys
from dsar.connectors import addresses
from dsar.enums import UNVERIFIED_RIGHTS, Lane, Right, State, StepReason
from dsar.fulfilment import plan as plans
from dsar.fulfilment import recourse, risk
from dsar.models import SYSTEM, Appeal, NonDisclosure, Plan, PrivacyRequest, Source
from dsar.models.non_disclosure import COULD_TELL, SILENT_ELSEWHERE
from dsar.models.request_conditions import no_copy_awaited
from dsar.notices import Notice
from dsar.notifications import known, outbox, undisclosed
from dsar.workflow import Conflict, Inside, Invalid, each, in_trouble, lock, move

BATCH = 50
NO_ACCOUNT = "no_account"
LONG_SEARCH = timedelta(minutes=2)


def drain(turn: bell.Turn | None = None) -> int:
    """Locate what is waiting, the proven first; returns how many were looked at."""
    to_settle = PrivacyRequest.objects.to_settle_locating().order_by("due_on", "pk")
    settled = list(to_settle.values_list("pk", flat=True)[:BATCH])
    each(settled, settle, "the search could not be settled", failed=in_trouble)
    # "locating" sorts before "verifying": whoever waits on a page comes first.
    to_locate = PrivacyRequest.objects.to_locate().order_by("state", "due_on", "pk")
    waiting = list(to_locate.values_list("pk", flat=True)[:BATCH])
    found = each(waiting, locate, "locating failed", failed=in_trouble)
    done = len(settled) + len(waiting)
    if turn and found and done >= BATCH:
        # There may be more, and something moves: a source that does not answer must not keep us running.
        turn.call_others()
    return done


def locate(pk: int) -> bool:
    """Ask every source about one request's person and store the plan; a proven request moves on. True where it did.

    A source that does not answer is asked again for LOCATE_FOR; after that it stands in the plan by its categories. One
    that cannot say which addresses it knows is asked again as long, and then shown to a person.
    """
    request = PrivacyRequest.objects.select_related("case").get(pk=pk)
    case = request.case
    try:
        address = case.email
    except keys.Unreadable:
        return False
    now = timezone.now()
    body = plans.build(address, case.email_index, case.regime, timezone.localdate(now), plans.weighed_of(request))
    note_sources(body, now)
    # A choice holds at once: the source that cannot be asked now is told when it is back.
    waits = request.state == State.VERIFYING or now - request.entered_at < settings.LOCATE_FOR
    if plans.failures(body) and waits and request.right not in UNVERIFIED_RIGHTS:
        return False
    if request.right in UNVERIFIED_RIGHTS:
        body["flags"] = sorted({*body["flags"], "unverified"})
    if not address:
        # Nothing was looked for: that nothing is held is for a person to say.
        body["flags"] = sorted({*body["flags"], NO_ACCOUNT})
    if request.right not in UNVERIFIED_RIGHTS:
        body["flags"] = sorted({*body["flags"], *risk.of(case, now)})
    if recourse.standing(request):
        body["flags"] = sorted({*body["flags"], recourse.REFUSED_BEFORE})
    if request.right in known.WATCHED:
        # Whoever's account it is hears of it wherever the company knows to reach them.
        body[known.IN_PLAN], whole = addresses.on_file(body["sources"])
        if not whole and waits:
            return False
        if not whole:
            body["flags"] = sorted({*body["flags"], known.UNKNOWN})
    if case.acts_as != "self":
        body["flags"] = sorted({*body["flags"], "representative"})
    with transaction.atomic():
        request = lock(pk)
        if request.located_at is not None or request.state not in (State.VERIFYING, State.LOCATING, State.REVIEW):
            return False
        store(request, body)
        if request.state == State.REVIEW:
            judgement = sorted({*request.judgement, *body["flags"], *_silent_elsewhere(request)})
            PrivacyRequest.objects.filter(pk=pk).update(judgement=judgement)
        PrivacyRequest.objects.filter(pk=pk).update(located_at=now)
        # What was written before it was doubted is for a person to look at, whatever is found now.
        PrivacyRequest.objects.filter(pk=pk).exclude(attention=StepReason.DISPUTED).update(attention="")
        if request.state == State.LOCATING:
            settle(pk)
    return True


def store(request: PrivacyRequest, body: plans.Body, *, frozen_at: datetime | None = None) -> Plan:
    """Write a new version of a request's plan, in the caller's transaction; what is not told is marked in it, and an address
    that was found once hears of the rest too."""
    body = plans.marked(body, undisclosed.places(request))
    last = request.plans.newest()
    if last is not None:
        last.request = request
        found = dict.fromkeys([*body.get(known.IN_PLAN, []), *last.body().get(known.IN_PLAN, [])])
        body |= {known.IN_PLAN: list(found)} if found else {}
    return Plan.objects.create(
        request=request, version=last.version + 1 if last else 1, digest=plans.digest(body), frozen_at=frozen_at,
        body_sealed=request.case.seal(json.dumps(body), "plan"),
    )  # fmt: skip


def settle(pk: int) -> None:
    """Move a proven, located request to where its plan says. Harmless where somebody else was faster."""
    plan = Plan.objects.filter(request_id=pk).select_related("request__case").order_by("-version").first()
    if plan is None:
        return
    body = plan.body()
    nothing = not plans.anything_held(body) and NO_ACCOUNT not in body["flags"]
    waited = timezone.now() - plan.request.entered_at
    try:
        with transaction.atomic():
            held = lock(pk)
            moved = move(
                pk, "located", actor=SYSTEM, nothing_held=nothing,
                judgement=[] if nothing else sorted({*body["flags"], *_silent_elsewhere(held)}),
                automatic=held.right in settings.AUTOMATIC_APPROVAL, inside=Inside(held),
            )  # fmt: skip
            if moved.attention == StepReason.ERROR:
                PrivacyRequest.objects.filter(pk=pk).update(attention="")
            if moved.right == Right.OBJECTION:
                # The use stops while it is weighed (begin.drain).
                bell.ring(Lane.FULFIL)
            by_post = moved.case.by_post and no_copy_awaited(moved)
            begun_anew = Appeal.objects.filter(opened=pk).exists()
            if moved.state == State.CONFIRMING and (waited > LONG_SEARCH or by_post or begun_anew):
                # Nobody watches a page that long, or has none open: the person is told that it goes on.
                outbox.queue(moved, Notice.CONFIRM_READY)
    except Conflict:
        return


def _silent_elsewhere(request: PrivacyRequest) -> set[str]:
    """The flag of a request that could tell what a law forbids to tell its person in another one: a person looks first
    (law 6). Asked of who is proven, under the lock of their identity."""
    could_tell = request.right in COULD_TELL and request.case.is_proven
    return {SILENT_ELSEWHERE} if could_tell and NonDisclosure.objects.elsewhere(request).exists() else set()


def look_again(request: PrivacyRequest) -> plans.Body | None:
    """The plan as it would be made now, where that differs in what is material from the one that stands; reads only.

    None where nothing material changed, and where a source does not answer: then the plan that stands is shown.
    """
    case = request.case
    body = plans.build(case.email, case.email_index, case.regime, timezone.localdate(), plans.weighed_of(request))
    current = request.plans.newest()
    body = plans.marked(body, undisclosed.places(request))
    if plans.failures(body) or current is None or current.digest == plans.digest(body):
        return None
    return body


def asked_anew(request: PrivacyRequest, weighed: plans.AllWeighed) -> plans.Body:
    """The plan as it would be made now by what was weighed. Raises Invalid where a source does not answer that did when
    the plan was made."""
    case, current = request.case, request.plans.newest()
    body = plans.build(case.email, case.email_index, case.regime, timezone.localdate(), weighed)
    if set(plans.failures(body)) - set(plans.failures(current.body()) if current else ()):
        raise Invalid(_("A source does not answer at the moment. Please try again in a few minutes."))
    return _with_addresses(request, body)


def _with_addresses(request: PrivacyRequest, body: plans.Body) -> plans.Body:
    """A plan that was made anew, with the addresses that the sources know now; asks them, outside of any transaction."""
    if request.right in known.WATCHED:
        body[known.IN_PLAN] = addresses.on_file(body["sources"])[0]
    return body


def refresh(pk: int) -> Plan | None:
    """Look again before a confirmation takes effect; a new version is stored only where something material changed."""
    request = PrivacyRequest.objects.select_related("case").get(pk=pk)
    body = look_again(request)
    if body is None:
        return None
    body = _with_addresses(request, body)
    with transaction.atomic():
        held = lock(pk)
        return None if held.is_bound else store(held, body)


def note_sources(body: plans.Body, now: datetime) -> None:
    """Remember which source answered and which did not, for the desk. Written only where it changed."""
    known = {source.key: source for source in Source.objects.all()}
    for key, found in body["sources"].items():
        source = known.get(key) or Source(key=key)
        failure = found["failure"] if found["failure"] != "source_off" else source.last_error
        if source.pk is None or source.last_error != failure:
            source.last_error = failure
            source.last_error_at = now if failure else source.last_error_at
            source.last_ok_at = source.last_ok_at if failure else now
            source.save()
