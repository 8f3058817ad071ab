"""Give the fuzzed engine runs that wait for a callback, and one that has asked a model: generated requests make none."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from contextlib import suppress
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from scripts.engine import Engine

# The first of them is cancelled; the others stay to be looked at.
PAUSED = 3
_SECONDS = 30.0
_NAME = "waits_for_review"
_GRAPH = {
    "nodes": [
        {
            "id": "review",
            "type": "Component",
            "componentId": "set",
            "data": {"values": {"pending": True, "task_id": "審核-1"}},
        }
    ],
    "edges": [],
}


def prepare_runs(engine: Engine) -> str:
    """Let the first account have paused runs, and return the id of one.

    Args:
        engine: The running engine.

    Raises:
        urllib.error.HTTPError: The engine refuses that.
    """
    _post(engine, "/webhooks/named", {"name": _NAME, "description": "waits", "graph": _GRAPH})
    made = [_post(engine, f"/webhooks/named/{_NAME}/trigger", {}) for _ in range(PAUSED)]
    return str(made[0]["run_id"])


def prepare_prompts(engine: Engine) -> None:
    """Let prompts of the recipe that the contract's examples name be recorded, by two versions.

    Args:
        engine: The running engine.

    Raises:
        urllib.error.HTTPError: The engine refuses the recipe.
    """
    recipe = {
        "name": "greet",
        "inputs": [{"var": "name", "from": "input.name"}],
        "prompt_assembly": {"user": "Greet {{name}}."},
    }
    ask = {
        "id": "ask",
        "type": "Component",
        "componentId": "claude_api",
        "data": {"recipe": "greet"},
    }
    for user in ("Greet {{name}}.", "Greet {{name}}!"):
        _post(engine, "/prompt-recipes", {"recipe": {**recipe, "prompt_assembly": {"user": user}}})
        with suppress(urllib.error.HTTPError):  # no model is configured: the run fails
            graph = {"nodes": [ask], "edges": []}
            _post(engine, "/execute", {"graph": graph, "context": {"name": "小明"}})


def _post(engine: Engine, path: str, body: dict[str, Any]) -> dict[str, Any]:
    request = urllib.request.Request(  # noqa: S310 - an engine that was started here
        f"{engine.url}{path}",
        data=json.dumps(body).encode(),
        headers={"Content-Type": "application/json", "X-Arcrun-API-Key": engine.keys[0]},
        method="POST",
    )
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with opener.open(request, timeout=_SECONDS) as response:
        found: dict[str, Any] = json.load(response)
    return found
