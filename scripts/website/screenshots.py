"""Take the pictures of the site: `nox -s website_screenshots`.

The engine serves the built site with its development log-in; somebody logs in, and their workflow runs. Each page is taken in
light and in dark colors, in `reports/screenshots`; the pictures that the README shows are copied to `docs/images`.
"""

from __future__ import annotations

import json
import os
import shutil
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from playwright.sync_api import sync_playwright

from scripts import ROOT, processes
from scripts.website.pictures import IMAGES, LIMIT, SHOWN, file_name

if TYPE_CHECKING:
    from playwright.sync_api import BrowserContext, Page

EXPORT = ROOT / "packages/website/out"
REPORT = ROOT / "reports/screenshots"
SIZE = {"width": 1280, "height": 800}
COLORS: tuple[Literal["light", "dark"], ...] = ("light", "dark")
START_SECONDS = 60
_MILLISECONDS = 60_000

WORKFLOW = {
    "name": "review_order",
    "description": "Approve small orders, and have large ones reviewed",
    "graph": {
        "nodes": [
            {"id": "input", "type": "Input"},
            {
                "id": "large?",
                "type": "Component",
                "componentId": "if_control",
                "data": {"condition": "amount > 1000"},
            },
            {
                "id": "review",
                "type": "Component",
                "componentId": "set",
                "data": {"values": {"status": "in review"}},
            },
            {
                "id": "approve",
                "type": "Component",
                "componentId": "set",
                "data": {"values": {"status": "approved"}},
            },
            {
                "id": "receipt",
                "type": "Component",
                "componentId": "hash",
                "data": {"text": "{{input.order}}"},
            },
        ],
        "edges": [
            {"from": "input", "to": "large?", "type": "PIPE"},
            {"from": "large?", "to": "review", "type": "ON_TRUE"},
            {"from": "large?", "to": "approve", "type": "ON_FALSE"},
            {"from": "approve", "to": "receipt", "type": "ON_SUCCESS"},
        ],
    },
}
INPUTS = ({"order": "A-1", "amount": 40}, {"order": "A-2", "amount": 4000})


class Address(NamedTuple):
    """A page: its name, its path, and what it shows once it has all that it asks for."""

    name: str
    path: str
    shows: str


def taken(url: str) -> list[Path]:
    """Take every page in both colors from the site at a URL; return the files."""
    REPORT.mkdir(parents=True, exist_ok=True)
    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=_chromium(), args=["--no-sandbox"])
        context = browser.new_context(base_url=url, locale="en-US", viewport=SIZE)  # type: ignore[arg-type]
        context.set_default_timeout(_MILLISECONDS)
        page = context.new_page()
        _log_in(page)
        run = _ran(context, url)
        addresses = (
            Address("home", "/", ".hero"),
            Address("dashboard", "/dashboard", "text=notion_token"),
            Address("integrations", "/integrations", "text=notion_token"),
            Address("workflow", f"/workflows?name={WORKFLOW['name']}&run={run}", ".stepper"),
        )
        files = [_picture(page, address, colors) for address in addresses for colors in COLORS]
        browser.close()
    return files


def _chromium() -> str:
    found = shutil.which(os.environ.get("CHROMIUM", "chromium"))
    if found is None:
        raise SystemExit("there is no chromium; install it, or set CHROMIUM to its path")
    return found


def _log_in(page: Page) -> None:
    page.goto("/login")
    page.get_by_role("link", name="development account").click()
    page.locator("input[name=name]:not([type=hidden])").fill("ada")
    page.get_by_role("button").last.click()
    page.wait_for_url("**/dashboard*")
    page.wait_for_load_state("networkidle")


def _ran(context: BrowserContext, url: str) -> str:
    """Push the workflow to the account that has logged in, and run it; return the id of the first run."""
    registered = context.request.post("/register", headers={"Origin": url})
    headers = {"X-Arcrun-API-Key": str(registered.json()["api_key"])}

    def post(path: str, body: object) -> Any:
        response = context.request.post(path, headers=headers, data=body)
        if not response.ok:
            raise SystemExit(f"{path} responded with {response.status}: {response.text()}")
        return response.json()

    post("/credentials", {"name": "notion_token", "value": "not-a-token", "service": "notion"})
    post("/webhooks/named", WORKFLOW)
    trigger = f"/webhooks/named/{WORKFLOW['name']}/trigger?async=1"
    runs = [str(post(trigger, given)["run_id"]) for given in INPUTS]
    for run in runs:
        context.request.get(f"/runs/{run}/events", headers=headers)  # it ends with the run
    return runs[0]


def _picture(page: Page, address: Address, colors: Literal["light", "dark"]) -> Path:
    page.emulate_media(color_scheme=colors, reduced_motion="reduce")
    page.goto(address.path)
    page.locator(address.shows).first.wait_for(state="attached")
    page.wait_for_load_state("networkidle")
    following = page.get_by_role("button", name="Next step")
    while following.count() and following.is_enabled():
        following.click()
    file = REPORT / file_name(address.name, colors)
    page.screenshot(path=file)
    return file


def main() -> int:
    """Take the pictures; return 1 if one that the README shows is too large."""
    if not (EXPORT / "index.html").is_file():
        print("the site is not built; build it with: nox -s website", file=sys.stderr)
        return 1
    with tempfile.TemporaryDirectory(prefix="arcrun-screenshots-") as folder:
        log = Path(folder, "engine.log")
        command = [
            *(sys.executable, "-m", "arcrun_server", "serve", "--dev", "--json", "--port", "0"),
            *("--site", str(EXPORT), "--until-stdin-closes"),
        ]
        with (
            log.open("w", encoding="utf-8") as output,
            processes.started(command, stderr=output, held=True) as process,
        ):
            files = taken(json.loads(processes.first_line(process, log, START_SECONDS))["url"])
    IMAGES.mkdir(parents=True, exist_ok=True)
    excess = False
    for file in files:
        size = file.stat().st_size
        shown = file.name in SHOWN
        print(f"{size:9,} {file.relative_to(ROOT)}{' (README)' if shown else ''}")
        if shown:
            shutil.copy(file, IMAGES / file.name)
            excess = excess or size > LIMIT
    if excess:
        print(f"a picture of the README may have {LIMIT:,} bytes", file=sys.stderr)
    return 1 if excess else 0


if __name__ == "__main__":
    raise SystemExit(main())
