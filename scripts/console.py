"""Print for people and logs: texts as they are, whole lines where it is no terminal, and an error that says that nobody reads."""

from __future__ import annotations

import errno
import os
import sys
from typing import IO, TYPE_CHECKING, Any

from rich.console import Console

if TYPE_CHECKING:
    from collections.abc import Callable

# Of what is no terminal, such as a log of CI: tables are drawn for it.
COLUMNS = 160

# A pipe that nobody reads any more, a full disk, and an output that was closed.
_OF_OUTPUT = frozenset({errno.EPIPE, errno.ENOSPC, errno.EBADF, errno.EIO})


class OutputFailed(Exception):
    """What is printed can't be written; the message says why."""


class _Output:
    """Passes texts on to a stream; where that can't be written, the error says so."""

    def __init__(self, stream: IO[str]) -> None:
        self._stream = stream

    def __getattr__(self, name: str) -> Any:
        """Return an attribute of the stream."""
        return getattr(self._stream, name)

    def write(self, text: str) -> int:
        """Write a text.

        Raises:
            OutputFailed: The stream can't be written.
        """
        try:
            return self._stream.write(text)
        except OSError as error:
            raise _failed(error) from None

    def flush(self) -> None:
        """Write what is buffered.

        Raises:
            OutputFailed: The stream can't be written.
        """
        try:
            self._stream.flush()
        except OSError as error:
            raise _failed(error) from None


def make_console(file: IO[str] | None = None) -> Console:
    """Return a console that prints to standard output, or to a file.

    It raises `OutputFailed` where that can't be written.
    """
    stream = file or sys.stdout
    output: Any = _Output(stream) if stream else None  # Python has none where it was closed
    # Emoji would make a picture of a text such as `auth.ts:100:3`.
    console = Console(file=output, soft_wrap=True, emoji=False, highlight=False)
    if not console.file.isatty():
        console.width = max(console.width, COLUMNS)
    return console


def exit_code(main: Callable[[], int]) -> int:
    """Run a program; return its exit code, and 1 with a sentence on standard error where its output can't be written."""
    if sys.stdout is None:  # the caller has closed it
        print(f"NO-GO: {_failed(OSError(errno.EBADF, os.strerror(errno.EBADF)))}", file=sys.stderr)
        return 1
    try:
        code = main()
        sys.stdout.flush()
    except OutputFailed as problem:
        failed = problem
    except OSError as error:
        if error.errno not in _OF_OUTPUT or error.filename:
            raise
        failed = _failed(error)
    else:
        return code
    print(f"NO-GO: {failed}", file=sys.stderr)
    # Python would try again when it ends, and print what looks like a defect.
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return 1


def _failed(error: OSError) -> OutputFailed:
    return OutputFailed(f"the output can't be written: {error.strerror}")
