"""The provider `mira`: a daemon takes the prompt, and the node waits for its callback."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from llm_answers import ask
from pushed_recipes import post

from arcrun_server.llm.configuration import LlmSettings
from arcrun_server.llm.mira import MiraProvider
from arcrun_server.llm.provider import LlmError, LlmRequest, LlmTask

if TYPE_CHECKING:
    from collections.abc import Callable

    from loopback_site import Site

    from arcrun_server.outbound import Outbound

TOKEN = "mira-" + "7" * 20
PUBLIC = "https://engine.example"
REQUEST = LlmRequest(
    "claude-opus-5-5",
    ({"role": "user", "content": "Write 小明 --- USER --- {{x}}"},),
    system="Be kind.",
    mira_token=TOKEN,
    callback_token="of-an-invocation",
)


async def test_the_daemon_is_given_prompt_and_callback(
    site: Site, make_client: Callable[..., Outbound]
) -> None:
    site.respond("/prompts", '{"ok": true}')
    task = await MiraProvider(make_client(), f"{site.url}/prompts", PUBLIC).complete(REQUEST, None)
    assert isinstance(task, LlmTask)
    (received,) = site.received
    assert received.headers["authorization"] == f"Bearer {TOKEN}"
    assert json.loads(received.body) == {
        "task_id": task.task_id,
        "prompt": "Be kind.\n\n--- USER ---\n\nWrite 小明 --- USER --- {{x}}",
        "model": "claude-opus-5-5",
        "max_tokens": 8192,
        "callback_url": f"{PUBLIC}/workflows/resume?token=of-an-invocation",
    }
    assert received.headers["idempotency-key"] == task.task_id


@pytest.mark.parametrize(
    ("system", "text"),
    [
        (None, "a\n\n--- ASSISTANT ---\n\nb\n\n--- USER ---\n\nc"),
        ("s", "s\n\n--- USER ---\n\na\n\n--- ASSISTANT ---\n\nb\n\n--- USER ---\n\nc"),
    ],
)
async def test_who_said_what_stands_in_the_one_text_of_a_conversation(
    site: Site, make_client: Callable[..., Outbound], system: str | None, text: str
) -> None:
    site.respond("/", "{}")
    roles = ("user", "assistant", "user")
    messages = tuple(
        {"role": role, "content": said} for role, said in zip(roles, "abc", strict=True)
    )
    request = LlmRequest(
        "m", messages, system=system, mira_token=TOKEN, callback_token="of-an-invocation"
    )
    await MiraProvider(make_client(), f"{site.url}/", PUBLIC).complete(request, None)
    assert json.loads(site.received[0].body)["prompt"] == text


async def test_a_task_belongs_to_its_invocation(
    site: Site, make_client: Callable[..., Outbound]
) -> None:
    site.respond("/", "{}")
    provider = MiraProvider(make_client(), f"{site.url}/", PUBLIC)
    other = replace(REQUEST, callback_token="of-another")
    first, again, second = [
        await provider.complete(request, None) for request in (REQUEST, REQUEST, other)
    ]
    assert first.task_id == again.task_id
    assert first.task_id != second.task_id


async def test_an_engine_that_can_not_be_called_back_asks_nothing(
    site: Site, make_client: Callable[..., Outbound]
) -> None:
    provider = MiraProvider(make_client(), f"{site.url}/", PUBLIC)
    with pytest.raises(LlmError, match="no durable runs") as failed:
        await provider.complete(replace(REQUEST, callback_token=None), None)
    assert failed.value.kind == "not_configured"
    assert site.received == []


@pytest.mark.parametrize(
    ("status", "kind", "message"),
    [
        (302, "rejected", "did not take the prompt (HTTP 302)"),
        (401, "rejected", "does not accept `mira_token`"),
        (404, "rejected", "did not take the prompt (HTTP 404)"),
        (429, "rate_limited", "limits requests"),
        (500, "service_error", "did not take the prompt (HTTP 500)"),
    ],
)
async def test_a_daemon_that_refuses_is_named(
    site: Site, make_client: Callable[..., Outbound], status: int, kind: str, message: str
) -> None:
    site.respond("/", f"no: {TOKEN}", status, {"Location": "/other"})
    site.respond("/other", "{}")
    with pytest.raises(LlmError) as failed:
        await MiraProvider(make_client(), f"{site.url}/", PUBLIC).complete(REQUEST, None)
    assert failed.value.kind == kind
    assert message in str(failed.value)
    assert TOKEN not in str(failed.value) + repr(REQUEST)


async def test_a_daemon_at_a_private_address_is_refused_outside_of_development(
    site: Site, make_client: Callable[..., Outbound]
) -> None:
    provider = MiraProvider(make_client(development=False), f"{site.url}/", PUBLIC)
    with pytest.raises(LlmError, match="loopback or private address"):
        await provider.complete(REQUEST, None)
    assert site.received == []


async def test_without_a_token_nothing_is_sent(
    site: Site, make_client: Callable[..., Outbound]
) -> None:
    request = LlmRequest("m", REQUEST.messages)
    with pytest.raises(LlmError, match="the node needs `mira_token") as failed:
        await MiraProvider(make_client(), f"{site.url}/", PUBLIC).complete(request, None)
    assert failed.value.kind == "not_configured"
    assert site.received == []


async def test_a_node_of_an_engine_without_durable_runs_fails_and_asks_nothing(
    site: Site, engine_with: Callable[..., Any]
) -> None:
    engine = await engine_with(LlmSettings("mira", f"{site.url}/"), public_url=PUBLIC)
    await post(engine, "/credentials", {"name": "mira_token", "value": TOKEN}, 200)
    failed = await ask(engine, prompt="x", mira_token="{{secret.mira_token}}")
    assert "this engine has no durable runs" in failed["error"]
    assert site.received == []
    assert TOKEN not in json.dumps(failed)
