"""Rehearse a release for a caller whose settings are for another server, in a folder with an odd name.

Everything that the caller has configured points to a proxy, which is a server as well. It passes on what
downloads dependencies, and keeps all else: an upload, a key, or traffic that was for this machine.
"""

from __future__ import annotations

import contextlib
import os
import socket
import socketserver
import threading
from functools import partial
from typing import TYPE_CHECKING, cast

from scripts import processes
from scripts.rehearsal import describe
from scripts.release.clones import REHEARSAL, clone, evidence_of, nox

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

NAME = "a caller whose settings are for another server"
FOLDER = "a checkout %2F 的地方"
TIMEOUT_SECONDS = 3600.0
# Where dependencies are downloaded from. A proxy sees the names, and not what is sent.
DOWNLOADS = frozenset({"pypi.org", "files.pythonhosted.org", "registry.npmjs.org"})
# Modules that fail when they are imported; programs of the release import their namesakes.
SHADOWED = ("build", "hatchling", "jsonschema", "pytest", "rich", "twine")


class _Handler(socketserver.StreamRequestHandler):
    def handle(self) -> None:
        server = cast("ForeignServer", self.server)
        first = self.rfile.readline(65536)
        if not first:
            return  # a connection that was given up before a byte was sent
        method, _, target = first.decode("latin-1").partition(" ")
        host, _, port = target.split(" ")[0].partition(":")
        if method != "CONNECT" or host not in DOWNLOADS:
            server.received.append(first.decode("latin-1").strip())
            return
        server.tunnels.append(host)
        while self.rfile.readline(65536).strip():
            pass
        with socket.create_connection((host, int(port))) as upstream:
            self.wfile.write(b"HTTP/1.1 200 OK\r\n\r\n")
            back = threading.Thread(target=_copy, args=(upstream, self.connection))
            back.start()
            _copy(self.connection, upstream)
            back.join()


def _copy(source: socket.socket, target: socket.socket) -> None:
    """Pass on what one side sends, until it ends or either is gone."""
    with contextlib.suppress(OSError):
        while received := source.recv(65536):
            target.sendall(received)
        target.shutdown(socket.SHUT_WR)


class ForeignServer(socketserver.ThreadingTCPServer):
    """The server that the caller has configured for everything.

    Attributes:
        received: The first line of each request that must not have been sent to it.
        tunnels: The host of each connection that it passed on.
    """

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.received: list[str] = []
        self.tunnels: list[str] = []

    @property
    def host(self) -> str:
        """Return its address and port."""
        return f"127.0.0.1:{self.server_address[1]}"


@contextlib.contextmanager
def foreign_server() -> Iterator[ForeignServer]:
    """Serve until the end of the context."""
    with ForeignServer() as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server
        server.shutdown()


def settings(host: str, folder: Path) -> dict[str, str]:
    """Return the variables of a caller who publishes to a server, and has other things in mind."""
    url, token = f"http://{host}/", "a-token-that-must-stay-here"
    modules = folder / "modules"
    for name in SHADOWED:
        (modules / name).mkdir(parents=True)
        (modules / name / "__init__.py").write_text("raise ImportError('of the caller')\n", "utf-8")
    npmrc = folder / "npmrc"
    npmrc.write_text(f"@arcrun:registry={url}\n//{host}/:_authToken={token}\n", "utf-8")
    proxies = ("HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy")
    return {
        **dict.fromkeys(proxies, url),
        "npm_config_globalconfig": str(npmrc),
        f"npm_config_//{host}/:_authToken": token,
        "npm_config_@arcrun:registry": url,
        "TWINE_REPOSITORY_URL": url,
        "TWINE_USERNAME": "__token__",
        "TWINE_PASSWORD": token,
        "UV_PUBLISH_URL": url,
        "UV_PUBLISH_TOKEN": token,
        "ARCRUN_BASE_URL": url,
        "ARCRUN_API_KEY": token,
        "GIT_DIR": str(folder / "nowhere"),
        "SOURCE_DATE_EPOCH": "1",
        "NODE_OPTIONS": f"--require {folder / 'nowhere.js'}",
        "PYTHONPATH": str(modules),
        "PYTHONDONTWRITEBYTECODE": "1",
        "LANG": "C",
        "LC_ALL": "C",
        "TZ": "Asia/Taipei",
    }


def checks() -> dict[str, Callable[[Path], list[str]]]:
    """Return the whole rehearsal, and as a short one its uploads and installations, by name."""
    return {NAME: check, f"{NAME}, until all is installed": partial(check, only="npm_install")}


def check(work: Path, only: str | None = None) -> list[str]:
    """Rehearse with and without such a caller; return what is wrong.

    Args:
        work: An empty folder.
        only: The step that is to run, with those that it needs; all of them without it.
    """
    expected = _hashes(clone(work / "plain"), work / "log")
    root = clone(work / FOLDER)
    with foreign_server() as server:
        caller = {**os.environ, **settings(server.host, work)}
        ended = _rehearse(root, ["--only", only] if only else [], caller, work / "log")
    wrong = [f"the caller's server received: {each}" for each in server.received]
    if not server.tunnels:
        wrong.append("no download passed the caller's server: what it received proves nothing")
    if ended:
        wrong.append(ended)
    if ended and not (root / ".arcrun" / "release" / "runs").is_dir():
        return wrong  # it has not begun
    document = evidence_of(root)
    if not only and document["decision"] != "GO":
        wrong.append("the rehearsal ended with NO-GO")
    found = {each["file"]: each["sha256"] for each in document["artifacts"]}
    if found != expected:
        wrong.append(f"the packages have other hashes: {found}, not {expected}")
    return wrong


def _rehearse(root: Path, options: list[str], caller: dict[str, str], log: Path) -> str:
    """Run the whole session for a caller; return how it failed, or an empty text."""
    try:
        processes.run(
            [*nox(), "-s", "release", "--", *options],
            log=log,
            cwd=root,
            env=caller,
            inherit=False,
            umask=0o077,
            timeout=TIMEOUT_SECONDS,
        )
    except processes.CommandFailed as error:
        return describe(error)
    return ""


def _hashes(root: Path, log: Path) -> dict[str, str]:
    """Build all packages without such a caller; return the hash of each."""
    found = {}
    for step in ("build", "npm_build"):
        processes.run([*REHEARSAL, "--only", step], log=log, cwd=root)
        found.update({each["file"]: each["sha256"] for each in evidence_of(root)["artifacts"]})
    return found
