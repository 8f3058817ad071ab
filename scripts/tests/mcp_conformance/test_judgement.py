"""The comparison of what the protocol's suite found with the list of exceptions."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from scripts.mcp_conformance.judgement import (
    Check,
    ExceptionListed,
    problems,
    read_exceptions,
    read_results,
)
from scripts.mcp_conformance.suite import EXCEPTIONS

if TYPE_CHECKING:
    from pathlib import Path

NEW, OLD = "2026-07-28", "2025-11-25"
REQUIRED = {NEW: {"ping"}}


def check(status: str, revision: str = NEW, name: str = "answers") -> Check:
    return Check(revision, "ping", name, status, "no reply")


def exception(name: str, revision: str = "") -> ExceptionListed:
    return ExceptionListed(name, "not offered", revision)


def test_everything_that_is_met_is_no_problem() -> None:
    assert list(problems([check("SUCCESS")], [], REQUIRED)) == []


@pytest.mark.parametrize("status", ["FAILURE", "WARNING", "SKIPPED"])
def test_a_check_that_is_not_met_needs_an_exception(status: str) -> None:
    (problem,) = problems([check(status)], [], REQUIRED)
    assert problem == f"{NEW} ping/answers: {status}, and no exception: no reply"
    for name in ("ping/answers", "ping"):
        assert list(problems([check(status)], [exception(name)], REQUIRED)) == []


def test_an_exception_that_is_met_is_a_problem() -> None:
    (problem,) = problems([check("SUCCESS")], [exception("ping/answers")], REQUIRED)
    assert problem == f"{NEW} ping/answers: is an exception, and is met: remove it from the list"


def test_an_exception_is_met_if_it_is_met_in_one_of_the_revisions() -> None:
    checks = [check("FAILURE"), check("SUCCESS", OLD)]
    (problem,) = problems(checks, [exception("ping/answers")], REQUIRED)
    assert problem.startswith(f"{OLD} ping/answers: is an exception, and is met")
    assert list(problems(checks, [exception("ping/answers", NEW)], REQUIRED)) == []


def test_an_exception_of_no_check_is_a_problem() -> None:
    (problem,) = problems([check("SUCCESS")], [exception("ping/anwsers")], REQUIRED)
    assert problem == "ping/anwsers: is an exception, and the suite has no such check"


def test_an_exception_for_a_scenario_does_not_cover_the_form_of_messages() -> None:
    checks = [check("FAILURE"), check("FAILURE", name="wire-schema-valid")]
    (problem,) = problems(checks, [exception("ping")], REQUIRED)
    assert problem.startswith(f"{NEW} ping/wire-schema-valid: FAILURE, and no exception")


def test_a_required_scenario_without_a_result_is_a_problem() -> None:
    (problem,) = problems([check("SUCCESS")], [], {NEW: {"ping", "caching"}})
    assert problem == f"{NEW} caching: there is no result of it"


def test_of_a_check_that_was_made_several_times_the_worst_counts(tmp_path: Path) -> None:
    folder = tmp_path / "server-tools-list-2026-11-28T07-56-59-562Z"
    folder.mkdir()
    statuses = ("SUCCESS", "FAILURE", "SUCCESS")
    made = [{"id": "lists", "description": "d", "status": status} for status in statuses]
    (folder / "checks.json").write_text(json.dumps(made), "utf-8")
    assert read_results(NEW, tmp_path) == [Check(NEW, "tools-list", "lists", "FAILURE", "d")]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("- checks: [ping]", "without a reason"),
        ("- {reason: ' ', checks: [ping]}", "without a reason"),
        ("- {reason: r, checks: [ping, ping]}", "listed twice"),
    ],
)
def test_a_list_that_hides_something_is_refused(text: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        read_exceptions(text)


def test_the_list_of_this_repository_can_be_read() -> None:
    assert len(read_exceptions(EXCEPTIONS.read_text("utf-8"))) > 40
