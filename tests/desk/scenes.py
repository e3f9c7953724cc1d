"""Requests in every state, made by the engine itself; and many cheap rows for the queue."""

import uuid
from collections.abc import Sequence
from datetime import timedelta
from email.message import EmailMessage

from django.db.models import F
from django.test import Client
from django.utils import timezone

from accounts.models import Role, User
from dsar.demo.cast import CAST
from dsar.enums import Channel, Right, State, StepKind, StepReason, StepStatus
from dsar.fulfilment import access, begin, control, locating, restricting, runner, silence
from dsar.intake import email as incoming
from dsar.intake import filing, submit, web
from dsar.law import regimes
from dsar.models import REQUESTER, Actor, Case, CaseKey, Correction, IdentityCheck, Message, PrivacyRequest, Step, staff
from dsar.notifications import undelivered as letters
from dsar.review import corrections, decide, laws, recuse, refusals
from dsar.verification import by_hand, confirmation, links, papers, representation, signed
from tests import drive


def person(role: str, number: int = 0) -> User:
    """Somebody with a role (made once)."""
    email = f"{role or 'requester'}{number}@staff.example.com"
    return User.objects.filter(email=email).first() or User.objects.create_user(
        email, role=role, full_name=f"{role or 'requester'} {number}".title()
    )


def actor(role: str = Role.APPROVER, number: int = 0) -> Actor:
    """That person, as the audit trail knows them."""
    return staff(person(role, number))


def browser(role: str | None, number: int = 0) -> Client:
    """A signed-in browser; None signs nobody in."""
    client = Client()
    if role is not None:
        client.force_login(person(role, number), "allauth.account.auth_backends.AuthenticationBackend")
    return client


def ask(
    email: str, right: str = "deletion", *, country: str = "DE", days: int = 0, statement: str = ""
) -> PrivacyRequest:
    """A web form, received some days ago."""
    raw = drive.form_bytes(email, right, country=country, statement=statement, language="en")
    received = timezone.now() - timedelta(days=days)
    intake, _ = submit.receive(Channel.WEB, raw, f"web:{uuid.uuid4().hex}", received_at=received)
    return web.process(intake, raw).requests.get()


def fresh(request: PrivacyRequest) -> PrivacyRequest:
    """As the database has it now."""
    return PrivacyRequest.objects.select_related("case").get(pk=request.pk)


def prove(request: PrivacyRequest) -> PrivacyRequest:
    """The link is opened, the workers look."""
    links.prove_mailbox(request.case.checks.get(kind="mailbox", status="pending").token)
    locating.drain()
    return fresh(request)


def confirm(request: PrivacyRequest) -> PrivacyRequest:
    """The person confirms what they see; the accounts are closed."""
    plan = request.plans.newest()
    assert plan is not None
    confirmation.confirm(request.pk, plan.digest)
    runner.drain_closing()
    return fresh(request)


def release(request: PrivacyRequest) -> PrivacyRequest:
    """Released, not yet worked on."""
    return control.release(request.pk, actor=actor())


def triage(statement: str = "please help") -> PrivacyRequest:
    """A form that nobody understood yet."""
    return ask(CAST.plain, "", statement=statement)


def doubtful() -> PrivacyRequest:
    """A copy of somebody whose contact details changed lately."""
    return prove(ask(CAST.recently_changed, Right.ACCESS))


def paper_asked() -> PrivacyRequest:
    """A copy below its tier; a colleague has asked for an identity paper, and the person sent one."""
    request = below_its_tier()
    papers.ask(request.pk, "A doubt.", "Your passport, please.", actor=actor())
    papers.keep(request.case, "passport.png", b"a covered passport", actor=REQUESTER)
    return fresh(request)


def by_an_agent() -> PrivacyRequest:
    """A deletion that an agent asks for."""
    return drive.by_web(CAST.plain, acts_as="agent", own_name="Jorun Aske", own_email="asks-for-them@example.net")


def review() -> PrivacyRequest:
    """A deletion that needs judgement."""
    return prove(ask(CAST.org_member))


