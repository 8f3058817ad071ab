"""What somebody has stored: recipes with their versions, workflows as graphs, and runs on them step by step."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from account_data import EMOJI, HOSTILE, RIGHT_TO_LEFT, fill_account
from playwright.sync_api import expect
from site_in_browser import axe_script, engine_with_site

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from playwright.sync_api import BrowserContext, Page
    from site_in_browser import Served

FAULTS = (
    "axe.run(document).then(({violations}) => violations.map(({id, nodes}) => [id, nodes[0].html]))"
)


@pytest.fixture(scope="module")
def used(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """An engine on which an account has been used."""
    with engine_with_site(tmp_path_factory.mktemp("used") / "engine.log") as served:
        fill_account(served.url, served.key)
        yield served


@pytest.fixture
def opened(open_context: Callable[..., BrowserContext], used: Served) -> Callable[..., Page]:
    """Open a page as somebody who has entered their key."""

    def open_page(path: str, **options: object) -> Page:
        context = open_context(base_url=used.url, bypass_csp=True, **options)
        page = context.new_page()
        page.goto("/dashboard")
        page.locator(".enter-key summary").click()
        page.locator("#entered-key").fill(used.key)
        page.locator(".enter-key button").click()
        page.locator("#runs-title").wait_for()
        # As a link does it: a key that was entered is in the memory of the page.
        page.evaluate("path => next.router.push(path)", path)
        page.wait_for_url(f"**{path}")
        return page

    return open_page


def test_versions_stand_there_with_labels_and_what_differs(opened: Callable[..., Page]) -> None:
    page = opened("/recipes?name=digest")
    versions = page.get_by_role("region", name="Versions")
    expect(versions.get_by_role("listitem")).to_have_count(3)
    expect(versions.get_by_role("listitem").filter(has_text="Version 2")).to_contain_text(
        "production"
    )
    expect(versions.get_by_role("listitem").filter(has_text="Version 3")).to_contain_text("staging")
    expect(versions.locator(".diff .removed").last).to_contain_text("the shorter digest")
    expect(versions.locator(".diff .added").last).to_contain_text("the shortest digest")
    versions.get_by_label("From version").select_option("1")
    expect(versions.locator(".diff .removed").last).to_contain_text("the short digest")
    versions.get_by_label("To version").select_option("1")
    expect(versions.get_by_text("The versions do not differ.")).to_be_visible()


def test_each_part_of_a_prompt_says_where_it_comes_from(opened: Callable[..., Page]) -> None:
    page = opened("/recipes?name=digest")
    page.get_by_label("Context (JSON)").fill("{")
    page.get_by_role("button", name="Render the prompt").click()
    expect(page.get_by_role("alert").filter(has_text="not valid JSON")).to_be_visible()
    page.get_by_label("Context (JSON)").fill(
        '{"articles": ["甲", "🏳️‍🌈<b>"], "input": {"reader": "小明"}}'
    )
    page.get_by_role("button", name="Render the prompt").click()
    expect(page.locator(".provenance")).to_have_count(2)
    system, user = page.locator(".provenance").all()
    expect(system.locator("mark.fragment").first).to_contain_text("Be brief.")
    expect(user.locator("mark.value").nth(0)).to_have_text("小明1")
    expect(user.locator("mark.value").nth(1)).to_have_text("- 甲\n- 🏳️‍🌈<b>2")
    expect(page.locator(".sources").nth(0)).to_contain_text("from 2 blocks of the knowledge base")
    expect(page.locator(".sources").nth(1)).to_contain_text("from ctx.articles of the context")
    # Not by color alone.
    lines = {
        kind: page.locator(f".provenance mark.{kind}").first.evaluate(
            "mark => getComputedStyle(mark).textDecorationStyle"
        )
        for kind in ("fragment", "value")
    }
    assert lines == {"fragment": "solid", "value": "dashed"}


def test_a_recipe_or_workflow_that_is_not_there_is_named_with_a_way_on(
    opened: Callable[..., Page],
) -> None:
    page = opened("/recipes?name=nope")
    expect(page.get_by_role("heading", name="There is no recipe nope")).to_be_visible()
    page = opened("/workflows?name=nope", locale="zh-TW")
    expect(page.get_by_role("heading", name="沒有名為 nope 的工作流程")).to_be_visible()
    page.get_by_role("link", name="顯示所有工作流程").click()
    page.get_by_role("link", name="row-12").click()
    expect(page.get_by_role("heading", name="row-12")).to_be_visible()
    expect(page.locator(".graph .node")).to_have_count(12)


@pytest.mark.parametrize(("name", "count"), [("alone", 1), ("row-12", 12), ("row-60", 60)])
def test_graphs_of_any_size_are_drawn_in_order(
    opened: Callable[..., Page], name: str, count: int
) -> None:
    page = opened(f"/workflows?name={name}")
    nodes = page.locator(".graph .node")
    expect(nodes).to_have_count(count)
    expect(page.locator(".graph .edge")).to_have_count(count - 1)
    expect(page.locator(".steps button")).to_have_count(count)
    left = [box["x"] for node in nodes.all() if (box := node.bounding_box())]
    assert left == sorted(set(left))
    # The frame shows the node whose step is shown, and the page is no wider for it.
    expect(page.locator(".graph .at")).to_be_in_viewport()
    assert page.evaluate("document.documentElement.scrollWidth") == 1280


def test_branches_are_drawn_apart_and_only_what_ran_is_marked(opened: Callable[..., Page]) -> None:
    page = opened("/workflows?name=orders")
    boxes = {
        name: page.locator(".graph .node").filter(has_text=name).locator("rect").bounding_box()
        for name in ("金額夠大嗎", "通知業務", "寄感謝信", "彙整")
    }
    assert all(boxes.values())
    assert boxes["通知業務"]["x"] == boxes["寄感謝信"]["x"]
    assert boxes["通知業務"]["y"] + boxes["通知業務"]["height"] < boxes["寄感謝信"]["y"]
    expect(page.locator(".graph .edge-label")).to_have_text(["ON_TRUE", "ON_FALSE"])
    # The newest run had a small amount.
    expect(page.locator(".graph .good").filter(has_text="寄感謝信")).to_contain_text("✓")
    expect(page.locator(".graph .good").filter(has_text="通知業務")).to_have_count(0)
    page.get_by_role("button", name="succeeded").last.click()
    expect(page.locator(".graph .good").filter(has_text="通知業務")).to_contain_text("✓")
    assert "run=" in page.url


def test_a_run_is_gone_through_by_keyboard_and_by_mouse(opened: Callable[..., Page]) -> None:
    page = opened("/workflows?name=each")
    name = page.locator(".step-name")
    expect(name).to_contain_text("Step 5 of 5 · count", use_inner_text=True)
    page.get_by_role("button", name="Previous step").click()
    expect(name).to_contain_text("Step 4 of 5 · shout", use_inner_text=True)
    page.locator(".steps button").nth(3).focus()
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("ArrowLeft")
    expect(name).to_contain_text("Step 2 of 5 · shout", use_inner_text=True)
    expect(page.locator(".step-values pre").last).to_contain_text("ONE")
    expect(page.locator(".graph .good")).to_have_count(2)
    page.locator(".graph .node").filter(has_text="count").click()
    expect(name).to_contain_text("Step 3 of 5 · count", use_inner_text=True)
    end = page.get_by_role("button", name="Next step")
    for _ in range(4):
        end.focus()
        page.keyboard.press("Enter")
    expect(name).to_contain_text("Step 5 of 5", use_inner_text=True)
    expect(end).to_be_focused()


def test_a_failure_and_a_pause_are_said_in_words(opened: Callable[..., Page]) -> None:
    page = opened("/workflows?name=fails")
    expect(page.get_by_text("Node parse failed")).to_be_visible()
    expect(page.locator(".graph .bad")).to_contain_text("✗")
    page = opened("/workflows?name=approval")
    expect(page.get_by_text("It waits for a callback at 核准.")).to_be_visible()
    expect(page.locator(".graph .waits")).to_contain_text("…")


@pytest.mark.parametrize("width", [360, 1440])
def test_hostile_names_and_texts_stay_texts_in_their_place(
    opened: Callable[..., Page], width: int
) -> None:
    viewport = {"width": width, "height": 900}
    for path in ("/workflows?name=hostile", "/recipes?name=hostile", "/workflows", "/dashboard"):
        page = opened(path, viewport=viewport)
        page.wait_for_load_state("networkidle")
        expect(page.get_by_text(HOSTILE[:10]).first).to_be_visible()
        assert page.evaluate("document.documentElement.scrollWidth") == width, path
        assert page.evaluate("window.injected") is None
    page = opened("/workflows?name=hostile", viewport=viewport)
    texts = page.locator(".steps").inner_text()
    assert EMOJI in texts
    assert RIGHT_TO_LEFT.split()[0] in texts
    # What turns the direction of a text is written as an escape.
    expect(page.locator(".step-values pre").last).to_contain_text("\\u202e")


@pytest.mark.parametrize("mode", ["light", "dark"])
@pytest.mark.parametrize("locale", ["en-US", "zh-TW"])
def test_pages_with_data_have_no_fault_that_axe_finds(
    opened: Callable[..., Page], mode: str, locale: str
) -> None:
    for path in ("/workflows?name=fails", "/workflows?name=orders", "/recipes?name=digest"):
        page = opened(path, color_scheme=mode, locale=locale)
        page.locator(".steps, .diff").first.wait_for()
        if path.startswith("/recipes"):
            page.locator("#context").fill('{"articles": ["甲"]}')
            page.locator(".recipe form button").click()
            page.locator(".sources").first.wait_for()
        page.add_script_tag(content=axe_script())
        assert page.evaluate(FAULTS) == [], path
