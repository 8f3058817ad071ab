"""Backups of a data folder, also of a server that works (docs/operating.md#back-up)."""

from __future__ import annotations

import asyncio
import itertools
import json
import os
import shutil
import signal
import sqlite3
import stat
import sys
import zipfile
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from backed_up import backup, data, ended_at, killed, labels, names, restored, with_little_room
from durable_server import Engine, Service, accept, calls, ended, push, service, until
from migrated import everything_is_in
from server_process import names_of_credentials

from arcrun_server.cli import main
from arcrun_server.maintenance.archive import open_archive
from arcrun_server.store import Store

if TYPE_CHECKING:
    from collections.abc import Callable

    from postgresql_server import PostgreSQLServer

__all__ = ["backup", "data", "service"]

DATABASES = Path(__file__).parent / "store" / "databases"
BACKUP_MODULE = "arcrun_server.maintenance.backup"
RESTORE_MODULE = "arcrun_server.maintenance.restore"
posix = pytest.mark.skipif(sys.platform == "win32", reason="it needs POSIX")


# --- a server that works meanwhile -------------------------------------------------------------------


async def test_backups_of_a_server_that_writes_hold_all_that_was_confirmed_before(
    serve: Callable[..., Any], command: Callable[..., Any], tmp_path: Path
) -> None:
    key = command("keys", "create", "--data", tmp_path / "data").stdout.strip()
    ready = serve("--json", "--data", tmp_path / "data", "--log-level", "warning").ready()
    confirmed: list[str] = []
    numbers = itertools.count()
    stopping = asyncio.Event()

    async def write(client: httpx.AsyncClient) -> None:
        while not stopping.is_set():
            name = f"c{next(numbers)}"
            sent = {"name": name, "value": f"value of {name}"}
            response = await client.post("/credentials", json=sent)
            assert response.status_code == 200, response.text
            confirmed.append(name)

    headers = {"X-Arcrun-API-Key": key}
    before: list[set[str]] = []
    async with httpx.AsyncClient(base_url=ready["url"], headers=headers, timeout=60) as client:
        writers = [asyncio.create_task(write(client)) for _ in range(4)]
        for number in range(3):
            before.append(set(confirmed))
            file = tmp_path / f"{number}.zip"
            made = await asyncio.to_thread(command, "backup", file, "--data", tmp_path / "data")
            assert made.returncode == 0, made.stderr
        stopping.set()
        await asyncio.gather(*writers)
        everything = await names_of_credentials(client)
    assert before[1], "the server has written while it was backed up"
    for number, at_least in enumerate(before):
        folder = tmp_path / f"restored-{number}"
        assert restored(tmp_path / f"{number}.zip", folder) == 0
        server = serve("--json", "--data", folder, "--log-level", "warning")
        url = (await asyncio.to_thread(server.ready))["url"]
        async with httpx.AsyncClient(base_url=url, headers=headers, timeout=60) as client:
            found = await names_of_credentials(client)
        assert at_least <= found <= everything
        await asyncio.to_thread(server.stop)


class AcceptedRuns:
    """A run that is paused and two that wait for a service, and what becomes of them.

    Args:
        service: What they ask.
    """

    def __init__(self, service: Service) -> None:
        self._service = service
        self._ids: list[str] = []
        self._asked: dict[str, int] = {}

    async def accept(self, client: httpx.AsyncClient) -> None:
        """Have a server that executes few runs at once accept them; the last one may be queued."""
        service = self._service
        service.answers["/ask"] = json.dumps({"pending": True, "task_id": "task-1"}).encode()
        asks = {"id": "ask", "type": "Component", "componentId": f"{service.url}/ask", "data": {}}
        await push(client, "asking", {"nodes": [asks], "edges": []})
        await push(client, "steps", calls(service, "/a", "/b"))
        await push(client, "later", calls(service, "/c"))
        paused = await accept(client, "asking")
        await until(client, paused, lambda run: run.get("status") == "paused")
        for path in ("/b", "/c"):
            service.hold(path)
        running = await accept(client, "steps")
        await service.arrived("/b")
        self._ids = [paused, running, await accept(client, "later")]

    def server_has_ended(self) -> None:
        """Note what the server has asked for, and let the service answer the next one."""
        self._asked = {path: len(keys) for path, keys in self._service.received.items()}
        for path in ("/b", "/c"):
            self._service.release(path)

    async def end(self, client: httpx.AsyncClient) -> None:
        """Check that each of them ends on a server that was restored."""
        paused, running, later = self._ids
        assert (await ended(client, running))["status"] == "succeeded"
        assert (await ended(client, later))["status"] == "succeeded"
        callback = {"task_id": "task-1", "data": {"n": 1}}
        resumed = (await client.post("/workflows/resume", json=callback)).json()
        assert resumed["success"] is True
        assert (await ended(client, paused))["status"] == "succeeded"
        received = self._service.received
        again = {path: len(keys) - self._asked.get(path, 0) for path, keys in received.items()}
        assert again == {"/ask": 0, "/a": 0, "/b": 1, "/c": 1}
        assert len(received["/b"]) == 2
        assert all(len(set(keys)) == 1 for keys in received.values()), "the same Idempotency-Key"


