"""The office on a small application of its own, and browsers that are logged in to it."""

import re
from collections.abc import Callable, Iterator

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy.orm import Session
from werkzeug.test import TestResponse

from admin_web import passwords
from admin_web.models import OfficeUser
from admin_web.users import create_user
from admin_web.web import office
from core.config import Settings
from core.database import transaction

PASSWORD = "four words are enough"


class Browser:
    """A person at the office: follows no redirect by itself, keeps cookies, fills in forms as the page has them."""

    def __init__(self, client: FlaskClient) -> None:
        self.client = client

    def get(self, path: str, **headers: str) -> TestResponse:
        answer = self.client.get(f"/office{path}", headers=headers)
        answer.get_data()
        answer.close()
        return answer

    def tokens(self, path: str) -> dict[str, str]:
        """The hidden tokens that the page at `path` puts into its forms."""
        text = self.get(path).text
        names = ("csrf_token", "once")
        found = {name: re.search(rf'name="{name}" value="([^"]+)"', text) for name in names}
        return {name: match[1] for name, match in found.items() if match}

    def post(self, path: str, form_on: str = "", **fields: object) -> TestResponse:
        """Send a form with the tokens of the page it is on (`path` itself where `form_on` is not given)."""
        return self.client.post(f"/office{path}", data=self.tokens(form_on or path) | fields)

    def log_in(self, username: str, password: str = PASSWORD) -> TestResponse:
        return self.post("/login", username=username, password=password)


@pytest.fixture(scope="session")
def app(settings: Settings) -> Flask:
    app = Flask("office-under-test")
    app.register_blueprint(office)
    return app


@pytest.fixture(autouse=True, scope="session")
def _cheap_hashes() -> Iterator[None]:
    """One hash for the one password of the tests: argon2 is slow by design."""
    kept, real = passwords.digest(PASSWORD), passwords.digest
    passwords.digest = lambda password: kept if password == PASSWORD else real(password)
    yield
    passwords.digest = real


@pytest.fixture
def browser(app: Flask, session: Session) -> Browser:
    return Browser(app.test_client())


@pytest.fixture
def office_user(session: Session) -> Callable[[str, str], OfficeUser]:
    def add(username: str, role: str) -> OfficeUser:
        with transaction() as own:
            user = create_user(own, username, PASSWORD, role)
            assert user is not None
            return user

    return add


@pytest.fixture
def enter(app: Flask, office_user: Callable[[str, str], OfficeUser]) -> Callable[[str], Browser]:
    """A browser logged in as somebody of the role."""

    def entered(role: str) -> Browser:
        name = "user-" + role
        office_user(name, role)
        browser = Browser(app.test_client())
        assert browser.log_in(name).status_code == 303
        return browser

    return entered


@pytest.fixture
def clerk(enter: Callable[[str], Browser]) -> Browser:
    return enter("billing")


@pytest.fixture
def accountant(enter: Callable[[str], Browser]) -> Browser:
    return enter("accountant")


@pytest.fixture
def administrator(enter: Callable[[str], Browser]) -> Browser:
    return enter("administrator")
