"""The command line, in processes of their own."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from arcrun_server import __version__
from arcrun_server.cli import main
from arcrun_server.engine import RunLimits
from arcrun_server.errors import StartupError
from arcrun_server.settings import settings_from
from arcrun_server.store.folder import LOCK_NAME, remove_left_folders

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from postgresql_server import PostgreSQLServer


def test_ready_line_is_all_that_stdout_gets_and_the_server_responds(
    serve: Callable[..., Any],
) -> None:
    server = serve("--dev", "--json")
    ready = server.ready()
    assert set(ready) == {"url", "docs", "version", "pid", "key"}
    assert ready["version"] == __version__
    assert ready["pid"] == server.process.pid
    assert re.fullmatch(r"ak_[0-9a-f]{48}", ready["key"])
    assert httpx.get(f"{ready['url']}/health").json()["ok"] is True
    assert httpx.get(ready["docs"]).status_code == 200
    listed = httpx.get(f"{ready['url']}/credentials", headers={"X-Arcrun-API-Key": ready["key"]})
    assert listed.json()["total"] == 0
    assert server.stop() == 0
    assert len(server.output) == 1
    log = "".join(server.log)
    assert "GET /credentials 200" in log
    assert ready["key"] not in log
    assert "Traceback" not in log


@pytest.mark.skipif(sys.platform == "win32", reason="POSIX signals")
def test_lines_without_json_and_ctrl_c(serve: Callable[..., Any], tmp_path: Path) -> None:
    server = serve("--data", tmp_path / "data")
    server.first_line()
    assert server.stop(signal.SIGINT) == 0
    assert [line.split()[0] for line in server.output] == ["url", "docs"]
    assert (tmp_path / "data" / "arcrun.db").exists()


def test_dev_server_forgets_what_it_kept_in_its_own_folder(
    serve: Callable[..., Any], tmp_path: Path
) -> None:
    server = serve("--dev", "--json", TMPDIR=str(tmp_path))
    server.ready()
    [folder] = tmp_path.iterdir()
    assert (folder / "arcrun.db").exists()
    assert server.stop() == 0
    assert list(tmp_path.iterdir()) == []


def test_dev_server_removes_folders_of_those_that_were_killed_and_no_other(
    serve: Callable[..., Any], tmp_path: Path
) -> None:
    killed = serve("--dev", "--json", TMPDIR=str(tmp_path))
    killed.ready()
    [left] = tmp_path.iterdir()
    serve("--dev", "--json", TMPDIR=str(tmp_path)).ready()
    [in_use] = set(tmp_path.iterdir()) - {left}
    killed.stop(signal.SIGKILL)
    just_made = tmp_path / "arcrun-dev-just-made"
    just_made.mkdir()
    about_to_lock = tmp_path / "arcrun-dev-about-to-lock"
    about_to_lock.mkdir()
    (about_to_lock / LOCK_NAME).touch()
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / LOCK_NAME).write_text("1\n")
    link = tmp_path / "arcrun-dev-link"
    link.symlink_to(elsewhere, target_is_directory=True)
    third = serve("--dev", "--json", TMPDIR=str(tmp_path))
    third.ready()
    third.stop()

    assert set(tmp_path.iterdir()) == {in_use, just_made, about_to_lock, elsewhere, link}
    assert (in_use / "arcrun.db").exists()
    assert (elsewhere / LOCK_NAME).exists()


@pytest.mark.skipif(
    not hasattr(os, "chown") or os.geteuid() != 0, reason="only root can give folders away"
)
def test_the_folder_of_another_user_stays(tmp_path: Path) -> None:
    theirs = tmp_path / "arcrun-dev-theirs"
    theirs.mkdir()
    (theirs / LOCK_NAME).write_text("1\n")
    os.chown(theirs, 12345, 12345)
    remove_left_folders(tmp_path, "arcrun-dev-")

    assert theirs.exists()


def test_dev_servers_key_works_on_its_folder_in_development_mode_only(
    serve: Callable[..., Any], command: Callable[..., Any], tmp_path: Path
) -> None:
    def status(ready: dict[str, Any], key: str) -> int:
        headers = {"X-Arcrun-API-Key": key}
        return httpx.get(f"{ready['url']}/credentials", headers=headers).status_code

    development = ["--dev", "--json", "--data", tmp_path]
    server = serve(*development)
    ready = server.ready()
    key = ready["key"]
    assert status(ready, key) == 200
    assert server.stop(signal.SIGKILL) != 0  # without a moment for clearing up
    assert command("keys", "list", "--data", tmp_path).stdout.split()[3::3] == ["dev-only", "dev"]

    server = serve("--json", "--data", tmp_path)
    assert status(server.ready(), key) == 401
    assert server.stop() == 0

    server = serve(*development)
    assert server.ready()["key"] == key
    assert status(server.ready(), key) == 200


@pytest.mark.skipif(sys.platform == "win32", reason="a shell of POSIX")
def test_dev_server_prints_lines_to_paste_into_a_shell(serve: Callable[..., Any]) -> None:
    server = serve("--dev")
    server.first_line()
    assert server.stop() == 0
    [url] = [line.split()[1] for line in server.output if line.startswith("url ")]
    [key] = [line.split()[1] for line in server.output if line.startswith("key ")]
    script = "".join(line for line in server.output if line.startswith("export "))
    shown = subprocess.run(
        ["/bin/sh", "-c", f'{script}echo "$ARCRUN_BASE_URL $ARCRUN_API_KEY"'],
        capture_output=True,
        text=True,
        check=True,
    )
    assert shown.stdout.split() == [url, key]


@pytest.fixture
def hang_up_not_ignored() -> Iterator[None]:
    """Let servers of the test see SIGHUP, which they ignore if pytest itself runs under nohup."""
    before = signal.signal(signal.SIGHUP, signal.SIG_DFL)
    yield
    signal.signal(signal.SIGHUP, before)


@pytest.mark.skipif(sys.platform == "win32", reason="SIGHUP is POSIX")
@pytest.mark.usefixtures("hang_up_not_ignored")
def test_dev_server_forgets_everything_when_its_terminal_closes(
    serve: Callable[..., Any], tmp_path: Path
) -> None:
    server = serve("--dev", "--json", TMPDIR=str(tmp_path))
    server.ready()
    assert server.stop(signal.SIGHUP) == 0
    assert list(tmp_path.iterdir()) == []


def test_one_server_at_a_time_uses_a_data_folder(
    serve: Callable[..., Any], command: Callable[..., Any], tmp_path: Path
) -> None:
    first = serve("--json", "--data", tmp_path)
    pid = first.ready()["pid"]
    for again in (["--port", 0], ["--port", 0, "--dev"]):
        ended = command("serve", "--data", tmp_path, *again)
        assert (ended.returncode, ended.stdout) == (1, "")
        assert f"another server (process {pid}) is using the data folder {tmp_path}" in ended.stderr
        assert "--database" in ended.stderr
        assert "Traceback" not in ended.stderr
    assert first.stop(signal.SIGKILL) != 0  # the lock ends with its process
    second = serve("--json", "--data", tmp_path)
    assert httpx.get(f"{second.ready()['url']}/health").status_code == 200


def test_dev_server_is_for_this_machine_only(command: Callable[..., Any]) -> None:
    ended = command("serve", "--dev", "--host", "0.0.0.0")
    assert ended.returncode == 1
    assert ended.stdout == ""
    assert "this machine only" in ended.stderr


def test_port_in_use_is_reported_in_one_message(
    command: Callable[..., Any], tmp_path: Path
) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        ended = command("serve", "--dev", "--port", port)
    assert ended.returncode == 1
    assert f"port {port} on 127.0.0.1 is in use" in ended.stderr
    assert "arcrun-server serve --dev --port 0\n" in ended.stderr
    assert "Traceback" not in ended.stderr
    assert ended.stdout == ""


def test_hint_for_a_port_in_use_is_in_terms_of_what_was_typed(command: Callable[..., Any]) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        typed = {"ARCRUN_SERVER_COMMAND": "nox -s serve --"}
        ended = command("serve", "--dev", "--port", port, **typed)
    assert ended.stderr.endswith("take a free port: nox -s serve -- --port 0\n")


@pytest.mark.parametrize("kind", ["text", "readable key", "folder in the way"])
def test_data_that_can_not_be_used_is_reported_in_one_message(
    command: Callable[..., Any], tmp_path: Path, kind: str
) -> None:
    if kind == "text":
        command("keys", "create", "--data", tmp_path)
        (tmp_path / "arcrun.db").write_text("no database " * 100)
        expected = "damaged or is not a SQLite database"
    elif kind == "readable key":
        if sys.platform == "win32":
            pytest.skip("file modes are POSIX")
        command("keys", "create", "--data", tmp_path)
        (tmp_path / "server.key").chmod(0o644)
        expected = "chmod 600"
    else:
        (tmp_path / "arcrun.db").mkdir()
        expected = "cannot open the database"
    ended = command("serve", "--data", tmp_path, "--port", 0)
    assert ended.returncode == 1
    assert ended.stderr.startswith("arcrun-server: ")
    assert expected in ended.stderr
    assert "Traceback" not in ended.stderr


def test_keys_are_made_listed_and_revoked(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    data = str(tmp_path / "data")
    assert main(["keys", "create", "--data", data, "--label", "筆電 laptop"]) == 0
    key = capsys.readouterr().out.strip()
    assert re.fullmatch(r"ak_[0-9a-f]{48}", key)

    assert main(["keys", "list", "--data", data]) == 0
    line = capsys.readouterr().out
    assert key not in line
    key_id, shown, created, state, used, when, label = line.split(maxsplit=6)
    assert shown == f"{key[:9]}…{key[-4:]}"
    assert (used, when, label) == ("used", "never", "筆電 laptop\n")
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", created)
    assert state == "valid"

    assert main(["keys", "revoke", key_id, "--data", data]) == 0
    assert main(["keys", "list", "--data", data]) == 0
    assert capsys.readouterr().out.split()[3] == "revoked"

    assert main(["keys", "revoke", "key_nowhere", "--data", data]) == 1
    assert "no key 'key_nowhere'" in capsys.readouterr().err


def test_label_that_would_change_a_terminal_is_refused(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    assert main(["keys", "create", "--data", str(tmp_path), "--label", "a\x1b[2J"]) == 2
    assert "at most 64 characters, all of them visible" in capsys.readouterr().err


def test_log_is_written_while_the_server_runs(serve: Callable[..., Any]) -> None:
    server = serve("--dev", "--json")
    url = server.ready()["url"]
    for _ in range(3):
        httpx.get(f"{url}/health")
    assert server.logged("GET /health 200"), "a line is there soon, without another request"
    assert server.stop() == 0
    lines = [line for line in server.log if "GET /health 200" in line]
    assert len(lines) == 3
    assert re.fullmatch(
        r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ INFO GET /health 200 \d+\.\d ms [0-9a-f]{32}\n", lines[0]
    )


@pytest.mark.parametrize("action", [["list"], ["revoke", "key_1"]])
def test_folder_without_data_is_not_made_by_looking(
    action: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["keys", *action, "--data", str(tmp_path / "typo")]) == 1
    assert "there is no arcrun.db" in capsys.readouterr().err
    assert not (tmp_path / "typo").exists()


def test_key_made_beside_a_running_server_works_at_once(
    serve: Callable[..., Any], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    url = serve("--json", "--data", tmp_path).ready()["url"]
    main(["keys", "create", "--data", str(tmp_path)])
    headers = {"X-Arcrun-API-Key": capsys.readouterr().out.strip()}
    assert httpx.get(f"{url}/credentials", headers=headers).status_code == 200
    main(["keys", "list", "--data", str(tmp_path)])
    main(["keys", "revoke", capsys.readouterr().out.split()[0], "--data", str(tmp_path)])
    assert httpx.get(f"{url}/credentials", headers=headers).status_code == 401


def test_data_folder_can_be_named_by_the_environment(
    command: Callable[..., Any], tmp_path: Path
) -> None:
    ended = command("keys", "create", ARCRUN_SERVER_DATA=str(tmp_path / "here"))
    assert ended.returncode == 0
    assert (tmp_path / "here" / "server.key").exists()


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("ARCRUN_SERVER_MAX_BODY_BYTES", "much"),
        ("ARCRUN_SERVER_MAX_BODY_BYTES", "0"),
        ("ARCRUN_SERVER_MAX_VALUES", "-1"),
        ("ARCRUN_SERVER_RUN_SECONDS", "1.5"),
        ("ARCRUN_SERVER_CORS_ORIGINS", "arcrun.dev"),
        ("ARCRUN_SERVER_CORS_ORIGINS", "https://arcrun.dev/"),
        ("ARCRUN_SERVER_PUBLIC_URL", "arcrun.dev"),
    ],
)
def test_settings_of_a_wrong_form_are_named(name: str, value: str, tmp_path: Path) -> None:
    with pytest.raises(StartupError, match=name):
        settings_from({name: value}, data_dir=tmp_path)


def test_settings_come_from_the_environment(tmp_path: Path) -> None:
    settings = settings_from(
        {
            "ARCRUN_SERVER_MAX_BODY_BYTES": "1000",
            "ARCRUN_SERVER_RUN_STEPS": "5",
            "ARCRUN_SERVER_RUN_TRACE_BYTES": "600",
            "ARCRUN_SERVER_CORS_ORIGINS": "https://arcrun.dev, http://localhost:3000",
            "ARCRUN_SERVER_PUBLIC_URL": "https://engine.example/",
        },
        data_dir=tmp_path,
    )
    assert settings.max_body_bytes == 1000
    assert settings.run == RunLimits(steps=5, trace_bytes=600)
    assert settings.cors_origins == ("https://arcrun.dev", "http://localhost:3000")
    assert settings.public_url == "https://engine.example"


def test_limits_over_http_are_those_of_the_settings(serve: Callable[..., Any]) -> None:
    limits = {"ARCRUN_SERVER_RUN_STEPS": "2", "ARCRUN_SERVER_MAX_VALUES": "30"}
    ready = serve("--dev", "--json", **limits).ready()
    names = ["a", "b", "c"]
    graph = {
        "nodes": [{"id": n, "type": "Component", "componentId": "comp_counter"} for n in names],
        "edges": [
            {"from": "a", "to": "b", "type": "PIPE"},
            {"from": "b", "to": "c", "type": "PIPE"},
        ],
    }
    with httpx.Client(base_url=ready["url"], headers={"X-Arcrun-API-Key": ready["key"]}) as client:
        ran = client.post("/execute", json={"graph": graph})
        assert "has taken 2 steps, which is the limit" in ran.json()["error"]
        refused = client.post("/execute", json={"graph": graph, "context": {"n": [1] * 30}})
        assert (refused.status_code, refused.json()["code"]) == (413, "too_many_values")


@pytest.mark.parametrize("port", ["-1", "65536", "eighty", "٣"])
def test_port_must_be_a_port(port: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["serve", "--port", port]) == 2
    assert "from 0 to 65535" in capsys.readouterr().err or port == "-1"


def test_body_over_http_is_bounded_by_the_setting(serve: Callable[..., Any]) -> None:
    ready = serve("--dev", "--json", ARCRUN_SERVER_MAX_BODY_BYTES="100").ready()
    response = httpx.post(
        f"{ready['url']}/credentials",
        json={"name": "a", "value": "v" * 100},
        headers={"X-Arcrun-API-Key": ready["key"]},
    )
    assert (response.status_code, response.json()["code"]) == (413, "payload_too_large")
    assert json.loads(response.text)["error"].endswith("100 bytes, which is the limit here")


def test_database_can_be_postgresql(
    serve: Callable[..., Any],
    command: Callable[..., Any],
    postgresql: PostgreSQLServer,
    tmp_path: Path,
) -> None:
    url = postgresql.schema("s3cret")
    key = command("keys", "create", "--data", tmp_path, "--database", url).stdout.strip()
    server = serve("--json", "--data", tmp_path, ARCRUN_SERVER_DATABASE=url)
    ready = server.ready()
    headers = {"X-Arcrun-API-Key": key}
    pushed = httpx.post(
        f"{ready['url']}/credentials", json={"name": "a", "value": "v"}, headers=headers
    )
    assert pushed.status_code == 200
    listed = command("keys", "list", "--data", tmp_path, ARCRUN_SERVER_DATABASE=url)
    assert key[:9] in listed.stdout
    key_id = listed.stdout.split()[0]
    revoked = command("keys", "revoke", key_id, "--data", tmp_path, "--database", url)
    assert revoked.returncode == 0
    assert httpx.get(f"{ready['url']}/credentials", headers=headers).status_code == 401
    assert server.stop() == 0
    assert [path.name for path in tmp_path.iterdir()] == ["server.key"]
    assert "s3cret" not in "".join([*server.log, *server.output, listed.stderr, revoked.stderr])


def test_database_that_can_not_be_used_is_reported_without_its_password(
    command: Callable[..., Any], postgresql: PostgreSQLServer, tmp_path: Path
) -> None:
    url = postgresql.url("nowhere", "s3cret")
    ended = command("serve", "--data", tmp_path, "--port", 0, "--database", url)
    assert (ended.returncode, ended.stdout) == (1, "")
    assert "/nowhere: there is no database of this name" in ended.stderr
    assert "s3cret" not in ended.stderr
    assert "Traceback" not in ended.stderr


def test_dev_server_that_forgets_its_key_takes_no_database(command: Callable[..., Any]) -> None:
    url = "postgresql://alice:s3cret@127.0.0.1:1/arcrun"
    for ended in (
        command("serve", "--dev", "--port", 0, "--database", url),
        command("serve", "--dev", "--port", 0, ARCRUN_SERVER_DATABASE=url),
    ):
        assert ended.returncode == 1
        assert "--data" in ended.stderr
        assert "s3cret" not in ended.stderr


def test_settings_do_not_show_the_password(tmp_path: Path) -> None:
    settings = settings_from({}, data_dir=tmp_path, database_url="postgresql://a:s3cret@db/x")
    assert settings.database_url == "postgresql://a:s3cret@db/x"
    assert "s3cret" not in repr(settings)
