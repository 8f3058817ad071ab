from __future__ import annotations

import hashlib
import time
from typing import Any

import pytest

from arcrun_server.components import validate_json
from arcrun_server.engine import ComponentError
from arcrun_server.engine.redaction import Redactor
from arcrun_server.engine.shorten import redacting
from arcrun_server.workers import Job, WorkerPool


async def result(use: Any, component_id: str, /, **given: Any) -> Any:
    response = await use(component_id, given)
    assert response["success"] is True
    return response["data"]["result"]


async def refusal(use: Any, component_id: str, /, **given: Any) -> str:
    with pytest.raises(ComponentError) as caught:
        await use(component_id, given)
    return str(caught.value)


@pytest.mark.parametrize(
    ("given", "holds"),
    [
        ({"condition": "runnable > 0", "input": {"runnable": 1}}, True),
        ({"condition": "runnable > 0", "input": {"runnable": 0}}, False),
        ({"condition": "runnable > 0", "runnable": 1}, True),
        ({"condition": "a.b == 甲", "input": {"a": {"b": "甲"}}, "a": {"b": "乙"}}, True),
        ({"condition": "5 > 3"}, True),
        ({"condition": True}, True),
        ({"condition": 0}, False),
        ({"condition": None}, False),
        ({"condition": "沒有"}, False),
    ],
)
async def test_if_control_takes_the_branch_of_its_condition(
    use: Any, given: Any, holds: bool
) -> None:
    response = await use("if_control", given)
    assert response == {
        "success": True,
        "data": {"result": holds, "branch": "true" if holds else "false"},
    }


async def test_if_control_sees_what_templates_see(use: Any) -> None:
    def look_up(path: str) -> tuple[bool, Any]:
        return path == "loop.index", 3

    response = await use("if_control", {"condition": "loop.index > 2"}, look_up=look_up)
    assert response["data"]["branch"] == "true"


async def test_if_control_says_what_is_wrong(use: Any) -> None:
    assert "`condition` is missing" in await refusal(use, "if_control")
    assert "Write `key`" in await refusal(use, "if_control", condition="a = b")
    assert "`input` must be an object" in await refusal(use, "if_control", condition="a", input=[])


CASES = [
    {"match": "急", "branch": "急件"},
    {"match": 3, "branch": "三"},
    {"match": None, "branch": "空"},
]


@pytest.mark.parametrize(
    ("value", "branch"),
    [("急", "急件"), (3, "三"), (3.0, "三"), ("3", "其他"), (None, "空"), (True, "其他")],
)
async def test_switch_takes_the_first_case_that_matches_by_type(
    use: Any, value: Any, branch: str
) -> None:
    response = await use("switch", {"value": value, "cases": CASES, "default_branch": "其他"})
    assert response == {"success": True, "data": {"result": value, "branch": branch}}


async def test_switch_without_a_default_takes_default(use: Any) -> None:
    assert (await use("switch", {"value": 1, "cases": []}))["data"]["branch"] == "default"


async def test_switch_says_what_is_wrong(use: Any) -> None:
    assert "`value` is missing" in await refusal(use, "switch", cases=[])
    assert "`cases` must be a list" in await refusal(use, "switch", value=1, cases="x")
    assert "`cases.0` must be an object" in await refusal(use, "switch", value=1, cases=[1])
    assert "`cases.0.branch` must be text" in await refusal(use, "switch", value=1, cases=[{}])


@pytest.mark.parametrize(
    ("given", "branch"),
    [
        ({"error": "逾時"}, "catch"),
        ({"error": {"code": 1}}, "catch"),
        ({}, "try"),
        ({"error": None}, "try"),
        ({"error": "  "}, "try"),
        ({"error": "{{prev.error}}"}, "try"),
        ({"error": " {{ a.b }} "}, "try"),
        ({"error": "{{a}} failed"}, "catch"),
    ],
)
async def test_try_catch_takes_catch_if_there_is_an_error(
    use: Any, given: Any, branch: str
) -> None:
    response = await use("try_catch", given)
    expected = given.get("error") if branch == "catch" else None
    assert response == {"success": True, "data": {"result": expected, "branch": branch}}


async def test_foreach_control_gives_a_part_of_a_list_or_batches(use: Any) -> None:
    items = ["甲", "乙", "丙", "丁"]
    for given, expected in [
        ({}, items),
        ({"limit": 2}, ["甲", "乙"]),
        ({"offset": 1, "limit": 2}, ["乙", "丙"]),
        ({"offset": 9}, []),
        ({"batch_size": 3}, [["甲", "乙", "丙"], ["丁"]]),
    ]:
        response = await use("foreach_control", {"items": items, **given})
        assert response == {"success": True, "data": {"items": expected, "count": len(expected)}}


async def test_foreach_control_says_what_is_wrong(use: Any) -> None:
    assert "`items` must be a list, but it is '甲'" in await refusal(
        use, "foreach_control", items="甲"
    )
    assert "negative" in await refusal(use, "foreach_control", items=[], limit=-1)
    assert "whole number" in await refusal(use, "foreach_control", items=[], limit=1.5)


