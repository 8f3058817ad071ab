"""Run the programs that judge mutants: bounded in time, and none of them outlives the session."""

from __future__ import annotations

import contextlib
import os
import shlex
import signal
import subprocess
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

# What is started inherits it, so that it is found even in a process group of its own.
MARK = "GENERATED_MUTANTS_TREE"
GRACE_SECONDS = 6.0


class Stopped(Exception):
    """The session is being stopped, so that nothing is started any more."""


class Outcome(NamedTuple):
    """How a program ended: its exit code, `None` if it took too long, and its seconds."""

    exit_code: int | None
    seconds: float


class Commands:
    """Starts programs, each in a process group of its own, and can stop all of them."""

    def __init__(self) -> None:
        self._stopped = threading.Event()

    def stop(self) -> None:
        """End what is running, and start nothing more."""
        self._stopped.set()

    @property
    def stopped(self) -> bool:
        """Return whether `stop` was called."""
        return self._stopped.is_set()

    def run(
        self,
        command: Sequence[str],
        *,
        tree: Path,
        log: Path,
        timeout: float,
        cwd: Path | None = None,
        env: Mapping[str, str] | None = None,
    ) -> Outcome:
        """Run a program to its end.

        Args:
            command: Program and arguments.
            tree: The copy of the repository that it works on; what it leaves running is found by it.
            log: Receives the command line and all that it printed; appended to.
            timeout: Seconds after which it is ended.
            cwd: The folder to run it in; `tree` by default.
            env: Variables to set in addition to those of this process.

        Raises:
            Stopped: The session is being stopped.
        """
        if self.stopped:
            raise Stopped
        begun = time.monotonic()
        with log.open("a", encoding="utf-8") as output:
            output.write(f"$ {shlex.join(command)}\n")
            output.flush()
            process = subprocess.Popen(
                command,
                cwd=cwd or tree,
                env={**os.environ, **(env or {}), MARK: str(tree)},
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
            try:
                exit_code = self._wait(process, begun + timeout)
            finally:
                end(process)
                end_marked(tree)
        if self.stopped:
            raise Stopped
        return Outcome(exit_code, time.monotonic() - begun)

    def _wait(self, process: subprocess.Popen[bytes], deadline: float) -> int | None:
        while not self.stopped and (left := deadline - time.monotonic()) > 0:
            with contextlib.suppress(subprocess.TimeoutExpired):
                return process.wait(min(0.3, left))
        return None


def end(process: subprocess.Popen[bytes]) -> None:
    """End a program and its group: first as Ctrl-C does, so that it removes what it made."""
    if process.poll() is None:
        for name in ("SIGINT", "SIGTERM"):
            _signal(process.pid, name)
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(GRACE_SECONDS)
                break
    _signal(process.pid, "SIGKILL")
    process.wait()


def _signal(group: int, name: str) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(group, getattr(signal, name))


def end_marked(tree: Path) -> None:
    """End what was started for a tree and left its process group; where there is no /proc, nothing."""
    deadline = time.monotonic() + GRACE_SECONDS
    while (left := marked(tree)) and time.monotonic() < deadline:
        for process in left:
            with contextlib.suppress(ProcessLookupError):
                os.kill(process, signal.SIGKILL)
        time.sleep(0.01)


def marked(tree: Path) -> list[int]:
    """Return the ids of the processes that were started for a tree."""
    mark = f"{MARK}={tree}\0".encode()
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            if mark in (folder / "environ").read_bytes() and int(folder.name) != os.getpid():
                found.append(int(folder.name))
    return found
