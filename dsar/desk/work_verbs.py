"""The verbs about carrying a request out: release, hand over, try again, do by hand, go on without a source."""

from typing import Final

from django.utils.translation import gettext_lazy as _

from dsar.desk import barred, forms, work_forms
from dsar.desk.roles import APPROVERS, HANDLERS
from dsar.desk.verb import Verb
from dsar.fulfilment import control, package, recipients
from dsar.review import step_up

VERBS: Final[tuple[Verb, ...]] = (
    Verb(
        "release",
        _("Release for erasure"),
        _("Released. The workers have begun."),
        work_forms.ReleaseForm,
        lambda pk, data, actor: control.release(pk, actor=actor),
        APPROVERS,
        moves="release",
        bar=barred.from_release,
        danger=True,
        help=_("The workers begin at once. What is erased cannot be brought back."),
    ),
    Verb(
        "hand-over",
        _("Hand the copy over"),
        _("Handed over. The person is told how to download it."),
        work_forms.ReleaseForm,
        lambda pk, data, actor: control.hand_over(pk, actor=actor),
        APPROVERS,
        moves="hand_over",
        bar=barred.from_handing_over,
        exists=lambda request: package.whole(request) is not None,
        danger=True,
        help=_(
            "The person can download it at once. What they have cannot be called back. Where nothing is left of it, they get a"
            " refusal with the reasons instead."
        ),
    ),
    Verb(
        "surer-proof",
        _("Want a surer proof than usual"),
        _("Noted. The person is told; it waits for the proof."),
        forms.SurerProofForm,
        lambda pk, data, actor: step_up.ask(pk, data["text"], actor=actor),
        HANDLERS,
        exists=step_up.may_ask,
        help=_("Only where something flagged above leaves a doubt. Nothing is refused by it."),
    ),
    Verb(
        "send-back",
        _("Ask the sources again"),
        _("Sent back. The workers copy every source afresh."),
        work_forms.SendBackForm,
        lambda pk, data, actor: control.send_back(pk, data["text"], actor=actor),
        HANDLERS,
        moves="send_back",
        help=_("For when something is missing or wrong. What was taken out stays out."),
    ),
    Verb(
        "go-on-without",
        _("Go on without a source"),
        _("Noted. The copy says that this source failed."),
        work_forms.GoOnWithoutForm,
        lambda pk, data, actor: control.go_on_without(pk, int(data["step"]), data["code"], data["text"], actor=actor),
        HANDLERS,
        exists=lambda request: bool(control.failing(request)),
        help=_("Only where trying again is hopeless. The person is told what is not in their copy, and why."),
    ),
    Verb(
        "retry",
        _("Try again now"),
        _("Queued. The workers try again now."),
        forms.EmptyForm,
        lambda pk, data, actor: control.retry(pk, actor=actor),
        HANDLERS,
        exists=control.may_retry,
    ),
    Verb(
        "not-done",
        _("Leave it undone in a source"),
        _("Proposed. An approver has to confirm it; until then nothing happens and the clock runs."),
        work_forms.NotDoneForm,
        lambda pk, data, actor: control.propose_not_done(
            pk, int(data["step"]), data["code"], data["text"], actor=actor
        ),
        HANDLERS,
        exists=control.may_leave_undone,
        help=_(
            "For what a system or its owner cannot do. An approver who is somebody else confirms it. The letter says that it"
            " was done in part, or not at all, and why."
        ),
    ),
    Verb(
        "by-hand",
        _("Done by hand"),
        _("Noted. Thank you."),
        work_forms.StepForm,
        lambda pk, data, actor: control.done_by_hand(pk, data.pop("step"), actor=actor, **data),
        HANDLERS,
        exists=lambda request: any(step.waits_for_hands for step in request.steps.all()),
    ),
    Verb(
        "recipient",
        _("Say what became of telling a recipient"),
        _("Noted. The person reads it."),
        work_forms.RecipientForm,
        lambda pk, data, actor: recipients.decide(pk, data["recipient"], data["status"], data["text"], actor=actor),
        HANDLERS,
        exists=lambda request: bool(recipients.open_notices(request)),
        help=_("For a recipient without an address in the data map, or whose mail could not be sent."),
    ),
)
