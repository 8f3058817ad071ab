"""What is wrong with a graph."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Collection

    from .model import Problem

BUILTIN_IDS = frozenset({"comp_passthrough", "comp_uppercase", "comp_counter", "trigger_workflow"})


def check_graph(graph: Any, known: Collection[str] | None = None) -> list[Problem]:
    """Check any JSON value as a graph; `known` component ids (None: components aren't checked).

    Built-ins and URLs need not be among `known`.
    """
    raise NotImplementedError
