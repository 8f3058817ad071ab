"""Reports of a run; all of them are made from the redacted data that `describe` returns."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from . import document, html, junit, markdown
from .document import describe, failed
from .merging import merged

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["describe", "failed", "merged", "write_all"]


def write_all(described: dict[str, Any], directory: Path) -> None:
    """Write all reports that are files."""
    directory.mkdir(parents=True, exist_ok=True)
    document.write(described, directory / "conformance.json")
    junit.write(described, directory / "junit.xml")
    markdown.write(described, directory / "summary.md")
    html.write(described, directory / "index.html")
