"""Components measure before they build, and what can't be measured is ended."""

from __future__ import annotations

import asyncio
import re
from pathlib import Path
from typing import Any

import pytest
from component_use import invocation
from turns import counted_turns

from arcrun_server.components import contract
from arcrun_server.components.merge import run as merge
from arcrun_server.components.off_loop import LARGE, off_loop
from arcrun_server.engine import ComponentError, sizes


class Text(str):
    """A text that can be measured, but not built from."""

    __slots__ = ()

    def replace(self, *_: Any) -> str:  # type: ignore[override]
        raise AssertionError("it was built")

    split = join = replace  # type: ignore[assignment]


@pytest.mark.parametrize(
    "given",
    [
        {
            "operation": "replace",
            "text": Text("a" * 1001),
            "search": "a",
            "replacement": "b" * 1000,
        },
        {"operation": "join", "items": ["a" * 1000] * 1000, "separator": Text("b" * 2)},
        {"operation": "split", "text": Text("," * 200_000)},
        {"operation": "split", "text": Text("字" * 200_000), "separator": ""},
    ],
)
async def test_texts_that_would_be_too_long_are_never_built(use: Any, given: Any) -> None:
    with pytest.raises(ComponentError, match="would be"):
        await use("string_ops", given)


async def test_texts_up_to_the_limit_are_built(use: Any) -> None:
    given = {"operation": "replace", "text": "a" * 1000, "search": "a", "replacement": "b" * 1000}
    assert (await use("string_ops", given))["data"]["result"] == "b" * 1_000_000
    given = {"operation": "join", "items": ["a", "b"], "separator": "c" * 999_998}
    assert len((await use("string_ops", given))["data"]["result"]) == 1_000_000
    assert (await use("string_ops", {"operation": "split", "text": "a,b"}))["data"]["result"] == [
        "a",
        "b",
    ]
    given = {"operation": "join", "items": [], "separator": "長"}
    assert (await use("string_ops", given))["data"]["result"] == ""


async def test_many_small_sources_are_merged_into_a_large_one_in_a_moment(use: Any) -> None:
    large = {"deep": {str(number): number for number in range(50_000)}}
    sources = [large, *({"deep": {str(number): -number}} for number in range(2000))]
    result = await asyncio.wait_for(use("merge", {"sources": sources, "mode": "deep"}), 20)
    merged = result["data"]["result"]["deep"]
    assert (merged["0"], merged["1999"], merged["2000"]) == (0, -1999, 2000)
    assert large["deep"]["1999"] == 1999


async def test_merging_deep_changes_no_source() -> None:
    first, second, third = {"a": {"b": {"c": 1}}}, {"a": {"b": {"d": 2}}}, {"a": {"b": {"c": 3}}}
    result = await merge({"sources": [first, second, third], "mode": "deep"}, None)  # type: ignore[arg-type]
    assert result["data"]["result"] == {"a": {"b": {"c": 3, "d": 2}}}
    assert (first, second) == ({"a": {"b": {"c": 1}}}, {"a": {"b": {"d": 2}}})
    same = [first, first]
    await merge({"sources": [*same, second], "mode": "deep"}, None)  # type: ignore[arg-type]
    assert first == {"a": {"b": {"c": 1}}}


def doubling(levels: int) -> dict[str, Any]:
    """A small schema that means 2 ** levels ones."""
    definitions: dict[str, Any] = {
        f"s{n}": {"anyOf": [{"$ref": f"#/$defs/s{n + 1}"}, {"$ref": f"#/$defs/s{n + 1}"}]}
        for n in range(levels)
    }
    definitions[f"s{levels}"] = {"type": "string"}
    return {"$ref": "#/$defs/s0", "$defs": definitions}


async def test_schemas_without_bounds_fail_their_node_and_the_server_goes_on(
    use: Any,
) -> None:
    with counted_turns(0.01) as turns, pytest.raises(ComponentError, match="schema"):
        await use("validate_json", {"data": 1, "schema": doubling(40)})
    assert turns.count > 3
    quick = await use(
        "validate_json",
        {"data": 1, "schema": {"$ref": "#/$defs/n", "$defs": {"n": {"type": "integer"}}}},
    )
    assert quick["data"]["result"] is True


async def test_what_a_worker_finds_is_what_is_found_here(use: Any) -> None:
    schema = {"properties": {"標題": {"type": "string"}}}
    here = await use("validate_json", {"data": {"標題": 1}, "schema": schema})
    by_worker = await use(
        "validate_json", {"data": {"標題": 1}, "schema": {"$defs": {"x": {"$ref": "#"}}, **schema}}
    )
    assert here == by_worker
    with pytest.raises(ComponentError, match="not a valid JSON Schema"):
        await use("validate_json", {"data": 1, "schema": {"$ref": "#/none"}})


async def test_much_is_computed_in_a_thread_and_little_is_not() -> None:
    loops = []

    async def compute(given: Any, _invocation: Any) -> Any:
        loops.append(asyncio.get_running_loop() is main)
        return given

    main = asyncio.get_running_loop()
    component: Any = off_loop(compute, ["text", "items"])
    await component({"text": "a"}, invocation())
    await component({"text": "a" * LARGE}, invocation())
    assert loops == [True, False]


async def test_what_the_run_knows_already_is_not_measured_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    known_sizes = sizes.KnownSizes()
    items = [[number] for number in range(1000)]
    known_sizes.of(items)
    monkeypatch.setattr(sizes, "rough_size", lambda *_: pytest.fail("it was measured again"))

    async def compute(given: Any, _invocation: Any) -> Any:
        return len(given["items"])

    component: Any = off_loop(compute, ["text", "items"])
    assert await component({"items": items}, invocation(measure=known_sizes.rough)) == 1000


async def test_what_a_component_does_not_read_does_not_count() -> None:
    main = asyncio.get_running_loop()

    async def compute(_given: Any, _invocation: Any) -> Any:
        return asyncio.get_running_loop() is main

    component: Any = off_loop(compute, ["text"])
    assert await component({"text": "a", "context": "a" * LARGE}, invocation())


def test_every_second_name_of_a_parameter_is_known() -> None:
    read = re.compile(r"""given_value\(\w+, "\w+"((?:, "\w+")+)\)""")
    folder = Path(contract.__file__).parent
    found = [name for path in folder.glob("*.py") for name in read.findall(path.read_text("utf-8"))]
    assert set(re.findall(r"\w+", " ".join(found))) == contract.SECOND_NAMES
