"""An engine whose people log in, and how they do it in tests."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import httpx

if TYPE_CHECKING:
    from pathlib import Path

    from browsers import Browser

SITE = "http://127.0.0.1:9"
SECRET = "client-secret-canary"


class Engine:
    """An engine whose people log in at these providers, and whose clock can be moved."""

    def __init__(self, server: Any, clock: Path) -> None:
        self.server = server
        self.url = server.ready()["url"]
        self._clock = clock

    def advance(self, seconds: int) -> None:
        self._clock.write_text(str(seconds))


def client_of(provider: str) -> dict[str, str]:
    prefix = f"ARCRUN_SERVER_{provider}_CLIENT"
    return {f"{prefix}_ID": f"client-of-{provider.lower()}", f"{prefix}_SECRET": SECRET}


def log_in(browser: Browser, provider: str, redirect: str = "/account") -> httpx.Response:
    """Log in at a stand-in, and return the response to which its redirect leads."""
    started = browser.get(f"/auth/{provider}/start", params={"redirect": redirect})
    assert started.status_code == 303, started.text
    return browser.get(come_back(started))


def come_back(started: httpx.Response) -> str:
    """Return where a stand-in sends the browser back."""
    return httpx.get(started.headers["location"]).headers["location"]


def account(browser: Browser) -> str:
    return str(browser.get("/me").json()["account"])
