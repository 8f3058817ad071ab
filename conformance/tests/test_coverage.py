"""Every statement of the pages is a requirement, and a scenario checks each of them."""

from __future__ import annotations

from arcrun_conformance.cli.options import DATA
from arcrun_conformance.requirements import PAGES, Page, load_requirements, uncovered
from arcrun_conformance.resources import checkout
from arcrun_conformance.scenarios.scenario import load_all


def test_every_statement_is_a_requirement_that_a_scenario_checks() -> None:
    repository = checkout()
    assert repository is not None
    pages = {name: Page((repository / name).read_text("utf-8")) for name in PAGES}
    requirements, problems = load_requirements(DATA / "requirements", pages)
    assert {one.by for one in requirements} == {"engine", "sdk"}
    scenarios = [*load_all(DATA / "scenarios/sdk"), *load_all(DATA / "scenarios/engine", "engine")]
    missing = [one.id for one in uncovered(requirements, scenarios)]
    assert ([str(one) for one in problems], missing) == ([], [])
