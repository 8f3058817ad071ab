"""MCP over streamable HTTP, for programs of this machine that have the bearer token."""

from __future__ import annotations

import hmac
import ipaddress
import re
import secrets
import socket
import sys
from collections.abc import Mapping
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

import anyio
import uvicorn
from mcp.server.transport_security import TransportSecuritySettings
from starlette.datastructures import Headers
from starlette.responses import JSONResponse, Response

from arcrun._core.secret import Secret
from arcrun.commands.errors import CommandError

from .bodies import WellFormed, WholeBodies
from .connections import HEAD_SECONDS, MOST, Connection

if TYPE_CHECKING:
    from mcp.server import Server
    from starlette.types import ASGIApp, Receive, Scope, Send

TOKEN_VARIABLE = "ARCRUN_MCP_TOKEN"  # noqa: S105 - a name
PATH = "/mcp"


class Address(NamedTuple):
    """Where HTTP is served."""

    host: str
    port: int

    @property
    def shown(self) -> str:
        """Return it as it stands in a URL."""
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


def address_of(text: str) -> Address:
    """Return the address that `--http` names.

    Raises:
        CommandError: it is none, or not one of this machine alone.

    Example:
        >>> address_of("8080")
        Address(host='127.0.0.1', port=8080)
    """
    host, _, port = text.rpartition(":")
    host = host.strip("[]") or "127.0.0.1"
    if not re.fullmatch(r"[0-9]{1,5}", port) or int(port) > 65535:
        raise CommandError(
            "invalid_argument", "--http takes PORT or HOST:PORT, with a port from 0 to 65535"
        )
    if not _is_loopback(host):
        raise CommandError(
            "invalid_argument",
            f"--http serves this machine only, and {host!r} is not one of its loopback addresses (127.0.0.1, ::1, "
            "localhost): whoever reaches this server acts with your key. For another machine, run arcrun-mcp there, or "
            "forward the port over SSH",
        )
    return Address(host, int(port))


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def token_of(environment: Mapping[str, str]) -> Secret | None:
    """Return the bearer token of the environment, or None if it names none.

    Raises:
        CommandError: that of the environment can't be one, or is easily guessed.
    """
    given = environment.get(TOKEN_VARIABLE)
    if given is None:
        return None
    if not re.fullmatch(r"[A-Za-z0-9._~+/=-]{32,}", given):
        raise CommandError(
            "invalid_configuration",
            f"{TOKEN_VARIABLE} must be at least 32 characters of A-Z a-z 0-9 - . _ ~ + / =, "
            "such as `openssl rand -hex 32` prints",
        )
    return Secret(given)


def _new_token() -> Secret:
    token = secrets.token_urlsafe(32)
    print(
        f"arcrun-mcp: bearer token {token} (set {TOKEN_VARIABLE} to use your own)", file=sys.stderr
    )
    return Secret(token)


def listen(address: Address) -> socket.socket:
    """Return a socket that listens at an address.

    Raises:
        OSError: it can't be bound.
    """
    family = socket.AF_INET6 if ":" in address.host else socket.AF_INET
    listening = socket.socket(family, socket.SOCK_STREAM)
    try:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind(address)
        listening.listen()
    except OSError as error:
        listening.close()
        raise OSError(
            error.errno, f"{address.shown} can't be used: {error.strerror}; name another port"
        ) from None
    return listening


def serve_http(
    server: Server[Any], address: Address, token: Secret | None, most: int = MOST
) -> None:
    """Serve HTTP until a signal ends the process.

    Args:
        server: the MCP server.
        address: where.
        token: the bearer token; None to make one and print it, once the address is this server's own.
        most: how many connections there may be at a time.

    Raises:
        OSError: the port can't be bound.
    """
    with listen(address) as listening:
        bound = Address(address.host, listening.getsockname()[1])
        secret = _new_token() if token is None else token
        print(f"arcrun-mcp: http://{bound.shown}{PATH}", file=sys.stderr, flush=True)
        serving = http_server(application(server, bound, secret), most=most)
        anyio.run(serving.serve, [listening])


def http_server(
    app: ASGIApp, head_seconds: float = HEAD_SECONDS, most: int = MOST
) -> uvicorn.Server:
    """Return an HTTP server.

    Args:
        app: what it serves.
        head_seconds: how long a client may take to send the head of a request.
        most: how many connections there may be at a time.
    """
    return uvicorn.Server(
        uvicorn.Config(
            app,
            http=partial(Connection, head_seconds, most, set()),  # type: ignore[arg-type]  # it is only called
            log_config=None,
            access_log=False,
            server_header=False,
            timeout_graceful_shutdown=1,
        )
    )


def application(server: Server[Any], address: Address, token: Secret) -> ASGIApp:
    """Return the ASGI application: token, size and form of the request, Host and Origin, then the SDK's transport."""
    hosts = {address.shown, f"localhost:{address.port}", f"127.0.0.1:{address.port}"}
    security = TransportSecuritySettings(
        enable_dns_rebinding_protection=True,
        allowed_hosts=sorted(hosts),
        allowed_origins=sorted(f"http://{host}" for host in hosts),
    )
    # Stateless: what there is to remember stands in the engine.
    served = server.streamable_http_app(
        streamable_http_path=PATH, stateless_http=True, transport_security=security
    )
    return BearerToken(WholeBodies(WellFormed(served)), token)


class BearerToken:
    """Lets only requests pass that carry the token."""

    def __init__(self, app: ASGIApp, token: Secret) -> None:
        self._app = app
        self._expected = Secret(f"Bearer {token.reveal()}")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, or respond 401."""
        if scope["type"] == "http":
            given = Headers(scope=scope).get("authorization", "")
            scheme, _, credentials = given.partition(" ")
            normal = f"{scheme.capitalize()} {credentials}"
            if not hmac.compare_digest(normal.encode(), self._expected.reveal().encode()):
                await self._refuse(bool(given))(scope, receive, send)
                return
        await self._app(scope, receive, send)

    @staticmethod
    def _refuse(has_token: bool) -> Response:
        reason = "the bearer token is not that of this server" if has_token else "no bearer token"
        challenge = 'Bearer realm="arcrun-mcp"' + (', error="invalid_token"' if has_token else "")
        message = f"{reason}: send `Authorization: Bearer TOKEN` with the token that arcrun-mcp printed, or {TOKEN_VARIABLE}"
        return JSONResponse(
            {"error": message, "code": "unauthorized"}, 401, {"WWW-Authenticate": challenge}
        )
