"""Recipes that an account pushes, and the service on loopback that they lead to."""

from __future__ import annotations

import asyncio
import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from conftest import Api

SECRET = "sk-own-secret"


class Upstream:
    """A service on loopback: records requests and returns prepared responses."""

    def __init__(self) -> None:
        self.requests: list[dict[str, Any]] = []
        self.responses: list[tuple[int, Any]] = []
        upstream = self

        class Handler(BaseHTTPRequestHandler):
            def do(self) -> None:
                size = int(self.headers.get("Content-Length", 0))
                upstream.requests.append(
                    {
                        "method": self.command,
                        "path": self.path,
                        "headers": {name.lower(): value for name, value in self.headers.items()},
                        "body": self.rfile.read(size).decode(),
                    }
                )
                status, response = upstream.responses.pop(0) if upstream.responses else (200, {})
                content = json.dumps(response).encode()
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            do_GET = do_POST = do_PUT = do  # noqa: N815

            def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,))
        self._thread.start()
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    def close_listening(self) -> None:
        if self._thread.is_alive():
            self._server.shutdown()
            self._thread.join()
            self._server.server_close()

    close = close_listening


class ChangingResponses(list[Any]):
    """Responses of an `Upstream` that are each given after a change on the event loop has been made.

    Args:
        change: Makes the change.
        responses: The responses.
    """

    def __init__(self, change: Callable[[], Awaitable[Any]], responses: list[Any]) -> None:
        super().__init__(responses)
        self._change = change
        self._loop = asyncio.get_running_loop()

    def pop(self, place: Any = -1) -> Any:
        """Make the change, then return a response. Called by the thread of the `Upstream`."""

        async def change() -> None:
            await self._change()

        asyncio.run_coroutine_threadsafe(change(), self._loop).result(timeout=30)
        return super().pop(place)


def auth_recipe(url: str, **change: Any) -> dict[str, Any]:
    return {
        "service": "own",
        "primitive": "static_key",
        "base_url": f"{url}/v1",
        "display_name": "自有服務",
        "required_secrets": [
            {"key": "own_token", "label": "權杖", "help_url": "https://own.example/keys"}
        ],
        "inject": {"header": {"X-Token": "{{secret.own_token}}"}},
        **change,
    }


def api_recipe(url: str, **change: Any) -> dict[str, Any]:
    return {
        "canonical_id": "Own_Send",
        "display_name": "傳送",
        "description": "d",
        "endpoint": f"{url}/send/{{{{room}}}}",
        "method": "POST",
        "body": {"text": "{{text}}", "all": "{{items}}", "none": "{{nowhere}}"},
        **change,
    }


async def post(api: Api, path: str, body: Any, status: int = 200) -> Any:
    response = await api("POST", path, json=body)
    assert response.status_code == status, response.text
    return response.json()


async def run(api: Api, component: str, **data: Any) -> Any:
    graph = {
        "nodes": [
            {"id": "input", "type": "Input"},
            {"id": "n", "type": "Component", "componentId": component, "data": data},
        ],
        "edges": [{"from": "input", "to": "n", "type": "PIPE"}],
    }
    return await api("POST", "/execute", json={"graph": graph})


async def push_secret(api: Api, name: str = "own_token", value: str = SECRET) -> None:
    await post(api, "/credentials", {"name": name, "value": value})


def without(body: dict[str, Any], key: str) -> dict[str, Any]:
    return {name: value for name, value in body.items() if name != key}


SECRET_ENTRY = auth_recipe("https://own.example")["required_secrets"][0]
