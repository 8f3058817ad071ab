"""A folder with workflows, recipes, and what `acr dev` runs them with."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from .errors import CommandError, Next
from .sentences import sentence

_EXAMPLE = Path(__file__).parent / "example"
# Names that would have an effect in the package itself.
_DOTTED = {"gitignore": ".gitignore", "env.example": ".env.example"}


def init_project(folder: str = ".", *, dry_run: bool = False) -> dict[str, Any]:
    """Make a folder with an example: a workflow, a prompt recipe with tests, an input, and replies for `acr dev`.

    Nothing that is there already is changed.

    Args:
        folder: made if it is missing; by default this one
        dry_run: only say which files would be made
    """
    root = Path(folder)
    files = {_target(file): file for file in sorted(_EXAMPLE.rglob("*")) if file.is_file()}
    there = sorted(name for name in files if (root / name).exists())
    if there:
        raise CommandError(
            "conflict",
            sentence(
                "{folder} has {names} already, and nothing is overwritten: name another folder",
                folder=folder,
                names=", ".join(there),
            ),
            next=[Next("make it in a new folder", "init", ("NAME",))],
        )
    result: dict[str, Any] = {"folder": folder, "files": list(files)}
    if dry_run:
        return {**result, "dry_run": True}
    try:
        for name, file in files.items():
            target = root / name
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(file.read_bytes())
    except OSError as error:
        raise CommandError(
            "invalid_argument",
            sentence("{path} can't be made: {reason}", path=error.filename, reason=error.strerror),
        ) from None
    return result


def _target(file: Path) -> str:
    name = file.relative_to(_EXAMPLE).as_posix()
    return _DOTTED.get(name, name)
