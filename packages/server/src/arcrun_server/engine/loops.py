"""Finding loops in a graph."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from .edges import STRUCTURE_TYPES


@dataclass(frozen=True)
class Loop:
    """A loop: its nodes in order, the first again at the end, and the edge that closes it."""

    nodes: tuple[str, ...]
    edge: int


def find_loop(ids: list[str], edges: list[Any]) -> Loop | None:
    """Find a loop among the edges that are run; edges that are structure may form loops.

    Args:
        ids: The nodes' ids.
        edges: Edges between these nodes.

    Example:
        >>> pipes = [{"from": a, "to": b, "type": "PIPE"} for a, b in ("甲乙", "乙丙", "丙乙")]
        >>> find_loop(list("甲乙丙"), pipes)
        Loop(nodes=('乙', '丙', '乙'), edge=2)
    """
    outgoing: dict[str, list[tuple[str, int]]] = {identity: [] for identity in ids}
    for number, edge in enumerate(edges):
        if edge["type"] not in STRUCTURE_TYPES:
            outgoing[edge["from"]].append((edge["to"], number))
    done: set[str] = set()
    for start in ids:
        if start in done:
            continue
        # Depth first with a stack of our own: graphs may be deeper than Python's.
        path, on_path, pending = [start], {start}, [iter(outgoing[start])]
        while pending:
            target, number = next(pending[-1], (None, -1))
            if target is None:
                pending.pop()
                finished = path.pop()
                on_path.discard(finished)
                done.add(finished)
            elif target in on_path:
                return Loop((*path[path.index(target) :], target), number)
            elif target not in done:
                path.append(target)
                on_path.add(target)
                pending.append(iter(outgoing[target]))
    return None
