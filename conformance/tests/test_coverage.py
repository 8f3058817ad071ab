"""Every statement of the pages is a requirement, and a scenario checks each of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from arcrun_conformance.cli.options import DATA
from arcrun_conformance.requirements import PAGES, Page, load_requirements, uncovered
from arcrun_conformance.resources import checkout
from arcrun_conformance.scenarios.scenario import load_all

if TYPE_CHECKING:
    from arcrun_conformance.documents import Problem

# Whose statements have to be complete. With "sdk" among them nothing is left out.
SIDES = {"engine"}
# Statements about clients, which no requirement of engines can be about.
OF_CLIENTS = (
    "An engine that lists none has none of them.",
    "One whose health has no `capabilities` is not known",
    "The SDKs limit the size of an engine's decoded response",
    "Keys are case-sensitive; but another service's key is refused",
)


def is_of_sdks(problem: Problem) -> bool:
    return problem.path.name.startswith("sdk") or any(
        text in problem.message for text in OF_CLIENTS
    )


def test_every_statement_is_a_requirement_that_a_scenario_checks() -> None:
    repository = checkout()
    assert repository is not None
    pages = {name: Page((repository / name).read_text("utf-8")) for name in PAGES}
    requirements, problems = load_requirements(DATA / "requirements", pages)
    assert len(requirements) > 500
    scenarios = [*load_all(DATA / "scenarios/sdk"), *load_all(DATA / "scenarios/engine", "engine")]
    left = [str(one) for one in problems if "sdk" in SIDES or not is_of_sdks(one)]
    missing = [one.id for one in uncovered(requirements, scenarios) if one.by in SIDES]
    assert (left, missing) == ([], [])
