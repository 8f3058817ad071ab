"""Answers that can't be read: each is a result that keeps the text and what was used, and is asked for again."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

pytest.importorskip("anthropic", reason="the SDK needs Python 3.11")

from llm_answers import ask
from pushed_recipes import post

if TYPE_CHECKING:
    from conftest import Api
    from llm_answers import MessagesApi


async def push_json(api: Api, repair: int = 0, **schema: Any) -> None:
    output = {"format": "json", "repair": repair, "schema": {"type": "object", **schema}}
    recipe = {"name": "r", "prompt_assembly": {"user": "x"}, "output": output}
    await post(api, "/prompt-recipes", {"recipe": recipe}, 201)


@pytest.mark.parametrize(
    ("answer", "raw_text"),
    [
        ('{"a": ' + "9" * 5000 + "}", None),
        ('{"a": 1e999}', None),
        ('{"a": "\0"}', '{"a": "\ufffd"}'),
        ('{"a": "\ud800"}', '{"a": "\ufffd"}'),
        ('{"\\ud800": 1, "\\ud800": 2}', None),
    ],
)
async def test_an_answer_that_can_not_be_read_is_kept(
    engine: Api, messages_api: MessagesApi, answer: str, raw_text: str | None
) -> None:
    await push_json(engine)
    messages_api.answers(answer)
    data = (await ask(engine, recipe="r"))["data"]
    assert data["success"] is False
    assert data["error"].startswith("prompt_recipe:r@1: the answer")
    assert data["raw_text"] == (raw_text or answer)
    assert (data["llm"]["recipe"], data["llm"]["output_tokens"]) == ("prompt_recipe:r", 42)


@pytest.mark.parametrize(
    ("answer", "shown"),
    [
        ('{"a": 1e999}', '{"a": 1e999}'),
        ('{"a": "\0"}', '{"a": "\ufffd"}'),
        ("", "(nothing)"),
    ],
)
async def test_an_answer_that_can_not_be_read_is_repaired(
    engine: Api, messages_api: MessagesApi, answer: str, shown: str
) -> None:
    await push_json(engine, repair=1)
    messages_api.answers(answer)
    messages_api.then_answers('{"a": 1}')
    data = (await ask(engine, recipe="r"))["data"]
    assert (data["a"], data["llm"]["repairs"]) == (1, 1)
    assert messages_api.requests[1]["messages"][1] == {"role": "assistant", "content": shown}


@pytest.mark.parametrize("stop_reason", ["refusal", "max_tokens"])
async def test_a_failure_names_the_recipe_and_its_version(
    engine: Api, messages_api: MessagesApi, stop_reason: str
) -> None:
    await push_json(engine)
    await push_json(engine)
    messages_api.answers("No", stop_reason=stop_reason)
    failed = await ask(engine, recipe="r")
    assert "Node ask failed: prompt_recipe:r@2: the model gave no answer" in failed["error"]
    messages_api.fails(429, "rate_limit_error")
    failed = await ask(engine, recipe="prompt_recipe:r@1")
    assert "Node ask failed: prompt_recipe:r@1: the model gave no answer" in failed["error"]


async def test_a_parameter_that_can_not_be_used_names_the_recipe(
    engine: Api, messages_api: MessagesApi
) -> None:
    await push_json(engine)
    failed = await ask(engine, recipe="r", max_tokens=0)
    assert "prompt_recipe:r@1: `max_tokens` must be from 1" in failed["error"]
    assert messages_api.requests == []


async def test_a_text_that_is_none_is_no_result(engine: Api, messages_api: MessagesApi) -> None:
    messages_api.answers("a\0b")
    data = (await ask(engine, prompt="x"))["data"]
    assert (data["success"], data["raw_text"]) == (False, "a\ufffdb")
    assert data["llm"]["output_tokens"] == 42


async def test_an_answer_that_can_not_be_checked_in_time_is_kept_and_not_asked_for_again(
    engine: Api, messages_api: MessagesApi
) -> None:
    chain: dict[str, Any] = {"a0": {"type": "string"}}
    for number in range(1, 30):
        once = {"$ref": f"#/$defs/a{number - 1}"}
        chain[f"a{number}"] = {"anyOf": [once, once]}
    await push_json(engine, 2, **{"$defs": chain, "properties": {"a": {"$ref": "#/$defs/a29"}}})
    messages_api.answers('{"a": 1}')
    data = (await ask(engine, recipe="r"))["data"]
    assert (data["success"], data["raw_text"]) == (False, '{"a": 1}')
    assert "takes longer than" in data["error"]
    assert len(messages_api.requests) == 1
