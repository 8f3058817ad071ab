"""From every earlier version to the present one: nothing is lost, also when the process is killed on the way."""

from __future__ import annotations

import shutil
import sqlite3
import stat
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest
from migrated import ALICE, ALICE_KEY, everything_is_in, failing_half_way, prompt_recipes_are_in

from arcrun_server.errors import StartupError
from arcrun_server.store import Store, migrations, open_database

DATABASES = Path(__file__).parent / "databases"
V1 = DATABASES / "v1"
WAIT = 120

posix = pytest.mark.skipif(sys.platform == "win32", reason="SIGKILL is POSIX")


@pytest.fixture
def v1(tmp_path: Path, request: pytest.FixtureRequest) -> Path:
    """A data folder of arcrun-server 0.1.0."""
    return copied("v1", tmp_path / getattr(request, "param", "data"))


def copied(version: str, folder: Path) -> Path:
    """Return a data folder of an earlier version."""
    folder.mkdir(mode=0o700)
    for name in ("arcrun.db", "server.key"):
        shutil.copyfile(DATABASES / version / name, folder / name)
        (folder / name).chmod(0o600)
    return folder


def version_of(path: Path) -> int:
    with closing(sqlite3.connect(path)) as connection:
        return int(connection.execute("PRAGMA user_version").fetchone()[0])


def dump(path: Path) -> list[str]:
    with closing(sqlite3.connect(path)) as connection:
        return list(connection.iterdump())


def backups(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir() if "backup" in path.name)


def opening(folder: Path, point: str, url: str = "") -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, Path(__file__).parent / "opening.py", folder, url, point],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


