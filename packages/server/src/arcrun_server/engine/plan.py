"""A graph prepared to run: templates and conditions parsed, edges counted."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

from .check import check_graph
from .condition_parser import parse_condition
from .edges import STRUCTURE_TYPES
from .labels import DEFAULT_ITERATOR
from .model import FlowError
from .parameters import named_credentials, optional_placeholders, parse_parameters
from .policy import NO_POLICY, NodePolicy, node_policy, workflow_policy
from .templates import is_template, placeholders

if TYPE_CHECKING:
    from .conditions import Condition
    from .model import Edge, Graph, JsonObject, Node

TRIGGER_WORKFLOW = "trigger_workflow"


@dataclass(frozen=True)
class PlannedEdge:
    """An edge that is run, between nodes given by their number."""

    type: str
    source: int
    target: int
    condition: Condition | None
    iterator: str
    branch: str


@dataclass
class PlannedNode:
    """A node ready to run.

    Attributes:
        number: Its position among the graph's nodes.
        id: Its id.
        type: `Component` if it runs something, else `Input` or `Output`.
        component: The id of its component; None if it only passes things on.
        workflow: For a node that calls another workflow, the workflow's name as far as the graph
            knows it.
        written: Its data as it was pushed.
        data: The same, with templates parsed.
        has_templates: Whether there is anything in its data to fill.
        placeholders: How many placeholders there are in it.
        optional: The placeholders in its data that may find nothing.
        credentials: The credentials that its data names.
        outgoing: The edges that leave it, in the order of the flow.
        incoming: How many edges that are run arrive here.
        handles_failure: Whether an ON_FAIL edge leaves it.
        policy: What it says about failures, with the defaults of its workflow.
    """

    number: int
    id: str
    type: str
    component: str | None
    workflow: str | None
    written: JsonObject
    data: Any
    has_templates: bool
    placeholders: int
    optional: frozenset[str]
    credentials: frozenset[str]
    outgoing: list[PlannedEdge] = field(default_factory=list)
    incoming: int = 0
    handles_failure: bool = False
    policy: NodePolicy = NO_POLICY


class ExecutionPlan:
    """A graph that is ready to run. No run changes it, so it may be kept and run many times.

    Attributes:
        graph: The graph as it was given.
        strict: Whether a placeholder without a value fails its node.
        nodes: Its nodes in order.
        starts: The numbers of the nodes that start a run: those that no edge leads to.
        unreached: Nodes that only structure leads to; they never run.
        numbers: Node ids to numbers.
        policy: What the workflow says about failures and about its runs.
    """

    def __init__(self, graph: Graph) -> None:
        self.graph = graph
        self.strict = graph.get("strict") is True
        self.policy = workflow_policy(graph)
        called = {edge["to"] for edge in graph["edges"] if edge["type"] == "CALLS_SUBFLOW"}
        self.nodes = [
            _plan_node(number, node, graph, is_called=node["id"] in called)
            for number, node in enumerate(graph["nodes"])
        ]
        self.numbers = {node.id: node.number for node in self.nodes}
        targets = set()
        for edge in graph["edges"]:
            targets.add(self.numbers[edge["to"]])
            if edge["type"] not in STRUCTURE_TYPES:
                self._add_edge(edge)
        self.starts = [node.number for node in self.nodes if node.number not in targets]
        self.unreached = [
            node.number for node in self.nodes if node.incoming == 0 and node.number in targets
        ]
        self._regions: dict[int, dict[int, int]] = {}

    @cached_property
    def incoming(self) -> dict[int, int]:
        """Return how many edges arrive at each node, for a run of the whole graph."""
        return {node.number: node.incoming for node in self.nodes}

    def region(self, target: int) -> dict[int, int]:
        """Return the part of the graph that a FOREACH runs for each element.

        Args:
            target: The node that the FOREACH leads to.

        Returns:
            Each node that can be reached from there, with the number of edges that arrive at it
            from within.
        """
        if target not in self._regions:
            arriving = {target: 0}
            front = [target]
            while front:
                for edge in self.nodes[front.pop()].outgoing:
                    if edge.target not in arriving:
                        arriving[edge.target] = 0
                        front.append(edge.target)
                    arriving[edge.target] += 1
            self._regions[target] = arriving
        return self._regions[target]

    def _add_edge(self, edge: Edge) -> None:
        source, target = self.nodes[self.numbers[edge["from"]]], self.numbers[edge["to"]]
        condition = parse_condition(edge.get("condition", "")) if edge["type"] == "IF" else None
        source.outgoing.append(
            PlannedEdge(
                edge["type"],
                source.number,
                target,
                condition,
                edge.get("iterator") or DEFAULT_ITERATOR,
                (edge.get("branch") or "").strip(),
            )
        )
        source.handles_failure |= edge["type"] == "ON_FAIL"
        self.nodes[target].incoming += 1


def prepare_graph(graph: Graph) -> ExecutionPlan:
    """Prepare a graph to run.

    Raises:
        FlowError: The graph can't run; `check_graph` says why. Components are not looked up.

    Example:
        >>> plan = prepare_graph({"nodes": [{"id": "起點", "type": "Input"}], "edges": []})
        >>> plan.nodes[0].id
        '起點'
    """
    problems = check_graph(graph)
    if problems:
        raise FlowError(problems)
    return ExecutionPlan(graph)


def _plan_node(number: int, node: Node, graph: Graph, *, is_called: bool) -> PlannedNode:
    written = node.get("data") or {}
    component = node.get("componentId")
    data = parse_parameters(component, written)
    found = list(placeholders(data))
    calls_workflow = is_called or component == TRIGGER_WORKFLOW
    name = node.get("label") or node["id"]
    return PlannedNode(
        number=number,
        id=node["id"],
        # A node with a component runs it, whatever type a client gave the node.
        type="Component" if component or calls_workflow else node["type"],
        component=TRIGGER_WORKFLOW if calls_workflow else component,
        workflow=name if is_called else None,
        written=written,
        data=data,
        has_templates=is_template(data),
        placeholders=len(found),
        optional=optional_placeholders(component, written),
        credentials=named_credentials(data),
        policy=node_policy(
            *(node, graph),
            invokes=bool(component or calls_workflow),
            calls_workflow=calls_workflow,
        ),
    )