async def test_filter_keeps_the_elements_for_which_the_condition_holds(use: Any) -> None:
    items = [{"分": 59}, {"分": 60}, {}, "文"]
    response = await use("filter", {"items": items, "condition": "分 >= 60"})
    assert response["data"] == {"items": [{"分": 60}], "count": 1, "removed": 3}
    response = await use("filter", {"items": [1, 5, 9], "condition": "item > 3"})
    assert response["data"]["items"] == [5, 9]
    response = await use("filter", {"items": [{"item": 1}, {"item": 9}], "condition": "item > 3"})
    assert response["data"]["items"] == [{"item": 9}]
    response = await use("filter", {"items": [{"a": {"b": 1}}], "condition": "item.a.b == 1"})
    assert response["data"]["count"] == 1


async def test_filter_says_what_is_wrong(use: Any) -> None:
    assert "`condition` is missing" in await refusal(use, "filter", items=[])
    assert "Write `key`" in await refusal(use, "filter", items=[], condition="=")


async def test_merge_makes_one_of_several(use: Any) -> None:
    assert await result(use, "merge", sources=[{"a": 1, "b": 1}, {"b": 2}]) == {"a": 1, "b": 2}
    assert await result(use, "merge", sources=[["甲"], ["乙", "丙"]]) == ["甲", "乙", "丙"]
    deep = [{"a": {"x": 1, "y": 1}}, {"a": {"y": 2}}, {"a": {"z": {"w": 3}}}]
    assert await result(use, "merge", sources=deep, mode="deep") == {
        "a": {"x": 1, "y": 2, "z": {"w": 3}}
    }
    assert await result(use, "merge", sources=[{"a": 1}, {"a": {"b": 2}}], mode="deep") == {
        "a": {"b": 2}
    }
    assert await result(use, "merge", sources=[{"a": {"b": 2}}, {"a": 1}], mode="deep") == {"a": 1}


async def test_merge_does_not_change_its_sources(use: Any) -> None:
    first = {"a": {"x": 1}}
    await use("merge", {"sources": [first, {"a": {"y": 2}}], "mode": "deep"})
    assert first == {"a": {"x": 1}}


async def test_merge_says_what_is_wrong(use: Any) -> None:
    assert "is empty" in await refusal(use, "merge", sources=[])
    assert "`sources.1` must be an object" in await refusal(use, "merge", sources=[{}, []])
    assert "`sources.0` must be a list" in await refusal(use, "merge", sources=[{}], mode="list")
    assert "did you mean 'deep'" in await refusal(use, "merge", sources=[{}], mode="depe")


async def test_wait_waits(use: Any) -> None:
    began = time.monotonic()
    assert await result(use, "wait", seconds=0.01, milliseconds=20) == pytest.approx(0.03)
    assert time.monotonic() - began >= 0.03


async def test_wait_says_what_is_wrong(use: Any) -> None:
    assert "`seconds` is missing" in await refusal(use, "wait")
    assert "0 or more" in await refusal(use, "wait", seconds=-1)
    assert "0 or more" in await refusal(use, "wait", seconds=float("inf"))
    assert "`seconds` must be a number, but it is 'x'" in await refusal(use, "wait", seconds="x")
    assert "longer than the run may take" in await refusal(use, "wait", seconds=3600)


async def test_set_gives_its_values(use: Any) -> None:
    assert await use("set", {"values": {"標題": "晨報"}, "別": 1}) == {"標題": "晨報"}
    assert "`values` must be an object" in await refusal(use, "set", values=[1])


async def test_hash_gives_digests(use: Any) -> None:
    abc = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"  # FIPS 180-2, B.1
    assert await result(use, "hash", text="abc") == abc
    assert (
        await result(use, "hash", text="abc", algorithm="md5") == "900150983cd24fb0d6963f7d28e17f72"
    )
    assert await result(use, "hash", text="abc", algorithm="sha1", encoding="base64") == (
        "qZk+NkcGgWq6PiVxeFDCbJzQ2J0="
    )
    assert await result(use, "hash", text="abc", algorithm="sha1", encoding="base64url") == (
        "qZk-NkcGgWq6PiVxeFDCbJzQ2J0"
    )
    rfc4231_case_2 = "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"
    assert (
        await result(use, "hash", text="what do ya want for nothing?", key="Jefe") == rfc4231_case_2
    )


async def test_hash_takes_what_is_no_text_as_compact_json(use: Any) -> None:
    expected = hashlib.sha256('{"名":[1,null]}'.encode()).hexdigest()
    assert await result(use, "hash", text={"名": [1, None]}) == expected


async def test_hash_says_what_is_wrong(use: Any) -> None:
    message = await refusal(use, "hash", text="x", algorithm="sha257")
    assert "did you mean 'sha256'? The choices are: sha256, sha512" in message
    assert "`text` is missing" in await refusal(use, "hash")
    assert "`key` must be text" in await refusal(use, "hash", text="x", key=1)


