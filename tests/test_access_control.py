"""Every address × every role, complete by construction: what is not listed in config/access.py is denied.

The cells come from Django's own resolver, so that an address nobody thought of fails here first.
"""

from collections.abc import Iterator
from itertools import product

import pytest
from django.apps import apps
from django.contrib import admin
from django.contrib.auth.models import AnonymousUser
from django.contrib.messages.storage.fallback import FallbackStorage
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpResponse
from django.test import Client, RequestFactory
from django.urls import NoReverseMatch, URLResolver, get_resolver, resolve, reverse

from accounts.models import Role, User
from config.access import ACCESS, ADMINS, AccessMiddleware
from dsar.desk.apart import CASES_OF
from dsar.desk.catalogue import VERBS
from dsar.desk.roles import MAY

SAMPLES = {
    "pk": 1,
    "verb": "approve",
    "key": "platform",
    "token": "t" * 43,
    "right": "deletion",
    "reference": "RD-00000-00000",
    "number": 1,
    "name": "a.eml",
    "url": "x",
    "content_type_id": 1,
    "object_id": "1",
    "app_label": "accounts",
    "regime_id": "eu_gdpr",
}
ROLES: tuple[str | None, ...] = (None, Role.NONE, Role.HANDLER, Role.APPROVER, Role.AUDITOR, Role.ADMIN)
METHODS = ("get", "post")


def patterns(
    resolver: URLResolver, prefix: str = "", namespace: str = "", above: tuple[str, ...] = ()
) -> Iterator[tuple[str, str, tuple[str, ...]]]:
    """(name with its namespace, route, the words that the route takes) of every address."""
    for entry in resolver.url_patterns:
        route = prefix + str(entry.pattern)
        words = (*above, *entry.pattern.regex.groupindex)
        if isinstance(entry, URLResolver):
            inner = f"{namespace}{entry.namespace}:" if entry.namespace else namespace
            yield from patterns(entry, route, inner, words)
        else:
            yield f"{namespace}{entry.name or ''}", route, words


EVERY = list(patterns(get_resolver()))
OURS = [(name, route) for name, route, _words in EVERY if not name.startswith("admin:")]


def address(name: str, words: tuple[str, ...]) -> str:
    """A path that resolves to this address; empty where no sample fits."""
    try:
        return reverse(name, kwargs={word: SAMPLES.get(word, "1") for word in words})
    except NoReverseMatch:
        return ""


# What has no name (the catch-all of the admin site) cannot be reversed; its namespace is denied as a whole.
ADDRESSES = {name: address(name, words) for name, _route, words in EVERY if not name.endswith(":")}


def person(role: str | None) -> User | AnonymousUser:
    """Somebody with this role; None is nobody."""
    if role is None:
        return AnonymousUser()
    email = f"{role or 'requester'}@matrix.example.com"
    return User.objects.filter(email=email).first() or User.objects.create_user(email, role=role)


def expected(name: str, role: str | None) -> str:
    """open, sign in or denied, as the table says."""
    allowed = ADMINS if name.startswith("admin:") else ACCESS[name]
    if "public" in allowed:
        return "open"
    if role is None:
        return "sign in"
    return "open" if "signed_in" in allowed or role in allowed else "denied"


def decided(path: str, method: str, role: str | None) -> str:
    """What the middleware does with this person at this address, before any view runs."""
    request = getattr(RequestFactory(), method)(path)
    request.user = person(role)
    request.session = {}
    request._messages = FallbackStorage(request)
    request.resolver_match = resolve(path)
    middleware = AccessMiddleware(lambda _request: HttpResponse())
    try:
        answer = middleware.process_view(request, request.resolver_match.func, (), request.resolver_match.kwargs)
    except PermissionDenied:
        return "denied"
    except Http404:
        return "not listed"
    if answer is None:
        return "open"
    assert answer.status_code == 302
    assert answer["Location"].startswith(reverse("account_login"))
    return "sign in"


@pytest.mark.parametrize(("name", "route"), OURS)
def test_every_address_is_listed(name, route):
    assert name, f"{route} has no name"
    assert name in ACCESS, f"{name} ({route}) is missing in config/access.py"


