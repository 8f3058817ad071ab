"""Answers that can't be read: each is a result that keeps the text and what was used, and is asked for again."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

pytest.importorskip("anthropic", reason="the SDK needs Python 3.11")

from llm_answers import KEY, ask
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


@pytest.mark.parametrize("written", [KEY, f"x{KEY.upper()}", f"{{{KEY}}}"])
async def test_a_service_that_repeats_the_key_puts_it_into_no_result(
    engine: Api, messages_api: MessagesApi, written: str
) -> None:
    messages_api.answers("your key is ", written, model=written)
    response = await ask(engine, prompt="x")
    assert response["data"]["text"].startswith("your key is ")
    assert "[redacted]" in response["data"]["text"]
    assert response["data"]["llm"]["model"] == "claude-sonnet-5-5"
    assert KEY not in json.dumps(response)


@pytest.mark.parametrize(
    "counts",
    [
        {"input_tokens": f"{KEY} and the prompt"},
        {"input_tokens": None},
        {"input_tokens": -5},
        {"input_tokens": 10**30},
        {"cache_read_input_tokens": [KEY]},
    ],
)
async def test_tokens_that_are_no_numbers_are_no_answer_and_quoted_nowhere(
    engine: Api,
    messages_api: MessagesApi,
    counts: dict[str, Any],
    recwarn: pytest.WarningsRecorder,
    caplog: pytest.LogCaptureFixture,
) -> None:
    messages_api.answers("x", **counts)
    failed = await ask(engine, prompt="the prompt")
    assert "the service's answer is not that of the Messages API" in failed["error"]
    assert [str(warning.message) for warning in recwarn] == []
    assert KEY not in caplog.text


async def test_a_reason_to_stop_is_shown_only_if_it_is_a_name(
    engine: Api, messages_api: MessagesApi
) -> None:
    messages_api.answers("x", stop_reason="pause_turn")
    assert "the model stopped: pause_turn" in (await ask(engine, prompt="x"))["error"]
    messages_api.answers("x", stop_reason=f"because of {KEY}")
    assert "the model stopped: for another reason" in (await ask(engine, prompt="x"))["error"]


async def test_a_model_that_is_named_more_exactly_has_the_price_of_the_one_that_was_asked(
    engine: Api, messages_api: MessagesApi
) -> None:
    messages_api.answers("x", model="claude-sonnet-5-5-20261001")
    llm = (await ask(engine, prompt="x", model="sonnet"))["data"]["llm"]
    assert (llm["model"], llm["cost_usd"]) == ("claude-sonnet-5-5-20261001", 0.0048)
