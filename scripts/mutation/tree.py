"""Copies of the repository that mutants are applied to; the checkout itself stays as it is."""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

# Of the packages; `scripts` is found since programs are run in the copy.
SOURCES = ("packages/python-sdk/src", "packages/server/src", "conformance/src")


class Tree:
    """A copy of the repository.

    Args:
        root: The folder of the copy.
    """

    def __init__(self, root: Path) -> None:
        self.root = root
        self._time = int(time.time())

    @property
    def environment(self) -> dict[str, str]:
        """Return the variables with which programs import from this copy, not from the checkout."""
        return {
            "PYTHONPATH": os.pathsep.join(str(self.root / source) for source in SOURCES),
            "PYTEST_ADDOPTS": "",
        }

    @contextlib.contextmanager
    def changed(self, path: str, text: str) -> Iterator[None]:
        """Replace a file's text, and put it back at the end."""
        original = (self.root / path).read_text("utf-8")
        self._write(path, text)
        try:
            yield
        finally:
            self._write(path, original)

    def _write(self, path: str, text: str) -> None:
        """Write a file with a time of its own: Python tells by it whether its compiled copy is old."""
        (self.root / path).write_text(text, "utf-8")
        self._time += 2
        os.utime(self.root / path, (self._time, self._time))


def copied(source: Path, target: Path) -> Tree:
    """Copy what Git tracks, new files included, as a repository of its own."""
    for name in files_of(source):
        (target / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(source / name, target / name, follow_symlinks=False)
    git = ("git", "-c", "user.name=mutants", "-c", "user.email=mutants@localhost")
    for command in (("init",), ("add", "--all"), ("commit", "--no-verify", "-m", "copy")):
        subprocess.run(
            [*git, *command, *(() if command[0] == "add" else ("--quiet",))], cwd=target, check=True
        )
    return Tree(target)


def files_of(root: Path) -> list[str]:
    """Return the files of a repository that Git tracks or would, as paths below it."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(command, cwd=root, check=True, capture_output=True).stdout.decode()
    return [name for name in listed.split("\0") if name and (root / name).is_file()]
