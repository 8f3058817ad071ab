"""Run other programs so that none of them outlives us, whatever happens."""

from __future__ import annotations

import contextlib
import os
import selectors
import shlex
import signal
import subprocess
import time
from typing import IO, TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence
    from pathlib import Path

GRACE_SECONDS = 5.0


class CommandFailed(Exception):
    """A program ended with another exit code than 0, or took too long.

    Attributes:
        command: The command line, quoted for a shell.
        log: The file that holds everything it printed.
    """

    def __init__(self, command: Sequence[str], reason: str, log: Path) -> None:
        self.command = shlex.join(command)
        self.log = log
        super().__init__(f"{reason}: {self.command}")


class NotStarted(Exception):
    """A server ended, or said nothing, before it could be asked."""


def run(
    command: Sequence[str],
    *,
    log: Path,
    cwd: Path | None = None,
    env: Mapping[str, str] | None = None,
    umask: int = -1,
    timeout: float = 600,
    quietly: bool = False,
    exit_codes: Collection[int] = (0,),
) -> str:
    """Run a program to its end; return what it wrote to standard output.

    Args:
        command: Program and arguments.
        log: Receives the command line and all that it printed; appended to.
        cwd: Where to run it; here by default.
        env: Variables to set on top of our own.
        umask: Its file mode creation mask; ours by default.
        timeout: Seconds after which it is stopped.
        quietly: Keep its standard output out of the log: it is a secret.
        exit_codes: The exit codes that are no failure.

    Raises:
        CommandFailed: It ended with another exit code, or was stopped at the time-out.
    """
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("a", encoding="utf-8", errors="replace") as output:
        output.write(f"$ {shlex.join(command)}\n")
        output.flush()
        with started(command, stderr=output, cwd=cwd, env=env, umask=umask) as process:
            try:
                printed, _ = process.communicate(timeout=timeout)
            except subprocess.TimeoutExpired:
                raise CommandFailed(command, f"still running after {timeout:g} s", log) from None
        output.write("(not logged)\n" if quietly else printed)
    if process.returncode not in exit_codes:
        raise CommandFailed(command, f"exit code {process.returncode}", log)
    return printed


@contextlib.contextmanager
def started(
    command: Sequence[str],
    *,
    stderr: IO[str],
    cwd: Path | None = None,
    env: Mapping[str, str] | None = None,
    umask: int = -1,
) -> Iterator[subprocess.Popen[str]]:
    """Start a program in a group of its own, its standard output piped; at the end stop the group."""
    process = subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=stderr,
        cwd=cwd,
        env={**os.environ, **(env or {})},
        encoding="utf-8",
        errors="replace",
        umask=umask,
        start_new_session=True,
    )
    try:
        yield process
    finally:
        stop(process)


def first_line(process: subprocess.Popen[str], log: Path, seconds: float) -> str:
    """Wait for the first line of a program: a server prints it once it can be asked.

    Args:
        process: As `started` yields it.
        log: Where it writes its errors.
        seconds: How long to wait.

    Raises:
        NotStarted: It ended without one, or none came in time; the message has the end of its log.
    """
    line = ""
    if process.stdout:
        with selectors.DefaultSelector() as selector:
            selector.register(process.stdout, selectors.EVENT_READ)
            line = process.stdout.readline().strip() if selector.select(seconds) else ""
    if not line:
        tail = "\n".join(log.read_text("utf-8", "replace").splitlines()[-20:])
        raise NotStarted(f"it did not come up in {seconds:g} s; the end of {log}:\n{tail}")
    return line


def stop(process: subprocess.Popen[str]) -> None:
    """End a program and all that it started: first by asking, then by force."""
    for name in ("SIGTERM", "SIGKILL"):
        if not _signal_group(process, name):
            break
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(GRACE_SECONDS)
        _wait_for_group(process)
    process.wait()
    if process.stdout:
        process.stdout.close()


def _wait_for_group(process: subprocess.Popen[str]) -> None:
    """Wait until nobody is left in the group, within the grace.

    What the program started is no child of ours, so there is nothing to wait on: we have to look.
    """
    deadline = time.monotonic() + GRACE_SECONDS
    while time.monotonic() < deadline and _signal_group(process, None):
        time.sleep(0.005)


def _signal_group(process: subprocess.Popen[str], name: str | None) -> bool:
    """Send a signal to the program's group (None: just look); False where nobody is left in it."""
    if os.name != "posix":
        if process.poll() is None and name:
            process.terminate()
        return process.poll() is None
    try:
        os.killpg(process.pid, getattr(signal, name) if name else 0)
    except ProcessLookupError:
        return False
    return True
