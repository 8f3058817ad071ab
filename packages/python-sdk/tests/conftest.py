"""A recording server on loopback, and the two kinds of client behind one interface."""

from __future__ import annotations

import asyncio
import inspect
import json
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx
import pytest

import arcrun

KEY = "ak_" + "0123456789abcdef" * 3


@dataclass
class Recorded:
    """A request as the server received it."""

    method: str
    target: str
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


@dataclass
class CannedResponse:
    """A response to return, or with `act` something to do to the connection instead."""

    status: int = 200
    body: Any = field(default_factory=dict)
    headers: dict[str, str] = field(default_factory=dict)
    act: Callable[[BaseHTTPRequestHandler], None] | None = None


class Server:
    """Serves canned responses by method and path: one after the other, the last one again and again."""

    def __init__(self) -> None:
        self.requests: list[Recorded] = []
        self.responses: dict[tuple[str, str], list[CannedResponse]] = {}
        outer = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True

            def respond(self) -> None:
                length = int(self.headers.get("content-length") or 0)
                body = self.rfile.read(length)
                headers = {name.lower(): value for name, value in self.headers.items()}
                outer.requests.append(Recorded(self.command, self.path, headers, body))
                canned = outer.response_to(self.command, self.path)
                if canned.act:
                    canned.act(self)
                    self.close_connection = True
                    return
                content = canned.body
                if not isinstance(content, bytes):
                    content = json.dumps(content, ensure_ascii=False).encode()
                self.send_response(canned.status)
                for name, value in {"Content-Type": "application/json", **canned.headers}.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                if self.command != "HEAD":
                    self.wfile.write(content)

            do_GET = do_POST = do_PUT = do_DELETE = do_PATCH = do_HEAD = do_CONNECT = respond

            def log_message(self, *args: Any) -> None:
                pass

        class Quiet(ThreadingHTTPServer):
            def handle_error(self, *args: Any) -> None:
                pass  # a client that went away is part of some tests

        self._server = Quiet(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.005,))
        self._thread.start()
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    def on(self, method: str, path: str, *responses: CannedResponse | dict[str, Any]) -> None:
        """Set the responses for a path (without query)."""
        self.responses[method, path] = [
            canned if isinstance(canned, CannedResponse) else CannedResponse(body=canned)
            for canned in responses
        ]

    def response_to(self, method: str, target: str) -> CannedResponse:
        responses = self.responses.get((method, target.partition("?")[0]))
        if responses is None:
            responses = self.responses.get((method, "*"))
        if responses is None:
            return CannedResponse(404, {"error": f"no {method} {target}", "code": "not_found"})
        return responses.pop(0) if len(responses) > 1 else responses[0]

    def to(self, path: str) -> list[Recorded]:
        """Return the requests to a path (without query)."""
        return [request for request in self.requests if request.target.partition("?")[0] == path]

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


