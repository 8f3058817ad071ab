"""The log on stderr: text for people, or JSON for programs, one line for each record.

A record never shows an exception's text, which may quote a secret: its type, and in JSON the places in our code.
"""

from __future__ import annotations

import asyncio
import json
import logging
import sys
import time
import traceback
from typing import IO, Any

from .context import request_id, run_id

# How long lines of the log are collected.
BUFFER_SECONDS = 0.05
# How often a warning is written that clients can cause.
REPEATED_SECONDS = 60.0


def log_to_stderr(level: str, log_format: str = "text") -> None:
    """Send our log, and warnings of the libraries, to stderr: stdout is for the ready line.

    Args:
        level: The least level of our own records, as `INFO`.
        log_format: `text` or `json`.
    """
    # Each request writes a line: don't look up what no line shows (logging's own advice on speed).
    logging.logThreads = logging.logProcesses = logging.logMultiprocessing = False
    logging._srcfile = None  # noqa: SLF001 - the documented way to do this
    handler = _BufferedHandler(sys.stderr)
    handler.setFormatter(JsonFormatter() if log_format == "json" else TextFormatter())
    for name, least in (("arcrun_server", level), ("uvicorn", "WARNING")):
        logger = logging.getLogger(name)
        logger.addHandler(handler)
        logger.setLevel(least)
        logger.propagate = False
    # Other libraries: asyncio, the exporter of spans.
    logging.getLogger().addHandler(handler)
    logging.captureWarnings(capture=True)
    logging.getLogger("uvicorn.error").addFilter(_OnceAMinute())


class TextFormatter(logging.Formatter):
    """Write time (UTC), level, the run that it is about, and message."""

    def __init__(self) -> None:
        super().__init__()
        self._clock = _Clock()

    def format(self, record: logging.LogRecord) -> str:
        """Return the line."""
        run = run_id.get()
        about = f" run {run}:" if run else ""
        return f"{self._clock.text(record.created)} {record.levelname}{about} {record.getMessage()}"


class JsonFormatter(logging.Formatter):
    """Write an object: time (UTC), level, logger, message, ids of request and run, and what the record has besides."""

    def __init__(self) -> None:
        super().__init__()
        self._clock = _Clock()

    def format(self, record: logging.LogRecord) -> str:
        """Return the line."""
        fields: dict[str, Any] = {
            "time": self._clock.text(record.created, milliseconds=True),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        for name, variable in (("request_id", request_id), ("run_id", run_id)):
            if value := variable.get():
                fields[name] = value
        fields |= getattr(record, "fields", {})
        if record.exc_info and record.exc_info[0] is not None:
            fields["error_type"] = record.exc_info[0].__name__
            frames = traceback.extract_tb(record.exc_info[2])
            fields["frames"] = [f"{frame.filename}:{frame.lineno} {frame.name}" for frame in frames]
        return json.dumps(fields, ensure_ascii=False, default=str)


class _Clock:
    """Writes times; most lines have the second of the line before."""

    def __init__(self) -> None:
        self._second = 0
        self._text = ""

    def text(self, created: float, *, milliseconds: bool = False) -> str:
        second = int(created)
        if second != self._second:
            self._second = second
            self._text = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(second))
        part = f".{int((created - second) * 1000):03d}" if milliseconds else ""
        return f"{self._text}{part}Z"


class _OnceAMinute(logging.Filter):
    """Passes a warning that clients can cause once a minute."""

    def __init__(self) -> None:
        super().__init__()
        self._next: dict[str, float] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        if record.levelno > logging.WARNING:
            return True
        now = time.monotonic()
        if now < self._next.get(str(record.msg), 0.0):
            return False
        self._next[str(record.msg)] = now + REPEATED_SECONDS
        return True


class _BufferedHandler(logging.Handler):
    """Write lines together: one system call for many requests. A warning is written at once, with the lines before it."""

    def __init__(self, stream: IO[str]) -> None:
        super().__init__()
        self._stream = stream
        self._lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self._lines.append(self.format(record))
        if record.levelno >= logging.WARNING:
            self.flush()
        elif len(self._lines) == 1:
            try:
                asyncio.get_running_loop().call_later(BUFFER_SECONDS, self.flush)
            except RuntimeError:  # no loop: at the start, at the end, in another thread
                self.flush()

    def flush(self) -> None:
        self.acquire()
        try:
            lines, self._lines = self._lines, []
            if lines:
                self._stream.write("\n".join([*lines, ""]))
                self._stream.flush()
        finally:
            self.release()