def test_nothing_is_listed_that_is_not_there():
    # The development pages exist in development alone.
    assert {name for name in ACCESS if not name.startswith("dev_")} <= {name for name, _route in OURS}


def test_links_and_buttons_of_the_desk_know_the_same_roles():
    assert {name: ACCESS[name] for name in MAY} == MAY


def test_every_address_of_the_desk_knows_whose_case_it_is_about():
    """Nobody handles their own request: an address that nobody thought of fails here first."""
    keyed = {name for name, _route, words in EVERY if name.startswith("desk_") and "pk" in words}
    assert set(CASES_OF) == keyed


def test_every_address_can_be_tried():
    assert [name for name, path in ADDRESSES.items() if not path] == []


@pytest.mark.django_db
@pytest.mark.parametrize("name", sorted(ADDRESSES))
def test_the_middleware_decides_as_the_table_says(name):
    for role, method in product(ROLES, METHODS):
        assert decided(ADDRESSES[name], method, role) == expected(name, role), (role, method)


def client_of(role: str | None) -> Client:
    """The browser of somebody with this role; None is nobody."""
    client = Client()
    if role is not None:
        client.force_login(person(role), "allauth.account.auth_backends.AuthenticationBackend")
    return client


def fits(answer: HttpResponse, name: str, role: str | None, method: str) -> bool:
    """Whether the answer of an address of the desk is the one that the table wants."""
    wanted = expected(name, role)
    if wanted == "sign in":
        return answer.status_code == 302 and answer["Location"].startswith(reverse("account_login"))
    if wanted == "denied" or (name == "desk_verb" and role == Role.HANDLER and method == "post"):
        # The verb of the sample is an approver's.
        return answer.status_code == 403
    return answer.status_code in (200, 302, 404, 405, 422)


@pytest.mark.django_db
@pytest.mark.parametrize("role", ROLES)
def test_the_desk_over_http(role):
    client = client_of(role)
    wrong = []
    for name, method in product([name for name in sorted(ADDRESSES) if name.startswith("desk_")], METHODS):
        answer = getattr(client, method)(ADDRESSES[name])
        if not fits(answer, name, role, method):
            wrong.append((name, method, answer.status_code))
    assert wrong == []


@pytest.mark.django_db
@pytest.mark.parametrize("role", ROLES)
def test_every_verb_by_every_role(role):
    client = client_of(role)
    answers = {verb: client.post(reverse("desk_verb", args=[1, verb])).status_code for verb in VERBS}
    # Allowed, and there is no such request: 404.
    assert answers == {
        verb: 302 if role is None else 404 if role in known.roles else 403 for verb, known in VERBS.items()
    }


def test_the_verbs_of_approvers_are_theirs_alone():
    of_approvers = {slug for slug, verb in VERBS.items() if Role.HANDLER not in verb.roles}
    assert of_approvers == {
        "approve",
        "confirm-refusal",
        "silence",
        "silence-judge",
        "silence-again",
        "let-in",
        "lapse",
        "narrow",
        "release",
        "dispute",
        "decide-correction",
        "confirm-correction",
        "lift",
        "keep-restriction",
        "review-again",
        "hand-over",
        "authority-seen",
        "authority-refused",
        "authority-ended",
        "post-instead",
        "answered",
        "kept",
        "nothing-found",
        "signature",
        "weigh",
        "charge-fee",
        "waive-fee",
    }
    for verb in VERBS.values():
        assert verb.roles <= {Role.HANDLER, Role.APPROVER}


def test_the_admin_site_shows_accounts_and_nothing_else():
    assert {model._meta.label for model in admin.site._registry} == {"accounts.User"}
    assert not set(apps.get_app_config("dsar").get_models()) & set(admin.site._registry)


@pytest.mark.django_db
def test_the_admin_site_opens_for_administrators_alone():
    for role in ROLES:
        client = Client()
        if role is not None:
            client.force_login(person(role), "allauth.account.auth_backends.AuthenticationBackend")
        answer = client.get(reverse("admin:accounts_user_changelist"))
        assert answer.status_code == {None: 302, Role.ADMIN: 200}.get(role, 403)
