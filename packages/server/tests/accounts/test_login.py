"""Log-in with a browser, over HTTP, at real providers on loopback."""

from __future__ import annotations

import re
import sys
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from browsers import Browser
from identity_providers import KEY, OTHER_KEY, GitHub, OpenId, StandIn
from logins import SITE, Engine, come_back, log_in

if TYPE_CHECKING:
    from collections.abc import Callable


@pytest.mark.skipif(sys.version_info < (3, 11), reason="oidc-provider-mock needs Python 3.11")
@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # of what the provider itself uses
def test_person_logs_in_at_a_real_openid_provider(start: Callable[..., Engine]) -> None:
    from oidc_provider_mock import User, run_server_in_thread

    claims = {"email": "Mira@Example.com", "email_verified": True}
    with run_server_in_thread(
        require_nonce=True, user_claims=[User(sub="mira", claims=claims)]
    ) as provider:
        engine = start(google=f"http://localhost:{provider.server_port}")
        with Browser(engine.url) as browser:
            started = browser.get("/auth/google/start", params={"redirect": "/account"})
            sent = httpx.post(started.headers["location"], data={"sub": "mira"})
            ended = browser.get(sent.headers["location"])
            assert (ended.status_code, ended.headers["location"]) == (303, f"{SITE}/account")
            me = browser.get("/me").json()
            assert me["email"] == "mira@example.com"
            assert me["identities"] == [
                {"provider": "google", "email": "mira@example.com", "email_verified": True}
            ]
            assert me["key"] is None
            assert me["session"]["provider"] == "google"
            assert me["session"]["expires_at"] - me["session"]["logged_in_at"] == 7 * 86400


@pytest.mark.parametrize("provider", ["github", "google"])
def test_pkce_goes_with_every_log_in(
    start: Callable[..., Engine], github: GitHub, openid: OpenId, provider: str
) -> None:
    stand_in: StandIn = github if provider == "github" else openid
    engine = start(google=openid.url, github=github.url)
    with Browser(engine.url) as browser:
        assert log_in(browser, provider).status_code == 303
        log_in(browser, provider)
    first, second = stand_in.authorized
    assert first["code_challenge_method"] == "S256"
    assert first["code_challenge"] != second["code_challenge"]
    assert re.fullmatch(r"[A-Za-z0-9_-]{43,}", stand_in.token_requests[0]["code_verifier"])
    assert first["redirect_uri"] == f"{engine.url}/auth/callback"


def test_code_of_another_log_in_is_refused_by_its_verifier(
    start: Callable[..., Engine], github: GitHub
) -> None:
    engine = start(github=github.url)
    with Browser(engine.url) as attacker, Browser(engine.url) as victim:
        stolen = come_back(victim.get("/auth/github/start"))
        code = parse_qs(urlsplit(stolen).query)["code"][0]
        own = come_back(attacker.get("/auth/github/start"))
        injected = attacker.get(re.sub(r"code=[^&]+", f"code={code}", own))
        assert injected.status_code == 400
        assert attacker.session() is None


def test_state_is_valid_once(start: Callable[..., Engine], github: GitHub) -> None:
    engine = start(github=github.url)
    with Browser(engine.url) as browser:
        back = come_back(browser.get("/auth/github/start"))
        cookie = browser.client.cookies["arcrun_login"]
        assert browser.get(back).status_code == 303
        browser.client.cookies.set("arcrun_login", cookie, domain="127.0.0.1", path="/")
        again = browser.get(back)
        assert again.status_code == 400
        assert "set-cookie" not in again.headers


def test_state_is_valid_for_ten_minutes(start: Callable[..., Engine], github: GitHub) -> None:
    engine = start(github=github.url)
    with Browser(engine.url) as browser:
        back = come_back(browser.get("/auth/github/start"))
        engine.advance(600)
        browser.client.cookies.set(
            "arcrun_login", browser.client.cookies["arcrun_login"], domain="127.0.0.1", path="/"
        )
        assert browser.get(back).status_code == 400
        assert browser.session() is None


def test_page_of_a_log_in_that_failed_says_why_and_leads_on(
    start: Callable[..., Engine], github: GitHub
) -> None:
    engine = start(github=github.url)
    github.response = {"code": None, "error": "access_denied"}
    for language, reason in {"en": "cancelled at GitHub", "zh-TW": "在 GitHub 被拒絕"}.items():
        with Browser(engine.url) as browser:
            started = browser.get("/auth/github/start", params={"redirect": "/account?a=1&b=2"})
            refused = browser.get(come_back(started), headers={"Accept-Language": language})
            assert reason in refused.text
            assert 'href="/auth/github/start?redirect=%2Faccount%3Fa%3D1%26b%3D2"' in refused.text
            unknown = browser.get("/auth/callback", headers={"Accept-Language": language})
            assert f'href="{SITE}/login"' in unknown.text


def test_log_in_of_another_browser_begins_no_session(
    start: Callable[..., Engine], github: GitHub
) -> None:
    """Log-in CSRF: an attacker sends a link that would log the victim in to the attacker's account."""
    engine = start(github=github.url)
    with Browser(engine.url) as attacker, Browser(engine.url) as victim:
        back = come_back(attacker.get("/auth/github/start"))
        assert victim.get(back).status_code == 400
        victim.get("/auth/github/start")
        assert victim.get(back).status_code == 400
        assert victim.session() is None
        assert attacker.get(back).status_code == 303, "nothing was used up"


