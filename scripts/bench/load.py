"""Run a bare FastAPI server as a baseline, and load a server over a few connections."""

from __future__ import annotations

import asyncio
import contextlib
import subprocess
import sys
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

CONNECTIONS = 8

# Set up as the engine is: one uvicorn worker, the same event loop and parser, no access log. It
# also has the routes that the bench of the SDK needs.
BARE = """
import socket, uvicorn
from fastapi import FastAPI

app = FastAPI(openapi_url=None)
RECIPE = {"kind": "auth_recipe", "service": "openai", "version": 1, "primitive": "static_key",
    "base_url": "https://api.openai.com/v1", "display_name": "OpenAI",
    "required_secrets": [{"key": "openai_api_key", "label": "key", "help_url": "https://x.example"}],
    "inject": {"header": {"Authorization": "Bearer {{secret.openai_api_key}}"}}}

@app.get("/bare")
async def bare():
    return {"ok": True}

@app.get("/health")
async def health():
    return {"ok": True, "capabilities": ["sealed_credentials"]}

@app.get("/auth-recipes/{service}")
async def recipe(service: str):
    return {"success": True, "recipe": RECIPE}

@app.post("/credentials")
async def push(body: dict):
    return {"success": True, "name": body["name"], "service": "openai", "sensitivity": "standard"}

# The protocol is named because asyncio sets TCP_NODELAY only on sockets that name TCP.
listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
listener.bind(("127.0.0.1", 0))
print(listener.getsockname()[1], flush=True)
config = uvicorn.Config(app, log_level="warning", access_log=False)
uvicorn.Server(config).run(sockets=[listener])
"""


@contextlib.contextmanager
def bare_server() -> Iterator[str]:
    """Run the bare server; yield its URL."""
    command = [sys.executable, "-c", BARE]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            port = process.stdout.readline().strip() if process.stdout else ""
            yield f"http://127.0.0.1:{port}"
        finally:
            process.terminate()


def request_bytes(
    method: str, path: str, *, headers: dict[str, str] | None = None, body: bytes = b""
) -> bytes:
    """Return the bytes of an HTTP/1.1 request, so that sending it costs the client almost nothing."""
    lines = [f"{method} {path} HTTP/1.1", "Host: 127.0.0.1"]
    lines += [f"{name}: {value}" for name, value in (headers or {}).items()]
    if body:
        lines += ["Content-Type: application/json", f"Content-Length: {len(body)}"]
    return "\r\n".join([*lines, "", ""]).encode() + body


def requests_a_second(url: str, request: bytes, count: int) -> float:
    """Send one request `count` times over a few connections; return how many a second.

    Raises:
        RuntimeError: The server did not return 200.
    """
    return asyncio.run(_load(url, request, count))


async def _load(url: str, request: bytes, count: int) -> float:
    host, port = url.removeprefix("http://").split(":")
    streams = [await asyncio.open_connection(host, int(port)) for _ in range(CONNECTIONS)]
    begun = time.perf_counter()
    each = count // CONNECTIONS
    await asyncio.gather(*(_repeat(*stream, request, each) for stream in streams))
    seconds = time.perf_counter() - begun
    for _, writer in streams:
        writer.close()
    return each * CONNECTIONS / seconds


async def _repeat(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, request: bytes, count: int
) -> None:
    for _ in range(count):
        writer.write(request)
        head = await reader.readuntil(b"\r\n\r\n")
        if not head.startswith(b"HTTP/1.1 200"):
            raise RuntimeError(f"the server returned {head.splitlines()[0].decode()}")
        length = head.lower().partition(b"content-length:")[2].split(b"\r\n", 1)[0]
        await reader.readexactly(int(length))