def unweighed() -> PrivacyRequest:
    """A deletion whose plan keeps something for a reason that nobody has weighed."""
    request = review()
    plan = request.plans.newest()
    assert plan is not None
    body = plan.body()
    body["items"].append(
        {"source": "platform", "category": "security", "label": "Security records", "action": "keep", "count": 3,
         "code": "SECURITY_LOGS", "citation": "", "until": None, "review_on": None}
    )  # fmt: skip
    locating.store(request, body)
    PrivacyRequest.objects.filter(pk=request.pk).update(judgement=[*request.judgement, "weigh"])
    return fresh(request)


def proposed(number: int = 7) -> PrivacyRequest:
    """A deletion in review that one approver proposes to refuse."""
    request = review()
    refusals.propose(request.pk, "MANIFESTLY_UNFOUNDED", "Because.", actor=actor(number=number), facts="Ten in a day.")
    return fresh(request)


def silent(confirmed: bool = False) -> PrivacyRequest:
    """A deletion in review of which something may not be told, as one approver (or two) found."""
    request = review()
    place = silence.found(request)[0][0]
    soon = timezone.localdate() + timedelta(days=30)
    one = silence.propose(request.pk, place, "A law", "An order of secrecy.", soon, actor=actor(number=7))
    if confirmed:
        silence.judge(request.pk, one.pk, True, actor=actor(number=8))
    return fresh(request)


def kept_apart() -> PrivacyRequest:
    """A deletion in review that one handler handles nothing of."""
    request = review()
    recuse.name(request.pk, [person(Role.HANDLER, 5).pk], actor=actor())
    return request


def owing() -> PrivacyRequest:
    """A copy that the person has been asked for a fee for."""
    return drive.Route(actor(Role.HANDLER), actor()).fee_asked()


def correction() -> PrivacyRequest:
    """A correction with one field that waits for its decision."""
    request = prove(ask(CAST.plain, "correction", statement="My name is wrong."))
    corrections.propose(request.pk, "name", "Adelina Ashgrove", actor=REQUESTER)
    return fresh(request)


def seen(request: PrivacyRequest, field: str = "name") -> dict[str, object]:
    """What the page's form says about one field of a correction."""
    known = request.corrections.get(field=field)
    return {"correction": known.pk, "seen": corrections.version_of(known)}


def refused_by_two() -> PrivacyRequest:
    """A correction of which two approvers, the first and the third, each refused a field."""
    request = correction()
    for number, field in enumerate(("phone", "country")):
        by = actor(number=2 * number).user_id
        Correction.objects.create(
            request=request,
            field=field,
            status="refused",
            code="NOT_SHOWN",
            decided_by_id=by,
            decided_at=timezone.now(),
        )
    Correction.objects.filter(request=request, field="name").update(
        status="accepted", decided_by_id=actor().user_id, decided_at=timezone.now()
    )
    return fresh(request)


def restricted() -> PrivacyRequest:
    """A restriction in force."""
    request = prove(ask(CAST.plain, "restriction"))
    decide.approve(request.pk, actor=actor(), ground="claims")
    runner.drain_fulfilling()
    return fresh(request)


def lifting() -> PrivacyRequest:
    """Its end announced."""
    request = restricted()
    restricting.lift(request.pk, "The claim is settled.", actor=actor())
    return fresh(request)


def not_restricted() -> PrivacyRequest:
    """A restriction that one system cannot carry out; every other has."""
    request = prove(ask(CAST.plain, "restriction"))
    decide.approve(request.pk, actor=actor(), ground="claims")
    begin.drain()
    steps = Step.objects.filter(request=request)
    steps.exclude(source="platform").update(status=StepStatus.DONE)
    steps.filter(source="platform").update(status=StepStatus.BLOCKED, reason=StepReason.NOT_SUPPORTED)
    return fresh(request)


def releasing() -> PrivacyRequest:
    """Confirmed."""
    return confirm(prove(ask(CAST.plain)))


def fulfilling() -> PrivacyRequest:
    """Released."""
    return fresh(release(releasing()))


