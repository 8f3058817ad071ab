"""Run the reference engine as a process, from the environment where it is installed."""

from __future__ import annotations

import contextlib
import json
from typing import TYPE_CHECKING, NamedTuple

from scripts import processes

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

START_SECONDS = 30.0


class Engine(NamedTuple):
    """A running engine: its URL, the keys of two accounts, and its process."""

    url: str
    keys: tuple[str, str]
    pid: int


@contextlib.contextmanager
def engine_with_accounts(
    python: Path,
    data: Path,
    log: Path,
    served_by: Sequence[str] = ("-m", "arcrun_server"),
    *,
    settings: Mapping[str, str] | None = None,
) -> Iterator[Engine]:
    """Run the engine on a free port, with two accounts; yield its URL and their keys.

    Args:
        python: The interpreter of the environment where `arcrun-server` is installed.
        data: The folder for its store.
        log: Receives the engine's log.
        served_by: The program that serves, as arguments of the interpreter.
        settings: Variables of its environment, besides those of this process.

    Raises:
        processes.NotStarted: It did not start; the message has the end of its log.
        processes.CommandFailed: A key could not be created.
    """
    program = [str(python), "-I", "-m", "arcrun_server"]
    # The keys stay in memory: `quietly` keeps what is printed out of the log.
    keys = [
        processes.run([*program, "keys", "create", "--data", str(data)], log=log, quietly=True)
        for _ in range(2)
    ]
    command = [str(python), "-I", *served_by, "serve", "--json", "--port", "0", "--data", str(data)]
    command.append("--until-stdin-closes")
    with (
        log.open("a", encoding="utf-8") as output,
        processes.started(command, stderr=output, held=True, env=settings) as process,
    ):
        ready = json.loads(processes.first_line(process, log, START_SECONDS))
        yield Engine(ready["url"], (keys[0].strip(), keys[1].strip()), ready["pid"])
