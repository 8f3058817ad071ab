"""What Lighthouse finds on every page of the site: accessibility, best practices, and what search engines read."""

from __future__ import annotations

import json
import shutil
import subprocess
from typing import TYPE_CHECKING

import pytest
from site_in_browser import PAGES, Served, free_port, launched

from scripts import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Browser, Playwright

LEAST = 95
JUDGED = ("accessibility", "best-practices", "seo")
SECONDS_EACH = 120
# `is-crawlable`: pages of an account, which robots.txt and a header keep out of search engines.
PRIVATE = ("/dashboard", "/workflows")


@pytest.fixture
def devtools(playwright: Playwright) -> Iterator[int]:
    """A browser of its own, by the port of its DevTools."""
    port = free_port()
    browser: Browser = launched(playwright, f"--remote-debugging-port={port}")
    yield port
    browser.close()


def test_every_page_is_good_in_the_eyes_of_lighthouse(
    served: Served, devtools: int, capsys: pytest.CaptureFixture[str]
) -> None:
    pages = [page for page in PAGES if page != "/no-such-page"]
    urls = [served.url + page for page in pages]
    ran = subprocess.run(
        [shutil.which("node") or "node", "lighthouse.mjs", str(devtools), *urls],
        cwd=ROOT / "packages/website/tests",
        capture_output=True,
        check=False,
        encoding="utf-8",
        timeout=SECONDS_EACH * len(urls),
    )
    assert ran.returncode == 0, ran.stderr
    reports = [json.loads(line) for line in ran.stdout.splitlines()]
    assert [report["url"] for report in reports] == urls
    faults = []
    for page, report in zip(pages, reports, strict=True):
        categories = report["categories"]
        scores = " ".join(f"{name} {found['score']}" for name, found in categories.items())
        with capsys.disabled():
            print(f"\n  {page:20} {scores}", end="")
        for name in JUDGED:
            failed = [
                audit
                for audit in categories[name]["failed"]
                if not (page in PRIVATE and audit["id"] == "is-crawlable")
            ]
            if failed and score(categories[name], failed) < LEAST:
                faults.append(f"{page}: {name}: {failed}")
    assert faults == []


def score(category: dict[str, float], failed: list[dict[str, float]]) -> float:
    """Return the score of a category if only these audits had failed."""
    return 100 - 100 * sum(audit["weight"] for audit in failed) / category["weight"]