def stuck(reason: str = StepReason.SCHEMA_CHANGED) -> PrivacyRequest:
    """Released, with a blocked step."""
    request = fulfilling()
    steps = Step.objects.filter(request=request, source="platform", kind="erase")
    steps.update(status=StepStatus.BLOCKED, reason=reason)
    PrivacyRequest.objects.filter(pk=request.pk).update(attention=reason)
    return fresh(request)


def claimed() -> PrivacyRequest:
    """Somebody says that they are the person's guardian."""
    return drive.by_web(CAST.plain, acts_as="guardian", own_name="Jorun Aske", own_email="stands-for-them@example.net")


def standing() -> PrivacyRequest:
    """Two approvers have seen that they are."""
    request = claimed()
    for number in (1, 2):
        representation.seen(fresh(request).case, "The order.", actor=actor(number=number))
    return fresh(request)


def disputed() -> PrivacyRequest:
    """Confirmed; then "this was not me"."""
    request = releasing()
    confirmation.not_me(request.case)
    return fresh(request)


def completed() -> PrivacyRequest:
    """Carried out."""
    request = fulfilling()
    runner.drain_fulfilling()
    return fresh(request)


def untold(recipient: str) -> PrivacyRequest:
    """Carried out, and a recipient's mail could not be sent."""
    request = completed()
    Message.objects.filter(request=request, tells__recipient=recipient).update(status="failed")
    return fresh(request)


def without_a_mailbox() -> PrivacyRequest:
    """A letter from somebody who cannot read the mailbox of their account."""
    from tests.desk import filed

    return filed.a_letter()


def seen_by_one() -> PrivacyRequest:
    """Somebody has seen who it is; a second person has to."""
    request = without_a_mailbox()
    by_hand.record(request.pk, "staff_judgement", "I know the voice.", actor=actor(number=1))
    return request


def to_sign(account: str = CAST.plain) -> PrivacyRequest:
    """A deletion whose person, shown by hand, has the page to sign."""
    from tests.desk import filed

    request = filed.a_letter(rights=["deletion"], email=account)
    drive.shown_by_hand(
        request.pk, "data_points_3_declared", "Three things, and it is signed.", actor=actor(Role.HANDLER)
    )
    IdentityCheck.objects.filter(kind="by_hand").update(counts_from=F("counts_from") - timedelta(days=8))
    by_hand.sweep()
    locating.drain()
    return fresh(request)


def signed_page() -> PrivacyRequest:
    """The signed page is filed, and nobody has agreed yet."""
    request = to_sign()
    clerk, number = actor(Role.HANDLER), uuid.uuid4().hex
    plan = request.plans.order_by("-version").first()
    assert plan is not None
    page = filing.signed_page(number, request, filing.today(), b"signed", actor=clerk)
    signed.file(request.pk, page, plan.digest[:12], filing.today(), actor=clerk)
    return request


def without_an_account() -> PrivacyRequest:
    """A letter that names no account."""
    from tests.desk import filed

    return filed.a_letter(email="")


def looked_for_by_hand() -> PrivacyRequest:
    """Shown who it is; no account was named, so no machine looked."""
    request = without_an_account()
    drive.shown_by_hand(request.pk, "data_points_2", "Two of our letters.", actor=actor(Role.HANDLER))
    locating.drain()
    return fresh(request)


def unreached() -> PrivacyRequest:
    """A mail that failed for good, and a postal address."""
    from tests.desk import filed

    request = filed.a_letter(answer="email")
    Message.objects.filter(request=request).update(status="failed")
    letters.note(request.pk)
    return fresh(request)


def unproven() -> PrivacyRequest:
    """Nobody opened the link; a person has to end it."""
    from dsar.models import SYSTEM
    from dsar.workflow import move

    return move(ask(CAST.plain).pk, "not_proven", actor=SYSTEM)


def answered() -> PrivacyRequest:
    """Refused; then the person wrote again."""
    request = drive.refuse(review().pk, "MANIFESTLY_UNFOUNDED", "Because.", facts="Ten in a day.", actor=actor())
    mail = EmailMessage()
    mail["From"], mail["To"], mail["Subject"] = request.case.email, request.case.reply_address(), "Re: your letter"
    mail.set_content("Here is my proof.")
    intake, _ = incoming.receive(mail.as_bytes())
    incoming.process(intake)
    return fresh(request)


