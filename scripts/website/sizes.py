"""Measure the JavaScript that a page loads first, against a bare page of the same Next.js."""

from __future__ import annotations

import gzip
import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

# How much more than a bare page one may load, in bytes of gzip.
BUDGET = 15_000
# Pages whose purpose is a large script, or a large text.
EXEMPT = ("api-docs", "docs")
_SOURCE = re.compile(r'<script[^>]*\bsrc="(/[^"?]+)[^"]*"([^>]*)>')


def first_load(export: Path, page: Path) -> int:
    """Return how many bytes of gzip the scripts have that a page names; those for old browsers don't count."""
    text = page.read_text("utf-8")
    names = {match[1] for match in _SOURCE.finditer(text) if "nomodule" not in match[0].lower()}
    return sum(len(gzip.compress((export / name[1:]).read_bytes(), mtime=0)) for name in names)


def pages(export: Path) -> dict[str, int]:
    """Return the first load of each page, by its name."""
    return {
        page.relative_to(export).with_suffix("").as_posix(): first_load(export, page)
        for page in sorted(export.rglob("*.html"))
    }


def over_budget(loads: dict[str, int], bare: int) -> dict[str, int]:
    """Return the pages that load more than they may, with how much that is over a bare page."""
    return {
        name: size - bare
        for name, size in loads.items()
        if size - bare > BUDGET and name.partition("/")[0] not in EXEMPT
    }
