import os
import socket
import subprocess
from pathlib import Path

import pytest
import uv

from scripts.release import hostile
from scripts.release.clones import clone
from scripts.release.environment import for_downloads, neutral


def send(host: str, text: str) -> bytes:
    address, port = host.split(":")
    with socket.create_connection((address, int(port)), timeout=10) as connection:
        connection.sendall(text.encode())
        return connection.recv(100)


@pytest.mark.parametrize(
    "request_line",
    [
        "PUT /@arcrun%2fsdk HTTP/1.1",
        "CONNECT 127.0.0.1:443 HTTP/1.1",
        "CONNECT pypi.org.evil:443 X",
    ],
)
def test_what_is_no_download_is_kept_and_not_answered(request_line: str) -> None:
    with hostile.foreign_server() as server:
        assert send(server.host, f"{request_line}\r\n") == b""
    assert (server.received, server.tunnels) == ([request_line], [])


def test_a_connection_without_a_byte_is_nothing_that_was_received() -> None:
    with hostile.foreign_server() as server:
        address, port = server.host.split(":")
        with socket.create_connection((address, int(port)), timeout=10) as connection:
            connection.shutdown(socket.SHUT_WR)
            assert connection.recv(1) == b""  # it has been handled
    assert server.received == []


def test_a_download_is_passed_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hostile, "DOWNLOADS", {"127.0.0.1"})
    with socket.create_server(("127.0.0.1", 0)) as index, hostile.foreign_server() as server:
        host, port = server.host.split(":")
        with socket.create_connection((host, int(port)), timeout=10) as client:
            client.sendall(f"CONNECT 127.0.0.1:{index.getsockname()[1]} HTTP/1.1\r\n\r\n".encode())
            connection, _ = index.accept()
            with connection:
                assert client.recv(100) == b"HTTP/1.1 200 OK\r\n\r\n"
                client.sendall("套件".encode())
                assert connection.recv(100).decode() == "套件"
                connection.sendall(b"found")
                assert client.recv(100) == b"found"
    assert (server.received, server.tunnels) == ([], ["127.0.0.1"])


def test_such_a_caller_leaves_nothing_in_the_rehearsal_but_the_proxy_for_downloads(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = hostile.settings("127.0.0.1:1", tmp_path)
    for name, value in settings.items():
        monkeypatch.setenv(name, value)
    neither = neutral(tmp_path / "home")
    assert not [name for name, value in settings.items() if neither.get(name) == value]
    left = for_downloads(settings)
    assert {name.upper() for name in left} == {
        "HTTP_PROXY",
        "HTTPS_PROXY",
        "ALL_PROXY",
        "NPM_CONFIG_GLOBALCONFIG",
        "NPM_CONFIG_//127.0.0.1:1/:_AUTHTOKEN",
    }


@pytest.mark.downloads
def test_modules_of_the_caller_are_not_those_that_make_the_environment_of_the_release(
    tmp_path: Path,
) -> None:
    """nox has uv make it, which starts the build backends of our packages, before the rehearsal sees to anything."""
    root = clone(tmp_path / "checkout")
    programs = tmp_path / "nox" / "bin"
    pinned = root / ".github" / "nox.txt"
    for command in (
        (uv.find_uv_bin(), "venv", "--quiet", programs.parent),
        (uv.find_uv_bin(), "pip", "install", "--quiet", "--python", programs.parent, "-r", pinned),
    ):
        subprocess.run(command, check=True)
    settings = hostile.settings("127.0.0.1:1", tmp_path)
    ran = subprocess.run(
        (programs / "nox", "-s", "release", "--install-only"),
        cwd=root,
        env={**os.environ, "PYTHONPATH": settings["PYTHONPATH"]},
        capture_output=True,
        encoding="utf-8",
        check=False,
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert (root / ".nox" / "release" / "bin" / "twine").exists()
