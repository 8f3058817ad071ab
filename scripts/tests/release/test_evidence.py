import io
import json
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from scripts.rehearsal import Rehearsal, StepFailed
from scripts.release import evidence
from scripts.release.artifacts import Artifact, sha256
from scripts.release.git import GitState
from scripts.release.verify import NotProven, read_evidence, verify

GIT: GitState = {"commit": "0" * 40, "dirty": False, "changed": []}
RUN = "20261127T130000Z-00abcd"


@pytest.fixture
def wheel(tmp_path: Path) -> Artifact:
    path = tmp_path / "arcrun-1.2.3-py3-none-any.whl"
    path.write_bytes("套件".encode())
    return Artifact("arcrun", path, sha256(path))


def written(
    wheel: Artifact, *, steps: list[str], expected: list[str], failing: str | None = None
) -> Path:
    rehearsal = Rehearsal(Console(file=io.StringIO()))
    for name in steps:
        try:
            with rehearsal.step(name, "…") as figures:
                figures["數"] = 1
                if name == failing:
                    raise ValueError("壞了")
        except StepFailed:
            break
    path = wheel.path.with_name("release.json")
    evidence.write(
        path,
        run=RUN,
        rehearsal=rehearsal,
        scope="python",
        expected=expected,
        version=wheel.version,
        git=GIT,
        artifacts=[wheel],
        reports=[{"file": "index.html", "sha256": "0" * 64}],
        sboms={},
        environments={"arcrun": {"httpx": "0.28.1"}},
    )
    return path


def test_evidence_matches_its_schema(wheel: Artifact) -> None:
    document = read_evidence(written(wheel, steps=["build"], expected=["build"]))
    assert document["decision"] == "GO"
    assert document["scope"] == "python"
    assert document["run"] == RUN
    assert document["artifacts"][0]["sha256"] == wheel.sha256
    assert document["steps"][0]["figures"] == {"數": 1}


def test_evidence_names_every_file_beside_it_but_itself(wheel: Artifact) -> None:
    folder = wheel.path.parent
    (folder / "logs").mkdir()
    (folder / "logs" / "建.log").write_text("log", "utf-8")
    for _ in range(2):  # the second time the evidence is there already
        document = read_evidence(written(wheel, steps=["build"], expected=["build"]))
    assert document["results"] == [
        {"file": wheel.path.name, "sha256": wheel.sha256},
        {"file": "logs/建.log", "sha256": sha256(folder / "logs" / "建.log")},
    ]


def test_a_step_that_failed_is_no_go_with_its_problem(wheel: Artifact) -> None:
    path = written(wheel, steps=["build"], expected=["build"], failing="build")
    document = read_evidence(path)
    assert document["decision"] == "NO-GO"
    assert document["steps"][0]["problem"] == "壞了"


def test_a_rehearsal_that_left_a_step_out_is_no_go(wheel: Artifact) -> None:
    path = written(wheel, steps=["build"], expected=["build", "fuzz"])
    assert read_evidence(path)["decision"] == "NO-GO"


def test_evidence_is_written_for_readers_into_a_folder_that_need_not_exist(
    wheel: Artifact, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Rehearsal, "seconds", 1.23456)
    folder = wheel.path.parent / "new" / "evidence"
    for _ in range(2):  # the second time it exists
        evidence.write(
            folder / "release.json",
            run=RUN,
            rehearsal=Rehearsal(Console(file=io.StringIO())),
            scope="套件",
            expected=[],
            version=None,
            git=GIT,
            artifacts=[],
            reports=[],
            sboms={},
            environments={},
        )
    text = (folder / "release.json").read_text("utf-8")
    assert text.startswith('{\n  "format": ')
    assert text.endswith("\n}\n")
    assert '"scope": "套件"' in text
    assert json.loads(text)["seconds"] == 1.23
    assert [path.name for path in folder.iterdir()] == ["release.json"]
    assert json.loads(text)["results"] == []


def test_where_nothing_ran_nothing_is_proven(wheel: Artifact) -> None:
    path = written(wheel, steps=[], expected=[])
    assert json.loads(path.read_text("utf-8"))["decision"] == "NO-GO"
    with pytest.raises(NotProven, match="steps"):
        read_evidence(path)


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"decision": "NO-GO"}, "ended with NO-GO"),
        ({"artifacts": []}, "is not in the evidence"),
        ({"git": {**GIT, "dirty": True, "changed": ["新.py"]}}, r"was not the commit 0+: 新\.py"),
        ({"git": {**GIT, "dirty": True}}, "it changed during the rehearsal"),
        ({"git": {**GIT, "changed": ["新.py"]}}, r"was not the commit 0+: 新\.py"),
        ({"steps": [{"name": "fuzz", "status": "failed"}]}, "says GO, but fuzz did not pass"),
    ],
)
def test_evidence_that_does_not_list_the_file_or_is_no_go_proves_nothing(
    wheel: Artifact, change: dict[str, Any], expected: str
) -> None:
    document = read_evidence(written(wheel, steps=["build"], expected=["build"]))
    with pytest.raises(NotProven, match=expected):
        verify(wheel.path, {**document, **change})


@pytest.mark.parametrize("text", ["{", "{}", json.dumps({"format": "other"})])
def test_a_file_that_is_not_evidence_is_refused(text: str, tmp_path: Path) -> None:
    path = tmp_path / "release.json"
    path.write_text(text)
    with pytest.raises(NotProven, match=r"is not (valid JSON|evidence)"):
        read_evidence(path)
