"""Recordings and replays: a failure can be repeated without the engine, and no file has the key of one that others use."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from mini_engine import KEY, MiniEngine
from mini_sdk import MiniSdk
from push_scenario import PUSH

from arcrun_conformance.adapters.adapter import InMemoryConnection
from arcrun_conformance.cli.replay import verdict
from arcrun_conformance.documents import DocumentError
from arcrun_conformance.replay.recording import (
    Recording,
    RecordingError,
    read_recording,
    recorded,
    write_recordings,
)
from arcrun_conformance.replay.replaying import replay
from arcrun_conformance.report import copy_recordings, remove_old
from arcrun_conformance.runs.results import RECORDINGS, Cell, Run
from arcrun_conformance.runs.runner import RunConfig, execute
from arcrun_conformance.scenarios.envelope import open_envelope, seal
from arcrun_conformance.secrets import encodings
from arcrun_conformance.wire.journal import Exchange, Request, Response

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from arcrun_conformance.scenarios.scenario import Scenario

TWO_STEPS = PUSH.replace(
    "wire:",
    "  - {id: listed, call: creds.list, expect: {result: {$contains: {name: '${run}_token'}}}}\nwire:",
).replace("wire:", "wire:\n  - {id: lists, where: {method: GET, path: /credentials}, count: 1}")


def opener(defect: str = "") -> Any:
    async def open_connection() -> InMemoryConnection:
        return InMemoryConnection(MiniSdk(defect))

    return open_connection


async def failed_run(engine: MiniEngine, scenario: Scenario, defect: str) -> Run:
    done = await execute(RunConfig(engine.target, [scenario], {"mini": opener(defect)}))
    assert done.cells[0].failed
    return done


async def replayed(recording: Recording, scenario: Scenario, defect: str) -> Cell:
    return (await replay(recording, scenario, "mini", opener(defect), 5)).cells[0]


async def replayed_after(
    engine: MiniEngine, scenario: Scenario, folder: Path, recorded: str, defect: str
) -> tuple[Recording, Cell]:
    """Record a run with one defect, and replay it with another one."""
    run = await failed_run(engine, scenario, recorded)
    recording = read_recording(written(run, folder))
    return recording, await replayed(recording, scenario, defect)


def failures(cell: Cell) -> dict[str, str]:
    return {check.id: check.message for check in cell.checks if check.outcome == "failed"}


def recordings(folder: Path) -> list[Path]:
    return list((folder / RECORDINGS).iterdir())


def written(run: Run, folder: Path) -> Path:
    assert write_recordings(run, folder) == []
    return folder / run.cells[0].recording


@pytest.mark.parametrize("defect", ["wrong-result", "plain-value", "extra-request", "leaks-key"])
async def test_a_replay_shows_the_same_failure_without_the_engine(
    scenario_of: Callable[[str], Scenario], tmp_path: Path, defect: str
) -> None:
    scenario = scenario_of(TWO_STEPS)
    async with MiniEngine() as engine:
        run = await failed_run(engine, scenario, defect)
    recording = read_recording(written(run, tmp_path))

    cell = await replayed(recording, scenario, defect)

    assert failures(cell) == failures(run.cells[0])
    assert verdict(recording, cell).startswith("push with mini fail")
    assert "no longer" not in verdict(recording, cell)


async def test_a_replay_of_an_adapter_that_was_mended_passes(
    engine: MiniEngine, scenario_of: Callable[[str], Scenario], tmp_path: Path
) -> None:
    recording, cell = await replayed_after(
        engine, scenario_of(TWO_STEPS), tmp_path, "plain-value", ""
    )

    assert cell.outcome == "passed"
    assert verdict(recording, cell) == (
        "the failure is gone: push with mini passes with the recorded responses"
    )


async def test_a_replay_says_where_its_recording_ends(
    engine: MiniEngine, scenario_of: Callable[[str], Scenario], tmp_path: Path
) -> None:
    recording, cell = await replayed_after(
        engine, scenario_of(TWO_STEPS), tmp_path, "wrong-result", ""
    )

    assert verdict(recording, cell) == (
        "the recorded failure is gone, and with it the recording ends: the recording has no response to "
        "GET /credentials (number 1). Run `arcrun-conformance run --sdk mini --scenario push`"
    )


async def test_another_failure_than_the_recorded_one_is_told_apart(
    engine: MiniEngine, scenario_of: Callable[[str], Scenario], tmp_path: Path
) -> None:
    recording, cell = await replayed_after(
        engine, scenario_of(TWO_STEPS), tmp_path, "leaks-key", "plain-value"
    )

    assert verdict(recording, cell) == (
        "push with mini fail now: sealed, secret-token; no longer: secret-api_key"
    )


async def test_cells_that_passed_are_not_recorded_and_old_recordings_are_removed(
    engine: MiniEngine, scenario_of: Callable[[str], Scenario], tmp_path: Path
) -> None:
    scenario = scenario_of(PUSH)
    old = written(await failed_run(engine, scenario, "plain-value"), tmp_path)
    passed = await execute(RunConfig(engine.target, [scenario], {"mini": opener()}))

    remove_old(tmp_path)
    assert write_recordings(passed, tmp_path) == []

    assert not old.exists()


async def test_merged_reports_have_the_recordings_of_all(
    engine: MiniEngine, scenario_of: Callable[[str], Scenario], tmp_path: Path
) -> None:
    for name in ("one", "other"):
        scenario = scenario_of(PUSH.replace("id: push\n", f"id: push-{name}\n"))
        run = await failed_run(engine, scenario, "plain-value")
        write_recordings(run, tmp_path / name)
        copy_recordings(tmp_path / name, tmp_path / "merged")

    found = [read_recording(path).scenario for path in sorted(recordings(tmp_path / "merged"))]
    assert found == ["push-one", "push-other"]


async def test_the_key_of_an_engine_that_others_use_is_in_no_recording(
    engine: MiniEngine, scenario_of: Callable[[str], Scenario], tmp_path: Path
) -> None:
    engine.remote = True
    scenario = scenario_of(PUSH)
    run = await failed_run(engine, scenario, "leaks-key")
    recording = read_recording(path := written(run, tmp_path))

    text = path.read_text("utf-8")
    assert [form for form in encodings(KEY) if form in text] == []
    other = recording.values["api_key"]
    assert len(other) == len(KEY)
    assert f"?key={other}" in text
    assert failures(await replayed(recording, scenario, "leaks-key")) == failures(run.cells[0])


def cell_with(response: Response) -> Cell:
    request = Request("GET", "/credentials/a?read=sealed", [("x-arcrun-api-key", KEY)])
    exchange = Exchange(1, "engine", "read", 0.5, request, response, 0.75, own_response=response)
    cell = Cell("read", "mini", "failed", started="2026-01-02T03:04:05.000+00:00")
    cell.values = {"api_key": KEY, "base_url": "http://127.0.0.1:5000", "run": "r"}
    cell.exchanges = [exchange]
    return cell


def test_what_the_key_has_sealed_opens_with_the_key_in_its_place(engine: MiniEngine) -> None:
    target = replace(engine.target, remote=True)
    sealed = Response.from_json({"name": "a", **seal(KEY, "a", "canary-字")})

    log = json.loads(recorded(cell_with(sealed), Run("r", target, [], {})))["log"]

    envelope = json.loads(log["entries"][0]["response"]["content"]["text"])
    assert open_envelope(KEY, **envelope) is None
    assert open_envelope(log["_arcrun"]["values"]["api_key"], **envelope) == "canary-字"


def test_the_key_of_an_engine_on_this_machine_is_kept(engine: MiniEngine) -> None:
    log = json.loads(recorded(cell_with(Response(200)), Run("r", engine.target, [], {})))["log"]

    assert log["_arcrun"]["values"]["api_key"] == KEY


def test_a_cell_is_not_recorded_if_the_key_would_stay(
    engine: MiniEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("arcrun_conformance.replay.recording._other_key", lambda key: key)
    target = replace(engine.target, remote=True)

    with pytest.raises(RecordingError, match="can't be recorded without the key of mini"):
        recorded(cell_with(Response(200)), Run("r", target, [], {}))


def test_exchanges_are_written_as_har(engine: MiniEngine) -> None:
    """The fields that HAR 1.2 requires (http://www.softwareishard.com/blog/har-12-spec)."""
    run = Run("r", engine.target, [], {})
    cell = cell_with(Response(307, [("Location", "/b"), ("Content-Type", "text/plain")], b"\xff"))

    log = json.loads(recorded(cell, run))["log"]

    assert (log["version"], log["creator"]["name"]) == ("1.2", "arcrun-conformance")
    (entry,) = log["entries"]
    assert entry["startedDateTime"] == "2026-01-02T03:04:05.500000+00:00"
    assert entry["time"] == 250
    assert entry["timings"] == {"send": 0, "wait": 250, "receive": 0}
    assert entry["cache"] == {}
    asked = entry["request"]
    assert asked["url"] == "http://127.0.0.1:5000/credentials/a?read=sealed"
    assert asked["queryString"] == [{"name": "read", "value": "sealed"}]
    assert asked["headers"] == [{"name": "x-arcrun-api-key", "value": KEY}]
    for message in (asked, entry["response"]):
        assert {"httpVersion", "cookies", "headers", "headersSize", "bodySize"} <= message.keys()
    responded = entry["response"]
    assert (responded["status"], responded["statusText"]) == (307, "Temporary Redirect")
    assert responded["redirectURL"] == "/b"
    assert responded["content"] == {
        "size": 1,
        "mimeType": "text/plain",
        "text": "/w==",
        "encoding": "base64",
    }


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("no json", "can't be read"),
        ("[]", "is no recording of arcrun-conformance"),
        ('{"log": {"version": "1.2", "entries": []}}', "'_arcrun' is a required property"),
    ],
)
def test_a_file_that_is_no_recording_is_refused(tmp_path: Path, text: str, problem: str) -> None:
    path = tmp_path / "other.har"
    path.write_text(text, "utf-8")

    with pytest.raises(DocumentError, match=problem):
        read_recording(path)


