"""From every earlier version to the present one: nothing is lost, also when the process is killed on the way."""

from __future__ import annotations

import json
import shutil
import sqlite3
import stat
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import text
from stored_runs import a_run

from arcrun_server.errors import StartupError
from arcrun_server.kbdb.base import OwnBlocks
from arcrun_server.kbdb.blocks import complete
from arcrun_server.sealing.envelope import open_envelope
from arcrun_server.store import Store, idempotency, migrations, open_database
from arcrun_server.store.pages import PageRequest

if TYPE_CHECKING:
    from postgresql_server import PostgreSQLServer
    from sqlalchemy import Connection

DATABASES = Path(__file__).parent / "databases"
V1 = DATABASES / "v1"
# The account of the same person in the database of each version.
ALICE = {
    "v1": "acc_8f6f1967796c3ace",
    "v2": "acc_dbb344d1f08e261f",
    "v3": "acc_85b520bab7346eaa",
}
ALICE_KEY = "ak_" + "a11ce0" * 8
BOB_KEY = "ak_" + "b0b000" * 8
JANUARY_2026 = 1767225600
WAIT = 120
PAGE = PageRequest(50)

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


async def everything_is_in(
    folder: Path, monkeypatch: pytest.MonkeyPatch, version: str = "v1"
) -> None:
    """Open a folder that was of an earlier version and compare all that was put into it."""
    # Idempotency keys are kept for a day.
    monkeypatch.setattr(idempotency.clock, "now", lambda: JANUARY_2026 + 60)
    store = Store(folder)
    try:
        alice = await store.accounts.of_key(ALICE_KEY)
        assert alice == ALICE[version]
        assert await store.accounts.of_key(BOB_KEY) is None, "it was revoked"
        keys = store.accounts.keys()
        # Both were made in one second, so that their random ids order them.
        assert sorted((key.prefix, key.label, key.revoked_at) for key in keys) == [
            ("ak_a11ce0", "laptop", None),
            ("ak_b0b000", "", JANUARY_2026),
        ]
        assert store.accounts.key_labelled("laptop") == ALICE_KEY
        await credentials_are_in(store, alice)
        await workflows_and_runs_are_in(store, alice)
        assert (await store.auth_recipes.list(alice, PAGE)).entries == [
            {"service": "my_service", "base_url": "https://api.example"}
        ]
        found = await store.api_recipes.get(alice, "rec_3366235b")
        assert found is not None
        assert found["endpoint"] == "https://api.example/send"
        await idempotency_keys_are_in(store, alice)
        await knowledge_base_works(store, alice)
        await runs_can_be_accepted(store, alice)
    finally:
        store.close()


async def knowledge_base_works(store: Store, alice: str) -> None:
    """Since version 3 there are blocks, which are found by their words."""
    fields = complete(
        {"page_name": "天氣", "content": "今天的天氣很好"}
    )  # "the weather is fine today"
    (block,) = await OwnBlocks(store.blocks, alice).create([(None, fields)])
    found = await store.blocks.search(alice, "天氣", PAGE)
    assert block.id in {one.id for one in found.blocks}  # beside those that were there


async def runs_can_be_accepted(store: Store, alice: str) -> None:
    """Since version 4 there are runs."""
    assert await store.runs.accept(a_run("f" * 32, alice))
    page = await store.runs.list(alice, PAGE, workflow="greet", status="queued")
    assert [run["run_id"] for run in page.entries] == ["f" * 32]


async def credentials_are_in(store: Store, alice: str) -> None:
    assert (await store.credentials.list(alice, PAGE)).entries == [
        {
            "name": "notion_key",
            "service": None,
            "sensitivity": "standard",
            "created_at": JANUARY_2026,
            "last_used_at": JANUARY_2026,
        },
        {
            "name": "telegram_token",
            "service": "telegram",
            "sensitivity": "high",
            "created_at": JANUARY_2026,
            "last_used_at": None,
        },
    ]
    plain = await store.credentials.get(alice, "notion_key")
    assert plain is not None
    assert store.credentials.plain_value(alice, plain) == "ntn_明文 plain"
    sealed = await store.credentials.get(alice, "telegram_token")
    assert sealed is not None
    assert sealed.encrypted is not None
    assert sealed.iv == "AAAAAAAAAAAAAAAA"
    opened = open_envelope(ALICE_KEY, "telegram_token", sealed.encrypted, sealed.iv)
    assert opened == "12345:AAF-密鑰"


