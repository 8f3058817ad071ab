"""Find what the release gate demands less than at the last release: it may only grow."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import yaml

from scripts.release.compatibility.differences import Part

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from scripts.release.compatibility.differences import Difference

GATE = "conformance/gate.yaml"
SCENARIOS = "conformance/scenarios"

_PART = Part("scenarios")


def differences(old: Path, new: Path) -> list[Difference]:
    """Compare the gates of two checkouts, and the checks of the scenarios in both."""
    if not (old / GATE).is_file():
        return []
    was, now = _needed(old / GATE), _needed(new / GATE)
    found = {
        *(_PART.broken(name, f"is no longer in the gate ({where})") for where, name in was - now),
        *(_PART.added(name, f"is in the gate ({where})") for where, name in now - was),
    }
    before, after = _files(old), _files(new)
    # A scenario of the gate that has no file fails the suite, which says so.
    for name in {name for _, name in was & now} & before.keys() & after.keys():
        found.update(_checks(name, before[name], after[name]))
    return sorted(found)


def _needed(gate: Path) -> set[tuple[str, str]]:
    """Return each scenario that a gate needs, with the contract's version and the list."""
    contracts = _read(gate)["contracts"]
    return {
        (f"{kind} of {version}", name)
        for version, lists in contracts.items()
        for kind, names in lists.items()
        for name in names
    }


def _files(root: Path) -> dict[str, Path]:
    """Return the file of each scenario."""
    return {path.stem: path for path in (root / SCENARIOS).rglob("*.yaml")}


def _checks(name: str, old: Path, new: Path) -> Iterator[Difference]:
    """Yield the checks that a scenario has lost, unless it has at least as many under other names."""
    if old.read_bytes() == new.read_bytes():
        return
    was, now = set(_ids(_read(old))), set(_ids(_read(new)))
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


def _read(path: Path) -> Any:
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    return yaml.load(path.read_text("utf-8"), Loader=loader)  # noqa: S506 - a safe one
