"""Log-in of a device (RFC 8628), over HTTP."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from browsers import Browser

from arcrun_server.accounts.keys import HEADER

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

GRANT = "urn:ietf:params:oauth:grant-type:device_code"


class Device:
    """A device, and a person's browser, on one engine whose clock can be moved."""

    def __init__(self, url: str, clock: Path) -> None:
        self.url = url
        self._clock = clock
        self._ahead = 0

    def advance(self, seconds: int) -> None:
        self._ahead += seconds
        self._clock.write_text(str(self._ahead))

    def begin(self, client_name: str = "acr on laptop") -> dict[str, Any]:
        response = httpx.post(f"{self.url}/auth/device/code", data={"client_name": client_name})
        assert response.status_code == 200, response.text
        return response.json()

    def ask(self, device_code: str, **fields: str) -> httpx.Response:
        form = {"grant_type": GRANT, "device_code": device_code, **fields}
        return httpx.post(f"{self.url}/auth/device/token", data=form)

    def error(self, device_code: str) -> str:
        response = self.ask(device_code)
        body = response.json()
        assert response.status_code == 400, body
        assert body["code"] == body["error"]
        assert body["error_description"]
        assert response.headers["Cache-Control"] == "no-store"
        return str(body["error"])


@pytest.fixture
def device(serve: Callable[..., Any], tmp_path: Path, database_url: str | None) -> Device:
    clock = tmp_path / "clock"
    database = ["--database", database_url] if database_url else []
    server = serve(
        "--dev", "--json", "--data", tmp_path / "data", *database,
        ARCRUN_SERVER_CLOCK_FILE=str(clock),
    )  # fmt: skip
    return Device(server.ready()["url"], clock)


@pytest.fixture
def person(device: Device) -> Iterator[Browser]:
    with Browser(device.url) as browser:
        browser.log_in_as("mira")
        yield browser


def decide(person: Browser, code: str, action: str) -> httpx.Response:
    """Enter a code, and press a button on the page that shows what asks."""
    question = person.submit(
        person.get("/auth/device"), "/auth/device", user_code=code, action="show"
    )
    assert question.status_code == 200, question.text
    return person.submit(question, "/auth/device", action=action)


def test_device_gets_the_key_of_the_person_who_confirms(device: Device, person: Browser) -> None:
    codes = device.begin()
    assert device.error(codes["device_code"]) == "authorization_pending"
    assert decide(person, codes["user_code"], "approve").status_code == 200
    device.advance(5)
    response = device.ask(codes["device_code"])
    assert response.headers["Cache-Control"] == "no-store"
    assert response.json().keys() == {"access_token", "token_type"}
    assert response.json()["token_type"] == "Bearer"
    key = response.json()["access_token"]
    me = httpx.get(f"{device.url}/me", headers={HEADER: key}).json()
    assert me["account"] == person.get("/me").json()["account"]
    assert person.post("/register").json()["api_key"] == key


def test_begin_gives_what_a_client_needs(device: Device) -> None:
    codes = device.begin()
    assert re.fullmatch(r"[BCDFGHJKLMNPQRSTVWXZ]{4}-[BCDFGHJKLMNPQRSTVWXZ]{4}", codes["user_code"])
    page = f"{device.url}/auth/device"
    assert codes["verification_uri"] == page
    assert codes["verification_uri_complete"] == f"{page}?user_code={codes['user_code']}"
    assert (codes["expires_in"], codes["interval"]) == (600, 5)
    assert len(codes["device_code"]) >= 43


def test_client_may_send_json(device: Device) -> None:
    codes = httpx.post(f"{device.url}/auth/device/code", json={}).json()
    asked = {"grant_type": GRANT, "device_code": codes["device_code"]}
    pending = httpx.post(f"{device.url}/auth/device/token", json=asked).json()
    assert pending["error"] == "authorization_pending"


