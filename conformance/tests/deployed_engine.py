"""A fake of the hosted engine (docs/contract.md#differences-from-the-deployed-engine).

It accepts any key, stores plain credentials under upper-case names, has no sealed read, no
`/register` and no prompt recipes, stores graphs unchecked, and responds to unknown routes in plain
text.
"""

from __future__ import annotations

import asyncio
import json
import re
import secrets
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from arcrun_conformance.wire.faults import FaultInjector
from arcrun_conformance.wire.journal import Exchange, Journal, Request, Response, body_value
from arcrun_conformance.wire.recording import RecordingServer

if TYPE_CHECKING:
    from collections.abc import Callable

RELEASE = "1.4.24"
HEALTH = {"ok": True, "bundle_version": RELEASE}
ROOT = {"service": "cypher-executor", "version": RELEASE, "status": "ok"}
# A few routes of the contract; a part of what it says is out of date.
OPENAPI = {
    "openapi": "3.0.3",
    "info": {"title": "arcrun", "version": RELEASE},
    "paths": {"/health": {"get": {}}},
}
DOCS = (
    b"<!doctype html><html><title>arcrun</title><script>ui({url: 'openapi.json'})</script></html>"
)

# What `GET /auth-recipes` of the hosted engine has for each service, but for texts (November 2026): some secrets have
# no `help_url`.
OBSERVED = Path(__file__).parents[2] / "packages/js-sdk/tests/recipes/deployed.json"


def recipe(observed: dict[str, Any]) -> dict[str, Any]:
    """Return a recipe with the texts that were not written down."""
    service = observed["service"]
    secrets = [
        {"label": secret["key"], "help": secret["key"], **secret}
        | ({"help_url": "https://arcrun.dev/help"} if "help_url" in secret else {})
        for secret in observed["required_secrets"]
    ]
    texts = {"kind": "auth_recipe", "version": 1, "display_name": service, "description": service}
    return {**texts, **observed, "required_secrets": secrets}


RECIPES = {
    observed["service"]: recipe(observed) for observed in json.loads(OBSERVED.read_text("utf-8"))
}
LABELS = {"完成後": "PIPE", "SUCCESS": "ON_SUCCESS", "FAIL": "ON_FAIL", "失敗時": "ON_FAIL"}


def text(status: int, body: str) -> Response:
    return Response(status, [("content-type", "text/plain")], body.encode())


