"""Writes `index.html`: one self-contained page; each cell of its matrix opens checks and traffic."""

from __future__ import annotations

import base64
import gzip
import json
from pathlib import Path
from typing import Any

_PAGE = Path(__file__).with_name("page.html")
# The highest level takes twice as long, and makes the page smaller by a fortieth.
_LEVEL = 6


def write(document: dict[str, Any], path: Path) -> None:
    """Write the page with the report in it, compressed: the traffic of a matrix repeats itself."""
    text = json.dumps(document, ensure_ascii=False, separators=(",", ":"))
    # In base64, no text of the report can end the script element that contains it.
    data = base64.b64encode(gzip.compress(text.encode(), _LEVEL, mtime=0)).decode("ascii")
    path.write_text(_PAGE.read_text("utf-8").replace("{{report}}", data, 1), "utf-8")


def embedded_report(page: str) -> dict[str, Any]:
    """Return the report that a page contains, as its script reads it."""
    data = page.split('id="report">', 1)[1].split("</script>", 1)[0]
    document: dict[str, Any] = json.loads(gzip.decompress(base64.b64decode(data)))
    return document
