from __future__ import annotations

from typing import Any

import pytest

from arcrun_server.engine.outcome import failure_reason, find_list, is_failure, plurals, read_branch
from arcrun_server.engine.templates import MISSING


@pytest.mark.parametrize(
    "result", [{"success": False}, {"error": "壞"}, {"error": 0}, {"success": True, "error": {}}]
)
def test_what_is_a_failure(result: Any) -> None:
    assert is_failure(result)


@pytest.mark.parametrize(
    "result",
    [{}, {"success": True}, {"success": None}, {"error": None}, None, "error", [], 0]
    + [{"error": nothing} for nothing in (False, "", [])],
)
def test_what_is_no_failure(result: Any) -> None:
    assert not is_failure(result)


def test_a_failure_without_a_text_has_a_reason_all_the_same() -> None:
    assert failure_reason({"error": "逾時"}) == "逾時"
    assert failure_reason({"success": False}) == "its result says success: false"


@pytest.mark.parametrize(
    ("result", "branch"),
    [
        ({"data": {"branch": "甲"}, "branch": "乙"}, "甲"),
        ({"branch": "乙", "data": {"result": True}}, "乙"),
        ({"branch": True}, "true"),
        ({"data": {"branch": False}}, "false"),
        ({"data": {"result": False}}, "false"),
        ({"result": True}, "true"),
        ({"data": {"result": "true"}}, None),
        ({"result": 1}, None),
        ({"branch": ""}, None),
        ({"branch": 3}, None),
        ({}, None),
        ("true", None),
        (None, None),
    ],
)
def test_where_a_branch_is_read(result: Any, branch: str | None) -> None:
    assert read_branch(result) == branch


@pytest.mark.parametrize(
    ("result", "iterator"),
    [
        ({"draft": [1]}, "draft"),
        ({"drafts": [1]}, "draft"),
        ({"stories": [1]}, "story"),
        ({"boxes": [1]}, "box"),
        ({"草稿列表": [1]}, "草稿"),
        ({"草稿": [1]}, "草稿"),
        ({"data": {"drafts": [1]}}, "draft"),
        ([1], "draft"),
        ({"blocks": [1], "count": 1}, "item"),
        ({"success": True, "data": {"blocks": [1]}}, "item"),
    ],
)
def test_where_a_list_is_found(result: Any, iterator: str) -> None:
    assert find_list(result, {}, iterator) == [1]


def test_the_results_own_list_comes_before_one_of_the_context() -> None:
    assert find_list({"drafts": [1]}, {"draft": [2]}, "draft") == [1]
    assert find_list({"x": 1}, {"drafts": [2]}, "draft") == [2]


@pytest.mark.parametrize(
    ("result", "iterator"),
    [
        ({"blocks": [1]}, "draft"),
        ({"a": [1], "b": [2]}, "item"),
        ({"draft": "no list"}, "draft"),
        (None, "item"),
    ],
)
def test_a_list_that_is_not_named_is_not_guessed(result: Any, iterator: str) -> None:
    assert find_list(result, {}, iterator) is MISSING


def test_plurals_of_a_word() -> None:
    assert plurals("story")[:2] == ["stories", "storys"], "the usual plural first"
    assert plurals("item")[0] == "items"
