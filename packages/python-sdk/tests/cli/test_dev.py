"""`acr dev`, as a process of its own on a project that `acr init` made."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from queue import Queue
from threading import Thread
from typing import Any

import httpx
import pytest

SECONDS = 60  # until an event must have come, on a busy machine

Event = dict[str, Any]


class Dev:
    """`acr dev --json` on a folder, and its events as they come."""

    def __init__(self, folder: Path, *options: str) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "arcrun.cli", "dev", str(folder), "--json", *options],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            encoding="utf-8",
            start_new_session=True,
        )
        self._lines: Queue[str] = Queue()
        Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self._lines.put(line)
        self._lines.put("")

    def until(self, type_: str) -> list[Event]:
        """Return the events up to the first one of a type."""
        events: list[Event] = []
        while not events or events[-1]["type"] != type_:
            line = self._lines.get(timeout=SECONDS)
            assert line, f"it ended after {events}: {self.process.stderr.read()}"  # type: ignore[union-attr]
            events.append(json.loads(line))
        return events

    def interrupt(self) -> int:
        """Press Ctrl-C, and return the exit code."""
        os.killpg(self.process.pid, signal.SIGINT)
        return self.process.wait(SECONDS)

    def close(self) -> None:
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        for pipe in (self.process.stdout, self.process.stderr):
            if pipe:
                pipe.close()


@pytest.fixture
def dev() -> Iterator[Callable[..., Dev]]:
    started: list[Dev] = []

    def start(*arguments: Any) -> Dev:
        started.append(Dev(*arguments))
        return started[-1]

    yield start
    for each in started:
        each.close()


def of_type(events: list[Event], type_: str) -> list[Event]:
    return [event for event in events if event["type"] == type_]


def serves(url: str) -> bool:
    try:
        return httpx.get(f"{url}/health", timeout=5).status_code == 200
    except httpx.TransportError:
        return False


def test_each_save_is_pushed_tested_and_run_whatever_is_saved(dev, project: Path) -> None:
    running = dev(project)
    first = running.until("watching")
    (engine,) = of_type(first, "engine")
    assert serves(engine["url"])
    assert of_type(first, "recipe")[0]["passed"] is True
    assert of_type(first, "prompt")[0]["messages"][1]["content"] == "Greet 小明."
    (ended,) = of_type(first, "ended")
    assert (ended["status"], ended["data"]["greeting"]) == ("succeeded", "早安，小明！")

    workflow = project / "workflows" / "greet.yaml"
    good = workflow.read_text("utf-8")
    workflow.write_text(good + "  card: {component: set}\n", "utf-8")  # the key a second time
    (error,) = of_type(running.until("watching"), "error")
    assert error["code"] == "invalid_yaml"
    assert error["details"][0]["line"] == len(good.splitlines()) + 1

    workflow.write_text(good.replace("component: set", "component: sett"), "utf-8")
    (error,) = of_type(running.until("watching"), "error")
    assert "set" in error["message"]

    workflow.write_text(good.replace("to: ", "recipient: "), "utf-8")
    (ended,) = of_type(running.until("watching"), "ended")
    assert ended["data"]["recipient"] == "小明"

    (project / "inputs" / "greet.json").write_text('{"name": "Ada"}')
    events = running.until("watching")
    assert not of_type(events, "recipe")
    assert of_type(events, "ended")[0]["data"]["greeting"] == "Good morning!"

    recipe = project / "recipes" / "greeting.yaml"
    recipe.write_text(
        recipe.read_text("utf-8").replace("Greet {{name}}.", "Hail {{name}}."), "utf-8"
    )
    events = running.until("watching")
    (tested,) = of_type(events, "recipe")
    assert tested["passed"] is False
    assert "Greet 小明." in tested["tests"][0]["failures"][0]
    assert of_type(events, "ended"), "the workflow that names the recipe runs again"

    (project / "replies.yaml").write_text("- reply: 42\n")
    (error,) = of_type(running.until("watching"), "error")
    assert error["file"] == "replies.yaml"
    (project / "replies.yaml").write_text("- reply: Ahoy!\n")
    events = running.until("watching")
    assert of_type(events, "engine")[0] == engine, "the address and the key are the same"
    assert of_type(events, "ended")[0]["data"]["greeting"] == "Ahoy!"

    workflow.unlink()
    assert of_type(running.until("watching"), "deleted")[0]["file"] == "workflows/greet.yaml"

    assert running.interrupt() == 130
    assert not serves(engine["url"])
    assert json.loads(running.process.stderr.read())["code"] == "interrupted"


def test_a_save_during_a_run_takes_its_place(dev, project: Path) -> None:
    workflow = project / "workflows" / "greet.yaml"
    good = workflow.read_text("utf-8")
    slow = good.replace("component: set", "component: wait\n    milliseconds: 30000")
    workflow.write_text(slow, "utf-8")
    running = dev(project)
    running.until("run")
    workflow.write_text(good, "utf-8")
    events = running.until("watching")
    assert of_type(events, "superseded")
    events = running.until("watching")
    assert of_type(events, "ended")[0]["status"] == "succeeded"


def test_the_engine_ends_with_it_even_if_it_is_killed(dev, project: Path) -> None:
    running = dev(project)
    (engine,) = running.until("engine")
    host, _, port = engine["url"].removeprefix("http://").rpartition(":")
    with socket.create_connection((host, int(port)), timeout=SECONDS) as connection:
        running.process.kill()
        assert connection.recv(1) == b"", "the engine closes its connections when it ends"


def test_once_ends_with_1_if_a_step_failed(acr, project: Path) -> None:
    assert acr("dev", project, "--once", "--json").code == 0
    workflow = project / "workflows" / "greet.yaml"
    workflow.write_text(workflow.read_text("utf-8") + "name: again\n", "utf-8")
    ended = acr("dev", project, "--once")
    assert ended.code == 1
    assert "workflows/greet.yaml" in ended.out
    assert "^" in ended.out
    assert "1 step failed" in ended.err


def test_a_node_that_fails_is_shown_at_its_place(acr, project: Path) -> None:
    workflow = project / "workflows" / "greet.yaml"
    text = workflow.read_text("utf-8").replace(
        "component: set\n", "component: http_request\n    url: http://127.0.0.1:1/\n"
    )
    workflow.write_text(text.partition("    values:")[0], "utf-8")
    ended = acr("dev", project, "--once")
    assert ended.code == 1
    line = text.splitlines().index("  card:") + 1
    assert f"workflows/greet.yaml:{line + 1}:" in ended.out or f"greet.yaml:{line}:" in ended.out


def test_a_placeholder_without_a_value_is_a_warning_at_its_place(acr, project: Path) -> None:
    workflow = project / "workflows" / "greet.yaml"
    text = workflow.read_text("utf-8").replace("write.text", "write.txt")
    workflow.write_text(text, "utf-8")
    events = acr("dev", project, "--once", "--json").lines
    (warning,) = of_type(events, "ended")[0]["warnings"]
    assert "write.txt" in str(warning)
    line = text.splitlines()[warning["line"] - 1]
    assert line[warning["column"] - 1 :].startswith("{{write.txt}}")


def test_with_no_run_workflows_are_pushed_and_not_run(acr, project: Path) -> None:
    events = acr("dev", project, "--once", "--no-run", "--json").lines
    assert of_type(events, "workflow")
    assert not of_type(events, "run")


def test_no_secret_but_the_development_key_is_shown(acr, project: Path, monkeypatch) -> None:
    monkeypatch.setenv("ARCRUN_API_KEY", "ak_" + "5ec2e7" * 8)
    monkeypatch.setenv("ARCRUN_SECRET_TOKEN", "hush-5ec2e7")
    ended = acr("dev", project, "--once", "--verbose")
    assert "5ec2e7" not in ended.out + ended.err
    assert "5ec2e7" not in "".join(
        path.read_text("utf-8", "replace") for path in (project / ".arcrun").rglob("*.log")
    )


def test_a_folder_without_a_project_is_said(acr, tmp_path: Path) -> None:
    ended = acr("dev", tmp_path)
    assert ended.code == 2
    assert "acr init" in ended.err


def test_without_the_engine_it_says_how_to_install_it(acr, project: Path, monkeypatch) -> None:
    from arcrun.commands import engines

    monkeypatch.setattr(engines, "MODULE", "arcrun_server_that_is_not_there")
    ended = acr("dev", project, "--once")
    assert ended.code == 1
    assert re.search(r"python -m pip install '[\w-]+\[dev\]'", ended.err)


def test_the_database_of_another_engine_is_left_alone(acr, project: Path, monkeypatch) -> None:
    monkeypatch.setenv("ARCRUN_SERVER_DATABASE", "postgresql://nobody@127.0.0.1:1/none")
    assert acr("dev", project, "--once", "--no-run", "--json").code == 0
    assert (project / ".arcrun" / "dev" / "arcrun.db").exists()