@pytest.mark.parametrize(
    "v1",
    [
        *("data", "a%2Fb #1 it's 資料"),
        pytest.param(
            "a?mode=memory",
            marks=pytest.mark.skipif(sys.platform == "win32", reason="no file name on Windows"),
        ),
    ],
    indirect=True,
)
async def test_database_of_version_1_opens_with_everything_in_it(
    v1: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    await everything_is_in(v1, monkeypatch)
    assert version_of(v1 / "arcrun.db") == 4
    assert backups(v1) == ["arcrun.db.backup-v1"]
    assert list(v1.parent.iterdir()) == [v1]


async def test_database_of_version_2_opens_with_everything_in_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = copied("v2", tmp_path / "data")
    assert version_of(folder / "arcrun.db") == 2
    await everything_is_in(folder, monkeypatch, "v2")
    assert version_of(folder / "arcrun.db") == 4
    assert backups(folder) == ["arcrun.db.backup-v2"]
    assert dump(folder / "arcrun.db.backup-v2") == dump(DATABASES / "v2" / "arcrun.db")


async def test_database_of_version_3_opens_with_everything_in_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = copied("v3", tmp_path / "data")
    assert version_of(folder / "arcrun.db") == 3
    await everything_is_in(folder, monkeypatch, "v3")
    store = Store(folder)
    await prompt_recipes_are_in(store, ALICE["v3"])
    store.close()
    assert version_of(folder / "arcrun.db") == 4
    assert backups(folder) == ["arcrun.db.backup-v3"]


def test_backup_is_the_database_as_it_was(v1: Path) -> None:
    Store(v1).close()
    assert backups(v1) == ["arcrun.db.backup-v1"]
    backup = v1 / "arcrun.db.backup-v1"
    assert version_of(backup) == 1
    assert dump(backup) == dump(V1 / "arcrun.db")
    if sys.platform != "win32":
        assert stat.S_IMODE(backup.stat().st_mode) == 0o600


def test_backup_has_what_is_still_in_the_write_ahead_log(v1: Path) -> None:
    with closing(sqlite3.connect(v1 / "arcrun.db")) as other:
        other.execute("UPDATE accounts SET created_at = 7")
        other.commit()
        assert (v1 / "arcrun.db-wal").stat().st_size > 0
        Store(v1).close()
    with closing(sqlite3.connect(v1 / "arcrun.db.backup-v1")) as backup:
        assert backup.execute("SELECT DISTINCT created_at FROM accounts").fetchall() == [(7,)]


def test_other_backup_of_the_same_version_is_kept(v1: Path) -> None:
    (v1 / "arcrun.db.backup-v1").write_text("of last year")
    Store(v1).close()
    assert backups(v1) == ["arcrun.db.backup-v1", "arcrun.db.backup-v1.2"]
    assert (v1 / "arcrun.db.backup-v1").read_text() == "of last year"
    assert version_of(v1 / "arcrun.db.backup-v1.2") == 1


def test_fresh_database_has_no_backup(tmp_path: Path) -> None:
    Store(tmp_path / "data").close()
    Store(tmp_path / "data").close()
    assert backups(tmp_path / "data") == []


@posix
@pytest.mark.parametrize(
    ("point", "left"),
    [
        ("before the backup is named", ["arcrun.db.backup-draft"]),
        ("before the first change", ["arcrun.db.backup-v1"]),
        ("between two changes", ["arcrun.db.backup-v1"]),
        ("before the commit", ["arcrun.db.backup-v1"]),
    ],
)
async def test_killed_upgrade_leaves_the_database_as_it_was(
    point: str, left: list[str], v1: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    process = opening(v1, point)
    out, err = process.communicate(timeout=WAIT)
    assert (process.returncode, out) == (-9, ""), err
    assert backups(v1) == left
    assert version_of(v1 / "arcrun.db") == 1
    assert dump(v1 / "arcrun.db") == dump(V1 / "arcrun.db")
    await everything_is_in(v1, monkeypatch)
    assert backups(v1) == ["arcrun.db.backup-v1"], "the same content needs no second copy"


async def test_failing_upgrade_leaves_the_database_as_it_was(
    v1: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        broken = (*migrations.MIGRATIONS[:1], failing_half_way)
        patch.setattr(migrations, "MIGRATIONS", broken)
        for _ in range(3):
            with pytest.raises(StartupError, match="cannot upgrade") as caught:
                Store(v1)
    assert str(v1 / "arcrun.db") in str(caught.value)
    assert "was left as it was" in str(caught.value)
    assert backups(v1) == ["arcrun.db.backup-v1"], "attempts don't fill the disk"
    assert version_of(v1 / "arcrun.db") == 1
    await everything_is_in(v1, monkeypatch)


def test_backup_that_can_not_be_written_stops_the_upgrade(
    v1: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> bool:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("arcrun_server.store.backup.publish", full)
    with pytest.raises(StartupError, match="No space left on device"):
        Store(v1)
    assert version_of(v1 / "arcrun.db") == 1
    assert backups(v1) == []


def test_backup_that_sqlite_can_not_finish_leaves_no_files(
    v1: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On a full disk, SQLite leaves the log of the copy and its index, which hold secrets too."""

    def full(_path: Path, draft: Path) -> None:
        for ending in ("", "-wal", "-shm"):
            draft.with_name(draft.name + ending).write_bytes(b"a part")
        raise sqlite3.OperationalError("disk I/O error")

    monkeypatch.setattr("arcrun_server.store.backup.copy_database", full)
    with pytest.raises(StartupError, match="the disk may be full"):
        Store(v1)
    assert version_of(v1 / "arcrun.db") == 1
    assert backups(v1) == []


async def test_of_two_processes_that_start_at_once_one_upgrades_and_the_other_waits(
    v1: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = opening(v1, "wait before the commit")
    assert first.stdout
    assert first.stdout.readline() == "stopped\n"
    second = opening(v1, "nowhere")
    with pytest.raises(subprocess.TimeoutExpired):
        second.wait(1)
    for process in (first, second):
        out, err = process.communicate("go on\n", timeout=WAIT)
        assert (process.returncode, out) == (0, "opened\n"), err
    assert backups(v1) == ["arcrun.db.backup-v1"]
    await everything_is_in(v1, monkeypatch)


async def test_two_processes_may_start_at_once_on_a_new_database(
    tmp_path: Path, database_kind: str, database_url: str | None
) -> None:
    first = opening(tmp_path, "wait before the commit", database_url or "")
    assert first.stdout
    assert first.stdout.readline() == "stopped\n"
    second = opening(tmp_path, "nowhere", database_url or "")
    with pytest.raises(subprocess.TimeoutExpired):
        second.wait(1)
    for process in (first, second):
        out, err = process.communicate("go on\n", timeout=WAIT)
        assert (process.returncode, out) == (0, "opened\n"), err


@posix
@pytest.mark.parametrize("point", ["before the first change", "before the commit"])
def test_new_database_can_be_made_after_a_kill(
    point: str, tmp_path: Path, database_kind: str, database_url: str | None
) -> None:
    process = opening(tmp_path, point, database_url or "")
    out, err = process.communicate(timeout=WAIT)
    assert (process.returncode, out) == (-9, ""), err
    store = Store(tmp_path, database_url)
    store.accounts.create(ALICE_KEY)
    store.close()


def test_database_of_a_newer_version_is_left_alone(
    tmp_path: Path, database_kind: str, database_url: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        newer = (*migrations.MIGRATIONS, lambda _connection: None)
        patch.setattr(migrations, "MIGRATIONS", newer)
        open_database(tmp_path, database_url).close()
    with pytest.raises(StartupError, match=r"newer.*schema 5, this one knows 4") as caught:
        open_database(tmp_path, database_url)
    assert "Install the newer version" in str(caught.value)


def test_old_and_fresh_databases_are_alike_to_the_letter(v1: Path, tmp_path: Path) -> None:
    def schema(path: Path) -> set[str]:
        with closing(sqlite3.connect(path)) as connection:
            return {row[0] for row in connection.execute("SELECT sql FROM sqlite_schema")}

    Store(v1).close()
    Store(tmp_path / "fresh").close()
    assert schema(v1 / "arcrun.db") == schema(tmp_path / "fresh" / "arcrun.db")
