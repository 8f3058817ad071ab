"""A package registry on loopback, for as long as the rehearsal needs one.

`python -m scripts.release.python.index FOLDER` serves one until it is ended, and prints its URL first. It runs
in a process of its own because pypiserver brings import hooks along that nobody else should have.
"""

from __future__ import annotations

import contextlib
import sys
from pathlib import Path
from socketserver import ThreadingMixIn
from typing import TYPE_CHECKING, Any
from wsgiref.simple_server import WSGIServer, make_server

from scripts import ROOT, processes

if TYPE_CHECKING:
    from collections.abc import Iterator

    from scripts.release.python.build import Artifact

START_SECONDS = 30.0


@contextlib.contextmanager
def python_registry(folder: Path, log: Path) -> Iterator[str]:
    """Serve an empty PyPI-like registry; yield its base URL.

    The port is a free one that the system picks, so a taken port is never in the way. The registry
    knows our packages only: nothing falls through to the public index.

    Args:
        folder: Where uploads are kept; made if it is not there.
        log: Receives what the registry logs.

    Raises:
        processes.NotStarted: It did not come up.
    """
    folder.mkdir(parents=True, exist_ok=True)
    command = [sys.executable, "-W", "ignore", "-m", "scripts.release.python.index", str(folder)]
    with (
        log.open("a", encoding="utf-8") as output,
        processes.started(command, stderr=output, cwd=ROOT) as process,
    ):
        yield processes.first_line(process, log, START_SECONDS)


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


class _ThreadedServer(ThreadingMixIn, WSGIServer):
    daemon_threads = True


def main(arguments: list[str]) -> None:
    """Serve the folder that is named; print the URL once it can be asked."""
    import pypiserver  # noqa: PLC0415 - here only: see the module's docstring

    app: Any = pypiserver.app(
        roots=[Path(arguments[0])],
        authenticate=[],
        password_file=".",  # noqa: S106 - pypiserver's word for none
        disable_fallback=True,
        hash_algo="sha256",
        overwrite=False,
    )
    with make_server("127.0.0.1", 0, app, _ThreadedServer) as server:
        print(f"http://127.0.0.1:{server.server_port}/", flush=True)
        server.serve_forever()


if __name__ == "__main__":
    main(sys.argv[1:])
