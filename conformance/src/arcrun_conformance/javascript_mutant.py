"""A JavaScript SDK with one defect: a copy of the built SDK in which one text is replaced."""

from __future__ import annotations

import contextlib
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from .resources import data_directory

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from typing import Any

    from .adapters.registry import RegisteredAdapter

ADAPTER = "node24-esm"
_BUILT = "node_modules/@arcrun/sdk/dist/node.js"


class MutantError(Exception):
    """A defect can't be made, since the SDK is not what it was; the message says what to do."""


@dataclass(frozen=True)
class JavaScriptSdk:
    """The built SDK and the adapter that runs it.

    Attributes:
        adapter: The adapter of Node.js.
        runtimes: The folder that `adapters/javascript/environment.py` created.
    """

    adapter: RegisteredAdapter
    runtimes: Path

    def why_unavailable(self) -> str:
        """Return why it can't be run and how to fix that; an empty string if it can be."""
        if reason := self.adapter.why_unavailable():
            return reason
        built = self.runtimes / _BUILT
        return "" if built.exists() else f"not available: {built} does not exist; build the SDK"

    def stale(self, definitions: Iterable[Mapping[str, Any]]) -> list[str]:
        """Return a message for each defect whose text is not in the built SDK once; of all, before any is tried."""
        source = (self.runtimes / _BUILT).read_text("utf-8")
        messages = []
        for definition in definitions:
            try:
                replaced_once(source, definition)
            except MutantError as error:
                messages.append(str(error))
        return messages

    @contextlib.contextmanager
    def with_defect(self, definition: Mapping[str, Any]) -> Iterator[Sequence[str]]:
        """Return the command of an adapter whose SDK has a defect (schema `mutants`, `javascript`).

        Raises:
            MutantError: The text to replace is not there, or not once.
        """
        source = (self.runtimes / _BUILT).read_text("utf-8")
        changed = replaced_once(source, definition)
        with tempfile.TemporaryDirectory(prefix="arcrun-mutant-") as folder:
            Path(folder, "sdk.mjs").write_text(changed, "utf-8")
            host = data_directory() / "adapters/javascript/node.mjs"
            yield (self.adapter.command[0], str(host), folder)


def replaced_once(source: str, definition: Mapping[str, Any]) -> str:
    """Return a program with one text replaced.

    Raises:
        MutantError: The text is not there, or not once.

    Example:
        >>> replaced_once("a = 60;", {"id": "waits-longer", "replace": "60", "by": "61"})
        'a = 61;'
    """
    found = source.count(definition["replace"])
    if found != 1:
        raise MutantError(
            f"javascript {definition['id']}: the text under `replace` is {found} times in the built "
            "SDK; it must be there exactly once. Adapt it to the SDK's code."
        )
    return source.replace(definition["replace"], definition["by"])
