"""The types of edges: the one table of them (docs/contract.md#workflow-graphs)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from .model import EdgeType


@dataclass(frozen=True)
class EdgeKind:
    """What there is to know about a type of edges.

    Attributes:
        type: The type. Its name is a label too, in any case.
        labels: Its other labels; English ones in capitals stand for any case.
        argument: The field of an edge that only this type has.
        runs: Whether such an edge is run; others are structure only.
    """

    type: EdgeType
    labels: tuple[str, ...] = ()
    argument: Literal["condition", "iterator", "branch"] | None = None
    runs: bool = True


EDGE_KINDS: dict[str, EdgeKind] = {
    kind.type: kind
    for kind in (
        EdgeKind("PIPE", ("完成後",)),
        EdgeKind("ON_SUCCESS", ("SUCCESS",)),
        EdgeKind("ON_FAIL", ("失敗時", "FAIL")),
        EdgeKind("IF", ("條件滿足時",), argument="condition"),
        EdgeKind("ON_TRUE", ("成立時", "為真時", "TRUE")),
        EdgeKind("ON_FALSE", ("不成立時", "為假時", "否則", "FALSE", "ELSE")),
        EdgeKind("ON_BRANCH", ("分支", "BRANCH"), argument="branch"),
        EdgeKind("FOREACH", ("對每個",), argument="iterator"),
        EdgeKind("CALLS_SUBFLOW", ("SUBFLOW",)),
        EdgeKind("ON_CLICK", ("CLICK",)),
        EdgeKind("CONTINUE", runs=False),
        EdgeKind("IS_A", runs=False),
        EdgeKind("CONTAINS", runs=False),
        EdgeKind("HAS_STYLE", runs=False),
        EdgeKind("HAS_BEHAVIOR", runs=False),
    )
}
"""Every kind of edges, by its type."""

EDGE_TYPES = frozenset(EDGE_KINDS)
STRUCTURE_TYPES = frozenset(kind.type for kind in EDGE_KINDS.values() if not kind.runs)
LABELS: dict[str, EdgeType] = {
    **{kind.type: kind.type for kind in EDGE_KINDS.values()},
    **{label: kind.type for kind in EDGE_KINDS.values() for label in kind.labels},
}
"""Every label (English ones in capitals) and the edge type that it stands for."""
