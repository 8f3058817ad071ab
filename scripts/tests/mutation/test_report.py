import io
import json
from pathlib import Path

from rich.console import Console

from scripts.mutation import report
from scripts.mutation.generate import Mutant
from scripts.mutation.judge import KILLED, NOT_JUDGED, SURVIVED, TIMED_OUT, Verdict


def verdict(area: str, suite: str, tests: str, line: int = 3) -> Verdict:
    return Verdict(
        Mutant(area, f"{area}.py", line, "AddNot", 0, "if a:", "if not a:"), suite, tests, 1
    )


VERDICTS = [
    verdict("sdk", KILLED, KILLED),
    verdict("sdk", SURVIVED, TIMED_OUT),
    verdict("sdk", SURVIVED, SURVIVED, line=7),
    verdict("harness", NOT_JUDGED, KILLED),
]


def test_each_area_has_its_figures() -> None:
    sdk, harness, total = report.rows(VERDICTS)
    assert sdk == report.Row("sdk", 3, 1, 3, 2, 3, 1, 1)
    assert harness == report.Row("harness", 1, None, 0, 1, 1, 0, 0)
    assert total == report.Row("all", 4, 1, 3, 3, 4, 1, 1)


def test_goals_are_met_or_missed() -> None:
    assert list(report.goals(VERDICTS)) == [
        "all tests: 75.0 % (goal: 90 %) missed",
        "suite alone: 33.3 % (goal: 60 %) missed",
    ]
    assert list(report.goals(VERDICTS[:1])) == [
        "all tests: 100.0 % (goal: 90 %) met",
        "suite alone: 100.0 % (goal: 60 %) met",
    ]
    assert list(report.goals(VERDICTS[3:]))[1] == "suite alone: nothing judged (goal: 60 %)"


def test_without_tests_only_the_suite_has_figures() -> None:
    verdicts = [verdict("sdk", KILLED, NOT_JUDGED), verdict("sdk", SURVIVED, NOT_JUDGED)]
    assert report.rows(verdicts)[0] == report.Row("sdk", 2, 1, 2, None, 0, 1, 0)
    assert list(report.goals(verdicts)) == [
        "all tests: nothing judged (goal: 90 %)",
        "suite alone: 50.0 % (goal: 60 %) missed",
    ]


def test_survivors_are_listed_with_what_was_changed() -> None:
    console = Console(file=(out := io.StringIO()), width=200)
    report.show(VERDICTS, console)
    assert "Survived everything:\nsdk.py:7  - if a: / + if not a:\n" in out.getvalue()
    assert "Survived the suite:\nsdk.py:3  - if a: / + if not a:\n" in out.getvalue()


def test_the_json_has_figures_and_mutants(tmp_path: Path) -> None:
    report.write(tmp_path / "a/b.json", VERDICTS, seed=7, notes=["n"], complete=False)
    written = json.loads((tmp_path / "a/b.json").read_text("utf-8"))
    assert written["seed"] == 7
    assert written["goals"]["all tests"] == {"goal": 90.0, "reached": 75.0, "met": False}
    assert [mutant["survived"] for mutant in written["mutants"]] == [False, False, True, False]
    assert written["mutants"][0]["mutant"]["line"] == 3
