"""Serve a package index on loopback for as long as the rehearsal needs one, and upload to it.

`python -m scripts.release.python.index FOLDER` prints the URL of the index and serves it until it is
stopped. It runs in a process of its own because pypiserver installs import hooks.
"""

from __future__ import annotations

import contextlib
import sys
from pathlib import Path
from socketserver import ThreadingMixIn
from typing import TYPE_CHECKING, Any
from wsgiref.simple_server import WSGIServer, make_server

from scripts import ROOT, processes
from scripts.release.environment import neutral, require_loopback

if TYPE_CHECKING:
    from collections.abc import Iterator

    from scripts.release.artifacts import Artifact

START_SECONDS = 30.0


@contextlib.contextmanager
def package_index(folder: Path, log: Path) -> Iterator[str]:
    """Serve a package index; yield its base URL.

    The system picks a free port. The index has only what was uploaded to it: nothing falls through
    to the public index.

    Args:
        folder: Keeps the uploads; created if it does not exist.
        log: Receives the log of the index.

    Raises:
        processes.NotStarted: It did not start.
    """
    folder.mkdir(parents=True, exist_ok=True)
    command = [sys.executable, "-W", "ignore", "-m", "scripts.release.python.index", str(folder)]
    with (
        log.open("a", encoding="utf-8") as output,
        processes.started(command, stderr=output, cwd=ROOT) as process,
    ):
        yield processes.first_line(process, log, START_SECONDS)


def upload_files(artifacts: list[Artifact], index: str, home: Path, log: Path) -> None:
    """Upload exactly these files to an index on loopback, with twine.

    Args:
        artifacts: The files.
        index: The URL of the index.
        home: An empty folder, in place of the caller's home with its settings.
        log: Receives what twine prints.

    Raises:
        NotLoopback: The index is on another machine; nothing was sent.
        processes.CommandFailed: The index refused one.
    """
    require_loopback(index)
    home.mkdir(parents=True, exist_ok=True)
    files = [str(artifact.path) for artifact in artifacts]
    command = [sys.executable, "-m", "twine", "upload", "--non-interactive"]
    command += ["--disable-progress-bar", "--repository-url", index]
    # The index accepts any account, and twine requires one.
    env = {**neutral(home), "TWINE_USERNAME": "rehearsal", "TWINE_PASSWORD": "rehearsal"}
    processes.run([*command, *files], log=log, env=env, inherit=False)


class _ThreadedServer(ThreadingMixIn, WSGIServer):
    daemon_threads = True


def main(arguments: list[str]) -> None:
    """Serve a folder; print the URL once requests are accepted."""
    import pypiserver  # noqa: PLC0415 - only in this process: see the module's docstring

    app: Any = pypiserver.app(
        roots=[Path(arguments[0])],
        authenticate=[],
        password_file=".",  # noqa: S106 - this is how pypiserver spells "none"
        disable_fallback=True,
        hash_algo="sha256",
        overwrite=False,
    )
    with make_server("127.0.0.1", 0, app, _ThreadedServer) as server:
        print(f"http://127.0.0.1:{server.server_port}/", flush=True)
        server.serve_forever()


if __name__ == "__main__":
    main(sys.argv[1:])
