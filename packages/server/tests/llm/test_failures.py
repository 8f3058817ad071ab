"""What a service says, and how much of it an author is shown."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from arcrun_server.llm.failures import failure_of
from arcrun_server.llm.provider import LlmError, LlmRequest
from arcrun_server.recipes.prompt_component import is_closed

KEY = "sk-test-" + "5" * 20
REQUEST = LlmRequest("m", ({"role": "user", "content": "小明的日記 of yesterday, and short"},))


def failure(status: int = 400, message: Any = None, **headers: str) -> LlmError:
    fields = {name.replace("_", "-"): value for name, value in headers.items()}
    response = SimpleNamespace(headers=fields)
    error = SimpleNamespace(status_code=status, type=None, api_message=message, response=response)
    return failure_of(error, REQUEST, KEY)


def test_what_a_service_says_is_shown_on_one_line_and_cut() -> None:
    assert str(failure(400, "max_tokens:\n 9 > 8")).endswith("(HTTP 400): max_tokens: 9 > 8")
    assert len(str(failure(400, "long " * 1000))) < 300
    assert str(failure(400, {"no": "text"})).endswith("(HTTP 400)")


def test_the_key_is_redacted_and_the_prompt_not_repeated() -> None:
    assert KEY not in str(failure(400, f"bad key {KEY}"))
    for repeated in ("小明的日記 of yesterday, and short", "x: 的日記 of yesterday, and sho …"):
        assert str(failure(400, repeated)).endswith("(HTTP 400)")


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (404, "rejected"),
        (413, "rejected"),
        (429, "rate_limited"),
        (502, "service_error"),
        (503, "overloaded"),
        (529, "overloaded"),
    ],
)
def test_a_status_without_a_type_has_a_kind(status: int, kind: str) -> None:
    assert failure(status).kind == kind


@pytest.mark.parametrize(
    ("value", "seconds"),
    [("3", 3.0), ("0.5", 0.5), ("-1", None), ("inf", None), ("nan", None), ("soon", None)],
)
def test_only_seconds_are_waited(value: str, seconds: float | None) -> None:
    assert failure(429, retry_after=value).retry_after == seconds
    assert failure(500, retry_after=value).retry_after is None


@pytest.mark.parametrize(
    ("inner", "closed"),
    [
        ({"type": "string"}, True),
        ({"type": "array", "items": {"type": "object"}}, False),
        ({"anyOf": [{"type": "null"}, {"type": "object", "properties": {"b": {}}}]}, False),
        ({"type": "object", "properties": {"b": {}}, "additionalProperties": False}, True),
    ],
)
def test_a_schema_is_closed_if_all_its_objects_are(inner: dict[str, Any], closed: bool) -> None:
    schema = {"type": "object", "properties": {"a": inner}, "additionalProperties": False}
    assert is_closed(schema) is closed
    assert is_closed(inner) is (closed and inner["type"] == "object")
