"""`arcrun-conformance merge`: the reports of shards, judged together, or refused with what differs."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from push_scenario import PUSH

from arcrun_conformance.cli import COULD_NOT_RUN, GO, main
from arcrun_conformance.resources import validator

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from mini_engine import MiniEngine


async def test_shards_are_merged_into_one_report_and_judged_together(
    call: Callable, engine: MiniEngine, workspace: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    other = PUSH.replace("id: push\n", "id: other\n")
    (workspace / "scenarios/other.yaml").write_text(other, "utf-8")
    for index in ("1", "2"):
        report = str(workspace / f"shard-{index}")
        assert await call("--sdk", "correct", "--shard", f"{index}/2", "--report-dir", report) == GO
    shards = [str(workspace / "shard-1"), str(workspace / "shard-2/conformance.json")]
    more = [
        "--gate",
        "--gate-file",
        f"{workspace}/gate.yaml",
        "--scenarios",
        f"{workspace}/scenarios",
    ]

    given = ["merge", *shards, "--shards", "2", "--report-dir", str(workspace / "all")]
    assert main([*given, *more]) == GO

    merged = json.loads((workspace / "all/conformance.json").read_text("utf-8"))
    assert [cell["scenario"] for cell in merged["cells"]] == ["other", "push"]
    assert merged["leftovers"]["created"] == 2
    assert list(validator("report").iter_errors(merged)) == []
    capsys.readouterr()
    for gate in ([], more):
        assert main(["merge", shards[0], *gate]) == COULD_NOT_RUN
        assert "shard 2/2 of correct is missing" in capsys.readouterr().err
    assert main(["merge", shards[0], "--report-dir", str(workspace / "all")]) == COULD_NOT_RUN
    assert list((workspace / "all").iterdir()) == [], "no old result outlives an error"
    assert main(["merge", *shards, "--shards", "3"]) == COULD_NOT_RUN
    assert "are of a run in 2 shards, not in 3" in capsys.readouterr().err
    assert main(["merge", *shards, shards[1]]) == COULD_NOT_RUN
    assert "two of them contain push with correct" in capsys.readouterr().err


async def test_shards_that_tested_something_else_are_not_merged(
    call: Callable, workspace: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    other = PUSH.replace("id: push\n", "id: other\n")
    (workspace / "scenarios/other.yaml").write_text(other, "utf-8")
    shards = [workspace / "one", workspace / "two"]
    for index, digest in ((1, "a"), (2, "b")):
        artifacts = workspace / f"{digest}.json"
        artifacts.write_text(json.dumps([{"file": "sdk.whl", "sha256": digest * 64}]), "utf-8")
        given = ["--sdk", "correct", "--artifacts", str(artifacts), "--shard", f"{index}/2"]
        assert await call(*given, "--report-dir", str(shards[index - 1])) == GO
    command = ["merge", *map(str, shards)]

    assert main(command) == COULD_NOT_RUN
    said = "".join(capsys.readouterr().err.split())
    differing = f"{'a' * 64}({shards[0]}),{'b' * 64}({shards[1]})"
    assert f"can'tbemerged:theSHA-256digestsofsdk.whldiffer:{differing}" in said

    path = shards[1] / "conformance.json"
    path.write_text(path.read_text("utf-8").replace("b" * 64, "a" * 64), "utf-8")
    assert main([*command, "--artifacts", f"{workspace}/a.json"]) == GO
    assert main([*command, "--artifacts", f"{workspace}/b.json"]) == COULD_NOT_RUN
    assert "lists other artifacts than were tested: sdk.whl" in capsys.readouterr().err


@pytest.mark.parametrize("content", ["{", "{}"])
def test_merge_refuses_a_file_that_is_not_a_report(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], content: str
) -> None:
    (tmp_path / "conformance.json").write_text(content)
    assert main(["merge", str(tmp_path)]) == COULD_NOT_RUN
    assert "conformance.json" in capsys.readouterr().err


async def test_a_wrong_file_of_deviations_ends_a_merge_before_anything_is_written(
    call: Callable, workspace: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    first = ["--sdk", "correct", "--remote", "--report-dir", str(workspace / "first")]
    assert await call(*first) == GO
    given = ["merge", str(workspace / "first"), "--report-dir", str(workspace / "merged")]
    path = workspace / "known.yaml"
    assert main([*given, "--deviations", str(path)]) == COULD_NOT_RUN
    assert f"error {path}" in capsys.readouterr().err
    assert not (workspace / "merged" / "conformance.json").exists()


async def test_an_option_without_effect_on_a_merge_is_refused_and_not_ignored(
    call: Callable, workspace: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    own, shared = str(workspace / "own"), str(workspace / "shared")
    assert await call("--sdk", "correct", "--report-dir", own) == GO
    assert await call("--sdk", "correct", "--remote", "--report-dir", shared) == GO
    no_judge, not_shared = "without --gate, nothing is judged", "only targets that others use have"
    for folder, arguments, message in (
        (own, ["--gate-file", "/nope"], f"{no_judge}; leave out --gate-file"),
        (own, ["--scenarios", "/nope"], f"{no_judge}; leave out --scenarios"),
        (own, ["--strict"], f"{not_shared} known deviations; leave out --strict"),
        (own, ["--deviations", "/nope"], f"{not_shared} known deviations; leave out --deviations"),
        (shared, ["--deviations", "/nope", "--strict"], "with --strict, no deviation is known"),
        (own, ["--suite", "engine"], "these reports are of the suite sdk; leave out --suite"),
        (own, ["--shards", "0"], "argument --shards: must be a whole number from 1 to"),
    ):
        capsys.readouterr()
        assert main(["merge", folder, *arguments]) == COULD_NOT_RUN
        assert message in " ".join(capsys.readouterr().err.split())
    assert main(["merge", own, "--suite", "sdk"]) == GO, "as the action gives it"
    assert main(["merge", shared, "--strict"]) == GO


async def test_a_merge_replaces_none_of_several_reports_that_it_reads(
    call: Callable, workspace: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    other = PUSH.replace("id: push\n", "id: other\n")
    (workspace / "scenarios/other.yaml").write_text(other, "utf-8")
    shards = [workspace / "1", workspace / "2"]
    for index, folder in enumerate(shards, start=1):
        given = ["--sdk", "correct", "--shard", f"{index}/2", "--report-dir", str(folder)]
        assert await call(*given) == GO
    before = (shards[0] / "conformance.json").read_bytes()
    capsys.readouterr()

    for first in (shards[0], shards[0] / "conformance.json"):
        given = ["merge", str(first), str(shards[1]), "--report-dir", f"{workspace}/2/../1"]
        assert main(given) == COULD_NOT_RUN
        assert "would replace one of the reports that are merged" in capsys.readouterr().err
    assert (shards[0] / "conformance.json").read_bytes() == before


async def test_a_single_report_can_be_judged_in_its_own_folder(
    call: Callable, workspace: Path
) -> None:
    folder = workspace / "single"
    assert await call("--sdk", "correct", "--report-dir", str(folder)) == GO
    gate = ["--gate-file", f"{workspace}/gate.yaml", "--scenarios", f"{workspace}/scenarios"]
    assert main(["merge", str(folder), "--report-dir", str(folder), "--gate", *gate]) == GO
    judged = json.loads((folder / "conformance.json").read_text("utf-8"))
    assert judged["gate"]["verdict"] == "GO"
