"""Sessions of browsers, over HTTP: who may use them, for how long, and what other sites can do with them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

import httpx
from browsers import Browser
from logins import SECRET, SITE, Engine, come_back, log_in

from arcrun_server.accounts.keys import HEADER

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from identity_providers import GitHub


def test_session_that_the_browser_brought_is_not_the_one_it_gets(
    start: Callable[..., Engine], github: GitHub
) -> None:
    """Session fixation: a cookie that somebody else has put there must not become a session."""
    engine = start(github=github.url)
    with Browser(engine.url) as browser, Browser(engine.url) as attacker:
        browser.client.cookies.set("arcrun_session", "planted", domain="127.0.0.1", path="/")
        log_in(browser, "github")
        assert browser.session() != "planted"
        attacker.client.cookies.set("arcrun_session", "planted", domain="127.0.0.1", path="/")
        assert attacker.get("/me").status_code == 401


def test_log_in_ends_the_session_that_the_browser_had(
    start: Callable[..., Engine], github: GitHub
) -> None:
    engine = start(github=github.url)
    with Browser(engine.url) as browser:
        log_in(browser, "github")
        before = browser.session()
        log_in(browser, "github")
        assert browser.session() != before
        old = httpx.get(f"{engine.url}/me", headers={"Cookie": f"arcrun_session={before}"})
        assert old.status_code == 401


def test_log_out_ends_the_session_in_the_engine_too(
    start: Callable[..., Engine], github: GitHub
) -> None:
    engine = start(github=github.url)
    with Browser(engine.url) as browser:
        log_in(browser, "github")
        token = browser.session()
        assert browser.post("/auth/logout").json() == {"logged_out": True}
        assert browser.session() is None
        old = httpx.get(f"{engine.url}/me", headers={"Cookie": f"arcrun_session={token}"})
        assert old.status_code == 401


def test_session_ends_after_seven_days(start: Callable[..., Engine], github: GitHub) -> None:
    engine = start(github=github.url)
    with Browser(engine.url) as browser:
        log_in(browser, "github")
        cookie = {"Cookie": f"arcrun_session={browser.session()}"}
        engine.advance(7 * 86400 - 60)
        assert httpx.get(f"{engine.url}/me", headers=cookie).status_code == 200
        engine.advance(7 * 86400)
        assert httpx.get(f"{engine.url}/me", headers=cookie).status_code == 401


def test_key_is_shown_only_in_the_ten_minutes_after_a_log_in(
    start: Callable[..., Engine], github: GitHub
) -> None:
    engine = start(github=github.url)
    with Browser(engine.url) as browser:
        log_in(browser, "github")
        key = browser.post("/register").json()["api_key"]
        engine.advance(540)
        assert browser.post("/me/api-key/reveal").json()["api_key"] == key
        engine.advance(600)
        for method, path in (
            ("POST", "/register"),
            ("POST", "/me/api-key/reveal"),
            ("PUT", "/me/api-key/rotate"),
        ):
            refused = browser.post(path, method=method)
            assert (refused.status_code, refused.json()["code"]) == (403, "login_too_old"), path
            assert key not in refused.text
        assert browser.get("/me").status_code == 200
        assert httpx.get(f"{engine.url}/me", headers={HEADER: key}).status_code == 200
        log_in(browser, "github")
        assert browser.post("/me/api-key/reveal").json()["api_key"] == key


def test_other_sites_change_nothing_with_a_session(
    start: Callable[..., Engine], github: GitHub
) -> None:
    engine = start(github=github.url)
    changes = (
        ("POST", "/register"),
        ("POST", "/me/api-key/reveal"),
        ("PUT", "/me/api-key/rotate"),
        ("PUT", "/me/api-key"),
        ("DELETE", "/me/api-key"),
        ("POST", "/auth/logout"),
    )
    with Browser(engine.url) as browser:
        log_in(browser, "github")
        key = browser.post("/register").json()["api_key"]
        for origin in ("https://evil.example", "null", "", "https://127.0.0.1.evil.example"):
            for method, path in changes:
                refused = browser.post(path, method=method, origin=origin)
                assert refused.status_code == 403, (origin, path)
                assert refused.json()["code"] == "forbidden_origin"
                assert key not in refused.text
        assert browser.post("/me/api-key/reveal").json()["api_key"] == key


def test_page_of_the_site_may_act_for_the_person(
    start: Callable[..., Engine], github: GitHub
) -> None:
    engine = start(github=github.url)
    with Browser(engine.url) as browser:
        log_in(browser, "github")
        response = browser.post("/register", origin=SITE)
        assert response.status_code == 200
        assert response.headers["access-control-allow-origin"] == SITE
        assert response.headers["access-control-allow-credentials"] == "true"


def test_cookies_are_for_no_script_and_no_other_sites_form(
    start: Callable[..., Engine], github: GitHub
) -> None:
    engine = start(github=github.url)
    with Browser(engine.url) as browser:
        started = browser.get("/auth/github/start")
        ended = browser.get(come_back(started))
    for response, name in ((started, "arcrun_login"), (ended, "arcrun_session")):
        [cookie] = [
            each
            for each in response.headers.get_list("set-cookie")
            if each.startswith(f"{name}=") and "Max-Age=0" not in each
        ]
        attributes = {part.strip().lower() for part in cookie.split(";")[1:]}
        assert {"httponly", "samesite=lax", "path=/"} <= attributes
        assert "secure" not in attributes, "development is over http, on loopback"


def test_over_https_cookies_are_secure(start: Callable[..., Engine], github: GitHub) -> None:
    engine = start(github=github.url, ARCRUN_SERVER_PUBLIC_URL="https://engine.example")
    with Browser(engine.url) as browser:
        started = browser.get("/auth/github/start")
        assert "; Secure" in started.headers["set-cookie"]
        assert github.authorized == []
        sent = parse_qs(urlsplit(started.headers["location"]).query)
        assert sent["redirect_uri"] == ["https://engine.example/auth/callback"]
        name, value = started.headers["set-cookie"].partition(";")[0].split("=", 1)
        back = come_back(started).replace("https://engine.example", "")
        ended = browser.get(back, headers={"Cookie": f"{name}={value}"})
        assert ended.status_code == 303
        sessions = [
            each
            for each in ended.headers.get_list("set-cookie")
            if each.startswith("arcrun_session=")
        ]
        assert len(sessions) == 1
        assert "; Secure" in sessions[0]


def test_nobody_logs_in_over_http_from_elsewhere(
    start: Callable[..., Engine], github: GitHub
) -> None:
    """The session could be read on the way."""
    engine = start(github=github.url, ARCRUN_SERVER_PUBLIC_URL="http://engine.example")
    refused = httpx.get(f"{engine.url}/auth/github/start")
    assert (refused.status_code, refused.json()["code"]) == (400, "insecure_transport")
    assert "set-cookie" not in refused.headers


def test_no_secret_of_a_log_in_is_in_the_log_or_the_database(
    start: Callable[..., Engine], github: GitHub, tmp_path: Path
) -> None:
    engine = start(github=github.url)
    with Browser(engine.url) as browser:
        started = browser.get("/auth/github/start")
        login = browser.client.cookies["arcrun_login"]
        ended = browser.get(come_back(started))
        assert ended.status_code == 303
        key = browser.post("/register").json()["api_key"]
        session = browser.session()
        codes = httpx.post(f"{engine.url}/auth/device/code", data={}).json()
        browser.get(f"/auth/device?user_code={codes['user_code']}")
    assert engine.server.stop() == 0
    sent = github.token_requests[0]
    assert sent["client_secret"] == SECRET
    state = github.authorized[0]["state"]
    secrets = {
        "session": session, "login": login, "state": state, "key": key, "client": SECRET,
        "verifier": sent["code_verifier"], "code": sent["code"], "token": "gho_token",
        "device": codes["device_code"], "user code": codes["user_code"],
    }  # fmt: skip
    log = "".join(engine.server.log)
    files = b"".join(
        path.read_bytes() for path in (tmp_path / "data").iterdir() if path.name != "server.key"
    )
    for name, secret in secrets.items():
        assert secret not in log, name
        assert secret.encode() not in files, name
        assert secret.replace("-", "").encode() not in files, name


def test_development_provider_and_its_sessions_and_keys_are_not_there_without_dev(
    start: Callable[..., Engine], serve: Callable[..., Any], tmp_path: Path
) -> None:
    engine = start()
    with Browser(engine.url) as browser:
        browser.log_in_as("mira")
        key = browser.post("/register").json()["api_key"]
        cookie = {"Cookie": f"arcrun_session={browser.session()}"}
    assert engine.server.stop() == 0
    server = serve("--json", "--data", tmp_path / "data")
    url = server.ready()["url"]
    assert httpx.get(f"{url}/auth/dev/start").status_code == 404
    assert httpx.get(f"{url}/me", headers=cookie).status_code == 401
    assert httpx.get(f"{url}/me", headers={HEADER: key}).status_code == 401
    capabilities = httpx.get(f"{url}/health").json()["capabilities"]
    assert "device_login" not in capabilities
    assert "accounts" in capabilities


def test_development_provider_is_not_there_under_another_name_than_loopback(
    start: Callable[..., Engine],
) -> None:
    engine = start(ARCRUN_SERVER_PUBLIC_URL="https://engine.example")
    with Browser(engine.url) as browser:
        for method, path in (("GET", "/auth/dev/start"), ("POST", "/auth/dev/login")):
            refused = browser.client.request(method, f"{engine.url}{path}")
            assert refused.status_code == 404
            assert refused.json()["code"] == "provider_not_configured"
