"""A graph made ready to run."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .model import Graph


class Plan:
    """A graph with its templates and conditions compiled; may be kept and run many times."""


def prepare_graph(graph: Graph) -> Plan:
    """Make a graph ready to run. Raises FlowError if `check_graph` finds problems."""
    raise NotImplementedError