@posix
async def test_restored_server_goes_on_with_what_was_accepted(
    serve: Callable[..., Any], command: Callable[..., Any], service: Service, tmp_path: Path
) -> None:
    folder, moved = tmp_path / "data", tmp_path / "moved"
    folders = iter([folder, moved])
    engine = Engine(
        lambda: serve("--dev", "--json", "--data", next(folders), ARCRUN_SERVER_RUNS_AT_ONCE="1")
    )
    runs = AcceptedRuns(service)
    await runs.accept(engine.client)
    made = await asyncio.to_thread(command, "backup", tmp_path / "b.zip", "--data", folder)
    assert made.returncode == 0, made.stderr
    await engine.end()
    runs.server_has_ended()
    assert restored(tmp_path / "b.zip", moved) == 0
    await engine.start_again()
    await runs.end(engine.client)
    await engine.client.aclose()


@posix
async def test_server_on_a_restored_dump_goes_on_with_what_was_accepted(
    serve: Callable[..., Any], postgresql: PostgreSQLServer, service: Service, tmp_path: Path
) -> None:
    with postgresql.database() as old, postgresql.database() as new:
        urls = iter([old, new])
        arguments = ["--dev", "--json", "--data", tmp_path / "data"]
        engine = Engine(
            lambda: serve(*arguments, "--database", next(urls), ARCRUN_SERVER_RUNS_AT_ONCE="1")
        )
        runs = AcceptedRuns(service)
        await runs.accept(engine.client)
        dump = tmp_path / "arcrun.dump"
        await asyncio.to_thread(
            postgresql.program, "pg_dump", "--format=custom", f"--file={dump}", old
        )
        await engine.end()
        runs.server_has_ended()
        await asyncio.to_thread(
            postgresql.program, "pg_restore", f"--dbname={new}", "--exit-on-error", dump
        )
        await engine.start_again()
        await runs.end(engine.client)
        await engine.end()


# --- backing up --------------------------------------------------------------------------------------


def test_backup_is_its_owners_only_and_leaves_nothing_else(
    data: Path, backup: Path, tmp_path: Path
) -> None:
    assert names(tmp_path) == ["backup.zip", "data"]
    assert names(data) == ["arcrun.db", "server.key"]
    if sys.platform != "win32":
        assert stat.S_IMODE(backup.stat().st_mode) == 0o600
    with zipfile.ZipFile(backup) as archive:
        assert sorted(archive.namelist()) == ["arcrun.db", "manifest.json", "server.key"]
        assert archive.read("server.key") == (data / "server.key").read_bytes()