class Kind:
    """The synchronous or the asynchronous client; `run` returns a call's result for both."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.loop = asyncio.new_event_loop() if name == "async" else None
        self._open: list[Any] = []

    @property
    def client_class(self) -> Any:
        return arcrun.Arcrun if self.name == "sync" else arcrun.AsyncArcrun

    def client(self, url: str, key: str | None = KEY, **options: Any) -> Any:
        client = self.client_class(key, base_url=url, **options)
        self._open.append(client)
        return client

    def http_client(self, **options: Any) -> Any:
        """Return an HTTP client of the same kind, to pass as `http_client`."""
        made = httpx.Client if self.name == "sync" else httpx.AsyncClient
        return self.keep(made(**options))

    def bind(self, client: Any, service: str, **options: Any) -> Any:
        bound = self.run(client.auth.bind(service, **options))
        self._open.append(bound)
        return bound

    def keep(self, closeable: Any) -> Any:
        self._open.append(closeable)
        return closeable

    def run(self, result: Any) -> Any:
        return self.loop.run_until_complete(result) if inspect.isawaitable(result) else result

    def close(self) -> None:
        for item in reversed(self._open):
            self.run(item.aclose() if hasattr(item, "aclose") else item.close())
        if self.loop is not None:
            self.loop.run_until_complete(self.loop.shutdown_asyncgens())
            self.loop.run_until_complete(self.loop.shutdown_default_executor())
            self.loop.close()


@pytest.fixture(params=["sync", "async"])
def kind(request: pytest.FixtureRequest) -> Iterator[Kind]:
    made = Kind(request.param)
    yield made
    made.close()


@pytest.fixture
def server() -> Iterator[Server]:
    made = Server()
    yield made
    made.close()


@pytest.fixture
def other_server() -> Iterator[Server]:
    made = Server()
    yield made
    made.close()


@pytest.fixture
def canned() -> type[CannedResponse]:
    return CannedResponse


@pytest.fixture
def key() -> str:
    return KEY


def exceptions_of(error: BaseException) -> list[BaseException]:
    """An exception with its causes and contexts."""
    chain = [error]
    for link in chain:
        chain += [x for x in (link.__cause__, link.__context__) if x and x not in chain]
    return chain


def frames_of(error: BaseException) -> Iterator[Any]:
    """The frames of an exception and of what led to it."""
    for link in exceptions_of(error):
        step = link.__traceback__
        while step is not None:
            yield step.tb_frame
            step = step.tb_next


def is_at(frame: Any, folder: str) -> bool:
    return f"/{folder}/" in frame.f_code.co_filename.replace("\\", "/")


@pytest.fixture
def seen_by_tools() -> Callable[[BaseException], str]:
    """What tools print of an exception: its text, and the local variables of the SDK's frames."""

    def texts(error: BaseException) -> str:
        parts = [f"{link!r} {link} {vars(link)!r}" for link in exceptions_of(error)]
        parts += [repr(frame.f_locals) for frame in frames_of(error) if is_at(frame, "arcrun")]
        return "\n".join(parts)

    return texts


def members(value: Any) -> list[Any]:
    """What an object of the HTTP libraries, or a container, holds."""
    if isinstance(value, dict):
        return [*value, *value.values()]
    if isinstance(value, (list, tuple, set)):
        return list(value)
    if type(value).__module__.startswith(("httpx", "httpcore", "h11")):
        names = [*getattr(value, "__dict__", {}), *getattr(value, "__slots__", ())]
        return [getattr(value, name, None) for name in names]
    return []


@pytest.fixture
def reachable() -> Callable[[BaseException], str]:
    """All text reachable from the local variables of an exception's frames, except `Secret`s."""

    def texts(error: BaseException) -> str:
        found: list[str] = []
        queue: list[Any] = [vars(link) for link in exceptions_of(error)]
        queue += [frame.f_locals for frame in frames_of(error) if not is_at(frame, "tests")]
        seen: set[int] = set()
        for value in queue:
            if id(value) in seen:
                continue
            seen.add(id(value))
            if isinstance(value, bytes):
                found.append(value.decode("utf-8", "replace"))
            elif isinstance(value, str):
                found.append(value)
            else:
                queue += members(value)
        return "\n".join(found)

    return texts


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty home directory, and no settings in the environment."""
    folder = tmp_path / "home"
    folder.mkdir()
    monkeypatch.setenv("HOME", str(folder))
    monkeypatch.setenv("USERPROFILE", str(folder))
    for name in ("ARCRUN_API_KEY", "ARCRUN_BASE_URL", "ARCRUN_CREDENTIAL_FORMAT"):
        monkeypatch.delenv(name, raising=False)
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)
    return folder


def make_recipe(service: str, base_url: str, keys: list[str], **more: Any) -> dict[str, Any]:
    """An auth recipe as the engine returns it."""
    return {
        "kind": "auth_recipe",
        "service": service,
        "version": 1,
        "primitive": "static_key",
        "base_url": base_url,
        "display_name": service.title(),
        "required_secrets": [
            {"key": key, "label": key, "help_url": "https://x.test"} for key in keys
        ],
        **more,
    }


@pytest.fixture
def recipe() -> Callable[..., dict[str, Any]]:
    return make_recipe


@pytest.fixture
def serve_recipe(server: Server) -> Callable[..., dict[str, Any]]:
    """Let the server serve a recipe and accept credentials, without sealed reads."""

    def serve(service: str, base_url: str, keys: list[str], **more: Any) -> dict[str, Any]:
        made = make_recipe(service, base_url, keys, **more)
        server.on("GET", f"/auth-recipes/{service}", {"success": True, "recipe": made})
        server.on("POST", "/credentials", {"success": True, "name": "stored"})
        return made

    return serve
