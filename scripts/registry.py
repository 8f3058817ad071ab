"""A package registry on loopback, for as long as the rehearsal needs one."""

from __future__ import annotations

import contextlib
import sys
import threading
from socketserver import ThreadingMixIn
from typing import TYPE_CHECKING, Any
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

import pypiserver

from scripts import processes

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from scripts.artifacts import Artifact


class _ThreadedServer(ThreadingMixIn, WSGIServer):
    daemon_threads = True


@contextlib.contextmanager
def python_registry(folder: Path, log: Path) -> Iterator[str]:
    """Serve an empty PyPI-like registry; yield its base URL.

    The port is a free one that the system picks, so a taken port is never in the way. The registry
    knows our packages only: nothing falls through to the public index.

    Args:
        folder: Where uploads are kept; must be empty.
        log: Receives one line a request.
    """
    folder.mkdir(parents=True, exist_ok=True)
    app = pypiserver.app(
        roots=[folder],
        authenticate=[],
        password_file=".",  # noqa: S106 - "." is pypiserver's word for none
        disable_fallback=True,
        hash_algo="sha256",
        overwrite=False,
    )
    with log.open("a", encoding="utf-8") as output:

        class Handler(WSGIRequestHandler):
            def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
                output.write(format % args + "\n")

        with make_server("127.0.0.1", 0, app, _ThreadedServer, Handler) as server:
            thread = threading.Thread(target=server.serve_forever, daemon=True)
            thread.start()
            try:
                yield f"http://127.0.0.1:{server.server_port}/"
            finally:
                server.shutdown()
                thread.join()


def upload(artifacts: list[Artifact], registry: str, log: Path) -> None:
    """Publish just these files to a registry, with twine.

    Raises:
        processes.CommandFailed: The registry refused one.
    """
    files = [str(artifact.path) for artifact in artifacts]
    command = [sys.executable, "-m", "twine", "upload", "--non-interactive"]
    command += ["--disable-progress-bar", "--repository-url", registry]
    # The registry on loopback takes any account; twine insists on sending one.
    env = {"TWINE_USERNAME": "rehearsal", "TWINE_PASSWORD": "rehearsal"}
    processes.run([*command, *files], log=log, env=env)
