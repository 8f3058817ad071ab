"""Interrupt rehearsals, and the servers and suites that users start: none may leave anything behind."""

from __future__ import annotations

import contextlib
import os
import secrets
import signal
import subprocess
import time
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from scripts import processes
from scripts.release.clones import REHEARSAL, clone, nox
from scripts.release.environment import MARK

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

# The time that a program has to clean up: removing node_modules takes long on a slow disk.
END_SECONDS = 120.0
# What uv leaves of each environment that it has locked, as the one that nox makes; it is empty.
LOCK_OF_UV = "uv-*.lock"


class Interrupted(NamedTuple):
    """A rehearsal that is interrupted.

    Attributes:
        step: At this step.
        options: The options of the rehearsal.
        by: The name of the signal.
        once: A pattern of a file in the folder for temporary files, which is waited for.
        by_nox: Whether nox runs it, and gets the signal.
    """

    step: str
    options: tuple[str, ...]
    by: str
    once: str = ""
    by_nox: bool = False


INTERRUPTED = (
    Interrupted("npm_build", ("--only", "npm_build"), "SIGINT"),
    Interrupted("npm_upload", ("--only", "npm_upload"), "SIGTERM"),
    Interrupted("fuzz", ("--python-only", "--only", "fuzz"), "SIGINT"),
    Interrupted("conformance", ("--python-only", "--only", "conformance"), "SIGHUP"),
    # PostgreSQL runs in a session of its own: it gets no signal of the rehearsal.
    Interrupted("tests", ("--python-only", "--only", "tests"), "SIGTERM", "*/*/postmaster.pid"),
    Interrupted("fuzz", ("--python-only", "--only", "fuzz"), "SIGTERM", by_nox=True),
)


def checks() -> dict[str, Callable[[Path], list[str]]]:
    """Return the check of each interruption, by name."""
    return {
        f"interrupted at {each.step} by {each.by}{' to nox' * each.by_nox}": partial(
            _left_by_a_rehearsal, each
        )
        for each in INTERRUPTED
    }


def _left_by_a_rehearsal(interrupted: Interrupted, work: Path) -> list[str]:
    root, scratch = clone(work / "checkout"), work / "scratch"
    program = [*nox(), "-s", "release", "--"] if interrupted.by_nox else REHEARSAL
    command = [*program, *interrupted.options]
    until, once = f"… {interrupted.step}", interrupted.once
    return left(command, root, until=until, by=interrupted.by, scratch=scratch, once=once)


def left(
    command: Sequence[str],
    cwd: Path,
    *,
    until: str,
    by: str,
    scratch: Path,
    code: int = 130,
    once: str = "",
) -> list[str]:
    """Interrupt a program by a signal; return what is wrong with its end.

    Args:
        command: The program and its arguments.
        cwd: The folder to run it in.
        until: A text of the line after which it is interrupted.
        by: The name of the signal.
        scratch: A folder to be made for temporary files, of which none may be left.
        code: The exit code that it must end with.
        once: A pattern of a file in `scratch`, which is waited for as well.
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
            reached = reached and (not once or _appears(scratch, once, process))
            process.send_signal(signal.Signals[by])
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.communicate(timeout=END_SECONDS)
            file = f", or there was no {once}" if once else ""
            wrong = [] if reached else [f"it never printed {until!r}{file}"]
            wrong += [f"left: process {number}" for number in [*marked(mark), *working(scratch)]]
            wrong += [
                f"left: {path.name}" for path in scratch.iterdir() if not path.match(LOCK_OF_UV)
            ]
            if process.returncode != code:
                wrong.append(f"its exit code is {process.returncode}, not {code}")
            return wrong
        finally:
            processes.stop(process)


def _appears(folder: Path, pattern: str, process: subprocess.Popen[str]) -> bool:
    """Wait for a file while a program runs; it has to be looked for, since nobody reports it."""
    while process.poll() is None:
        if any(folder.glob(pattern)):
            return True
        time.sleep(0.05)
    return False


def working(folder: Path) -> list[int]:
    """Return the ids of the running processes that work in a folder: a daemon may have cleared its variables."""
    found = []
    for link in Path("/proc").glob("[0-9]*/cwd"):
        with contextlib.suppress(OSError):  # it has just ended, or belongs to another user
            if link.readlink().is_relative_to(folder.resolve()):
                found.append(int(link.parent.name))
    return found


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
