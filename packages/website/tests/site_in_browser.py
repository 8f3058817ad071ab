"""What tests of the site share."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from scripts import ROOT

if TYPE_CHECKING:
    from playwright.sync_api import Page


class Served(NamedTuple):
    """A running engine with the site: its URL, and a key."""

    url: str
    key: str


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
