"""Whose account a person of a provider gets, over HTTP."""

from __future__ import annotations

from typing import TYPE_CHECKING

import httpx
from browsers import Browser
from logins import SITE, Engine, account, log_in

from arcrun_server.accounts.keys import HEADER

if TYPE_CHECKING:
    from collections.abc import Callable

    from identity_providers import GitHub, OpenId


def test_two_identities_with_one_verified_address_are_one_account(
    start: Callable[..., Engine], github: GitHub, openid: OpenId
) -> None:
    github.emails = [{"email": "Mira@example.com", "primary": True, "verified": True}]
    openid.claims = {"email": "mira@EXAMPLE.com", "email_verified": True}
    engine = start(google=openid.url, github=github.url)
    with Browser(engine.url) as one, Browser(engine.url) as other:
        log_in(one, "github")
        log_in(other, "google")
        assert account(one) == account(other)
        providers = [each["provider"] for each in other.get("/me").json()["identities"]]
        assert providers == ["github", "google"]


def test_unverified_address_leads_to_nobodys_account(
    start: Callable[..., Engine], github: GitHub, openid: OpenId
) -> None:
    """Whoever types in somebody's address at a provider must not get that person's account."""
    engine = start(google=openid.url, github=github.url)
    accounts = set()
    cases = [(False, True), (True, False), (False, False), (True, "true"), (True, None)]
    for number, (at_github, at_google) in enumerate(cases):
        email = f"mira{number}@example.com"
        github.user_id = 100 + number
        github.emails = [{"email": email, "primary": True, "verified": at_github}]
        openid.claims = {"sub": email, "email": email, "email_verified": at_google}
        with Browser(engine.url) as one, Browser(engine.url) as other:
            log_in(one, "github")
            log_in(other, "google")
            accounts |= {account(one), account(other)}
    assert len(accounts) == 2 * len(cases)


def test_another_person_of_a_provider_has_another_account(
    start: Callable[..., Engine], github: GitHub
) -> None:
    engine = start(github=github.url)
    with Browser(engine.url) as one, Browser(engine.url) as other:
        log_in(one, "github")
        github.user_id = 2
        log_in(other, "github")
        assert account(one) != account(other)


def test_person_logs_in_with_github_and_gets_a_key(
    start: Callable[..., Engine], github: GitHub
) -> None:
    github.emails = [
        {"email": "other@example.com", "primary": False, "verified": True},
        {"email": "mira@example.com", "primary": True, "verified": True},
    ]
    engine = start(github=github.url)
    with Browser(engine.url) as browser:
        assert log_in(browser, "github").headers["location"] == f"{SITE}/account"
        first = browser.post("/register").json()
        again = browser.post("/register").json()
        assert (first["created"], again["created"]) == (True, False)
        assert first["api_key"] == again["api_key"]
        assert browser.post("/me/api-key/reveal").json()["api_key"] == first["api_key"]
        me = httpx.get(f"{engine.url}/me", headers={HEADER: first["api_key"]}).json()
        assert me["email"] == "mira@example.com"
    with Browser(engine.url) as elsewhere:
        log_in(elsewhere, "github")
        assert elsewhere.post("/register").json()["api_key"] == first["api_key"]
