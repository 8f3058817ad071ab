from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import httpx
import postgresql_server
import pytest
from server_process import WAIT, ServerProcess

from arcrun_server.accounts.keys import HEADER, new_key
from arcrun_server.app import create_app
from arcrun_server.settings import Settings
from arcrun_server.store import Store

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator
    from pathlib import Path

    from postgresql_server import PostgreSQLServer

# The tests in these files run on SQLite and on PostgreSQL, those in other files on SQLite.
ON_BOTH_DATABASES = {
    "test_account_keys",
    "test_key_rotation",
    "test_log_in_stores",
    "test_auth_recipes",
    "test_credentials",
    "test_durability",
    "test_durable_runs",
    "test_hooks",
    "test_run_events",
    "test_following_runs",
    "test_late_callbacks",
    "test_repeated_requests",
    "test_max_running",
    "test_health",
    "test_run_retention",
    "test_paging",
    "test_pinned_recipes",
    "test_prompt_recipe_tests",
    "test_prompt_recipes",
    "test_recipe_references",
    "test_recipe_versions",
    "test_recipes",
    "test_runs",
    "test_scheduled_workflows",
    "test_schedules",
    "test_server_key",
    "test_shipped_prompts",
    "test_workflows",
}


@dataclass
class Api:
    """The application, called over ASGI as one account or without a key."""

    app: Any
    client: httpx.AsyncClient
    store: Store
    key: str | None = None

    async def __call__(self, method: str, path: str, **options: Any) -> httpx.Response:
        headers = {HEADER: self.key} if self.key else {}
        headers.update(options.pop("headers", {}))
        return await self.client.request(method, path, headers=headers, **options)

    def as_account(self) -> Api:
        """Create one more account and call as it."""
        key = new_key()
        self.store.accounts.create(key)
        return Api(self.app, self.client, self.store, key)


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "sqlite: about SQLite's file, so there is no other database")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run on both databases what is about neither."""
    if "database_kind" not in metafunc.fixturenames:
        return
    path = metafunc.definition.path
    both = path.parent.name == "store" or path.stem in ON_BOTH_DATABASES
    if both and metafunc.definition.get_closest_marker("sqlite") is None:
        metafunc.parametrize("database_kind", ["sqlite", "postgresql"], indirect=True)


@pytest.fixture
def database_kind(request: pytest.FixtureRequest) -> str:
    """The kind of database that the test runs on: `sqlite` or `postgresql`."""
    return getattr(request, "param", "sqlite")


@pytest.fixture(scope="session")
def postgresql(testrun_uid: str) -> Iterator[PostgreSQLServer]:
    """The PostgreSQL server of this test run."""
    postgresql_server.require()
    with postgresql_server.shared_server(testrun_uid) as server:
        yield server


@pytest.fixture
def database_url(database_kind: str, request: pytest.FixtureRequest) -> str | None:
    """The URL of an empty PostgreSQL database, or None for SQLite."""
    if database_kind == "sqlite":
        return None
    server: PostgreSQLServer = request.getfixturevalue("postgresql")
    return server.schema()


@pytest.fixture(scope="session")
def new_store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The data folder of a new store on SQLite, to be copied: to make one takes longer than most tests."""
    folder = tmp_path_factory.mktemp("sqlite") / "data"
    Store(folder).close()
    return folder


@pytest.fixture(scope="session")
def new_postgresql_store(
    tmp_path_factory: pytest.TempPathFactory, postgresql: PostgreSQLServer
) -> tuple[Path, str]:
    """The data folder of a new store on PostgreSQL, and SQL that makes its tables."""
    folder = tmp_path_factory.mktemp("postgresql") / "data"
    url = postgresql.schema()
    Store(folder, url).close()
    return folder, postgresql.dump(url)


@pytest.fixture
def store(
    tmp_path: Path, database_url: str | None, request: pytest.FixtureRequest
) -> Iterator[Store]:
    """A new store of its own."""
    if database_url is None:
        folder = request.getfixturevalue("new_store")
    else:
        folder, tables = request.getfixturevalue("new_postgresql_store")
        postgresql_server.execute(database_url, tables)
    shutil.copytree(folder, tmp_path / "data")
    store = Store(tmp_path / "data", database_url)
    yield store
    store.close()


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(data_dir=tmp_path / "data", dev=True)


@pytest.fixture
async def nobody(store: Store, settings: Settings) -> AsyncIterator[Api]:
    app = create_app(settings, store)
    transport = httpx.ASGITransport(app=app)
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=transport, base_url="http://localhost") as client,
    ):
        yield Api(app, client, store)


@pytest.fixture
def alice(nobody: Api) -> Api:
    return nobody.as_account()


@pytest.fixture
def bob(nobody: Api) -> Api:
    return nobody.as_account()


@pytest.fixture
def failing(monkeypatch: pytest.MonkeyPatch) -> Callable[..., Any]:
    """Make one method of an object raise for the length of a `with` block."""

    @contextmanager
    def fail(target: object, name: str, error: Exception) -> Iterator[None]:
        async def broken(*_: object, **__: object) -> None:
            raise error

        with monkeypatch.context() as patch:
            patch.setattr(target, name, broken)
            yield

    return fail


@pytest.fixture
def serve() -> Iterator[Callable[..., ServerProcess]]:
    """Start servers that end with the test."""
    started: list[ServerProcess] = []

    def start(*arguments: object, **environment: str) -> ServerProcess:
        server = ServerProcess(("--port", "0", *map(str, arguments)), environment)
        started.append(server)
        return server

    yield start
    for server in started:
        if server.process.returncode is None:
            server.stop(signal.SIGKILL)


@pytest.fixture
def command() -> Callable[..., subprocess.CompletedProcess[str]]:
    """Run a command of `arcrun-server` that ends by itself."""

    def run(*arguments: object, **environment: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "arcrun_server", *map(str, arguments)],
            capture_output=True,
            text=True,
            timeout=WAIT,
            check=False,
            env={**os.environ, **environment},
        )

    return run
