import json
from dataclasses import replace
from pathlib import Path

import pytest

from scripts.release.publish import record as records
from scripts.release.publish.state import (
    FINAL,
    STAGES,
    TRANSITIONS,
    Approval,
    NoTransition,
    Record,
    RecordInvalid,
    record_of,
)

NEW = Record("1.2.3", "0" * 40, "local", {"a.whl": "0" * 64})
AT = "2026-11-28T00:00:00+00:00"


def test_steps_that_are_done_lead_from_new_to_released() -> None:
    record, steps = NEW, []
    while record.stage:
        steps.append(record.stage.step)
        record = record.after("done", at=AT, told="")
    assert record.state == "released"
    assert steps == [stage.step for stage in STAGES]
    assert [entry["step"] for entry in record.history] == steps


def test_nothing_is_public_before_a_person_has_approved() -> None:
    steps = [stage.step for stage in STAGES]
    assert steps.index("npm_stage") < steps.index("approval") < steps.index("pypi_upload")
    assert steps.index("pypi_verify") < steps.index("npm_approve")


def test_only_a_staged_publication_can_be_refused() -> None:
    assert [state for state, event in TRANSITIONS if event == "refused"] == ["staged"]


@pytest.mark.parametrize("state", FINAL)
def test_a_final_state_has_no_way_out(state: str) -> None:
    assert replace(NEW, state=state).stage is None
    for event in {event for _, event in TRANSITIONS}:
        with pytest.raises(NoTransition, match=f"not possible for a publication that is {state}"):
            replace(NEW, state=state).after(event, at=AT, told="")


def test_a_stage_that_is_lost_is_staged_and_approved_again() -> None:
    approval = Approval("a", AT, NEW.files, "the-stage")
    for state in ("staged", "approved", "pypi_public", "pypi_verified"):
        record = replace(NEW, state=state, npm_stage="the-stage", approval=approval)
        lost = record.after("stage_lost", at=AT, told="")
        assert (lost.state, lost.npm_stage, lost.approval) == ("gated", None, None)


def test_every_state_that_is_not_final_can_be_aborted() -> None:
    for stage in STAGES:
        assert replace(NEW, state=stage.due).after("aborted", at=AT, told="").state == "aborted"


def test_a_record_is_read_as_it_was_written(tmp_path: Path) -> None:
    record = NEW.after("done", at=AT, told="說明").approved(Approval("a", AT, NEW.files, None))
    records.write(tmp_path / "evidence" / "publish.json", record)
    assert records.read(tmp_path / "evidence" / "publish.json") == record
    assert [path.name for path in (tmp_path / "evidence").iterdir()] == ["publish.json"]


def test_no_file_is_no_record(tmp_path: Path) -> None:
    assert records.read(tmp_path / "publish.json") is None


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        '{"format": "other"}',
        json.dumps({**NEW.as_document(), "state": "somewhere"}),
        json.dumps({**NEW.as_document(), "more": 1}),
        json.dumps({**NEW.as_document(), "approval": {"by": "a"}}),
    ],
)
def test_what_is_no_record_is_refused_with_what_to_do(tmp_path: Path, text: str) -> None:
    path = tmp_path / "publish.json"
    path.write_text(text, "utf-8")
    with pytest.raises(RecordInvalid, match=r"publish\.json is no record .* Move it away"):
        records.read(path)
    assert path.read_text("utf-8") == text


def test_a_document_without_what_a_record_needs_is_none() -> None:
    with pytest.raises(RecordInvalid):
        record_of({"format": "arcrun.publishing.v1"})
