"""Measure what the engine adds to its components: a run of ten nodes in memory against ten bare calls of the same."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import TYPE_CHECKING

from scripts.bench.figures import Figure

if TYPE_CHECKING:
    from collections.abc import Iterator

GOAL_MS = 1.0
GOAL_RATIO = 3.0

# In a process of its own: the scripts don't import the engine. The bare calls are those of a run, with what the
# engine gave to each component, so that both sides do the same work.
PROGRAM = """
import asyncio, json, statistics, sys, time
from arcrun_server.components.registry import Registry
from arcrun_server.engine import MemoryEnvironment, compile_flow, prepare_graph, run_graph
from arcrun_server.outbound import Outbound

STEPS = [
    ("標題", {"component": "string_ops", "operation": "upper", "text": "{{input.title}}"}),
    ("指紋", {"component": "hash", "text": "{{標題.data.result}}", "algorithm": "sha256"}),
    ("欄位", {"component": "set", "values": {"title": "{{標題.data.result}}", "hash": "{{指紋.data.result}}"}}),
    ("總價", {"component": "number_ops", "operation": "multiply", "a": "{{input.price}}", "b": "{{input.count}}"}),
    ("日期", {"component": "date_ops", "operation": "add", "date": "{{input.date}}", "amount": 7, "unit": "days"}),
    ("高分", {"component": "filter", "items": "{{input.articles}}", "condition": "score >= 60"}),
    ("排序", {"component": "array_ops", "operation": "sort", "items": "{{高分.data.items}}", "by": "score"}),
    ("合併", {"component": "merge", "sources": ["{{欄位}}", {"total": "{{總價.data.result}}"}], "mode": "object"}),
    ("判斷", {"component": "if_control", "condition": "total > 60", "input": {"total": "{{總價.data.result}}"}}),
    ("結語", {"component": "string_ops", "operation": "replace", "text": "{{input.title}}", "search": "天", "replacement": "日"}),
]
INPUT = {
    "title": "今天的天氣", "price": 12.5, "count": 8, "date": "2026-11-27",
    "articles": [{"title": f"第 {n} 篇", "score": n * 9 % 100} for n in range(20)],
}

async def main(rounds):
    registry, calls = Registry(Outbound()), []

    def recorded(component):
        async def run(given, invocation):
            calls.append((component, given, invocation))
            return await component(given, invocation)
        return run

    names = {config["component"] for _, config in STEPS}
    lines = [" >> 完成後 >> ".join(pair) for pair in zip(["input", *(n for n, _ in STEPS)], (n for n, _ in STEPS))]
    plan = prepare_graph(compile_flow(lines, dict(STEPS)))
    recording = MemoryEnvironment(components={name: recorded(registry.get(name)) for name in names})
    result = await run_graph(plan, INPUT, recording)
    if not result.success or result.failed_nodes or len(calls) != len(STEPS) or result.warnings:
        raise SystemExit(f"the run must succeed: {result}")
    environment = MemoryEnvironment(components={name: registry.get(name) for name in names})

    async def ours():
        await run_graph(plan, INPUT, environment)

    async def bare():
        for component, given, invocation in calls:
            await component(given, invocation)

    times = [[], []]
    for _ in range(rounds):
        for measured, taken in zip((ours, bare), times):
            began = time.perf_counter()
            for _ in range(50):
                await measured()
            taken.append((time.perf_counter() - began) / 50)
    print(json.dumps([statistics.median(taken) * 1000 for taken in times]))

asyncio.run(main(int(sys.argv[1])))
"""


def measure(rounds: int) -> Iterator[Figure]:
    """Measure the run and the bare calls in turns."""
    command = [sys.executable, "-c", PROGRAM, str(rounds)]
    printed = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    ours, bare = json.loads(printed)
    note = f"ten bare calls of the components: {bare:.3f} ms; ours {ours:.3f} ms"
    yield Figure("run of 10 nodes in memory", ours, "ms", GOAL_MS, note)
    yield Figure("run of 10 nodes, over bare calls", ours / bare, "×", GOAL_RATIO, note)
