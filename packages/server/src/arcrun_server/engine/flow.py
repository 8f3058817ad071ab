"""Flow lines into triplets and graphs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence
    from datetime import datetime

    from .model import Graph, SearchResult, Triplet


def parse_flow(lines: Sequence[str]) -> list[Triplet]:
    """Parse flow lines. Raises FlowError with every problem (line, column, nearest label)."""
    raise NotImplementedError


def compile_flow(
    lines: Sequence[str],
    config: Mapping[str, Any] | None = None,
    *,
    name: str = "",
    known: Collection[str] = (),
) -> Graph:
    """Compile a flow and its config into a graph. Raises FlowError."""
    raise NotImplementedError


def search_triplets(
    triplets: Sequence[str],
    *,
    known: Collection[str],
    now: datetime,
    version: str,
    mode: str | None = None,
) -> SearchResult:
    """Answer `POST /cypher/search`. Raises FlowError."""
    raise NotImplementedError
