"""`arcrun-server doctor`: what it finds, and that it changes nothing (docs/operating.md#check)."""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
import sys
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import httpx
import pytest

from arcrun_server import clock
from arcrun_server.cli import main
from arcrun_server.maintenance import folder_checks
from arcrun_server.store import Store, migrations

if TYPE_CHECKING:
    from collections.abc import Callable

    from postgresql_server import PostgreSQLServer

DATABASES = Path(__file__).parent / "store" / "databases"
posix = pytest.mark.skipif(sys.platform == "win32", reason="file modes are POSIX")

KEY = "ak_" + "a" * 48


class Doctor(NamedTuple):
    """What the command found: the code with which it ended, and all checks by name."""

    code: int
    statuses: dict[str, str]
    findings: dict[str, dict[str, str]]
    text: str


@pytest.fixture
async def data(tmp_path: Path) -> Path:
    """A data folder with an account that has a plain credential."""
    folder = tmp_path / "data"
    store = Store(folder)
    store.accounts.create(KEY)
    account = await store.accounts.of_key(KEY)
    assert account is not None
    await store.credentials.push(account, "token", {"value": "a-secret-value"})
    store.close()
    return folder


@pytest.fixture
def doctor(capsys: pytest.CaptureFixture[str]) -> Callable[..., Doctor]:
    """Run the command with `--json`, and then as people do."""

    def run(data: Path, *options: str) -> Doctor:
        capsys.readouterr()
        arguments = ["doctor", "--data", str(data), *options]
        code = main([*arguments, "--json"])
        report = json.loads(capsys.readouterr().out)
        assert main(arguments) == code
        shown = capsys.readouterr()
        assert shown.err == ""
        assert report["ok"] is (code == 0)
        findings = {check["check"]: check for check in report["checks"]}
        for check in report["checks"]:
            assert f"{check['status']:<5} {check['check']}" in shown.out
            assert ("fix" in check) is (check["status"] != "ok")
        statuses = {name: check["status"] for name, check in findings.items()}
        return Doctor(code, statuses, findings, shown.out + json.dumps(report))

    return run


