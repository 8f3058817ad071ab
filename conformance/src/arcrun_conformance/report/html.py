"""`index.html`: one self-contained page; each cell of its matrix opens checks and wire traffic."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

_PAGE = Path(__file__).with_name("page.html")


def write(document: dict[str, Any], path: Path) -> None:
    """Write the page, with the report inside it as JSON."""
    # `<` would let a text of the report end the script element that holds it.
    data = json.dumps(document, ensure_ascii=False, separators=(",", ":")).replace("<", "\\u003c")
    path.write_text(_PAGE.read_text("utf-8").replace("{{report}}", data, 1), "utf-8")
