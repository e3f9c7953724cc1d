"""Questions from our records: off as shipped, never enough alone, never for specific pieces, and the same for a stranger."""

import re
from dataclasses import replace
from itertools import product
from pathlib import Path
from types import MappingProxyType
from typing import Any

import pytest
import yaml
from bs4 import BeautifulSoup
from django.db import transaction
from pytest_django import Settings

from dsar import checks
from dsar.datamap import loader
from dsar.enums import CheckKind, CheckStatus, Right, State
from dsar.intake import submit
from dsar.law import regimes
from dsar.law.errors import RegimeFileError
from dsar.models import Case, IdentityCheck, PrivacyRequest
from dsar.verification import asking, data_points, quiz
from dsar.workflow import Conflict
from tests import drive, house
from tests.house import CAST, ROOT
from tests.portal.conftest import Visitor, newest_link, page, words, work

PROVE, QUIZ = "/case/prove/", "/case/prove/quiz/"
SHIPPED = ROOT / "dsar" / "demo" / "datamap.yaml"


def a_map(path: Path, **fields: dict[str, object]) -> Path:
    """The demo's data map with these fields on top, the day on which an account was made among them."""
    described = yaml.safe_load(SHIPPED.read_text())
    described["sources"]["platform"]["tables"]["users"]["columns"]["created_at"]["proves"] = "member_since"
    described["fields"]["member_since"] = {"label": "Member since", "kind": "date"}
    for name, said in fields.items():
        described["fields"][name] |= said
    path.write_text(yaml.safe_dump(described, sort_keys=False))
    return path


