"""Writes files whole or not at all: a full disk leaves what was there before, and no part of a new file."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping


def write_whole(folder: Path, texts: Mapping[str, str]) -> None:
    """Write files to a folder that exists: all of them beside their places, and only then rename them.

    Raises:
        OSError: One can't be written; the folder is as it was.
    """
    with tempfile.TemporaryDirectory(dir=folder, prefix=".writing-") as drafts:
        for name, text in texts.items():
            Path(drafts, name).write_text(text, "utf-8")
        for name in texts:
            Path(drafts, name).replace(folder / name)
