"""Interrupt rehearsals, and the servers and suites that users start: none may leave anything behind."""

from __future__ import annotations

import contextlib
import os
import secrets
import signal
import subprocess
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from scripts import processes
from scripts.release.clones import REHEARSAL, clone
from scripts.release.environment import MARK

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

# The time that a program has to clean up: removing node_modules takes long on a slow disk.
END_SECONDS = 120.0

# The steps at which a rehearsal is interrupted, its options, and the signal.
INTERRUPTED = (
    ("npm_build", ("--only", "npm_build"), "SIGINT"),
    ("npm_upload", ("--only", "npm_upload"), "SIGTERM"),
    ("fuzz", ("--python-only", "--only", "fuzz"), "SIGINT"),
    ("conformance", ("--python-only", "--only", "conformance"), "SIGHUP"),
)


def checks() -> dict[str, Callable[[Path], list[str]]]:
    """Return the check of each interruption, by name."""
    return {
        f"interrupted at {step} by {by}": partial(_left_by_a_rehearsal, step, options, by)
        for step, options, by in INTERRUPTED
    }


def _left_by_a_rehearsal(step: str, options: Sequence[str], by: str, work: Path) -> list[str]:
    root = clone(work / "checkout")
    return left([*REHEARSAL, *options], root, until=f"… {step}", by=by, scratch=work / "scratch")


def left(
    command: Sequence[str], cwd: Path, *, until: str, by: str, scratch: Path, code: int = 130
) -> list[str]:
    """Interrupt a program by a signal; return what is wrong with its end.

    Args:
        command: The program and its arguments.
        cwd: The folder to run it in.
        until: A text of the line after which it is interrupted.
        by: The name of the signal.
        scratch: A folder to be made for temporary files, of which none may be left.
        code: The exit code that it must end with.
    """
    mark = secrets.token_hex(16)
    scratch.mkdir()
    with subprocess.Popen(
        command,
        cwd=cwd,
        env={**os.environ, MARK: mark, "TMPDIR": str(scratch)},
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    ) as process:
        try:
            reached = any(until in line for line in process.stdout or ())
            process.send_signal(signal.Signals[by])
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.communicate(timeout=END_SECONDS)
            wrong = [] if reached else [f"it never printed {until!r}"]
            wrong += [f"left: process {number}" for number in marked(mark)]
            wrong += [f"left: {path.name}" for path in scratch.iterdir()]
            if process.returncode != code:
                wrong.append(f"its exit code is {process.returncode}, not {code}")
            return wrong
        finally:
            processes.stop(process)


def marked(mark: str) -> list[int]:
    """Return the ids of the running processes whose environment has the mark (from /proc)."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            if mark.encode() in (folder / "environ").read_bytes():
                found.append(int(folder.name))
        except OSError:
            continue  # it has just ended, or belongs to another user
    return found
