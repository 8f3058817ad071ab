"""Running the server: the socket, the line when it listens, signals, a clean stop."""

from __future__ import annotations

import contextlib
import errno
import gc
import os
import signal
import socket
import sys
import threading
from typing import TYPE_CHECKING, Any

import uvicorn

from arcrun_server.errors import StartupError
from arcrun_server.settings import DEFAULT_MAX_CONNECTIONS
from arcrun_server.web.connections import Connections, most_connections

if TYPE_CHECKING:
    from collections.abc import Callable

    from starlette.applications import Starlette

    from arcrun_server.web.event_stream import OpenStreams

# Time for requests under way to end after a signal, in seconds.
GRACE = 10
# So many connections are accepted in a row before any of them is counted.
BACKLOG = 128


def open_socket(host: str, port: int, *, typed: str = "arcrun-server serve") -> socket.socket:
    """Bind the server's socket.

    Args:
        host: Host name or address.
        port: Port; 0 takes a free one.
        typed: The command that the user typed, for the hint where the port is in use.

    Raises:
        StartupError: The port is in use, or the address is not this machine's.
    """
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        listener = socket.socket(family, kind, protocol)
    except OSError as error:
        raise StartupError(f"cannot use the host {host}: {error.strerror}") from None
    try:
        if sys.platform != "win32":  # there, this option would let two servers share the port
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
    except OSError as error:
        listener.close()
        raise StartupError(_bind_text(host, port, error, typed)) from None
    return listener


def url_of(listener: socket.socket, host: str) -> str:
    """Return the URL of this socket."""
    shown = f"[{host}]" if ":" in host else host
    return f"http://{shown}:{listener.getsockname()[1]}"


def run(
    app: Starlette,
    listener: socket.socket,
    announce: Callable[[], None],
    connections: int = DEFAULT_MAX_CONNECTIONS,
) -> None:
    """Serve until SIGTERM, SIGINT or SIGHUP, then stop cleanly and return.

    Args:
        app: The application.
        listener: A bound socket.
        announce: Called once, when the server listens.
        connections: How many connections there may be at once.
    """
    most = most_connections(connections)
    # Threads that compute give way to the event loop after this time; the default, 5 ms, is as long as
    # a request takes, and a request needs its turn several times.
    sys.setswitchinterval(0.001)
    config = uvicorn.Config(
        app,
        log_config=None,
        access_log=False,  # web/middleware.py writes the access log
        server_header=False,
        lifespan="on",
        ws="none",
        http=Connections(most).protocol,  # type: ignore[arg-type]  # it is only called
        backlog=max(1, min(BACKLOG, most // 2)),
        timeout_graceful_shutdown=GRACE,
    )
    server = _Server(config, announce, app.state.streams)

    def stop(_signal: int, _frame: Any) -> None:
        server.should_exit = True

    # For the moments before uvicorn installs its own handlers, and for the signal that it raises again at its end.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, stop)
    # The terminal was closed; `nohup` has it ignored.
    if sys.platform != "win32" and signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:
        signal.signal(signal.SIGHUP, stop)
    # What is there now stays: no collection of garbage needs to look through it again, which takes long.
    gc.collect()
    gc.freeze()
    server.run(sockets=[listener])


def stop_when_stdin_closes() -> None:
    """Stop this process, as SIGTERM does, when its standard input ends: with the program that holds the other end."""

    def wait() -> None:
        with contextlib.suppress(OSError, ValueError):
            while os.read(sys.stdin.fileno(), 1024):
                pass
        signal.raise_signal(signal.SIGTERM)

    threading.Thread(target=wait, name="arcrun-stdin", daemon=True).start()


class _Server(uvicorn.Server):
    def __init__(
        self, config: uvicorn.Config, announce: Callable[[], None], streams: OpenStreams
    ) -> None:
        super().__init__(config)
        self._announce = announce
        self._streams = streams

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if self.started:
            self._announce()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        self._streams.end()  # they would last until the grace of other requests is over
        await super().shutdown(sockets)


def _bind_text(host: str, port: int, error: OSError, typed: str) -> str:
    if error.errno == errno.EADDRINUSE:
        return (
            f"port {port} on {host} is in use by another program.\n"
            f"Stop that program, or take a free port: {typed} --port 0"
        )
    if error.errno in {errno.EACCES, errno.EPERM}:
        return f"port {port} needs rights that this user has not; name one above 1023 with --port"
    return f"cannot listen on {host} port {port}: {error.strerror}"
