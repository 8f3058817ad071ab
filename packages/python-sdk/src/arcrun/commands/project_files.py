"""The files of a project: which there are, what they are for, which have changed."""

from __future__ import annotations

import stat
from collections.abc import Iterable
from pathlib import Path
from typing import Literal, NamedTuple

Role = Literal["recipe", "workflow", "input", "replies"]

REPLIES = "replies.yaml"
_SUFFIXES = frozenset({".yaml", ".yml", ".json"})
_ROLES: dict[str, Role] = {"recipes": "recipe", "workflows": "workflow", "inputs": "input"}


class State(NamedTuple):
    """What tells that a file was saved again."""

    modified: int
    size: int


class Changes(NamedTuple):
    """What differs between two looks at a folder.

    Attributes:
        saved: files that are new, or were saved again.
        deleted: files that are gone.
    """

    saved: list[Path]
    deleted: list[Path]

    def __bool__(self) -> bool:
        """Tell whether anything differs."""
        return bool(self.saved or self.deleted)


class ProjectFiles:
    """The files of a project.

    Args:
        root: the folder, with `workflows`, `recipes`, `inputs`, and `replies.yaml`.
    """

    def __init__(self, root: Path) -> None:
        self.root = root
        self._known: dict[Path, State] = {}
        self._seen: dict[Path, State] = {}

    def changes(self) -> Changes:
        """Return what has changed since the last call; the first one returns all files as saved."""
        now = dict(self._look())
        before, self._known = self._known, now
        saved = sorted(path for path, state in now.items() if before.get(path) != state)
        return Changes(saved, sorted(path for path in before if path not in now))

    def have_changed(self) -> bool:
        """Tell whether `changes` would return any."""
        return dict(self._look()) != self._known

    def have_settled(self) -> bool:
        """Tell whether files have changed, and are as they were at the look before.

        A program that saves a file empties it first, so a look may come in between.
        """
        now = dict(self._look())
        before, self._seen = self._seen, now
        return now != self._known and now == before

    def of_role(self, role: Role) -> list[Path]:
        """Return the files of a role that were there at the last look."""
        return [path for path in sorted(self._known) if self.role_of(path) == role]

    def role_of(self, path: Path) -> Role:
        """Return what a file is for."""
        first = path.relative_to(self.root).parts[0]
        return "replies" if first == REPLIES else _ROLES[first]

    def input_of(self, workflow: Path) -> Path | None:
        """Return the input that a workflow is run with: the file of the same name in `inputs`."""
        return next((each for each in self.of_role("input") if each.stem == workflow.stem), None)

    def shown(self, path: Path) -> str:
        """Return a file's path in the folder."""
        return path.relative_to(self.root).as_posix()

    def _look(self) -> Iterable[tuple[Path, State]]:
        candidates = [self.root / REPLIES]
        for folder in _ROLES:
            candidates += (self.root / folder).rglob("*")
        for path in candidates:
            # Editors write drafts beside a file, such as .greet.yaml.swp.
            if path.suffix not in _SUFFIXES or path.name.startswith("."):
                continue
            try:
                found = path.stat()
            except OSError:  # deleted since
                continue
            if not stat.S_ISREG(found.st_mode):
                continue
            yield path, State(found.st_mtime_ns, found.st_size)
