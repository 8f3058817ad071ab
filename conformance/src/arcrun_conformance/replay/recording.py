"""Recordings: the HAR file of a failed cell, written by a run and read by a replay."""

from __future__ import annotations

import hashlib
import json
import re
import secrets
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from arcrun_conformance.cleaning import well_formed
from arcrun_conformance.documents import DocumentError, Problem, shown
from arcrun_conformance.json_files import read_json
from arcrun_conformance.secrets import encodings

from .har import RecordedResponse, har, recorded_responses
from .substitution import KeySubstitution

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from arcrun_conformance.runs.results import Cell, Run
    from arcrun_conformance.scenarios.scenario import Scenario


class RecordingError(Exception):
    """A cell can't be recorded without a key that must not be kept."""


@dataclass(frozen=True)
class Recording:
    """What a replay needs of a failed cell.

    Attributes:
        suite: Which suite the scenario belongs to.
        scenario: The scenario's id.
        sdk: The adapter's name.
        failed: The checks that failed, with their messages.
        remote: Whether the engine was one that others use as well.
        health: The engine's response to `GET /health`.
        values: The values of the scenario's placeholders.
        responses: What the engine did with each request, in order.
        scenario_sha256: The digest of the scenario; empty if the recording has none, as those of 0.1.0.
    """

    suite: str
    scenario: str
    sdk: str
    failed: Mapping[str, str]
    remote: bool
    health: Mapping[str, Any]
    values: Mapping[str, Any] = field(repr=False)
    responses: Sequence[RecordedResponse] = field(repr=False)
    scenario_sha256: str = ""


def write_recordings(run: Run, folder: Path) -> list[str]:
    """Write a recording of each failed cell.

    The secrets of scenarios stay in them: they are made for the test, and protect nothing. A key of an engine
    that others use is replaced by another one, and what it has sealed is sealed anew.

    Args:
        run: The run.
        folder: The folder of its reports.

    Returns:
        Why cells could not be recorded.
    """
    problems = []
    for cell in run.cells:
        if not cell.recording:
            continue
        path = folder / cell.recording
        try:
            text = recorded(cell, run)
        except RecordingError as error:
            problems.append(str(error))
            continue
        path.parent.mkdir(parents=True, exist_ok=True)
        draft = path.with_suffix(".part")
        draft.write_text(text, "utf-8")
        draft.replace(path)
    return problems


def recorded(cell: Cell, run: Run) -> str:
    """Return a cell's recording.

    Raises:
        RecordingError: It would contain the key of an engine that others use.
    """
    target = run.target
    keys = [target.api_key, target.keys.second, target.keys.revoked, *target.keys.fresh]
    secret_keys = [key for key in keys if key] if target.remote else []
    substitution = KeySubstitution({key: _other_key(key) for key in secret_keys})
    failed = [check for check in cell.checks if check.outcome == "failed"]
    about = {
        "suite": run.suite,
        "scenario": cell.scenario,
        **_digest_of(cell, run),
        "sdk": cell.sdk,
        "remote": target.remote,
        "health": target.health,
        "values": substitution.value(cell.values),
        "failed": {check.id: substitution.text(check.message) for check in failed},
    }
    origins = {
        "engine": cell.values.get("base_url", ""),
        "standin": cell.values.get("standin", ""),
    }
    document = har(cell, origins, about, substitution)
    text = well_formed(json.dumps(document, ensure_ascii=False, indent=1))
    if any(form in text for key in secret_keys for form in encodings(key)):
        raise RecordingError(
            f"{cell.scenario} with {cell.sdk} can't be recorded without the key of {target.name}"
        )
    return text + "\n"


def digest(scenario: Scenario) -> str:
    """Return the SHA-256 digest of a scenario's file, with line feeds on every system."""
    return hashlib.sha256(scenario.source.encode()).hexdigest()


def _digest_of(cell: Cell, run: Run) -> dict[str, str]:
    """Return the field with the digest of a cell's scenario, if the run has it."""
    for scenario in run.scenarios:
        if scenario.id == cell.scenario:
            return {"scenario_sha256": digest(scenario)}
    return {}


def _other_key(key: str) -> str:
    """Return a key of the same length that no engine knows."""
    if re.fullmatch("ak_[0-9a-f]+", key):
        return f"ak_{secrets.token_hex(len(key))[: len(key) - 3]}"
    return secrets.token_urlsafe(len(key))[: len(key)]


def read_recording(path: Path) -> Recording:
    """Read a recording.

    Raises:
        DocumentError: The file can't be read, or is none.
    """
    hint = "Give a file *.har that a run with --report-dir wrote to the folder `failures`."
    document = read_json(path, "recording", "recording of arcrun-conformance", hint=hint)
    log = document["log"]
    about = log["_arcrun"]
    try:
        _check_url(about["values"].get("target", ""))
        responses = recorded_responses(log["entries"])
    except ValueError as error:
        problem = f"is no recording of arcrun-conformance: {shown(str(error))}"
        raise DocumentError([Problem(path, None, problem, hint)]) from error
    return Recording(
        about["suite"],
        about["scenario"],
        about["sdk"],
        about["failed"],
        about["remote"],
        about["health"],
        about["values"],
        responses,
        about.get("scenario_sha256", ""),
    )


def _check_url(url: str) -> None:
    """Check that a URL can be taken apart.

    Raises:
        ValueError: It can't.
    """
    try:
        _ = urlsplit(url).port
    except ValueError as error:
        raise ValueError(f"log._arcrun.values.target: {error}: {url}") from error
