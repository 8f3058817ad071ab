"""The workflow engine: flow text → graph → run. Pure: no HTTP, no database.

What graphs and runs mean is in docs/contract.md#workflow-graphs and docs/contract.md#execution.

A document's `flow` is parsed by `parse_flow` and compiled by `compile_flow`; `check_graph` says
what is wrong with a graph before it is stored; `run_graph` runs it in an `Environment`.

Example:
    >>> import asyncio
    >>> graph = compile_flow(
    ...     ["input >> 完成後 >> 放大", "放大 >> 完成後 >> output"],
    ...     {"放大": {"component": "comp_uppercase", "text": "{{input.名字}} ok"}},
    ...     name="demo",
    ... )
    >>> check_graph(graph)
    []
    >>> asyncio.run(run_graph(graph, {"名字": "小明"}, MemoryEnvironment())).data["text"]
    '小明 OK'
"""

from .check import BUILTIN_IDS, check_graph
from .environment import (
    Component,
    ComponentError,
    Environment,
    Invocation,
    Invoke,
    MemoryEnvironment,
    RunLimits,
    Step,
    StepResult,
    delivered_result,
)
from .failures import InvocationFailure
from .flow import compile_flow, parse_flow, search_triplets
from .model import Edge, FlowError, Graph, JsonObject, Node, Problem, SearchResult, Triplet
from .parameters import ParameterCheck, ParameterWarning, check_parameters
from .plan import ExecutionPlan, prepare_graph
from .result import AwaitedTask, Pause, RunResult, RunWarning, TraceEntry
from .run import resume_graph, run_graph

__all__ = [
    "BUILTIN_IDS",
    "AwaitedTask",
    "Component",
    "ComponentError",
    "Edge",
    "Environment",
    "ExecutionPlan",
    "FlowError",
    "Graph",
    "Invocation",
    "InvocationFailure",
    "Invoke",
    "JsonObject",
    "MemoryEnvironment",
    "Node",
    "ParameterCheck",
    "ParameterWarning",
    "Pause",
    "Problem",
    "RunLimits",
    "RunResult",
    "RunWarning",
    "SearchResult",
    "Step",
    "StepResult",
    "TraceEntry",
    "Triplet",
    "check_graph",
    "check_parameters",
    "compile_flow",
    "delivered_result",
    "parse_flow",
    "prepare_graph",
    "resume_graph",
    "run_graph",
    "search_triplets",
]
