"""An engine for the tests of `acr`, and `acr` itself: in this process, or as one of its own."""

from __future__ import annotations

import io
import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("click")

# One for each test.
ACCOUNTS = 400
REPLIES = Path(__file__).parents[2] / "src/arcrun/commands/example/replies.yaml"


@pytest.fixture(scope="session", autouse=True)
def interrupts() -> Iterator[None]:
    """Let Ctrl-C end what tests start: a program of the background ignores it, and so would its children."""
    before = signal.getsignal(signal.SIGINT)
    if before is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@dataclass
class Ended:
    """A call of `acr` that has ended."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)

    @property
    def lines(self) -> list[Any]:
        """The objects of a result that came piece by piece."""
        return [json.loads(line) for line in self.out.splitlines()]


Acr = Callable[..., Ended]


@pytest.fixture(scope="session")
def served() -> Iterator[dict[str, Any]]:
    """The reference engine, in a process of its own, with the replies of the example."""
    command = [sys.executable, "-m", "arcrun_server", "serve", "--port", "0", "--dev", "--json"]
    command += ["--keys", str(ACCOUNTS), "--until-stdin-closes", "--log-level", "error"]
    environment = {**os.environ, "ARCRUN_SERVER_LLM_SCRIPT": str(REPLIES)}
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        ready = json.loads(process.stdout.readline())
        yield {"url": ready["url"], "keys": iter(ready["keys"])}
        process.stdin.close()
        process.wait(20)


@pytest.fixture
def engine(served: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """Settings in the environment for an account of its own."""
    key = next(served["keys"])
    monkeypatch.setenv("ARCRUN_BASE_URL", served["url"])
    monkeypatch.setenv("ARCRUN_API_KEY", key)
    return {"url": served["url"], "key": key}


@pytest.fixture
def acr(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Acr:
    """Call `acr` in this process; standard input is no terminal."""
    from arcrun.cli.app import run

    def call(*arguments: str | Path, stdin: str = "") -> Ended:
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(stdin.encode())))
        capsys.readouterr()
        code = run([str(argument) for argument in arguments])
        captured = capsys.readouterr()
        return Ended(code, captured.out, captured.err)

    return call


@pytest.fixture
def project(tmp_path: Path, acr: Acr) -> Path:
    """A folder that `acr init` made."""
    folder = tmp_path / "project"
    assert acr("init", folder).code == 0
    return folder


@pytest.fixture
def config(home: Path) -> Path:
    """Where the config file is, or would be."""
    return home / ".arcrun" / "config.yaml"
