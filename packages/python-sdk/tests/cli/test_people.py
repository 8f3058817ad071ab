"""What people do beside storing and running: `logs`, `trigger`, `setup`, `kb import`, `completion`."""

from __future__ import annotations

import base64
import json
import os
import pty
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

SECRET = "whsec_" + base64.b64encode(b"0123456789abcdef0123").decode()
UPPER = """\
name: upper
flow: ["input >> PIPE >> big"]
config: {big: {component: comp_uppercase}}
"""
HOOKED = UPPER.replace("upper", "hooked", 1) + "webhook: {secret: hook_secret}\n"
FAILING = """\
name: failing
flow: ["input >> PIPE >> call"]
config: {call: {component: trigger_workflow, workflow_name: nothing}}
"""


@pytest.fixture
def stored(acr, engine, tmp_path: Path) -> None:
    for name, text in {"upper": UPPER, "hooked": HOOKED}.items():
        (tmp_path / f"{name}.yaml").write_text(text)
        assert acr("push", tmp_path / f"{name}.yaml").code == 0


@pytest.fixture
def following() -> Iterator[Any]:
    """Start `acr` with these arguments; it is ended afterwards."""
    started: list[subprocess.Popen[str]] = []

    def start(*arguments: str) -> subprocess.Popen[str]:
        command = [sys.executable, "-m", "arcrun.cli", *arguments]
        started.append(
            subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        )
        return started[-1]

    yield start
    for process in started:
        process.kill()
        process.communicate()


def run_id_of(acr: Any, *arguments: str) -> str:
    return str(acr("run", *arguments, "--json").json["run_id"])


def test_logs_show_the_newest_runs_in_the_order_of_time(acr, stored) -> None:
    first, second = run_id_of(acr, "upper", "text=a"), run_id_of(acr, "upper", "text=b")
    lines = acr("logs", "--json").lines
    assert list(dict.fromkeys(line["run_id"] for line in lines)) == [first, second]
    assert [line["status"] for line in lines if line["run_id"] == first] == [
        "queued", "running", "ok", "ok", "succeeded",
    ]  # fmt: skip
    assert {line["run_id"] for line in acr("logs", "--limit", "1", "--json").lines} == {second}
    assert {line["run_id"] for line in acr("logs", first, "--json").lines} == {first}
    assert acr("logs", "--workflow", "hooked", "--json").lines == []


def test_logs_say_why_a_node_failed(acr, stored, tmp_path: Path) -> None:
    (tmp_path / "failing.yaml").write_text(FAILING)
    acr("push", tmp_path / "failing.yaml")
    acr("run", "failing")
    lines = acr("logs", "--workflow", "failing", "--json").lines
    assert any(line.get("error") for line in lines)
    assert "✗ call" in acr("logs", "--workflow", "failing").out


def test_logs_follow_runs_that_begin(acr, stored, following) -> None:
    before = run_id_of(acr, "upper", "text=before")
    process = following("logs", "-f", "--json")
    assert json.loads(process.stdout.readline())["run_id"] == before
    after = run_id_of(acr, "upper", "text=after")
    for line in process.stdout:
        event = json.loads(line)
        if event["run_id"] == after and event["status"] == "succeeded":
            break


def test_logs_of_one_run_end_with_it(acr, stored) -> None:
    run_id = run_id_of(acr, "upper", "text=a")
    assert acr("logs", run_id, "-f", "--json").lines[-1]["status"] == "succeeded"


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (("0" * 32,), 3, "acr runs list"),
        (("0" * 32, "--workflow", "upper"), 2, "either"),
        (("--limit", "0"), 2, "limit"),
        (("--workflow", "no-such"), 3, "no-such"),
    ],
)
def test_logs_that_cannot_be_shown(acr, engine, arguments, code: int, said: str) -> None:
    ended = acr("logs", *arguments)
    assert ended.code == code
    assert said in ended.err


def test_a_signed_trigger_starts_a_run_once_for_each_id(acr, stored, monkeypatch) -> None:
    acr("creds", "push", "hook_secret", stdin=SECRET)
    ended = acr("trigger", "hooked", "text=hi", "--signed", "--json", stdin=SECRET)
    assert ended.json["accepted"] is True
    assert SECRET not in ended.out + ended.err
    monkeypatch.setenv("ARCRUN_SECRET_HOOK_SECRET", SECRET)
    again = [acr("trigger", "hooked", "--signed", "--webhook-id", "msg_1", "--json") for _ in "ab"]
    assert again[0].json["run_id"] == again[1].json["run_id"] != ended.json["run_id"]


