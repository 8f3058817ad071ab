"""Somebody logs in, gets a key, uses it, replaces it and ends it: `/login` and `/dashboard`."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from typing import TYPE_CHECKING

import httpx
import pytest
from playwright.sync_api import expect
from site_in_browser import log_in

from scripts import ROOT

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from playwright.sync_api import BrowserContext, Page
    from site_in_browser import Served

KEY = re.compile(r"ak_[0-9a-f]{48}")
SDK = ROOT / "packages/js-sdk"


def revealed(page: Page) -> str:
    page.get_by_role("button", name="Reveal").click()
    shown = page.locator("output.key")
    expect(shown).to_have_text(KEY)
    return shown.inner_text()


def status_of(served: Served, key: str) -> int:
    return httpx.get(f"{served.url}/me", headers={"X-Arcrun-API-Key": key}).status_code


def printed(page: Page, name: str) -> str:
    """Return a program as the dashboard shows it."""
    return page.locator(f"[data-program={name}]").text_content() or ""


def variables(page: Page) -> dict[str, str]:
    """Return what a shell has after the lines of the dashboard."""
    lines = printed(page, "environment").splitlines()
    return dict(line.removeprefix("export ").split("=", 1) for line in lines)


def output_of(command: list[str], environment: dict[str, str]) -> str:
    ran = subprocess.run(
        command,
        env={**environment, "PYTHONUTF8": "1"},
        capture_output=True,
        check=False,
        encoding="utf-8",
        timeout=60,
    )
    assert ran.returncode == 0, ran.stderr
    return ran.stdout


def test_the_programs_of_the_dashboard_run_as_they_stand_there(page: Page, tmp_path: Path) -> None:
    log_in(page, "newcomer")
    key = revealed(page)
    page.get_by_role("button", name="Copy the key").click()
    expect(page.get_by_role("button", name="Copied")).to_be_visible()
    assert page.evaluate("navigator.clipboard.readText()") == key
    environment = {**os.environ, **variables(page)}
    assert environment["ARCRUN_API_KEY"] == key

    python = tmp_path / "quickstart.py"
    python.write_text(printed(page, "python"), "utf-8")
    assert "HELLO, 世界" in output_of([sys.executable, str(python)], environment)

    (tmp_path / "node_modules/@arcrun").mkdir(parents=True)
    (tmp_path / "node_modules/@arcrun/sdk").symlink_to(SDK, target_is_directory=True)
    script = tmp_path / "quickstart.mjs"
    script.write_text(printed(page, "javascript"), "utf-8")
    assert "HELLO, 世界" in output_of([shutil.which("node") or "node", str(script)], environment)
    if shutil.which("curl"):
        assert "HELLO, 世界" in output_of(["sh", "-c", printed(page, "http")], environment)

    page.reload()
    expect(page.get_by_role("link", name="greet")).to_be_visible()


def test_a_rotated_key_fails_at_once_and_other_tabs_say_so(
    open_context: Callable[..., BrowserContext], served: Served
) -> None:
    context = open_context()
    first, second = context.new_page(), context.new_page()
    log_in(first, "rotates")
    expect(first.get_by_role("button", name="Reveal")).to_be_visible()
    second.goto("/dashboard")
    old = revealed(second)
    first.get_by_role("button", name="Rotate", exact=True).click()
    first.get_by_role("dialog").get_by_role("button", name="Rotate the key").click()
    expect(first.get_by_text("The key is rotated.")).to_be_visible()
    new = revealed(first)
    assert new != old
    assert (status_of(served, old), status_of(served, new)) == (401, 200)

    second.evaluate("dispatchEvent(new Event('focus'))")
    expect(second.get_by_text("This key is not valid any more")).to_be_visible()
    expect(second.locator("output.key")).not_to_contain_text(old)
    second.get_by_role("button", name="Reload").click()
    assert revealed(second) == new


def test_a_key_is_revoked_only_by_typing_so_and_a_new_one_can_be_made(
    page: Page, served: Served
) -> None:
    log_in(page, "revokes")
    old = revealed(page)
    page.get_by_role("button", name="Revoke", exact=True).click()
    dialog = page.get_by_role("dialog")
    confirm = dialog.get_by_role("button", name="Revoke the key")
    expect(confirm).to_be_disabled()
    page.keyboard.press("Escape")
    expect(dialog).to_be_hidden()
    assert status_of(served, old) == 200

    page.get_by_role("button", name="Revoke", exact=True).click()
    dialog.get_by_role("textbox").fill("REVOKE")
    confirm.click()
    expect(page.get_by_text("The key is revoked.")).to_be_visible()
    assert status_of(served, old) == 401
    page.get_by_role("button", name="Make a key").click()
    assert revealed(page) != old


def test_a_run_is_shown_with_its_trace_and_a_credential_by_its_name_only(
    page: Page, served: Served
) -> None:
    log_in(page, "watches")
    key = revealed(page)
    graph = {
        "nodes": [
            {"id": "input", "type": "Input"},
            {"id": "大寫", "type": "Component", "componentId": "comp_uppercase"},
        ],
        "edges": [{"from": "input", "to": "大寫", "type": "PIPE"}],
    }
    with httpx.Client(base_url=served.url, headers={"X-Arcrun-API-Key": key}) as client:
        for path, body in (
            ("/webhooks/named", {"name": "shout", "description": "大寫", "graph": graph}),
            ("/webhooks/named/shout/trigger?async=1", {"text": "hi"}),
            ("/credentials", {"name": "weather", "value": "a-secret", "service": "weather"}),
        ):
            client.post(path, json=body).raise_for_status()
    page.reload()
    runs = page.get_by_role("region", name="Recent runs")
    runs.locator("summary").first.click()
    expect(runs.get_by_text('"HI"').first).to_be_visible()
    credentials = page.get_by_role("region", name="Credentials")
    expect(credentials.get_by_role("cell", name="weather").first).to_be_visible()
    assert "a-secret" not in page.content()


def test_the_key_is_in_no_storage_and_gone_after_the_log_out(page: Page) -> None:
    log_in(page, "leaves")
    key = revealed(page)
    stored = page.evaluate(
        "JSON.stringify([{...localStorage}, {...sessionStorage}, document.cookie, location.href])"
    )
    assert key not in stored
    page.get_by_role("button", name="Log out").click()
    expect(page.get_by_role("heading", name="You are not logged in")).to_be_visible()
    assert key not in page.content()
    page.reload()
    expect(page.get_by_role("heading", name="You are not logged in")).to_be_visible()


def test_somebody_with_a_key_alone_can_use_the_dashboard(page: Page, served: Served) -> None:
    page.goto("/dashboard")
    page.get_by_text("Enter a key").click()
    field = page.locator("#entered-key")
    field.fill("ak_" + "0" * 48)
    page.get_by_role("button", name="Use this key").click()
    expect(page.get_by_role("alert").filter(has_text="does not know this key")).to_be_visible()
    field.fill(served.key)
    page.get_by_role("button", name="Use this key").click()
    expect(page.get_by_role("heading", name="Recent runs")).to_be_visible()


@pytest.mark.parametrize(
    "target", ["https://evil.example/", "//evil.example", "/\\evil.example", "javascript:alert(1)"]
)
def test_a_log_in_leads_to_no_other_site(page: Page, served: Served, target: str) -> None:
    page.goto(f"/login?redirect={target}")
    link = page.get_by_role("link", name="development account")
    expect(link).to_have_attribute("href", "/auth/dev/start?redirect=%2Fdashboard%3Fwelcome%3D1")


def test_no_other_site_can_show_the_dashboard_or_act_for_the_person(
    open_context: Callable[..., BrowserContext], served: Served, tmp_path: Path
) -> None:
    context = open_context()
    page = context.new_page()
    log_in(page, "attacked")
    key = revealed(page)
    attack = f"""<iframe src="{served.url}/dashboard"></iframe>
        <form method="post" action="{served.url}/auth/logout"><button>win</button></form>"""
    context.route(
        "http://evil.localhost/**",
        lambda route: route.fulfill(content_type="text/html", body=attack),
    )
    evil = context.new_page()
    evil.goto("http://evil.localhost/")
    evil.wait_for_timeout(500)
    frame = evil.frames[-1]
    assert "API key" not in (frame.content() if frame.url else "")
    sent = evil.evaluate(
        """url => fetch(url + "/me/api-key/rotate", {method: "PUT", credentials: "include"}).then(r => r.status, () => 0)""",
        served.url,
    )
    assert sent in (0, 403)
    assert status_of(served, key) == 200
