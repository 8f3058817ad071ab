"""The reference engine as a process: started from an installed wheel, stopped at the end."""

from __future__ import annotations

import contextlib
import json
import selectors
from typing import TYPE_CHECKING, NamedTuple

from scripts import processes

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Iterator
    from pathlib import Path

START_SECONDS = 30.0


class Engine(NamedTuple):
    """A running engine: where it listens, and the keys of two accounts."""

    url: str
    keys: tuple[str, str]


class EngineNotStarted(Exception):
    """The engine ended, or said nothing, before it listened."""


@contextlib.contextmanager
def engine_with_accounts(python: Path, data: Path, log: Path) -> Iterator[Engine]:
    """Run the engine on a free port, with two accounts; yield where it is and their keys.

    Args:
        python: The interpreter of the environment where `arcrun-server` is installed.
        data: The folder for its store.
        log: Receives the engine's log.

    Raises:
        EngineNotStarted: It did not come up; the message has the end of its log.
        processes.CommandFailed: A key could not be created.
    """
    program = [str(python), "-I", "-m", "arcrun_server"]
    # The keys go through memory only: `quietly` keeps what is printed out of the log.
    keys = [
        processes.run([*program, "keys", "create", "--data", str(data)], log=log, quietly=True)
        for _ in range(2)
    ]
    command = [*program, "serve", "--json", "--port", "0", "--data", str(data)]
    with (
        log.open("a", encoding="utf-8") as output,
        processes.started(command, stderr=output) as process,
    ):
        line = _first_line(process)
        if not line:
            tail = "\n".join(log.read_text("utf-8", "replace").splitlines()[-20:])
            raise EngineNotStarted(f"the engine did not come up in {START_SECONDS:g} s:\n{tail}")
        yield Engine(json.loads(line)["url"], (keys[0].strip(), keys[1].strip()))


def _first_line(process: subprocess.Popen[str]) -> str:
    if process.stdout is None:
        return ""
    with selectors.DefaultSelector() as selector:
        selector.register(process.stdout, selectors.EVENT_READ)
        return process.stdout.readline() if selector.select(START_SECONDS) else ""
