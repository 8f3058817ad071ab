"""The memory that a worker may use is enough for the largest fair jobs, and ends those that need more than these."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Any

import pytest

from arcrun_server.components import validate_json
from arcrun_server.json_text import encode
from arcrun_server.routes import large_bodies
from arcrun_server.workers import Job, WorkerFailedError, WorkerPool

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

BODY_BYTES = 2 * 1024 * 1024 - 1024
VALUES = 99_000


def execution(context: Any) -> bytes:
    node = {"id": "a", "type": "Component", "componentId": "set"}
    return encode({"graph": {"nodes": [node], "edges": []}, "context": context})


def graph(data: Callable[[int], Any]) -> bytes:
    nodes = [
        {"id": f"n{n}", "type": "Component", "componentId": "set", "data": data(n)}
        for n in range(1000)
    ]
    edges = [{"from": f"n{n}", "to": f"n{n + 1}", "type": "PIPE"} for n in range(999)]
    return encode({"nodes": nodes, "edges": edges})


BODIES = {
    "a text": execution({"text": "x" * (BODY_BYTES - 200)}),
    "a Chinese text": execution({"text": "好" * (BODY_BYTES // 3 - 200)}),
    "a text with an emoji": execution({"text": "x" * (BODY_BYTES - 200) + "😀"}),
    "numbers": execution({"numbers": [n + 0.123456789 for n in range(VALUES)]}),
    "rows": execution({"rows": [{"id": n, "text": "x" * 35} for n in range(VALUES // 3)]}),
    "fields": execution({f"field{n}": "xxx" for n in range(VALUES)}),
    "objects in objects": execution(
        {"rows": [{"a": {"b": {"c": {"d": "x" * 40}}}}] * (VALUES // 5)}
    ),
}
GRAPHS = {
    "long texts": graph(lambda _: {"text": "x" * 1900}),
    "many placeholders": graph(lambda _: {"text": "{{prev.x}} {{ctx.y}}" * 90}),
    "many parameters": graph(
        lambda _: {"values": {f"k{k}": f"{{{{prev.v{k}}}}}" for k in range(80)}}
    ),
    "placeholders without a value": graph(lambda n: {"text": f"{{{{prv{n}.x}}}}" * 100}),
}
ROW = {"type": "object", "required": ["id"], "properties": {"text": {"pattern": "^x+$"}}}
ROWS = [{"id": n, "text": "x" * 20, "more": {"n": n}} for n in range(99_000)]
SCHEMAS = {
    "rows": ({"items": {"$ref": "#/$defs/row"}, "$defs": {"row": ROW}}, ROWS),
    "rows that are all wrong": ({"items": {"type": "string", "pattern": "x"}}, ROWS[:60_000]),
    "texts that differ": ({"uniqueItems": True}, [f"{n}{'x' * 60}" for n in range(VALUES)]),
    "a Chinese text": ({"type": "string", "pattern": "^[好]+$"}, "好" * 2_600_000),
    "numbers": ({"items": {"type": "number"}}, [n + 0.123456789 for n in range(VALUES)]),
}


@pytest.fixture
async def pool() -> AsyncIterator[WorkerPool]:
    made = WorkerPool(size=1)
    yield made
    await made.aclose()


async def answer(pool: WorkerPool, module: str, function: str, *payload: bytes) -> Any:
    return json.loads(await pool.run(Job(module, function), *payload, seconds=60))


@pytest.mark.parametrize("body", BODIES.values(), ids=BODIES)
async def test_the_largest_bodies_are_checked(pool: WorkerPool, body: bytes) -> None:
    assert BODY_BYTES // 4 < len(body) <= BODY_BYTES
    head = encode({"schema": "EXECUTION", "code": "invalid_request", "most": 100_000}) + b"\n"
    assert await answer(pool, large_bodies.__name__, "body_job", head, body) == {"value": None}


@pytest.mark.parametrize("content", GRAPHS.values(), ids=GRAPHS)
async def test_the_largest_graphs_are_checked(pool: WorkerPool, content: bytes) -> None:
    assert BODY_BYTES // 2 < len(content) <= BODY_BYTES
    more = {"known": ["set"], "prefix": "", "strict": None, "most": 100_000}
    head = encode(more) + b"\n"
    found = await answer(pool, large_bodies.__name__, "graph_job", head, content)
    assert found["value"]["nodeCount"] == 1000


@pytest.mark.parametrize(("schema", "value"), SCHEMAS.values(), ids=SCHEMAS)
async def test_the_largest_values_are_checked(pool: WorkerPool, schema: Any, value: Any) -> None:
    given = encode([schema, value])
    assert len(given) <= validate_json.MAX_BYTES
    found = await answer(pool, validate_json.__name__, "violations_job", given)
    wrong = schema.get("items", {}).get("type") == "string"
    assert [error["path"] for error in found["errors"]] == (["0"] if wrong else [])


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="limits memory on Linux")
async def test_a_small_schema_may_not_need_much(pool: WorkerPool) -> None:
    doubled: dict[str, Any] = {
        f"s{n}": {"anyOf": [{"$ref": f"#/$defs/s{n + 1}"}] * 2} for n in range(24)
    }
    schema = {"$ref": "#/$defs/s0", "$defs": {**doubled, "s24": {"type": "string"}}}
    job = Job(validate_json.__name__, "violations_job")
    with pytest.raises(WorkerFailedError):
        await pool.run(job, encode([schema, 1]), seconds=60)