@pytest.fixture
def asked(visitor: Visitor, settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A company that puts questions, under a law to which a mailbox is only a beginning."""
    settings.DATA_MAP = a_map(tmp_path / "map.yaml", phone={"quiz": True}, member_since={"quiz": True})
    settings.PROOF_ATTEMPTS = settings.PROOF_ATTEMPTS_PER_ADDRESS = 50
    known = regimes.load

    def stricter(*args: Any, **given: Any) -> regimes.Regime:
        law = known(*args, **given)
        return replace(law, methods=MappingProxyType({**law.methods, "email_link": 1, "email_code": 1}))

    monkeypatch.setattr(regimes, "load", stricter)


def wants_to_know(visitor: Visitor, email: str, right: str = "know") -> PrivacyRequest:
    visitor.ask(email, right)
    work()
    visitor.get(newest_link(email))
    visitor.post("/proof/")
    work()
    return PrivacyRequest.objects.latest("pk")


def put(visitor: Visitor) -> list[list[str]]:
    """Ask for the questions: the answers to choose from, question by question."""
    assert "We prepare your questions" in words(visitor.post(QUIZ))
    assert quiz.drain() == 1
    soup = BeautifulSoup(visitor.get(PROVE).content, "html.parser")
    return [
        [str(one["value"]) for one in soup.select(f"input[name=answer{number}]")] for number in range(2)
    ]  # fmt: skip


def right_answers(email: str) -> list[str]:
    [user] = house.rows("users", email=email)
    return [str(user["phone"])[-2:], str(int(str(user["created_at"])[8:10]))]


def send(visitor: Visitor, chosen: list[str]) -> str:
    return words(visitor.post(QUIZ, {f"answer{number}": said for number, said in enumerate(chosen)}))


@pytest.mark.usefixtures("asked")
def test_right_answers_beside_the_mailbox_are_enough_for_the_categories_alone(visitor: Visitor) -> None:
    request = wants_to_know(visitor, CAST.neighbour)
    assert (request.state, request.case.proven_tier, request.tier_needed) == (State.REVIEW, 1, 2)
    with transaction.atomic():
        deletion = submit.add_request(Case.objects.get(), Right.DELETION, "")
    offered = put(visitor)
    assert send(visitor, ["none"]).count("Please choose an answer") > 0
    right = right_answers(CAST.neighbour)
    assert all(said in answers for said, answers in zip(right, offered, strict=True)), (right, offered)
    assert "We go on with your request" in send(visitor, right)
    held = drive.fresh(request.pk)
    assert (held.state, held.case.proven_tier, held.is_proven_enough) == (State.LOCATING, 1, True)
    left = drive.fresh(deletion.pk)
    assert (left.state, left.is_proven_enough) == (State.REVIEW, False), "nothing else is proven by answers"
    check = IdentityCheck.objects.get(kind=CheckKind.QUIZ)
    assert (check.status, check.method, check.tier, check.stated_sealed) == (CheckStatus.PASSED, "quiz", 0, None)
    with pytest.raises(Conflict):
        quiz.begin(left.case)


@pytest.mark.usefixtures("asked")
def test_law_10_a_stranger_is_asked_the_same_and_can_never_answer(visitor: Visitor) -> None:
    looks, tries = [], []
    for email in (CAST.neighbour, CAST.unknown):
        one = Visitor()
        request = wants_to_know(one, email)
        offered = put(one)
        for answers in offered:
            assert [len(answers), answers[-1], answers[:-1]] == [6, "none", sorted(answers[:-1], key=int)]
        tries.append((one, offered))
        # Which figures stand there differs, and nothing else.
        looks.append(re.sub(r"\d+", "#", page(one.get(PROVE)).replace(request.case.reference, "•")))
    assert looks[0] == looks[1]
    stranger, offered = tries[1]
    for chosen in list(product(*offered))[::9]:
        assert "It does not fit" in send(stranger, list(chosen))
        assert put(stranger) == offered, "trying again rules no answer out"
    assert Case.objects.of_email(CAST.unknown).get().proven_tier == 1


@pytest.mark.usefixtures("asked")
def test_questions_are_never_put_for_specific_pieces_nor_without_a_mailbox(visitor: Visitor) -> None:
    copy = wants_to_know(visitor, CAST.neighbour, "access")
    assert copy.state == State.REVIEW
    assert "With questions" not in words(visitor.get(PROVE))
    with pytest.raises(Conflict):
        quiz.begin(copy.case)
    with pytest.raises(Conflict):
        quiz.begin(drive.a_request(right=Right.KNOW).case)


def test_as_shipped_no_question_is_put(visitor: Visitor) -> None:
    request = wants_to_know(visitor, CAST.neighbour)
    assert loader.current().quizzing == ()
    PrivacyRequest.objects.filter(pk=request.pk).update(tier_needed=3, state=State.REVIEW)
    assert quiz.fields(request.case) == ()
    waiting = asking.missing(Case.objects.get())
    assert waiting is not None
    assert quiz.helps(request.case, waiting) == [], "nor would it help where more is needed"
    assert data_points.attempts_left(request.case) == 3


# What a data map says of whose key is the company's user id, and what is wrong with it.
USER_IDS = {
    "platform": "", "": "", None: " does not say whose key", "accounts": ": the key of accounts is this desk's own",
    "backups": ": backups has no identity", "nowhere": ": nowhere is none",
}  # fmt: skip


def problems() -> str:
    return " ".join(f"{one.id} {one.msg}" for one in (*checks.check_law(), *checks.check_identity()))


def test_law_12_a_misconfiguration_fails_the_check_and_says_what_to_do(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert problems() == ""
    settings.DATA_MAP = a_map(tmp_path / "1.yaml", phone={"quiz": True, "exposed": "breach"}, name={"quiz": True})
    assert "E011 Data map: field phone: quiz: others can know it (breach)" in problems()
    assert "E011 Data map: field name: quiz: no wrong answers" in problems()
    assert loader.current().quizzing == (), "and it is not asked about either"
    settings.DATA_MAP = a_map(tmp_path / "2.yaml", phone={"identify": False})
    assert problems() == "", "people sign in here"
    described = yaml.safe_load((tmp_path / "2.yaml").read_text())
    for said, problem in USER_IDS.items():
        settings.DATA_MAP = tmp_path / f"ids-{said}.yaml"
        settings.DATA_MAP.write_text(yaml.safe_dump({**described, "user_ids": said}, sort_keys=False))
        assert (f"E013 Data map: user_ids{problem}" in problems()) == bool(problem), (said, problems())
    described["sources"] = {name: one for name, one in described["sources"].items() if one["connector"] != "django_orm"}
    described["categories"].pop("sign_in")
    settings.DATA_MAP = tmp_path / "3.yaml"
    settings.DATA_MAP.write_text(yaml.safe_dump(described, sort_keys=False))
    assert "E012 us_ca_ccpa: nobody can show who they are surely enough for access, portability" in problems()
    assert "names 2 of the 3 fields" in problems()
    settings.DATA_MAP = tmp_path / "none.yaml"
    assert "E010 Data map: none.yaml: cannot be read" in problems()
    settings.DATA_MAP.write_text("sources: [")
    assert "E010 Data map: none.yaml: no YAML" in problems()

    def broken(*_args: Any, **_given: Any) -> regimes.Regime:
        raise RegimeFileError("x.toml", "verification.tiers.marketing_opt_out: never verified")

    monkeypatch.setattr(regimes, "load", broken)
    assert "E020 x.toml: verification.tiers.marketing_opt_out" in problems()


@pytest.mark.parametrize(
    ("field", "said"),
    [("email", {"identify": True}), ("email", {"quiz": True}), ("phone", {"exposed": "gossip"})],
)
def test_what_can_never_be_stated_is_refused_by_the_map_itself(
    tmp_path: Path, field: str, said: dict[str, object]
) -> None:
    with pytest.raises(loader.DataMapError):
        loader.load(a_map(tmp_path / "map.yaml", **{field: said}))
