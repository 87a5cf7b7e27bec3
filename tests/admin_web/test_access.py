"""Every route says who may use it, and every role is held to it."""

from collections.abc import Callable, Iterator

import pytest
from flask import Flask
from werkzeug.routing import Rule

from admin_web.access import ADMINISTRATORS, CLERKS, EVERYONE, PUBLIC, ROLES_OF
from admin_web.models import ROLES
from tests.admin_web.conftest import Browser

KNOWN = (PUBLIC, EVERYONE, CLERKS, ADMINISTRATORS)


def routes(app: Flask) -> Iterator[tuple[str, str, frozenset[str]]]:
    """(method, path with some id, roles) of every route of the office."""
    for rule in app.url_map.iter_rules():
        if rule.endpoint.startswith("office.") and rule.endpoint != "office.static":
            for method in sorted((rule.methods or set()) & {"GET", "POST"}):
                yield method, path_of(rule), ROLES_OF[rule.endpoint]


def path_of(rule: Rule) -> str:
    built = rule.build({name: "1" if name != "rest" else "nowhere" for name in rule.arguments})
    assert built is not None
    return built[1].removeprefix("/office") or "/"


def test_every_route_is_declared(app: Flask) -> None:
    endpoints = {rule.endpoint for rule in app.url_map.iter_rules()} - {"static", "office.static"}
    assert endpoints == set(ROLES_OF)
    assert all(roles in KNOWN for roles in ROLES_OF.values())


def test_changes_are_never_for_readers(app: Flask) -> None:
    harmless = {"/logout", "/password", "/theme", "/login", "/tariffs/calculate"}
    for method, path, roles in routes(app):
        assert method == "GET" or "read-only" not in roles or path in harmless, path


@pytest.mark.parametrize("role", ROLES)
def test_each_role_sees_what_is_its_own(app: Flask, enter: Callable[[str], Browser], role: str) -> None:
    browser = enter(role)
    for method, path, roles in routes(app):
        if path == "/logout":
            continue
        answer = browser.get(path) if method == "GET" else browser.post(path, form_on="/password")
        if roles != PUBLIC and role not in roles:
            assert answer.status_code == 403, f"{role} {method} {path}: {answer.status_code}"
        else:
            assert answer.status_code not in (403, 500), f"{role} {method} {path}: {answer.status_code}"


def test_nobody_sees_anything_before_the_login(app: Flask, browser: Browser) -> None:
    tokens = browser.tokens("/login")
    for method, path, roles in routes(app):
        if roles == PUBLIC:
            continue
        answer = browser.get(path) if method == "GET" else browser.client.post(f"/office{path}", data=tokens)
        assert answer.status_code == 303, path
        assert answer.location.startswith("/office/login"), path


def test_a_part_of_a_page_sends_the_whole_page_to_the_login(browser: Browser) -> None:
    answer = browser.get("/now", **{"HX-Request": "true"})
    assert answer.status_code == 204
    assert answer.headers["HX-Redirect"].startswith("/office/login")


def test_a_form_without_its_token_is_refused(app: Flask, clerk: Browser) -> None:
    for method, path, _roles in routes(app):
        if method == "POST":
            answer = clerk.client.post(f"/office{path}", data={"name": "x"})
            assert answer.status_code == 400, path
            assert "too old" in answer.text