def content(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def wrong(found: Doctor) -> dict[str, str]:
    return {name: status for name, status in found.statuses.items() if status != "ok"}


# --- all is well -------------------------------------------------------------------------------------


def test_folder_with_all_that_a_server_needs_is_well_and_stays_as_it_is(
    data: Path, doctor: Callable[..., Doctor]
) -> None:
    before = content(data)
    found = doctor(data)
    assert (found.code, wrong(found)) == (0, {})
    assert (
        found.findings["secrets"]["message"] == "the server key opens a credential that is stored"
    )
    assert content(data) == before
    assert "a-secret-value" not in found.text
    assert (data / "server.key").read_text().strip().partition(":")[2] not in found.text


def test_folder_of_a_server_that_runs_is_examined_beside_it(
    serve: Callable[..., Any], data: Path, doctor: Callable[..., Doctor]
) -> None:
    url = serve("--json", "--data", data).ready()["url"]
    found = doctor(data)
    assert (found.code, wrong(found)) == (0, {})
    headers = {"X-Arcrun-API-Key": KEY}
    sent = {"name": "another", "value": "v"}
    assert httpx.post(f"{url}/credentials", json=sent, headers=headers).status_code == 200


# --- the folder and the key --------------------------------------------------------------------------


def test_folder_that_is_not_there_is_not_made(
    tmp_path: Path, doctor: Callable[..., Doctor]
) -> None:
    found = doctor(tmp_path / "typo")
    assert (found.code, wrong(found)) == (1, {"folder": "fail"})
    assert "--data" in found.findings["folder"]["fix"]
    assert not (tmp_path / "typo").exists()


def test_file_in_place_of_the_folder_fails(tmp_path: Path, doctor: Callable[..., Doctor]) -> None:
    (tmp_path / "file").touch()
    found = doctor(tmp_path / "file")
    assert (found.code, wrong(found)) == (1, {"folder": "fail"})


def test_empty_folder_is_ready_for_a_first_start(
    tmp_path: Path, doctor: Callable[..., Doctor]
) -> None:
    folder = tmp_path / "new"
    folder.mkdir(mode=0o700)
    found = doctor(folder)
    assert (found.code, wrong(found)) == (0, {"server key": "warn", "database": "warn"})
    assert content(folder) == {}


@posix
@pytest.mark.parametrize(
    ("name", "mode", "expected", "fix"),
    [
        ("", 0o770, {"folder": "fail"}, "chmod go-w"),
        ("", 0o755, {"folder": "warn"}, "chmod 700"),
        ("server.key", 0o644, {"server key": "fail", "secrets": "fail"}, "chmod 600"),
        ("arcrun.db", 0o666, {"database": "fail"}, "chmod go-w"),
    ],
)
def test_rights_of_others_are_found(
    name: str,
    mode: int,
    expected: dict[str, str],
    fix: str,
    *,
    data: Path,
    doctor: Callable[..., Doctor],
) -> None:
    (data / name).chmod(mode)
    found = doctor(data)
    assert wrong(found) == expected
    assert found.code == (1 if "fail" in expected.values() else 0)
    assert fix in found.findings[next(iter(expected))]["fix"]


@posix
def test_folder_of_another_user_is_warned_of(
    data: Path, doctor: Callable[..., Doctor], monkeypatch: pytest.MonkeyPatch
) -> None:
    somebody = os.geteuid() + 1
    monkeypatch.setattr(folder_checks.os, "geteuid", lambda: somebody)
    found = doctor(data)
    assert (found.code, wrong(found)) == (0, {"folder": "warn"})


@posix
def test_key_that_the_servers_user_can_not_read_fails(
    data: Path, doctor: Callable[..., Doctor]
) -> None:
    if os.geteuid() != 0:
        pytest.skip("only root can give a file away")
    os.chown(data / "server.key", 54321, -1)
    found = doctor(data)
    assert (found.code, wrong(found)) == (1, {"server key": "fail"})
    assert "chown root" in found.findings["server key"]["fix"]


def test_key_that_is_missing_fails(data: Path, doctor: Callable[..., Doctor]) -> None:
    (data / "server.key").unlink()
    found = doctor(data)
    assert (found.code, wrong(found)) == (1, {"server key": "fail", "secrets": "fail"})
    assert not (data / "server.key").exists()


def test_key_of_another_database_fails(
    data: Path, tmp_path: Path, doctor: Callable[..., Doctor]
) -> None:
    Store(tmp_path / "other").close()
    shutil.copy(tmp_path / "other" / "server.key", data / "server.key")
    found = doctor(data)
    assert (found.code, wrong(found)) == (1, {"secrets": "fail"})


def test_credential_that_was_altered_fails(data: Path, doctor: Callable[..., Doctor]) -> None:
    changed(data, "UPDATE credentials SET at_rest = randomblob(60)")
    found = doctor(data)
    assert (found.code, wrong(found)) == (1, {"secrets": "fail"})
    assert "'token'" in found.findings["secrets"]["message"]


@pytest.mark.parametrize(
    ("free", "expected"), [(10_000_000, {"space": "fail"}), (500_000_000, {"space": "warn"})]
)
def test_disk_that_is_nearly_full_is_found(
    free: int,
    expected: dict[str, str],
    data: Path,
    doctor: Callable[..., Doctor],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    usage = shutil.disk_usage(data)._replace(free=free)
    monkeypatch.setattr(folder_checks.shutil, "disk_usage", lambda _: usage)
    assert wrong(doctor(data)) == expected


MOUNTS = """\
22 1 254:0 / / rw,relatime shared:1 - ext4 /dev/root rw
31 22 0:40 / {0}/share\\040a rw,relatime shared:2 master:1 - nfs4 server:/export rw,vers=4.2
32 22 0:41 / {0}/sharedisk rw - xfs /dev/sdb rw
33 31 0:42 / {0}/share\\040a rw - cifs //server/share rw
"""


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="Linux lists mounts")
def test_kind_of_a_file_system_is_that_of_the_nearest_mount(tmp_path: Path) -> None:
    tmp_path = tmp_path.resolve()
    mounts = tmp_path / "mountinfo"
    mounts.write_text(MOUNTS.format(tmp_path))
    for name, kind in (
        ("share a", "cifs"),
        ("share a/data", "cifs"),
        ("sharedisk/data", "xfs"),
        ("share", "ext4"),
        ("elsewhere", "ext4"),
    ):
        (tmp_path / name).mkdir(parents=True, exist_ok=True)
        assert folder_checks.file_system_of(tmp_path / name, mounts) == kind
    assert folder_checks.file_system_of(tmp_path, tmp_path / "nowhere") is None


@pytest.mark.parametrize(
    ("kind", "sqlite", "status"),
    [("nfs4", True, "warn"), ("fuse.sshfs", True, "warn"), ("nfs4", False, "ok")],
)
def test_sqlite_on_a_network_file_system_is_warned_of(
    kind: str, sqlite: bool, status: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(folder_checks, "file_system_of", lambda _: kind)
    assert folder_checks.check_file_system(tmp_path, sqlite=sqlite).status == status


# --- the database ------------------------------------------------------------------------------------


def changed(data: Path, *statements: str) -> None:
    with closing(sqlite3.connect(data / "arcrun.db", isolation_level=None)) as connection:
        for statement in statements:
            connection.execute(statement)


@pytest.mark.parametrize("version", ["v1", "v2", "v3"])
def test_earlier_schema_is_said_to_be_upgraded_and_is_not(
    version: str, tmp_path: Path, doctor: Callable[..., Doctor]
) -> None:
    folder = tmp_path / "old"
    folder.mkdir(mode=0o700)
    for name in ("arcrun.db", "server.key"):
        shutil.copyfile(DATABASES / version / name, folder / name)
        (folder / name).chmod(0o600)
    before = content(folder)
    found = doctor(folder)
    assert (found.code, wrong(found)) == (0, {"schema": "warn"})
    assert f"upgrades it to {migrations.newest_version()}" in found.findings["schema"]["message"]
    assert content(folder) == before


def test_newer_schema_fails(data: Path, doctor: Callable[..., Doctor]) -> None:
    changed(data, f"PRAGMA user_version={migrations.newest_version() + 1}")
    found = doctor(data)
    assert (found.code, wrong(found)) == (1, {"database": "fail"})
    assert "newer arcrun-server" in found.findings["database"]["message"]


@pytest.mark.parametrize("kind", ["text", "another program's", "damaged", "a folder"])
def test_database_that_can_not_be_used_fails(
    kind: str, data: Path, doctor: Callable[..., Doctor]
) -> None:
    path = data / "arcrun.db"
    if kind == "text":
        path.write_text("no database " * 100)
    elif kind == "another program's":
        changed(data, "PRAGMA application_id=1")
    elif kind == "damaged":
        # The list of free pages names one that is not there.
        with path.open("r+b") as file:
            file.seek(32)
            file.write((10_000_000).to_bytes(4, "big") + (1).to_bytes(4, "big"))
    else:
        path.unlink()
        path.mkdir()
    found = doctor(data)
    assert found.code == 1
    assert wrong(found) == {"database": "fail"}


def test_database_that_another_process_locks_fails(
    data: Path, doctor: Callable[..., Doctor], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("arcrun_server.maintenance.sqlite_checks._WAIT_SECONDS", 0.1)
    with closing(sqlite3.connect(data / "arcrun.db", isolation_level=None)) as connection:
        connection.execute("BEGIN IMMEDIATE")
        found = doctor(data)
        connection.execute("ROLLBACK")
    assert (found.code, wrong(found)) == (1, {"database": "fail"})
    assert "locked by another process" in found.findings["database"]["message"]


LATER = "(created_at + 3600)"
RECORDS = {
    "api_keys": f"UPDATE api_keys SET created_at = {LATER}",
    "workflows": f"""
        INSERT INTO workflows (account, name, description, graph, created_at_ms)
        SELECT account, 'w', '', '{{}}', {LATER} * 1000 FROM api_keys""",
    "executions": f"""
        INSERT INTO executions (account, workflow, started_at_ms, verdict, duration_ms, message)
        SELECT account, 'w', {LATER} * 1000, 'success', 1, '' FROM api_keys""",
    "runs": f"""
        INSERT INTO runs (id, account, status, trigger, segment, executor, plan, input, created_at_ms)
        SELECT 'run_1', account, 'queued', 'api', 0, '', '', '', {LATER} * 1000 FROM api_keys""",
}


@pytest.mark.parametrize("table", RECORDS)
def test_clock_before_the_newest_record_fails(
    table: str, data: Path, doctor: Callable[..., Doctor]
) -> None:
    changed(data, RECORDS[table])
    found = doctor(data)
    assert (found.code, wrong(found)) == (1, {"clock": "fail"})


# --- settings and PostgreSQL -------------------------------------------------------------------------


def test_setting_of_a_wrong_form_fails(
    data: Path, doctor: Callable[..., Doctor], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ARCRUN_SERVER_RUN_SECONDS", "soon")
    found = doctor(data)
    assert (found.code, wrong(found)) == (1, {"settings": "fail"})
    assert "ARCRUN_SERVER_RUN_SECONDS" in found.findings["settings"]["message"]


def test_settings_are_named_without_their_values(
    data: Path, doctor: Callable[..., Doctor], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ARCRUN_SERVER_PUBLIC_URL", "https://engine.example/s3cret")
    found = doctor(data)
    assert "ARCRUN_SERVER_PUBLIC_URL" in found.findings["settings"]["message"]
    assert "s3cret" not in found.text


@pytest.fixture
def on_postgresql(postgresql: PostgreSQLServer, tmp_path: Path) -> tuple[Path, str]:
    """A data folder and a PostgreSQL database that a server has used."""
    url = postgresql.schema("s3cret")
    Store(tmp_path / "data", url).close()
    return tmp_path / "data", url


def test_postgresql_is_examined_without_its_password_being_shown(
    on_postgresql: tuple[Path, str], doctor: Callable[..., Doctor]
) -> None:
    data, url = on_postgresql
    found = doctor(data, "--database", url)
    assert (found.code, wrong(found)) == (0, {})
    assert "PostgreSQL 18" in found.findings["database"]["message"]
    assert {"clocks", "schema", "secrets"} <= set(found.statuses)
    assert "s3cret" not in found.text


def test_machine_without_the_key_of_its_postgresql_database_fails(
    on_postgresql: tuple[Path, str], doctor: Callable[..., Doctor]
) -> None:
    data, url = on_postgresql
    (data / "server.key").unlink()
    found = doctor(data, "--database", url)
    assert (found.code, wrong(found)) == (1, {"server key": "warn", "secrets": "fail"})


def test_empty_postgresql_database_stays_empty(
    postgresql: PostgreSQLServer, tmp_path: Path, doctor: Callable[..., Doctor]
) -> None:
    import psycopg

    url = postgresql.schema()
    folder = tmp_path / "new"
    folder.mkdir(mode=0o700)
    found = doctor(folder, "--database", url)
    assert (found.code, wrong(found)) == (0, {"server key": "warn"})
    with psycopg.connect(url) as connection:
        query = "SELECT count(*) FROM pg_class WHERE relnamespace = current_schema()::regnamespace"
        assert connection.execute(query).fetchone() == (0,)


def test_postgresql_that_only_reads_fails(
    on_postgresql: tuple[Path, str], doctor: Callable[..., Doctor]
) -> None:
    data, url = on_postgresql
    found = doctor(data, "--database", f"{url}%20-c%20default_transaction_read_only%3Don")
    assert (found.code, wrong(found)) == (1, {"database": "fail"})
    assert "can only be read" in found.findings["database"]["message"]


def test_clock_apart_from_that_of_postgresql_fails(
    on_postgresql: tuple[Path, str],
    doctor: Callable[..., Doctor],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    data, url = on_postgresql
    (tmp_path / "ahead").write_text("3600")
    monkeypatch.setattr(clock, "_ahead", [tmp_path / "ahead"])
    found = doctor(data, "--database", url)
    assert (found.code, wrong(found)) == (1, {"clocks": "fail"})


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("postgresql://alice:s3cret@127.0.0.1:1/arcrun", "connection refused"),
        ("mysql://alice:s3cret@127.0.0.1/arcrun", "must be a URL of PostgreSQL"),
    ],
)
def test_postgresql_that_can_not_be_reached_fails(
    url: str, expected: str, data: Path, doctor: Callable[..., Doctor]
) -> None:
    found = doctor(data, "--database", url)
    assert (found.code, wrong(found)) == (1, {"database": "fail"})
    assert expected in found.findings["database"]["message"]
    assert "s3cret" not in found.text
