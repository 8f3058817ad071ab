"""Tests in prompt recipes, over HTTP: what they compare, and what they guard."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Any

import pytest
from prompts import greet, push, read
from pushed_recipes import post

if TYPE_CHECKING:
    from conftest import Api


async def test_tests_are_run_and_guard_a_label(alice: Api) -> None:
    def with_test(user: str) -> dict[str, Any]:
        test = {
            "name": "says hello",
            "inputs": {"who": "小明"},
            "expect": {"contains": ["Hello 小明"]},
        }
        return greet(user, tests=[test])

    await push(alice, with_test("Hello {{who}}"))
    await push(alice, with_test("Bye {{who}}"))
    assert (await post(alice, "/prompt-recipes/greet/test?version=1", {}))["passed"] is True
    outcome = await post(alice, "/prompt-recipes/greet/test", {})
    assert outcome["passed"] is False
    assert outcome["tests"] == [
        {"name": "says hello", "passed": False, "failures": ["no message holds 'Hello 小明'"]}
    ]
    label = "/prompt-recipes/greet/labels/production"
    moved = await alice("PUT", label, json={"version": 1, "requires_tests": True})
    assert moved.status_code == 200
    refused = await alice("PUT", label, json={"version": 2})
    assert (refused.status_code, refused.json()["code"]) == (409, "tests_failed")
    assert "'says hello' fails: no message holds" in refused.json()["error"]
    assert (await read(alice, "/prompt-recipes/greet"))["recipe"]["version"] == 1


@pytest.mark.parametrize(
    ("reply", "expected", "passes"),
    [
        ({"a": 1.0, "b": [None]}, {"b": [None], "a": 1}, True),
        (1, 1.0, True),
        (True, 1, False),
        ({"a": True}, {"a": 1}, False),
        ({"c": [0]}, {"c": [False]}, False),
        ("1", 1, False),
        ({}, [], False),
    ],
)
async def test_an_output_is_compared_by_type(
    alice: Api, reply: Any, expected: Any, passes: bool
) -> None:
    test = {"name": "t", "reply": json.dumps(reply), "expect": {"output": expected}}
    recipe = {"name": "r", "prompt_assembly": {"user": "x"}, "output": {"format": "json"}}
    outcome = await post(alice, "/prompt-recipes/r/test", {"recipe": recipe | {"tests": [test]}})
    assert outcome["passed"] is passes
    if not passes:
        got = json.dumps(reply, separators=(",", ":"))
        assert f"got '{got}'" in outcome["tests"][0]["failures"][0]


async def test_a_reply_that_can_not_be_checked_fails_its_test(alice: Api) -> None:
    doubling = {f"a{n}": {"anyOf": [{"$ref": f"#/$defs/a{n - 1}"}] * 2} for n in range(1, 30)}
    slow = {
        "$defs": {"a0": {"type": "string"}, **doubling},
        "properties": {"kind": {"$ref": "#/$defs/a29"}},
    }
    test = {"name": "t", "reply": '{"kind": 1}', "expect": {"output": {}}}
    recipe = greet("x", inputs=[], output={"format": "json", "schema": slow}, tests=[test])
    await push(alice, recipe)
    label = await alice(
        "PUT", "/prompt-recipes/greet/labels/x", json={"version": 1, "requires_tests": True}
    )
    assert (label.status_code, label.json()["code"]) == (409, "tests_failed")
    none = greet("x", inputs=[], output={"format": "json", "schema": {"type": "x"}}, tests=[test])
    for body in ({}, {"recipe": none}):
        (outcome,) = (await post(alice, "/prompt-recipes/greet/test", body))["tests"]
        (failure,) = outcome["failures"]
        assert failure.startswith("the answer can't be checked: ")


async def test_many_large_prompts_of_tests_hold_nobody_up(alice: Api) -> None:
    long = "x" * 60_000
    tests = [
        {"name": f"t{number}", "inputs": {"who": "A"}, "expect": {"contains": ["y"]}}
        for number in range(50)
    ]
    await alice("PUT", "/prompt-texts/long", json={"text": long})
    fragments = [{"var": "long", "source": "kv", "key": "long"}]
    await push(alice, greet("{{long}}" * 60 + "{{who}}", fragments=fragments, tests=tests))
    running = asyncio.create_task(alice("POST", "/prompt-recipes/greet/test", json={}))
    turns = 0
    while not running.done():
        await asyncio.sleep(0)
        turns += 1
    assert (await running).json()["tests"][49] == {
        "name": "t49",
        "passed": False,
        "failures": ["no message holds 'y'"],
    }
    # Had the tests been run on the loop, it would have had a few turns for each of them.
    assert turns > 1000
