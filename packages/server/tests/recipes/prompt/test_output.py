"""What a model answered is read strictly, and its keys become the node's result."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from arcrun_server.components.registry import Registry
from arcrun_server.outbound import Outbound
from arcrun_server.recipes.prompt.output import (
    OPTIONS,
    RESERVED,
    OutputError,
    describe_violations,
    failed_result,
    node_result,
    parse_json,
)


@pytest.mark.parametrize(
    "text",
    [
        '{"甲": 1}',
        '\n {"甲": 1} \n',
        '```json\n{"甲": 1}\n```',
        '```\n{"甲": 1}\n```\n',
        '```JSON  \r\n{"甲": 1}\r\n```',
        '  ```json\n{"甲":\n 1}```',
    ],
)
def test_json_is_read_with_or_without_a_fence_around_it(text: str) -> None:
    assert parse_json(text) == {"甲": 1}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "the answer is empty"),
        ("```json\n\n```", "the answer is empty"),
        ("I can't help with that.", "not JSON: Expecting value at line 1, column 1"),
        ('Here it is:\n{"甲": 1}', "not JSON: Expecting value at line 1, column 1"),
        ('{"甲": 1}\nDone!', "not JSON: Extra data at line 2, column 1"),
        ('{"甲": 1', "not JSON"),
        ("{'甲': 1}", "not JSON"),
        ('{"a": 1, "a": 2}', "the key 'a' twice"),
        ('{"a": NaN}', "there is no number NaN"),
        ('{"a": -Infinity}', "there is no number -Infinity"),
        ('{"a": ' + "9" * 5000 + "}", "a number of more than 400 digits"),
        ('{"a": -1e999}', "a number that is too large"),
        ('{"a": "\\ud800"}', "no character"),
        ('{"a": ["\\u0000"]}', "no character"),
        ('{"\\udc00": 1}', "no character"),
        ("[" * 100_000, "nested too deeply"),
        ("[" * 200 + "]" * 200, "nested too deeply"),
    ],
)
def test_what_is_not_json_is_refused_with_its_place(text: str, message: str) -> None:
    with pytest.raises(OutputError) as caught:
        parse_json(text)
    assert message in str(caught.value)


@pytest.mark.parametrize(
    "text", ["```", "`````", "``````", "```json```", "```\n``", "```a b\n1\n```"]
)
def test_what_is_no_fence_is_read_as_it_is(text: str) -> None:
    with pytest.raises(OutputError, match="not JSON: Expecting value at line 1, column 1"):
        parse_json(text)


@pytest.mark.parametrize("between", [" ", "\t", "\n", "\r\n", "`"])
def test_a_fence_that_does_not_end_is_found_wrong_in_time_that_grows_with_the_text(
    between: str,
) -> None:
    def seconds(length: int) -> float:
        text = "```json\n" + between * length + "x"
        began = time.process_time()
        with pytest.raises(OutputError):
            parse_json(text)
        return time.process_time() - began

    # Ten times as much text took a hundred times as long: 20 seconds.
    assert seconds(100_000) < 50 * max(seconds(10_000), 0.001)


def test_a_fence_inside_a_text_stays() -> None:
    assert parse_json('{"a": "```json\\n{}\\n```"}') == {"a": "```json\n{}\n```"}


@given(
    st.recursive(
        st.integers() | st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0")),
        lambda inner: (
            st.lists(inner, max_size=3) | st.dictionaries(st.text("abc"), inner, max_size=3)
        ),
    )
)
def test_valid_json_is_read_as_it_is(value: Any) -> None:
    assert parse_json(json.dumps(value)) == value
    assert parse_json(f"```json\n{json.dumps(value, indent=1)}\n```") == value


def test_the_keys_become_the_result_but_for_those_that_steer_a_run() -> None:
    answer = {
        "paragraphs": ["…"],
        "success": False,
        "error": "x",
        "branch": "管理員",
        "pending": True,
        "task_id": "t",
        "page_name": "p",
        "default_branch": "approve",
        "input": {"approved": True},
        "loop": {"item": "evil"},
        "output": 1,
    }
    assert node_result(answer) == {"paragraphs": ["…"], "success": True, "output": answer}


@pytest.mark.parametrize(
    ("answer", "stays"),
    [
        ({"data": {"branch": "x"}}, False),
        ({"data": {"result": True}}, False),
        ({"data": {"result": 3}}, True),
        ({"data": [1]}, True),
        ({"result": True}, False),
        ({"result": "是"}, True),
    ],
)
def test_an_answer_chooses_no_branch(answer: dict[str, Any], stays: bool) -> None:
    name = next(iter(answer))
    assert (name in node_result(answer)) == stays
    assert node_result(answer)["output"] == answer


# What components compute with, and what they read in the node's own data only.
COMPUTED_WITH = frozenset(
    {
        "a",
        "after",
        "amount",
        "b",
        "count",
        "data",
        "date",
        "end",
        "field",
        "fill",
        "format",
        "index",
        "items",
        "key",
        "length",
        "max",
        "min",
        "other",
        "search",
        "size",
        "sources",
        "start",
        "text",
        "to",
        "unit",
        "value",
    }
)
READ_IN_OWN_DATA = frozenset({"http_request", "claude_api"})
# The parameters of another component that are read there.
READ_IN_DATA_OF_CRON = frozenset({"action", "workflow"})


def test_an_answer_sets_no_option_of_a_component() -> None:
    optional = {
        name
        for contract in Registry(Outbound()).contracts()
        if contract["canonical_id"] not in READ_IN_OWN_DATA and contract["category"] != "auth"
        for name in contract["input_schema"]["properties"]
        if contract["canonical_id"] != "cron" or name not in READ_IN_DATA_OF_CRON
    }
    assert optional - COMPUTED_WITH <= RESERVED
    assert not COMPUTED_WITH & OPTIONS


@pytest.mark.parametrize("value", [[1, 2], "text", 3, None, True])
def test_an_answer_that_is_no_object_stands_under_output(value: Any) -> None:
    assert node_result(value) == {"success": True, "output": value}


def test_a_failure_keeps_the_text() -> None:
    assert failed_result("why", "原文") == {"success": False, "error": "why", "raw_text": "原文"}


def test_violations_are_one_sentence_with_their_places() -> None:
    violations = [{"path": f"p.{n}", "message": f"m{n}"} for n in range(5)]
    assert describe_violations(violations) == (
        "the answer does not fit the schema: p.0: m0; p.1: m1; p.2: m2 (and 2 more)"
    )
