"""The registry of adapters: how each is started, and whether what it runs on is there."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .adapter import SubprocessConnection
from .documents import read
from .protocol import AdapterFailure
from .resources import checkout


@dataclass(frozen=True)
class Registered:
    """An entry of `adapters.yaml`.

    Attributes:
        name: What `--sdk` calls it.
        language: The SDK's language.
        runtime: What the SDK runs on.
        command: The command, its places filled in.
        default: Whether it runs without being named.
        requires: Files and folders that must be there.
        install: How they are made: a command, and what is to be known about it.
    """

    name: str
    language: str
    runtime: str
    command: tuple[str, ...]
    default: bool = True
    requires: tuple[str, ...] = ()
    install: str = ""

    def lack(self) -> str:
        """What keeps it from being started, and how to mend that; empty if nothing does.

        Example:
            >>> Registered("x", "bash", "bash", ("bash",), requires=("/no/bun",)).lack()
            'not available: there is no /no/bun'
        """
        missing = [path for path in self.requires if not Path(path).exists()]
        if not missing:
            return ""
        advice = f" — make it with {self.install}" if self.install else ""
        return f"not available: there is no {', no '.join(missing)}{advice}"

    async def open(self) -> SubprocessConnection:
        """Start it.

        Raises:
            AdapterFailure: What it runs on is not there (`not-available`), or it can't be started.
        """
        if lack := self.lack():
            raise AdapterFailure("not-available", lack)
        return await SubprocessConnection.open(self.command)


def default_runtimes() -> Path:
    """Where the runtimes are that `adapters/javascript/environment.py` installs, unless told.

    `ARCRUN_CONFORMANCE_RUNTIMES`, else `.arcrun/javascript` of the repository that the runner is
    run from, else of the working directory.
    """
    told = os.environ.get("ARCRUN_CONFORMANCE_RUNTIMES")
    return Path(told) if told else (checkout() or Path.cwd()) / ".arcrun/javascript"


def registered(path: Path, python: str, runtimes: Path | None = None) -> dict[str, Registered]:
    """The adapters that a registry file names.

    Args:
        path: The file, `adapters.yaml`.
        python: The interpreter that `{python}` stands for.
        runtimes: The folder that `{runtimes}` stands for; `default_runtimes()` if not given.

    Raises:
        DocumentError: The file can't be used.
    """
    places = {
        "python": python,
        "here": str(path.parent.absolute()),
        "runtimes": str((runtimes or default_runtimes()).absolute()),
    }
    entries = read(path, "adapters").value["adapters"]
    return {entry["name"]: _registered(entry, places) for entry in entries}


def _registered(entry: dict[str, Any], places: dict[str, str]) -> Registered:
    known = {**places, "runtime": entry["runtime"]}
    return Registered(
        entry["name"],
        entry["language"],
        entry["runtime"],
        tuple(part.format(**known) for part in entry["command"]),
        entry.get("default", True),
        tuple(path.format(**known) for path in entry.get("requires", ())),
        entry.get("install", "").format(**known),
    )
