"""What a colleague sees of their own request and of those of people close to them: nothing, and why."""

from django.urls import reverse

from accounts.models import Role, User
from dsar.demo.cast import CAST
from dsar.models import Message, PrivacyRequest, Recusal
from dsar.review import holds
from tests import drive
from tests.desk import filed, scenes
from tests.desk.pages import send, url


def apart(request: PrivacyRequest, role: str, number: int = 9) -> User:
    user = scenes.person(role, number)
    Recusal.objects.create(case=request.case, user=user, named_by=user)
    return user


def test_a_page_of_the_case_stays_shut_and_says_why(company: None) -> None:
    request = scenes.review()
    for role in (Role.HANDLER, Role.APPROVER, Role.AUDITOR):
        apart(request, role)
        letter = Message.objects.filter(request=request, notice="received_verify").get()
        for address in (url(request), reverse("desk_letter", args=[letter.pk])):
            page = scenes.browser(role, 9).get(address)
            assert page.status_code == 403
            assert "named as close to this person" in page.content.decode()
            assert request.case.reference not in page.content.decode()
    own = scenes.prove(scenes.ask(scenes.person(Role.APPROVER, 8).email))
    assert "This is about you" in scenes.browser(Role.APPROVER, 8).get(url(own)).content.decode()


def test_lists_counts_and_searches_leave_it_out(company: None) -> None:
    request, other = scenes.review(), scenes.prove(scenes.ask(CAST.neighbour, "know"))
    holds.place(request.case.email, "EU_LEGAL_CLAIMS", drive.later(90).date(), actor=scenes.actor(), weighed="So.")
    posted = filed.a_letter()
    apart(posted, Role.APPROVER)
    apart(request, Role.APPROVER)
    for number, sees in ((9, False), (0, True)):
        browser = scenes.browser(Role.APPROVER, number)
        for address in ("/desk/", "/desk/?view=all", f"/desk/?ref={request.case.reference}", "/desk/holds/"):
            page = browser.get(address).content.decode()
            assert (url(request) in page) is sees, address
        assert url(other) in browser.get("/desk/").content.decode()
        assert (url(posted) in browser.get("/desk/post/").content.decode()) is sees
        found = browser.post("/desk/", {"words": request.case.email}, follow=True).content.decode()
        assert (url(request) in found) is sees
    counts = [scenes.browser(Role.APPROVER, number).get("/desk/").context["views"][0]["count"] for number in (9, 0)]
    assert int(counts[0]) == int(counts[1]) - 1


def test_whoever_steps_aside_comes_back_to_the_queue(company: None) -> None:
    request = scenes.review()
    scenes.person(Role.APPROVER, 1)
    me = scenes.person(Role.APPROVER)
    assert send(request, "step-aside", colleagues=[me.pk])["Location"] == "/desk/"
    page = scenes.browser(Role.APPROVER, 1).get(url(request)).content.decode()
    assert "Kept apart" in page
    assert "named by Approver 0" in page
