"""The site on the deployed engine, which has no catalog of components, no recipes, no runs and no `/register`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import httpx
import pytest
from deployed_site import KEY, DeployedSite, deployed_site, put_behind
from playwright.sync_api import expect

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from playwright.sync_api import BrowserContext, Page
    from site_in_browser import Served

PAGES = (
    *("/", "/login", "/dashboard", "/integrations", "/components", "/recipes", "/workflows"),
    *("/workflows?name=greet", "/api-docs", "/docs", "/conformance"),
)
LOCALES = {"en": "en-US", "zh": "zh-TW"}
GRAPH = {
    "id": "greet",
    "nodes": [
        {"id": "input", "type": "Input"},
        {"id": "shout", "type": "Component", "componentId": "comp_uppercase"},
    ],
    "edges": [{"from": "input", "to": "shout", "type": "PIPE"}],
}


@pytest.fixture(scope="module")
def site() -> Iterator[DeployedSite]:
    with deployed_site() as site:
        with httpx.Client(base_url=site.origin, headers={"X-Arcrun-API-Key": KEY}) as client:
            for path, body in (
                ("/webhooks/named", {"name": "greet", "description": "hello", "graph": GRAPH}),
                ("/webhooks/named/greet/trigger", {"text": "hi"}),
                ("/credentials", {"name": "weather", "value": "a-secret"}),
            ):
                client.post(path, json=body).raise_for_status()
        yield site


@pytest.fixture
def opened(
    open_context: Callable[..., BrowserContext],
    served: Served,
    site: DeployedSite,
) -> Callable[..., tuple[Page, list[str]]]:
    """Open a page that talks to the stand-in; with it come the paths that this lacks, and the errors of the console."""

    def open_page(locale: str = "en-US") -> tuple[Page, list[str]]:
        context = open_context(locale=locale)
        errors = put_behind(site, context, served.url)
        page = context.new_page()
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.on(
            "console",
            lambda message: errors.append(message.text) if message.type == "error" else None,
        )
        return page, errors

    return open_page


@pytest.mark.parametrize("language", LOCALES)
def test_every_page_is_there_and_asks_for_nothing_that_is_not(
    opened: Callable[..., tuple[Page, list[str]]], language: str
) -> None:
    page, errors = opened(LOCALES[language])
    for path in PAGES:
        page.goto(path)
        expect(page.locator("h1").first).to_be_visible()
        expect(page.locator(".skeleton")).to_have_count(0)
        assert len(page.locator("main").inner_text()) > 20, path
        assert errors == [], path


LACKING = {
    ("/components", "en"): "This engine has no catalog of its own",
    ("/components", "zh"): "此引擎沒有自己的目錄",
    ("/recipes", "en"): "This engine has no prompt recipes.",
    ("/recipes", "zh"): "此引擎沒有提示詞配方。",
    ("/dashboard", "en"): "This engine keeps no runs.",
    ("/dashboard", "zh"): "此引擎不保留執行",
    ("/api-docs", "en"): "does not have every operation",
    ("/api-docs", "zh"): "並非支援合約的每個操作",
}


@pytest.mark.parametrize(("path", "language"), LACKING)
def test_what_the_engine_lacks_is_said(
    opened: Callable[..., tuple[Page, list[str]]], path: str, language: str
) -> None:
    page, _ = opened(LOCALES[language])
    page.goto(path)
    expect(page.get_by_text(LACKING[path, language])).to_be_visible()
    if path == "/components":
        expect(page.get_by_role("status").filter(has_text="20")).to_be_visible()
        assert page.locator("article.component").count() >= 21


def test_the_key_comes_with_the_person_and_can_be_rotated(
    opened: Callable[..., tuple[Page, list[str]]], site: DeployedSite
) -> None:
    page, _ = opened()
    page.goto("/dashboard")
    page.get_by_role("button", name="Reveal").click()
    expect(page.locator("output.key")).to_have_text(KEY)
    expect(page.get_by_role("cell", name="WEATHER").first).to_be_visible()
    assert "ARCRUN_CREDENTIAL_FORMAT=plain" in (
        page.locator("[data-program=environment]").text_content() or ""
    )
    page.get_by_role("button", name="Rotate", exact=True).click()
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("credentials stay under the old key")
    dialog.get_by_role("button", name="Rotate the key").click()
    expect(page.locator("output.key")).to_have_text(site.key)
    site.key = KEY


def test_a_workflow_is_drawn_with_how_it_has_ended_of_late(
    opened: Callable[..., tuple[Page, list[str]]],
) -> None:
    page, _ = opened()
    page.goto("/workflows?name=greet")
    expect(page.locator(".graph .node")).to_have_count(2)
    executions = page.get_by_role("region", name="Executions")
    expect(executions.get_by_role("listitem").filter(has_text="succeeded")).to_have_count(1)
