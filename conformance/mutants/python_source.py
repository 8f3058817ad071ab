"""Defects in the Python SDK's own code: each is a text of a module that is replaced when it is imported.

The ids are those of `state.yaml`. A text has to occur exactly once, so that a defect can't vanish
unnoticed when the SDK changes.
"""

from __future__ import annotations

import importlib.machinery
import importlib.util
import sys
from importlib.abc import MetaPathFinder
from typing import TYPE_CHECKING, NamedTuple

import python_source_auth
import python_source_edges
import python_source_events
import python_source_options
import python_source_parts
import python_source_promises
import python_source_recipes
import python_source_requests
import python_source_state
import python_source_values

if TYPE_CHECKING:
    from collections.abc import Sequence
    from types import CodeType, ModuleType


DEFECTS = {
    **python_source_state.DEFECTS,
    **python_source_requests.DEFECTS,
    **python_source_promises.DEFECTS,
    **python_source_edges.DEFECTS,
    **python_source_values.DEFECTS,
    **python_source_parts.DEFECTS,
    **python_source_auth.DEFECTS,
    **python_source_options.DEFECTS,
    **python_source_recipes.DEFECTS,
    **python_source_events.DEFECTS,
}


class Change(NamedTuple):
    """A text of a module, and what stands there instead."""

    module: str
    text: str
    instead: str


def changes_of(defect: str) -> list[Change]:
    """Return the changes that make a defect; none if it is made elsewhere."""
    return [Change(*change) for change in DEFECTS.get(defect, ())]


class _ChangedLoader(importlib.machinery.SourceFileLoader):
    """Loads a module with some of its text replaced."""

    def __init__(self, fullname: str, path: str, changes: Sequence[Change]) -> None:
        super().__init__(fullname, path)
        self._changes = changes

    def get_code(self, fullname: str) -> CodeType:
        source = self.get_data(self.path).decode()
        for change in self._changes:
            found = source.count(change.text)
            if found != 1:
                raise ImportError(f"{fullname}: {change.text!r} occurs {found} times, not once")
            source = source.replace(change.text, change.instead)
        return compile(source, self.path, "exec", dont_inherit=True)


class _Finder(MetaPathFinder):
    """Finds the modules that a defect changes."""

    def __init__(self, changes: Sequence[Change]) -> None:
        self._changes = changes

    def find_spec(
        self,
        fullname: str,
        path: Sequence[str] | None,
        target: ModuleType | None = None,  # noqa: ARG002 -- of the interface
    ) -> importlib.machinery.ModuleSpec | None:
        own = [change for change in self._changes if change.module == fullname]
        spec = importlib.machinery.PathFinder.find_spec(fullname, path) if own else None
        if spec is None or spec.origin is None:
            return None
        loader = _ChangedLoader(fullname, spec.origin, own)
        return importlib.util.spec_from_file_location(fullname, spec.origin, loader=loader)


def install(defect: str) -> None:
    """Make the SDK, when it is imported, have a defect."""
    changes = changes_of(defect)
    if changes:
        sys.meta_path.insert(0, _Finder(changes))
