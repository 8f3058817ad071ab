"""Run other programs so that none of them outlives this process, whatever happens."""

from __future__ import annotations

import contextlib
import os
import selectors
import shlex
import signal
import subprocess
import tempfile
import threading
import time
from pathlib import Path
from typing import IO, TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence
    from types import FrameType

GRACE_SECONDS = 5.0
# One interruption may come twice: Ctrl-C goes to all programs of a terminal, and nox then sends SIGTERM to those that it has started.
SAME_SECONDS = 2.0


class CommandFailed(Exception):
    """A program failed or took too long.

    Attributes:
        command: The command line, quoted for a shell.
        log: The file that holds everything that it printed.
    """

    def __init__(self, command: Sequence[str], reason: str, log: Path) -> None:
        self.command = shlex.join(command)
        self.log = log
        super().__init__(f"{reason}: {self.command}")


class NotStarted(Exception):
    """A server ended, or printed nothing, before it accepted requests."""


def run(
    command: Sequence[str],
    *,
    log: Path,
    cwd: Path | None = None,
    env: Mapping[str, str] | None = None,
    inherit: bool = True,
    umask: int = -1,
    timeout: float = 600,
    quietly: bool = False,
    exit_codes: Collection[int] = (0,),
) -> str:
    """Run a program to its end; return what it wrote to standard output.

    Args:
        command: Program and arguments.
        log: Receives the command line and all that it printed; appended to.
        cwd: The folder to run it in; the current one by default.
        env: Variables to set in addition to those of this process.
        inherit: Pass it the variables of this process; otherwise it has those of `env` only.
        umask: Its file mode creation mask; that of this process by default.
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
        with started(
            command, stderr=output, cwd=cwd, env=env, inherit=inherit, umask=umask
        ) as process:
            try:
                printed, _ = process.communicate(timeout=timeout)
            except subprocess.TimeoutExpired:
                raise CommandFailed(command, f"still running after {timeout:g} s", log) from None
        output.write("(not logged)\n" if quietly else printed)
    if process.returncode not in exit_codes:
        raise CommandFailed(command, f"exit code {process.returncode}", log)
    return printed


def attached(command: Sequence[str], *, cwd: Path, env: Mapping[str, str]) -> int:
    """Run a program on this terminal to its end, also after an interrupt; return its exit code.

    Args:
        command: Program and arguments. It has to end by itself after SIGTERM.
        cwd: The folder to run it in.
        env: Variables to set in addition to those of this process.
    """
    with subprocess.Popen(command, cwd=cwd, env={**os.environ, **env}) as process:
        try:
            return process.wait()
        except KeyboardInterrupt:
            process.terminate()
            process.wait()
            raise


class _Interrupter:
    """Raises KeyboardInterrupt at a signal, but not again at the one that follows at once: that would end the cleaning up."""

    def __init__(self) -> None:
        self.last = -SAME_SECONDS

    def __call__(self, number: int, frame: FrameType | None) -> None:
        """Interrupt the main thread."""
        del number, frame
        now = time.monotonic()
        if now - self.last >= SAME_SECONDS:
            self.last = now
            raise KeyboardInterrupt


def interrupt_on_signals() -> None:
    """Let the signals that end this process do what Ctrl-C does: then all that it started is stopped.

    A hang-up that is ignored, as nohup does it, stays ignored; so does Ctrl-C, as in a shell's background job.
    """
    interrupter = _Interrupter()
    signal.signal(signal.SIGTERM, interrupter)
    for name in ("SIGINT", "SIGHUP"):
        number = getattr(signal, name, None)
        if number is not None and signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, interrupter)


@contextlib.contextmanager
def started(
    command: Sequence[str],
    *,
    stderr: IO[str],
    cwd: Path | None = None,
    env: Mapping[str, str] | None = None,
    inherit: bool = True,
    umask: int = -1,
    held: bool = False,
    grace: float | None = None,
) -> Iterator[subprocess.Popen[str]]:
    """Start a program in a process group of its own, and stop the group at the end.

    At SIGTERM it has `grace` seconds to clean up, `GRACE_SECONDS` by default. Its standard output is a pipe. With `held`, so is its standard input, which ends with this process, however that
    ends: a program that heeds this never outlives it.
    """
    with contextlib.ExitStack() as stack:
        with _interrupts_deferred():
            process = subprocess.Popen(
                command,
                stdin=subprocess.PIPE if held else subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=stderr,
                cwd=cwd,
                env={**(os.environ if inherit else {}), **(env or {})},
                encoding="utf-8",
                errors="replace",
                umask=umask,
                start_new_session=True,
            )
            stack.callback(stop, process, grace)
        yield process


@contextlib.contextmanager
def _interrupts_deferred() -> Iterator[None]:
    """Let a signal interrupt this process only afterwards.

    One that interrupted it while a program starts would leave a program that nobody knows of.
    """
    if threading.current_thread() is not threading.main_thread():
        yield  # signals interrupt the main thread only
        return
    seen: list[int] = []
    interrupting = {}
    # Windows has no SIGHUP.
    names = [name for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)]
    for number in (getattr(signal, name) for name in names):
        handler = signal.getsignal(number)
        if handler is signal.default_int_handler or isinstance(handler, _Interrupter):
            interrupting[number] = signal.signal(number, lambda number, _: seen.append(number))
    try:
        yield
    finally:
        for number, handler in interrupting.items():
            signal.signal(number, handler)
    for number in seen:
        signal.raise_signal(number)


@contextlib.contextmanager
def temporary_folder(prefix: str) -> Iterator[Path]:
    """Yield a folder for temporary files, which is removed at the end.

    A signal that interrupted this process while the folder is made would leave one that nobody knows of.
    """
    with contextlib.ExitStack() as stack:
        with _interrupts_deferred():
            folder = stack.enter_context(tempfile.TemporaryDirectory(prefix=prefix))
        yield Path(folder).resolve()


def first_line(process: subprocess.Popen[str], log: Path, seconds: float) -> str:
    """Wait for the first line of a program: a server prints it once it accepts requests.

    Args:
        process: As `started` yields it.
        log: The file that receives its errors.
        seconds: The time-out.

    Raises:
        NotStarted: It printed none in time; the message has the end of its log.
    """
    line = ""
    if process.stdout:
        with selectors.DefaultSelector() as selector:
            selector.register(process.stdout, selectors.EVENT_READ)
            line = process.stdout.readline().strip() if selector.select(seconds) else ""
    if not line:
        tail = "\n".join(log.read_text("utf-8", "replace").splitlines()[-20:])
        raise NotStarted(f"it did not start in {seconds:g} s; the end of {log}:\n{tail}")
    return line


def stop(process: subprocess.Popen[str], grace: float | None = None) -> None:
    """End a program and all that it started, first by SIGTERM, then by SIGKILL after `grace` seconds."""
    seconds = GRACE_SECONDS if grace is None else grace
    for name in ("SIGTERM", "SIGKILL"):
        if not _signal_group(process, name):
            break
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(seconds)
        _wait_for_group(process)
    process.wait()
    for pipe in (process.stdin, process.stdout):
        if pipe:
            pipe.close()


def _wait_for_group(process: subprocess.Popen[str]) -> None:
    """Wait until no process is left in the group, for `GRACE_SECONDS` at most.

    What the program started is not a child of this process, so the group has to be polled.
    """
    deadline = time.monotonic() + GRACE_SECONDS
    while time.monotonic() < deadline and _signal_group(process, None):
        time.sleep(0.005)


def _signal_group(process: subprocess.Popen[str], name: str | None) -> bool:
    """Send a signal to the program's group, or none; return whether a process is left in it."""
    if os.name != "posix":
        if process.poll() is None and name:
            process.terminate()
        return process.poll() is None
    try:
        os.killpg(process.pid, getattr(signal, name) if name else 0)
    except ProcessLookupError:
        return False
    return True
