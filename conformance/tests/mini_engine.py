"""A very small engine: health, credentials and workflows in memory (docs/contract.md#routes)."""

from __future__ import annotations

import asyncio
import json
import re
from typing import Any

from arcrun_conformance.target import Target
from arcrun_conformance.wire.faults import FaultInjector
from arcrun_conformance.wire.journal import Exchange, Journal, Response, body_value
from arcrun_conformance.wire.recording import RecordingServer

KEY = "ak_" + 3 * "0123456789abcdef"
CAPABILITIES = ["sealed_credentials", "sealed_read"]


class MiniEngine(RecordingServer):
    def __init__(self) -> None:
        self.journal = Journal()
        super().__init__("engine", self.journal, FaultInjector())
        self.credentials: dict[str, Any] = {}
        self.workflows: dict[str, Any] = {}
        self.capabilities = list(CAPABILITIES)
        self.health: Any = None
        self.remote = False
        self.pushed = asyncio.Event()
        self.lists_nothing = False
        self.page_size = 1000
        self.repeats_cursors = False
        self.ends_lists_with_null = False

    @property
    def target(self) -> Target:
        health = {"ok": True, "capabilities": self.capabilities}
        return Target("mini", self.origin, KEY, health, "1.0.0", remote=self.remote)

    async def respond(self, exchange: Exchange) -> Response:
        request = exchange.request
        if request.path == "/health":
            return _in_ascii(self.health or {"ok": True, "capabilities": self.capabilities})
        if request.header("x-arcrun-api-key") != KEY:
            return Response.from_json({"error": "unknown key", "code": "unknown_api_key"}, 401)
        match = re.fullmatch("/(credentials|webhooks/named)(?:/(.+))?", request.path)
        if match is None:
            return Response.from_json({"error": "no such route", "code": "not_found"}, 404)
        kind = "workflows" if match[1] == "webhooks/named" else match[1]
        if request.method == "GET":
            return self._page(kind, int(str(request.query.get("cursor", 0))))
        return self._stored(kind, request.method, match[2], body_value(request.body))

    def _stored(self, kind: str, method: str, name: str | None, body: Any) -> Response:
        store = self.credentials if kind == "credentials" else self.workflows
        if method == "POST":
            store[body["name"]] = body
            self.pushed.set()
            return Response.from_json({"success": True, "name": body["name"]}, 201)
        if store.pop(name, None) is None:
            code = f"{kind.rstrip('s')}_not_found"
            response = Response.from_json({"error": f"{name}: not found", "code": code}, 404)
            response.headers.append(("x-request-id", "r-1"))
            return response
        return Response.from_json({"success": True, "name": name})

    def _page(self, kind: str, start: int) -> Response:
        store = self.credentials if kind == "credentials" else self.workflows
        names = [] if self.lists_nothing else list(store)
        end = start + self.page_size
        page: dict[str, Any] = {kind: [{"name": name} for name in names[start:end]]}
        if end < len(names):
            page["next_cursor"] = str(start if self.repeats_cursors else end)
        elif self.ends_lists_with_null:
            page["next_cursor"] = None
        return _in_ascii(page)


def _in_ascii(value: Any) -> Response:
    """Return a response that may hold half a character, which JSON can escape and UTF-8 can't encode."""
    return Response(200, [("content-type", "application/json")], json.dumps(value).encode())
