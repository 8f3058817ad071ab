"""A data folder and a backup of it, and commands that are ended on their way."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from arcrun_server.cli import main
from arcrun_server.store import Store


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """A data folder with one key."""
    folder = tmp_path / "data"
    store = Store(folder)
    store.accounts.create("ak_" + "a" * 48, "laptop")
    store.close()
    return folder


@pytest.fixture
def backup(data: Path, tmp_path: Path) -> Path:
    """A backup of that folder."""
    file = tmp_path / "backup.zip"
    assert main(["backup", str(file), "--data", str(data)]) == 0
    return file


def restored(file: Path, folder: Path, *options: object) -> int:
    return main(["restore", str(file), "--data", str(folder), *map(str, options)])


def labels(folder: Path) -> list[str]:
    store = Store(folder, create=False)
    try:
        entries = store.accounts.keys()
        return [entry.label for entry in entries]
    finally:
        store.close()


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def ended_at(point: str, number: signal.Signals, *arguments: object) -> int:
    """Run a command that gets a signal at a point, and return its exit code."""
    program = [sys.executable, Path(__file__).with_name("killed_at.py"), number.name, point]
    ended = subprocess.run(
        [*program, *map(str, arguments)], capture_output=True, text=True, check=False
    )
    assert "Traceback" not in ended.stderr
    return ended.returncode


def killed(point: str, *arguments: object) -> None:
    """Run a command that is killed at a point."""
    assert ended_at(point, signal.SIGKILL, *arguments) == -signal.SIGKILL


def with_little_room(*arguments: object) -> subprocess.CompletedProcess[str]:
    """Run a command that can't write files of more than 64 KiB, as on a disk that is full."""
    import resource

    def limit() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (64 * 1024, 64 * 1024))

    return subprocess.run(
        [sys.executable, "-m", "arcrun_server", *map(str, arguments)],
        capture_output=True,
        text=True,
        check=False,
        preexec_fn=limit,
    )
