"""A reference engine as a child process, which ends with its parent."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import IO, Any, NamedTuple

from .errors import CommandError
from .sentences import sentence

MODULE = "arcrun_server"
_SECONDS_TO_END = 10
# Of the settings of an engine that this machine may run for others: `acr dev` leaves its data alone.
_NOT_INHERITED = frozenset({"ARCRUN_SERVER_DATABASE", "ARCRUN_SERVER_DATA"})


class Ready(NamedTuple):
    """Where an engine serves.

    Attributes:
        url: its base URL.
        key: its development key, which is valid on this machine only.
    """

    url: str
    key: str


class Engine:
    """An engine in development mode.

    Args:
        data: the folder of its database.
        variables: settings of the engine, by name of the variable.
        log: the file that gets its log; None for stderr.
        port: 0 for a free one.
    """

    def __init__(
        self, data: Path, variables: Mapping[str, str], log: Path | None, port: int = 0
    ) -> None:
        self._data = data
        self._variables = dict(variables)
        self._log = log
        self._port = port
        self._process: subprocess.Popen[str] | None = None

    def start(self) -> Ready:
        """Start it, and wait until it serves.

        Raises:
            CommandError: `not_installed`, or `engine_failed` if it ends at once.
        """
        if find_spec(MODULE) is None:
            raise CommandError(
                "not_installed",
                sentence(
                    "acr dev needs the package arcrun-server in {prefix}: python -m pip install 'arcrun[dev]'",
                    prefix=sys.prefix,
                ),
            )
        self._process = process = self._spawn()
        line = process.stdout.readline() if process.stdout else ""
        if not line:
            self.stop()
            raise CommandError(
                "engine_failed", sentence("the engine did not start{reason}", reason=self._reason())
            )
        ready: dict[str, Any] = json.loads(line)
        return Ready(ready["url"], ready["key"])

    def _spawn(self) -> subprocess.Popen[str]:
        inherited = {k: v for k, v in os.environ.items() if k not in _NOT_INHERITED}
        command = [
            *(sys.executable, "-m", MODULE, "serve", "--dev", "--json", "--until-stdin-closes"),
            *("--port", str(self._port), "--data", str(self._data)),
        ]
        log = self._open_log()
        try:
            return subprocess.Popen(  # noqa: S603 - this interpreter, and no text of others
                command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
                encoding="utf-8",
                env={**inherited, **self._variables, "ARCRUN_SERVER_COMMAND": "acr dev"},
                # Ctrl-C is for `acr`, which ends the engine in its own time.
                start_new_session=True,
            )
        finally:
            if log is not None:
                log.close()

    def _open_log(self) -> IO[bytes] | None:
        if self._log is None:
            return None
        try:
            return self._log.open("ab")
        except OSError as error:
            raise CommandError(
                "invalid_argument",
                sentence("{log} can't be written: {reason}", log=self._log, reason=error.strerror),
            ) from None

    def has_ended(self) -> bool:
        """Tell whether it has ended by itself."""
        return self._process is not None and self._process.poll() is not None

    def stop(self) -> None:
        """End it: it stops when its standard input closes, and is killed if it does not."""
        process = self._process
        if process is None:
            return
        if process.stdin is not None:
            process.stdin.close()
        try:
            process.wait(_SECONDS_TO_END)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        if process.stdout is not None:
            process.stdout.close()
        self._process = None

    def _reason(self) -> str:
        """Return what its log said last."""
        if self._log is None:
            return sentence(": see above")
        lines = self._log.read_text("utf-8", "replace").strip().splitlines()
        said = sentence(": {line} (in {log})", line=lines[-1] if lines else "", log=self._log)
        return said if lines else sentence("; see {log}", log=self._log)
