"""Find tracked files that are too long to read, or that a tool has built: `python -m scripts.file_sizes`.

A file over 500 lines holds more than one thing: split it by what its parts are about. What is built stays out of git.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from scripts import ROOT
from scripts.contract_copies import COPIES, SOURCE

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

LIMIT = 500
# Code, and what is written by hand as code is; not documents, data, or lock files.
SUFFIXES = frozenset(
    {
        *(".py", ".ts", ".tsx", ".mts", ".cts", ".js", ".jsx", ".mjs", ".cjs", ".sh"),
        *(".html", ".css", ".yaml", ".yml", ".toml"),
    }
)
# Packages and archives, which `.gitignore` leaves out too.
BUILT = (".whl", ".tar.gz", ".tgz", ".zip")
# The contract is one document; its copies are generated from it, and checked for drift.
EXEMPT = frozenset(path.relative_to(ROOT).as_posix() for path in (SOURCE, *COPIES))


def tracked(root: Path) -> list[str]:
    """Return the names of the files that git tracks."""
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=root, check=True, capture_output=True)
    return [*filter(None, listed.stdout.decode().split("\0"))]


def built(root: Path) -> list[str]:
    """Return the tracked packages and archives."""
    return [name for name in tracked(root) if name.endswith(BUILT)]


def too_long(root: Path, limit: int = LIMIT) -> Iterator[tuple[str, int]]:
    """Yield the tracked source files over the limit, each with its number of lines."""
    for name in tracked(root):
        path = root / name
        if PurePosixPath(name).suffix not in SUFFIXES or name in EXEMPT or not path.is_file():
            continue
        lines = path.read_bytes().count(b"\n")
        if lines > limit:
            yield name, lines


def main(root: Path = ROOT) -> int:
    """Print each file that is too long, or that a tool has built; return 1 if there is one."""
    found = [
        *(
            f"{name} has {lines} lines, and {LIMIT} is the limit: split it"
            for name, lines in too_long(root)
        ),
        *(f"{name} is built, and git is for sources: run git rm --cached" for name in built(root)),
    ]
    print(*found, sep="\n", end="\n" if found else "", file=sys.stderr)
    return 1 if found else 0


if __name__ == "__main__":
    raise SystemExit(main())
