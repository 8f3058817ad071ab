"""Each page looks as somebody has seen it: in both modes and languages, on a large and on a small screen.

`ARCRUN_RENEW_LOOKS=1 nox -s website_test -- -k looks` keeps the looks of now as the expected ones. Look at the pages first.
"""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING

import pytest
from looks import (
    HEIGHT,
    WIDTHS,
    Look,
    differences,
    look_of,
    read_references,
    save_pictures,
    write_references,
)
from site_in_browser import PAGES

from scripts import ROOT

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from playwright.sync_api import Browser, BrowserContext, Page

RENEW = os.environ.get("ARCRUN_RENEW_LOOKS") == "1"
LOCALES = {"en": "en-US", "zh": "zh-TW"}
WAYS = [
    (mode, language, width)
    for mode in ("light", "dark")
    for language in LOCALES
    for width in WIDTHS
]
REPORT = ROOT / "packages/website/src/generated/conformance.json"


@pytest.fixture(scope="module")
def paper(browser: Browser) -> Iterator[Page]:
    """A page on which screenshots are read."""
    page = browser.new_page()
    yield page
    page.close()


@pytest.fixture
def shown(open_context: Callable[..., BrowserContext]) -> Callable[..., Page]:
    def show(path: str, mode: str, language: str, width: int) -> Page:
        page = open_context(
            color_scheme=mode,
            locale=LOCALES[language],
            viewport={"width": width, "height": HEIGHT},
            reduced_motion="reduce",
            bypass_csp=True,
        ).new_page()
        page.goto(path)
        page.locator("h1").first.wait_for()
        if path == "/api-docs":
            page.locator(".opblock-tag").first.wait_for()
        page.wait_for_function("document.querySelector('.skeleton') === null")
        return page

    return show


@pytest.mark.parametrize("path", PAGES)
def test_looks_of_a_page_are_the_expected_ones(
    shown: Callable[..., Page], paper: Page, path: str
) -> None:
    if path == "/conformance" and json.loads(REPORT.read_text("utf-8")) is not None:
        pytest.skip("this site was built with a report of this machine")
    expected = read_references(path)
    actual: dict[str, Look] = {}
    faults = []
    for mode, language, width in WAYS:
        name = f"{mode}-{language}-{width}"
        actual[name] = look_of(shown(path, mode, language, width), paper)
        if RENEW:
            continue
        assert name in expected, f"{path} {name} has no reference; how to make one: {__doc__}"
        found = differences(expected[name], actual[name])
        if found:
            file = f"{path.strip('/').replace('/', '-') or 'home'}-{name}"
            picture = save_pictures(paper, file, expected[name], actual[name])
            faults.append(f"{path} {name}: {'; '.join(found)}; expected and actual: {picture}")
    if RENEW:
        write_references(path, actual)
    assert faults == []


PLANTED = {
    "no header": (".site-header { display: none }", "header"),
    "an empty header": (".site-header * { visibility: hidden }", "header"),
    "white on white": ("main, main * { color: #fff !important }", "main"),
    "nothing in the page": ("main { visibility: hidden }", "main"),
}


@pytest.mark.parametrize("defect", PLANTED)
@pytest.mark.parametrize("path", ["/dashboard", "/docs"])
def test_a_planted_defect_is_seen(
    shown: Callable[..., Page], paper: Page, path: str, defect: str
) -> None:
    style, part = PLANTED[defect]
    for width in WIDTHS:
        page = shown(path, "light", "en", width)
        expected = look_of(page, paper)
        page.add_style_tag(content=style)
        assert any(part in one for one in differences(expected, look_of(page, paper)))
