"""The files of a report: its folder is tried before a run, and they are written whole or not at all."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from arcrun_conformance.runs.results import RECORDINGS

from . import badge, document, html, junit, markdown
from .causes import causes

if TYPE_CHECKING:
    from collections.abc import Callable

PAGE = "index.html"
_WRITERS: dict[str, Callable[[dict[str, Any], Path], None]] = {
    "conformance.json": document.write,
    "junit.xml": junit.write,
    "summary.md": markdown.write,
    "badge.json": badge.write,
    PAGE: html.write,
}


def check_folder(directory: Path) -> None:
    """Create the folder, and check that files can be written there.

    Raises:
        OSError: They can't.
    """
    directory.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryFile(dir=directory):
        pass


def remove_old(directory: Path) -> None:
    """Remove the files of an earlier run, so that nobody takes them for those of one that crashed."""
    for name in _WRITERS:
        (directory / name).unlink(missing_ok=True)
    for recording in (directory / RECORDINGS).glob("*.har"):
        recording.unlink()


def copy_recordings(source: Path, target: Path) -> None:
    """Copy the recordings of failed cells from one folder of reports to another."""
    for recording in (source / RECORDINGS).glob("*.har"):
        (target / RECORDINGS).mkdir(parents=True, exist_ok=True)
        shutil.copyfile(recording, target / RECORDINGS / recording.name)


def write_all(
    described: dict[str, Any],
    directory: Path,
    record: Callable[[Path], list[str]] | None = None,
) -> list[str]:
    """Write all reports that are files; after an error, those of before are still there.

    Args:
        described: The run.
        directory: The folder of its reports.
        record: Writes the recordings of failed cells to a folder, and returns why some can't be.

    Returns:
        Why cells could not be recorded.
    """
    directory.mkdir(parents=True, exist_ok=True)
    described = {**described, "failures": causes(described)}
    with tempfile.TemporaryDirectory(dir=directory, prefix=".writing-") as temporary:
        problems = record(Path(temporary)) if record else []
        for name, write in _WRITERS.items():
            write(described, Path(temporary, name))
        _move_recordings(Path(temporary), directory)
        for name in _WRITERS:
            Path(temporary, name).replace(directory / name)
    return problems


def _move_recordings(source: Path, target: Path) -> None:
    for recording in (source / RECORDINGS).glob("*.har"):
        (target / RECORDINGS).mkdir(exist_ok=True)
        recording.replace(target / RECORDINGS / recording.name)
