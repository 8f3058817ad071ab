"""Somebody logs in with Google or GitHub in the browser, and finds a way on where that does not succeed."""

from __future__ import annotations

import re
import sys
import warnings
from typing import TYPE_CHECKING

import pytest
from identity_providers import GitHub
from logins import client_of
from playwright.sync_api import expect
from site_in_browser import Served, engine_with_site

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from playwright.sync_api import BrowserContext, Page

pytestmark = pytest.mark.skipif(
    sys.version_info < (3, 11), reason="oidc-provider-mock needs Python 3.11"
)
KEY = re.compile(r"ak_[0-9a-f]{48}")
ADDRESS = "mira@example.com"


@pytest.fixture
def github() -> Iterator[GitHub]:
    with GitHub(emails=[{"email": ADDRESS, "primary": True, "verified": True}]) as provider:
        yield provider


@pytest.fixture
def google() -> Iterator[str]:
    """A real OpenID provider, with a form for consent."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # of what the provider itself uses
        from oidc_provider_mock import User, run_server_in_thread

        claims = {"email": ADDRESS, "email_verified": True}
        with run_server_in_thread(
            require_nonce=True, user_claims=[User(sub="mira", claims=claims)]
        ) as provider:
            yield f"http://localhost:{provider.server_port}"


@pytest.fixture
def clock(tmp_path: Path) -> Path:
    return tmp_path / "clock"


@pytest.fixture
def engine(tmp_path: Path, clock: Path, google: str, github: GitHub) -> Iterator[Served]:
    settings = {
        **client_of("GOOGLE"),
        **client_of("GITHUB"),
        "ARCRUN_SERVER_GOOGLE_ISSUER": google,
        "ARCRUN_SERVER_GITHUB_URL": github.url,
        "ARCRUN_SERVER_GITHUB_API_URL": github.url,
        "ARCRUN_SERVER_CLOCK_FILE": str(clock),
    }
    with engine_with_site(tmp_path / "engine.log", **settings) as served:
        yield served


@pytest.fixture
def person(open_context: Callable[..., BrowserContext], engine: Served) -> Callable[..., Page]:
    """Open the page for log-ins in a browser of a new person."""

    def opened(locale: str = "en-US") -> Page:
        context = open_context(base_url=engine.url, locale=locale)
        context.route("https://cdn.jsdelivr.net/**", lambda route: route.abort())
        page = context.new_page()
        page.goto("/login")
        return page

    return opened


def consent(page: Page) -> None:
    page.get_by_placeholder("sub").fill("mira")
    page.get_by_role("button", name="Authorize").click()


def expect_key(page: Page) -> None:
    page.wait_for_url("**/dashboard")
    page.get_by_role("button", name="Reveal").click()
    expect(page.locator("output.key")).to_have_text(KEY)


def test_google_leads_to_the_dashboard_with_the_key(person: Callable[..., Page]) -> None:
    page = person()
    page.get_by_role("link", name="Continue with Google").click()
    consent(page)
    expect_key(page)
    expect(page.locator(".dashboard-head")).to_contain_text(ADDRESS)


def test_github_leads_to_the_dashboard_with_the_key(person: Callable[..., Page]) -> None:
    page = person()
    page.get_by_role("link", name="Continue with GitHub").click()
    expect_key(page)
    expect(page.get_by_text("not verified")).to_be_hidden()


def test_a_refused_consent_can_be_given_after_all(
    person: Callable[..., Page], github: GitHub
) -> None:
    page = person()
    github.response = {"code": None, "error": "access_denied"}
    page.get_by_role("link", name="Continue with GitHub").click()
    expect(page.get_by_role("alert")).to_contain_text("refused or cancelled at GitHub")
    github.response = {}
    page.get_by_role("link", name="Log in with GitHub").click()
    expect_key(page)


def test_a_log_in_that_took_too_long_begins_again(person: Callable[..., Page], clock: Path) -> None:
    page = person("zh-TW")
    page.get_by_role("link", name="Google").click()
    clock.write_text("601")
    consent(page)
    expect(page.get_by_role("alert")).to_contain_text("超過 10 分鐘")
    page.get_by_role("link", name="重新開始").click()
    page.get_by_role("link", name="GitHub").click()
    page.wait_for_url("**/dashboard")


def test_a_provider_that_does_not_answer_is_named(
    person: Callable[..., Page], github: GitHub
) -> None:
    page = person()
    github.status = 500
    page.get_by_role("link", name="Continue with GitHub").click()
    expect(page.get_by_role("alert")).to_contain_text("GitHub did not complete the log-in")
    github.status = 200
    page.get_by_role("link", name="Log in with GitHub").click()
    expect_key(page)


def test_an_address_that_is_not_verified_is_named_with_another_way_in(
    person: Callable[..., Page], github: GitHub
) -> None:
    github.emails[0]["verified"] = False
    page = person()
    page.get_by_role("link", name="Continue with GitHub").click()
    expect_key(page)
    notice = page.get_by_role("status").filter(has_text=f"GitHub has not verified {ADDRESS}")
    expect(notice).to_be_visible()
    notice.get_by_role("link").click()
    expect(page.get_by_role("heading", name="Log in to arcrun")).to_be_visible()
