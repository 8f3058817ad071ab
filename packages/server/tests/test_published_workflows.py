"""Workflows of the kinds that people publish: chains of requests, code with digests, fan-in, cards, branches."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml
from pushed_recipes import Upstream

if TYPE_CHECKING:
    from collections.abc import Iterator

    from conftest import Api

TEXTS = {
    file.stem: file.read_text("utf-8")
    for file in sorted((Path(__file__).parent / "published").glob("*.yaml"))
}


@pytest.fixture
def upstream() -> Iterator[Upstream]:
    upstream = Upstream()
    yield upstream
    upstream.close()


def value_at(value: Any, path: str) -> Any:
    for name in path.split("."):
        value = value[int(name)] if isinstance(value, list) else value[name]
    return value


def sent(request: dict[str, Any], names: set[str]) -> dict[str, Any]:
    """Return what is compared of a request."""
    body = request["body"]
    whole = {**request, "text": body, "body": json.loads(body) if "body" in names else None}
    return {name: whole[name] for name in names}


def test_there_are_ten() -> None:
    assert len(TEXTS) == 10


@pytest.mark.parametrize("name", TEXTS)
async def test_a_published_workflow_runs(alice: Api, upstream: Upstream, name: str) -> None:
    given = yaml.safe_load(TEXTS[name].replace("UPSTREAM", upstream.url))
    for response in given["responses"]:
        status = response.pop("$status", 200) if isinstance(response, dict) else 200
        upstream.responses.append((status, response))
    body = {"triplets": given["flow"], "config": given["config"], "context": given["input"]}
    response = await alice("POST", "/cypher/execute", json=body)
    assert response.status_code == 200, response.text
    data = response.json()["data"]
    assert {path: value_at(data, path) for path in given["result"]} == given["result"]
    assert [
        sent(request, set(expected))
        for request, expected in zip(upstream.requests, given["requests"], strict=True)
    ] == given["requests"]
