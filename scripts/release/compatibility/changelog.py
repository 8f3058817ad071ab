"""Read which breaking differences the changelog names."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from scripts.release.compatibility.differences import Difference

MARK = "- **Breaking**:"

_HEADING = re.compile(r"^## \[(?P<name>[^\]]+)\](?: - (?P<date>\S+))?.*$", re.MULTILINE)
_CODE = re.compile(r"`([^`]+)`")
_ITEM = re.compile(r"^- \*\*Breaking\*\*:.*(?:\n[ \t]+\S.*)*", re.MULTILINE)


def released(root: Path) -> list[str]:
    """Return the versions that have an entry with a date, the newest first."""
    return [match["name"] for match in _HEADING.finditer(_text(root)) if match["date"]]


def entry(root: Path, name: str) -> str:
    """Return the entry of a version, or of `Unreleased`; empty if there is none."""
    text = _text(root)
    headings = list(_HEADING.finditer(text))
    ends = [match.start() for match in headings[1:]] + [len(text)]
    for match, end in zip(headings, ends, strict=True):
        if match["name"] == name:
            return text[match.end() : end]
    return ""


def unnamed(text: str, breaking: Iterable[Difference]) -> list[Difference]:
    """Return the breaking differences that no item of an entry names.

    An item names a difference if it begins with `- **Breaking**:` and has the symbol and the member in backticks, in
    the spelling of either language: `auth.list_services` is `Auth.listServices`.
    """
    items = [_plain(" ".join(_CODE.findall(item))) for item in _ITEM.findall(text)]
    return [each for each in breaking if not any(_has(item, each.names) for item in items)]


def _has(item: str, names: tuple[str, ...]) -> bool:
    return all(re.search(rf"(?<!\w){re.escape(_plain(name))}(?!\w)", item) for name in names)


def _plain(text: str) -> str:
    return re.sub(r"\s+", " ", text.casefold().replace("_", ""))


def _text(root: Path) -> str:
    return (root / "CHANGELOG.md").read_text("utf-8")
