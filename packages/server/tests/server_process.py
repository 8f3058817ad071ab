"""A server in a process of its own, and what its tests ask it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from typing import IO, TYPE_CHECKING, Any

if TYPE_CHECKING:
    import httpx

# Seconds. Starting takes one of them, and many on a busy machine.
WAIT = 120


class ServerProcess:
    """`arcrun-server serve --json` on a free port; its ready line is awaited, not slept for."""

    def __init__(self, arguments: tuple[str, ...], environment: dict[str, str]) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "arcrun_server", "serve", *arguments],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env={**os.environ, **environment},
        )
        assert self.process.stdout
        assert self.process.stderr
        self.output: list[str] = []
        self.log: list[str] = []
        self._first = threading.Event()
        self._more = threading.Condition()
        self._readers = [
            threading.Thread(target=self._read, args=(self.process.stdout, self.output)),
            threading.Thread(target=self._read, args=(self.process.stderr, self.log)),
        ]
        for reader in self._readers:
            reader.start()

    def _read(self, stream: IO[str], lines: list[str]) -> None:
        for line in stream:
            with self._more:
                lines.append(line)
                self._more.notify_all()
            if lines is self.output:
                self._first.set()
        if lines is self.output:
            self._first.set()

    def first_line(self) -> str:
        """Wait for the first line of stdout."""
        assert self._first.wait(WAIT), "no ready line"
        assert self.output, f"the server did not start: {''.join(self.log)}"
        return self.output[0]

    def ready(self) -> dict[str, Any]:
        """Wait for the ready line of `--json`."""
        return json.loads(self.first_line())

    def logged(self, text: str) -> bool:
        """Wait until a line of the log has this text."""
        with self._more:
            return self._more.wait_for(lambda: any(text in line for line in self.log), WAIT)

    def stop(self, number: int = signal.SIGTERM) -> int:
        """Send a signal and return the exit code."""
        if self.process.poll() is None:
            self.process.send_signal(number)
        code = self.process.wait(WAIT)
        for reader in self._readers:
            reader.join(WAIT)
        for stream in (self.process.stdout, self.process.stderr):
            assert stream
            stream.close()
        return code


async def names_of_credentials(client: httpx.AsyncClient) -> set[str]:
    """Return the names of all credentials, from all pages."""
    names: set[str] = set()
    cursor: dict[str, str] = {}
    while True:
        page = (await client.get("/credentials", params={"limit": "200", **cursor})).json()
        names |= {entry["name"] for entry in page["credentials"]}
        if "next_cursor" not in page:
            return names
        cursor = {"cursor": page["next_cursor"]}