def test_an_unsigned_trigger_is_refused(acr, stored) -> None:
    acr("creds", "push", "hook_secret", stdin=SECRET)
    ended = acr("trigger", "hooked", "text=hi", "--json")
    assert ended.code != 0
    assert '"invalid_signature"' in ended.err


@pytest.mark.parametrize(
    ("arguments", "stdin", "said"),
    [
        (("upper", "--signed"), SECRET, "takes no webhooks"),
        (("hookd", "--signed"), SECRET, "hooked"),
        (("hooked", "--signed"), "not-a-secret-9f", "whsec_"),
        (("hooked", "--signed"), "", "empty"),
        (("hooked", "--signed"), "whsec_AAAA", "16 bytes"),
    ],
)
def test_a_trigger_that_cannot_be_signed(acr, stored, arguments, stdin: str, said: str) -> None:
    ended = acr("trigger", *arguments, stdin=stdin)
    assert ended.code != 0
    assert said in ended.err
    assert "9f" not in ended.err


def test_a_service_is_set_up_from_lines_of_standard_input(acr, engine) -> None:
    lines = "twilio_account_sid=ACsid-5ec\ntwilio_auth_token=tok=en-5ec\n"
    needed = acr("setup", "twilio", "--dry-run", "--json").json["secrets"]
    assert [secret["key"] for secret in needed] == ["twilio_account_sid", "twilio_auth_token"]
    assert "https://" in needed[0]["help"]
    ended = acr("setup", "twilio", "--account", "work", "--json", stdin=lines)
    assert ended.json["stored"] == ["twilio_account_sid__work", "twilio_auth_token__work"]
    assert "5ec" not in ended.out + ended.err


def test_a_service_with_one_secret_takes_it_as_it_is(acr, engine) -> None:
    ended = acr("setup", "notion", "--json", stdin="ntn_5ec\n")
    assert ended.json["stored"] == ["notion_token"]


@pytest.mark.parametrize(
    ("service", "stdin", "said"),
    [
        ("notoin", "", "did you mean 'notion'"),
        ("twilio", "twilio_account_sid=AC5ec\n", "twilio_auth_token"),
        ("twilio", "twilio_acount_sid=AC5ec\n", "line 1"),
        ("twilio", "AC5ec\n", "line 1"),
        ("notion", "", "empty"),
    ],
)
def test_a_service_that_cannot_be_set_up(acr, engine, service: str, stdin: str, said: str) -> None:
    ended = acr("setup", service, stdin=stdin)
    assert ended.code != 0
    assert said in ended.err
    assert "5ec" not in ended.err
    assert acr("creds", "list", "--json").json["total"] == 0


@pytest.mark.skipif(os.name != "posix", reason="pseudo-terminals are of POSIX")
def test_in_a_terminal_each_secret_is_asked_for_and_not_shown(acr, engine) -> None:
    primary, secondary = pty.openpty()
    command = [sys.executable, "-m", "arcrun.cli", "setup", "twilio", "--json"]
    with subprocess.Popen(
        command, stdin=secondary, stdout=subprocess.PIPE, stderr=secondary, start_new_session=True
    ) as process:
        os.close(secondary)
        shown = b""
        for key in (b"twilio_account_sid (not shown)", b"twilio_auth_token (not shown)"):
            while key not in shown:
                shown += os.read(primary, 1024)
            os.write(primary, b"typed-5ec\n")
        out = process.stdout.read()
        process.wait()
    os.close(primary)
    assert json.loads(out)["stored"] == ["twilio_account_sid", "twilio_auth_token"]
    assert b"https://" in shown
    assert b"5ec" not in shown + out


def test_markdown_files_become_pages_and_stay_so(acr, engine, tmp_path: Path) -> None:
    (tmp_path / "sub" / ".git").mkdir(parents=True)
    (tmp_path / "index.md").write_text("# 首頁\n", "utf-8")
    (tmp_path / "sub" / "天氣.md").write_text("晴", "utf-8")
    (tmp_path / "sub" / ".git" / "x.md").write_text("not a page")
    (tmp_path / "notes.txt").write_text("not a page")

    def states(*options: str) -> dict[str, str]:
        ended = acr("kb", "import", tmp_path, "--json", *options)
        return {page["page_name"]: page["state"] for page in ended.json["pages"]}

    assert states("--dry-run") == {"index": "created", "sub/天氣": "created"}
    assert states() == {"index": "created", "sub/天氣": "created"}
    (tmp_path / "index.md").write_text("# 新首頁\n", "utf-8")
    assert states() == {"index": "replaced", "sub/天氣": "unchanged"}
    assert acr("kb", "get", "index").out == "# 新首頁\n"
    assert len(acr("kb", "get", "index", "--json").json["blocks"]) == 1


