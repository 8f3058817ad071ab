"""Scenario files: what is wrong is named with file, line, and what to do."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from arcrun_conformance.documents import DocumentError
from arcrun_conformance.resources import data_directory
from arcrun_conformance.scenario import load, load_all, select

if TYPE_CHECKING:
    from pathlib import Path

GOOD = """\
id: good
title: a title
spec: [§1]
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
        (("spec: [§1]", "spec: [1.1]"), ["good.yaml:3", "spec.0", "Sections of CONTRACT.md"]),
        (("call: health", "cal: health"), ["good.yaml:7", "steps.0"]),
        (("    count: 1", "    cuont: 1"), ["good.yaml:13", "unknown key cuont", "count"]),
        (("id: asked", "id: Asked!"), ["good.yaml:11", "Lower-case words joined by hyphens"]),
        (("id: asked", "id: healthy"), ["good.yaml:11", "stands twice", "id of its own"]),
        (
            ("path: /health", 'path: "${nmae}"'),
            ["good.yaml:12", "nothing defines ${nmae}", "${name}"],
        ),
        (("{ok: true}", "{ok: {$tpye: boolean}}"), ["good.yaml:9", "no operator $tpye", "$type"]),
        (("{result: {ok: true}}", "{}"), ["good.yaml:9", "steps.0.expect"]),
        (("id: good", "id: other"), ["good.yaml:1", "Name the file other.yaml"]),
        (("title: a title", "title: a\ntitle: b"), ["good.yaml:3", "'title' stands twice"]),
        (("title: a title", "title: [a"), ["good.yaml", "is no valid YAML"]),
        (
            ("call: health", "call: health\n    adapter_needs: [raw_http]"),
            ["good.yaml", "every step has adapter_needs", "for the whole scenario"],
        ),
        (
            ("call: health", "call: health\n    without: {raw_http: {expect: {result: {$is: 1}}}}"),
            ["good.yaml", "there is no operator $is"],
        ),
        ((GOOD, ""), ["good.yaml", "None is not of type 'object'"]),
    ],
)
def test_what_is_wrong_is_named_with_line_and_remedy(
    tmp_path: Path, change: tuple[str, str], expected: list[str]
) -> None:
    path = write(tmp_path, GOOD.replace(*change))
    with pytest.raises(DocumentError) as caught:
        load(path)
    for part in expected:
        assert part in str(caught.value)


def test_a_file_that_is_not_utf8_is_named(tmp_path: Path) -> None:
    (tmp_path / "good.yaml").write_bytes("id: 測試".encode("big5"))
    with pytest.raises(DocumentError, match=r"good\.yaml: can't be read"):
        load(tmp_path / "good.yaml")


def test_all_problems_of_a_folder_are_shown_at_once(tmp_path: Path) -> None:
    write(tmp_path, GOOD.replace("title: a title\n", ""), "one.yaml")
    write(tmp_path, GOOD.replace("spec: [§1]\n", ""), "two.yaml")
    with pytest.raises(DocumentError) as caught:
        load_all(tmp_path)
    assert [problem.path.name for problem in caught.value.problems] == ["one.yaml", "two.yaml"]


def test_two_scenarios_of_one_id_are_an_error(tmp_path: Path) -> None:
    write(tmp_path, GOOD)
    (tmp_path / "sub").mkdir()
    write(tmp_path / "sub", GOOD)
    with pytest.raises(DocumentError, match=r"the id good is taken by good\.yaml"):
        load_all(tmp_path)


def test_an_empty_folder_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(DocumentError, match="holds no scenarios"):
        load_all(tmp_path)


SHIPPED = load_all(data_directory() / "scenarios")


def test_globs_select_by_id() -> None:
    chosen = select(SHIPPED, ["workflow-l*", "health"])
    assert [scenario.id for scenario in chosen] == ["health", "workflow-lifecycle"]
    assert select(SHIPPED, []) == SHIPPED


@pytest.mark.parametrize("scenario", SHIPPED, ids=lambda scenario: scenario.id)
def test_a_shipped_scenario_creates_names_that_carry_the_run(scenario) -> None:
    for step in scenario.steps:
        refused = "error" in step.expect
        if step.kind == "call" and step.subject in {"creds.push", "workflows.push"} and not refused:
            name = step.order["with"]["name"]
            assert "${run}" in str(scenario.variables.get(name[2:-1], name)), step.id
        if step.kind == "call" and step.subject == "auth.setup":
            assert "${run}" in step.order["with"]["account"], step.id