SCHEMA = {
    "type": "object",
    "required": ["標題"],
    "properties": {
        "標題": {"type": "string", "pattern": "^(a+)+$"},
        "頁": {"type": "array", "items": {"minimum": 1}},
    },
}


async def test_validate_json_reads_text_and_checks_it(use: Any) -> None:
    response = await use("validate_json", {"data": '{"標題": "a"}', "schema": SCHEMA})
    assert response["data"] == {
        "result": True,
        "branch": "true",
        "value": {"標題": "a"},
        "errors": [],
    }
    response = await use("validate_json", {"data": {"頁": [0, 5]}, "schema": SCHEMA})
    assert response["data"]["branch"] == "false"
    assert sorted(error["path"] for error in response["data"]["errors"]) == ["", "頁.0"]


async def test_validate_json_says_where_a_text_is_not_json(use: Any) -> None:
    response = await use("validate_json", {"data": '{"a": 1,\n x}'})
    assert response["data"]["value"] is None
    assert "line 2, column 2" in response["data"]["errors"][0]["message"]
    response = await use("validate_json", {"data": "[" * 200_000})
    assert "too deeply" in response["data"]["errors"][0]["message"]


@pytest.mark.parametrize("number", ["9" * 5000, "1e999", "NaN", "-Infinity"])
async def test_validate_json_says_that_a_number_can_not_be_used(use: Any, number: str) -> None:
    response = await use("validate_json", {"data": f'{{"a": {number}}}'})
    assert response["data"]["result"] is False
    assert "number" in response["data"]["errors"][0]["message"]


async def test_validate_json_tells_at_most_twenty_errors(use: Any) -> None:
    response = await use(
        "validate_json", {"data": [0] * 50, "schema": {"items": {"type": "string"}}}
    )
    assert len(response["data"]["errors"]) == 20


async def test_validate_json_is_not_held_up_by_a_pattern(use: Any) -> None:
    await use("validate_json", {"data": {}, "schema": SCHEMA})  # a worker is there
    began = time.monotonic()
    response = await use("validate_json", {"data": {"標題": "a" * 40 + "!"}, "schema": SCHEMA})
    assert response["data"]["result"] is False
    assert time.monotonic() - began < 30  # without a deadline it takes years


@pytest.mark.parametrize("schema", [{"type": "integer"}, {"pattern": "^x$"}, {"enum": [1]}])
@pytest.mark.parametrize("length", range(280, 300, 4))
async def test_validate_json_never_cuts_a_secret_in_two(
    use: Any, schema: dict[str, Any], length: int
) -> None:
    data = {"a": "-" * length + "geheim-geheim"}
    with redacting(Redactor(["geheim-geheim"])):
        response = await use(
            "validate_json", {"data": data, "schema": {"properties": {"a": schema}}}
        )
    [error] = response["data"]["errors"]
    assert len(error["message"]) == 300
    assert "geh" not in error["message"]


async def test_validate_json_hands_no_secret_to_a_worker() -> None:
    class Recording(WorkerPool):
        async def run(self, job: Job, *payload: bytes, seconds: float = 5) -> bytes:
            given.append(b"".join(payload))
            return await super().run(job, *payload, seconds=seconds)

    given: list[bytes] = []
    workers = Recording()
    data = {"token": "geheim-geheim", "n": 1}
    schema = {"properties": {"n": {"type": "string"}, "token": {"pattern": "^g"}}}
    try:
        with redacting(Redactor(["geheim-geheim"])):
            run = validate_json.component(workers)
            response = await run({"data": data, "schema": schema}, None)  # type: ignore[arg-type]
    finally:
        await workers.aclose()
    assert len(given) == 1
    assert b"geheim" not in given[0]
    assert {error["path"] for error in response["data"]["errors"]} == {"n", "token"}


async def test_validate_json_does_not_quote_what_is_very_long(use: Any) -> None:
    schema = {"properties": {"a": {"type": "integer"}}}
    response = await use("validate_json", {"data": {"a": "x" * 70_000}, "schema": schema})
    [error] = response["data"]["errors"]
    assert error["message"] == "the value does not fit `properties/a/type` of the schema"


@pytest.mark.parametrize("schema", [True, False])
async def test_validate_json_takes_a_schema_that_says_yes_or_no(use: Any, schema: bool) -> None:
    assert await result(use, "validate_json", data=1, schema=schema) is schema


@pytest.mark.parametrize(
    "schema",
    [
        {"type": "strin"},
        {"pattern": "(?=x)"},
        {"$ref": "http://127.0.0.1:1/schema.json"},
        {"$ref": "#/$defs/missing"},
        [],
        "x",
    ],
)
async def test_validate_json_refuses_a_schema_that_it_cannot_use(use: Any, schema: Any) -> None:
    assert "`schema`" in await refusal(use, "validate_json", data=1, schema=schema)
