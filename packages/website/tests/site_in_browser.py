"""What tests of the site share."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import socket
import sys
from typing import TYPE_CHECKING, NamedTuple

import pytest

from scripts import ROOT, processes

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from playwright.sync_api import Browser, Page, Playwright

EXPORT = ROOT / "packages/website/out"
START_SECONDS = 60
CHROMIUM = shutil.which(os.environ.get("CHROMIUM", "chromium"))
PAGES = (
    *("/", "/login", "/dashboard", "/integrations", "/components", "/recipes", "/workflows"),
    *("/docs", "/docs/contract", "/api-docs", "/conformance", "/no-such-page"),
)


class Served(NamedTuple):
    """A running engine with the site: its URL, and a key."""

    url: str
    key: str


@contextlib.contextmanager
def engine_with_site(log: Path, **environment: str) -> Iterator[Served]:
    """Run an engine in development mode with the site, as `nox -s serve` does."""
    command = [
        *(sys.executable, "-m", "arcrun_server", "serve", "--dev", "--json", "--port", "0"),
        *("--site", str(EXPORT), "--until-stdin-closes"),
    ]
    with (
        log.open("w", encoding="utf-8") as output,
        processes.started(command, stderr=output, env=environment, held=True) as process,
    ):
        ready = json.loads(processes.first_line(process, log, START_SECONDS))
        yield Served(ready["url"], ready["key"])


def launched(playwright: Playwright, *arguments: str) -> Browser:
    """Start Chromium."""
    if CHROMIUM is None:
        pytest.fail("there is no chromium; install it, or set CHROMIUM to its path")
    return playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", *arguments])


def free_port() -> int:
    """Return a port of this machine on which nothing listens."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        return int(listening.getsockname()[1])


def log_in(page: Page, name: str) -> None:
    """Log in with the development provider, from the page /login to the dashboard."""
    page.goto("/login")
    page.get_by_role("link", name="development account").click()
    page.locator("input[name=name]:not([type=hidden])").fill(name)
    page.get_by_role("button").last.click()
    page.wait_for_url("**/dashboard*")


def axe_script() -> str:
    """Return axe-core, as npm has installed it."""
    return (ROOT / "packages/website/node_modules/axe-core/axe.min.js").read_text("utf-8")
