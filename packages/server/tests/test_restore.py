"""Restoring a backup into a new data folder (docs/operating.md#restore)."""

from __future__ import annotations

import json
import stat
import sys
import zipfile
from typing import TYPE_CHECKING, Any

import pytest
from backed_up import backup, data, killed, labels, names, restored, with_little_room

from arcrun_server.store import Store, migrations

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

__all__ = ["backup", "data"]

RESTORE_MODULE = "arcrun_server.maintenance.restore"
posix = pytest.mark.skipif(sys.platform == "win32", reason="it needs POSIX")


def test_restored_folder_is_its_owners_only(backup: Path, tmp_path: Path) -> None:
    folder = tmp_path / "deep" / "new"
    assert restored(backup, folder) == 0
    assert labels(folder) == ["laptop"]
    if sys.platform != "win32":
        modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in folder.iterdir()}
        assert set(modes.values()) == {0o600}
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700


def test_folder_that_holds_data_is_not_restored_into(
    data: Path, backup: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    content = (data / "arcrun.db").read_bytes()
    assert restored(backup, data) == 1
    assert "holds data" in capsys.readouterr().err
    assert (data / "arcrun.db").read_bytes() == content
    Store(tmp_path / "other").close()
    (tmp_path / "other" / "arcrun.db").unlink()
    assert restored(backup, tmp_path / "other") == 1
    assert "server.key is there already and is another one" in capsys.readouterr().err
    assert not (tmp_path / "other" / "arcrun.db").exists()


def test_folder_of_a_running_server_is_not_restored_into(
    serve: Callable[..., Any], backup: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pid = serve("--json", "--data", tmp_path / "busy").ready()["pid"]
    assert restored(backup, tmp_path / "busy") == 1
    assert f"another server (process {pid})" in capsys.readouterr().err


@posix
@pytest.mark.parametrize(
    ("point", "left"),
    [
        (f"{RESTORE_MODULE}:_extract:1", []),
        (f"{RESTORE_MODULE}:check_copy:1", []),
        (f"{RESTORE_MODULE}:publish:1", []),
        (f"{RESTORE_MODULE}:publish:2", ["server.key"]),
    ],
)
def test_restore_that_is_killed_leaves_no_database_and_can_be_begun_again(
    point: str, left: list[str], backup: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "new"
    killed(point, "restore", backup, "--data", folder)
    assert names(folder) == [".restore-draft", *left, "server.lock"]
    assert restored(backup, folder) == 0
    assert names(folder) == ["arcrun.db", "server.key", "server.lock"]
    assert labels(folder) == ["laptop"]


@posix
def test_restore_that_does_not_fit_on_the_disk_leaves_no_data(backup: Path, tmp_path: Path) -> None:
    ended = with_little_room("restore", backup, "--data", tmp_path / "new")
    assert ended.returncode == 1
    assert "cannot restore" in ended.stderr
    assert "Traceback" not in ended.stderr
    assert names(tmp_path / "new") == ["server.lock"]


def rewritten(backup: Path, **changes: bytes | None) -> Path:
    """Return a copy of a backup in which files are others, more, or missing (None)."""
    with zipfile.ZipFile(backup) as archive:
        files: dict[str, bytes | None] = {name: archive.read(name) for name in archive.namelist()}
    files |= changes
    copy = backup.with_name("changed.zip")
    with zipfile.ZipFile(copy, "w") as archive:
        for name, content in files.items():
            if content is not None:
                archive.writestr(name, content)
    return copy


def manifest_of(backup: Path) -> dict[str, Any]:
    with zipfile.ZipFile(backup) as archive:
        manifest: dict[str, Any] = json.loads(archive.read("manifest.json"))
    return manifest


def assert_refused(
    file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], expected: str
) -> None:
    folder = tmp_path / "new"
    assert restored(file, folder) == 1
    error = capsys.readouterr().err
    assert expected in error
    assert "Traceback" not in error
    assert not folder.exists() or names(folder) == ["server.lock"]


@pytest.mark.parametrize("part", ["middle", "end", "text", "other zip", "missing"])
def test_damaged_backup_is_refused(
    part: str, backup: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    content = bytearray(backup.read_bytes())
    if part == "middle":
        content[len(content) // 3] ^= 0xFF
    elif part == "end":
        del content[-100:]
    elif part == "text":
        content = bytearray(b"no archive " * 100)
    backup.write_bytes(content)
    expected = "is damaged, or is not a backup of arcrun-server"
    if part == "other zip":
        with zipfile.ZipFile(backup, "w") as archive:
            archive.writestr("holiday.jpg", b"")
    elif part == "missing":
        backup.unlink()
        expected = "No such file or directory"
    assert_refused(backup, tmp_path, capsys, expected)


@pytest.mark.parametrize("name", ["../evil", "/tmp/evil", "arcrun.db-wal", "sub/arcrun.db"])
def test_no_file_is_written_under_a_name_from_the_backup(
    name: str, backup: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    more = rewritten(backup, **{name: b"evil"})
    assert_refused(more, tmp_path, capsys, "does not hold the files that its manifest names")
    manifest = manifest_of(backup)
    manifest["files"][name] = {"bytes": 4, "sha256": "0" * 64}
    more = rewritten(backup, **{name: b"evil", "manifest.json": json.dumps(manifest).encode()})
    assert_refused(more, tmp_path, capsys, "names other files")
    assert not (tmp_path / "evil").exists()


@pytest.mark.parametrize("name", ["arcrun.db", "server.key"])
def test_file_that_is_not_what_the_manifest_says_is_refused(
    name: str, backup: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with zipfile.ZipFile(backup) as archive:
        content = archive.read(name)
    swapped = bytes([*content[:-2], content[-2] ^ 1, content[-1]])
    for changed in (swapped, content + bytes(3_000_000), content[:-1]):
        file = rewritten(backup, **{name: changed})
        assert_refused(file, tmp_path, capsys, f"{name} is not what the manifest says")
    assert_refused(rewritten(backup, **{name: None}), tmp_path, capsys, "does not hold the files")


@pytest.mark.parametrize(
    ("field", "value", "expected"),
    [
        ("format", "another", "is of something else"),
        ("format_version", 2, "a format that this arcrun-server does not know"),
        ("schema", migrations.newest_version() + 1, "made by a newer arcrun-server"),
        ("schema", 3, "the schema of its database is not what the manifest says"),
        ("schema", "much", "lacks something"),
        ("files", [], "lacks something"),
        ("files", {}, "names other files"),
    ],
)
def test_manifest_of_another_kind_is_refused(
    field: str,
    value: Any,
    expected: str,
    *,
    backup: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    manifest = json.dumps(manifest_of(backup) | {field: value}).encode()
    changes: dict[str, bytes | None] = {"manifest.json": manifest}
    if value == {}:
        changes |= {"arcrun.db": None, "server.key": None}
    assert_refused(rewritten(backup, **changes), tmp_path, capsys, expected)
