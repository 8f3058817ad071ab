"""Every page: readable by everybody, in both languages and modes, on every screen, and when something is missing."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect
from site_in_browser import PAGES, axe_script, log_in

if TYPE_CHECKING:
    from collections.abc import Callable

    from playwright.sync_api import BrowserContext, Page
    from site_in_browser import Served

TEXTS = ("/", "/integrations", "/components", "/recipes", "/docs", "/docs/cli", "/conformance")
LOCALES = {"en": "en-US", "zh-Hant": "zh-TW"}
FAILED = "({violations}) => violations.map(({id, nodes}) => [id, nodes.slice(0, 3).map((node) => node.html.slice(0, 160))])"


@pytest.mark.parametrize("language", LOCALES)
@pytest.mark.parametrize("mode", ["light", "dark"])
def test_no_page_has_a_fault_that_axe_finds(
    open_context: Callable[..., BrowserContext], mode: str, language: str
) -> None:
    page = open_context(color_scheme=mode, locale=LOCALES[language], bypass_csp=True).new_page()
    found = {}
    for path in PAGES:
        page.goto(path)
        page.wait_for_load_state("networkidle")
        page.add_script_tag(content=axe_script())
        faults = page.evaluate(f"axe.run(document).then({FAILED})")
        if faults:
            found[path] = faults
    assert found == {}, json.dumps(found, indent=1)


def test_the_dashboard_of_somebody_has_no_fault_that_axe_finds(
    open_context: Callable[..., BrowserContext],
) -> None:
    page = open_context(bypass_csp=True).new_page()
    log_in(page, "axe")
    page.get_by_role("button", name="Reveal").click()
    page.wait_for_load_state("networkidle")
    page.add_script_tag(content=axe_script())
    assert page.evaluate(f"axe.run(document).then({FAILED})") == []


@pytest.mark.parametrize("width", [320, 768, 1920])
def test_no_page_is_wider_than_the_screen(
    open_context: Callable[..., BrowserContext], width: int
) -> None:
    page = open_context(viewport={"width": width, "height": 800}).new_page()
    wide = []
    for path in PAGES:
        page.goto(path)
        if page.evaluate("document.documentElement.scrollWidth") > width:
            wide.append(path)
    assert wide == []


def test_no_script_runs_that_the_policy_of_a_page_does_not_name(
    page: Page, open_context: Callable[..., BrowserContext]
) -> None:
    for path in PAGES:
        page.goto(path)
        policy = page.locator("meta[http-equiv=Content-Security-Policy]").get_attribute("content")
        scripts = next(part for part in (policy or "").split("; ") if part.startswith("script-src"))
        assert "unsafe" not in scripts
    attacked = open_context().new_page()
    attacked.goto("/")
    attacked.evaluate(
        """() => {
            const script = document.createElement("script");
            script.textContent = "window.injected = true";
            document.head.append(script);
        }"""
    )
    assert attacked.evaluate("window.injected") is None


@pytest.mark.parametrize("language", LOCALES)
def test_the_language_is_that_of_the_browser_and_switches_in_place(
    open_context: Callable[..., BrowserContext], language: str
) -> None:
    page = open_context(locale=LOCALES[language]).new_page()
    page.goto("/components")
    other = next(one for one in LOCALES if one != language)
    headings = {"en": "Components", "zh-Hant": "元件"}
    expect(page.locator("html")).to_have_attribute("lang", language)
    expect(
        page.get_by_role("heading", name=headings[language], exact=True, level=1)
    ).to_be_visible()
    page.evaluate("window.same = true")
    page.get_by_role("button", name="English" if language == "zh-Hant" else "中文").click()
    expect(page.get_by_role("heading", name=headings[other], exact=True, level=1)).to_be_visible()
    expect(page).to_have_title(f"{headings[other]} · arcrun")
    assert page.evaluate("window.same")
    page.goto("/docs")
    expect(page.locator("html")).to_have_attribute("lang", other)


def test_filters_are_in_the_address_and_come_back_with_it(page: Page) -> None:
    page.goto("/integrations")
    page.get_by_role("button", name="Payments").click()
    expect(page.get_by_role("heading", name="Stripe")).to_be_visible()
    expect(page.get_by_role("heading", name="Notion")).to_be_hidden()
    assert page.url.endswith("?category=payments")
    page.reload()
    expect(page.get_by_role("heading", name="Notion")).to_be_hidden()
    page.get_by_role("searchbox").fill("nothing like it")
    page.get_by_role("button", name="Clear the search").click()
    expect(page.get_by_role("heading", name="Notion")).to_be_visible()
    assert "?" not in page.url


def test_texts_are_readable_without_javascript(
    open_context: Callable[..., BrowserContext],
) -> None:
    page = open_context(java_script_enabled=False).new_page()
    for path in TEXTS:
        page.goto(path)
        expect(page.locator("h1").first).to_be_visible()
        assert len(page.locator("main").inner_text()) > 200, path
    page.goto("/")
    assert page.get_by_role("tabpanel").count() == 4
    expect(page.get_by_role("tabpanel").last).to_be_visible()


def test_pages_say_that_the_engine_is_down_and_show_what_they_have(
    open_context: Callable[..., BrowserContext], served: Served
) -> None:
    context = open_context()

    def is_api(url: str) -> bool:
        path = url.removeprefix(served.url).partition("?")[0]
        return path in {"/health", "/me", "/components", "/auth-recipes"}

    context.route(
        is_api,
        lambda route: route.continue_() if route.request.is_navigation_request() else route.abort(),
    )
    page = context.new_page()
    page.goto("/components")
    expect(page.get_by_text("The engine does not respond. You see the catalog")).to_be_visible()
    expect(page.get_by_role("heading", name="Filter")).to_be_visible()
    for path in ("/dashboard", "/login"):
        page.goto(path)
        expect(
            page.get_by_role("alert").filter(has_text="The engine does not respond.")
        ).to_be_visible()
    context.unroute_all()
    page.get_by_role("button", name="Try again").click()
    expect(page.get_by_role("link", name="development account")).to_be_visible()


@pytest.mark.parametrize("mode", ["light", "dark"])
def test_an_operation_is_tried_with_the_key_of_the_person(
    open_context: Callable[..., BrowserContext], served: Served, mode: str
) -> None:
    page = open_context(color_scheme=mode, bypass_csp=True).new_page()
    urls: list[str] = []
    page.on("request", lambda request: urls.append(request.url))
    page.goto("/api-docs")
    page.locator("#api-key").fill(served.key)
    page.get_by_role("button", name="Use this key").click()
    page.locator("#operations-tag-credentials").click()
    operation = page.locator("#operations-credentials-listCredentials")
    operation.locator("button.opblock-summary-control").click()
    operation.get_by_role("button", name="Try it out").click()
    with page.expect_response(lambda response: "/credentials" in response.url) as answer:
        operation.get_by_role("button", name="Execute").click()
    assert answer.value.status == 200
    assert answer.value.request.headers["x-arcrun-api-key"] == served.key
    expect(operation.locator(".live-responses-table .response-col_status").last).to_contain_text(
        "200"
    )
    expect(operation.locator(".live-responses-table")).to_contain_text("credentials")
    # The key is in the request alone: in no address, in nothing that stays, and not on the screen.
    stored = page.evaluate(
        "JSON.stringify([{...localStorage}, {...sessionStorage}, document.cookie])"
    )
    assert (
        served.key
        not in stored + "".join(urls) + page.url + page.locator("main").first.inner_text()
    )
    page.add_script_tag(content=axe_script())
    assert page.evaluate(f"axe.run(document).then({FAILED})") == []


def test_the_reference_follows_the_theme_of_the_site(
    open_context: Callable[..., BrowserContext],
) -> None:
    page = open_context(color_scheme="light").new_page()
    page.goto("/api-docs")
    tag = page.locator("#reference .opblock-tag").first
    expect(tag).to_have_css("color", "rgb(20, 22, 28)")
    theme = page.get_by_role("button", name="Color theme")
    theme.click()
    theme.click()
    expect(page.locator("html")).to_have_attribute("data-theme", "dark")
    expect(page.locator("html.dark-mode")).to_have_count(1)
    # A transition leads from one color to the other.
    expect(tag).to_have_css("color", "rgb(242, 243, 245)")
