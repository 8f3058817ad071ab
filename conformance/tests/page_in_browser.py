"""The page of a report, opened in Chromium."""

from __future__ import annotations

import html.parser
import os
import shutil
import subprocess
from typing import TYPE_CHECKING, Any

from report_document import document

from arcrun_conformance.report import write_all

if TYPE_CHECKING:
    from pathlib import Path

CHROMIUM = shutil.which(os.environ.get("CHROMIUM", "chromium"))


class Page(html.parser.HTMLParser):
    """The elements of a page as the browser has made them: their attributes, and the text in them."""

    VOID = frozenset({"meta", "input", "br", "img"})

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[tuple[str, dict[str, str | None], list[str]]] = []
        self.elements: list[tuple[str, dict[str, str | None], str]] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in self.VOID:
            self.elements.append((tag, dict(attrs), ""))
        else:
            self.open.append((tag, dict(attrs), []))

    def handle_endtag(self, tag: str) -> None:
        name, attributes, texts = self.open.pop()
        assert name == tag
        self.elements.append((name, attributes, "".join(texts)))

    def handle_data(self, data: str) -> None:
        for _, _, texts in self.open:
            texts.append(data)

    def texts(self, tag: str, **attributes: str) -> list[str]:
        return [
            text
            for name, found, text in self.elements
            if name == tag
            and all(found.get(key.replace("_", "-")) == value for key, value in attributes.items())
        ]

    def shown_rows(self) -> list[str | None]:
        rows = [found for name, found, _ in self.elements if name == "tr" and "data-id" in found]
        return [found["data-id"] for found in rows if "hidden" not in found]


def page_of(directory: Path, address: str = "", **more: Any) -> Page:
    """Return the page of a run, opened at an address such as `#sdk=js`."""
    described = document(**{"scenarios": [{"id": s, "title": s} for s in ("one", "two")], **more})
    for each in described["cells"]:
        each["checks"] = [{"traffic": [], **found} for found in each["checks"]]
    described |= {"runner": "1.0", "suite": "sdk", **more}
    write_all(described, directory)
    command = [str(CHROMIUM), "--headless", "--no-sandbox", "--disable-gpu", "--dump-dom"]
    command += [f"--user-data-dir={directory}/profile", "--virtual-time-budget=10000"]
    url = f"{(directory / 'index.html').as_uri()}{address}"
    done = subprocess.run([*command, url], capture_output=True, encoding="utf-8", check=True)
    return Page(done.stdout)
