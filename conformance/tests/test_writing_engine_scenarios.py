"""docs/writing-engine-scenarios.md: it covers the whole language, and its examples are correct."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest
import yaml
from page_examples import BLOCK, blocks_of, keys_of, keys_used_in

from arcrun_conformance.cli import GO, main
from arcrun_conformance.mutants import load as load_mutants
from arcrun_conformance.resources import checkout, data_directory, schema
from arcrun_conformance.scenarios.patterns import TIME_OPERATORS
from arcrun_conformance.scenarios.scenario import load, load_all

if TYPE_CHECKING:
    from pathlib import Path

REPOSITORY = checkout()
if REPOSITORY is None:
    pytest.skip("the page is in the repository only", allow_module_level=True)
PAGE = (REPOSITORY / "docs/writing-engine-scenarios.md").read_text("utf-8")
BLOCKS = blocks_of(PAGE)
FRAGMENTS = [text for kind, name, text in BLOCKS if kind == "yaml" and not name]

# What a fragment leaves out is taken from here.
BASE: dict[str, Any] = {
    "id": "fragment",
    "title": "a fragment of the page",
    "spec": ["docs/contract.md#routes"],
    "engine": {"clock": True},
    "variables": {"name": "${run}_flow"},
    "steps": [{"id": "healthy", "send": "/health", "expect": {"status": 200}}],
}
# Explained in docs/writing-scenarios.md, and the same here.
ELSEWHERE = {
    *(
        "id",
        "title",
        "spec",
        "needs",
        "variables",
        "secrets",
        "value",
        "may_appear",
        "standin",
        "where",
    ),
    *(
        "gzip",
        "at",
        "step",
        "count",
        "request",
        "response",
        "pause",
        "distinct",
        "same",
        "order",
        "note",
        "path",
    ),
}


def named(name: str) -> str:
    (text,) = (text for _, found, text in BLOCKS if found == name)
    return text


@pytest.mark.parametrize("text", FRAGMENTS)
def test_each_fragment_is_valid(tmp_path: Path, text: str) -> None:
    path = tmp_path / "fragment.yaml"
    path.write_text(yaml.safe_dump({**BASE, **yaml.safe_load(text)}, allow_unicode=True), "utf-8")
    load(path, "engine")


def test_the_example_passes(tmp_path: Path) -> None:
    (tmp_path / "tenancy-example.yaml").write_text(named("tenancy-example"), "utf-8")
    assert main(["run", "--suite", "engine", "--scenarios", str(tmp_path)]) == GO


def test_every_key_of_the_language_is_explained_and_has_an_example() -> None:
    used = set(keys_used_in(BLOCKS))
    prose = BLOCK.sub("", PAGE)
    for key in set(keys_of(schema("engine-scenario"))) - ELSEWHERE:
        assert re.search(rf"`[^`\n]*\b{key}\b[^`\n]*`", prose), f"{key} is not explained"
        if key not in {"covers", "wire", "seconds", "pages"}:
            assert key in used, f"{key} has no example"
    for operator in TIME_OPERATORS:
        assert f"`{{{operator}: …}}`" in prose, operator


def test_the_mutants_of_the_page_exist(tmp_path: Path) -> None:
    path = tmp_path / "mutants.yaml"
    path.write_text(named("mutants.yaml"), "utf-8")
    scenarios = {s.id: s for s in load_all(data_directory() / "scenarios/engine", "engine")}
    shipped = load_mutants(data_directory() / "mutants/engine.yaml", scenarios)
    (mutant,) = load_mutants(path, scenarios)
    assert mutant.id in {each.id for each in shipped}
