"""A stand-in of the Messages API on loopback, and an engine that asks it."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from loopback_site import Received, Site, serving

from arcrun_server.accounts.keys import new_key
from arcrun_server.app import create_app
from arcrun_server.engine import compile_flow
from arcrun_server.llm.configuration import LlmSettings
from arcrun_server.llm.provider import Models, Price
from arcrun_server.settings import Settings
from arcrun_server.store import Store

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from pathlib import Path

    from conftest import Api

KEY = "sk-test-" + "5" * 24
PATH = "/v1/messages"


def event(kind: str, **fields: Any) -> bytes:
    return f"event: {kind}\ndata: {json.dumps({'type': kind, **fields})}\n\n".encode()


def answer(
    *texts: str,
    stop_reason: str | None = "end_turn",
    thinking: bool = False,
    model: str = "claude-sonnet-5-5",
    **counts: Any,
) -> bytes:
    """Return the events of an answer: each text is a block, in two pieces. `counts` replace those of tokens."""
    usage = {
        "input_tokens": 20,
        "cache_read_input_tokens": 300,
        "cache_creation_input_tokens": 5,
        "output_tokens": 1,
        **counts,
    }
    message = {
        "id": "msg_1",
        "type": "message",
        "role": "assistant",
        "model": model,
        "content": [],
        "stop_reason": None,
        "stop_sequence": None,
        "usage": usage,
    }
    events = [event("message_start", message=message), event("ping")]
    blocks: list[tuple[str, str]] = [("thinking", "hm")] if thinking else []
    for index, (kind, text) in enumerate([*blocks, *(("text", text) for text in texts)]):
        empty = {"type": kind, kind: ""} | ({"signature": ""} if kind == "thinking" else {})
        events.append(event("content_block_start", index=index, content_block=empty))
        for piece in (text[: len(text) // 2], text[len(text) // 2 :]):
            delta = {"type": f"{kind}_delta", kind: piece}
            events.append(event("content_block_delta", index=index, delta=delta))
        events.append(event("content_block_stop", index=index))
    if stop_reason is not None:
        delta = {"stop_reason": stop_reason, "stop_sequence": None}
        events.append(event("message_delta", delta=delta, usage={"output_tokens": 42}))
        events.append(event("message_stop"))
    return b"".join(events)


@dataclass
class MessagesApi:
    """What the stand-in answers, and what it was asked."""

    site: Site

    def answers(self, *texts: str, **options: Any) -> None:
        self.streams(answer(*texts, **options))

    def streams(self, events: bytes) -> None:
        self.site.respond(PATH, events, headers={"Content-Type": "text/event-stream"})

    def then_answers(self, text: str) -> None:
        """Answer this after what is answered now."""
        first = self.site.responses[PATH]
        self.answers(text)
        self.site.later[PATH] = [self.site.responses[PATH]]
        self.site.responses[PATH] = first

    def fails(self, status: int, kind: str, message: str = "no", **headers: str) -> None:
        body = {"type": "error", "error": {"type": kind, "message": message}}
        fields = {name.replace("_", "-"): value for name, value in headers.items()}
        self.site.respond(PATH, json.dumps(body), status, fields)

    @property
    def requests(self) -> list[dict[str, Any]]:
        return [json.loads(request.body) for request in self.site.received]

    @property
    def received(self) -> list[Received]:
        return self.site.received


@pytest.fixture
async def messages_api() -> AsyncIterator[MessagesApi]:
    async with serving() as site:
        yield MessagesApi(site)


@pytest.fixture
async def engine_with(tmp_path: Path, nobody: Api) -> AsyncIterator[Callable[..., Any]]:
    """Start engines with a provider, each called as one account."""
    opened: list[Any] = []

    async def start(llm: LlmSettings, **settings: Any) -> Api:
        folder = tmp_path / f"llm{len(opened)}"
        store = Store(folder)
        app = create_app(Settings(data_dir=folder, **{"dev": True, "llm": llm, **settings}), store)
        key = new_key()
        store.accounts.create(key)
        lifespan = app.router.lifespan_context(app)
        await lifespan.__aenter__()
        client = httpx.AsyncClient(
            transport=httpx.ASGITransport(app=app), base_url="http://localhost"
        )
        opened.append((lifespan, client, store))
        return replace(nobody, app=app, client=client, store=store, key=key)

    yield start
    for lifespan, client, store in opened:
        await client.aclose()
        await lifespan.__aexit__(None, None, None)
        store.close()


@pytest.fixture
async def engine(engine_with: Callable[..., Any], messages_api: MessagesApi) -> Api:
    """An engine with the provider `anthropic` whose account has a key."""
    prices = {"claude-sonnet-5-5": Price(10.0, 100.0, 20.0, 1.0)}
    llm = LlmSettings("anthropic", messages_api.site.url, models=Models(prices=prices))
    api: Api = await engine_with(llm)
    await api("POST", "/credentials", json={"name": "anthropic_api_key", "value": KEY})
    return api


async def ask(api: Api, run_input: dict[str, Any] | None = None, **config: Any) -> Any:
    """Run a workflow of one node and return the response."""
    graph = compile_flow(["input >> 完成後 >> ask"], {"ask": {"component": "claude_api", **config}})
    body = {"graph": graph, "context": run_input or {}}
    return (await api("POST", "/execute", json=body)).json()
