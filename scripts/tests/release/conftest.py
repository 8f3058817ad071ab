"""A caller whose settings name another server than the rehearsal's own."""

import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest


class Listener:
    """A server that another machine could be: it counts who connects, and answers nothing."""

    def __init__(self) -> None:
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._socket.getsockname()[1]}"
        self.received: list[bytes] = []
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self._socket.accept()
            except OSError:
                return
            with connection:
                self.received.append(connection.recv(65536))

    def close(self) -> None:
        self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()


@pytest.fixture
def foreign() -> Iterator[Listener]:
    listener = Listener()
    yield listener
    listener.close()


@pytest.fixture
def hostile(foreign: Listener, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[bytes]:
    """The settings of a caller who publishes to another server; what that server received."""
    home = tmp_path / "callers home"
    home.mkdir()
    npmrc = f"@arcrun:registry={foreign.url}/\n{foreign.url[5:]}/:_authToken=secret\n"
    (home / ".npmrc").write_text(npmrc)
    (home / ".pypirc").write_text(f"[pypi]\nrepository={foreign.url}/\nusername=u\npassword=p\n")
    for name, value in {
        "HOME": str(home),
        "NPM_CONFIG_REGISTRY": f"{foreign.url}/",
        "npm_config_globalconfig": str(home / ".npmrc"),
        "npm_config_//registry.npmjs.org/:_authToken": "secret",
        "TWINE_REPOSITORY_URL": f"{foreign.url}/",
        "TWINE_PASSWORD": "secret",
        "UV_PUBLISH_URL": f"{foreign.url}/",
        "HTTP_PROXY": foreign.url,
        "http_proxy": foreign.url,
        "HTTPS_PROXY": foreign.url,
        "ALL_PROXY": foreign.url,
    }.items():
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("NO_PROXY", raising=False)
    monkeypatch.delenv("no_proxy", raising=False)
    return foreign.received
