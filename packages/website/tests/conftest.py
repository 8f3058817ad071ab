"""The site as people see it: exported, served by the engine, opened in Chromium."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, Playwright, expect, sync_playwright
from site_in_browser import EXPORT, Served, engine_with_site, launched

from scripts import ROOT

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

# For the stand-in of the deployed engine.
sys.path.append(str(ROOT / "conformance/tests"))
# Milliseconds: nothing waits for them but what fails, and machines that build beside this are slow.
PATIENCE = 30_000


@pytest.fixture(scope="session")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """An engine with the site, for all tests that need no other."""
    if not (EXPORT / "index.html").is_file():
        pytest.fail("the site is not built; build it with: nox -s website")
    with engine_with_site(tmp_path_factory.mktemp("engine") / "engine.log") as served:
        yield served


@pytest.fixture(scope="session")
def playwright() -> Iterator[Playwright]:
    expect.set_options(timeout=PATIENCE)
    with sync_playwright() as driver:
        yield driver


@pytest.fixture(scope="session")
def browser(playwright: Playwright) -> Iterator[Browser]:
    browser = launched(playwright)
    yield browser
    browser.close()


@pytest.fixture
def open_context(browser: Browser, served: Served) -> Iterator[Callable[..., BrowserContext]]:
    """Open a browser of somebody: with cookies, language and colors of its own."""
    contexts: list[BrowserContext] = []

    def opened(**options: object) -> BrowserContext:
        context = browser.new_context(
            **{
                "base_url": served.url,
                "locale": "en-US",
                "viewport": {"width": 1280, "height": 900},
                **options,
            }  # type: ignore[arg-type]
        )
        context.set_default_timeout(PATIENCE)
        contexts.append(context)
        return context

    yield opened
    for context in contexts:
        context.close()


@pytest.fixture
def page(open_context: Callable[..., BrowserContext]) -> Iterator[Page]:
    """A page in English; the test fails if a script of the page does."""
    page = open_context(permissions=["clipboard-read", "clipboard-write"]).new_page()
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.on(
        "console",
        lambda message: (
            errors.append(message.text) if "Content Security Policy" in message.text else None
        ),
    )
    yield page
    assert errors == []