class DeployedEngine(RecordingServer):
    def __init__(self) -> None:
        self.journal = Journal()
        super().__init__("engine", self.journal, FaultInjector())
        self.credentials: dict[str, dict[str, Any]] = {}
        self.workflows: dict[str, dict[str, Any]] = {}
        self.executions: list[dict[str, Any]] = []
        self.revoked: set[str] = set()

    async def respond(self, exchange: Exchange) -> Response:
        request = exchange.request
        for method, pattern, needs_key, action in self._routes():
            match = re.fullmatch(pattern, request.path)
            if match and method == request.method:
                if needs_key and not request.header("x-arcrun-api-key"):
                    return Response.from_json({"error": "missing X-Arcrun-API-Key"}, 401)
                try:
                    return await asyncio.to_thread(action, request, *match.groups())
                except (AttributeError, KeyError, TypeError, ValueError):
                    return text(500, "Internal Server Error")  # as for invalid JSON
        return text(404, "404 Not Found")

    def _routes(self) -> list[tuple[str, str, bool, Callable[..., Response]]]:
        return [
            ("GET", "/", False, lambda _: Response.from_json(ROOT)),
            ("GET", "/health", False, lambda _: Response.from_json(HEALTH)),
            ("GET", "/openapi.json", False, lambda _: Response.from_json(OPENAPI)),
            ("GET", "/docs", False, lambda _: Response(200, [("content-type", "text/html")], DOCS)),
            ("GET", "/me", True, self._account),
            ("PUT", "/me/api-key/rotate", True, self._rotate),
            ("DELETE", "/me/api-key", True, self._revoke),
            ("GET", "/auth-recipes", False, self._list_recipes),
            ("GET", r"/auth-recipes/(\w+)", False, self._recipe),
            ("GET", "/credentials", True, self._list_credentials),
            ("GET", "/credentials/catalog", True, self._list_credentials),
            ("POST", "/credentials", True, self._push_credential),
            ("DELETE", r"/credentials/(\w+)", True, self._delete_credential),
            ("GET", "/webhooks/named", True, self._list_workflows),
            ("POST", "/webhooks/named", True, self._push_workflow),
            ("GET", r"/webhooks/named/([\w-]+)/definition", True, self._workflow),
            ("DELETE", r"/webhooks/named/([\w-]+)", True, self._delete_workflow),
            ("POST", r"/webhooks/named/([\w-]+)/trigger", True, self._trigger),
            ("POST", "/workflows/resume", False, self._resume),
            ("GET", r"/workflows/([\w-]+)/executions", True, self._executions),
            ("POST", "/cypher/search", False, self._compile),
            ("POST", "/validate", False, self._validate),
        ]

    def _is_revoked(self, request: Request) -> bool:
        """Only these routes look up a key; all others take any."""
        return request.header("x-arcrun-api-key") in self.revoked

    def _account(self, request: Request) -> Response:
        if self._is_revoked(request):
            return Response.from_json({"error": "invalid API key"}, 401)
        return Response.from_json({"success": True, "email": "ming@example.com"})

    def _rotate(self, request: Request) -> Response:
        revoked = self._revoke(request)
        if revoked.status != 200:
            return revoked
        # It takes no proposal, and what is stored stays under the old key.
        return Response.from_json({"success": True, "api_key": f"ak_{secrets.token_hex(24)}"})

    def _revoke(self, request: Request) -> Response:
        if self._is_revoked(request):
            return Response.from_json({"error": "invalid API key"}, 401)
        self.revoked.add(str(request.header("x-arcrun-api-key")))
        return Response.from_json({"success": True})

    def _list_recipes(self, _: Request) -> Response:
        listed = list(RECIPES.values())
        return Response.from_json({"success": True, "recipes": listed, "count": len(listed)})

    def _recipe(self, _: Request, service: str) -> Response:
        if service not in RECIPES:
            return Response.from_json(
                {"success": False, "error": f"recipe not found: {service}"}, 404
            )
        return Response.from_json({"success": True, "recipe": RECIPES[service]})

    def _list_credentials(self, _: Request) -> Response:
        listed = list(self.credentials.values())[:200]
        return Response.from_json({"success": True, "credentials": listed, "total": len(listed)})

    def _push_credential(self, request: Request) -> Response:
        body = body_value(request.body)
        if not body.get("value"):
            return Response.from_json({"success": False, "error": "value 必填"}, 400)
        stored = {
            "name": body["name"].upper(),
            "service": body.get("service"),
            "sensitivity": body.get("sensitivity", "standard"),
        }
        more = {"created_at": int(time.time()), "last_used_at": None}
        self.credentials[stored["name"]] = stored | more
        return Response.from_json({"success": True, **stored})

    def _delete_credential(self, _: Request, name: str) -> Response:
        if self.credentials.pop(name.upper(), None) is None:
            return Response.from_json({"success": True, "name": name, "source": "legacy-kv"})
        return Response.from_json({"success": True, "name": name.upper()})

    def _list_workflows(self, _: Request) -> Response:
        keys = ("name", "description", "created_at", "webhook_url")
        listed = [{key: stored[key] for key in keys} for stored in self.workflows.values()]
        return Response.from_json({"workflows": listed, "total": len(listed)})

    def _push_workflow(self, request: Request) -> Response:
        body = body_value(request.body)
        if not body.get("description"):
            return Response.from_json({"error": "description 必填"}, 400)
        url = f"{self.origin}/webhooks/named/{body['name']}/trigger"
        more = {"created_at": "2026-08-01T00:00:00.000Z", "webhook_url": url}
        stored = {"config": {}, **body, **more}
        self.workflows[body["name"]] = stored
        shown = ("name", "webhook_url", "description", "created_at")
        return Response.from_json({key: stored[key] for key in shown}, 201)

    def _missing(self, name: str) -> Response:
        return Response.from_json({"error": f"workflow not found: {name}"}, 404)

    def _workflow(self, _: Request, name: str) -> Response:
        return (
            Response.from_json(self.workflows[name])
            if name in self.workflows
            else self._missing(name)
        )

    def _delete_workflow(self, _: Request, name: str) -> Response:
        if self.workflows.pop(name, None) is None:
            return self._missing(name)
        return Response.from_json({"deleted": True, "name": name})

    def _trigger(self, request: Request, name: str) -> Response:
        if name not in self.workflows:
            return self._missing(name)
        graph = self.workflows[name]["graph"]
        data, trace = body_value(request.body) or {}, []
        for edge in graph["edges"]:
            node = next((node for node in graph["nodes"] if node["id"] == edge["to"]), None)
            if node is None:
                return _failed(trace, edge["to"], "unknown node")
            if str(node.get("componentId")).startswith("http"):
                return _failed(trace, node["id"], "fetch failed")
            data = self._each(edge, node, data) or self._component(node, data)
            trace.append({"node": node["id"], "status": "success"})
        execution = {"workflow_id": graph.get("id", "?"), "verdict": "success", "duration_ms": 1}
        more = {"timestamp": "2026-08-01T00:00:00.000Z", "message": ""}
        self.executions.insert(0, execution | more)
        return Response.from_json({"success": True, "data": data, "duration_ms": 1})

    def _each(
        self, edge: dict[str, Any], node: dict[str, Any], context: dict[str, Any]
    ) -> dict[str, Any] | None:
        if edge["type"] != "FOREACH":
            return None
        elements = context[f"{edge['iterator']}s"]
        results = [self._component(node, {**context, edge["iterator"]: e}) for e in elements]
        return {**context, "results": results}

    @staticmethod
    def _component(node: dict[str, Any], context: dict[str, Any]) -> dict[str, Any]:
        filled = {key: _filled(value, context) for key, value in node.get("data", {}).items()}
        given = {**context, **filled}
        if node.get("componentId") == "comp_uppercase":
            return {**given, "text": str(given.get("text", "")).upper()}
        if node.get("componentId") == "comp_counter":
            return {**given, "count": given.get("count", 0) + 1}
        return given

    @staticmethod
    def _resume(request: Request) -> Response:
        task = body_value(request.body)["task_id"]
        reason = f"no run waits for {task}"  # none of its components pauses
        return Response.from_json({"success": True, "noop": True, "reason": reason})

    def _executions(self, request: Request, name: str) -> Response:
        mine = [run for run in self.executions if run["workflow_id"] == name]
        limited = mine[: int(str(request.query.get("limit", 50)))]
        data = {"workflow_name": name, "count": len(limited), "executions": limited}
        return Response.from_json({"ok": True, "data": data})

    @staticmethod
    def _validate(request: Request) -> Response:
        graph = body_value(request.body)
        known = {node["id"] for node in graph["nodes"]}
        ends = [(edge["from"], edge["to"]) for edge in graph["edges"]]
        errors = [f"unknown node: {end}" for edge in ends for end in edge if end not in known]
        if errors or not known:
            return Response.from_json({"valid": False, "errors": errors or ["no nodes"]}, 400)
        counts = {"nodeCount": len(graph["nodes"]), "edgeCount": len(ends)}
        return Response.from_json({"valid": True, **counts})

    def _compile(self, request: Request) -> Response:
        body = body_value(request.body)
        lines = [[part.strip() for part in line.split(">>")] for line in body["triplets"]]
        lines = [line for line in lines if len(line) == 3]  # malformed ones are dropped
        names = list(dict.fromkeys(name for line in lines for name in (line[0], line[2])))
        nodes = [{"id": name, "label": name, "type": _kind(name, lines)} for name in names]
        edges = [{"from": line[0], "to": line[2], **_edge(line[1])} for line in lines]
        compiled = {"nodes": nodes, "edges": edges}
        more = {"version": RELEASE, "timestamp": "2026-08-01T00:00:00.000Z", "missing": []}
        return Response.from_json(
            {**more, "triplets": body["triplets"], "nodes": [], "cypher": compiled}
        )


def _failed(trace: list[dict[str, Any]], node: str, reason: str) -> Response:
    failed = [*trace, {"node": node, "status": "failed", "error": reason}]
    error = f"Node {node} failed: {reason}"
    return Response.from_json(
        {"success": False, "error": error, "duration_ms": 1, "trace": failed}, 500
    )


def _edge(label: str) -> dict[str, Any]:
    each = re.fullmatch(r"(?:對每個|FOREACH)(?: (\w+))?", label)
    if each:
        return {"type": "FOREACH", "iterator": each[1] or "item"}
    return {"type": LABELS.get(label, "PIPE")}  # an unknown label is treated as PIPE


def _kind(name: str, lines: list[list[str]]) -> str:
    # The deployed engine makes any node that is not the target of an edge an Input.
    return "Component" if any(line[2] == name for line in lines) else "Input"


def _filled(value: Any, context: dict[str, Any]) -> Any:
    if not isinstance(value, str):
        return value
    return re.sub(r"\{\{(\w+)\}\}", lambda match: str(context.get(match[1], match[0])), value)
