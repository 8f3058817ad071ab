"""Files that appear under their name only when they are complete and on disk."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path


def publish(draft: Path, path: Path) -> bool:
    """Give a finished file its name, unless that name is taken; the draft stays.

    Args:
        draft: A file in the same folder, complete and synced.
        path: The name to give it.

    Returns:
        Whether it got the name. Unlike a rename, this never replaces a file.

    Raises:
        OSError: The folder can't be written to.
    """
    try:
        os.link(draft, path)
    except FileExistsError:
        return False
    if os.name == "posix":
        folder = os.open(path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
    return True