def not_content() -> PrivacyRequest:
    """Refused, under a law that knows an appeal."""
    request = drive.refuse(review().pk, "MANIFESTLY_UNFOUNDED", "Because.", facts="Ten in a day.", actor=actor())
    Case.objects.filter(pk=request.case_id).update(regime="us_co_cpa", regime_version=regimes.load("us_co_cpa").version)
    return fresh(request)


def undelivered() -> PrivacyRequest:
    """Carried out; the letter could not be sent."""
    request = completed()
    Message.objects.filter(request=request, notice="done_erased").update(status="failed")
    letters.note(request.pk)
    return fresh(request)


def twin() -> PrivacyRequest:
    """An unsorted request beside an open, verified one from the same address."""
    prove(ask(CAST.plain))
    return triage()


def lives_elsewhere() -> PrivacyRequest:
    """In review; the person says that they live where they would have less."""
    request = review()
    laws.say(request.case_id, "US", "VA")
    return fresh(request)


def clarifying() -> PrivacyRequest:
    """A question is open."""
    return decide.ask(triage().pk, "What do you mean?", actor=actor(Role.HANDLER))


def asked_for_a_copy(right: str = Right.ACCESS) -> PrivacyRequest:
    """A copy that waits for its approval."""
    return prove(ask(CAST.plain, right))


def below_its_tier() -> PrivacyRequest:
    """A copy under a law that wants more than a mailbox for it."""
    return prove(ask(CAST.plain, Right.ACCESS, country="US-CA"))


def copying(right: str = Right.ACCESS) -> PrivacyRequest:
    """Approved, not yet worked on."""
    return decide.approve(asked_for_a_copy(right).pk, actor=actor())


def checking(right: str = Right.ACCESS) -> PrivacyRequest:
    """A copy that was put together."""
    request = copying(right)
    runner.drain_fulfilling()
    return fresh(request)


def looked_through() -> PrivacyRequest:
    """A copy that an approver has opened."""
    request = checking()
    access.open_to(request.pk, actor=actor())
    return request


def copy_stuck() -> PrivacyRequest:
    """A copy that one source keeps failing."""
    request = copying()
    begin.drain()
    steps = Step.objects.filter(request=request, source="platform", kind="export")
    steps.update(status=StepStatus.BLOCKED, reason=StepReason.PERMISSION)
    PrivacyRequest.objects.filter(pk=request.pk).update(attention=StepReason.PERMISSION)
    return fresh(request)


def handed_over() -> PrivacyRequest:
    """A copy on offer."""
    return control.hand_over(looked_through().pk, actor=actor())


def many(
    number: int, *, state: str = State.REVIEW, day: int = 20, references: Sequence[str] = ()
) -> list[PrivacyRequest]:
    """Cheap rows without an engine: several a day, so that equal dates have to be told apart by id."""
    cases, keys_made = [], []
    for _ in range(number):
        case = Case(channel=Channel.WEB, regime="eu_gdpr")
        if references:
            case.reference = references[len(cases)]
        keys_made.append(case.make_key())
        case.email_sealed = case.seal(CAST.plain, "email")
        cases.append(case)
    CaseKey.objects.bulk_create(keys_made)
    Case.objects.bulk_create(cases)
    now, today = timezone.now(), timezone.localdate()
    return PrivacyRequest.objects.bulk_create(
        PrivacyRequest(
            case=case, right=Right.ACCESS, state=state, received_at=now, due_on=today + timedelta(days=day + index % 7),
            judgement=["staff"],
        )
        for index, case in enumerate(cases)
    )  # fmt: skip


def to_review() -> PrivacyRequest:
    """Carried out; a refund that was due has not been paid by its day."""
    request = drive.released(actor())
    drive.carry_out()
    request.kept.filter(code="REFUND_DUE").update(review_on=timezone.localdate())
    request.steps.filter(kind=StepKind.LATER).update(due_at=timezone.now())
    drive.carry_out()
    return fresh(request)
