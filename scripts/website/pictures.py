"""Say which pictures of the site there are, and which of them the README shows."""

from __future__ import annotations

from scripts import ROOT

IMAGES = ROOT / "docs/images"
# How many bytes one may have.
LIMIT = 150_000


def file_name(page: str, colors: str) -> str:
    """Return the name of the picture of a page."""
    return f"{page}-{colors}.png"


SHOWN = (file_name("home", "light"), file_name("dashboard", "light"), file_name("workflow", "dark"))
