# pyright: strict
"""A program with every method, as strict type checkers must accept it. It is not run."""

from __future__ import annotations

from typing import Any

import httpx

from arcrun import (
    Arcrun,
    AsyncArcrun,
    AuthRecipe,
    ComponentResult,
    Credential,
    Execution,
    NotFoundError,
    PromptMessage,
    PushedRecipe,
    RawResponse,
    RunResult,
    SetupResult,
    WorkflowSummary,
)

SECRETS = {"notion_token": "ntn_1"}
GRAPH: dict[str, Any] = {"flow": ["input >> 完成後 >> a"], "config": {"a": {"component": "set"}}}


def synchronous(http: httpx.Client) -> None:
    with Arcrun("ak_1", base_url="https://engine.test", http_client=http) as client:
        is_up: bool = client.health()["ok"]
        services: list[AuthRecipe] = client.auth.list_services()
        done: SetupResult = client.auth.setup("notion", **SECRETS, account="work")
        done = client.auth.setup("own", secrets={"account": "a", "timeout": "b"})
        bound: httpx.Client = client.auth.bind("notion", account="work", trust_recipe=True)
        with bound as notion:
            notion.get("/users").raise_for_status()
        token: str = client.auth.get_token("notion")
        name: str = client.creds.push("tok", "1", service="own", sensitivity="high")["name"]
        credentials: list[Credential] = client.creds.list()
        name = client.creds.delete("tok")["name"]
        name = client.workflows.push("greet", GRAPH, description="打招呼")["name"]
        workflows: list[WorkflowSummary] = client.workflows.list()
        graph: dict[str, Any] = client.workflows.get("greet")["graph"]
        data: str = client.workflows.run("greet", {"text": "a"})["data"]["text"]
        result: RunResult = client.workflows.run("greet", run_async=True, timeout=5)
        result = client.workflows.run("greet", strict=True, extra_headers={"X-Trace": "1"})
        done = client.auth.setup("notion", max_retries=0, secrets=SECRETS)
        failed: list[str] = result.get("failed_nodes", [])
        runs: list[Execution] = client.workflows.executions("greet", limit=5)
        pushed: PushedRecipe = client.recipes.push({"name": "hello"}, expected_version=0)
        messages: list[PromptMessage] = client.recipes.render("hello@1", {"a": 1})["messages"]
        components: list[ComponentResult] = client.components.search("知識庫")
        print(pushed["warnings"], messages, components, client.recipes.get("hello")["recipe"])
        raw: RawResponse[RunResult] = client.with_raw_response(client.workflows.run)("greet")
        status: int = raw.status
        try:
            deleted: bool = client.workflows.delete("greet")["deleted"]
        except NotFoundError as error:
            deleted = error.status != 404
        patient: Arcrun = client.with_options(timeout=httpx.Timeout(300, connect=9), max_retries=5)
        print(is_up, services, done, token, name, credentials, workflows, graph, data, failed, runs)
        print(status, deleted, patient)


async def asynchronous(http: httpx.AsyncClient) -> None:
    async with AsyncArcrun("ak_1", http_client=http, timeout=9) as client:
        is_up: bool = (await client.health())["ok"]
        services: list[AuthRecipe] = await client.auth.list_services()
        done: SetupResult = await client.auth.setup("notion", **SECRETS)
        async with await client.auth.bind("notion") as notion:
            (await notion.get("/users")).raise_for_status()
        token: str = await client.auth.get_token("notion", trust_origin="https://own.test")
        name: str = (await client.creds.push("tok", "1"))["name"]
        credentials: list[Credential] = await client.creds.list()
        name = (await client.creds.delete("tok"))["name"]
        name = (await client.workflows.push("greet", GRAPH, strict=True, max_retries=0))["name"]
        workflows: list[WorkflowSummary] = await client.workflows.list()
        graph: dict[str, Any] = (await client.workflows.get("greet"))["graph"]
        data: str = (await client.workflows.run("greet", {"text": "a"}))["data"]["text"]
        runs: list[Execution] = await client.workflows.executions("greet")
        raw = await client.with_raw_response(client.creds.list)()
        first: Credential = raw.result[0]
        deleted: bool = (await client.workflows.delete("greet"))["deleted"]
        print(is_up, services, done, token, name, credentials, workflows, graph, data, runs, first)
        print(deleted)


def misspelled() -> None:
    from arcrun import NotFoundErorr  # type: ignore[attr-defined] # an error, not any name

    print(NotFoundErorr)
