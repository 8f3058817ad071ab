"""Damaged reports and recordings: a command ends with its result, or with a sentence that names the file."""

from __future__ import annotations

import asyncio
import contextlib
import io
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest
from damage import SETTINGS, damaged, damages
from hypothesis import given
from hypothesis import strategies as st
from mini_engine import MiniEngine
from mini_sdk import MiniSdk
from push_scenario import PUSH

from arcrun_conformance.adapters.adapter import InMemoryConnection
from arcrun_conformance.cli import COULD_NOT_RUN, main
from arcrun_conformance.documents import DocumentError
from arcrun_conformance.replay.recording import read_recording, recorded
from arcrun_conformance.replay.replaying import replay
from arcrun_conformance.report import describe
from arcrun_conformance.runs.runner import RunConfig, execute
from arcrun_conformance.scenarios.scenario import Scenario, load

if TYPE_CHECKING:
    from pathlib import Path

    from arcrun_conformance.replay.recording import Recording
    from arcrun_conformance.runs.results import Run


@dataclass
class _Ended:
    code: int
    err: str


def _called(arguments: list[str]) -> _Ended:
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        code = main(arguments)
    return _Ended(code, err.getvalue())


def _read(path: Path) -> Recording | str:
    """Return a recording, or why it is refused."""
    try:
        return read_recording(path)
    except DocumentError as error:
        return str(error)


class _Sdk(MiniSdk):
    """Ends its reply, as a process that crashes, if a response is not what it reads."""

    async def __call__(self, line: str) -> str:
        try:
            return await super().__call__(line)
        except Exception:  # noqa: BLE001 -- whatever a damaged response makes of it
            return "crashed\n"


async def _connection() -> InMemoryConnection:
    return InMemoryConnection(_Sdk("plain-value"))


@pytest.fixture(scope="module")
def scenario(tmp_path_factory: pytest.TempPathFactory) -> Scenario:
    path = tmp_path_factory.mktemp("scenarios") / "push.yaml"
    path.write_text(PUSH, "utf-8")
    return load(path)


@pytest.fixture(scope="module")
def run(scenario: Scenario) -> Run:
    async def failed_run() -> Run:
        async with MiniEngine() as engine:
            return await execute(RunConfig(engine.target, [scenario], {"mini": _connection}))

    return asyncio.run(failed_run())


@SETTINGS
@given(data=st.data())
def test_merge_ends_with_a_result_or_a_sentence(
    run: Run, tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    report = describe(run) | {"shard": {"index": 1, "of": 1}}
    folder = tmp_path_factory.getbasetemp() / "damaged-report"
    folder.mkdir(exist_ok=True)
    changed = damaged(report, data.draw(damages(report)))
    (folder / "conformance.json").write_text(json.dumps(changed), "utf-8")
    ended = _called(["merge", str(folder), "--report-dir", str(folder / "merged")])
    if ended.code == COULD_NOT_RUN:
        assert "conformance.json: " in ended.err
    assert "Traceback" not in ended.err


@SETTINGS
@given(data=st.data())
def test_a_recording_is_replayed_or_is_refused_with_a_sentence(
    run: Run, scenario: Scenario, tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    recording = json.loads(recorded(run.cells[0], run))
    path = tmp_path_factory.getbasetemp() / "damaged.har"
    path.write_text(json.dumps(damaged(recording, data.draw(damages(recording)))), "utf-8")
    found = _read(path)
    if isinstance(found, str):
        assert found.startswith(f"{path}: ")
        return
    cell = asyncio.run(replay(found, scenario, "mini", _connection, 5)).cells[0]
    assert cell.outcome in {"passed", "failed", "skipped", "error"}
    assert [check.id for check in cell.checks if check.id.startswith("runner")] == []
    assert not any("Traceback" in str(exchange.problem) for exchange in cell.exchanges)
