"""SIGKILL of the web process while a person is being answered."""

import httpx
import pytest

from accounts.models import User
from dsar.enums import IntakeStatus, State, StepKind
from dsar.models import Case, Intake
from tests.crash import scene
from tests.crash.conftest import Stage
from tests.house import CAST, Person, mail_to, wait_for

pytestmark = pytest.mark.once


def test_killed_between_the_confirmation_and_close_the_account_is_shut_and_closing_follows(
    stage: Stage, person: Person, undisturbed: scene.End
) -> None:
    run = scene.begin_in_a_browser(person)
    stage.orders.arm("confirm:committed")
    with pytest.raises(httpx.TransportError):
        person.send("confirm", answer="delete")
    assert run.request.state == State.RELEASING
    assert not User.objects.get(pk=scene.ACCOUNT).is_active
    wait_for(lambda: not run.open_steps(StepKind.CLOSE), what="closing")
    stage.start_web()
    assert "keep" not in person.open("/confirm/").url.path
    run.post_is_out()
    run.release()
    run.finished()
    scene.same(run.end(), undisturbed)


def test_killed_inside_the_confirmation_nothing_has_happened_and_the_person_confirms_again(
    stage: Stage, person: Person, undisturbed: scene.End
) -> None:
    run = scene.begin_in_a_browser(person)
    stage.orders.arm("confirm:commit")
    with pytest.raises(httpx.TransportError):
        person.send("confirm", answer="delete")
    assert run.request.state == State.CONFIRMING
    assert User.objects.get(pk=scene.ACCOUNT).is_active
    assert not run.open_steps()
    stage.start_web()
    person.open("/confirm/")
    person.send("confirm", answer="delete")
    assert run.request.state == State.RELEASING
    wait_for(lambda: not run.open_steps(StepKind.CLOSE), what="closing")
    run.post_is_out()
    run.release()
    run.finished()
    scene.same(run.end(), undisturbed)


def test_killed_between_receiving_a_form_and_opening_the_case_the_sweep_opens_it(stage: Stage, person: Person) -> None:
    scene.a_person()
    stage.orders.arm("receive:after")
    with pytest.raises(httpx.TransportError):
        scene.ask(person)
    wait_for(lambda: Intake.objects.get().status == IntakeStatus.OPENED, what="the sweep")
    mail_to(CAST.plain)
    # The browser sends its form again, as browsers do: it is the same one.
    stage.start_web()
    person.send("", email=CAST.plain, country="DE")
    assert person.page is not None
    assert person.page.url.path == "/received/"
    assert Intake.objects.count() == Case.objects.count() == 1
