from typing import Any

import pytest

from scripts.rehearsal import StepFailed
from scripts.release.steps import STEPS, ReleaseStep, chosen
from scripts.release.suite import conformance_figures


def test_a_rehearsal_runs_every_step_in_order() -> None:
    assert chosen(None) == list(STEPS)


@pytest.mark.parametrize("step", STEPS, ids=lambda step: step.name)
def test_a_single_step_runs_after_all_steps_that_it_needs(step: ReleaseStep) -> None:
    names = [each.name for each in chosen(step.name)]
    assert names[-1] == step.name
    for each in chosen(step.name):
        assert set(each.needs) <= set(names[: names.index(each.name)])


def test_python_only_leaves_out_the_npm_steps_and_nothing_else() -> None:
    names = [step.name for step in chosen(None, python_only=True)]
    assert names == [
        "versions",
        "compatibility",
        "build",
        "check",
        "upload",
        "install",
        "example",
        "faces",
        "sbom",
        "fuzz",
        "engine_suite",
        "conformance",
        "tests",
    ]
    assert [step.name for step in chosen("conformance", python_only=True)] == [
        "build",
        "upload",
        "install",
        "conformance",
    ]


CELLS = [{"checks": [1, 2], "outcome": "passed"}, {"checks": [3], "outcome": "skipped"}]


def report(
    verdict: str = "GO", cells: list[dict[str, Any]] = CELLS, version: str = "1.2.3"
) -> dict[str, Any]:
    return {
        "gate": {"verdict": verdict, "reasons": [] if verdict == "GO" else ["health: 沒有執行"]},
        "cells": cells,
        "scenarios": [1, 2],
        "sdks": [{"name": "node22-esm", "version": version}],
    }


def test_the_figures_of_the_suite_come_from_its_report() -> None:
    figures = conformance_figures(report(), "1.2.3")
    assert figures == {
        "scenarios": 2,
        "sdks": 1,
        "cells": 2,
        "skipped": 1,
        "checks": 3,
        "gate": "GO",
    }


@pytest.mark.parametrize(
    "document", [report(verdict="NO-GO"), report(cells=[])], ids=["no-go", "no cells"]
)
def test_a_report_that_does_not_say_go_ends_the_step(document: dict[str, Any]) -> None:
    with pytest.raises(StepFailed, match="the suite's report says"):
        conformance_figures(document, "1.2.3")


def test_an_sdk_of_another_version_than_was_built_ends_the_step() -> None:
    with pytest.raises(StepFailed, match=r"ran node22-esm 1\.2\.2, but 1\.2\.3 was built"):
        conformance_figures(report(version="1.2.2"), "1.2.3")
