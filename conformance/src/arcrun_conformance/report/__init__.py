"""Reports of a run. Every one of them is made from the redacted data of `describe`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from . import document, html, junit, markdown
from .document import describe, failed
from .joining import joined

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["describe", "failed", "joined", "write_all"]


def write_all(described: dict[str, Any], directory: Path) -> None:
    """Write every report that is a file."""
    directory.mkdir(parents=True, exist_ok=True)
    document.write(described, directory / "conformance.json")
    junit.write(described, directory / "junit.xml")
    markdown.write(described, directory / "summary.md")
    html.write(described, directory / "index.html")
