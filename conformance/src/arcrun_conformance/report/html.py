"""Writes `index.html`: one self-contained page with the failures by cause, and the matrix."""

from __future__ import annotations

import base64
import gzip
import hashlib
import io
import json
from pathlib import Path
from typing import Any

from .document import encoded
from .waits import clocks

_HERE = Path(__file__).parent
# The parts of the page's script, in order: they are one module, since a file can't import others.
_SCRIPTS = (
    "page_elements.js",
    "page_wire.js",
    "page_source.js",
    "page_exchanges.js",
    "page_commands.js",
    "page_failures.js",
    "page_detail.js",
    "page_matrix.js",
)
# The highest level takes twice as long, and makes the page smaller by a fortieth.
_LEVEL = 6


def write(document: dict[str, Any], path: Path) -> None:
    """Write the page with the report in it, compressed: the traffic of a matrix repeats itself."""
    style = (_HERE / "page.css").read_text("utf-8")
    script = "\n".join((_HERE / name).read_text("utf-8") for name in _SCRIPTS)
    parts = {
        "policy": policy(style, script),
        "style": style,
        "script": script,
        # In base64, no text of the report can end the script element that contains it.
        "report": base64.b64encode(_compressed(document)).decode("ascii"),
        "clocks": base64.b64encode(json.dumps(clocks(document)).encode()).decode("ascii"),
    }
    page = (_HERE / "page.html").read_text("utf-8")
    for name, part in parts.items():
        page = page.replace(f"{{{{{name}}}}}", part, 1)
    path.write_text(page, "utf-8", newline="\n")


def _compressed(document: dict[str, Any]) -> bytes:
    buffer = io.BytesIO()
    with gzip.GzipFile("", "wb", _LEVEL, buffer, mtime=0) as file:
        file.writelines(encoded(document))
    return buffer.getvalue()


def policy(style: str, script: str) -> str:
    """Return a policy by which a browser runs this script and nothing else, and loads nothing."""
    return (
        f"default-src 'none'; style-src '{_digest(style)}'; script-src '{_digest(script)}'; "
        "base-uri 'none'; form-action 'none'"
    )


def _digest(text: str) -> str:
    return f"sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode('ascii')}"


def embedded_report(page: str) -> dict[str, Any]:
    """Return the report that a page contains, as its script reads it."""
    data = page.split('id="report">', 1)[1].split("</script>", 1)[0]
    document: dict[str, Any] = json.loads(gzip.decompress(base64.b64decode(data)))
    return document
