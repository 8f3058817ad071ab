import json
from pathlib import Path

import pytest

from scripts.release_steps import STEPS, ReleaseStep, chosen, conformance_figures
from scripts.steps import StepFailed


def test_a_rehearsal_runs_every_step_in_order() -> None:
    assert chosen(None) == list(STEPS)


@pytest.mark.parametrize("step", STEPS, ids=lambda step: step.name)
def test_a_step_alone_runs_last_after_all_that_it_builds_on(step: ReleaseStep) -> None:
    names = [each.name for each in chosen(step.name)]
    assert names[-1] == step.name
    for each in chosen(step.name):
        assert set(each.needs) <= set(names[: names.index(each.name)])


def report(tmp_path: Path, verdict: str, cells: list[dict[str, list[int]]]) -> Path:
    gate = {"verdict": verdict, "reasons": ["health: 沒有執行"]}
    document = {"gate": gate, "cells": cells, "scenarios": [1, 2], "sdks": [1]}
    path = tmp_path / "conformance.json"
    path.write_text(json.dumps(document))
    return path


def test_the_figures_of_the_suite_come_from_its_report(tmp_path: Path) -> None:
    figures = conformance_figures(report(tmp_path, "GO", [{"checks": [1, 2]}, {"checks": [3]}]))
    assert figures == {"scenarios": 2, "sdks": 1, "cells": 2, "checks": 3, "gate": "GO"}


@pytest.mark.parametrize(("verdict", "cells"), [("NO-GO", [{"checks": [1]}]), ("GO", [])])
def test_a_report_that_does_not_say_go_ends_the_step(
    tmp_path: Path, verdict: str, cells: list[dict[str, list[int]]]
) -> None:
    with pytest.raises(StepFailed, match=r"conformance\.json says"):
        conformance_figures(report(tmp_path, verdict, cells))
