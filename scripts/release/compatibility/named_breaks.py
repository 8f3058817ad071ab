"""Say which breaking differences the changelog does not name."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from scripts.release.compatibility.differences import Difference

MARK = "- **Breaking**:"

_CODE = re.compile(r"`([^`]+)`")
_ITEM = re.compile(r"^- \*\*Breaking\*\*:.*(?:\n[ \t]+\S.*)*", re.MULTILINE)


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