async def workflows_and_runs_are_in(store: Store, alice: str) -> None:
    assert (await store.workflows.list(alice, PAGE)).entries == [
        {"name": "bare", "description": "no config", "created_at": "2026-01-01T00:00:00.123Z"},
        {
            "name": "greet",
            "description": "把文字轉成大寫",  # "turn the text into capitals"
            "created_at": "2026-01-01T00:00:00.123Z",
        },
    ]
    greet = await store.workflows.get(alice, "greet")
    assert greet is not None
    assert greet.config == {"大寫": {"component": "comp_uppercase"}}
    assert greet.graph["nodes"][1] == {
        "id": "大寫",
        "type": "Component",
        "componentId": "comp_uppercase",
    }
    bare = await store.workflows.get(alice, "bare")
    assert bare is not None
    assert bare.config is None
    runs = (await store.executions.list(alice, "greet", PAGE)).entries
    assert [(run["timestamp"], run["verdict"], run["message"]) for run in runs] == [
        ("2026-01-01T00:00:00.002Z", "success", ""),
        ("2026-01-01T00:00:00.001Z", "failed", "node 大寫 failed"),
        ("2026-01-01T00:00:00.000Z", "success", ""),
    ]


async def idempotency_keys_are_in(store: Store, alice: str) -> None:
    finished = await store.idempotency.claim(alice, "order-1", b"request one")
    assert finished is not None
    assert (finished.same_request, finished.status) == (True, 200)
    assert json.loads(finished.body) == {"success": True, "data": {"text": "你好"}}
    cut_off = await store.idempotency.claim(alice, "order-2", b"another request")
    assert cut_off is not None
    assert (cut_off.same_request, cut_off.status) == (False, None)


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
    assert version_of(folder / "arcrun.db") == 4
    assert backups(folder) == ["arcrun.db.backup-v3"]
    assert dump(folder / "arcrun.db.backup-v3") == dump(DATABASES / "v3" / "arcrun.db")
    store = Store(folder)
    found = await store.blocks.search(ALICE["v3"], "昨天下雨", PAGE)  # "it rained yesterday"
    text_of_a_prompt = await store.prompt_texts.get(ALICE["v3"], "greeting")
    store.close()
    assert [block.page_name for block in found.blocks] == ["天氣"]
    assert text_of_a_prompt is not None
    assert text_of_a_prompt["text"] == "你好 {{name}}"


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


def failing_half_way(connection: Connection) -> None:
    connection.execute(text("ALTER TABLE facts RENAME TO elsewhere"))
    connection.execute(text("DELETE FROM credentials"))
    connection.execute(text("SELECT * FROM nowhere"))


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

    monkeypatch.setattr("arcrun_server.store.backup._copy", full)
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


def test_postgresql_is_upgraded_from_version_1(
    postgresql: PostgreSQLServer, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    url = postgresql.schema()
    with monkeypatch.context() as patch:
        patch.setattr(migrations, "MIGRATIONS", migrations.MIGRATIONS[:1])
        database = open_database(tmp_path, url)
        database.write_now(
            lambda connection: connection.execute(
                text("INSERT INTO facts VALUES ('a', CAST('x' AS bytea))")
            ).close()
        )
        patch.setattr(migrations, "MIGRATIONS", (None, failing_half_way))
        with pytest.raises(StartupError, match="cannot upgrade"):
            open_database(tmp_path, url)
        database.close()
    database = open_database(tmp_path, url)
    found = database.read_now(lambda c: c.execute(text("SELECT name FROM properties")).scalar())
    assert found == "a"
    database.close()


async def test_postgresql_is_upgraded_from_version_2(
    postgresql: PostgreSQLServer, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    url = postgresql.schema()
    with monkeypatch.context() as patch:
        patch.setattr(migrations, "MIGRATIONS", migrations.MIGRATIONS[:2])
        database = open_database(tmp_path, url)
        database.write_now(
            lambda connection: connection.execute(
                text("INSERT INTO accounts VALUES ('acc_alice', 7)")
            ).close()
        )
        patch.setattr(migrations, "MIGRATIONS", (None, None, failing_half_way))
        with pytest.raises(StartupError, match="cannot upgrade"):
            open_database(tmp_path, url)
        database.close()
    store = Store(tmp_path, url)
    await knowledge_base_works(store, "acc_alice")
    store.close()


async def test_postgresql_is_upgraded_from_version_3(
    postgresql: PostgreSQLServer, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    url = postgresql.schema()
    with monkeypatch.context() as patch:
        patch.setattr(migrations, "MIGRATIONS", migrations.MIGRATIONS[:3])
        database = open_database(tmp_path, url)
        database.write_now(
            lambda connection: connection.execute(
                text("INSERT INTO accounts VALUES ('acc_alice', 7)")
            ).close()
        )
        database.close()
    store = Store(tmp_path, url)
    await runs_can_be_accepted(store, "acc_alice")
    store.close()


def test_old_and_fresh_databases_are_alike_to_the_letter(v1: Path, tmp_path: Path) -> None:
    def schema(path: Path) -> set[str]:
        with closing(sqlite3.connect(path)) as connection:
            return {row[0] for row in connection.execute("SELECT sql FROM sqlite_schema")}

    Store(v1).close()
    Store(tmp_path / "fresh").close()
    assert schema(v1 / "arcrun.db") == schema(tmp_path / "fresh" / "arcrun.db")
