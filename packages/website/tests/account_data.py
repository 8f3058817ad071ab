"""An account that has been used: recipes with versions, workflows of several shapes, and runs that ended in several ways."""

from __future__ import annotations

import contextlib
import itertools
import json
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import TYPE_CHECKING, Any

import httpx

from arcrun import Arcrun

if TYPE_CHECKING:
    from collections.abc import Iterator

_ENDS = {"succeeded", "partial", "failed", "cancelled", "paused"}
HOSTILE = '<img src=x onerror="window.injected=1">'
LONG = "長" * 300 + "x" * 10_000
RIGHT_TO_LEFT = "مرحبا \u202eabc"
EMOJI = "👩‍👩‍👧‍👦🏳️‍🌈"


def fill_account(url: str, key: str) -> None:
    """Push recipes and workflows, and run them, through the SDK."""
    with Arcrun(api_key=key, base_url=url) as client:
        _push_recipes(client, url, key)
        alone = {"id": "hello", "type": "Component", "componentId": "set", "data": {"values": {}}}
        body = {
            "name": "alone",
            "description": "One node",
            "graph": {"nodes": [alone], "edges": []},
        }
        headers = {"X-Arcrun-API-Key": key}
        httpx.post(f"{url}/webhooks/named", json=body, headers=headers).raise_for_status()
        with _approvals() as approvals:
            for name, document in workflows(approvals).items():
                client.workflows.push(name, document)
            for name, given in _RUNS:
                run = client.workflows.run(name, given, run_async=True)
                _wait_for(client, str(run["run_id"]))


@contextlib.contextmanager
def _approvals() -> Iterator[str]:
    """Serve a component that waits for a person's approval; yield its URL."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = json.dumps({"pending": True, "task_id": "approval-1"}).encode()
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Write nothing."""

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()
        thread.join()


def _wait_for(client: Arcrun, run_id: str) -> None:
    """Return when a run has ended, or waits for a person."""
    for event in client.runs.events(run_id):
        if event.get("status") in _ENDS:
            return


def _push_recipes(client: Arcrun, url: str, key: str) -> None:
    headers = {"X-Arcrun-API-Key": key}
    for text in ("Be brief.\nNo jargon.", "Name the source of each number."):
        block = {"page_name": "house-style", "content": text, "type": "template"}
        httpx.post(f"{url}/kbdb/blocks", json=block, headers=headers).raise_for_status()
    for number, words in enumerate(("short", "shorter", "shortest"), 1):
        client.recipes.push(digest(words), message=f"version {number} {HOSTILE}")
    client.recipes.label("prompt_recipe:digest", "production", version=2)
    client.recipes.label("prompt_recipe:digest", "staging", version=3)
    client.recipes.push(
        {**digest("hostile"), "name": "hostile", "description": HOSTILE + LONG[:3000]}
    )


def digest(words: str) -> dict[str, Any]:
    """Return a recipe with a fragment, two inputs, and two messages."""
    return {
        "kind": "prompt_recipe",
        "name": "digest",
        "description": "每日摘要 · daily digest",
        "model": "sonnet",
        "fragments": [
            {"var": "style", "source": "kbdb_block", "block_page_name": "house-style"},
        ],
        "inputs": [
            {"var": "titles", "from": "ctx.articles", "transform": "markdown_list"},
            {"var": "reader", "from": "input.reader", "default": "大家"},
        ],
        "prompt_assembly": {
            "system": "You write digests.\n{{style}}",
            "user": f"Write the {words} digest for {{{{reader}}}}:\n\n{{{{titles}}}}\n",
        },
    }


def chain(count: int) -> dict[str, Any]:
    """Return a workflow whose nodes follow each other."""
    names = ["input", *(f"step-{number}" for number in range(2, count + 1))]
    lines = [f"{one} >> ON_SUCCESS >> {next_}" for one, next_ in itertools.pairwise(names)]
    return {
        "description": f"{count} nodes in a row",
        "flow": lines or ["input"],
        "config": {name: {"component": "set", "values": {"at": name}} for name in names[1:]},
    }


def workflows(approvals: str) -> dict[str, dict[str, Any]]:
    """Return workflows by their names; one waits for what is served at a URL."""
    shout = {"component": "string_ops", "operation": "upper", "text": "{{input.text}}"}
    return {
        "orders": {
            "description": "依金額分流，再逐一處理 · by amount, then one by one",
            "flow": [
                "input >> 完成後 >> 金額夠大嗎",
                "金額夠大嗎 >> ON_TRUE >> 通知業務",
                "金額夠大嗎 >> ON_FALSE >> 寄感謝信",
                "通知業務 >> 完成後 >> 彙整",
                "寄感謝信 >> 完成後 >> 彙整",
                "input >> 完成後 >> 彙整",
            ],
            "config": {
                "金額夠大嗎": {"component": "if_control", "condition": "{{input.amount}} > 1000"},
                "通知業務": {"component": "set", "values": {"to": "sales"}},
                "寄感謝信": {"component": "set", "values": {"to": "customer"}},
                "彙整": {"component": "set", "values": {"done": "yes"}},
            },
        },
        "each": {
            "description": "Shouts each word",
            "flow": ["input >> FOREACH item >> shout", "shout >> ON_SUCCESS >> count"],
            "config": {
                "shout": {**shout, "text": "{{item}}"},
                "count": {"component": "array_ops", "operation": "length", "list": "{{results}}"},
            },
        },
        "fails": {
            "description": "Fails at its second node",
            "flow": ["input >> ON_SUCCESS >> parse", "parse >> ON_SUCCESS >> never"],
            "config": {
                "parse": {"component": "number_ops", "operation": "divide", "values": [1, 0]},
                "never": {"component": "set", "values": {"a": "b"}},
            },
        },
        "approval": {
            "description": "等人核准 · waits for an approval",
            "flow": ["input >> 完成後 >> 核准", "核准 >> 完成後 >> 出貨"],
            "config": {
                "核准": {"component": approvals},
                "出貨": {"component": "set", "values": {"shipped": "yes"}},
            },
        },
        "hostile": {
            "description": HOSTILE + LONG[:3000],
            "flow": [
                f"input >> ON_SUCCESS >> {HOSTILE}",
                f"{HOSTILE} >> ON_SUCCESS >> {EMOJI}",
                f"{EMOJI} >> ON_SUCCESS >> {RIGHT_TO_LEFT}",
            ],
            "config": {
                HOSTILE: {"component": "set", "values": {"a": HOSTILE + LONG}},
                EMOJI: {"component": "set", "values": {"a": EMOJI}},
                RIGHT_TO_LEFT: {"component": "set", "values": {"a": RIGHT_TO_LEFT}},
            },
        },
        "row-12": chain(12),
        "row-60": chain(60),
    }


_RUNS: tuple[tuple[str, dict[str, Any]], ...] = (
    ("orders", {"amount": 2500}),
    ("orders", {"amount": 20}),
    ("each", {"items": ["one", "二"]}),
    ("fails", {}),
    ("approval", {}),
    ("alone", {}),
    ("hostile", {}),
    ("row-12", {}),
    ("row-60", {}),
)
