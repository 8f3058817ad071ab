"""What tests of the site share."""

from __future__ import annotations

import contextlib
import json
import sys
from typing import TYPE_CHECKING, NamedTuple

from scripts import ROOT, processes

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from playwright.sync_api import Page

EXPORT = ROOT / "packages/website/out"
START_SECONDS = 60


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