def test_one_file_can_be_a_template_for_prompts(acr, engine, tmp_path: Path) -> None:
    (tmp_path / "tone.md").write_text("Be kind.")
    assert acr("kb", "import", tmp_path / "tone.md", "--type", "template").code == 0
    assert acr("kb", "get", "tone", "--json").json["blocks"][0]["type"] == "template"


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("z.md", b"\xff", "z.md is not UTF-8 (byte 0)"),
        ("z.md", b" \n", "z.md is empty"),
        ("z.md", b"a\nb\0c", "z.md, line 2: the character NUL"),
        ("z.md", b"x" * 262_145, "z.md has 262,145 characters; a page has at most 262,144"),
        ("a.markdown", b"two", "a.markdown and "),
    ],
)
def test_files_that_cannot_be_pages_are_named_before_anything_is_written(
    acr, engine, tmp_path: Path, name: str, content: bytes, said: str
) -> None:
    folder = tmp_path / "pages"
    folder.mkdir()
    (folder / "a.md").write_text("the first page")
    (folder / name).write_bytes(content)
    ended = acr("kb", "import", folder)
    assert ended.code == 2
    assert said in " ".join(ended.err.split())
    assert acr("kb", "get", "a").code == 3


@pytest.mark.parametrize("target", ["outside.txt", "../pages-of-others/x.md"])
def test_links_out_of_the_folder_are_refused_and_nothing_is_written(
    acr, engine, tmp_path: Path, target: str
) -> None:
    folder = tmp_path / "pages"
    folder.mkdir()
    (folder / "a.md").write_text("the first page")
    secret = (tmp_path / target).resolve()
    secret.parent.mkdir(exist_ok=True)
    secret.write_text("a private key")
    (folder / "b.md").symlink_to(secret)
    ended = acr("kb", "import", folder)
    assert ended.code == 2
    assert "outside of the folder: nothing was written" in " ".join(ended.err.split())
    assert acr("kb", "get", "a").code == acr("kb", "get", "b").code == 3


def test_a_link_within_the_folder_is_a_page(acr, engine, tmp_path: Path) -> None:
    (tmp_path / "a.md").write_text("the only text")
    (tmp_path / "b.md").symlink_to("a.md")
    assert acr("kb", "import", tmp_path).code == 0
    assert acr("kb", "get", "b").out == "the only text\n"


def test_a_file_that_the_engine_refuses_is_named_and_what_was_written_is_said(
    acr, engine, tmp_path: Path
) -> None:
    (tmp_path / "a.md").write_text("the first page")
    (tmp_path / ("n" * 200)).mkdir()
    deep = tmp_path / ("n" * 200) / ("n" * 200) / ("n" * 200)
    deep.mkdir(parents=True)
    (deep / "z.md").write_text("its name is too long for a page")
    ended = acr("kb", "import", tmp_path, "--json")
    assert ended.code == 2
    error = json.loads(ended.err)
    assert "z.md: " in error["message"]
    assert "1 of 2 files are in the knowledge base" in error["message"]
    assert acr("kb", "get", "a").code == 0


def test_a_folder_that_does_not_exist_is_not_found(acr, engine, tmp_path: Path) -> None:
    ended = acr("kb", "import", tmp_path / "nosuch")
    assert ended.code == 3


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_the_completion_of_a_shell_is_a_script_alone(acr, shell: str) -> None:
    ended = acr("completion", shell)
    assert (ended.code, ended.err) == (0, "")
    assert "_ACR_COMPLETE" in ended.out
    assert acr("completion", shell, "--json").json["script"].strip() == ended.out.strip()


def test_completion_names_commands() -> None:
    environment = {
        **os.environ,
        "_ACR_COMPLETE": "bash_complete",
        "COMP_WORDS": "acr rec",
        "COMP_CWORD": "1",
    }
    ended = subprocess.run(
        [sys.executable, "-m", "arcrun.cli"],
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    assert "plain,recipe" in ended.stdout