ELSEWHERE = (
    "https://evil.example/",
    "//evil.example",
    "/\\evil.example",
    "\\\\evil.example",
    "/\t/evil.example",
    "evil.example",
    "javascript:alert(1)",
    "/a\r\nSet-Cookie: arcrun_session=x",
    "",
    " /account",
    "/中文",
)


def test_log_in_leads_to_no_other_site(start: Callable[..., Engine], github: GitHub) -> None:
    engine = start(github=github.url)
    with Browser(engine.url) as browser:
        for provider in ("github", "dev"):
            for redirect in ELSEWHERE:
                refused = browser.get(f"/auth/{provider}/start", params={"redirect": redirect})
                assert refused.status_code == 400, redirect
                assert refused.json()["code"] == "invalid_request"
                assert refused.headers.keys().isdisjoint({"location", "set-cookie"}), redirect


def test_log_in_leads_to_the_site_or_to_the_page_for_devices(
    start: Callable[..., Engine], github: GitHub
) -> None:
    engine = start(github=github.url)
    targets = {
        "/": SITE,
        "/a?b=%2F%2Fevil.example#c": SITE,
        "/auth/device?user_code=BCDF-GHJK": engine.url,
        "/auth/device.evil": SITE,
        "/@evil.example": SITE,
    }
    with Browser(engine.url) as browser:
        for redirect, where in targets.items():
            assert log_in(browser, "github", redirect).headers["location"] == f"{where}{redirect}"


@pytest.mark.parametrize("provider", ["google", "github"])
def test_provider_that_is_not_configured_is_said_so(
    start: Callable[..., Engine], provider: str
) -> None:
    refused = httpx.get(f"{start().url}/auth/{provider}/start")
    assert (refused.status_code, refused.json()["code"]) == (404, "provider_not_configured")
    assert f"ARCRUN_SERVER_{provider.upper()}_CLIENT_ID" in refused.text


FAULTS: tuple[dict[str, Any], ...] = (
    {"claims": {"nonce": "of another log-in"}},
    {"claims": {"nonce": None}},
    {"claims": {"aud": "another client"}},
    {"claims": {"aud": None}},
    {"claims": {"iss": "https://evil.example"}},
    {"claims": {"iss": None}},
    {"claims": {"exp": 1_000_000_000}},
    {"claims": {"exp": None}},
    {"claims": {"iat": None}},
    {"claims": {"sub": None}},
    {"claims": {"sub": ""}},
    {"claims": {"aud": ["client-of-google", "another"], "azp": "another"}},
    {"claims": {"at_hash": "AAAAAAAAAAAAAAAAAAAAAA"}},
    {"algorithm": "none"},
    {"key": OTHER_KEY},
    {"token_response": {"id_token": None}},
    {"token_response": {"id_token": "no.token.atall"}},
    {"token_response": {"access_token": None}},
    {"token_response": {"padding": "x" * 300_000}},
    {"status": 500},
    {"status": 302},
    {"response": {"iss": "https://evil.example"}},
    {"response": {"error": "access_denied"}},
    {"response": {"code": None}},
)


def test_response_that_is_not_right_begins_no_session(
    start: Callable[..., Engine], openid: OpenId
) -> None:
    engine = start(google=openid.url)
    usual = {
        "claims": {},
        "token_response": {},
        "response": {},
        "algorithm": "RS256",
        "status": 200,
    }
    with Browser(engine.url) as browser:
        for fault in FAULTS:
            for name, value in {**usual, "key": KEY, **fault}.items():
                setattr(openid, name, value)
            failed = log_in(browser, "google")
            assert failed.status_code == 400, fault
            assert failed.headers["content-type"].startswith("text/html")
            assert browser.session() is None, fault
        for name, value in {**usual, "key": KEY}.items():
            setattr(openid, name, value)
        assert log_in(browser, "google").status_code == 303, "nothing but the faults was in the way"


def test_issuer_that_is_promised_must_be_there(
    start: Callable[..., Engine], openid: OpenId
) -> None:
    openid.metadata = {"authorization_response_iss_parameter_supported": True}
    engine = start(google=openid.url)
    with Browser(engine.url) as browser:
        assert log_in(browser, "google").status_code == 400
        assert browser.session() is None


def test_issuer_of_the_response_is_taken(start: Callable[..., Engine], openid: OpenId) -> None:
    openid.metadata = {"authorization_response_iss_parameter_supported": True}
    openid.response = {"iss": openid.url}
    engine = start(google=openid.url)
    with Browser(engine.url) as browser:
        assert log_in(browser, "google").status_code == 303


def test_parameter_twice_begins_no_session(start: Callable[..., Engine], github: GitHub) -> None:
    engine = start(github=github.url)
    with Browser(engine.url) as browser:
        back = come_back(browser.get("/auth/github/start"))
        assert browser.get(f"{back}&code=another").status_code == 400
        assert browser.session() is None


def test_configuration_of_another_issuer_is_not_used(
    start: Callable[..., Engine], openid: OpenId
) -> None:
    openid.metadata = {"issuer": "https://evil.example"}
    engine = start(google=openid.url)
    failed = httpx.get(f"{engine.url}/auth/google/start")
    assert failed.status_code == 502


def test_provider_that_can_not_be_reached_is_said_so(start: Callable[..., Engine]) -> None:
    engine = start(google="http://127.0.0.1:9")
    failed = httpx.get(f"{engine.url}/auth/google/start", headers={"Accept-Language": "zh-TW"})
    assert failed.status_code == 502
    assert "登入未成功" in failed.text
