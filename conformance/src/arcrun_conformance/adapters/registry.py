"""The registry of adapters: how to start each one, and whether its runtime is installed."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from arcrun_conformance.documents import Document, DocumentError, Problem, read
from arcrun_conformance.resources import checkout

from .adapter import SubprocessConnection
from .protocol import AdapterFailure

if TYPE_CHECKING:
    from collections.abc import Iterator


@dataclass(frozen=True)
class RegisteredAdapter:
    """An entry of `adapters.yaml`.

    Attributes:
        name: The name for `--sdk`.
        language: The SDK's language.
        runtime: The SDK's runtime.
        command: The command, its placeholders filled in.
        default: Whether it is run without `--sdk`.
        requires: Files and folders that must exist.
        install: How to create them: a command, with notes.
    """

    name: str
    language: str
    runtime: str
    command: tuple[str, ...]
    default: bool = True
    requires: tuple[str, ...] = ()
    install: str = ""

    def why_unavailable(self) -> str:
        """Return why it can't be started and how to fix that; an empty string if it can be.

        Example:
            >>> RegisteredAdapter("x", "bash", "bash", ("bash",), requires=("/no/bun",)).why_unavailable()
            'not available: /no/bun does not exist'
        """
        missing = [path for path in self.requires if not Path(path).exists()]
        if not missing:
            return ""
        advice = f"; install it with {self.install}" if self.install else ""
        verb = "does not exist" if len(missing) == 1 else "do not exist"
        return f"not available: {', '.join(missing)} {verb}{advice}"

    async def open(self) -> SubprocessConnection:
        """Start the adapter.

        Raises:
            AdapterFailure: Its runtime is not installed (`not-available`), or it can't be started.
        """
        if reason := self.why_unavailable():
            raise AdapterFailure("not-available", reason)
        return await SubprocessConnection.open(self.command)


def default_runtimes() -> Path:
    """Return the folder of the runtimes that `adapters/javascript/environment.py` installs.

    That is `ARCRUN_CONFORMANCE_RUNTIMES`, or else `.arcrun/javascript` in the repository that the
    runner is run from, or else in the working directory.
    """
    configured = os.environ.get("ARCRUN_CONFORMANCE_RUNTIMES")
    return Path(configured) if configured else (checkout() or Path.cwd()) / ".arcrun/javascript"


def read_registry(
    path: Path, python: str, runtimes: Path | None = None
) -> dict[str, RegisteredAdapter]:
    """Read the adapters of a registry file, by name.

    Args:
        path: The file, `adapters.yaml`.
        python: The interpreter that `{python}` stands for.
        runtimes: The folder that `{runtimes}` stands for; `default_runtimes()` if not given.

    Raises:
        DocumentError: The file is invalid.
    """
    placeholders = {
        "python": python,
        "here": str(path.parent.absolute()),
        "runtimes": str((runtimes or default_runtimes()).absolute()),
    }
    document = read(path, "adapters")
    entries = document.value["adapters"]
    if problems := list(_problems(document)):
        raise DocumentError(problems)
    return {entry["name"]: _registered_adapter(entry, placeholders) for entry in entries}


def _problems(document: Document) -> Iterator[Problem]:
    """Yield what the schema can't say: names occur once, and no system has a command with NUL."""
    names: set[str] = set()
    for number, entry in enumerate(document.value["adapters"]):
        pointer: list[str | int] = ["adapters", number]
        if entry["name"] in names:
            yield document.problem(
                [*pointer, "name"],
                f"a second adapter is named {entry['name']}",
                "Give it another name: --sdk names one.",
            )
        names.add(entry["name"])
        for key in ("command", "requires"):
            for position, text in enumerate(entry.get(key, ())):
                if "\0" in text:
                    yield document.problem(
                        [*pointer, key, position], f"{key} has the character NUL", "Remove it."
                    )


def _registered_adapter(entry: dict[str, Any], placeholders: dict[str, str]) -> RegisteredAdapter:
    values = {**placeholders, "runtime": entry["runtime"]}
    return RegisteredAdapter(
        entry["name"],
        entry["language"],
        entry["runtime"],
        tuple(part.format(**values) for part in entry["command"]),
        entry.get("default", True),
        tuple(path.format(**values) for path in entry.get("requires", ())),
        entry.get("install", "").format(**values),
    )