def test_backup_without_the_key_is_restored_with_a_copy_of_it(
    data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file, folder, other = tmp_path / "backup.zip", tmp_path / "new", tmp_path / "other"
    assert main(["backup", str(file), "--data", str(data), "--without-key"]) == 0
    with zipfile.ZipFile(file) as archive:
        assert sorted(archive.namelist()) == ["arcrun.db", "manifest.json"]
    assert restored(file, folder) == 1
    assert "--key-file" in capsys.readouterr().err
    Store(other).close()
    assert restored(file, folder, "--key-file", other / "server.key") == 1
    assert "not the one under which the database" in capsys.readouterr().err
    assert not (folder / "arcrun.db").exists()
    assert restored(file, folder, "--key-file", data / "server.key") == 0
    assert labels(folder) == ["laptop"]


def test_backup_never_replaces_a_file(
    data: Path, backup: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    content = backup.read_bytes()
    assert main(["backup", str(backup), "--data", str(data)]) == 1
    assert "never replaces a file" in capsys.readouterr().err
    assert backup.read_bytes() == content


@pytest.mark.parametrize("wrong", ["no data", "no key", "damaged", "of another key", "no folder"])
def test_backup_of_what_can_not_be_restored_is_not_made(
    wrong: str, data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "backup.zip"
    if wrong == "no data":
        data, expected = tmp_path / "typo", "there is no arcrun.db"
    elif wrong == "no key":
        (data / "server.key").unlink()
        expected = "cannot read the server key"
    elif wrong == "damaged":
        damage(data / "arcrun.db")
        expected = "is damaged"
    elif wrong == "of another key":
        Store(tmp_path / "other").close()
        shutil.copy(tmp_path / "other" / "server.key", data / "server.key")
        expected = "not the one under which the database"
    else:
        file, expected = tmp_path / "typo" / "backup.zip", "No such file or directory"
    assert main(["backup", str(file), "--data", str(data)]) == 1
    error = capsys.readouterr().err
    assert expected in error
    assert "Traceback" not in error
    assert not file.exists()
    assert not list(tmp_path.glob(".arcrun-backup-*"))


def damage(database: Path) -> None:
    """Overwrite the pages of an index, which is only noticed by who looks for it."""
    with closing(sqlite3.connect(database)) as connection:
        (page,) = connection.execute(
            "SELECT rootpage FROM sqlite_schema WHERE name = 'api_keys_by_account'"
        ).fetchone()
        (size,) = connection.execute("PRAGMA page_size").fetchone()
    with database.open("r+b") as file:
        file.seek((page - 1) * size)
        # An empty page of an index.
        file.write(bytes([0x0A, 0, 0, 0, 0, size >> 8, size & 0xFF, 0]))


@posix
def test_backup_that_does_not_fit_on_the_disk_leaves_nothing(data: Path, tmp_path: Path) -> None:
    ended = with_little_room("backup", tmp_path / "b.zip", "--data", data)
    assert ended.returncode == 1
    assert "cannot write the backup" in ended.stderr
    assert "Traceback" not in ended.stderr
    assert names(tmp_path) == ["data"]


@posix
@pytest.mark.parametrize("step", ["copy_database", "check_copy", "write_archive", "publish"])
def test_backup_that_is_killed_leaves_no_file_and_its_draft_is_removed_by_the_next(
    step: str, data: Path, tmp_path: Path
) -> None:
    file = tmp_path / "backup.zip"
    killed(f"{BACKUP_MODULE}:{step}:1", "backup", file, "--data", data)
    [draft] = [path for path in tmp_path.iterdir() if path != data]
    assert stat.S_IMODE(draft.stat().st_mode) == 0o700
    os.utime(draft, (0, 0))  # a younger one might be of a process that has just begun
    assert main(["backup", str(file), "--data", str(data)]) == 0
    assert names(tmp_path) == ["backup.zip", "data"]


@posix
@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)])
def test_backup_and_restore_that_are_stopped_leave_nothing(
    number: signal.Signals, code: int, data: Path, backup: Path, tmp_path: Path
) -> None:
    file, folder = tmp_path / "second.zip", tmp_path / "new"
    point = f"{BACKUP_MODULE}:write_archive:1"
    assert ended_at(point, number, "backup", file, "--data", data) == code
    point = f"{RESTORE_MODULE}:check_copy:1"
    assert ended_at(point, number, "restore", backup, "--data", folder) == code
    assert names(tmp_path) == ["backup.zip", "data", "new"]
    assert names(folder) == ["server.lock"]


@posix
def test_draft_of_a_backup_that_is_being_made_is_left_alone(data: Path, tmp_path: Path) -> None:
    from arcrun_server.maintenance import backup as module

    with module._drafts_beside(tmp_path / "one.zip") as drafts:
        os.utime(drafts, (0, 0))
        assert main(["backup", str(tmp_path / "two.zip"), "--data", str(data)]) == 0
        assert drafts.is_dir()


@pytest.mark.parametrize("version", ["v1", "v2", "v3"])
async def test_backup_of_an_earlier_schema_is_restored_and_upgraded(
    version: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    old, folder, file = tmp_path / "old", tmp_path / "new", tmp_path / "backup.zip"
    old.mkdir(mode=0o700)
    for name in ("arcrun.db", "server.key"):
        shutil.copyfile(DATABASES / version / name, old / name)
        (old / name).chmod(0o600)
    assert main(["backup", str(file), "--data", str(old)]) == 0
    with open_archive(file) as archive:
        assert archive.manifest.schema == int(version[1:])
    assert restored(file, folder) == 0
    await everything_is_in(folder, monkeypatch, version)


@pytest.mark.parametrize("action", ["backup", "restore"])
def test_postgresql_is_left_to_its_own_programs(
    action: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ARCRUN_SERVER_DATABASE", "postgresql://alice:s3cret@db/arcrun")
    assert main([action, str(tmp_path / "b"), "--data", str(tmp_path)]) == 1
    error = capsys.readouterr().err
    assert ("/b postgresql://alice@db/arcrun" if action == "backup" else "pg_restore") in error
    assert "s3cret" not in error