def test_person_sees_what_asks_before_confirming(device: Device, person: Browser) -> None:
    codes = device.begin("<b>acr</b> 筆電")
    page = person.get(codes["verification_uri_complete"])
    assert codes["user_code"] in page.text
    assert "&lt;b&gt;" not in page.text, "a link alone does not lead to the question"
    shown = person.submit(page, "/auth/device", user_code=codes["user_code"], action="show")
    assert "&lt;b&gt;acr&lt;/b&gt; 筆電" in shown.text
    assert "<b>" not in shown.text
    assert "127.0.0.1" in shown.text
    assert re.search(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC", shown.text)


@pytest.mark.parametrize(
    ("accepted", "text"), [("zh-TW,zh;q=0.9", "請輸入裝置上顯示的代碼"), ("en", "Enter the code")]
)
def test_page_is_in_the_language_of_the_browser(person: Browser, accepted: str, text: str) -> None:
    page = person.get("/auth/device", headers={"Accept-Language": accepted})
    assert text in page.text


def test_page_runs_no_script_and_is_in_no_frame(person: Browser) -> None:
    page = person.get("/auth/device")
    policy = page.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "unsafe" not in policy
    assert "script" not in page.text + policy


def test_code_is_valid_once(device: Device, person: Browser) -> None:
    codes = device.begin()
    assert decide(person, codes["user_code"], "approve").status_code == 200
    assert device.ask(codes["device_code"]).status_code == 200
    device.advance(5)
    assert device.error(codes["device_code"]) == "invalid_grant"
    again = person.submit(
        person.get("/auth/device"), "/auth/device", user_code=codes["user_code"], action="show"
    )
    assert again.status_code == 404


def test_refused_device_is_told_so_once(device: Device, person: Browser) -> None:
    codes = device.begin()
    assert decide(person, codes["user_code"], "deny").status_code == 200
    assert device.error(codes["device_code"]) == "access_denied"
    device.advance(5)
    assert device.error(codes["device_code"]) == "invalid_grant"


def test_codes_expire_after_ten_minutes(device: Device, person: Browser) -> None:
    codes = device.begin()
    device.advance(540)  # what takes time here counts too
    assert device.error(codes["device_code"]) == "authorization_pending"
    device.advance(60)
    assert device.error(codes["device_code"]) == "expired_token"
    person.log_in_as("mira")
    page = person.submit(
        person.get("/auth/device"), "/auth/device", user_code=codes["user_code"], action="show"
    )
    assert page.status_code == 404


def test_device_that_asks_too_often_has_to_wait_longer(device: Device) -> None:
    codes = device.begin()
    assert device.error(codes["device_code"]) == "authorization_pending"
    assert device.error(codes["device_code"]) == "slow_down"
    device.advance(5)  # enough for one that has not been too fast
    assert device.error(codes["device_code"]) == "slow_down"
    device.advance(15)
    assert device.error(codes["device_code"]) == "authorization_pending"


@pytest.mark.parametrize(
    ("form", "error"),
    [
        ({}, "unsupported_grant_type"),
        ({"grant_type": "password"}, "unsupported_grant_type"),
        ({"grant_type": GRANT}, "invalid_request"),
        ({"grant_type": GRANT, "device_code": "unknown"}, "invalid_grant"),
    ],
)
def test_other_requests_have_the_errors_of_oauth(
    device: Device, form: dict[str, str], error: str
) -> None:
    response = httpx.post(f"{device.url}/auth/device/token", data=form)
    assert (response.status_code, response.json()["error"]) == (400, error)


def test_small_letters_and_spaces_do_not_matter(device: Device, person: Browser) -> None:
    codes = device.begin()
    typed = codes["user_code"].lower().replace("-", " ")
    assert decide(person, typed, "approve").status_code == 200


def test_guessing_codes_is_limited(device: Device, person: Browser) -> None:
    page = person.get("/auth/device")
    for _ in range(10):
        guess = person.submit(page, "/auth/device", user_code="BBBB-BBBB", action="show")
        assert guess.status_code == 404
    codes = device.begin()
    blocked = person.submit(page, "/auth/device", user_code=codes["user_code"], action="approve")
    assert blocked.status_code == 429
    assert device.error(codes["device_code"]) == "authorization_pending"
    device.advance(600)
    person.log_in_as("mira")
    assert decide(person, device.begin()["user_code"], "approve").status_code == 200


def test_logging_in_again_does_not_allow_more_guesses(device: Device, person: Browser) -> None:
    for _ in range(10):
        page = person.get("/auth/device")
        person.submit(page, "/auth/device", user_code="BBBB-BBBB", action="show")
    person.log_in_as("mira")
    page = person.get("/auth/device")
    blocked = person.submit(page, "/auth/device", user_code="BBBB-BBBB", action="show")
    assert blocked.status_code == 429


def test_beginning_is_limited(device: Device) -> None:
    statuses = [
        httpx.post(f"{device.url}/auth/device/code", data={}).status_code for _ in range(61)
    ]
    assert statuses == [200] * 60 + [429]


@pytest.mark.parametrize("origin", ["https://evil.example", "null", "", "http://localhost:3000"])
def test_page_of_another_origin_cannot_confirm(
    device: Device, person: Browser, origin: str
) -> None:
    codes = device.begin()
    form_token = re.findall(r'name="form_token" value="([^"]+)"', person.get("/auth/device").text)
    fields = {
        "form_token": form_token[0],
        "user_code": codes["user_code"],
        "action": "approve",
    }
    refused = person.post("/auth/device", data=fields, origin=origin)
    assert (refused.status_code, refused.json()["code"]) == (403, "forbidden_origin")
    assert device.error(codes["device_code"]) == "authorization_pending"


def test_form_of_another_session_cannot_confirm(device: Device, person: Browser) -> None:
    codes = device.begin()
    with Browser(device.url) as other:
        other.log_in_as("other")
        page = other.get("/auth/device")
    refused = person.submit(page, "/auth/device", user_code=codes["user_code"], action="approve")
    assert (refused.status_code, refused.json()["code"]) == (403, "forbidden_origin")
    fields = {"user_code": codes["user_code"], "action": "approve"}
    assert person.post("/auth/device", data=fields).status_code == 403
    assert device.error(codes["device_code"]) == "authorization_pending"


def test_only_somebody_who_has_just_logged_in_can_confirm(device: Device, person: Browser) -> None:
    page = person.get("/auth/device")
    device.advance(600)
    codes = device.begin()
    refused = person.submit(page, "/auth/device", user_code=codes["user_code"], action="approve")
    assert refused.status_code == 401
    assert device.error(codes["device_code"]) == "authorization_pending"
    shown = person.get(codes["verification_uri_complete"])
    link = f"/auth/dev/start?redirect=%2Fauth%2Fdevice%3Fuser_code%3D{codes['user_code']}"
    assert f'href="{link}"' in shown.text
    led = person.submit(person.get(link), "/auth/dev/login", name="mira")
    assert led.headers["Location"] == codes["verification_uri_complete"]
    assert decide(person, codes["user_code"], "approve").status_code == 200


def test_stranger_is_asked_to_log_in(device: Device) -> None:
    with Browser(device.url) as stranger:
        page = stranger.get("/auth/device")
        assert "/auth/dev/start" in page.text
        refused = stranger.post("/auth/device", data={"user_code": "BBBB-BBBB", "action": "show"})
        assert refused.status_code == 401


@pytest.mark.parametrize("name", ["x" * 65, "a\nb", "\u202eabc"])
def test_client_name_that_would_change_the_page_is_refused(device: Device, name: str) -> None:
    response = httpx.post(f"{device.url}/auth/device/code", data={"client_name": name})
    assert (response.status_code, response.json()["code"]) == (400, "invalid_request")
