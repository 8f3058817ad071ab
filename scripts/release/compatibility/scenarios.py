"""Find what the release gate demands less than at the last release: it may only grow."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from scripts.release.compatibility import forms
from scripts.release.compatibility.differences import Part
from scripts.release.compatibility.reading import read_text, read_yaml

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from scripts.release.compatibility.differences import Difference

GATE = "conformance/gate.yaml"
SCENARIOS = "conformance/scenarios"

_PART = Part("scenarios")


def differences(old: Path, new: Path) -> list[Difference]:
    """Compare the gates of two checkouts, and the checks of the scenarios in both.

    Raises:
        PartUnreadable: A gate or a scenario can't be read.
    """
    if not (old / GATE).is_file():
        return []
    was, now = _needed(old), _needed(new)
    found = {
        *(_PART.broken(name, f"is no longer in the gate ({where})") for where, name in was - now),
        *(_PART.added(name, f"is in the gate ({where})") for where, name in now - was),
    }
    before, after = _files(old), _files(new)
    # A scenario of the gate that has no file fails the suite, which says so.
    for name in {name for _, name in was & now} & before.keys() & after.keys():
        found.update(_checks(name, (old, before[name]), (new, after[name])))
    return sorted(found)


def _needed(root: Path) -> set[tuple[str, str]]:
    """Return each scenario that the gate needs, with the contract's version and the list."""
    contracts = read_yaml(root, GATE, forms.GATE)["contracts"]
    return {
        (f"{kind} of {version}", name)
        for version, lists in contracts.items()
        for kind, names in lists.items()
        for name in names
    }


def _files(root: Path) -> dict[str, str]:
    """Return the file of each scenario."""
    paths = (root / SCENARIOS).rglob("*.yaml")
    return {path.stem: path.relative_to(root).as_posix() for path in paths}


def _checks(name: str, old: tuple[Path, str], new: tuple[Path, str]) -> Iterator[Difference]:
    """Yield the checks that a scenario has lost, unless it has at least as many under other names."""
    if read_text(*old) == read_text(*new):
        return
    was, now = (set(_ids(read_yaml(*each, forms.ANYTHING))) for each in (old, new))
    if len(now) < len(was):
        for check in was - now:
            yield _PART.broken(name, "is no check any more", check)
    elif now > was:
        for check in now - was:
            yield _PART.added(name, "is a new check", check)


def _ids(node: Any, *, below: bool = False) -> Iterator[str]:
    """Yield the ids in the lists of a scenario; that of the scenario itself is none of them."""
    if isinstance(node, dict):
        if below and isinstance(node.get("id"), str):
            yield node["id"]
        for value in node.values():
            yield from _ids(value) if isinstance(value, (dict, list)) else ()
    elif isinstance(node, list):
        for each in node:
            yield from _ids(each, below=True)