DAMAGES: list[tuple[list[Any], Any, str]] = [
    (["log", "entries", 0, "response", "status"], 99999, r"log.entries.0.response.status: 99999"),
    (["log", "entries", 0, "response", "status"], "200", r"log.entries.0.response.status: '200'"),
    (
        ["log", "entries", 0, "response", "status"],
        100,
        "number 1: 100 is the status of no response",
    ),
    (
        ["log", "entries", 0, "response", "status"],
        204,
        "number 1: a response with status 204 has no",
    ),
    (
        ["log", "entries", 0, "response", "content"],
        {"text": "é", "encoding": "base64"},
        "not base64",
    ),
    (["log", "entries", 0, "response", "headers", 0, "name"], "a\r\nb", r"headers.0.name: 'a.*b'"),
    (["log", "entries", 0, "response", "headers", 0, "value"], "a\n", r"headers.0.value: 'a.*'"),
    (["log", "entries", 0, "request", "method"], "GET /", r"request.method: 'GET /'"),
    (["log", "entries", 0, "_target"], "//[", "number 1: Invalid IPv6 URL"),
    (["log", "entries", 0, "_target"], "/a b", r"log.entries.0._target: '/a b'"),
    (["log", "_arcrun", "values", "api_key"], 1, r"log._arcrun.values.api_key: 1 is not"),
    (["log", "_arcrun", "values", "target"], "http://a:99999", r"values.target: Port out of range"),
    (["log", "_arcrun", "values", "standin_port"], "x", r"values.standin_port: 'x' is not"),
    (["log", "_arcrun", "values"], {}, r"values: 'run' is a required property"),
    (["log", "_arcrun", "health"], {"capabilities": 1}, r"health.capabilities: 1 is not"),
    (["log", "_arcrun", "scenario_sha256"], "0A", r"scenario_sha256: '0A' does not match"),
    (["log", "_arcrun", "sdk"], "a\x1b[2J", r"log._arcrun.sdk: 'a\\x1b\[2J'"),
]


@pytest.mark.parametrize("damage", DAMAGES)
async def test_an_edited_recording_is_refused_with_the_place_that_is_wrong(
    engine: MiniEngine,
    scenario_of: Callable[[str], Scenario],
    tmp_path: Path,
    damage: tuple[list[Any], Any, str],
) -> None:
    place, value, problem = damage
    run = await failed_run(engine, scenario_of(PUSH), "plain-value")
    path = written(run, tmp_path)
    document = json.loads(path.read_text("utf-8"))
    container = document
    for key in place[:-1]:
        container = container[key]
    container[place[-1]] = value
    path.write_text(json.dumps(document), "utf-8")

    with pytest.raises(DocumentError, match=f"is no recording of arcrun-conformance: .*{problem}"):
        read_recording(path)
