"""Scenario files: errors are reported with file, line, and what to do."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from arcrun_conformance.documents import DocumentError
from arcrun_conformance.resources import data_directory
from arcrun_conformance.scenarios.scenario import load, load_all, select

if TYPE_CHECKING:
    from pathlib import Path

GOOD = """\
id: good
title: a title
spec: [docs/contract.md#routes]
variables:
  name: "${run}_x"
steps:
  - id: healthy
    call: health
    expect: {result: {ok: true}}
wire:
  - id: asked
    where: {path: /health}
    count: 1
"""


def write(directory: Path, text: str, name: str = "good.yaml") -> Path:
    path = directory / name
    path.write_text(text, "utf-8")
    return path


def test_a_good_scenario_is_read(tmp_path: Path) -> None:
    scenario = load(write(tmp_path, GOOD))
    assert scenario.id == "good"
    assert scenario.check_ids() == ["healthy", "asked"]
    assert scenario.adapter_capabilities() == ["health"]


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (("title: a title\n", ""), ["good.yaml:1", "'title' is a required property"]),
        (
            ("spec: [docs/contract.md#routes]", "spec: ['1.1']"),
            ["good.yaml:3", "spec.0", "A section of the contract"],
        ),
        (("call: health", "cal: health"), ["good.yaml:7", "steps.0"]),
        (("    count: 1", "    cuont: 1"), ["good.yaml:13", "unknown key cuont", "count"]),
        (("id: asked", "id: Asked!"), ["good.yaml:11", "Lower-case words joined by hyphens"]),
        (("id: asked", "id: healthy"), ["good.yaml:11", "is used twice", "its own id"]),
        (
            ("path: /health", 'path: "${nmae}"'),
            ["good.yaml:12", "${nmae} is not defined", "${name}"],
        ),
        (
            ("{ok: true}", "{ok: {$tpye: boolean}}"),
            ["good.yaml:9", "unknown operator $tpye", "$type"],
        ),
        (("{result: {ok: true}}", "{}"), ["good.yaml:9", "steps.0.expect"]),
        (("id: good", "id: other"), ["good.yaml:1", "Rename the file to other.yaml"]),
        (("title: a title", "title: a\ntitle: b"), ["good.yaml:3", "duplicate key title"]),
        (("title: a title", "title: [a"), ["good.yaml", "is not valid YAML"]),
        (
            ("call: health", "call: health\n    adapter_needs: [raw_http]"),
            ["good.yaml", "every step has adapter_needs", "top of the scenario"],
        ),
        (
            ("call: health", "call: health\n    without: {raw_http: {expect: {result: {$is: 1}}}}"),
            ["good.yaml", "unknown operator $is"],
        ),
        (
            ("call: health", "call: health\n    client: second"),
            ["good.yaml:7", "no client is named second"],
        ),
        (
            ("call: health", "construct: second\n    from: main"),
            ["good.yaml:7", "no client is named main"],
        ),
        (
            ("call: health", "request: openai\n    url: /models"),
            ["good.yaml:7", "no bound client is named openai"],
        ),
        ((GOOD, ""), ["good.yaml", "None is not of type 'object'"]),
    ],
)
def test_an_error_is_reported_with_its_line_and_what_to_do(
    tmp_path: Path, change: tuple[str, str], expected: list[str]
) -> None:
    path = write(tmp_path, GOOD.replace(*change))
    with pytest.raises(DocumentError) as caught:
        load(path)
    for part in expected:
        assert part in str(caught.value)


def test_a_file_that_is_not_utf8_is_reported(tmp_path: Path) -> None:
    (tmp_path / "good.yaml").write_bytes("id: 測試".encode("big5"))
    with pytest.raises(DocumentError, match=r"good\.yaml: can't be read"):
        load(tmp_path / "good.yaml")


def test_all_problems_of_a_folder_are_reported_at_once(tmp_path: Path) -> None:
    write(tmp_path, GOOD.replace("title: a title\n", ""), "one.yaml")
    write(tmp_path, GOOD.replace("spec: [docs/contract.md#routes]\n", ""), "two.yaml")
    with pytest.raises(DocumentError) as caught:
        load_all(tmp_path)
    assert [problem.path.name for problem in caught.value.problems] == ["one.yaml", "two.yaml"]


def test_two_scenarios_of_one_id_are_an_error(tmp_path: Path) -> None:
    write(tmp_path, GOOD)
    (tmp_path / "sub").mkdir()
    write(tmp_path / "sub", GOOD)
    with pytest.raises(DocumentError, match=r"the id good is already used by good\.yaml"):
        load_all(tmp_path)


def test_an_empty_folder_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(DocumentError, match="contains no scenarios"):
        load_all(tmp_path)


SHIPPED = load_all(data_directory() / "scenarios/sdk")


def test_globs_select_by_id() -> None:
    chosen = select(SHIPPED, ["workflow-l*", "health"])
    assert [scenario.id for scenario in chosen] == ["health", "workflow-lifecycle"]
    assert select(SHIPPED, []) == SHIPPED


@pytest.mark.parametrize("scenario", SHIPPED, ids=lambda scenario: scenario.id)
def test_a_shipped_scenario_creates_names_that_contain_the_run_id(scenario) -> None:
    for step in scenario.steps:
        refused = "error" in step.expect
        checked_first = step.expect.get("error", {}).get("name") == "invalid_argument"
        if step.kind == "call" and step.subject in {"creds.push", "workflows.push"} and not refused:
            name = step.definition["with"]["name"]
            assert "${run}" in str(scenario.variables.get(name[2:-1], name)), step.id
        if step.kind == "call" and step.subject == "auth.setup" and not checked_first:
            given = step.definition["with"]  # without an account, the keys themselves are the names
            names = [given["account"]] if "account" in given else [*given["secrets"]]
            assert all("${run}" in name for name in names), step.id
